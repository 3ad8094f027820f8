"""Laws of conflicts: what one side alone edited is never lost, what both edited ends by the rule, in any order.

An invoice with shared fields, lines, and one custom mapping with a value map, a constant or one direction only.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.crossing import as_text, crosses_to
from syncd.core.rules import Row, SyncRules
from syncd.model.content import shown
from syncd.model.nouns import Line
from syncd.model.record import Record, Status
from syncd.model.references import Kind, Side
from tests.properties.scale import scaled
from tests.unit.core.builders import LEFT, RIGHT, rules
from tests.unit.core.closed_world import World, inbound, outbound

MAPS = {"gold": "G", "silver": "S", "bronze": "B"}
MAPPED: tuple[dict[str, Any], ...] = (
    {"left": "properties.a", "right": "custom.A"},
    {"left": "properties.a", "right": "custom.A", "values": MAPS},
    {"left": "properties.a", "right": "custom.A", "values": MAPS, "direction": "left-to-right"},
    {"left": "properties.a", "right": "custom.A", "values": MAPS, "direction": "right-to-left"},
    {"left": "properties.a", "right": "custom.A", "direction": "left-to-right"},
    {"left": "properties.a", "right": "custom.A", "direction": "right-to-left", "constant": "none"},
)
FIELDS = ("due_date", "po_number", "custom")
days = st.sampled_from([None, date(2026, 12, 1), date(2026, 12, 24), date(2027, 1, 5)])
orders = st.sampled_from([None, "", "PO 7", "PO 8"])
options = {
    LEFT: st.sampled_from([None, *MAPS, *MAPS, "copper"]),
    RIGHT: st.sampled_from([None, *MAPS.values(), *MAPS.values(), "C"]),
}
lists = st.lists(
    st.builds(
        Line,
        description=st.sampled_from(["Work", "Travel"]),
        amount=st.sampled_from([Decimal(10), Decimal("99.99"), Decimal(250)]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
conflicts = st.sampled_from(["left", "right", "hold"])
REFUSALS = {"conflict_held", "option_unknown", "edited_outside_origin"}


@st.composite
def edits(draw: st.DrawFn, side: Side) -> Mapping[str, Any]:
    """What one side's people change between two looks."""
    values = {"due_date": days, "po_number": orders, "custom": options[side], "lines": lists}
    often = {"due_date": 4, "po_number": 4, "custom": 3, "lines": 1}  # of five
    names = [name for name in values if draw(st.integers(1, 5)) > 5 - often[name]]
    return {name: draw(values[name]) for name in names}


@cache
def ruled(conflict: str, place: int) -> SyncRules:
    return rules(invoices={"conflict": conflict, "mappings": [MAPPED[place]]})


@dataclass
class Told:
    """An invoice that stands on both sides, and what is asked of it."""

    world: World
    ids: Mapping[Side, str]

    def edit(self, side: Side, changes: Mapping[str, Any]) -> None:
        custom = {"custom": {_custom(side): changes["custom"]}} if "custom" in changes else {}
        if changes:
            self.world.vendor(side).edit(Kind.INVOICE, self.ids[side], **{**changes, **custom})

    def values(self, side: Side) -> dict[str, Any]:
        """The shared fields as a side shows them."""
        noun = self.world.vendor(side).noun(Kind.INVOICE, self.ids[side])
        return {"due_date": noun.due_date, "po_number": noun.po_number, "custom": noun.custom[_custom(side)]}

    def lines(self, side: Side) -> list[tuple[Any, ...]]:
        noun = self.world.vendor(side).noun(Kind.INVOICE, self.ids[side])
        return sorted((line.description or "", line.amount) for line in noun.lines)

    @property
    def record(self) -> Record:
        return self.world.record("invoices", self.ids[LEFT])

    def row(self, name: str) -> Row:
        rows = self.world.sync.flow("invoices").rows
        return next(row for row in rows if (row.custom if name == "custom" else row.name == name))

    def lost(self) -> set[tuple[str, str | None, Side]]:
        """Values that lost, as the activity keeps them."""
        entries = [entry for entry in self.world.activity if entry.event == "conflict.resolved"]
        return {(change.field, change.old, change.side) for entry in entries for change in entry.changes}


def told(origin: Side, conflict: str, place: int) -> Told:
    begun = _begun(origin, conflict, place)
    return Told(deepcopy(begun.world, {id(begun.world.sync): begun.world.sync}), begun.ids)


