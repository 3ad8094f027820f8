"""What becomes of the sandboxes' default data: every record as the rules have it (`expected.toml`)."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox.world import create_world
from tests.acceptance.world import FLOWS, KINDS, Row, Snapshot, World

EXPECTED: Mapping[str, list[dict[str, str]]] = tomllib.loads((Path(__file__).parent / "expected.toml").read_text())

LEFT, RIGHT = ({flow: kinds[side] for flow, kinds in KINDS.items()} for side in (0, 1))
NEW = "new"
CALLS = 8


def rows(flow: str, **wanted: str) -> Iterator[dict[str, str]]:
    """The rows of a flow in the table with these values."""
    return (row for row in EXPECTED[flow] if all(row.get(name) == value for name, value in wanted.items()))


def seeds() -> dict[str, set[str]]:
    """The ids of the default data, by the vendor's kind."""
    vendors = create_world().vendors
    left = {kind: {row["id"] for row in vendors["hubspot"].records(kind)} for kind in LEFT.values()}
    return left | {kind: {row["Id"] for row in vendors["quickbooks"].records(kind)} for kind in RIGHT.values()}


def tallied(row: Row, known: Mapping[str, set[str]]) -> tuple[str, ...]:
    """A record of ours in the table's words."""

    def end(side: str, kinds: Mapping[str, str]) -> str:
        id = row[side]["id"]
        return "" if id is None else id if id in known[kinds[row["flow"]]] else NEW

    notes = " ".join(note["code"] for note in row["notes"])
    return row["flow"], end("left", LEFT), end("right", RIGHT), row["label"], row["status"], row["code"], notes


def listed(flow: str, row: Mapping[str, str]) -> tuple[str, ...]:
    return flow, *(row.get(name, "") for name in ("left", "right", "label", "status", "code", "note"))


def test_the_table_names_every_record_of_the_default_data_once() -> None:
    """So that a forgotten one cannot go unnoticed."""
    for flow in FLOWS:
        for side, kind in (("left", LEFT[flow]), ("right", RIGHT[flow])):
            named = Counter(row[side] for row in EXPECTED[flow] if row.get(side, NEW) != NEW)
            assert named == dict.fromkeys(seeds()[kind], 1), f"{flow}, {side}"


async def test_every_record_ends_as_the_table_says(synced: Snapshot) -> None:
    """None missing, none extra, each with its status and code."""
    known = seeds()
    async with synced.world() as w:
        found = Counter(tallied(row, known) for row in await w.records())
    wanted = Counter(listed(flow, row) for flow in FLOWS for row in EXPECTED[flow])
    assert sorted((found - wanted).elements()) == sorted((wanted - found).elements())


async def test_what_failed_says_who_has_to_do_what(synced: Snapshot) -> None:
    """Category, explanation and remedy for every failed record; what exactly, in its own words."""
    async with synced.world() as w:
        failed = await w.records(status="failed")
        number = next(row for row in failed if row["code"] == "duplicate_document_number")
        missing = next(row for row in failed if row["code"] == "customer_missing")
    assert all(row["title"] and row["explanation"] and row["remedy"] for row in failed)
    assert number["words"] == "1037 stands on 130 there."
    assert "Baker Orchards" in missing["words"]


async def test_the_sums_hold(synced: Snapshot) -> None:
    """Per flow: as many records as the table lists in every status and code, and the counts agree with the list."""
    async with synced.world() as w:
        status, listing = await w.status(), await w.records()
    (sync,) = status["syncs"]
    for flow in sync["flows"]:
        name = flow["name"]
        own = [row for row in listing if row["flow"] == name]
        by_status = Counter(row["status"] for row in own)
        assert {word: flow[word] for word in ("synced", "pending", "failed", "excluded")} == {
            word: by_status[word] for word in ("synced", "pending", "failed", "excluded")
        }
        assert flow["categories"] == Counter(row["code"] for row in rows(name, status="failed"))
        assert flow["reasons"] == Counter(row["code"] for row in rows(name, status="excluded"))
        assert flow["pending"] == 0


async def test_nothing_was_made_or_undone_beyond_the_table(synced: Snapshot) -> None:
    """The journals hold one create for each counterpart the table asks for, and no void, delete or merge at all."""
    async with synced.world() as w:
        left, right = [await w.control.journal(vendor) for vendor in ("hubspot", "quickbooks")]
    for flow in FLOWS:
        for side, kind, journal in (("left", LEFT[flow], left), ("right", RIGHT[flow], right)):
            made = [entry["id"] for entry in journal if (entry["operation"], entry["kind"]) == ("create", kind)]
            assert len(made) == len(set(made)) == len(list(rows(flow, **{side: NEW}))), f"{flow}, {side}"
    assert {entry["operation"] for entry in left} <= {"create", "update", "associate"}
    assert {entry["operation"] for entry in right} <= {"create", "update"}


async def test_synced_invoices_stand_once_on_the_other_side_to_the_cent_and_for_the_right_customer(
    synced: Snapshot,
) -> None:
    """Looked up by number in what the vendors hold, not by what we say of ourselves."""
    async with synced.world() as w:
        crm, books = await w.crm_rows("invoices"), await w.books_rows("Invoice")
        pairs = await _customers(w)
        parents = {
            id: row.get("ParentRef", {}).get("value", id) for id, row in (await w.books_rows("Customer")).items()
        }
    for row in rows("invoices", status="synced"):
        number = row["label"]
        here = _only(r for r in crm.values() if r["properties"].get("hs_number") == number and _fits(r, row))
        there = _only(r for r in books.values() if r["DocNumber"] == number)
        assert row["left"] in (here["id"], NEW)
        assert row["right"] in (there["Id"], NEW)
        assert Decimal(here["properties"]["hs_amount_billed"]) == there["TotalAmt"] == Decimal(row["total"]), number
        paid = Decimal(row.get("paid", 0))
        assert _paid(here) == there["TotalAmt"] - there["Balance"] == paid, number
        (contact,) = here["associations"]["contacts"]
        assert pairs[contact] == parents[there["CustomerRef"]["value"]], number


