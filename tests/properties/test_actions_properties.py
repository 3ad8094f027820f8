"""Laws of what a person asks: no action loses an edit silently, and none writes what belongs to the side of birth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.content import project
from syncd.model.record import Status
from syncd.model.references import Kind, Side
from tests.properties.scale import scaled
from tests.properties.test_plan_properties import FIELDS, edit, world_of_people
from tests.unit.core.builders import LEFT, RIGHT, line
from tests.unit.core.closed_world import World, inbound, outbound

sides = st.sampled_from(Side)
values = st.sampled_from(["a", "b", "c", None])
changes = st.lists(st.tuples(sides, st.sampled_from(FIELDS), values), max_size=5)
on_people = st.one_of(
    st.sampled_from([("retry", {}), ("refresh", {}), ("exclude", {}), ("include", {}), ("accept", {}), ("revert", {})]),
    st.tuples(st.sampled_from(["force", "resolve"]), sides.map(lambda side: {"take": side})),
)


@given(st.sampled_from(["left", "right", "hold"]), changes, st.lists(on_people, min_size=1, max_size=3))
@settings(max_examples=scaled(60), deadline=None)
def test_no_action_loses_an_edit_of_one_side(conflict: str, made: list[Any], asked: list[Any]) -> None:
    """It arrives, or waits where it was made; only force overwrites it, and then the account has it."""
    w, ids = world_of_people({}, {}, conflict)
    before = {side: w.vendor(side).noun(Kind.PARTY, ids[side]) for side in Side}
    for change in made:
        edit(w, ids, change)
    meant = {side: w.vendor(side).noun(Kind.PARTY, ids[side]) for side in Side}
    for name, told in asked:
        w.ask(w.record("contacts", ids[LEFT]), name, **told)
    w.ask(w.record("contacts", ids[LEFT]), "include")
    assert w.run() == 0
    lost = {(c.field, c.old) for entry in w.activity for c in entry.changes}
    for name in FIELDS:
        movers = [side for side in Side if getattr(before[side], name) != getattr(meant[side], name)]
        if len(movers) != 1:
            continue
        (side,) = movers
        wanted, now = getattr(meant[side], name), getattr(w.vendor(side).noun(Kind.PARTY, ids[side]), name)
        forced = any(action == "force" and told["take"] is side.other for action, told in asked)
        assert now == wanted or (forced and (wanted is None or (name, wanted) in lost)), name


amounts = st.sampled_from(["90.00", "100.00", "120.00"])
edits = st.one_of(
    st.tuples(sides, amounts.map(lambda amount: {"lines": (line(amount),)})),
    st.tuples(sides, st.sampled_from([{"comment": "mine"}, {"number": "X"}, {"comment": None}])),
    st.tuples(sides, st.sampled_from([{"due_date": date(2026, 12, day)} for day in (1, 2)])),
)
on_invoices = st.one_of(
    on_people, st.sampled_from([("revert", {}), ("accept", {}), ("unlink", {})]), st.just(("link", {}))
)


def asked_of(w: World, ids: Mapping[Side, str], name: str, told: dict[str, Any]) -> None:
    record = w.record("invoices", ids[LEFT])
    if name == "link":
        told = {"entity": ids[RIGHT]}
    w.ask(record, name, **told)


@given(sides, st.lists(st.one_of(edits, on_invoices), min_size=1, max_size=6))
@settings(max_examples=scaled(60), deadline=None)
def test_nothing_but_its_own_people_changes_what_belongs_to_the_side_of_birth(birth: Side, story: list[Any]) -> None:
    """Whatever is edited and asked, in whatever order: its amounts, number and lines are as its people left them, and
    a record that counts as synced has equal totals, or somebody accepted the difference."""
    w, id = outbound() if birth is LEFT else inbound()
    other = w.record("invoices", id).entity(birth.other)
    assert other is not None
    ids = {birth: id, birth.other: other}
    mine = w.vendor(birth).noun(Kind.INVOICE, id)
    for who, what in story:
        if isinstance(who, Side):
            w.vendor(who).edit(Kind.INVOICE, ids[who], **what)
            w.run()
        else:
            asked_of(w, ids, who, dict(what))
        if who is birth:
            mine = w.vendor(birth).noun(Kind.INVOICE, id)
        now = w.vendor(birth).noun(Kind.INVOICE, id)
        assert (now.total, now.number, now.comment, now.lines) == (mine.total, mine.number, mine.comment, mine.lines)
    w.run()
    record = w.record("invoices", id)
    if record.status is Status.SYNCED and not record.notes:
        totals = [w.vendor(side).noun(Kind.INVOICE, ids[side]).total for side in Side]
        assert totals[0] == totals[1]
        assert isinstance(totals[0], Decimal)
    flow = w.sync.flow("invoices")
    if record.status is Status.SYNCED:
        for side in Side:
            base, shown = record.base(side), project(w.vendor(side).entities[Kind.INVOICE, ids[side]], flow, side)
            assert base is not None
            assert base.fields["due_date"] == shown.fields["due_date"]
