"""Batches: 100 rows, 207, trace ids, upsert, and results in another order."""

from __future__ import annotations

import pytest


def batch(hub, kind, operation, inputs, **more):
    return hub("POST", f"/crm/v3/objects/{kind}/batch/{operation}", {"inputs": inputs, **more})


def test_a_batch_read_answers_in_its_own_order(hub):
    """Not the order of the inputs; no associations."""
    status, body = batch(hub, "contacts", "read", [{"id": "1001"}, {"id": "1002"}], properties=["email"])
    assert (status, body["status"]) == (200, "COMPLETE")
    assert [each["id"] for each in body["results"]] == ["1002", "1001"]
    assert "associations" not in body["results"][0]


def test_missing_ids_of_a_batch_read_are_one_entry_of_a_207(hub):
    """Archived records are missing too, and can be asked for by e-mail."""
    hub("DELETE", "/crm/v3/objects/contacts/1002")
    status, body = batch(hub, "contacts", "read", [{"id": id} for id in ("1001", "1002", "7", "8")])
    assert (status, body["numErrors"], len(body["results"])) == (207, 1, 1)
    assert body["errors"] == [
        {
            "status": "error",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist. "
            "Check that ids are valid.",
            "category": "OBJECT_NOT_FOUND",
            "context": {"ids": ["1002", "7", "8"]},
        }
    ]
    status, body = batch(
        hub, "contacts", "read", [{"id": "surf@intuit.com"}, {"id": "birds@intuit.com"}], idProperty="email"
    )
    assert [each["id"] for each in body["results"]] == ["1001"]


def test_a_merged_id_is_read_as_its_survivor(hub):
    """Once, even when both are asked for."""
    hub("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": "1011", "objectIdToMerge": "1010"})
    body = batch(hub, "contacts", "read", [{"id": "1010"}, {"id": "1011"}])[1]
    assert [each["id"] for each in body["results"]] == ["1011"]


@pytest.mark.parametrize("operation", ["read", "create", "update", "upsert", "archive"])
def test_more_than_a_hundred_or_no_inputs_are_refused(hub, operation):
    """For every operation."""
    rows = [{"id": str(id), "properties": {"firstname": "x"}} for id in range(101)]
    assert batch(hub, "contacts", operation, rows)[0] == 400
    assert batch(hub, "contacts", operation, [])[0] == 400


def test_one_bad_row_fails_a_batch_without_trace_ids(hub):
    """As a whole, with nothing written."""
    rows = [{"properties": {"name": "Good"}}, {"properties": {"name": "Bad", "missing": "1"}}]
    status, body = batch(hub, "line_items", "create", rows)
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert hub.journal() == []
    assert "Good" not in str(hub.vendor.records("line_items"))
    one_without = [{**rows[0], "objectWriteTraceId": "1"}, rows[1]]
    assert batch(hub, "line_items", "create", one_without)[0] == 400


def test_with_trace_ids_each_row_has_its_own_outcome(hub):
    """207 with results and errors, told apart by trace id."""
    rows = [
        {"objectWriteTraceId": "a", "properties": {"name": "Good", "price": "2", "quantity": "3"}},
        {"objectWriteTraceId": "b", "properties": {"missing": "1"}},
        {"objectWriteTraceId": "c", "properties": {"name": "Good too"}},
    ]
    status, body = batch(hub, "line_items", "create", rows)
    assert status == 207
    assert [each["objectWriteTraceId"] for each in body["results"]] == ["c", "a"]
    assert body["results"][1]["properties"]["amount"] == "6.00"
    assert body["numErrors"] == 1
    assert body["errors"][0]["context"] == {"objectWriteTraceId": ["b"]}
    assert body["errors"][0]["message"].startswith("Property values were not valid: [")
    assert [operation for _, operation, _ in hub.journal()] == ["create", "create"]


def test_a_complete_batch_create_is_a_201_with_associations(hub):
    """And an existing e-mail is an entry of category CONFLICT."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    rows = [{"properties": {"firstname": "A"}, "associations": [{"to": {"id": "2001"}, "types": types}]}]
    status, body = batch(hub, "contacts", "create", rows)
    assert status == 201
    ends = hub.get(f"/crm/v4/objects/contacts/{body['results'][0]['id']}/associations/companies")["results"]
    assert [each["toObjectId"] for each in ends] == [2001]
    taken = [{"properties": {"email": "birds@intuit.com"}, "objectWriteTraceId": "t"}]
    status, body = batch(hub, "contacts", "create", taken)
    assert (status, body["errors"][0]["category"]) == (207, "CONFLICT")


def test_a_batch_update_passes_over_unknown_ids(hub):
    """They are one entry; the rest is done; the same id twice is refused."""
    rows = [{"id": id, "properties": {"city": "Aptos"}} for id in ("1001", "77", "78")]
    status, body = batch(hub, "contacts", "update", rows)
    assert (status, body["numErrors"], body["errors"][0]["context"]["ids"]) == (207, 1, ["77", "78"])
    assert [each["id"] for each in body["results"]] == ["1001"]
    assert batch(hub, "contacts", "update", [rows[0], rows[0]])[0] == 400


def test_upsert_by_email_says_which_rows_are_new(hub):
    """By a property that is not unique it is refused."""
    rows = [
        {"id": "birds@intuit.com", "idProperty": "email", "properties": {"city": "Aptos"}},
        {"id": "newcomer@example.com", "idProperty": "email", "properties": {"city": "Aptos"}},
    ]
    status, body = batch(hub, "contacts", "upsert", rows)
    assert status == 200
    assert {each["properties"].get("email"): each["new"] for each in body["results"]} == {
        None: False,
        "newcomer@example.com": True,
    }
    row = {"id": "PUMP", "idProperty": "hs_sku", "properties": {"price": "1"}}
    assert batch(hub, "products", "upsert", [row])[0] == 400


def test_upsert_by_a_custom_unique_property(hub):
    """The property holds the id of the row afterwards; two records cannot share it."""
    definition = {
        "name": "syncd_ref",
        "label": "Reference",
        "type": "string",
        "fieldType": "text",
        "groupName": "companyinformation",
        "hasUniqueValue": True,
    }
    assert hub("POST", "/crm/v3/properties/companies", definition)[0] == 201
    row = {"id": "qbo:1", "idProperty": "syncd_ref", "properties": {"name": "Acme"}}
    first = batch(hub, "companies", "upsert", [row])[1]["results"][0]
    second = batch(hub, "companies", "upsert", [row])[1]["results"][0]
    assert (first["new"], second["new"], first["id"]) == (True, False, second["id"])
    assert hub.properties("companies", first["id"], "syncd_ref") == {"syncd_ref": "qbo:1"}
    assert hub.patch("companies", "2001", syncd_ref="QBO:1")[0] == 409


def test_a_batch_archive_is_a_204_whatever_the_ids(hub):
    """Unless a rule forbids one: then nothing is archived."""
    assert batch(hub, "contacts", "archive", [{"id": "1021"}, {"id": "77"}]) == (204, None)
    assert hub("GET", "/crm/v3/objects/contacts/1021")[0] == 404
    assert batch(hub, "invoices", "archive", [{"id": "5029"}, {"id": "5001"}])[0] == 400
    assert hub("GET", "/crm/v3/objects/invoices/5029")[0] == 200
