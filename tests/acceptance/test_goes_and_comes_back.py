"""Everything that goes or comes back, in one world: what becomes of the record and of the other side.

Each row is a cell of the table in `syncd/core/happenings.py`, but for what the vendors keep people from. All of the
first acts happen before one poll, and
all of the second acts, which undo some of them, before the next.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from syncd.core.happenings import TABLE, Happening
from syncd.model.references import Kind, Side
from tests.acceptance.world import KINDS, Row, Snapshot, World

HOUR = 3600.0
KINDS_OF = {"contacts": "party", "products": "product", "invoices": "invoice", "payments": "payment"}
PROOFS = (31.0, 301.0, 0.0)  # seconds between three looks that find nothing
SYNCED, ENDED = ("synced", ""), ("excluded", "deleted_at_source")
GONE, INACTIVE = ["counterpart_gone"], ["counterpart_inactive"]


@dataclass(frozen=True)
class Cell:
    """One act and what it ends in.

    Attributes:
        op: what is done, one word after the other. fields: of an update.
        flow, id: the entity it happens to, on the side of `vendor`; an id with `=` is that of the other side.
        ends: status and code. notes: on the record. there: what the counterpart has to show.
        undone: what is done in the second round, with its own `ends_then` and `notes_then`.
    """

    name: str
    vendor: str
    op: str
    flow: str
    id: str
    ends: tuple[str, str]
    notes: list[str]
    there: str = "untouched"
    undone: str = ""
    ends_then: tuple[str, str] = SYNCED
    there_then: str = "untouched"
    fields: dict[str, str] = field(default_factory=dict)


LEFT_OUT = ("excluded", "filtered")
FAILED = {"hs_latest_status": "failed"}
FORBIDDEN = ("failed", "edited_outside_origin")
CELLS = [
    Cell("contact-archived-left-born-left", "hubspot", "archive", "contacts", "1013", SYNCED, GONE, undone="restore"),
    Cell("contact-archived-left-born-right", "hubspot", "delete", "contacts", "=27", SYNCED, GONE, undone="restore"),
    Cell("customer-inactive-born-left", "quickbooks", "archive", "contacts", "14", SYNCED, INACTIVE, undone="restore"),
    Cell(
        "customer-inactive-born-right",
        "quickbooks",
        "archive",
        "contacts",
        "22",
        LEFT_OUT,
        [],
        undone="restore",
    ),
    Cell("product-archived-left-born-left", "hubspot", "archive", "products", "3012", SYNCED, GONE, undone="restore"),
    Cell("item-inactive-born-left", "quickbooks", "archive", "products", "4", SYNCED, INACTIVE, undone="restore"),
    Cell("native-deleted-in-books", "quickbooks", "delete", "invoices", "=5002", ("failed", "record_gone"), []),
    Cell("mirror-archived", "hubspot", "archive", "invoices", "=34", SYNCED, GONE, undone="restore"),
    Cell("mirrored-deleted-in-books", "quickbooks", "delete", "invoices", "39", ENDED, []),
    Cell("native-voided", "hubspot", "void", "invoices", "5003", SYNCED, [], "void"),
    Cell("native-voided-in-books", "quickbooks", "void", "invoices", "=5004", SYNCED, [], "void"),
    Cell("mirrored-voided-in-books", "quickbooks", "void", "invoices", "64", SYNCED, [], "void"),
    Cell(
        "payment-archived-born-left",
        "hubspot",
        "archive",
        "payments",
        "6002",
        ENDED,
        [],
        "gone",
        "restore",
        SYNCED,
        "new",
    ),
    Cell(
        "payment-archived-born-right",
        "hubspot",
        "archive",
        "payments",
        "=101",
        ("failed", "edited_outside_origin"),
        [],
        undone="restore",
    ),
    Cell("payment-deleted-born-right", "quickbooks", "delete", "payments", "32", ENDED, [], "gone"),
    Cell("payment-voided-born-right", "quickbooks", "void", "payments", "15", ENDED, [], "gone"),
    Cell(
        "payment-deleted-born-left",
        "quickbooks",
        "delete",
        "payments",
        "=6001",
        ("failed", "edited_outside_origin"),
        [],
    ),
    Cell(
        "payment-voided-born-left",
        "quickbooks",
        "void",
        "payments",
        "=6003",
        ("failed", "edited_outside_origin"),
        [],
    ),
    Cell("product-archived-born-right", "hubspot", "archive", "products", "=21", SYNCED, GONE, undone="restore"),
    Cell("item-inactive-born-right", "quickbooks", "archive", "products", "hedge", LEFT_OUT, [], undone="restore"),
    Cell("mirror-voided", "hubspot", "void", "invoices", "=99", SYNCED, [], "void"),
    Cell("payment-failed-born-left", "hubspot", "update", "payments", "6004", ENDED, [], "gone", fields=FAILED),
    Cell("payment-failed-born-right", "hubspot", "update", "payments", "=98", FORBIDDEN, [], fields=FAILED),
    Cell(
        "payment-refunded-born-right",
        "hubspot",
        "update",
        "payments",
        "=97",
        SYNCED,
        ["payment_refunded"],
        fields={"hs_latest_status": "refunded"},
    ),
    Cell("contact-purged-born-left", "hubspot", "archive purge", "contacts", "1014", SYNCED, GONE),
    Cell("contact-purged-born-right", "hubspot", "archive purge", "contacts", "=25", SYNCED, GONE),
    Cell("product-purged-born-left", "hubspot", "archive purge", "products", "3013", SYNCED, GONE),
    Cell("product-purged-born-right", "hubspot", "archive purge", "products", "=8", SYNCED, GONE),
    Cell("mirror-purged", "hubspot", "archive purge", "invoices", "=68", SYNCED, GONE),
    Cell("payment-purged-born-left", "hubspot", "archive purge", "payments", "made", ENDED, [], "gone"),
    Cell("payment-purged-born-right", "hubspot", "archive purge", "payments", "=94", FORBIDDEN, []),
]


@dataclass(frozen=True)
class Told:
    """What was found of one cell: the record, both entities before, and the other side's entity afterwards."""

    record: Row
    was: Row
    there: Row | None


