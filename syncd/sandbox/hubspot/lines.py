"""Line items, and the taxes, fees and discounts of a whole invoice: whatever an invoice is added up from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from syncd.sandbox.hubspot import totals
from syncd.sandbox.hubspot.account import COMPANY_CURRENCY, tax_percentage
from syncd.sandbox.hubspot.errors import BadProperty, invalid_properties
from syncd.sandbox.hubspot.invoices import Invoices
from syncd.sandbox.hubspot.kinds import KINDS
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand, Record
from syncd.sandbox.hubspot.rules import Changes, Rules
from syncd.sandbox.hubspot.values import number

_INHERITED = ("name", "description", "price", "hs_sku", "hs_recurring_billing_period")
_PARENTS = ("deals", "quotes", "invoices")


class Adjustments(Rules):
    """Taxes, fees and discounts: they only make their invoice compute anew."""

    def __init__(self, portal: Portal, invoices: Invoices) -> None:
        super().__init__(portal)
        self.invoices = invoices

    def check_update(self, record: Record, changes: Changes, hand: Hand) -> None:
        defined = self.portal.schema.properties[record.kind.name]
        # Custom properties are the owner's own: the lock is about what the customer is billed.
        if any(defined[name].hubspot_defined for name in changes):
            self.check_archive(record, hand)

    def updated(self, record: Record, changes: Changes, hand: Hand) -> None:
        for invoice in self.portal.linked(record, "invoices"):
            if self.portal.settings.line_change_bumps:
                self.portal.touch(invoice, hand)
            self.invoices.recompute(invoice, hand)

    def check_archive(self, record: Record, hand: Hand) -> None:
        for invoice in self.portal.linked(record, "invoices"):
            self.invoices.check_unlocked(invoice, hand)

    def archived(self, record: Record, hand: Hand) -> None:
        self.updated(record, {}, hand)


class LineItems(Adjustments):
    """A line belongs to one deal, quote or invoice, and takes its words and price from its product."""

    def prepare(self, values: Changes, hand: Hand) -> None:
        product = self.portal.table(KINDS["products"]).survivor(values.get("hs_product_id") or "")
        for name in _INHERITED:
            if product is not None and values.get(name) is None:
                values[name] = product.value(name)
        values.setdefault("hs_line_item_currency_code", COMPANY_CURRENCY)
        self._check_price(values)

    def derive(self, values: Mapping[str, str | None]) -> Changes:
        rate = tax_percentage(values.get("hs_tax_rate_group_id"))
        return totals.line(values, rate)

    def check_update(self, record: Record, changes: Changes, hand: Hand) -> None:
        super().check_update(record, changes, hand)
        self._check_price(changes)

    def _check_price(self, values: Changes) -> None:
        price = number(values.get("price"))
        if price is not None and price < Decimal(0):
            bad = BadProperty("price", "INVALID_LONG", "price must not be negative.", values["price"])
            raise invalid_properties([bad])

    def check_link(self, record: Record, other: Record, hand: Hand) -> None:
        """A second parent takes the line away from the first, as public integrations report."""
        if other.kind.name not in _PARENTS or self.portal.links.types(record.ref, other.ref):
            return
        for kind in _PARENTS:
            for parent in self.portal.linked(record, kind):
                if kind == "invoices":
                    self.invoices.check_unlocked(parent, hand)
                self.portal.relink(record, parent, ())
                if kind == "invoices":
                    self.invoices.recompute(parent, hand)