@cache
def _begun(origin: Side, conflict: str, place: int) -> Told:
    w = World(sync=ruled(conflict, place))
    w.left.customs, w.right.customs = {Kind.INVOICE: ("a",)}, {Kind.INVOICE: ("A",)}
    w, id = (outbound if origin is LEFT else inbound)(world=w)
    record = w.record("invoices", id)
    return Told(w, {LEFT: record.left or "", RIGHT: record.right or ""})


def _custom(side: Side) -> str:
    return "a" if side is LEFT else "A"


stories = st.tuples(st.sampled_from(Side), conflicts, st.integers(0, len(MAPPED) - 1))


@given(stories, edits(LEFT), edits(RIGHT))
@settings(deadline=None, max_examples=scaled(60))
def test_every_rule_comes_to_the_same_in_both_orders_of_arrival(
    story: tuple[Side, str, int], left: Mapping[str, Any], right: Mapping[str, Any]
) -> None:
    """Left seen first, right seen first, or both at once, before anything was sent: one end."""
    ends = []
    for arrivals in ([{LEFT: left}, {RIGHT: right}], [{RIGHT: right}, {LEFT: left}], [{LEFT: left, RIGHT: right}]):
        it = told(*story)
        for seen in arrivals:
            for side, changes in seen.items():
                it.edit(side, changes)
            it.world.decide_all()
            it.world.intents.clear()  # what has not left is planned anew
        it.world.run()
        record = it.record
        shown_there = [(it.values(side), it.lines(side)) for side in Side]
        ends.append((shown_there, record.status, record.code, record.words))
        assert it.world.run() == 0
    assert ends[0] == ends[1] == ends[2]


@given(stories, edits(LEFT), edits(RIGHT))
@settings(deadline=None, max_examples=scaled(60))
def test_no_edit_of_one_side_alone_is_lost_and_the_rule_decides_the_rest(
    story: tuple[Side, str, int], left: Mapping[str, Any], right: Mapping[str, Any]
) -> None:
    """From where both agreed: what may go over does, what may not stays, what loses is in the activity."""
    origin, conflict, _ = story
    it = told(*story)
    before = {side: it.values(side) for side in Side}
    lines_before = it.lines(LEFT)
    it.edit(LEFT, left)
    it.edit(RIGHT, right)
    typed = {side: it.values(side) for side in Side}
    lines_typed = {side: it.lines(side) for side in Side}
    it.world.run()
    record = it.record
    if record.status is not Status.SYNCED:
        assert record.code in REFUSALS
        assert record.code != "conflict_held" or conflict == "hold"
        # Nothing of it went over, nothing was overwritten: everything stands where it was typed.
        assert {side: it.values(side) for side in Side} == typed
        assert {side: it.lines(side) for side in Side} == lines_typed
        return
    assert it.lines(LEFT) == it.lines(RIGHT)
    assert lines_typed[origin] == it.lines(origin), "lines are those of where the invoice was born"
    assert lines_typed[origin.other] in (lines_before, lines_typed[origin])
    for name in FIELDS:
        _decided(it, name, before, typed, conflict)


def _decided(it: Told, name: str, before: Mapping[Side, Any], typed: Mapping[Side, Any], conflict: str) -> None:
    row, now = it.row(name), {side: it.values(side)[name] for side in Side}
    movers = [side for side in Side if as_text(before[side][name]) != as_text(typed[side][name])]
    if not movers:
        assert {side: as_text(now[side]) for side in Side} == {side: as_text(typed[side][name]) for side in Side}
    elif len(movers) == 1:
        (side,) = movers
        assert as_text(now[side]) == as_text(typed[side][name]), f"{name}: the only edit was undone"
        if row.direction.allows(side):
            assert _over(row, now, side), f"{name}: the only edit did not go over"
    elif not any(_over(row, {s: typed[s][name] for s in Side}, side) for side in Side if row.direction.allows(side)):
        both_ways = all(row.direction.allows(side) for side in Side)
        assert not (both_ways and conflict == "hold"), f"{name}: nobody decided"
        winner = LEFT if (conflict == "left" if both_ways else row.direction.allows(LEFT)) else RIGHT
        assert as_text(now[winner]) == as_text(typed[winner][name]), f"{name}: the rule was not kept"
        assert _over(row, now, winner)
        assert (row.name, shown(typed[winner.other][name]), winner.other) in it.lost(), f"{name}: lost without a trace"


def _over(row: Row, values: Mapping[Side, Any], source: Side) -> bool:
    """Whether the other side shows what this one's value is over there."""
    return any(as_text(there) == as_text(values[source.other]) for there in crosses_to(row, values[source], source))