async def test_synced_payments_stand_once_on_the_other_side_on_the_right_invoice(synced: Snapshot) -> None:
    """The same payments by invoice number and amount, in what the vendors hold."""
    async with synced.world() as w:
        crm, books = await w.crm_rows("commerce_payments"), await w.books_rows("Payment")
        left, right = await w.crm_rows("invoices"), await w.books_rows("Invoice")
    here = Counter(
        (left[row["associations"]["invoices"][0]]["properties"]["hs_number"], Decimal(amount))
        for row in crm.values()
        if (amount := row["properties"]["hs_initial_amount"])
    )
    there = Counter(
        (right[_paid_invoice(row)]["DocNumber"], row["TotalAmt"]) for row in books.values() if row["TotalAmt"]
    )
    assert here == there
    table = Counter(Decimal(row["total"]) for row in rows("payments") if Decimal(row["total"]))
    assert Counter(amount for _, amount in there.elements()) == table


async def test_lines_without_a_product_of_quickbooks_go_on_the_custom_line_item(synced: Snapshot) -> None:
    """Made once, on the income account of the configuration; the line still says what was sold."""
    async with synced.world() as w:
        items, books = await w.books_rows("Item"), await w.books_rows("Invoice")
    custom = _only(row for row in items.values() if row["Name"] == "Custom Line Item")
    assert custom["IncomeAccountRef"]["name"] == "Services"
    for number, texts in {
        "INV-1006": {"Permit filed with the county"},
        "INV-1014": {"Trimming", "Site Visit", "Irrigation Audit"},
        "INV-1018": {"Entretien d’été – forfait"},
    }.items():
        invoice = _only(r for r in books.values() if r["DocNumber"] == number)
        on_it = [line for line in invoice["Line"] if _item(line) == custom["Id"]]
        assert {line["Description"] for line in on_it} == texts


async def test_contacts_and_products_that_differ_follow_the_rule(synced: Snapshot) -> None:
    """Contacts follow HubSpot where both sides say something, and are filled where one says nothing; products follow
    QuickBooks."""
    async with synced.world() as w:
        contacts, products = await w.crm_rows("contacts"), await w.crm_rows("products")
        customers = await w.books_rows("Customer")
    assert customers["2"]["PrimaryPhone"]["FreeFormNumber"] == "(415) 444-0000"
    assert customers["3"]["BillAddr"]["City"] == "San Francisco"
    assert customers["26"]["BillAddr"]["City"] == "Menlo Park"
    assert contacts["1011"]["properties"]["phone"] == "(650) 554-8822"
    assert Decimal(products["3007"]["properties"]["price"]) == 12


async def test_a_second_once_writes_nothing_and_asks_little(synced: Snapshot) -> None:
    """As a command of its own: exit 1 because some records failed, the same figures, no write, and at most 8 calls."""
    async with synced.world() as w:
        first, before = await w.status(), await w.mark()
        code, out, _ = await w.command("once", "--json")
        assert code == 1
        assert await w.written(before) == []
        assert _figures(json.loads(out)) == _figures(first)
        asked = [f"{call['method']} {call['path']}" for call in await w.requests(before)]
        assert len(asked) <= CALLS, asked


def _figures(status: Mapping[str, Any]) -> Any:
    return [sync["flows"] for sync in status["syncs"]]


async def _customers(w: World) -> dict[str, str]:
    """Contact to customer, by the table; those made by us by their address, which must be there once."""
    contacts, customers = await w.crm_rows("contacts"), await w.books_rows("Customer")
    address = {id: row.get("PrimaryEmailAddr", {}).get("Address", "").casefold() for id, row in customers.items()}
    pairs = {}
    for row in rows("contacts", status="synced"):
        left, right = row["left"], row["right"]
        if left == NEW:
            left = _only(id for id, r in contacts.items() if r["properties"].get("email") == address[right])
        elif right == NEW:
            email = contacts[left]["properties"]["email"]
            right = _only(id for id, known in address.items() if known == email)
        pairs[left] = right
    return pairs


def _fits(row: Row, expected: Mapping[str, str]) -> bool:
    """HubSpot's own invoices and mirrors of QuickBooks' may have the same number."""
    return (row["properties"]["hs_invoice_billable"] == "true") == (expected["right"] == NEW)


def _paid(row: Row) -> Decimal:
    mirror = row["properties"]["hs_invoice_billable"] == "false"
    return Decimal(row["properties"]["syncd_amount_paid" if mirror else "hs_amount_paid"] or 0)


def _paid_invoice(row: Row) -> str:
    return _only(link["TxnId"] for line in row["Line"] for link in line["LinkedTxn"] if link["TxnType"] == "Invoice")


def _item(line: Row) -> str | None:
    detail = line.get("SalesItemLineDetail", {})
    return detail.get("ItemRef", {}).get("value")


def _only(found: Iterator[Any]) -> Any:
    rows = list(found)
    if len(rows) != 1:
        pytest.fail(f"not one, but {len(rows)}: {rows}")
    return rows[0]
