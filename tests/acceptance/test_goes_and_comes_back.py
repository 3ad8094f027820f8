"""Everything that goes or comes back, in one world: what becomes of the record and of the other side.

Each row is a cell of the table in `syncd/core/happenings.py`, but for what the vendors keep people from: HubSpot
deletes no open invoice of its own, QuickBooks restores no document. All of the first acts happen before one poll, and
all of the second acts, which undo some of them, before the next.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.world import KINDS, Row, Snapshot, World

HOUR = 3600.0
SYNCED, ENDED = ("synced", ""), ("excluded", "deleted_at_source")
GONE, INACTIVE = ["counterpart_gone"], ["counterpart_inactive"]


@dataclass(frozen=True)
class Cell:
    """One act and what it ends in.

    Attributes:
        flow, id: the entity it happens to, on the side of `vendor`; `other` is its counterpart as it was.
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
        ("excluded", "filtered"),
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
        records = {cell.name: await _record_of(w, cell) for cell in CELLS}
        before = {cell.name: await _there(w, cell, records[cell.name]) for cell in CELLS}
        found = []
        for op in ("op", "undone"):
            for cell in CELLS:
                if word := getattr(cell, op):
                    kind = KINDS[cell.flow][cell.vendor == "quickbooks"]
                    end = records[cell.name]["right" if cell.vendor == "quickbooks" else "left"]["id"]
                    await w.control.person(cell.vendor, word, kind, end, {})
            await w.advance(HOUR + 1)
            await w.once()
            now = {}
            for cell in CELLS:
                record = await w.record(records[cell.name]["id"])
                now[cell.name] = Told(record, before[cell.name] or {}, await _there(w, cell, record))
            found.append(now)
        return {cell.name: (found[0][cell.name], found[1][cell.name]) for cell in CELLS}


async def _record_of(w: World, cell: Cell) -> Row:
    """The record; an id with `=` is that of the other side."""
    ours = cell.vendor == "quickbooks"
    side = "right" if ours != cell.id.startswith("=") else "left"
    (row,) = [r for r in await w.records(flow=cell.flow) if r[side]["id"] == cell.id.lstrip("=")]
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
