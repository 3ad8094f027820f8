"""QuickBooks' webhooks: the signature, and which entities the events are about (Intuit webhooks guide).

Two formats, told apart by their outermost value: an object is the classic one, an array holds CloudEvents (Intuit blog,
12 Nov 2025). Nothing signed says when, so an old delivery sent again is told by its events alone.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.wire import ENTITIES, SALE, SALES
from syncd.connectors.settings import ConnectionSettings
from syncd.connectors.webhooks import (
    Hint,
    RawWebhook,
    Reason,
    Refusal,
    Told,
    Verify,
    decoded,
    entity_id,
    events,
    identity,
    matches,
    text,
)
from syncd.model.references import Kind

PLACES = {name.lower(): (kind, "") for kind, name in ENTITIES.items()} | {SALES.lower(): (Kind.PAYMENT, SALE)}
"""The name of an entity -> what it is to us, and how its ids begin here."""
GRAIN = MANIFEST.webhooks["grain"]

_TYPE = re.compile(r"qbo\.([a-z]+)\.[a-z]+\.v[0-9]+", re.IGNORECASE | re.ASCII)
_Place = tuple[Kind, str]
_Named = tuple[object, _Place | None, list[object]]
"""Realm, place, ids."""


def verifier(settings: ConnectionSettings) -> Verify:
    """`verify_webhook` for one app's verifier tokens."""
    return partial(verify_webhook, secrets=settings.webhook_secrets)


def verify_webhook(request: RawWebhook, now: datetime, *, secrets: Sequence[str]) -> Told | Refusal:
    """What a notification tells, if one of the app's verifier tokens signed it."""
    expected = [b64encode(hmac.digest(secret.encode(), request.body, "sha256")) for secret in secrets]
    if not matches(request.headers.get("intuit-signature", ""), expected):
        return Refusal(Reason.SIGNATURE)
    try:
        return _told(decoded(request.body))
    except (ValueError, RecursionError):
        return Refusal(Reason.MALFORMED)


def _told(body: Any) -> Told:
    classic = isinstance(body, dict)
    hints: list[Hint] = []
    count = ignored = 0
    for event, (realm, place, ids) in _classic(body) if classic else _cloud(body):
        count += 1
        own = identity(realm, event)
        account, wanted = entity_id(realm), [id for id in dict.fromkeys(map(entity_id, ids)) if id is not None]
        if account is None or place is None or not wanted:
            ignored += 1
            continue
        (kind, prefix), grain = place, GRAIN if classic else 0.0
        hints += [Hint(account=account, kind=kind, id=prefix + id, event=own, grain=grain) for id in wanted]
    return Told(hints=tuple(hints), events=count, ignored=ignored)


def _classic(body: dict[str, Any]) -> Iterator[tuple[dict[str, Any], _Named]]:
    for notification in events(body.get("eventNotifications")):
        change = notification.get("dataChangeEvent")
        if not isinstance(change, dict):
            raise ValueError("no data change event")
        for event in events(change.get("entities")):
            place = PLACES.get(text(event.get("name")).lower())
            yield event, (notification.get("realmId"), place, [event.get("id"), event.get("deletedId")])


def _cloud(body: Any) -> Iterator[tuple[dict[str, Any], _Named]]:
    for event in events(body):
        named = _TYPE.fullmatch(text(event.get("type")))
        data = event.get("data")
        ids = [event.get("intuitentityid"), data.get("deletedid") if isinstance(data, dict) else None]
        yield event, (event.get("intuitaccountid"), PLACES.get(named[1].lower()) if named else None, ids)
