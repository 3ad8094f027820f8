"""What was measured, and how it stands to what we hold ourselves to."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. Less is better everywhere.

    Attributes:
        target: of architecture section 10; None where a figure only explains others.
        peer, theirs: who else was measured in the same run, and what they took.
        note: the formula behind the target, or what has to be known.
    """

    name: str
    what: str
    unit: str
    ours: float
    target: float | None = None
    peer: str = ""
    theirs: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "ok" if self.ours <= self.target else f"{self.ours / self.target:.1f} x the target"

    @property
    def ratio(self) -> str:
        return f"{self.theirs / self.ours:.1f} x" if self.theirs is not None and self.ours else ""

    def plain(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict, "ratio": self.ratio}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that could not be measured here, and why."""

    name: str
    why: str

    def plain(self) -> dict[str, object]:
        return asdict(self)


def table(rows: list[Figure | Skipped]) -> str:
    """All of it, to be read."""
    head = ("row", "what", "ours", "target", "verdict", "peer", "theirs", "theirs/ours")
    cells = [head]
    for row in rows:
        if isinstance(row, Skipped):
            cells.append((row.name, f"skipped: {row.why}", "", "", "", "", "", ""))
            continue
        ours, target = _shown(row.ours, row.unit), "" if row.target is None else _shown(row.target, row.unit)
        theirs = "" if row.theirs is None else _shown(row.theirs, row.unit)
        cells.append((row.name, row.what, ours, target, row.verdict, row.peer, theirs, row.ratio))
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    notes = [f"{row.name}, {row.what}: {row.note}" for row in rows if isinstance(row, Figure) and row.note]
    return "\n".join([*lines, "", *notes])


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit in ("calls", "MB") else f"{value:.2f} {unit}"
