"""The least calls a pass can do with: what the vendors' batch limits allow, safety reads included."""

from math import ceil

from syncd.connectors.hubspot.manifest import LIMITS as HUBSPOT
from syncd.connectors.quickbooks.manifest import MANIFEST as QUICKBOOKS
from tests.bench.vendors import LINES

BATCH = QUICKBOOKS.limits.batch_items
IDLE = 4 + 1 + 1  # HubSpot: a search for each of four kinds and one for lines; QuickBooks: one call for all changes


def changed(invoices: int) -> tuple[int, str]:
    """Calls to bring a field of so many HubSpot invoices over to QuickBooks."""
    parts = {
        "searches of invoices": ceil(invoices / HUBSPOT.search_page),
        "the other kinds' searches, lines, and changes at QuickBooks": IDLE - 1,
        "batch reads of invoices": ceil(invoices / HUBSPOT.batch),
        "of their contacts and lines' ids": 2 * ceil(invoices / HUBSPOT.association_reads),
        "of lines": ceil(LINES * invoices / HUBSPOT.batch),
        "QuickBooks batches of updates, under its own lock": ceil(invoices / BATCH),
    }
    return sum(parts.values()), " + ".join(f"{calls} {what}" for what, calls in parts.items())
