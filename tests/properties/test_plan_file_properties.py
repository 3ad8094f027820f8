"""Laws of plans: a command's digest, what two plans have in common, and files that were touched."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.cost import Tariff, cost
from syncd.core.decision import Command
from syncd.core.imagined import name_there
from syncd.core.pacing import Window
from syncd.core.planned import Entry, command_digest, compared, referred
from syncd.model.content import Content
from syncd.model.nouns import Allocation, Line
from syncd.model.record import Op
from syncd.model.references import Kind, Side
from syncd.model.values import digest
from syncd.plan_file import PlanRefused, read
from tests.properties.scale import scaled

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ids = st.sampled_from(["1", "2", "30"])
values = st.none() | st.sampled_from(["a", "b", True, Decimal("1.50"), date(2026, 1, 31), NOW])
lines = st.builds(Line, id=st.none() | ids, key=st.none() | ids, product=st.none() | ids, amount=st.just(Decimal(7)))
commands = st.builds(
    Command,
    side=st.sampled_from(Side),
    op=st.sampled_from(Op),
    kind=st.sampled_from(Kind),
    entity=st.none() | ids,
    natural_key=st.none() | st.just("number:7"),
    values=st.dictionaries(st.sampled_from(["customer", "number", "custom.PO", "due_date"]), values, max_size=4),
    lines=st.none() | st.lists(lines, max_size=3).map(tuple),
    allocations=st.none() | st.lists(st.builds(Allocation, invoice=ids), max_size=2).map(tuple),
    mirror=st.booleans(),
)


@given(commands)
def test_the_digest_is_of_what_is_written_alone(command: Command) -> None:
    """What was there when it was decided, and our and the vendor's names of lines, do not count."""
    later = replace(command, if_version="9", expected="x", patch={Side.LEFT: Content()})
    renamed = None if command.lines is None else tuple(replace(line, id="z", key="y") for line in command.lines)
    assert command_digest(replace(later, lines=renamed), {}) == command_digest(command, {})


@given(commands, commands)
def test_other_writes_have_other_digests(one: Command, other: Command) -> None:
    """Two commands with one digest refer to the same entities and write the same values."""
    if command_digest(one, {}) == command_digest(other, {}):
        assert (one.side, one.op, one.kind, one.entity) == (other.side, other.op, other.kind, other.entity)
        assert list(referred(one)) == list(referred(other))
        assert {n: v for n, v in one.values.items() if v is not None} == {
            n: v for n, v in other.values.items() if v is not None
        }


@given(commands)
def test_what_a_plan_makes_goes_by_the_plans_name(command: Command) -> None:
    """A command on entities the plan would make has the same digest once they are made, under whatever ids."""
    planned = {key: name_there(f"place:{key[1]}") for key in referred(command)}
    made = {(kind, f"9{id}"): name for (kind, id), name in planned.items()}

    def renamed(prefix: str) -> Command:
        customer = command.values.get("customer")
        moved = {**command.values, "customer": f"{prefix}{customer}"} if isinstance(customer, str) else command.values
        return replace(
            command,
            values=moved,
            lines=command.lines
            and tuple(replace(line, product=line.product and f"{prefix}{line.product}") for line in command.lines),
            allocations=command.allocations
            and tuple(replace(a, invoice=f"{prefix}{a.invoice}") for a in command.allocations),
        )

    assert command_digest(renamed("9"), made) == command_digest(command, planned)


entries = st.builds(
    Entry,
    sync=st.just("s"),
    flow=st.just("invoices"),
    place=ids.map(lambda id: f"invoices:left:{id}"),
    label=st.just("INV"),
    connection=st.sampled_from(["crm", "books"]),
    side=st.sampled_from(Side),
    op=st.sampled_from(["create", "update", "void"]),
    kind=st.just(Kind.INVOICE),
    entity=st.none() | ids,
    lines=st.none() | st.integers(0, 750),
    base=st.fixed_dictionaries({"left": st.none() | ids, "right": st.none() | ids}),
    seen=st.fixed_dictionaries({"left": st.none() | ids, "right": st.none() | ids}),
    rules=ids,
    command=ids,
)
plans = st.lists(entries, unique_by=lambda entry: entry.key, max_size=6)


@given(plans, plans)
def test_every_entry_is_the_same_or_has_moved(then: list[Entry], now: list[Entry]) -> None:
    """None is lost, none is added, and only what would write the same is the same."""
    same, moved = compared(then, now)
    assert sorted([*(e.key for e in same), *(m.entry.key for m in moved)]) == sorted(e.key for e in then)
    assert all(entry in now for entry in same)
    assert {(e.key, e.command) for e in same} <= {(e.key, e.command) for e in then}
    assert all(one.words for one in moved)
    assert compared(then, then) == (then, [])


@given(plans, st.integers(1, 100))
def test_more_writes_never_cost_less(listed: list[Entry], batch: int) -> None:
    """Calls and seconds grow with the plan; nothing costs nothing."""
    tariff = Tariff(batch=batch, windows=(Window(2, 10.0),), own_lines=True, locked=False)
    costs = [cost(listed[:n], tariff) for n in range(len(listed) + 1)]
    assert (costs[0].calls, costs[0].seconds) == (0, 0)
    assert all(a.calls <= b.calls and a.seconds <= b.seconds for a, b in itertools.pairwise(costs))


def _plan() -> dict[str, Any]:
    plan = {
        "schema": 1,
        "created_at": NOW.isoformat(),
        "expires_at": (NOW + timedelta(hours=24)).isoformat(),
        "connections": [{"name": "crm", "account_id": "7"}],
        "entries": [],
    }
    return {**plan, "checksum": digest(plan)}


def test_a_plan_as_it_was_made_may_be_applied_for_a_day() -> None:
    """Until its last second, through a file and back."""
    plan = json.loads(json.dumps(_plan()))
    assert read(plan, {"crm": "7"}, NOW + timedelta(hours=24, seconds=-1)) == []
    for now in (NOW + timedelta(hours=24), NOW - timedelta(seconds=1)):
        with pytest.raises(PlanRefused, match="expired"):
            read(plan, {"crm": "7"}, now)


@settings(max_examples=scaled(50))
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.data())
def test_anything_else_is_refused_in_words(junk: object, data: st.DataObject) -> None:
    """Any file at all, and a plan with any of its values replaced: refused, never carried out and never a crash."""
    with pytest.raises(PlanRefused):
        read(junk, {"crm": "7"}, NOW)
    plan = _plan()
    name = data.draw(st.sampled_from(sorted(plan)))
    if plan[name] != junk:
        with pytest.raises(PlanRefused):
            read({**plan, name: junk}, {"crm": "7"}, NOW)
