"""QuickBooks' webhooks: who is told what, in which of two formats, signed how, and tried again when.

Sources: Intuit's webhook guide and best practices; its announcement of the CloudEvents format.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from syncd.sandbox import webhooks
from syncd.sandbox.quickbooks.books import Books
from syncd.sandbox.quickbooks.happenings import Happening, happened
from syncd.sandbox.quickbooks.oauth import REALM
from syncd.sandbox.webhooks import Event, one_of

VERIFIER = "sandbox-verifier"

ENTITIES = (
    "Account",
    "CreditMemo",
    "Customer",
    "Estimate",
    "Invoice",
    "Item",
    "Payment",
    "PaymentMethod",
    "Preferences",
    "SalesReceipt",
    "Term",
    "Vendor",
)
"""Kinds of this sandbox the vendor sends webhooks for."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAUSES = (10, 20, 30, 300, 1200, 7200, 14400, 21600)  # seconds; the last one again and again
_PAST = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Merge": "merged",
    "Void": "voided",
}
_SOURCE = "intuit.c2FuZGJveC1zYW5kYm94LXNhbmRib3gtc2FuZGJveCE="


@dataclass(frozen=True)
class Settings(webhooks.Settings):
    """How an app of this company gets its webhooks."""

    timeout: float = 3.0
    format: str = "classic"  # or "cloudevents"
    aggregate: float = 0.0  # seconds; in production events of one, three or five minutes go together
    hold_back: bool = True  # later events wait for the acknowledgement of the first (the vendor says that they may)
    inactive: str = "Delete"  # or "Update": what making a record inactive is called (unconfirmed)
    entities: list[str] = field(default_factory=lambda: list(ENTITIES))

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("format", self.format, ("classic", "cloudevents"))
        one_of("inactive", self.inactive, ("Delete", "Update"))
        for each in self.entities:
            one_of("entities", each, ENTITIES)
        if not 0 <= self.aggregate <= 3600:
            raise ValueError("webhook_aggregate is a number of seconds up to an hour")


class Webhooks:
    """One company's announcer; see webhooks.Announcer. A request is about one realm, and here there is one."""

    most = 10_000  # no limit is known, but about 2 MB is what receivers are told to take

    def __init__(self, books: Books) -> None:
        self.settings: webhooks.Settings = Settings()
        self._books = books
        self._read = 0
        self._told = 0

    @property
    def holds_back(self) -> bool:
        return self._own.hold_back

    def news(self) -> list[Event]:
        store = self._books.store
        entries, before = self._books.journal.entries[self._read :], dict(store.touched)
        self._read += len(entries)
        store.touched.clear()
        if not self._own.url:
            return []
        found = happened(store, entries, before, self._own.inactive)
        return [self._event(each) for each in found if each.kind in self._own.entities]

    def leaves(self, at: datetime) -> datetime:
        """At once, or with everything of the same stretch of the clock at its end."""
        window = timedelta(seconds=self._own.aggregate)
        return at + window - (at - _EPOCH) % window if window else at

    def pause(self, retries: int, luck: float) -> timedelta:
        return timedelta(seconds=_PAUSES[min(retries, len(_PAUSES) - 1)])

    def body(self, events: Sequence[Event], attempt: int) -> bytes:
        rows = [event.content for event in events]
        if self._own.aggregate:
            rows = list({(row["name"], row["id"], row["operation"]): row for row in rows}.values())
        body = _classic(rows) if self._own.format == "classic" else [_cloud_event(row) for row in rows]
        return json.dumps(body, separators=(",", ":")).encode()

    def headers(self, body: bytes, at: datetime) -> Mapping[str, str]:
        return {"intuit-signature": signature(VERIFIER, body)}

    @property
    def _own(self) -> Settings:
        assert isinstance(self.settings, Settings)
        return self.settings

    def _event(self, each: Happening) -> Event:
        self._told += 1
        row = {"name": each.kind, "id": each.id, "operation": each.operation, "lastUpdated": _stamp(each.updated)}
        if each.deleted_id:
            row["deletedId"] = each.deleted_id
        return Event(each.at, {"event": f"00000000-0000-4000-8000-{self._told:012x}", **row})


def signature(token: str, body: bytes) -> str:
    """What the header `intuit-signature` has for a body."""
    return b64encode(hmac.digest(token.encode(), body, "sha256")).decode()


def _classic(rows: Sequence[Mapping[str, str]]) -> object:
    entities = [{name: value for name, value in row.items() if name != "event"} for row in rows]
    return {"eventNotifications": [{"realmId": REALM, "dataChangeEvent": {"entities": entities}}]}


def _cloud_event(row: Mapping[str, str]) -> object:
    return {
        "specversion": "1.0",
        "id": row["event"],
        "source": _SOURCE,
        "type": f"qbo.{row['name'].lower()}.{_PAST[row['operation']]}.v1",
        "datacontenttype": "application/json",
        "time": row["lastUpdated"],
        "intuitentityid": row["id"],
        "intuitaccountid": REALM,
        "data": {"deletedid": row["deletedId"]} if "deletedId" in row else {},
    }


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
