"""QuickBooks sandbox: change data capture, batches, requestid, limits and the vendor's own faults."""

from datetime import timedelta

import pytest

from syncd.sandbox.base import Request


def cdc(qbo, entities, since):
    status, answer = qbo.call("GET", "cdc", entities=entities, changedSince=since.isoformat())
    assert status == 200, answer
    return answer["CDCResponse"][0]["QueryResponse"]


def batch(qbo, *items, **args):
    status, answer = qbo.call("POST", "batch", {"BatchItemRequest": list(items)}, **args)
    assert status == 200, answer
    return answer["BatchItemResponse"]


def code(item):
    return item["Fault"]["Error"][0]["code"]


def test_cdc_tells_everything_that_changed(qbo):
    """One element per kind in the order asked: changed objects whole, deleted ones as stubs, unchanged kinds {}."""
    qbo.later(minutes=30)
    start = qbo.now
    qbo.pay("70", 1, "20")
    qbo.ok("Invoice", {"Id": "69", "SyncToken": "0"}, operation="delete")
    qbo.vendor.person("archive", "Customer", "6", {}, qbo.now)
    invoices, payments, customers, items = cdc(qbo, "Invoice,Payment,Customer,Item", start)
    assert {each["Id"] for each in invoices["Invoice"]} == {"69", "70"}
    stub = next(each for each in invoices["Invoice"] if each["Id"] == "69")
    assert set(stub) == {"domain", "status", "Id", "MetaData"}
    assert stub["status"] == "Deleted"
    assert len(payments["Payment"]) == 1
    assert customers["Customer"][0]["Active"] is False
    assert items == {}


def test_cdc_includes_its_own_second(qbo):
    """changedSince is inclusive, and times have no fractions."""
    made = qbo.invoice()
    (found,) = cdc(qbo, "Invoice", qbo.now)
    assert found["Invoice"][0]["Id"] == made["Id"]
    assert cdc(qbo, "Invoice", qbo.now + timedelta(seconds=1)) == [{}]


def test_cdc_looks_back_30_days(qbo):
    """More than 30 days by the vendor's clock is 2190, or silently shortened where the settings say so."""
    qbo.invoice()
    early = (qbo.now - timedelta(days=30, seconds=1)).isoformat()
    status, answer = qbo.call("GET", "cdc", entities="Invoice", changedSince=early)
    assert (status, code(answer)) == (400, "2190")
    qbo.set(cdc_too_old="clamp")
    assert qbo.call("GET", "cdc", entities="Invoice", changedSince=early)[0] == 200


def test_cdc_cap_is_silent(qbo):
    """The cap counts over all kinds, or per kind, and nothing says that it struck."""
    start = qbo.now
    for _ in range(3):
        qbo.pay(qbo.invoice()["Id"], 1)
    qbo.set(cdc_cap=4)
    assert [each["maxResults"] for each in cdc(qbo, "Invoice,Payment", start)] == [3, 1]
    qbo.set(cdc_cap_per_entity=True)
    assert [each["maxResults"] for each in cdc(qbo, "Invoice,Payment", start)] == [3, 3]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"entities": "TaxCode", "changedSince": "2026-11-01"}, "500"),
        ({"entities": "Invoice"}, "2020"),
        ({"entities": "Invoice", "changedSince": "soon"}, "2030"),
    ],
)
def test_cdc_refusals(qbo, args, expected):
    """Kinds without CDC and nonsense parameters are refused."""
    assert code(qbo.call("GET", "cdc", **args)[1]) == expected


