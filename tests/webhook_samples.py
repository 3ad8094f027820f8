"""Webhooks as vendors send them, signed by code of their own: nothing here is taken from the daemon or the sandbox."""

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import partial

from syncd.connectors.hubspot import webhooks as hubspot
from syncd.connectors.hubspot.options import Options
from syncd.connectors.quickbooks import webhooks as quickbooks
from syncd.connectors.webhooks import RawWebhook, Verify

PORTAL, REALM = "8412077", "4620816365000000000"
CRM_SECRET, BOOKS_SECRET = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b", "2f4a6c8e-0b1d-4e3f-9a5b-7c9d1e3f5a7b"
CRM_URL = "https://syncd.example.com/hooks/hubspot"
BOOKS_URL = "https://syncd.example.com/hooks/quickbooks"
STAMP = "1791763200123"
SENT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(STAMP))

GENERIC = (
    b'[{"eventId":1765889350,"subscriptionId":7662269,"portalId":8412077,"appId":1160452,"occurredAt":1791'
    b'763199520,"subscriptionType":"object.propertyChange","attemptNumber":0,"objectId":44446244097,"objec'
    b'tTypeId":"0-53","propertyName":"hs_invoice_status","propertyValue":"open","changeSource":"CRM_UI","s'
    b'ourceId":"userId:959199","isSensitive":false},{"eventId":1765889351,"subscriptionId":7662270,"portal'
    b'Id":8412077,"appId":1160452,"occurredAt":1791763199877,"subscriptionType":"object.creation","attempt'
    b'Number":0,"objectId":383552769679,"objectTypeId":"0-101","changeFlag":"CREATED","changeSource":"INTE'
    b'GRATION","sourceId":"1160452"}]'
)
GENERIC_V3 = "NovaRpmUlWA8u7qX28hQvtRYuL2gIbZHMEITSuArr9M="
GENERIC_V1 = "4f3710906ab6a93ff9630710718a2580098c20d5140439e682cf0633fac815c8"

CLASSIC = (
    b'{"eventNotifications":[{"realmId":"4620816365000000000","dataChangeEvent":{"entities":[{"name":"Invo'
    b'ice","id":"67","operation":"Update","lastUpdated":"2026-03-02T17:17:31.000Z"},{"name":"Payment","id"'
    b':"101","operation":"Create","lastUpdated":"2026-03-02T17:17:31.000Z"}]}}]}'
)
CLASSIC_SIGNATURE = "Zz70CQN78B3CixZeTppygtRYFYYU6t6mPwvGNNO/pBI="

CLASSIC_OTHERS = (
    b'{"eventNotifications":[{"realmId":"4620816365000000000","dataChangeEvent":{"entities":[{"name":"Invo'
    b'ice","id":"129","operation":"Void","lastUpdated":"2026-03-02T17:20:00.000Z"},{"name":"Invoice","id":'
    b'"33","operation":"Delete","lastUpdated":"2026-03-02T17:20:05.000Z"},{"name":"Invoice","id":"130","op'
    b'eration":"Emailed","lastUpdated":"2026-03-02T17:20:09.000Z"},{"name":"Customer","id":"1","operation"'
    b':"Merge","deletedId":"27","lastUpdated":"2026-03-02T17:20:11.000Z"}]}}]}'
)
CLASSIC_OTHERS_SIGNATURE = "IQA9qwqFdR9Yeyr6Xu0Tw5Q47fXKqQ3maqyc7kv0RKw="

CLOUD = (
    b'[{"specversion":"1.0","id":"88cd52aa-33b6-4351-9aa4-47572edbd068","source":"intuit.dsnBgbseACLLRZNxo'
    b'2dfc4evmEJdxde58xeeYcZliOU=","type":"qbo.invoice.updated.v1","datacontenttype":"application/json","t'
    b'ime":"2026-03-02T17:17:31.179851517Z","intuitentityid":"67","intuitaccountid":"4620816365000000000",'
    b'"data":{}},{"specversion":"1.0","id":"d1a3aedd-9670-41bf-a4f9-c148a1cc4e03","source":"intuit.dsnBgbs'
    b'eACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=","type":"qbo.payment.created.v1","datacontenttype":"applicatio'
    b'n/json","time":"2026-03-02T17:17:31.034359333Z","intuitentityid":"101","intuitaccountid":"4620816365'
    b'000000000","data":{}}]'
)
CLOUD_SIGNATURE = "NUNVsqms5HS82stYG4Peel48s4Vku8lOez7VVqvd0Z8="

