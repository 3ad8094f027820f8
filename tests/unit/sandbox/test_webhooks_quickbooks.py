"""QuickBooks' webhooks: which events a write gives, both formats, and how a request is signed and tried again."""

import json
from base64 import b64encode

import pytest

from syncd.sandbox.quickbooks.webhooks import signature
from tests.unit.sandbox.webhook_world import Ringing

REALM = "9130000000000001"
TOKEN = "2f4a6c8e-0b1d-4e3f-9a5b-7c9d1e3f5a7b"

VECTORS = {
    "Zz70CQN78B3CixZeTppygtRYFYYU6t6mPwvGNNO/pBI=": b'{"eventNotifications":[{"realmId":"4620816365000000000",'
    b'"dataChangeEvent":{"entities":[{"name":"Invoice","id":"67","operation":"Update",'
    b'"lastUpdated":"2026-03-02T17:17:31.000Z"},{"name":"Payment","id":"101","operation":"Create",'
    b'"lastUpdated":"2026-03-02T17:17:31.000Z"}]}}]}',
    "IQA9qwqFdR9Yeyr6Xu0Tw5Q47fXKqQ3maqyc7kv0RKw=": b'{"eventNotifications":[{"realmId":"4620816365000000000",'
    b'"dataChangeEvent":{"entities":[{"name":"Invoice","id":"129","operation":"Void",'
    b'"lastUpdated":"2026-03-02T17:20:00.000Z"},{"name":"Invoice","id":"33","operation":"Delete",'
    b'"lastUpdated":"2026-03-02T17:20:05.000Z"},{"name":"Invoice","id":"130","operation":"Emailed",'
    b'"lastUpdated":"2026-03-02T17:20:09.000Z"},{"name":"Customer","id":"1","operation":"Merge","deletedId":"27",'
    b'"lastUpdated":"2026-03-02T17:20:11.000Z"}]}}]}',
    "qQOGy/hWVLyipCU4AgjZ+q4Mg51CM9Src6ZcGhDPz9Q=": b'[{"specversion":"1.0",'
    b'"id":"3b0d8a52-5d0e-4f5d-9a1a-7f1c2a4e9d10-Customer-1",'
    b'"source":"intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=","type":"qbo.customer.merged.v1",'
    b'"datacontenttype":"application/json","time":"2026-03-02T17:20:11Z","intuitentityid":"1",'
    b'"intuitaccountid":"4620816365000000000","data":{"deletedid":"27"}}]',
}


@pytest.fixture
def books():
    return Ringing("quickbooks")


def entities(books):
    """The entities due now, of classic requests."""
    found = []
    for body in books.out():
        (notification,) = body["eventNotifications"]
        assert notification["realmId"] == REALM
        found += notification["dataChangeEvent"]["entities"]
    return found


def told(books):
    """(entity, id, operation) due now."""
    return [(e["name"], e["id"], e["operation"]) for e in entities(books)]


@pytest.mark.parametrize("expected", VECTORS)
def test_signatures_agree_with_the_worked_vectors(expected):
    """Base64 of the HMAC over the raw body."""
    assert signature(TOKEN, VECTORS[expected]) == expected


def test_a_request_is_signed_with_the_verifier_token(books):
    """Over exactly the bytes that are sent."""
    books.person("update", "Customer", "1", name="Amy's Birds")
    (attempt,) = books.due()

    assert attempt.headers["intuit-signature"] == signature("sandbox-verifier", attempt.body)
    assert attempt.timeout == 3


def test_an_entity_says_what_happened_and_when(books):
    """Classic format: ids and names only."""
    books.person("update", "Customer", "1", name="Amy's Birds")

    assert entities(books) == [
        {"name": "Customer", "id": "1", "operation": "Update", "lastUpdated": "2026-11-02T09:00:00.000Z"}
    ]


def test_a_payment_also_tells_of_the_invoice_it_settles(books):
    """Created, changed and deleted: the invoice's balance moved each time."""
    books.person("pay", "Invoice", "130", amount=100)
    ((_, payment, _), *_) = created = told(books)
    books.person("void", "Payment", payment)
    voided = told(books)
    books.person("delete", "Payment", payment)
    deleted = told(books)

    assert created == [("Payment", payment, "Create"), ("Invoice", "130", "Update")]
    assert voided == [("Payment", payment, "Void"), ("Invoice", "130", "Update")]
    assert deleted == [("Payment", payment, "Delete")]


def test_a_void_and_a_delete_are_called_so(books):
    """Not updates."""
    line = {"item": "Gardening", "qty": 1, "price": 25}
    first = books.person("create", "Invoice", customer="1", lines=[line])["Id"]
    books.person("void", "Invoice", first)
    books.person("delete", "Invoice", first)

    assert told(books) == [("Invoice", first, operation) for operation in ("Create", "Void", "Delete")]


def test_making_something_inactive_is_a_delete_unless_the_settings_say_otherwise(books):
    """Lists have no other delete; coming back is an update."""
    books.person("archive", "Customer", "6")
    first = told(books)
    books.person("restore", "Customer", "6")
    back = told(books)
    books.settings(webhook_inactive="Update")
    books.person("archive", "Customer", "6")

    assert first == [("Customer", "6", "Delete")]
    assert back == told(books) == [("Customer", "6", "Update")]


