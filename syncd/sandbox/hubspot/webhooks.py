"""HubSpot's webhooks: who is told what, in which words, signed how, and tried again when (webhooks guide)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.sandbox import webhooks
from syncd.sandbox.hubspot import signature
from syncd.sandbox.hubspot.auth import STATIC
from syncd.sandbox.hubspot.errors import PORTAL_ID
from syncd.sandbox.hubspot.happenings import GENERIC_ONLY, happened
from syncd.sandbox.hubspot.kinds import Kind
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.subscriptions import CLASSIC, check, default
from syncd.sandbox.webhooks import Event, one_of

APP_SECRET = "sandbox-app-secret"  # noqa: S105  # fixed on purpose, like every credential of the sandbox

# Ten retries within a day, each between half and all of its step; the vendor tells only their number and the day.
_STEPS = [timedelta(minutes=m) for m in (1, 2, 5, 15, 30, 60, 120, 240, 360, 600)]

_FIRST_EVENT, _FIRST_SUBSCRIPTION = 3816000001, 7662001
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Settings(webhooks.Settings):
    """How an app of this portal gets its webhooks."""

    format: str = "generic"  # or "classic": names of their own for the kinds that have them, `object.*` for the rest
    signatures: list[str] = field(default_factory=lambda: ["v3", "v1"])
    subscriptions: list[str] = field(default_factory=default)
    app_id: int = int(STATIC.app_id)  # the app that gets them; changes through its own token carry it as `sourceId`

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("format", self.format, ("generic", "classic"))
        for each in self.signatures:
            one_of("signatures", each, ("v1", "v3"))
        check(self.subscriptions)


class Webhooks:
    """One portal's announcer; see webhooks.Announcer."""

    most = 100
    holds_back = False

    def __init__(self, portal: Portal) -> None:
        self.settings: webhooks.Settings = Settings()
        self._portal = portal
        self._read = 0
        self._told = 0

    def news(self) -> list[Event]:
        entries, changes = self._portal.journal.entries[self._read :], self._portal.changed[:]
        self._read += len(entries)
        self._portal.changed.clear()
        if not self._own.url or not (entries or changes):
            return []
        ids = {name: _FIRST_SUBSCRIPTION + place for place, name in enumerate(self._own.subscriptions)}
        return [
            self._event(kind, name, ids[f"{kind.singular}.{name}"], at, facts)
            for kind, name, at, facts in happened(entries, changes)
            if f"{kind.singular}.{name}" in ids
        ]

    def leaves(self, at: datetime) -> datetime:
        return at

    def pause(self, retries: int, luck: float) -> timedelta | None:
        return _STEPS[retries] * (0.5 + luck / 2) if retries < len(_STEPS) else None

    def body(self, events: Sequence[Event], attempt: int) -> bytes:
        rows = [{**event.content, "attemptNumber": attempt} for event in events]
        return json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()

    def headers(self, body: bytes, at: datetime) -> Mapping[str, str]:
        headers = {}
        if "v3" in self._own.signatures:
            stamp = str(_milliseconds(at))
            headers["X-HubSpot-Request-Timestamp"] = stamp
            headers["X-HubSpot-Signature-v3"] = signature.v3(APP_SECRET, "POST", self._own.url, body, stamp)
        if "v1" in self._own.signatures:
            headers["X-HubSpot-Signature"] = signature.v1(APP_SECRET, body)
            headers["X-HubSpot-Signature-Version"] = "v1"
        return headers

    @property
    def _own(self) -> Settings:
        assert isinstance(self.settings, Settings)
        return self.settings

    def _event(self, kind: Kind, name: str, subscription: int, at: datetime, facts: Mapping[str, Any]) -> Event:
        classic = self._own.format == "classic" and kind.singular in CLASSIC
        if classic:
            facts = {name: value for name, value in facts.items() if name not in GENERIC_ONLY}
        self._told += 1
        return Event(
            at,
            {
                "eventId": _FIRST_EVENT + self._told,
                "subscriptionId": subscription,
                "portalId": PORTAL_ID,
                "appId": self._own.app_id,
                "occurredAt": _milliseconds(at),
                "subscriptionType": f"{kind.singular if classic else 'object'}.{name.partition(':')[0]}",
                **facts,
            },
        )


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
