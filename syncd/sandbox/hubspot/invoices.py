"""The rules of invoices (invoices guide; points it leaves open are settings).

A billable invoice goes draft -> open -> paid or voided, and HubSpot computes its amounts. A non-billable one mirrors an
invoice of another system: whatever is written is kept.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from syncd.sandbox.hubspot import totals
from syncd.sandbox.hubspot.errors import ApiError, invalid, invalid_properties, read_only
from syncd.sandbox.hubspot.record import Hand, Record
from syncd.sandbox.hubspot.rules import Changes, Rules
from syncd.sandbox.hubspot.settle import settle
from syncd.sandbox.hubspot.times import stamp
from syncd.sandbox.hubspot.values import rounded

PARTS = ("line_items", "discounts", "fees", "taxes")
_COMPUTED = ("hs_number", "hs_amount_billed", "hs_balance_due", "hs_amount_paid")
_FROM_CONTACT = {
    "hs_recipient_shipping_address": "address",
    "hs_recipient_shipping_city": "city",
    "hs_recipient_shipping_state": "state",
    "hs_recipient_shipping_zip": "zip",
    "hs_recipient_shipping_country": "country",
}
_FROM_COMPANY = {
    "hs_recipient_company_address": "address",
    "hs_recipient_company_address2": "address2",
    "hs_recipient_company_city": "city",
    "hs_recipient_company_state": "state",
    "hs_recipient_company_zip": "zip",
}
_FLATTENED = {
    "contacts": {
        "hs_invoice_latest_contact_email": "email",
        "hs_invoice_latest_contact_firstname": "firstname",
        "hs_invoice_latest_contact_lastname": "lastname",
    },
    "companies": {"hs_invoice_latest_company_name": "name"},
}
_RECIPIENT = {"contacts": _FROM_CONTACT, "companies": _FROM_COMPANY}


def billable(record: Record) -> bool:
    return record.value("hs_invoice_billable") == "true"


class Invoices(Rules):
    required = ("hs_currency",)

    def prepare(self, values: Changes, hand: Hand) -> None:
        super().prepare(values, hand)
        settings = self.portal.settings
        now = stamp(hand.now)
        defaults = {
            "hs_invoice_billable": "true",
            "hs_invoice_status": "draft",
            "hs_invoice_date": now,
            "hs_due_date": now,
            "hs_invoice_source": settings.invoice_source_person if hand.person else settings.invoice_source_api,
        }
        for name, value in defaults.items():
            if values.get(name) is None:
                values[name] = value
        if values["hs_invoice_billable"] == "true":
            self._check_computed(values, None, hand)
            if values["hs_invoice_status"] not in ("draft", "open"):
                raise invalid("A billable invoice starts as draft")

    def created(self, record: Record, hand: Hand) -> None:
        if billable(record):
            if record.value("hs_invoice_status") == "open":
                self._finalized(record, hand)
            self.recompute(record, hand)

    def check_update(self, record: Record, changes: Changes, hand: Hand) -> None:
        if "hs_invoice_billable" in changes:
            raise invalid("hs_invoice_billable can be set at creation only")
        if not billable(record):
            return
        self._check_computed(changes, record, hand)
        if "hs_currency" in changes and record.value("hs_invoice_status") != "draft":
            raise invalid("The currency of a finalized invoice cannot be changed")
        if "hs_invoice_status" in changes:
            self._check_move(record, changes["hs_invoice_status"], hand)

    def updated(self, record: Record, changes: Changes, hand: Hand) -> None:
        if not billable(record):
            return
        status = changes.get("hs_invoice_status")
        if status == "open":
            self._finalized(record, hand)
        if status == "voided":
            self.portal.put(record, {"hs_balance_due": rounded(Decimal(0))}, calculated(hand.now))

    def _check_computed(self, changes: Changes, record: Record | None, hand: Hand) -> None:
        """Number and amounts belong to HubSpot; a person may choose the number as long as it is a draft."""
        draft = record is None or record.value("hs_invoice_status") == "draft"
        own_number = {"hs_number"} if hand.person and draft else set()
        names = [name for name in _COMPUTED if changes.get(name) is not None and name not in own_number]
        if names:
            raise invalid_properties([read_only(name, changes[name]) for name in names])

    def _check_move(self, record: Record, status: str | None, hand: Hand) -> None:
        move = (record.value("hs_invoice_status"), status)
        if move == ("open", "voided"):
            if not hand.person and not self.portal.settings.void_by_api:
                raise invalid("Invoices cannot be voided through the API")
            if totals.amount(record.values(), "hs_amount_paid"):
                raise invalid("An invoice with payments cannot be voided")
        elif move != ("draft", "open"):
            raise invalid(f"An invoice cannot go from {move[0]} to {move[1]}")

    def _finalized(self, record: Record, hand: Hand) -> None:
        contacts = self.portal.linked(record, "contacts")
        lines = self.portal.linked(record, "line_items")
        if not contacts or not lines:
            raise invalid("Invoice cannot be opened: a contact and at least one line item are required")
        if record.value("hs_number") is None:
            self.portal.put(record, {"hs_number": self.portal.take_invoice_number()}, calculated(hand.now))

    def check_unlocked(self, invoice: Record, hand: Hand) -> None:
        """Lines and adjustments of a finalized native invoice.

        The help page sends people back to HubSpot to edit one, so a person may until it is paid; the API may not at all
        (unconfirmed, setting `lock_open_invoices`).
        """
        if not billable(invoice):
            return
        status = invoice.value("hs_invoice_status")
        closed = ("paid", "voided") if hand.person else ("open", "paid", "voided")
        if status in closed and (hand.person or self.portal.settings.lock_open_invoices):
            raise ApiError(
                400,
                f"Line items and amounts of invoice {invoice.id} cannot be changed: it was created in HubSpot and is "
                f"{status}. Undo the change and edit the invoice in HubSpot.",
                "VALIDATION_ERROR",
            )

    def check_archive(self, record: Record, hand: Hand) -> None:
        status = record.value("hs_invoice_status")
        deletable = {"draft", "open"} if self.portal.settings.delete_open_invoices else {"draft"}
        if billable(record) and status not in deletable:
            raise invalid(f"An invoice that is {status} cannot be deleted")

    def archived(self, record: Record, hand: Hand) -> None:
        """The parts go with their invoice and come back with it."""
        for part in [each for kind in PARTS for each in self._parts(record, kind)]:
            if record.live and part.archived_at is not None:
                self.portal.restore(part)
            elif not record.live and part.live:
                self.portal.archive(part, hand)
        if record.live:
            self.recompute(record, hand)
        else:
            settle(self.portal, record, calculated(hand.now))

    def _parts(self, record: Record, kind: str) -> list[Record]:
        records = self.portal.tables[kind].records
        return [records[id] for id in self.portal.links.ends(record.ref, kind)]

    def check_link(self, record: Record, other: Record, hand: Hand) -> None:
        if other.kind.name in PARTS:
            self.check_unlocked(record, hand)

    def linked(self, record: Record, other: Record, hand: Hand) -> None:
        kind = other.kind.name
        if kind in PARTS:
            self.recompute(record, hand)
        elif kind in _FLATTENED:
            self._flatten(record, kind, hand)

    def _flatten(self, record: Record, kind: str, hand: Hand) -> None:
        """Copies of the latest contact and company, and the recipient of a draft.

        They follow an association, so they move the modified date only if associations do.
        """
        latest = next(reversed(self.portal.linked(record, kind)), None)
        values = {name: latest.value(source) if latest else None for name, source in _FLATTENED[kind].items()}
        if latest and billable(record) and record.value("hs_invoice_status") == "draft":
            empty = {name: source for name, source in _RECIPIENT[kind].items() if record.value(name) is None}
            values |= {name: latest.value(source) for name, source in empty.items()}
        self.portal.put(record, values, calculated(hand.now), bump=self.portal.settings.association_bumps)

    def recompute(self, record: Record, hand: Hand) -> None:
        """Total, then what payments leave of it."""
        if not billable(record) or record.value("hs_invoice_status") == "voided":
            return
        lines, discounts, fees, taxes = ([p.values() for p in self.portal.linked(record, kind)] for kind in PARTS)
        total = totals.invoice(lines, discounts, fees, taxes)
        by_itself = calculated(hand.now)
        self.portal.put(record, {"hs_amount_billed": rounded(total)}, by_itself)
        settle(self.portal, record, by_itself)


def calculated(now: datetime) -> Hand:
    """HubSpot itself, as property history shows it."""
    return Hand(now, "hubspot", "CALCULATED", "")
