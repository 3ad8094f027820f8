"""A vendor does what it is asked and the answer never comes, or it does it minutes later: once is once all the same."""

import pytest

from tests.acceptance.checkers import assert_in_order
from tests.acceptance.people import Sale, books_sale, crm_sale
from tests.acceptance.world import Row, Snapshot, World, world

BATCH = r"/v3/company/\d+/batch"
FLOWS = {"contacts": "contacts", "products": "products", "invoices": "invoices", "line_items": "invoices"} | {
    "commerce_payments": "payments",
    "Customer": "contacts",
    "Invoice": "invoices",
    "Payment": "payments",
}
HUBSPOT = ("contacts", "products", "invoices", "line_items", "commerce_payments")
QUICKBOOKS = ("Customer", "Invoice", "Payment")
FAULTS = [
    pytest.param("timeout_after_commit", {}, id="timeout"),
    pytest.param("late_commit", {"delay": 100}, id="late"),  # within both vendors' bounds
]


def _creates(kind: str) -> dict[str, str]:
    """The requests that create records of a kind."""
    if kind in HUBSPOT:
        return {"method": "POST", "path": f"/crm/v3/objects/{kind}/batch/create"}
    return {"method": "POST", "path": BATCH, "contains": f'"{kind}":{{'}


async def _of_sale(w: World, sale: Sale) -> dict[str, Row]:
    """The records of a sale by flow."""
    ids = {sale.customer: "contacts", sale.product: "products", sale.invoice: "invoices", sale.payment: "payments"}
    found = {}
    for row in await w.records():
        ends = {(row[side] or {}).get("id") for side in ("left", "right")}
        if any(ids.get(end) == row["flow"] for end in ends):
            found[row["flow"]] = row
    return found


async def _hits(w: World) -> int:
    return sum(fault["hits"] for fault in await w.control.faults())


async def _ended_well(w: World, sale: Sale) -> None:
    """Everything of the sale stands on both sides, once, and nothing further is written."""
    states = {flow: (row["status"], row["code"]) for flow, row in (await _of_sale(w, sale)).items()}
    wanted = dict.fromkeys(("contacts", "invoices", "payments"), ("synced", ""))
    assert {flow: states[flow] for flow in wanted} == wanted
    await assert_in_order(w.control)
    end = await w.mark()
    await w.once()
    assert await w.written(end) == []


@pytest.mark.parametrize(("fault", "options"), FAULTS)
@pytest.mark.parametrize("kind", HUBSPOT)
async def test_a_create_in_the_crm_whose_answer_is_lost_happens_once(kind, fault, options, synced: Snapshot):
    """It is shown as resolving, looked for, and never sent again while it may still be carried out."""
    async with synced.world() as w:
        sale = await books_sale(w)
        await w.control.arm("hubspot", fault, _creates(kind), nth=1, options=options)
        await w.once(wait=0)
        assert await _hits(w) == 1
        resolving = (await _of_sale(w, sale))[FLOWS[kind]]
        assert (resolving["status"], resolving["code"]) == ("pending", "resolving")
        before = await w.mark()
        await w.once()
        await _ended_well(w, sale)
        again = [row for row in await w.requests(before) if row["path"] == _creates(kind)["path"]]
        assert again == []


@pytest.mark.parametrize(("fault", "options"), FAULTS)
@pytest.mark.parametrize("kind", QUICKBOOKS)
async def test_a_create_in_the_books_whose_answer_is_lost_happens_once(kind, fault, options, synced: Snapshot):
    """The books know a request by its id: it is asked again and answered as the first time."""
    async with synced.world() as w:
        sale = await crm_sale(w)
        await w.control.arm("quickbooks", fault, _creates(kind), nth=1, options=options)
        await w.once(wait=0)
        assert await _hits(w) == 1
        resolving = (await _of_sale(w, sale))[FLOWS[kind]]
        assert (resolving["status"], resolving["code"]) == ("pending", "resolving")
        await w.once()
        await w.advance(300)  # what was to come late has come
        await _ended_well(w, sale)


@pytest.mark.parametrize(("fault", "options"), FAULTS)
async def test_the_item_for_lines_without_product_is_created_once(fault, options):
    """The one item the first pass makes carries no reference of ours, yet it is recognised."""
    async with world() as w:
        await w.control.arm("quickbooks", fault, _creates("Item"), nth=1, options=options)
        await w.once()
        await w.advance(300)
        await w.once()
        assert await _hits(w) == 1
        names = [row["Name"] for row in await w.control.records("quickbooks", "Item")]
        assert names.count("Custom Line Item") == 1
        await assert_in_order(w.control)


async def test_what_nobody_can_find_out_is_shown_and_ends_well_when_it_can_be(synced: Snapshot):
    """Past the bound a person sees `unknown_outcome`; nothing is created blindly, and the next word settles it."""
    async with synced.world() as w:
        sale = await crm_sale(w)
        await w.control.arm("quickbooks", "timeout_after_commit", _creates("Invoice"))
        await w.once()
        row = (await _of_sale(w, sale))["invoices"]
        assert (row["status"], row["code"]) == ("failed", "unknown_outcome")
        assert row["remedy"]
        await w.control.disarm()
        await w.advance(3600)
        await w.once()
        await _ended_well(w, sale)
