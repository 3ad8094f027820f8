"""QuickBooks' webhooks: whose signature counts, and which entities both formats are about."""

import json

import pytest

from syncd.connectors.webhooks import Reason, Refusal, Told
from syncd.model.references import Kind
from tests.webhook_samples import (
    BOOKS_SECRET,
    CLASSIC,
    CLASSIC_OTHERS,
    CLASSIC_OTHERS_SIGNATURE,
    CLASSIC_SIGNATURE,
    CLOUD,
    CLOUD_MERGE,
    CLOUD_MERGE_SIGNATURE,
    CLOUD_SIGNATURE,
    REALM,
    SENT,
    books_verifier,
    crm_verifier,
    intuit_signed,
    malformed,
    to_books,
)


def told(body: object) -> Told:
    """What a rightly signed body tells."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = books_verifier()(to_books(raw), SENT)
    assert isinstance(found, Told)
    return found


def cloud(**fields: object) -> dict:
    event = {"specversion": "1.0", "id": "e", "type": "qbo.invoice.updated.v1", "time": "2026-03-02T17:17:31.1Z"}
    return {**event, "intuitentityid": "67", "intuitaccountid": REALM, "data": {}, **fields}


def refused(found: Told | Refusal) -> Reason:
    assert isinstance(found, Refusal)
    return found.reason


@pytest.mark.parametrize(
    ("body", "signature", "expected"),
    [
        (CLASSIC, CLASSIC_SIGNATURE, [(Kind.INVOICE, "67"), (Kind.PAYMENT, "101")]),
        (
            CLASSIC_OTHERS,
            CLASSIC_OTHERS_SIGNATURE,
            [*((Kind.INVOICE, id) for id in ("129", "33", "130")), (Kind.PARTY, "1"), (Kind.PARTY, "27")],
        ),
        (CLOUD, CLOUD_SIGNATURE, [(Kind.INVOICE, "67"), (Kind.PAYMENT, "101")]),
        (CLOUD_MERGE, CLOUD_MERGE_SIGNATURE, [(Kind.PARTY, "1"), (Kind.PARTY, "27")]),
    ],
    ids=["classic", "void, delete, merge", "cloudevents", "cloudevents merge"],
)
def test_the_worked_examples_are_accepted(body, signature, expected):
    """Both formats, all operations; a merge names the one that is gone too."""
    found = books_verifier()(to_books(body, {"intuit-signature": signature}), SENT)

    assert isinstance(found, Told)
    assert [(hint.kind, hint.id) for hint in found.hints] == expected
    assert {hint.account for hint in found.hints} == {REALM}


def test_both_tokens_count_while_one_takes_the_others_place():
    """And the old one no longer once it is taken out."""
    old, new = to_books(CLASSIC), to_books(CLASSIC, intuit_signed(CLASSIC, "next"))

    during, after = books_verifier(BOOKS_SECRET, "next"), books_verifier("next")
    assert isinstance(during(old, SENT), Told)
    assert isinstance(during(new, SENT), Told)
    assert isinstance(after(new, SENT), Told)
    assert refused(after(old, SENT)) is Reason.SIGNATURE


@pytest.mark.parametrize(
    "signature", [None, "", CLASSIC_SIGNATURE[:-1], CLASSIC_SIGNATURE + "=", "é", "\ud800", "٣" * 44]
)
def test_a_wrong_signature_is_refused(signature):
    """Missing, cut, padded, or no base64 at all."""
    headers = {} if signature is None else {"intuit-signature": signature}
    assert refused(books_verifier()(to_books(CLASSIC, headers), SENT)) is Reason.SIGNATURE


def test_another_vendors_secret_does_not_count():
    """A signature is good for one body, one secret and one vendor."""
    assert refused(crm_verifier(BOOKS_SECRET)(to_books(CLASSIC), SENT)) is Reason.SIGNATURE
    assert refused(books_verifier()(to_books(CLASSIC, intuit_signed(CLOUD)), SENT)) is Reason.SIGNATURE


@pytest.mark.parametrize("body", malformed(), ids=range(len(malformed())))
def test_malformed_bodies_are_refused_though_signed(body):
    """Never an exception, and nothing of them is used."""
    assert refused(books_verifier()(to_books(body), SENT)) is Reason.MALFORMED


@pytest.mark.parametrize(
    "event",
    [
        cloud(type="qbo.vendor.created.v1"),
        cloud(type="qbo.invoice"),
        cloud(type=5),
        cloud(intuitentityid="1 OR 1"),
        cloud(intuitentityid=None),
        cloud(intuitaccountid="x"),
        {},
    ],
)
def test_what_is_not_synced_or_names_nothing_is_counted(event):
    """Beside it, the rest of the notification counts."""
    found = told([event, cloud(type="QBO.Invoice.Voided.V1", intuitentityid="68")])
    assert ([(hint.kind, hint.id) for hint in found.hints], found.ignored) == ([(Kind.INVOICE, "68")], 1)


def test_a_sales_receipt_is_a_payment_under_an_id_of_its_own():
    """In both formats; it may bill again what an invoice has billed."""
    entity = {"name": "SalesReceipt", "id": "47", "operation": "Create", "lastUpdated": "2026-11-02T10:00:00.000Z"}
    classic = {"eventNotifications": [{"realmId": "1", "dataChangeEvent": {"entities": [entity]}}]}
    for body in (classic, [cloud(type="qbo.salesreceipt.created.v1", intuitentityid="47")]):
        assert [(hint.kind, hint.id) for hint in told(body).hints] == [(Kind.PAYMENT, "sale:47")]


def test_classic_events_are_stamped_to_the_second_only():
    """The same words a moment later may be another edit; CloudEvents have ids and are what they are."""
    assert {hint.grain for hint in told(CLASSIC).hints} == {2.0}
    assert {hint.grain for hint in told(CLOUD).hints} == {0.0}


def test_events_differ_by_everything_they_say():
    """The same event twice is one; of another realm, entity or time it is another."""
    first, again = told([cloud(), cloud()]).hints
    others = told([cloud(intuitaccountid="2"), cloud(intuitentityid="68"), cloud(time="t"), cloud(id="f")]).hints
    assert first.event == again.event
    assert len({first.event, *(other.event for other in others)}) == 5