def test_a_merge_names_the_survivor_and_who_is_gone(books):
    """One event for the two customers, and one for each document that changed hands."""
    books.person("merge", "Customer", "16", other="20")
    found = entities(books)

    assert [e for e in found if e["name"] == "Customer"] == [
        {
            "name": "Customer",
            "id": "16",
            "operation": "Merge",
            "lastUpdated": "2026-11-02T09:00:00.000Z",
            "deletedId": "20",
        }
    ]
    assert {e["operation"] for e in found if e["name"] == "Invoice"} == {"Update"}


def test_changed_preferences_are_told(books):
    """Somebody switched custom numbers on."""
    books.person("update", "Preferences", CustomTxnNumbers=True)

    assert [(name, operation) for name, _, operation in told(books)] == [("Preferences", "Update")]


def test_a_refused_write_tells_nothing(books):
    """Nor does the invoice that was settled before the next line was found to be too high."""
    links = [
        {"Amount": amount, "LinkedTxn": [{"TxnId": id, "TxnType": "Invoice"}]} for id, amount in (("64", 1), ("65", 99))
    ]
    with pytest.raises(AssertionError, match="more than its open balance"):
        books.person("create", "Payment", customer="25", amount=100, Line=links)

    assert books.out() == []


def test_an_apis_own_writes_are_told_too(books):
    """There is no way to leave them out at the vendor."""
    basic = {"authorization": "Basic " + b64encode(b"sandbox-client:sandbox-secret").decode()}
    form = b"grant_type=refresh_token&refresh_token=RT1-sandbox-seed"
    token = books.raw("POST", "/oauth2/v1/tokens/bearer", form, basic)
    headers = {"authorization": f"Bearer {token['access_token']}", "accept": "application/json"}
    customer = {"DisplayName": "New Garden"}
    made = books.call("POST", f"/v3/company/{REALM}/customer", customer, headers)["Customer"]

    assert told(books) == [("Customer", made["Id"], "Create")]


def test_cloud_events_are_an_array_with_an_id_each(books):
    """The new format, for an update, a creation and a merge."""
    books.settings(webhook_format="cloudevents", webhook_entities=["Customer"])
    books.person("update", "Customer", "1", name="Amy's Birds")
    books.person("create", "Customer", name="New Garden")
    books.person("merge", "Customer", "16", other="20")
    ((update, create, merge),) = books.out()

    assert len({update.pop("id"), create["id"], merge["id"]}) == 3
    assert update.pop("source").startswith("intuit.")
    assert update == {
        "specversion": "1.0",
        "type": "qbo.customer.updated.v1",
        "datacontenttype": "application/json",
        "time": "2026-11-02T09:00:00.000Z",
        "intuitentityid": "1",
        "intuitaccountid": REALM,
        "data": {},
    }
    assert create["type"] == "qbo.customer.created.v1"
    assert (merge["type"], merge["intuitentityid"]) == ("qbo.customer.merged.v1", "16")
    assert merge["data"] == {"deletedid": "20"}


def test_only_chosen_entities_are_told(books):
    """The portal's tick boxes."""
    books.settings(webhook_entities=["Payment"])
    books.person("pay", "Invoice", "130", amount=100)

    assert [name for name, _, _ in told(books)] == ["Payment"]


def test_with_aggregation_a_window_goes_out_at_its_end_each_entity_once(books):
    """Three updates within a minute are one event with the latest time; 09:00:10 to 09:00:30 leave at 09:01:00."""
    books.settings(webhook_aggregate=60)
    for name in ("One", "Two", "Three"):
        books.later(10)
        books.person("update", "Customer", "1", name=name)
    books.person("update", "Item", "1", price=40)

    assert books.out() == []
    assert books.wait() == 30
    books.later(30)
    found = entities(books)
    assert [(e["name"], e["lastUpdated"][11:19]) for e in found] == [("Customer", "09:00:30"), ("Item", "09:00:30")]


def test_later_events_wait_until_the_first_is_acknowledged(books):
    """Then they leave together; with the setting off they do not wait."""
    books.person("update", "Customer", "1", name="One")
    (first,) = books.due()
    books.person("update", "Customer", "2", name="Two")
    assert books.due() == []
    books.answer(first, 500)
    books.person("update", "Customer", "3", name="Three")
    assert books.due() == []
    books.later(10)
    (again,) = books.due()
    books.answer(again)

    assert again.body == first.body
    assert told(books) == [("Customer", "2", "Update"), ("Customer", "3", "Update")]

    books.settings(webhook_hold_back=False)
    books.person("update", "Customer", "1", name="One more")
    (waiting,) = books.due()
    books.answer(waiting, 500)
    books.person("update", "Customer", "2", name="Two more")
    assert told(books) == [("Customer", "2", "Update")]


def test_retries_come_as_the_vendor_says(books):
    """10 s, 20 s, 30 s, 5 min, 20 min, 2 h, 4 h, 6 h, then every 6 h."""
    books.person("update", "Customer", "1", name="One")
    waits = []
    for _ in range(10):
        (attempt,) = books.due()
        books.answer(attempt, 0, "timeout")
        waits.append(books.wait())
        books.later(waits[-1])

    assert waits == [10, 20, 30, 300, 1200, 7200, 14400, 21600, 21600, 21600]


def test_the_payload_names_records_and_nothing_of_what_is_in_them(books):
    """Whoever wants more has to read."""
    books.person("update", "Customer", "1", name="Secret Gardens", note="very secret")
    (attempt,) = books.due()

    assert b"ecret" not in attempt.body
    assert json.loads(attempt.body)
