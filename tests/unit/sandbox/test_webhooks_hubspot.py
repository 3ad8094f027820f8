"""HubSpot's webhooks: which events a write gives, what they look like, and how a request is signed."""

import json

import pytest

from syncd.sandbox.hubspot import signature
from tests.unit.sandbox.webhook_world import Ringing

TOKEN = {"authorization": "Bearer pat-na1-sandbox-0000-0000"}

SECRET = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"
ADDRESS = "https://syncd.example.com/hooks/hubspot"
BODY = (
    b'[{"eventId":1765889350,"subscriptionId":7662269,"portalId":8412077,"appId":1160452,"occurredAt":1791763199520,'
    b'"subscriptionType":"object.propertyChange","attemptNumber":0,"objectId":44446244097,"objectTypeId":"0-53",'
    b'"propertyName":"hs_invoice_status","propertyValue":"open","changeSource":"CRM_UI","sourceId":"userId:959199",'
    b'"isSensitive":false},{"eventId":1765889351,"subscriptionId":7662270,"portalId":8412077,"appId":1160452,'
    b'"occurredAt":1791763199877,"subscriptionType":"object.creation","attemptNumber":0,"objectId":383552769679,'
    b'"objectTypeId":"0-101","changeFlag":"CREATED","changeSource":"INTEGRATION","sourceId":"1160452"}]'
)
V3 = "NovaRpmUlWA8u7qX28hQvtRYuL2gIbZHMEITSuArr9M="
V1 = "4f3710906ab6a93ff9630710718a2580098c20d5140439e682cf0633fac815c8"


@pytest.fixture
def hub():
    return Ringing("hubspot")


def events(hub):
    """Everything due now."""
    return [event for body in hub.out() for event in body]


def told(hub):
    """(type, object type, property) of everything due now."""
    return [(e["subscriptionType"], e.get("objectTypeId"), e.get("propertyName")) for e in events(hub)]


def test_signatures_agree_with_the_worked_vectors():
    """v3 over method, address, body and time stamp; v1 over secret and body."""
    assert signature.v3(SECRET, "POST", ADDRESS, BODY, "1791763200123") == V3
    assert signature.v1(SECRET, BODY) == V1


def test_escapes_that_the_vendor_decodes_are_hashed_decoded():
    """`%3A` and the like count as what they stand for, other escapes as they are."""
    plain = signature.v3(SECRET, "POST", ADDRESS + "/a:b%20c", BODY, "1")

    assert signature.v3(SECRET, "POST", ADDRESS + "/a%3Ab%20c", BODY, "1") == plain
    assert signature.v3(SECRET, "POST", ADDRESS + "/a:b c", BODY, "1") != plain


def test_a_request_is_signed_both_ways_or_as_the_settings_say(hub):
    """The signed address is the target as it was set, the time stamp the vendor's clock at sending."""
    hub.person("update", "contacts", "1001", city="Springfield")
    (attempt,) = hub.due()
    stamp = attempt.headers["X-HubSpot-Request-Timestamp"]

    assert int(stamp) == hub.now.timestamp() * 1000
    assert attempt.headers["X-HubSpot-Signature-v3"] == signature.v3(
        "sandbox-app-secret", "POST", attempt.url, attempt.body, stamp
    )
    assert attempt.headers["X-HubSpot-Signature"] == signature.v1("sandbox-app-secret", attempt.body)
    assert attempt.headers["X-HubSpot-Signature-Version"] == "v1"

    hub.settings(webhook_signatures=["v1"])
    hub.person("update", "contacts", "1001", city="Shelbyville")
    (attempt,) = hub.due()
    assert set(attempt.headers) == {"Content-Type", "X-HubSpot-Signature", "X-HubSpot-Signature-Version"}


