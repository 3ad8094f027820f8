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
    def references(self) -> list[tuple[str, float]]:
        """What it is held against: the target, and what a peer took."""
        target = [] if self.target is None else [("target", self.target)]
        return target + ([] if self.theirs is None else [(self.peer, self.theirs)])

    @property
    def met(self) -> bool:
        return self.target is None or self.ours <= self.target

    def plain(self) -> dict[str, object]:
        ratios = {name: ratio(value, self.ours) for name, value in self.references}
        return {**asdict(self), "met": self.met, "ratios": ratios}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that could not be measured here, and why."""

    name: str
    why: str

    def plain(self) -> dict[str, object]:
        return asdict(self)


def ratio(reference: float, ours: float) -> float | None:
    """How many times better we are; below 1 we are worse. None where one of them is nothing."""
    return round(reference / ours, 2) if reference and ours else None


def table(rows: list[Figure | Skipped]) -> str:
    """All of it, to be read: a line for each thing a figure is held against. A ratio below 1 is a miss."""
    cells = [("row", "what", "ours", "against", "ratio", "note")]
    for row in rows:
        cells += [(row.name, "skipped", "", "", "", row.why)] if isinstance(row, Skipped) else _lines(row)
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]) - 1)]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in cells
    )


def _lines(row: Figure) -> list[tuple[str, ...]]:
    made: list[tuple[str, ...]] = []
    for name, value in row.references or [("", None)]:
        times = None if value is None else ratio(value, row.ours)
        verdict = f"{times:.2f} x" if times is not None else "" if value is None else "ok" if row.met else "missed"
        against = "" if value is None else f"{name} {_shown(value, row.unit)}"
        made.append((row.name, row.what, _shown(row.ours, row.unit), against, verdict, "" if made else row.note))
    return made


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit in ("calls", "MB") else f"{value:.2f} {unit}".strip()
