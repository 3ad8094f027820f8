"""HubSpot in the sandbox; `README.md` beside this file lists settings, seed data and a person's operations."""

from __future__ import annotations

from syncd.sandbox.base import Vendor
from syncd.sandbox.hubspot.vendor import HubSpot


def create() -> Vendor:
    """A portal with its seed data."""
    return HubSpot()
