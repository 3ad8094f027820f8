"""Field by field: what each side changed since its own base, and where that has to go.

A side has changed iff its content differs from its *own* base: an echo of our own write, a vendor that rounds, and a
save without an edit are therefore all silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncd.core.alignment import FACTS
from syncd.core.content import Normalisers, same
from syncd.core.crossing import cross, crosses_to
from syncd.core.normalise import explained
from syncd.core.rules import Conflict, Row
from syncd.model.content import Content, shown
from syncd.model.nouns import Line
from syncd.model.record import FieldChange
from syncd.model.references import Side
from syncd.model.values import Value

UNMET = "unmet."
"""Prefix under which both bases note a row whose two values have still to meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """Two sides of a record: contents now, bases, and how each vendor normalises."""

    now: Mapping[Side, Content]
    base: Mapping[Side, Content]
    rules: Mapping[Side, Normalisers]


@dataclass(slots=True, kw_only=True)
class Flowing:
    """What is to be written where, and what both bases become once it is.

    Attributes:
        to: target side -> fields by row name -> the new value, in the target's terms.
        settled: side -> row name -> the value its base takes at once: nothing needs to be written for it.
        lost: fields whose value loses to the other side's, as the activity keeps them.
        held: row names both sides changed and nobody decided.
        lines_agreed: the lines moved on one side, and the other one shows them like that already.
    """

    to: dict[Side, dict[str, Value]] = field(default_factory=lambda: {Side.LEFT: {}, Side.RIGHT: {}})
    settled: dict[Side, dict[str, Value]] = field(default_factory=lambda: {Side.LEFT: {}, Side.RIGHT: {}})
    lost: list[FieldChange] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    lines_agreed: bool = False


def changed_fields(now: Content, base: Content, rules: Normalisers) -> frozenset[str]:
    """Names whose value differs from the base, beyond what the vendor does to values by itself.

    A field the base does not know yet is no change.
    """
    return frozenset(
        name
        for name, value in now.fields.items()
        if name in base.fields and not explained(base.fields[name], value, rules.get(name, ()))
    )


def lines_moved(now: Content, base: Content, rules: Normalisers) -> bool:
    """Whether an invoice's lines differ from the base, beyond what the vendor does to them by itself.

    Their order is not compared: vendors put lines in another one as they like. Both lists carry our keys.
    """
    if base.lines is None or now.lines is None:
        return False
    before, after = ({line.key: line for line in lines} for lines in (base.lines, now.lines))
    if before.keys() != after.keys():
        return True
    return not all(_same_line(before[key], after[key], rules) for key in before)


def _same_line(base: Line, now: Line, rules: Normalisers) -> bool:
    return all(explained(getattr(base, n), getattr(now, n), rules.get(f"lines.{n}", ())) for n in FACTS)


Rule = Callable[[Row], Conflict]
"""Who wins a field that both sides changed."""


def merge_rows(both: Both, rows: tuple[Row, ...], rule: Rule) -> Flowing:
    """Three-way merge of shared fields since the last success. Symmetric: the order of arrival plays no part.

    What neither base knows was not mapped when both sides agreed: it is taken as it is, for mappings are not
    retroactive - unless it is noted as unmet, because what was to be written of it never was, or a person asked.

    Raises:
        Settled: a value cannot be said on the other side.
    """
    flowing, changed = Flowing(), _changed(both)
    for row in _seen(both, rows):
        _merge(flowing, both, row, changed, rule(row))
    return flowing


def first_meeting(both: Both, rows: tuple[Row, ...], rule: Rule) -> Flowing:
    """Two entities that were found to belong together: no base yet.

    Raises:
        Settled: a value cannot be said on the other side.
    """
    flowing = Flowing()
    for row in _seen(both, rows):
        _meet(flowing, both, row, rule(row))
    return flowing


