"""The object kinds of the portal: names, type ids, dates and what a read returns when nothing is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.sandbox.hubspot.errors import ApiError


@dataclass(frozen=True, slots=True)
class Kind:
    """One CRM object kind. `scope` is the middle of its scope names (`crm.objects.<scope>.read`)."""

    name: str
    singular: str
    type_id: str
    shown: tuple[str, ...]
    created: str
    modified: str
    scope: str

    @property
    def always(self) -> tuple[str, ...]:
        """Returned whatever is asked for."""
        return (self.created, self.modified, "hs_object_id")


def _kind(
    name: str,
    singular: str,
    type_id: str,
    shown: str = "",
    created: str = "createdate",
    modified: str = "hs_lastmodifieddate",
    scope: str | None = None,
) -> Kind:
    return Kind(name, singular, type_id, tuple(shown.split()), created, modified, scope or name)


# Type ids of commerce_payments, taxes, fees and discounts are unconfirmed, and so are the scopes of the last three.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("contacts", "contact", "0-1", "firstname lastname email", modified="lastmodifieddate"),
        _kind("companies", "company", "0-2", "name domain"),
        _kind("deals", "deal", "0-3", "dealname amount closedate pipeline dealstage"),
        _kind("products", "product", "0-7", "name description price"),
        _kind("line_items", "line_item", "0-8", "quantity amount price"),
        _kind(
            "quotes",
            "quote",
            "0-14",
            "hs_expiration_date hs_public_url_key hs_status hs_title",
            created="hs_createdate",
        ),
        _kind("invoices", "invoice", "0-53", created="hs_createdate"),
        _kind("commerce_payments", "commerce_payment", "0-101", created="hs_createdate", scope="commercepayments"),
        _kind("taxes", "tax", "0-86", scope="invoices"),
        _kind("fees", "fee", "0-85", scope="invoices"),
        _kind("discounts", "discount", "0-84", scope="invoices"),
    )
}

_BY_ANY_NAME = {name: kind for kind in KINDS.values() for name in (kind.name, kind.singular, kind.type_id)}


def find(text: str) -> Kind:
    """By plural name, singular name or type id.

    Raises:
        ApiError: no such kind.
    """
    kind = _BY_ANY_NAME.get(text.lower())
    if kind is None:
        raise ApiError(400, f"Unable to infer object type from: {text}", "VALIDATION_ERROR")
    return kind