def test_batch_items_have_their_own_outcome(qbo):
    """Items run in order; one that fails does not stop the others; a query is an item too."""
    outcomes = batch(
        qbo,
        {"bId": "a", "operation": "create", "Customer": {"DisplayName": "Cool Cars"}},
        {
            "bId": "b",
            "operation": "update",
            "Invoice": {"Id": "70", "SyncToken": "0", "sparse": True, "PrivateNote": "x"},
        },
        {"bId": "c", "operation": "void", "Invoice": {"Id": "75", "SyncToken": "0"}},
        {"bId": "d", "operation": "update", "optionsData": "include=void", "Payment": {"Id": "76", "SyncToken": "0"}},
        {"bId": "e", "Query": "select Id from Invoice where DocNumber = '1024'"},
        {"bId": "f", "operation": "delete", "Invoice": {"Id": "70", "SyncToken": "0"}},
        {"operation": "delete", "Invoice": {"Id": "70", "SyncToken": "1"}},
        {"bId": "h", "operation": "create", "Robot": {}},
    )
    assert [each["bId"] for each in outcomes] == ["a", "b", "c", "d", "e", "f", None, "h"]
    assert code(outcomes[0]) == "6240"
    assert outcomes[1]["Invoice"]["SyncToken"] == "1"
    assert outcomes[2]["Invoice"]["PrivateNote"] == "Voided"
    assert outcomes[3]["Payment"]["TotalAmt"] == 0
    assert outcomes[4]["QueryResponse"]["Invoice"][0]["Id"] == "70"
    assert [code(each) for each in outcomes[5:]] == ["5010", "2020", "2020"]


def test_batch_does_not_see_what_it_made(qbo, line):
    """A record made earlier in the same batch can be neither referred to nor found; afterwards it can."""
    bill = {"CustomerRef": {"value": "57"}, "Line": [line(1)]}
    made, invoice, found = batch(
        qbo,
        {"bId": "1", "operation": "create", "Customer": {"DisplayName": "Newcomer"}},
        {"bId": "2", "operation": "create", "Invoice": bill},
        {"bId": "3", "Query": "select * from Customer where DisplayName = 'Newcomer'"},
    )
    assert made["Customer"]["Id"] == "57"
    assert code(invoice) == "2500"
    assert found["QueryResponse"] == {}
    qbo.ok("Invoice", bill)


def test_batch_size(qbo):
    """More than 30 items are refused as a whole."""
    items = [{"bId": str(n), "Query": "select count(*) from Item"} for n in range(31)]
    assert len(batch(qbo, *items[:30])) == 30
    assert code(qbo.call("POST", "batch", {"BatchItemRequest": items})[1]) == "1040"


def test_requestid_runs_once(qbo, line):
    """The same id brings the first answer again, byte for byte, and nothing happens a second time."""
    body = {"CustomerRef": {"value": "2"}, "Line": [line(1)]}
    first = qbo.call("POST", "invoice", body, requestid="r1")
    qbo.later(days=3)
    qbo.token = qbo.tokens(grant_type="refresh_token", refresh_token="RT1-sandbox-seed")[1]["access_token"]
    assert qbo.call("POST", "invoice", {**body, "PrivateNote": "other"}, requestid="r1") == first
    entry = qbo.vendor.journal.entries[-1]
    assert (len(qbo.vendor.journal.entries), entry.key, entry.caller) == (1, "r1", "api:sandbox-client")
    assert (entry.operation, entry.kind, entry.fields) == ("create", "Invoice", body)
    qbo.set(requestid_mismatch="fault")
    assert qbo.refused("Invoice", {**body, "PrivateNote": "third"}, requestid="r1") == "600"


def test_requestid_of_a_refused_write(qbo, line):
    """A refusal is a first answer too, unless the settings say otherwise."""
    body = {"CustomerRef": {"value": "2"}, "Line": [line(1)], "DocNumber": "1024"}
    assert qbo.refused("Invoice", body, requestid="r2") == "6140"
    qbo.set(WarnDuplicateNumber=False)
    assert qbo.refused("Invoice", body, requestid="r2") == "6140"
    qbo.set(requestid_replays_faults=False, WarnDuplicateNumber=True)
    assert qbo.refused("Invoice", body, requestid="r3") == "6140"
    qbo.set(WarnDuplicateNumber=False)
    qbo.ok("Invoice", body, requestid="r3")


