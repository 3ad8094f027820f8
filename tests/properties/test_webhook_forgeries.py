"""Ten thousand altered webhooks: none is accepted, none makes an exception, nothing is stored."""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.webhooks import RawWebhook, Refusal, Told, Verify
from tests.webhook_house import house
from tests.webhook_samples import (
    BOOKS_SECRET,
    CLASSIC,
    CLASSIC_OTHERS,
    CLOUD,
    CLOUD_MERGE,
    CRM_SECRET,
    GENERIC,
    SENT,
    STAMP,
    books_verifier,
    crm_verifier,
    hubspot_signed,
    hubspot_signed_v1,
    intuit_signed,
    to_books,
    to_crm,
)

Case = tuple[Verify, RawWebhook]
ENOUGH = 10_000
SIGNATURES = ("x-hubspot-signature-v3", "x-hubspot-signature", "intuit-signature")
STRANGE = ("", "=", "\x00", "é", "٣", "\u200b", "\U0001d7d9", "\udcff", " ", "\n")


def genuine() -> list[Case]:
    """What the alterations begin from: each of these is accepted."""
    old = crm_verifier(webhook_v1=True)
    cases = [(crm_verifier(), to_crm(GENERIC)), (old, to_crm(GENERIC, hubspot_signed_v1(GENERIC)))]
    return cases + [(books_verifier(), to_books(body)) for body in (CLASSIC, CLASSIC_OTHERS, CLOUD, CLOUD_MERGE)]


def changed(request: RawWebhook, **fields: object) -> RawWebhook:
    parts = {name: getattr(request, name) for name in ("method", "url", "headers", "body")}
    return RawWebhook(**{**parts, **fields})


def altered() -> Iterator[Case]:
    """Every signed byte flipped, cuts, additions, and signatures of other secrets, vendors, times and places."""
    random = Random(13)
    for verify, request in genuine():
        yield from ((verify, changed(request, body=body)) for body in _bodies(request.body, random))
        for name in request.headers:
            yield from (
                (verify, changed(request, headers=headers)) for headers in _headers(request.headers, name, random)
            )
        yield from ((verify, changed(request, headers=headers)) for headers in _misplaced(request))
    for signed in (hubspot_signed, hubspot_signed_v1, intuit_signed):
        for secret in _secrets():
            for body in (GENERIC, CLASSIC, CLOUD):
                yield crm_verifier(webhook_v1=True), to_crm(body, signed(body, secret))
                yield books_verifier(), to_books(body, signed(body, secret))
    for seconds in (*range(301, 800), *range(-800, -300), 10**9, -(10**9)):
        stamp = str(int(STAMP) + seconds * 1000)
        yield crm_verifier(), to_crm(GENERIC, hubspot_signed(GENERIC, stamp=stamp))
    for change in ({"method": "GET"}, {"url": "https://other.example/hooks/hubspot"}, {"url": ""}):
        yield crm_verifier(), to_crm(GENERIC, **change)


def _bodies(body: bytes, random: Random) -> Iterator[bytes]:
    for place in range(len(body)):
        yield body[:place] + bytes([body[place] ^ 1 << random.randrange(8)]) + body[place + 1 :]
        yield body[:place]
        yield body[:place] + random.randbytes(1) + body[place:]


def _headers(headers: dict[str, str], name: str, random: Random) -> Iterator[dict[str, str]]:
    value = headers[name]
    yield {other: kept for other, kept in headers.items() if other != name}
    for place in range(len(value)):
        flipped = chr(ord(value[place]) ^ 1 << random.randrange(7))
        yield {**headers, name: value[:place] + flipped + value[place + 1 :]}
        yield {**headers, name: value[:place]}
        yield {**headers, name: value[:place] + random.choice(STRANGE[1:]) + value[place:]}
    for strange in STRANGE:
        yield {**headers, name: strange}
        yield {**headers, name: value + strange + value}
    yield {**headers, name: value.swapcase() if value.swapcase() != value else value + "0"}


def _misplaced(request: RawWebhook) -> Iterator[dict[str, str]]:
    """A right signature under another vendor's name, or another scheme's."""
    values = [request.headers[name] for name in SIGNATURES if name in request.headers]
    for name in SIGNATURES:
        if name not in request.headers:
            yield {name: values[0], "x-hubspot-signature-version": "v1", "x-hubspot-request-timestamp": STAMP}


def _secrets() -> list[str]:
    return ["", "x", CRM_SECRET[:-1], CRM_SECRET + " ", CRM_SECRET.upper(), BOOKS_SECRET[::-1], BOOKS_SECRET + "\n"]


def test_ten_thousand_altered_webhooks_are_refused():
    """Each flip, cut and addition, in bodies and headers, and whatever somebody else signed, or for another."""
    assert all(isinstance(verify(request, SENT), Told) for verify, request in genuine())
    tried = 0
    for verify, request in altered():
        assert isinstance(verify(request, SENT), Refusal), request
        tried += 1
    assert tried >= ENOUGH


@given(
    body=st.binary(max_size=400) | st.text().map(lambda text: text.encode("utf-8", "replace")),
    headers=st.dictionaries(st.sampled_from([*SIGNATURES, "x-hubspot-request-timestamp"]), st.text()),
    seconds=st.floats(-1e9, 1e9),
)
def test_nothing_made_up_is_accepted(body, headers, seconds):
    """Any bytes under any headers, at any time."""
    for verify, made in ((crm_verifier(webhook_v1=True), to_crm), (books_verifier(), to_books)):
        assert isinstance(verify(made(body, headers), SENT + timedelta(seconds=seconds)), Refusal)


_NAMES = [
    *("portalId", "subscriptionType", "objectTypeId", "objectId", "mergedObjectIds", "associationType", "fromObjectId"),
    *("eventNotifications", "realmId", "dataChangeEvent", "entities", "name", "id", "deletedId"),
    *("type", "intuitentityid", "intuitaccountid", "data"),
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(_NAMES), inner, max_size=6),
    max_leaves=20,
)


@given(body=_json)
def test_whatever_is_signed_is_read_or_refused(body):
    """Also what no vendor ever sent: no exception, and ids made of digits only."""

    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    for verify, made in ((crm_verifier(), to_crm), (books_verifier(), to_books)):
        found = verify(made(raw), SENT)
        if isinstance(found, Told):
            assert all(hint.id.isdigit() and hint.account.isdigit() for hint in found.hints)


async def test_altered_webhooks_leave_nothing_behind_the_listener(tmp_path):
    """A slice of the ten thousand over HTTP: 401, no hint, no event remembered."""
    random = Random(7)
    cases = random.sample([request for _, request in altered() if _sendable(request)], 300)
    async with house(tmp_path) as here:
        for request in cases:
            path = "/webhooks/crm" if request.url == to_crm(b"").url else "/webhooks/books"
            assert await here.post(path, request.body, request.headers) in (401, 400)
        assert await here.refs() == []
        assert await here.store.write(lambda tx: tx.prune_deliveries(SENT + timedelta(days=9), 0)) == 0
        assert here.woken == []


def _sendable(request: RawWebhook) -> bool:
    """What a header line can carry unchanged, to the address it was signed for; the old signature has no door here."""
    fits = all(value.isascii() and value.isprintable() and value == value.strip() for value in request.headers.values())
    return fits and request.method == "POST" and request.url in (to_crm(b"").url, to_books(b"").url)
