"""Laws of custom mappings: whatever is typed on either side, both sides come to rest and mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.crossing import as_text, cross
from syncd.core.outcome import Settled
from syncd.core.rules import FlowRules, Row
from syncd.model.references import Kind, Side
from tests.properties.scale import scaled
from tests.unit.core.builders import LEFT, RIGHT, rules
from tests.unit.core.closed_world import World, outbound

VALUES = {"gold": "G", "silver": "S"}
ROWS: tuple[dict[str, Any], ...] = (
    {"left": "properties.a", "right": "custom.A"},
    {"left": "properties.a", "right": "custom.A", "values": VALUES},
    {"left": "properties.a", "right": "custom.A", "constant": "none"},
    {"left": "properties.a", "right": "custom.A", "values": VALUES, "constant": "gold"},
    {"left": "properties.a", "right": "custom.A", "direction": "left-to-right", "constant": "none"},
    {"left": "properties.a", "right": "custom.A", "direction": "right-to-left", "values": VALUES},
    {"left": "properties.a", "right": "ship_date"},
    {"left": "properties.a", "right": "ship_date", "direction": "left-to-right", "constant": date(2026, 12, 1)},
)
texts = st.none() | st.sampled_from([*VALUES, *VALUES.values(), "none", "2026-12-24", "x ", "12.50", "12.5"])
days = st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31))


@st.composite
def stories(draw: st.DrawFn) -> tuple[Mapping[str, Any], list[tuple[Side, Any]]]:
    """A mapping, and what people type one after the other."""
    row = draw(st.sampled_from(ROWS))
    sides = draw(st.lists(st.sampled_from([LEFT, RIGHT]), max_size=5))
    return row, [(s, draw(days if s is RIGHT and row["right"] == "ship_date" else texts)) for s in sides]


@given(stories())
@settings(deadline=None, max_examples=scaled(60))
def test_custom_rows_come_to_rest(story: tuple[Mapping[str, Any], list[tuple[Side, Any]]]) -> None:
    """After each edit one write at most follows and no echo; then both sides agree, or the record says why not."""
    told, edits = story
    w = World(sync=rules(invoices={"mappings": [told]}))
    w.left.customs, w.right.customs = {Kind.INVOICE: ("a",)}, {Kind.INVOICE: ("A",)}
    w, id = outbound(world=w)
    (row,) = [row for row in w.sync.flow("invoices").rows if row.custom]
    ids = {LEFT: id, RIGHT: w.record("invoices", id).right or ""}
    for side, value in edits:
        change = {"custom": {_name(row, side): value}} if row.path(side).startswith("custom.") else {"ship_date": value}
        before, agreed = _shown(w, row, side, ids[side]), w.standing("invoices", id) == ("synced", "")
        w.vendor(side).edit(Kind.INVOICE, ids[side], **change)
        assert w.run() <= 1
        assert w.run() == 0
        if w.standing("invoices", id) == ("synced", ""):
            # Taking back what could not go over is no edit: the other side may have moved on by itself.
            moved = agreed and as_text(before) != as_text(value)
            assert not (moved and row.direction.allows(side)) or _agree(w, row, ids)
        else:
            assert w.standing("invoices", id)[1] in ("option_unknown", "field_value_invalid")


@given(st.one_of(texts, days, st.decimals(-1000, 1000, places=2), st.booleans()), st.sampled_from(ROWS))
def test_a_value_map_is_its_own_way_back(value: Any, told: Mapping[str, Any]) -> None:
    """What goes over one way comes back as what it was, in the form texts have."""
    flow: FlowRules = rules(invoices={"mappings": [told]}).flow("invoices")
    (row,) = [row for row in flow.rows if row.custom]
    try:
        there = cross(row, value, LEFT)
        back = cross(row, there, RIGHT)
    except Settled:
        return
    if value is not None and there is not None:
        assert as_text(back) == as_text(value)


def _agree(w: World, row: Row, ids: Mapping[Side, str]) -> bool:
    shown = {side: _shown(w, row, side, ids[side]) for side in Side}
    for source in Side:
        try:
            if as_text(cross(row, shown[source], source)) == as_text(shown[source.other]):
                return True
        except Settled:
            continue
    return False


def _shown(w: World, row: Row, side: Side, id: str) -> Any:
    noun = w.vendor(side).noun(Kind.INVOICE, id)
    return noun.custom[_name(row, side)] if row.path(side).startswith("custom.") else noun.ship_date


def _name(row: Row, side: Side) -> str:
    return row.path(side).removeprefix("custom.")


def test_amounts_have_one_form() -> None:
    """So that digits a vendor adds are no edit."""
    assert as_text(Decimal("12.50")) == as_text(Decimal("12.5")) == "12.5"
