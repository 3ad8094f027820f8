"""HubSpot's webhooks: whose signature counts and for how long, and which records each kind of event is about."""

import json
from datetime import timedelta

import pytest

from syncd.connectors.webhooks import Reason, Refusal, Told
from syncd.model.references import Kind
from tests.webhook_samples import (
    CRM_SECRET,
    CRM_URL,
    GENERIC,
    GENERIC_V1,
    GENERIC_V3,
    PORTAL,
    SENT,
    STAMP,
    books_verifier,
    crm_verifier,
    hubspot_signed,
    hubspot_signed_v1,
    malformed,
    to_crm,
)

OF_GENERIC = [(Kind.INVOICE, "44446244097"), (Kind.PAYMENT, "383552769679")]


def told(*events: dict, **options) -> Told:
    """What these events tell, rightly signed."""
    body = json.dumps([{"portalId": int(PORTAL), **event} for event in events]).encode()
    found = crm_verifier(**options)(to_crm(body), SENT)
    assert isinstance(found, Told)
    return found


def named(*events: dict, **options) -> list[tuple[Kind, str]]:
    return [(hint.kind, hint.id) for hint in told(*events, **options).hints]


def refused(found: Told | Refusal) -> Reason:
    assert isinstance(found, Refusal)
    return found.reason


def test_the_worked_example_is_accepted():
    """The vector computed by HubSpot's own client libraries; account, kinds and ids come out, and no value."""
    headers = {"x-hubspot-signature-v3": GENERIC_V3, "x-hubspot-request-timestamp": STAMP}

    found = crm_verifier()(to_crm(GENERIC, headers), SENT)

    assert isinstance(found, Told)
    assert [(hint.kind, hint.id) for hint in found.hints] == OF_GENERIC
    assert {hint.account for hint in found.hints} == {PORTAL}
    assert found.ignored == 0


@pytest.mark.parametrize(("age", "good"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_a_signature_counts_for_five_minutes(age, good):
    """Older ones, and ones from as far ahead, are refused though they are right."""
    found = crm_verifier()(to_crm(GENERIC), SENT + timedelta(seconds=age))

    assert isinstance(found, Told) if good else refused(found) is Reason.STALE


@pytest.mark.parametrize("stamp", ["", " ", "-1", "1e12", "٣", "0x1", STAMP + " ", "9" * 40, "nan"])
def test_a_strange_time_stamp_is_refused(stamp):
    """Also when the signature covers it."""
    assert refused(crm_verifier()(to_crm(GENERIC, hubspot_signed(GENERIC, stamp=stamp)), SENT)) is Reason.SIGNATURE


def test_both_secrets_count_while_one_takes_the_others_place():
    """And the old one no longer once it is taken out."""
    old, new = to_crm(GENERIC), to_crm(GENERIC, hubspot_signed(GENERIC, secret="next"))

    during, after = crm_verifier(CRM_SECRET, "next"), crm_verifier("next")
    assert isinstance(during(old, SENT), Told)
    assert isinstance(during(new, SENT), Told)
    assert isinstance(after(new, SENT), Told)
    assert refused(after(old, SENT)) is Reason.SIGNATURE


def test_the_old_signature_counts_only_when_the_option_says_so_and_there_is_no_newer_one():
    """A wrong newer signature is not made good by a right old one."""
    alone = {"x-hubspot-signature": GENERIC_V1, "x-hubspot-signature-version": "v1"}
    beside = {**alone, "x-hubspot-signature-v3": "bm8=", "x-hubspot-request-timestamp": STAMP}
    other = {**alone, "x-hubspot-signature-version": "v2"}
    allowing = crm_verifier(webhook_v1=True)

    assert alone == hubspot_signed_v1(GENERIC)
    assert isinstance(allowing(to_crm(GENERIC, alone), SENT), Told)
    for verify, headers in [(crm_verifier(), alone), (allowing, beside), (allowing, other), (allowing, {})]:
        assert refused(verify(to_crm(GENERIC, headers), SENT)) is Reason.SIGNATURE


def test_the_signature_covers_method_and_public_address():
    """Escapes that HubSpot decodes before it signs, and its client libraries do not, make no difference."""
    assert refused(crm_verifier()(to_crm(GENERIC, method="PUT"), SENT)) is Reason.SIGNATURE
    assert refused(crm_verifier()(to_crm(GENERIC, url=CRM_URL + "/"), SENT)) is Reason.SIGNATURE
    for signed in ("https://x.example/webhooks/my:crm", "https://x.example/webhooks/my%3Acrm"):
        request = to_crm(GENERIC, hubspot_signed(GENERIC, url=signed), url="https://x.example/webhooks/my%3Acrm")
        assert isinstance(crm_verifier()(request, SENT), Told)


def test_without_a_secret_nothing_is_accepted():
    """An empty list of secrets is no secret, and neither is another vendor's signature."""
    assert refused(crm_verifier("")(to_crm(GENERIC), SENT)) is Reason.SIGNATURE
    assert refused(books_verifier(CRM_SECRET)(to_crm(GENERIC), SENT)) is Reason.SIGNATURE


@pytest.mark.parametrize("body", malformed(), ids=range(len(malformed())))
def test_malformed_bodies_are_refused_though_signed(body):
    """Never an exception, and nothing of them is used."""
    assert refused(crm_verifier()(to_crm(body), SENT)) is Reason.MALFORMED


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"subscriptionType": "contact.creation", "objectId": 7}, [(Kind.PARTY, "7")]),
        ({"subscriptionType": "contact.privacyDeletion", "objectId": 7}, [(Kind.PARTY, "7")]),
        ({"subscriptionType": "product.deletion", "objectId": 7}, [(Kind.PRODUCT, "7")]),
        ({"eventType": "product.restore", "objectId": "7"}, [(Kind.PRODUCT, "7")]),
        ({"subscriptionType": "object.deletion", "objectTypeId": "0-53", "objectId": 7}, [(Kind.INVOICE, "7")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-101", "objectId": 7}, [(Kind.PAYMENT, "7")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-1", "objectId": 7}, [(Kind.PARTY, "7")]),
    ],
)
def test_events_of_both_dialects_name_their_record(event, expected):
    """Creations, changes, deletions, restorations and the erasure of a person alike."""
    assert named(event) == expected


