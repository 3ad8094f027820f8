"""Which language somebody is answered in: what they chose on the page, else what their browser prefers, else ours."""

from __future__ import annotations

from aiohttp import web

LANGUAGES = ("en", "fr")
COOKIE = "syncd_language"


def language_of(request: web.Request, default: str) -> str:
    """One of `LANGUAGES`. `default` is the configured one, for whoever says nothing."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return _preferred(request.headers.get("Accept-Language", "")) or default


def _preferred(header: str) -> str | None:
    """The best-liked of ours in an Accept-Language header."""
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES and (quality := _quality(weight)) > 0:
            liked.append((-quality, place, language))
    return min(liked)[2] if liked else None


def _quality(weight: str) -> float:
    _, _, text = weight.partition("=")
    try:
        return float(text) if weight else 1.0
    except ValueError:
        return 0.0
