"""Small charts as inline SVG: a line over time, and a bar. Shapes only; colours come from the style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

WIDTH, HEIGHT, EDGE = 72, 20, 2


@lru_cache(1024)
def line(points: tuple[tuple[float, int], ...], label: str) -> Markup:
    """How a number went: `points` are (time, number) in the order of time. The vertical axis begins at its least."""
    if len(points) < 2:
        return Markup()
    places = _places(points)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    last_x, last_y = places[-1]
    return Markup(
        '<svg class="line" viewBox="0 0 {} {}" role="img" aria-label="{}" focusable="false">'
        '<polyline points="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="1.8"/></svg>'
    ).format(WIDTH, HEIGHT, label, path, last_x, last_y)


def bar(share: float) -> Markup:
    """A bar of a share between 0 and 1; decoration beside a number."""
    drawn = Markup(
        '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="ground" width="100" height="4" rx="2"/><rect width="{:.1f}" height="4" rx="2"/></svg>'
    )
    return drawn.format(max(2.0, 100 * share))


def _places(points: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    begin, end = points[0][0], points[-1][0]
    low, high = min(n for _, n in points), max(n for _, n in points)
    width, height = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    return [
        (
            EDGE + width * ((at - begin) / (end - begin) if end > begin else 1.0),
            HEIGHT - EDGE - height * ((n - low) / (high - low) if high > low else 0.1),
        )
        for at, n in points
    ]
