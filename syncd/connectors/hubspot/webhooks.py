"""HubSpot's webhooks: the signature, and which records the events are about (webhooks and request validation guides).

Told in both of HubSpot's dialects: classic events (`contact.propertyChange`) and generic ones (`object.*` with a type).
An association change names its two ends; it is the invoice or payment among them that has changed for us. The change of
a line item does not say whose it is: the invoice's own amounts change with it, and what those do not show the next poll
does.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from syncd.connectors.hubspot.manifest import MANIFEST
from syncd.connectors.hubspot.moments import EPOCH
from syncd.connectors.hubspot.options import Options, read_options
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

LIMITS = MANIFEST.webhooks
NAMES = {
    "contact": Kind.PARTY,
    "product": Kind.PRODUCT,
    "invoice": Kind.INVOICE,
    "commerce_payment": Kind.PAYMENT,
}
JOINED = frozenset({Kind.INVOICE, Kind.PAYMENT})  # what is associated with them is a part of them

# The vendor hashes these escapes as what they stand for; its own SDKs do not.
_ESCAPES = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_MILLISECONDS = re.compile(r"[0-9]{1,15}")


def verifier(settings: ConnectionSettings) -> Verify:
    """`verify_webhook` for one app's secrets.

    Raises:
        ValueError: an option is unknown or makes no sense.
    """
    return partial(verify_webhook, secrets=settings.webhook_secrets, options=read_options(settings.options))


def verify_webhook(request: RawWebhook, now: datetime, *, secrets: Sequence[str], options: Options) -> Told | Refusal:
    """What a delivery tells, if one of the app's secrets signed it just now."""
    refusal = _refused(request, now, secrets, options)
    if refusal is not None:
        return refusal
    try:
        return _told(events(decoded(request.body)), {**LIMITS.types, options.payment_type: Kind.PAYMENT})
    except (ValueError, RecursionError):
        return Refusal(Reason.MALFORMED)


def _refused(request: RawWebhook, now: datetime, secrets: Sequence[str], options: Options) -> Refusal | None:
    given, stamp = request.headers.get("x-hubspot-signature-v3"), request.headers.get("x-hubspot-request-timestamp", "")
    if given is None:
        return None if options.webhook_v1 and _signed_v1(request, secrets) else Refusal(Reason.SIGNATURE)
    if not _MILLISECONDS.fullmatch(stamp) or not matches(given, _v3(request, stamp, secrets)):
        return Refusal(Reason.SIGNATURE)
    age = (now - EPOCH) / timedelta(milliseconds=1) - int(stamp)
    return Refusal(Reason.STALE) if abs(age) > LIMITS.window * 1000 else None


def _v3(request: RawWebhook, stamp: str, secrets: Sequence[str]) -> Iterator[bytes]:
    plain = _ESCAPES.sub(lambda escape: unquote(escape[0]), request.url)
    for url in dict.fromkeys((plain, request.url)):
        message = b"".join((request.method.encode(), url.encode(), request.body, stamp.encode()))
        for secret in secrets:
            yield b64encode(hmac.digest(secret.encode(), message, "sha256"))


def _signed_v1(request: RawWebhook, secrets: Sequence[str]) -> bool:
    expected = [sha256(secret.encode() + request.body).hexdigest().encode() for secret in secrets]
    named = request.headers.get("x-hubspot-signature-version") == "v1"
    return matches(request.headers.get("x-hubspot-signature", ""), expected) and named


def _told(listed: list[dict[str, Any]], types: Mapping[str, Kind]) -> Told:
    hints: list[Hint] = []
    ignored = 0
    for event in listed:
        # A repeated delivery says that it is one; everything else of an event stays.
        own = identity({name: value for name, value in event.items() if name != "attemptNumber"})
        account = entity_id(event.get("portalId"))
        named = [] if account is None else list(_named(event, types))
        pause = LIMITS.settle if text(event.get("propertyName")) == "hs_invoice_status" else 0.0
        erase = text(event.get("subscriptionType")).endswith(".privacyDeletion")
        hints += [
            Hint(account=account or "", kind=kind, id=id, event=own, after=pause, erase=erase) for kind, id in named
        ]
        ignored += not named
    return Told(hints=tuple(hints), events=len(listed), ignored=ignored)


def _named(event: Mapping[str, Any], types: Mapping[str, Kind]) -> Iterator[tuple[Kind, str]]:
    subject, _, what = (text(event.get("subscriptionType")) or text(event.get("eventType"))).partition(".")
    if what == "associationChange":
        ends = text(event.get("associationType")).lower().partition("_to_")
        for end, name in (("from", ends[0]), ("to", ends[2])):
            kind = types.get(text(event.get(f"{end}ObjectTypeId"))) or NAMES.get(name)
            id = entity_id(event.get(f"{end}ObjectId"))
            if kind in JOINED and id is not None:
                yield kind, id
        return
    kind = types.get(text(event.get("objectTypeId"))) if subject == "object" else NAMES.get(subject)
    ids = [event.get("objectId")]
    if what == "merge":
        merged = event.get("mergedObjectIds")
        ids += [event.get("primaryObjectId"), event.get("newObjectId"), *(merged if isinstance(merged, list) else [])]
    for id in dict.fromkeys(map(entity_id, ids)):
        if kind is not None and id is not None:
            yield kind, id
