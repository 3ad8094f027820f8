"""What is remembered of a connection: which account it is pinned to, and how it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """One account at one vendor, as the state knows it.

    Attributes:
        account_id: the account it first met; None before the first contact. account_name: how people call it.
        condition: `ok` or the trouble it is in, a name of the catalogue. words: the detail behind it.
        since: when it came into this condition. retry_at: when it is tried again.
        last_success: the last answer that was one.
        settings: the account's own settings that decide what may be written (currency, country ...), JSON values.
    """

    name: str
    vendor: str
    account_id: str | None = None
    account_name: str | None = None
    condition: str = "ok"
    words: str = ""
    since: datetime | None = None
    retry_at: datetime | None = None
    last_success: datetime | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
