"""Fills a portal from `data/portal.json`, through the same writes a person makes, at the dates the data says.

An invoice of that file: `day` is the day it was made, dated and (unless `finalize` is false) finalized; due is 30 days
later unless `properties` say otherwise. Payments without an amount pay the balance. `source` is another origin than a
person at HubSpot's screen. `why` is the scenario, for readers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncd.sandbox.hubspot.invoices import calculated
from syncd.sandbox.hubspot.kinds import KINDS
from syncd.sandbox.hubspot.person import Person
from syncd.sandbox.hubspot.portal import Portal

Row = Mapping[str, Any]

_FILE = Path(__file__).parent / "data" / "portal.json"
_BEGINNING = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)
_SAME_FOR_ALL: dict[str, dict[str, str]] = {
    "companies": {},
    "contacts": {"country": "United States", "lifecyclestage": "customer"},
    "products": {},
    "deals": {"pipeline": "default"},
}


def fill(portal: Portal, person: Person) -> None:
    """All seed data; the journal and the news are empty afterwards and the next invoice number is free."""
    data = json.loads(_FILE.read_bytes())
    at = _BEGINNING
    for kind, common in _SAME_FOR_ALL.items():
        for row in data[kind]:
            at += timedelta(minutes=1)
            fields = {**common, **{name: value for name, value in row.items() if name not in ("id", "why")}}
            person.act("create", KINDS[kind], None, fields, at, row["id"])
    for row in data["invoices"]:
        _invoice(portal, person, row)
    numbers = [row.get("number", "") for row in data["invoices"]]
    taken = [int(number.removeprefix("INV-")) for number in numbers if number.startswith("INV-")]
    portal.next_invoice_number = max(taken) + 1
    portal.journal.entries.clear()
    portal.changed.clear()


def _invoice(portal: Portal, person: Person, row: Row) -> None:
    """Made at 15:00 of its day, finalized at 15:20; later things happen at 16:00 of theirs."""
    kind, id = KINDS["invoices"], row["id"]
    made = _at(row["day"], hour=15)
    invoice = person.act("create", kind, None, _fields(row), made, id)
    for part_kind, rows in _parts(row).items():
        for place, part in enumerate(rows, start=1):
            person.act("create", KINDS[part_kind], None, {**part, "invoice": id}, made, f"{id}{place:02d}")
    if "source" in row:
        portal.put(invoice, {"hs_invoice_source": row["source"]}, calculated(made))
    if row.get("finalize", True):
        person.act("finalize", kind, id, {}, made + timedelta(minutes=20))
    for payment in row.get("payments", []):
        given = {name: value for name, value in payment.items() if name not in ("id", "day")}
        person.act("pay", kind, id, given, _at(payment["day"], hour=16), payment["id"])
    if "void_on" in row:
        person.act("void", kind, id, {}, _at(row["void_on"], hour=16))


def _parts(row: Row) -> dict[str, list[Row]]:
    lines = {"line_items": row.get("lines", [])}
    return lines | {name: row.get(name, []) for name in ("discounts", "fees", "taxes")}


def _fields(row: Row) -> dict[str, object]:
    due = datetime.fromisoformat(row["day"]) + timedelta(days=30)
    return {
        "hs_number": row.get("number"),
        "hs_invoice_date": row["day"],
        "hs_due_date": f"{due:%Y-%m-%d}",
        "contact": row.get("contact"),
        **row.get("properties", {}),
    }


def _at(day: str, hour: int) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)