def test_requestid_on_a_batch(qbo):
    """A batch is replayed as a whole; its id has 36 characters at most, its bIds 10."""
    item = {"bId": "1", "operation": "create", "Customer": {"DisplayName": "Once"}}
    assert batch(qbo, item, requestid="b" * 36) == batch(qbo, item, requestid="b" * 36)
    assert code(qbo.call("POST", "batch", {"BatchItemRequest": [item]}, requestid="b" * 37)[1]) == "2130"
    assert code(batch(qbo, {**item, "bId": "x" * 11}, requestid="c")[0]) == "2130"
    assert qbo.refused("Customer", {"DisplayName": "Y"}, requestid="r" * 51) == "2130"


def test_limits_are_off_until_asked_for(qbo):
    """With limits on, too many calls in a second or minute, or too many batches, get 429/3001 until time has passed."""
    for _ in range(30):
        assert qbo.call("GET", "preferences")[0] == 200
    qbo.set(limits=True, limit_batches_per_minute=2)
    for _ in range(10):
        assert qbo.call("GET", "preferences")[0] == 200
    status, answer = qbo.call("GET", "preferences")
    assert (status, code(answer), answer["Fault"]["type"]) == (429, "3001", "SERVICE")
    qbo.later(seconds=1)
    item = {"bId": "1", "Query": "select count(*) from Item"}
    batch(qbo, item)
    batch(qbo, item)
    assert qbo.call("POST", "batch", {"BatchItemRequest": [item]})[0] == 429
    qbo.later(seconds=60)
    batch(qbo, item)


def test_own_faults(qbo):
    """A whole call, one batch item, or the token endpoint can be made to fail; other requests pass."""
    head = {"authorization": f"Bearer {qbo.token}"}
    api = "/v3/company/9130000000000001/"
    read = Request("GET", api + "preferences", "", head)
    refused = qbo.vendor.fault("error_code", {"code": "6190", "detail": "ended"}, read, qbo.now)
    assert refused.status == 400
    assert b'"code":"6190"' in refused.body
    assert b'"Detail":"ended"' in refused.body
    assert qbo.vendor.fault("error_code", {"code": "120"}, read, qbo.now).status == 401
    assert qbo.vendor.fault("fault_200", {"code": "6190"}, read, qbo.now).status == 200
    token = Request("POST", "/oauth2/v1/tokens/bearer")
    assert qbo.vendor.fault("invalid_grant", {}, token, qbo.now).status == 400
    assert qbo.vendor.fault("invalid_grant", {}, read, qbo.now) is None
    assert qbo.vendor.fault("item_fault", {"code": "3001"}, read, qbo.now) is None
    with pytest.raises(KeyError):
        qbo.vendor.fault("earthquake", {}, read, qbo.now)


def test_item_fault_spoils_one_item(qbo):
    """The chosen item of a batch fails without running, the others run."""
    body = b"""{"BatchItemRequest": [
        {"bId": "1", "operation": "create", "Customer": {"DisplayName": "First"}},
        {"bId": "2", "operation": "create", "Customer": {"DisplayName": "Second"}}]}"""
    request = Request("POST", "/v3/company/9130000000000001/batch", "", {"authorization": f"Bearer {qbo.token}"}, body)
    answer = qbo.vendor.fault("item_fault", {"code": "3001", "item": 2}, request, qbo.now)
    assert answer.status == 200
    assert b'"bId":"2","Fault"' in answer.body
    assert [entry.fields["DisplayName"] for entry in qbo.vendor.journal.entries] == ["First"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"', b"[" * 5000, b'{"Line": {"a": 1}}', b'{"Id": {}}'])
def test_nonsense_bodies_get_a_fault(qbo, body):
    """Whatever a client sends, the vendor answers with a fault."""
    head = {"authorization": f"Bearer {qbo.token}"}
    for path in ("invoice", "batch", "customer", "payment"):
        response = qbo.raw("POST", f"/v3/company/9130000000000001/{path}", "", body, head)
        assert response.status == 400
        assert b'"Fault"' in response.body


def test_unknown_paths(qbo):
    """Unknown names, upper-case names and other hosts' paths are 404; a known name with a wrong method is 500."""
    for path in ("Invoice", "robot", "invoice/1/2"):
        assert qbo.raw("GET", f"/v3/company/9130000000000001/{path}").status == 404
    assert code(qbo.call("DELETE", "invoice")[1]) == "500"
