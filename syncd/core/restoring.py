"""What a person's word adds to the comparison of two sides: whose value stays, and what goes back to what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from syncd.core.conflict import Both, Rule, changed_fields, lines_moved
from syncd.core.decision import Case, Will
from syncd.core.rules import Conflict
from syncd.model.content import shown
from syncd.model.nouns import Line
from syncd.model.record import FieldChange
from syncd.model.references import Side
from syncd.model.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What moved on one side since its base, of what belongs to the side of birth."""

    fields: frozenset[str] = frozenset()
    lines: bool = False

    def __bool__(self) -> bool:
        return bool(self.fields or self.lines)

    def __or__(self, other: Edit) -> Edit:
        return Edit(fields=self.fields | other.fields, lines=self.lines or other.lines)


def moves(both: Both, money: frozenset[str], side: Side) -> Edit:
    """What moved there."""
    now, base, rules = both.now[side], both.base[side], both.rules[side]
    return Edit(fields=changed_fields(now, base, rules) & money, lines=lines_moved(now, base, rules))


def restores(case: Case) -> bool:
    """Whether what was edited outside the side of birth is to be overwritten from there: only a person says so."""
    return case.will.revert or (case.will.force is not None and case.will.force is case.record.origin)


def chosen(will: Will, conflict: Conflict) -> Rule:
    """Who wins each field: whom a person chose, else as the flow says."""

    def rule(name: str) -> Conflict:
        side = will.fields.get(name, will.take)
        return conflict if side is None else Conflict(side.value)

    return lambda row: rule(row.name)


def put_back(both: Both, side: Side, names: Iterable[str]) -> dict[str, Value]:
    """The values these fields had at the last success, in the side's own words."""
    return {name: both.base[side].fields[name] for name in sorted(names)}


def lines_put_back(both: Both, side: Side) -> tuple[Line, ...]:
    """The lines of the last success; those still there keep the id the vendor gives them now."""
    ids = {line.key: line.id for line in both.now[side].lines or ()}
    return tuple(replace(line, id=ids.get(line.key)) for line in both.base[side].lines or ())


def lines_lost(both: Both, side: Side, lines: tuple[Line, ...]) -> FieldChange:
    """What is overwritten, for the account."""
    return FieldChange(field="lines", old=_told(both.now[side].lines or ()), new=_told(lines), side=side)


def _told(lines: tuple[Line, ...]) -> str:
    return "; ".join(
        f"{line.description or line.name or line.product or ''} {shown(line.quantity)} x {shown(line.unit_price)}"
        for line in lines
    )