Report = dict[str, tuple[Told, Told]]


@pytest.fixture(scope="module")
def report(synced: Snapshot) -> Report:
    """Both rounds, in one world."""
    return asyncio.run(_lived(synced))


async def _lived(synced: Snapshot) -> Report:
    async with synced.world() as w:
        await w.control.settings("quickbooks", deactivate_with_balance=True)
        paid = await w.crm("pay", "invoices", "5008", amount="5")
        item = await w.books("create", "Item", name="Hedge", sku="HEDGE", price="9")
        await w.once()
        made = {"made": paid["id"], "hedge": item["Id"]}
        records = {cell.name: await _record_of(w, cell, made) for cell in CELLS}
        before = {cell.name: await _there(w, cell, records[cell.name]) for cell in CELLS}
        found = []
        for op in ("op", "undone"):
            purged = []
            for cell in CELLS:
                ours = records[cell.name]["right" if cell.vendor == "quickbooks" else "left"]["id"]
                for word in getattr(cell, op).split():
                    kind = KINDS[cell.flow][cell.vendor == "quickbooks"]
                    await w.control.person(cell.vendor, word, kind, ours, cell.fields if word == "update" else {})
                    purged += [records[cell.name]["id"]] if word == "purge" else []
            await w.advance(HOUR + 1)
            for id in purged:  # no list tells of it: somebody has to look
                assert (await w.command("refresh", id))[0] == 0
            for seconds in PROOFS:
                await w.once()
                await w.advance(seconds)
            now = {}
            for cell in CELLS:
                record = await w.record(records[cell.name]["id"])
                now[cell.name] = Told(record, before[cell.name] or {}, await _there(w, cell, record))
            found.append(now)
        return {cell.name: (found[0][cell.name], found[1][cell.name]) for cell in CELLS}


async def _record_of(w: World, cell: Cell, made: dict[str, str]) -> Row:
    """The record of a cell."""
    ours = cell.vendor == "quickbooks"
    side = "right" if ours != cell.id.startswith("=") else "left"
    id = cell.id.lstrip("=")
    (row,) = [r for r in await w.records(flow=cell.flow) if r[side]["id"] == made.get(id, id)]
    return row


async def _there(w: World, cell: Cell, record: Row) -> Row | None:
    vendor, side = ("quickbooks", "right") if cell.vendor == "hubspot" else ("hubspot", "left")
    rows = await w.rows(vendor, KINDS[cell.flow][vendor == "quickbooks"])
    return rows.get(record[side]["id"])


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_what_goes(report: Report, cell: Cell) -> None:
    """C-14: the record's status, its notes, and the other side: untouched, void or gone."""
    told = report[cell.name][0]
    assert (told.record["status"], told.record["code"]) == cell.ends
    assert [note["code"] for note in told.record["notes"]] == cell.notes
    _check(cell.there, told)
    if cell.ends[0] == "failed":
        assert told.record["remedy"]


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.undone], ids=lambda cell: cell.name)
def test_what_comes_back(report: Report, cell: Cell) -> None:
    """C-14: it is compared with what it held, and all is as before; a payment is booked anew."""
    told = report[cell.name][1]
    assert (told.record["status"], told.record["code"], told.record["notes"]) == (*cell.ends_then, [])
    _check(cell.there_then, told)