def forced(both: Both, rows: tuple[Row, ...], source: Side) -> Flowing:
    """One side's values go over whether they moved or not, as a person wants it.

    What that side never had is no value of its own, and is merged as ever.

    Raises:
        Settled: a value cannot be said on the other side.
    """
    flowing, changed, conflict = Flowing(), _changed(both), Conflict(source.value)
    for row in _seen(both, rows):
        own = any(content.fields.get(row.name) is not None for content in (both.now[source], both.base[source]))
        if not own or not row.direction.allows(source):
            _merge(flowing, both, row, changed, conflict)
        elif _equal(both, row):
            _settle(flowing, both, row)
        else:
            _contest(flowing, both, row, conflict)
    return flowing


def _seen(both: Both, rows: tuple[Row, ...]) -> list[Row]:
    """Without those a side has not been looked at for since they were mapped."""
    return [row for row in rows if all(row.name in both.now[side].fields for side in Side)]


def _changed(both: Both) -> Mapping[Side, frozenset[str]]:
    return {side: changed_fields(both.now[side], both.base[side], both.rules[side]) for side in Side}


def _merge(flowing: Flowing, both: Both, row: Row, changed: Mapping[Side, frozenset[str]], conflict: Conflict) -> None:
    movers = [side for side in Side if row.name in changed[side]]
    if all(row.name not in both.base[side].fields for side in Side):
        if any(UNMET + row.name in both.base[side].fields for side in Side):
            _meet(flowing, both, row, conflict)
        else:
            _settle(flowing, both, row)
    elif not movers:
        _learn(flowing, both, row)
    elif len(movers) == 1:
        _carry(flowing, both, row, movers[0])
    elif _equal(both, row):
        _settle(flowing, both, row)
    else:
        _contest(flowing, both, row, conflict)


def _meet(flowing: Flowing, both: Both, row: Row, conflict: Conflict) -> None:
    # Without a base nobody has edited anything: empty fields are filled, the rule decides the rest.
    left, right = (both.now[side].fields.get(row.name) for side in Side)
    if _equal(both, row):
        _settle(flowing, both, row)
    elif left is None and right is None:
        # Both are empty and the mapping has a constant: what is given it first needs it no more.
        source = Side.LEFT if row.direction.allows(Side.LEFT) else Side.RIGHT
        _carry(flowing, both, row, source)
    elif left is None or right is None:
        _carry(flowing, both, row, Side.RIGHT if left is None else Side.LEFT)
    else:
        _contest(flowing, both, row, conflict)


def _learn(flowing: Flowing, both: Both, row: Row) -> None:
    for side in Side:
        if row.name not in both.base[side].fields:
            flowing.settled[side][row.name] = both.now[side].fields.get(row.name)


def _settle(flowing: Flowing, both: Both, row: Row) -> None:
    for side in Side:
        flowing.settled[side][row.name] = both.now[side].fields.get(row.name)


def _carry(flowing: Flowing, both: Both, row: Row, source: Side) -> None:
    if not row.direction.allows(source):
        # Not wanted over there: the side may keep its value, and it is not looked at again.
        flowing.settled[source][row.name] = both.now[source].fields.get(row.name)
    elif _equal(both, row):
        _settle(flowing, both, row)
    else:
        flowing.to[source.other][row.name] = cross(row, both.now[source].fields.get(row.name), source)


def _contest(flowing: Flowing, both: Both, row: Row, conflict: Conflict) -> None:
    if conflict is Conflict.HOLD and all(row.direction.allows(side) for side in Side):
        flowing.held.append(row.name)
        return
    winner = Side.LEFT if conflict is Conflict.LEFT else Side.RIGHT
    if not row.direction.allows(winner):
        winner = winner.other
    if not row.direction.allows(winner):
        _settle(flowing, both, row)
        return
    loser = winner.other
    won, lost = cross(row, both.now[winner].fields.get(row.name), winner), both.now[loser].fields.get(row.name)
    flowing.to[loser][row.name] = won
    flowing.lost.append(FieldChange(field=row.name, old=shown(lost), new=shown(won), side=loser))


def _equal(both: Both, row: Row) -> bool:
    """Whether one side shows what the other one's value is over there, as either vendor would keep it."""
    directions = [side for side in Side if row.direction.allows(side)] or list(Side)
    return any(
        same(row.name, value, both.now[source.other].fields.get(row.name), rules)
        for source in directions
        for value in crosses_to(row, both.now[source].fields.get(row.name), source)
        for rules in both.rules.values()
    )
