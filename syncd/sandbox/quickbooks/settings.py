"""What a test may set: the company's preferences, and the points at which the vendor's own pages are silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults. Names in capitals are company preferences, the others ways to behave."""

    # What the company's owner decides.
    CustomTxnNumbers: bool = False
    MultiCurrency: bool = False
    HomeCurrency: str = "USD"
    exchange_rates: dict[str, str] = field(  # the company's own, for transactions that bring none (unconfirmed)
        default_factory=lambda: {"EUR": "1.08", "CAD": "0.73", "GBP": "1.27", "JPY": "0.0067", "KWD": "3.25"}
    )
    RevenueRecognition: bool = False
    BookCloseDate: str = "2018-12-31"  # writes dated on or before it are refused; "" opens the books
    BookClosePassword: bool = False  # 6210 instead of 6200
    Country: str = "US"
    UsingSalesTax: bool = True
    AllowDiscount: bool = True
    AllowDeposit: bool = True
    AllowShipping: bool = False
    AllowServiceDate: bool = False
    DefaultTerms: str = "3"
    SalesCustomFields: list[str] = field(default_factory=lambda: ["Crew #"])  # labels of slots 1 to 3, "" = off
    WarnDuplicateNumber: bool = True  # a user's switch that the API cannot see
    app_connected: bool = True  # False: somebody disconnected the app on the vendor's page
    consent: bool = True  # whether the person on the consent page agrees, and which company they choose
    consent_realm: str = "9130000000000001"
    deposited_payments: list[str] = field(default_factory=list)  # ids of payments that sit in a bank deposit

    # How silently the vendor changes what it is sent: any of "trim", "truncate", "round".
    normalise: list[str] = field(default_factory=list)

    # Points the vendor's pages leave open; each default is the reading given first in those pages.
    inactive_code: str = "610"  # or "2500"
    delete_refused_code: str = "6000"  # or "800"
    overpaid_code: str = "6000"
    deactivate_with_balance: bool = False  # may a customer with an open balance be made inactive?
    deleted_suffix: bool = True  # inactive names read "<name> (deleted)"
    merge_loser: str = "deleted"  # or "inactive"
    fill_bill_email: bool = True  # does a new invoice take the customer's address?
    numbering_follows_last: bool = True  # DocNumber goes on from the last number used, prefix and all
    query_case_sensitive: bool = False
    max_results_over: str = "cap"  # or "reject"
    select_star_omits_sku: bool = False
    cdc_too_old: str = "fault"  # or "clamp"
    cdc_cap: int = 1000
    cdc_cap_per_entity: bool = False
    requestid_mismatch: str = "replay"  # a known requestid with another body; or "fault" (600)
    requestid_replays_faults: bool = True

    # Limits (Intuit, "API call limits and throttles"); off unless asked for.
    limits: bool = False
    limit_per_minute: int = 500
    limit_per_second: int = 10
    limit_batches_per_minute: int = 40
    batch_max: int = 30

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """The settings with some changed.

        Raises:
            KeyError: no such setting.
            ValueError: a value of another type.
        """
        known = asdict(self)
        for name, value in changes.items():
            if type(value) is not type(known[name]):
                raise ValueError(f"{name} takes {type(known[name]).__name__}, not {value!r}")
        return replace(self, **changes)