def _check(what: str, told: Told) -> None:
    was, there = told.was, told.there
    if what == "new":
        assert there is not None
        assert _id(there) != _id(was)
        assert _amount(there) == _amount(was)
    elif what == "void":
        assert there is not None
        assert there["properties"]["hs_invoice_status"] == "voided" if "properties" in there else _voided(there)
    elif what == "gone":
        assert there is None or there.get("archived") or there.get("TotalAmt") == 0
    else:
        assert there is not None
        assert _content(there) == _content(was)


def _voided(invoice: Row) -> bool:
    return invoice["TotalAmt"] == 0 and str(invoice["PrivateNote"]).startswith("Voided")


def _id(row: Row) -> Any:
    return row.get("id") or row.get("Id")


def _amount(row: Row) -> Any:
    return row["properties"]["hs_initial_amount"] if "properties" in row else row["TotalAmt"]


def _content(row: Row) -> Any:
    """What a person sees, without versions, and without what follows from other rows of the same world."""
    if "properties" in row:
        return {n: v for n, v in row["properties"].items() if "modified" not in n and "updated" not in n}
    return {
        name: value
        for name, value in row.items()
        if name not in ("MetaData", "SyncToken", "Balance", "BalanceWithJobs", "LinkedTxn")
    }


EVENTS = {
    ("hubspot", "archive"): Happening.ARCHIVED,
    ("hubspot", "delete"): Happening.ARCHIVED,
    ("hubspot", "purge"): Happening.DELETED,
    ("hubspot", "void"): Happening.VOIDED,
    ("quickbooks", "archive"): Happening.INACTIVE,
    ("quickbooks", "delete"): Happening.DELETED,
    ("quickbooks", "void"): Happening.VOIDED,
}
OF_STATUS = {"failed": Happening.VOIDED, "refunded": Happening.REFUNDED}
KEPT_FROM = {
    "QuickBooks only makes customers and items inactive": [
        (event, kind, Side.RIGHT, born)
        for event in (Happening.DELETED, Happening.ARCHIVED)
        for kind in (Kind.PARTY, Kind.PRODUCT)
        for born in Side
    ],
    "HubSpot has no inactive contacts and products": [
        (Happening.INACTIVE, kind, Side.LEFT, born) for kind in (Kind.PARTY, Kind.PRODUCT) for born in Side
    ],
    "QuickBooks has no recycle bin": [
        (event, kind, Side.RIGHT, born)
        for event in (Happening.ARCHIVED, Happening.RESTORED)
        for kind in (Kind.INVOICE, Kind.PAYMENT)
        for born in Side
    ],
    "QuickBooks refunds by documents of their own": [(Happening.REFUNDED, Kind.PAYMENT, Side.RIGHT, b) for b in Side],
    "no vendor merges documents": [
        (Happening.MERGED, kind, side, born) for kind in (Kind.INVOICE, Kind.PAYMENT) for side in Side for born in Side
    ],
    "HubSpot deletes no invoice of its own that was finalized": [
        (event, Kind.INVOICE, Side.LEFT, Side.LEFT)
        for event in (Happening.ARCHIVED, Happening.DELETED, Happening.RESTORED)
    ],
    "HubSpot merges no products": [(Happening.MERGED, Kind.PRODUCT, Side.LEFT, born) for born in Side],
}
ELSEWHERE = {
    "test_merges_and_outages": [
        (Happening.MERGED, kind, side, born)
        for kind, side in ((Kind.PARTY, Side.LEFT), (Kind.PARTY, Side.RIGHT), (Kind.PRODUCT, Side.RIGHT))
        for born in Side
    ],
    "test_allocations": [(Happening.REFUNDED, Kind.PAYMENT, Side.LEFT, Side.LEFT)],
}


def test_every_cell_of_the_table_is_tried_or_the_vendors_keep_people_from_it(report: Report) -> None:
    """C-14: a test for each cell; where there is none, why nobody can get there."""
    reached = set()
    for cell in CELLS:
        record = report[cell.name][0].record
        place = (
            Kind(KINDS_OF[cell.flow]),
            Side.LEFT if cell.vendor == "hubspot" else Side.RIGHT,
            Side(record["origin"]),
        )
        events = {EVENTS.get((cell.vendor, word)) for word in (*cell.op.split(), *cell.undone.split())}
        events |= {OF_STATUS[status] for status in cell.fields.values()}
        events |= {Happening.RESTORED} if cell.undone == "restore" else set()
        reached |= {(event, *place) for event in events - {None}}
    known = [cells for listed in (KEPT_FROM, ELSEWHERE) for cells in listed.values()]
    assert TABLE.keys() - reached == {cell for cells in known for cell in cells}
