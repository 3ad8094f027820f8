"""What a test or an operator of the sandbox can change about the portal. Unconfirmed vendor behaviour lives here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from decimal import Decimal

from syncd.sandbox.hubspot.errors import PORTAL_ID


@dataclass(slots=True)
class Settings:
    """All switches with their defaults; `change` refuses unknown names."""

    # Search: seconds until a new or changed record is found, with its new values.
    index_lag: float = 0

    # Limits (figures: Professional edition). Counted always, enforced only when `limits` is on.
    limits: bool = False
    burst_limit: int = 190
    burst_seconds: int = 10
    daily_limit: int = 625_000
    search_limit: int = 5
    associations_limit: int = 150

    # The account's time zone.
    time_zone: str = "UTC"

    # Scopes taken away from every token: calls that need one answer 403.
    missing_scopes: list[str] = field(default_factory=list)

    # On the consent page: whether the person agrees, and which portal they choose.
    consent: bool = True
    consent_portal: int = PORTAL_ID

    # Whether these touch the modified date of the records at both ends (unconfirmed).
    association_bumps: bool = False
    line_change_bumps: bool = False

    # Seen both ways by public clients.
    numeric_to_object_id: bool = True
    line_items_key: str = "line items"

    # Invoices.
    lock_open_invoices: bool = True  # unconfirmed: the API refuses line edits of finalized native invoices
    delete_open_invoices: bool = False  # the account setting that allows deleting unpaid invoices
    void_by_api: bool = True  # unconfirmed
    mirror_balance_writable: bool = False  # unconfirmed: paid and balance of non-billable invoices can be written
    invoice_source_person: str = "hubspot"  # the literal of native invoices is unconfirmed
    invoice_source_api: str = "integration"  # unconfirmed

    # Payments: HubSpot payments or Stripe is set up; without it the payments API cannot create.
    processor_connected: bool = True

    # A merge keeps the primary's id, or makes a third one and retires both (newer portals).
    merge_new_id: bool = False

    # Silent changes to what the API writes: {"trim": true, "truncate": {name: length}, "round": {name: digits}}.
    normalise: dict[str, object] = field(default_factory=dict)

    @property
    def lag(self) -> timedelta:
        return timedelta(seconds=float(self.index_lag))

    def change(self, changes: Mapping[str, object]) -> dict[str, object]:
        """Apply changes and return every setting.

        Raises:
            KeyError: an unknown name; nothing is changed then.
            ValueError: a value of the wrong type.
        """
        kinds = {each.name: type(getattr(self, each.name)) for each in fields(self)}
        for name, value in changes.items():
            kind = kinds[name]
            numeric = kind in (int, float) and isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            if not numeric and not isinstance(value, kind):
                raise ValueError(f"{name} must be {kind.__name__}")
        for name, value in changes.items():
            setattr(self, name, float(value) if isinstance(value, Decimal) else value)
        return asdict(self)
