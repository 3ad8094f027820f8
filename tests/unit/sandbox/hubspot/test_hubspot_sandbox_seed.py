"""The seed portal: what acceptance tables are written from."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from syncd.sandbox import hubspot

FOLDER = Path(hubspot.__file__).parent
SEED = json.loads((FOLDER / "data" / "portal.json").read_bytes())


def test_the_readme_has_a_row_for_every_invoice_and_contact(hub):
    """With the id, the number and the words of the data."""
    readme = (FOLDER / "README.md").read_text()
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", readme, re.M)]
    invoices = {each["id"]: each["properties"] for each in hub.vendor.records("invoices")}
    for row in SEED["invoices"]:
        found = invoices[row["id"]]
        number, total, paid = (found.get(name, "") for name in ("hs_number", "hs_amount_billed", "hs_amount_paid"))
        status = found["hs_invoice_status"]
        assert [row["id"], number, row.get("contact", ""), total, paid, status, row["why"]] in rows
    for row in SEED["contacts"]:
        assert [row["id"], row.get("email", ""), row.get("company", ""), row["why"]] in rows


def test_invoices_by_status(hub):
    """As the scenarios say."""
    statuses = Counter(each["properties"]["hs_invoice_status"] for each in hub.vendor.records("invoices"))
    assert statuses == {"open": 28, "paid": 2, "draft": 3, "voided": 1}


def test_a_record_was_last_modified_when_it_last_changed(hub):
    """Nothing in the seed is dated by the moment the sandbox started."""
    modified = {each["id"]: each["updatedAt"] for each in hub.vendor.records("invoices")}
    assert modified["5001"] == "2026-08-03T15:20:00.000Z"
    assert modified["5011"] == "2026-10-02T16:00:00.000Z"
    assert modified["5028"] == "2026-10-20T16:00:00.000Z"
    assert modified["5029"] == "2026-10-16T15:00:00.000Z"
    assert modified["5034"] == "2024-02-12T15:20:00.000Z"
    assert all(each["updatedAt"] < "2026-11" for kind in ("contacts", "products") for each in hub.vendor.records(kind))


def test_two_portals_are_alike(hub):
    """Nothing in them is random."""
    other = hubspot.create()
    for kind in ("contacts", "line_items", "invoices", "commerce_payments"):
        assert other.records(kind) == hub.vendor.records(kind)
