"""Webhooks: whatever is signed rightly is told or refused as malformed, and nothing else is ever accepted."""

from __future__ import annotations

from collections.abc import Callable

from syncd.connectors import webhooks
from syncd.connectors.hubspot import webhooks as hubspot
from syncd.connectors.quickbooks import webhooks as quickbooks
from syncd.connectors.webhooks import RawWebhook, Refusal
from tests.fuzz.engine import PRIVATE, Target
from tests.webhook_samples import (
    BOOKS_URL,
    CLASSIC,
    CLASSIC_OTHERS,
    CLOUD,
    CLOUD_MERGE,
    CRM_URL,
    GENERIC,
    GENERIC_V1,
    GENERIC_V3,
    SENT,
    STAMP,
    books_verifier,
    crm_verifier,
    hubspot_signed,
    hubspot_signed_v1,
    intuit_signed,
)

Signed = Callable[[bytes], dict[str, str]]

OLDER = (
    b'[{"eventId":1,"subscriptionId":12,"portalId":8412077,"occurredAt":1564113600000,"subscriptionType":"contact.merge'
    b'","attemptNumber":0,"primaryObjectId":5,"mergedObjectIds":[6,7],"newObjectId":8,"numberOfPropertiesMoved":12},{"e'
    b'ventId":2,"portalId":8412077,"subscriptionType":"invoice.associationChange","associationType":"INVOICE_TO_CONTACT'
    b'","fromObjectId":9,"toObjectId":5,"fromObjectTypeId":"0-53","toObjectTypeId":"0-1","associationRemoved":false},{"'
    b'portalId":8412077,"subscriptionType":"contact.privacyDeletion","objectId":11,"propertyValue":"Zanzibarella"}]'
)


def signed(path: str, sign: Signed) -> Callable[[str, bytes], None]:
    """Bodies of which the vendor itself is the author."""

    def run(label: str, body: bytes) -> None:
        url, verify = (CRM_URL, crm_verifier(webhook_v1=True)) if path == "crm" else (BOOKS_URL, books_verifier())
        told = verify(RawWebhook(method="POST", url=url, headers=sign(body), body=body), SENT)
        if isinstance(told, Refusal):
            assert told.reason is webhooks.Reason.MALFORMED, told
            return
        assert told.ignored <= told.events
        assert all(_digits(hint.id) and _digits(hint.account) for hint in told.hints)
        assert PRIVATE not in repr([(hint.kind, hint.id, hint.account, hint.event) for hint in told.hints])
        grains = {hint.event: hint.grain for hint in told.hints}
        assert told.events - told.ignored >= len(grains)

    return run


def headers(label: str, data: bytes) -> None:
    """Signature and stamp, two lines of a header each; of all that may be tried one is right."""
    text = data.decode("utf-8", "surrogateescape")
    signature, _, stamp = text.partition("\n")
    given = {label: signature, "x-hubspot-request-timestamp": stamp, "x-hubspot-signature-version": stamp}
    url, body = (BOOKS_URL, CLASSIC) if label == "intuit-signature" else (CRM_URL, GENERIC)
    verify = books_verifier() if label == "intuit-signature" else crm_verifier(webhook_v1=True)
    told = verify(RawWebhook(method="POST", url=url, headers=given, body=body), SENT)
    assert isinstance(told, Refusal) or (signature, stamp) in RIGHT[label] or (signature, "*") in RIGHT[label], text


RIGHT = {
    "x-hubspot-signature-v3": {(GENERIC_V3, STAMP)},
    "x-hubspot-signature": {(GENERIC_V1, "v1")},
    "intuit-signature": {(intuit_signed(CLASSIC)["intuit-signature"], "*")},
}


def _digits(id: str) -> bool:
    return id.isascii() and id.isdigit() and len(id) <= 32


_NAMED = [("", body) for body in (GENERIC, OLDER, b"[]")]
_BOOKED = [("", body) for body in (CLASSIC, CLASSIC_OTHERS, CLOUD, CLOUD_MERGE, b"[]", b'{"eventNotifications":[]}')]
TARGETS = [
    Target(
        name="webhook of hubspot, v3",
        run=signed("crm", hubspot_signed),
        seeds=lambda: _NAMED,
        about=[webhooks, hubspot],
    ),
    Target(
        name="webhook of hubspot, v1",
        run=signed("crm", hubspot_signed_v1),
        seeds=lambda: _NAMED,
        about=[webhooks, hubspot],
    ),
    Target(
        name="webhook of quickbooks",
        run=signed("books", intuit_signed),
        seeds=lambda: _BOOKED,
        about=[webhooks, quickbooks],
    ),
    Target(
        name="webhook signatures",
        run=headers,
        seeds=lambda: [(name, "\n".join(pair).encode()) for name, pairs in RIGHT.items() for pair in pairs],
        about=[webhooks, hubspot, quickbooks],
        json=False,
    ),
]
