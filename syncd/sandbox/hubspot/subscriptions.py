"""What an app is told: subscriptions such as `invoice.creation` or `contact.propertyChange:email`, and their defaults.

`*.propertyChange` watches one property each. Names are the classic ones for every kind; `webhooks.py` says which of
them leave as `object.*` with a type id.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.sandbox.hubspot.kinds import KINDS

EVENTS = ("creation", "deletion", "merge", "restore", "associationChange", "privacyDeletion")

CLASSIC = ("contact", "company", "deal", "product", "line_item")
"""Kinds whose events have names of their own; all others are generic whatever the app asks for."""

_WATCHED = {
    "contact": "email firstname lastname phone company address city state zip country hs_additional_emails",
    "company": "name domain phone address city state zip country",
    "product": "name description price hs_sku",
    "line_item": "name description quantity price discount hs_discount_percentage hs_sku hs_tax_rate_group_id",
    "invoice": "hs_invoice_status hs_amount_billed hs_amount_paid hs_balance_due hs_invoice_date hs_due_date hs_number"
    " hs_currency hs_comments hs_purchase_order_number",
    "commerce_payment": "hs_latest_status hs_initial_amount hs_initiated_date hs_refunds_amount hs_payment_method_type"
    " hs_reference_number",
}
_MERGED = ("contact", "company")
_ASSOCIATED = ("invoice", "line_item", "commerce_payment")


def default() -> list[str]:
    """What an app that keeps the money side in step subscribes to."""
    names = []
    for kind, properties in _WATCHED.items():
        names += [f"{kind}.{event}" for event in ("creation", "deletion", "restore")]
        names += [f"{kind}.privacyDeletion"] if kind == "contact" else []
        names += [f"{kind}.merge"] if kind in _MERGED else []
        names += [f"{kind}.associationChange"] if kind in _ASSOCIATED else []
        names += [f"{kind}.propertyChange:{name}" for name in properties.split()]
    return names


def check(names: Sequence[str]) -> None:
    """ValueError for a name that is no subscription; whether a property exists is not asked, as at the vendor."""
    kinds = {kind.singular for kind in KINDS.values()}
    for name in names:
        kind, _, event = name.partition(".")
        watches = event.startswith("propertyChange:") and event != "propertyChange:"
        if kind not in kinds or not (watches or event in EVENTS):
            raise ValueError(f"{name} is no subscription")
