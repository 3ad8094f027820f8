"""A vendor does what it is asked and the answer never comes, or it does it minutes later: once is once all the same."""

import pytest

from tests.acceptance.checkers import assert_in_order
from tests.acceptance.people import Sale, books_sale, crm_sale, ended_well, of_sale
from tests.acceptance.world import Snapshot, World, world

BATCH = r"/v3/company/\d+/batch"
HUBSPOT = ("contacts", "products", "invoices", "line_items", "commerce_payments")
QUICKBOOKS = ("Customer", "Invoice", "Payment")
FAULTS = pytest.mark.parametrize(
    ("fault", "options"),
    [
        pytest.param("timeout_after_commit", {}, id="timeout"),
        pytest.param("late_commit", {"delay": 100}, id="late"),  # within both vendors' bounds
    ],
)


def _creates(kind: str) -> dict[str, str]:
    """The requests that create records of a kind."""
    if kind in HUBSPOT:
        return {"method": "POST", "path": f"/crm/v3/objects/{kind}/batch/create"}
    return {"method": "POST", "path": BATCH, "contains": f'"{kind}":{{'}


async def _hits(w: World) -> list[int]:
    return [fault["hits"] for fault in await w.control.faults()]


async def _unknown_once(w: World, sale: Sale) -> set[str]:
    """The flows in which it was not known for a while whether something was carried out."""
    flows = set()
    for flow, row in (await of_sale(w, sale)).items():
        events = [entry["event"] for entry in (await w.record(row["id"]))["activity"]]
        flows |= {flow} if "write.unknown" in events else set()
    return flows


@FAULTS
async def test_creates_in_the_crm_whose_answers_are_lost_happen_once(fault, options, synced: Snapshot):
    """Every kind of create is looked for, and never sent again while it may still be carried out."""
    async with synced.world() as w:
        sale = await books_sale(w)
        for kind in HUBSPOT:
            await w.control.arm("hubspot", fault, _creates(kind), nth=1, options=options)
        begin = await w.mark()
        await w.once()
        assert await _hits(w) == [1] * len(HUBSPOT)
        assert await _unknown_once(w, sale) == {"contacts", "products", "invoices", "payments"}
        await ended_well(w, sale)
        paths = [row["path"] for row in await w.requests(begin)]
        assert [paths.count(_creates(kind)["path"]) for kind in HUBSPOT] == [1] * len(HUBSPOT)


@FAULTS
async def test_creates_in_the_books_whose_answers_are_lost_happen_once(fault, options, synced: Snapshot):
    """The books know a request by its id: it is asked again and answered as the first time."""
    async with synced.world() as w:
        sale = await crm_sale(w)
        for kind in QUICKBOOKS:
            await w.control.arm("quickbooks", fault, _creates(kind), nth=1, options=options)
        await w.once()
        assert await _hits(w) == [1] * len(QUICKBOOKS)
        assert await _unknown_once(w, sale) == {"contacts", "invoices", "payments"}
        await w.advance(300)  # what was to come late has come
        await ended_well(w, sale)


@FAULTS
async def test_the_item_for_lines_without_product_is_created_once(fault, options):
    """The one item the first pass makes carries no reference of ours, yet it is recognised."""
    async with world() as w:
        await w.control.arm("quickbooks", fault, _creates("Item"), nth=1, options=options)
        await w.once()
        await w.advance(300)
        await w.once()
        assert await _hits(w) == [1]
        names = [row["Name"] for row in await w.control.records("quickbooks", "Item")]
        assert names.count("Custom Line Item") == 1
        await assert_in_order(w.control)


async def test_what_nobody_can_find_out_is_shown_and_ends_well_when_it_can_be(synced: Snapshot):
    """Past the bound a person sees `unknown_outcome`; nothing is created blindly, and the next word settles it."""
    async with synced.world() as w:
        sale = await crm_sale(w)
        await w.control.arm("quickbooks", "timeout_after_commit", _creates("Invoice"))
        await w.once(wait=0)
        row = (await of_sale(w, sale))["invoices"]
        assert (row["status"], row["code"]) == ("pending", "resolving")
        await w.once()
        row = (await of_sale(w, sale))["invoices"]
        assert (row["status"], row["code"]) == ("failed", "unknown_outcome")
        assert row["remedy"]
        await w.control.disarm()
        await w.advance(3600)
        await ended_well(w, sale)


async def test_items_missing_in_an_answer_are_found_and_not_repeated(synced: Snapshot):
    """An answer that leaves out what was done: the missing are looked for, the others count at once."""
    async with synced.world() as w:
        sales = [await books_sale(w, "Otto Fern"), await books_sale(w, "Olga Moss")]
        for kind in ("contacts", "invoices"):
            await w.control.arm("hubspot", "partial", _creates(kind), nth=1)
        await w.once()
        assert sorted([flow for sale in sales for flow in await _unknown_once(w, sale)]) == ["contacts", "invoices"]
        await ended_well(w, *sales)


async def test_items_missing_in_an_answer_of_the_books_are_found_and_not_repeated(synced: Snapshot):
    """The same on the other side: the whole request is asked for again, under its id."""
    async with synced.world() as w:
        sales = [await crm_sale(w, "Nora Quill"), await crm_sale(w, "Nils Reed")]
        for kind in QUICKBOOKS:
            await w.control.arm("quickbooks", "partial", _creates(kind), nth=1)
        await w.once()
        assert await _hits(w) == [1] * len(QUICKBOOKS)
        await ended_well(w, *sales)