def test_a_property_change_says_who_changed_what_to_what(hub):
    """One generic event with the type id, numbers as numbers."""
    hub.person("update", "contacts", "1001", city="Springfield")
    (event,) = events(hub)

    assert isinstance(event.pop("eventId"), int)
    assert isinstance(event.pop("subscriptionId"), int)
    assert event == {
        "portalId": 40000001,
        "appId": 1160001,
        "occurredAt": int(hub.now.timestamp()) * 1000,
        "subscriptionType": "object.propertyChange",
        "attemptNumber": 0,
        "objectId": 1001,
        "objectTypeId": "0-1",
        "propertyName": "city",
        "propertyValue": "Springfield",
        "changeSource": "CRM_UI",
        "sourceId": "userId:959199",
        "isSensitive": False,
    }


def test_each_subscribed_property_has_an_event_of_its_own_and_others_have_none(hub):
    """`jobtitle` and the modified date are not watched; a cleared value is an empty text."""
    hub.person("update", "contacts", "1001", city=None, phone="+1 555 0100", jobtitle="Founder")

    found = events(hub)
    assert {(e["propertyName"], e["propertyValue"]) for e in found} == {("city", ""), ("phone", "+1 555 0100")}
    assert len({e["subscriptionId"] for e in found}) == len({e["eventId"] for e in found}) == 2


def test_a_save_without_a_change_tells_nothing(hub):
    """The modified date moves, which nobody watches."""
    hub.person("update", "contacts", "1001")

    assert hub.out() == []


def test_an_apis_own_write_comes_back_as_an_event_of_its_app(hub):
    """Whoever writes is told of it, with the app as the source."""
    hub.call("PATCH", "/crm/v3/objects/contacts/1001", {"properties": {"city": "Springfield"}}, TOKEN)
    (event,) = events(hub)

    assert (event["changeSource"], event["sourceId"]) == ("INTEGRATION", "1160001")
    assert str(event["appId"]) == event["sourceId"]


def test_a_refused_write_tells_nothing(hub):
    """What was taken back half-way never happened: the comment was written before the unknown line was met."""
    with pytest.raises(AssertionError):
        hub.person("update", "invoices", "5029", hs_comments="Soon", lines=[{"id": "404"}])

    assert hub.out() == []


def test_a_payment_tells_of_itself_and_of_what_it_does_to_the_invoice(hub):
    """Values that HubSpot computes are events too; both ends hear of the association, without an objectId."""
    payment = hub.person("pay", "invoices", "5001")
    found = events(hub)

    computed = {e["propertyName"]: e["propertyValue"] for e in found if e.get("objectId") == 5001}
    assert computed == {"hs_amount_paid": "35.00", "hs_balance_due": "0.00", "hs_invoice_status": "paid"}
    created = next(e for e in found if e["subscriptionType"] == "object.creation")
    assert (created["objectTypeId"], created["changeFlag"]) == ("0-101", "CREATED")
    assert created["objectId"] == int(payment["id"])
    ends = [e for e in found if e["subscriptionType"] == "object.associationChange"]
    assert ("INVOICE_TO_COMMERCE_PAYMENT", 5001, int(payment["id"]), False, "0-53", "0-101", 541) in [
        (
            e["associationType"],
            e["fromObjectId"],
            e["toObjectId"],
            e["associationRemoved"],
            e["fromObjectTypeId"],
            e["toObjectTypeId"],
            e["associationTypeId"],
        )
        for e in ends
    ]
    assert "COMMERCE_PAYMENT_TO_INVOICE" in {e["associationType"] for e in ends}
    assert not any("objectId" in e or "objectTypeId" in e for e in ends)


def test_parting_two_records_says_so(hub):
    """`associationRemoved`, and the primary flag where the type was one."""
    hub.settings(webhook_subscriptions=["contact.associationChange"])
    contact = hub.person("create", "contacts", email="new@example.com", company_id="2001")
    (made,) = events(hub)
    hub.person("update", "contacts", contact["id"], company_id=None)
    (gone,) = events(hub)

    assert (made["associationRemoved"], gone["associationRemoved"]) == (False, True)
    assert made["isPrimaryAssociation"] is gone["isPrimaryAssociation"] is True
    assert made["associationType"] == gone["associationType"] == "CONTACT_TO_COMPANY"