CLOUD_MERGE = (
    b'[{"specversion":"1.0","id":"3b0d8a52-5d0e-4f5d-9a1a-7f1c2a4e9d10-Customer-1","source":"intuit.dsnBgb'
    b'seACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=","type":"qbo.customer.merged.v1","datacontenttype":"applicati'
    b'on/json","time":"2026-03-02T17:20:11Z","intuitentityid":"1","intuitaccountid":"4620816365000000000",'
    b'"data":{"deletedid":"27"}}]'
)
CLOUD_MERGE_SIGNATURE = "qQOGy/hWVLyipCU4AgjZ+q4Mg51CM9Src6ZcGhDPz9Q="


def hubspot_signed(body: bytes, secret: str = CRM_SECRET, stamp: str = STAMP, url: str = CRM_URL) -> dict[str, str]:
    """The headers of a delivery with the newer signature, names in lower case."""
    digest = hmac.digest(secret.encode(), b"POST" + url.encode() + body + stamp.encode(), hashlib.sha256)
    return {"x-hubspot-signature-v3": b64encode(digest).decode(), "x-hubspot-request-timestamp": stamp}


def hubspot_signed_v1(body: bytes, secret: str = CRM_SECRET) -> dict[str, str]:
    """The headers of a delivery with the old signature only."""
    digest = hashlib.sha256(secret.encode() + body).hexdigest()
    return {"x-hubspot-signature": digest, "x-hubspot-signature-version": "v1"}


def intuit_signed(body: bytes, secret: str = BOOKS_SECRET) -> dict[str, str]:
    """The headers of a notification."""
    return {"intuit-signature": b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()}


def to_crm(body: bytes, headers: dict[str, str] | None = None, **changes: str) -> RawWebhook:
    """A delivery of HubSpot's; signed rightly unless headers are given."""
    signed = hubspot_signed(body) if headers is None else headers
    return RawWebhook(**{"method": "POST", "url": CRM_URL, "headers": signed, "body": body, **changes})


def to_books(body: bytes, headers: dict[str, str] | None = None) -> RawWebhook:
    """A notification of QuickBooks'; signed rightly unless headers are given."""
    signed = intuit_signed(body) if headers is None else headers
    return RawWebhook(method="POST", url=BOOKS_URL, headers=signed, body=body)


def crm_verifier(*secrets: str, **options: object) -> Verify:
    """HubSpot's, by default with the one secret."""
    return partial(hubspot.verify_webhook, secrets=secrets or (CRM_SECRET,), options=Options(**options))


def books_verifier(*secrets: str) -> Verify:
    """QuickBooks', by default with the one secret."""
    return partial(quickbooks.verify_webhook, secrets=secrets or (BOOKS_SECRET,))


def malformed() -> list[bytes]:
    """Bodies that break careless readers."""
    return [
        b"",
        b"{",
        b"null",
        b"[1]",
        b'"text"',
        b"[[]]",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"eventNotifications":' * 5_000 + b"1" + b"}" * 5_000,
        b'[{"a":NaN}]',
        b'[{"a":Infinity}]',
        b'[{"a":-Infinity}]',
        b'[{"portalId":' + b"9" * 5_000 + b"}]",
        b'[{"portalId":' + b"9" * 33 + b"}]",
        b'[{"portalId":1,"portalId":2}]',
        b'{"eventNotifications":[],"eventNotifications":[]}',
        b'[{"a":"\xff"}]',
        b"\xef\xbb\xbf[]",
        b'{"eventNotifications":{}}',
        b'{"eventNotifications":[{"realmId":"1"}]}',
        b'{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":[1]}}]}',
        *(body.replace(b"X", b"\\ud800") for body in _WITH_TEXT),
    ]


_WITH_TEXT = (
    b'[{"portalId":1,"subscriptionType":"object.creation","objectTypeId":"0-53","objectId":5,"changeFlag":"X"}]',
    b'[{"type":"qbo.invoice.created.v1","intuitaccountid":"1","intuitentityid":"5","id":"X"}]',
    b'{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":[{"name":"Invoice","id":"5","x":"X"}]}}]}',
)
