"""Payments: records of money received outside HubSpot (payments guide)."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.sandbox.hubspot.account import COMPANY_CURRENCY
from syncd.sandbox.hubspot.errors import ApiError, invalid
from syncd.sandbox.hubspot.invoices import calculated
from syncd.sandbox.hubspot.record import Hand, Record
from syncd.sandbox.hubspot.rules import Changes, Rules
from syncd.sandbox.hubspot.settle import settle
from syncd.sandbox.hubspot.totals import amount
from syncd.sandbox.hubspot.values import rounded

_PROCESSED = ("hs_payments", "byo_stripe")
_OF_THE_MONEY = {"hs_initial_amount", "hs_refunds_amount", "hs_latest_status", "hs_initiated_date"}


class Payments(Rules):
    required = ("hs_initial_amount", "hs_initiated_date")

    def prepare(self, values: Changes, hand: Hand) -> None:
        if not hand.person and not self.portal.settings.processor_connected:
            # The refusal is documented, its status and words are not.
            raise ApiError(
                400, "Payments cannot be created: HubSpot payments or Stripe is not set up.", "VALIDATION_ERROR"
            )
        super().prepare(values, hand)
        defaults = {"hs_latest_status": "processing", "hs_currency_code": COMPANY_CURRENCY}
        for name, value in defaults.items():
            if values.get(name) is None:
                values[name] = value

    def derive(self, values: Mapping[str, str | None]) -> Changes:
        net = amount(values, "hs_initial_amount") - sum(
            amount(values, name) for name in ("hs_fees_amount", "hs_refunds_amount")
        )
        return {"hs_net_amount": rounded(net)}

    def created(self, record: Record, hand: Hand) -> None:
        self.portal.put(record, {"hs_payment_id": record.id[::-1]} | self._counts(record), calculated(hand.now))

    def check_update(self, record: Record, changes: Changes, hand: Hand) -> None:
        self.check_archive(record, hand)

    def updated(self, record: Record, changes: Changes, hand: Hand) -> None:
        if _OF_THE_MONEY & changes.keys():
            settle(self.portal, record, calculated(hand.now))

    def check_archive(self, record: Record, hand: Hand) -> None:
        """Payments that went through HubSpot's own processing change by that processing only."""
        if not hand.person and record.value("hs_processor_type") in _PROCESSED:
            raise invalid("Payments processed by HubSpot can neither be changed nor deleted")

    def archived(self, record: Record, hand: Hand) -> None:
        self._settle_around(record, self.portal.linked(record, "invoices"), hand)

    def linked(self, record: Record, other: Record, hand: Hand) -> None:
        if other.kind.name == "invoices":
            self.portal.put(record, self._counts(record), calculated(hand.now))
            self._settle_around(record, [other], hand)

    def _settle_around(self, record: Record, invoices: list[Record], hand: Hand) -> None:
        """The payment and its invoices may just have been parted, so both sides are computed."""
        for each in [record, *invoices]:
            settle(self.portal, each, calculated(hand.now))

    def _counts(self, record: Record) -> Changes:
        number = len(self.portal.linked(record, "invoices"))
        return {
            "hs_has_associated_invoice": "true" if number else "false",
            "hs_number_of_associated_invoices": str(number),
        }
