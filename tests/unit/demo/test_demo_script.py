"""The person's script against the vendors of the sandbox, in process: they take and refuse what the script says."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

import pytest

from syncd.demo.actor import Actor
from syncd.demo.script import HUBSPOT, QUICKBOOKS, SCENES, Row, Step, scenes
from syncd.sandbox.world import World, create_world

ROUNDS = 8  # more than there are firms and suppliers: every one of them comes again


class PersonAndSyncd:
    """A hand on the vendors that also books HubSpot's finalized invoices in QuickBooks, as syncd would."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._booked: set[str] = set()

    async def person(self, vendor: str, op: str, kind: str, id: str | None, fields: Row) -> Row:
        return self._act(vendor, op, kind, id, fields)

    async def records(self, vendor: str, kind: str) -> Sequence[Row]:
        for invoice in self._world.vendors[HUBSPOT].records("invoices"):
            number = invoice["properties"].get("hs_number", "")
            if invoice["id"].startswith("90") and number not in self._booked:
                self._booked.add(number)
                lines = [{"item": "INSTALLATION", "qty": 2}]
                self._act(QUICKBOOKS, "create", "Invoice", None, {"customer": "1", "number": number, "lines": lines})
        return self._world.vendors[vendor].records(kind)

    def _act(self, vendor: str, op: str, kind: str, id: str | None, fields: Row) -> Row:
        return self._world.vendors[vendor].person(op, kind, id, fields, datetime.now(UTC))


@pytest.fixture
def played() -> list[tuple[Step, str, bool]]:
    return []


@pytest.fixture
def world() -> World:
    return create_world()


@pytest.fixture
def actor(world, played) -> Actor:
    async def no_pause() -> None:
        pass

    return Actor(PersonAndSyncd(world), lambda *told: played.append(told), no_pause)


async def test_every_step_is_taken_or_refused_as_the_script_says(actor, played):
    """Round after round: nothing of an earlier one is in the way of a later one."""
    for scene in islice(scenes(), ROUNDS * len(SCENES)):
        await actor.play(scene)
    assert [(step, words) for step, words, taken in played if taken is step.refused] == []
    assert len(played) >= ROUNDS * 25
    assert {step.op for step, _, _ in played} == {"create", "finalize", "update", "pay", "void"}


async def test_the_lines_quote_what_the_vendors_hold(actor, played):
    """Numbers and amounts are filled in from the vendor's answer; a refusal in the vendor's own words."""
    for scene in islice(scenes(), len(SCENES)):
        await actor.play(scene)
    words = [words for _, words, _ in played]
    assert "invoice INV-1029 finalized for Dukes Basketball Camp, 200.00 USD" in words
    assert any("though a supplier has that name: refused, 6240 Duplicate Name" in line for line in words)
    assert not any("{" in line for line in words)


async def test_an_undone_edit_leaves_the_invoice_as_it_was(actor, world):
    """Else the invoice would stay failed for ever: the undo is exact, to the line."""
    books = world.vendors[QUICKBOOKS]
    for scene in (scene(1) for scene in SCENES if scene.__name__ == "edited_on_the_wrong_side"):
        await actor.play(scene)
    (invoice,) = (row for row in books.records("Invoice") if row["DocNumber"].startswith("INV"))
    assert invoice["TotalAmt"] == 100
    assert _facts(invoice["Line"][0]) == (100, 2, 50)
    updates = [entry for entry in books.journal.entries if entry.operation == "update" and entry.id == invoice["Id"]]
    assert len(updates) == 2


async def test_a_scene_ends_where_a_vendor_refuses_what_was_not_expected(world, played):
    """The show goes on with the next scene instead of stumbling through the rest of this one."""

    class Nobody(PersonAndSyncd):
        async def person(self, vendor: str, op: str, kind: str, id: str | None, fields: Row) -> Row:
            return self._act(vendor, "juggle", kind, id, fields)

    async def no_pause() -> None:
        pass

    await Actor(Nobody(world), lambda *told: played.append(told), no_pause).play(next(scenes()))
    ((_, words, taken),) = played
    assert not taken
    assert "refused" in words


def _facts(line: Mapping[str, object]) -> tuple[object, object, object]:
    detail = line["SalesItemLineDetail"]
    assert isinstance(detail, Mapping)
    return line["Amount"], detail["Qty"], detail["UnitPrice"]
