"""What follows when an entity goes or comes back: one table of event x kind x side x origin.

Nothing is ever deleted on the other side because something is missing here: the record is marked. Two things do go
over, because the other side would lie otherwise: the void of an invoice, and the removal of a payment where it was
made. The table in the schema's documentation is printed from this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from syncd.model.references import Kind, Side


class Happening(StrEnum):
    """What can become of an entity, besides edits."""

    DELETED = "deleted"  # for good
    ARCHIVED = "archived"  # into a recycle bin, from where it may come back
    INACTIVE = "inactive"  # still there and readable, but not to be used any more
    MERGED = "merged"  # into another one of its kind
    VOIDED = "voided"  # or, of a payment, failed after all
    REFUNDED = "refunded"  # the money was given back
    RESTORED = "restored"


class Fate(StrEnum):
    """What syncd makes of it."""

    MARKED = "marked"
    RESTING = "resting"
    LEFT_OUT = "left_out"
    ENDED = "ended"
    MISSED = "missed"
    FORBIDDEN = "forbidden"
    TAKEN_BACK = "taken_back"
    FOLLOWED = "followed"
    COMPARED = "compared"
    BOOKED_ANEW = "booked_anew"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a fate ends: the record's status with its code or note, and what it means in one sentence."""

    ends_as: str
    meaning: str


OUTCOMES: dict[Fate, Outcome] = {
    Fate.MARKED: Outcome("synced, `counterpart_gone`", "Nothing is written; the side that is left stays as it is."),
    Fate.RESTING: Outcome("synced, `counterpart_inactive`", "Nothing is written while it is out of use."),
    Fate.LEFT_OUT: Outcome("excluded, `filtered`", "It has left the flow; both sides keep what they hold."),
    Fate.ENDED: Outcome("excluded, `deleted_at_source`", "The other side keeps its copy."),
    Fate.MISSED: Outcome("failed, `record_gone`", "A booked document has vanished: a person decides."),
    Fate.FORBIDDEN: Outcome("failed, `edited_outside_origin`", "Only where it was made may it be removed."),
    Fate.TAKEN_BACK: Outcome("synced or excluded", "The other side's is voided too, where the flow goes that way."),
    Fate.FOLLOWED: Outcome("synced", "The record is re-pointed, once, at the entity that lives on."),
    Fate.COMPARED: Outcome("synced", "It comes back and is compared with what each side held at the last success."),
    Fate.SHOWN: Outcome("synced, `payment_refunded`", "Nothing is taken back; the invoice shows what both sides say."),
    Fate.BOOKED_ANEW: Outcome("synced", "What was voided over there stays void; the payment is made again."),
}

# event, kinds, side where it happens, side where the record was born, fate. Every cell there is stands in one row.
_ROWS = """
    deleted   party,product    any    any    marked
    archived  party,product    any    any    marked
    inactive  party,product    left   left   left_out
    inactive  party,product    right  right  left_out
    inactive  party,product    left   right  resting
    inactive  party,product    right  left   resting
    merged    any              any    any    followed
    deleted   invoice          left   left   ended
    deleted   invoice          right  right  ended
    deleted   invoice          left   right  marked
    deleted   invoice          right  left   missed
    archived  invoice          left   left   ended
    archived  invoice          right  right  ended
    archived  invoice          left   right  marked
    archived  invoice          right  left   missed
    voided    invoice          any    any    taken_back
    deleted   payment          left   left   taken_back
    deleted   payment          right  right  taken_back
    deleted   payment          left   right  forbidden
    deleted   payment          right  left   forbidden
    archived  payment          left   left   taken_back
    archived  payment          right  right  taken_back
    archived  payment          left   right  forbidden
    archived  payment          right  left   forbidden
    voided    payment          left   left   taken_back
    voided    payment          right  right  taken_back
    voided    payment          left   right  forbidden
    voided    payment          right  left   forbidden
    refunded  payment          any    any    shown
    restored  party,product    any    any    compared
    restored  invoice          any    any    compared
    restored  payment          left   left   booked_anew
    restored  payment          right  right  booked_anew
    restored  payment          left   right  compared
    restored  payment          right  left   compared
"""

Cell = tuple[Happening, Kind, Side, Side]
"""Event, kind, side where it happens, side where the record was born."""


def _read(rows: str) -> Iterator[tuple[Cell, Fate]]:
    for row in rows.strip().splitlines():
        event, kinds, side, origin, fate = row.split()
        listed = list(Kind) if kinds == "any" else [Kind(kind) for kind in kinds.split(",")]
        for kind, here, born in product(listed, _sides(side), _sides(origin)):
            yield (Happening(event), kind, here, born), Fate(fate)


def _sides(word: str) -> list[Side]:
    return list(Side) if word == "any" else [Side(word)]


CELLS: tuple[tuple[Cell, Fate], ...] = tuple(_read(_ROWS))
TABLE: dict[Cell, Fate] = dict(CELLS)


def fate(event: Happening, kind: Kind, side: Side, origin: Side) -> Fate:
    """What follows.

    Raises:
        KeyError: such a thing cannot happen to that kind.
    """
    return TABLE[event, kind, side, origin]


def printed() -> str:
    """The table in Markdown, rows of one meaning drawn together."""
    lines = ["| event | kind | where | born | ends as | meaning |", "|---|---|---|---|---|---|"]
    for row in _ROWS.strip().splitlines():
        event, kinds, side, origin, fate = row.split()
        told = OUTCOMES[Fate(fate)]
        lines.append(f"| {event} | {kinds.replace(',', ', ')} | {side} | {origin} | {told.ends_as} | {told.meaning} |")
    return "\n".join(lines)