def test_deleting_restoring_and_merging_have_their_events(hub):
    """A merge names both records, the survivor and how many values moved."""
    hub.person("delete", "products", "3016")
    hub.person("restore", "products", "3016")
    hub.person("merge", "contacts", "1001", other="1002")
    found = {e["subscriptionType"]: e for e in events(hub) if e["subscriptionType"] != "object.propertyChange"}

    assert [found[f"object.{name}"]["changeFlag"] for name in ("deletion", "restore")] == ["DELETED", "RESTORED"]
    merge = found["object.merge"]
    assert (merge["objectId"], merge["primaryObjectId"], merge["mergedObjectIds"]) == (1001, 1001, [1002])
    assert (merge["newObjectId"], merge["numberOfPropertiesMoved"]) == (1001, 1)


def test_classic_names_are_for_the_kinds_that_have_them(hub):
    """Contacts leave as `contact.*` without type id, invoices stay generic."""
    hub.settings(webhook_format="classic")
    hub.person("update", "contacts", "1001", city="Springfield")
    hub.person("update", "invoices", "5001", hs_comments="Soon")

    assert told(hub) == [
        ("contact.propertyChange", None, "city"),
        ("object.propertyChange", "0-53", "hs_comments"),
    ]


def test_classic_association_events_have_no_type_ids(hub):
    """Only the fields of the old format."""
    hub.settings(webhook_format="classic", webhook_subscriptions=["contact.associationChange"])
    hub.person("create", "contacts", email="new@example.com", company_id="2001")
    (event,) = events(hub)

    assert event["subscriptionType"] == "contact.associationChange"
    assert not {"objectId", "fromObjectTypeId", "toObjectTypeId", "associationTypeId"} & event.keys()


def test_only_what_was_subscribed_to_is_told(hub):
    """A list of one subscription, which is number one."""
    hub.settings(webhook_subscriptions=["invoice.propertyChange:hs_invoice_status"])
    hub.person("pay", "invoices", "5001")

    assert told(hub) == [("object.propertyChange", "0-53", "hs_invoice_status")]


@pytest.mark.parametrize("name", ["invoice", "invoice.paid", "unicorn.creation", "invoice.propertyChange:", "creation"])
def test_a_name_that_is_no_subscription_is_refused(hub, name):
    """And nothing of the call is done."""
    with pytest.raises(AssertionError, match="no subscription"):
        hub.settings(webhook_subscriptions=[name], index_lag=3)

    assert hub.settings()["index_lag"] == 0


def test_a_batch_of_writes_leaves_in_requests_of_at_most_a_hundred_events(hub):
    """One hundred contacts with two watched values each: 300 events, three requests."""
    inputs = [{"properties": {"email": f"{n}@example.com", "city": "Springfield"}} for n in range(100)]
    hub.call("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs}, TOKEN)

    assert [len(json.loads(attempt.body)) for attempt in hub.due()] == [100, 100, 100]


def test_ten_retries_within_a_day_with_growing_jittered_waits(hub):
    """Each is marked with its number; after the tenth the events are given up."""
    hub.person("update", "contacts", "1001", city="Springfield")
    waits, numbers = [], []
    for _ in range(11):
        (attempt,) = hub.due()
        numbers.append(json.loads(attempt.body)[0]["attemptNumber"])
        hub.answer(attempt, 503)
        waits.append(hub.wait())
        hub.later(waits[-1] or 0)

    assert numbers == list(range(11))
    assert waits.pop() is None
    assert sum(waits) < 24 * 3600
    assert 30 <= waits[0] <= 60
    assert 5 * 3600 <= waits[-1] <= 10 * 3600
    assert any(wait % 30 for wait in waits)


def test_no_failure_holds_other_events_back(hub):
    """While one request waits for its retry, new events leave."""
    hub.person("update", "contacts", "1001", city="Springfield")
    (attempt,) = hub.due()
    hub.answer(attempt, 0, "timeout")
    hub.person("update", "contacts", "1001", city="Shelbyville")

    assert [e["propertyValue"] for e in events(hub)] == ["Shelbyville"]