def test_a_merge_names_all_it_is_about():
    """The survivor, what went into it, and the new record some merges make."""
    event = {"subscriptionType": "contact.merge", "objectId": 9, "primaryObjectId": 7, "mergedObjectIds": [8, 6]}
    assert named({**event, "newObjectId": 9}) == [(Kind.PARTY, id) for id in ("9", "7", "8", "6")]


@pytest.mark.parametrize(
    ("association", "types", "expected"),
    [
        ("INVOICE_TO_LINE_ITEM", ("0-53", "0-8"), [(Kind.INVOICE, "1")]),
        ("LINE_ITEM_TO_INVOICE", ("0-8", "0-53"), [(Kind.INVOICE, "2")]),
        ("INVOICE_TO_CONTACT", (), [(Kind.INVOICE, "1")]),
        ("COMMERCE_PAYMENT_TO_INVOICE", (), [(Kind.PAYMENT, "1"), (Kind.INVOICE, "2")]),
        ("CONTACT_TO_COMPANY", (), []),
        ("", ("0-101", "0-53"), [(Kind.PAYMENT, "1"), (Kind.INVOICE, "2")]),
    ],
)
def test_an_association_change_names_the_invoice_or_payment_among_its_ends(association, types, expected):
    """It has no record of its own; a contact is not changed by being invoiced."""
    event = {"subscriptionType": "object.associationChange", "associationType": association}
    event |= {
        "fromObjectId": 1,
        "toObjectId": 2,
        **dict(zip(("fromObjectTypeId", "toObjectTypeId"), types, strict=False)),
    }
    assert named(event) == expected


@pytest.mark.parametrize(
    "event",
    [
        {"subscriptionType": "line_item.propertyChange", "objectId": 7},
        {"subscriptionType": "object.creation", "objectTypeId": "0-8", "objectId": 7},
        {"subscriptionType": "conversation.creation", "objectId": 7},
        {"subscriptionType": "object.creation", "objectTypeId": ["0-53"], "objectId": 7},
        {"subscriptionType": "contact.creation", "objectId": "7/../8"},
        {"subscriptionType": "contact.creation", "objectId": "٧"},
        {"subscriptionType": "contact.creation", "objectId": -7},
        {"subscriptionType": "contact.creation", "objectId": True},
        {"subscriptionType": "contact.creation"},
        {"subscriptionType": 5, "objectId": 7},
        {"subscriptionType": "contact.creation", "objectId": 7, "portalId": None},
        {},
    ],
)
def test_what_is_not_synced_or_names_nothing_is_counted(event):
    """Beside it, the rest of the delivery counts. The change of a line item does not say whose it is."""
    found = told(event, {"subscriptionType": "contact.creation", "objectId": 3})
    assert ([hint.id for hint in found.hints], found.ignored) == (["3"], 1)


def test_payments_may_have_another_type_in_a_portal():
    """Their type id is not confirmed, so it can be set."""
    event = {"subscriptionType": "object.creation", "objectTypeId": "0-999", "objectId": 7}
    assert named(event) == []
    assert named(event, payment_type="0-999") == [(Kind.PAYMENT, "7")]


def test_an_invoice_settles_after_its_status_changed():
    """HubSpot goes on writing for a while; every other change is looked at at once."""
    event = {"subscriptionType": "object.propertyChange", "objectTypeId": "0-53", "objectId": 7}
    found = told({**event, "propertyName": "hs_invoice_status"}, {**event, "propertyName": "hs_due_date"})
    assert [hint.after for hint in found.hints] == [2.0, 0.0]


def test_a_repeated_delivery_holds_the_same_events():
    """Only the count of the attempt differs; anything else makes another event."""
    event = {"subscriptionType": "contact.creation", "objectId": 7, "eventId": 1, "occurredAt": 5}
    first, again, other = told(
        {**event, "attemptNumber": 0}, {**event, "attemptNumber": 3}, {**event, "occurredAt": 6}
    ).hints
    assert first.event == again.event != other.event
