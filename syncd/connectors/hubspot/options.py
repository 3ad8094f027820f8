"""What can be set about a HubSpot connection beyond its credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from syncd.connectors.base import MappedField, Traits
from syncd.connectors.hubspot.manifest import MANIFEST
from syncd.model.references import Kind

_PROPERTIES = {
    Kind.PARTY: "contact_properties",
    Kind.PRODUCT: "product_properties",
    Kind.INVOICE: "invoice_properties",
    Kind.PAYMENT: "payment_properties",
}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The connection's options. Most stand for something HubSpot does not document.

    Attributes:
        api_version: `v3`, or a dated generation such as `2026-03`.
        burst: calls per 10 seconds, where the account's edition allows more than the lowest.
        pace: as `ConnectionSettings.paced` says.
        overlap: seconds before each cursor that are read again, for what the search index shows late.
        archived_every: seconds between two looks at the recycle bins.
        native_sources: literals of `hs_invoice_source` that HubSpot's own invoices carry, separated by commas.
        payments: whether payments can be recorded: `auto` believes so until HubSpot refuses the first one.
        payment_processor: `hs_processor_type` of what we record: `none` or `quickbooks`.
        late_commit, search_lag: instead of the manifest's, in seconds.
        line_service_date: name of the line item property that holds a service date; empty for none.
        webhook_v1: take webhooks that carry only the old signature, which says neither when nor where to.
        payment_type: the object type id of payments in webhooks.
        other_sync_sources: literals of `hs_invoice_source` on what HubSpot's own data sync makes, separated by commas.
        other_sync_days: for how many days such an invoice means that it is at work.
        allow_other_sync: work beside it all the same.
        contact_properties, product_properties, invoice_properties, payment_properties: names of further properties
            to read, separated by commas; they are the noun's custom fields.
    """

    api_version: str = MANIFEST.api_version
    burst: int | None = None
    pace: Literal["on", "off"] = "on"
    overlap: float = 300.0
    archived_every: float = 3600.0
    native_sources: str = "hubspot"
    payments: Literal["auto", "on", "off"] = "auto"
    payment_processor: str = "none"
    late_commit: float = MANIFEST.traits.late_commit
    search_lag: float = MANIFEST.traits.search_lag
    line_service_date: str = ""
    webhook_v1: bool = False
    payment_type: str = MANIFEST.webhooks.payment_type
    other_sync_sources: str = "data_sync"
    other_sync_days: int = 7
    allow_other_sync: bool = False
    contact_properties: str = ""
    product_properties: str = ""
    invoice_properties: str = ""
    payment_properties: str = ""

    def native(self, source: str) -> bool:
        """Whether HubSpot's own invoices carry this source literal."""
        return source.strip().casefold() in {name.casefold() for name in names(self.native_sources)}

    def custom(self, kind: Kind) -> tuple[str, ...]:
        """The further properties of a kind."""
        listed: str = getattr(self, _PROPERTIES[kind])
        return names(listed)

    def asking(self, fields: Sequence[MappedField]) -> Options:
        """The options with the properties that mappings use among the further ones."""
        mapped = {kind: [field.name for field in fields if field.kind is kind] for kind in Kind}
        more = {_PROPERTIES[kind]: ",".join(dict.fromkeys([*self.custom(kind), *mapped[kind]])) for kind in Kind}
        return msgspec.structs.replace(self, **more)

    def traits(self) -> Traits:
        """What the engine must know of this connection."""
        bounds = MANIFEST.traits
        return Traits(
            name=MANIFEST.vendor,
            optimistic_lock=bounds.optimistic_lock,
            strong_line_ids=bounds.strong_line_ids,
            late_commit=self.late_commit,
            search_lag=self.search_lag,
            replay_window=bounds.replay_window,
            normalisers=MANIFEST.normalisers,
            splits_payments=bounds.splits_payments,
            absent={} if self.line_service_date else {Kind.INVOICE: frozenset({"lines.service_date"})},
            polls_apart=True,
            batch=MANIFEST.limits.batch,
            windows=tuple(window for window in MANIFEST.limits.private if "requests" in window.sorts),
        )


def read_options(raw: Mapping[str, str | float | bool]) -> Options:
    """The options as configured.

    Raises:
        ValueError: an unknown name or a value of the wrong type, named.
    """
    try:
        return msgspec.convert(dict(raw), Options)
    except msgspec.ValidationError as error:
        raise ValueError(f"hubspot options: {error}") from error


def names(listed: str) -> tuple[str, ...]:
    """`"a, b"` as names."""
    return tuple(name.strip() for name in listed.split(",") if name.strip())
