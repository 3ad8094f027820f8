"""QuickBooks Online's Accounting API v3 as a sandbox vendor; README.md beside this file says what it does and holds."""

from __future__ import annotations

from syncd.sandbox.quickbooks.vendor import QuickBooks


def create() -> QuickBooks:
    """A company with its seed data loaded."""
    return QuickBooks()
