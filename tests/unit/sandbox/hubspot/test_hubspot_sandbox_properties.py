"""Definitions, custom properties, validation errors and scopes."""

from __future__ import annotations

import json

import pytest

REFERENCE = {"name": "syncd_ref", "label": "Reference", "type": "string", "fieldType": "text"}


@pytest.mark.parametrize(
    "kind",
    [
        *("contacts", "companies", "deals", "products", "line_items", "quotes"),
        *("invoices", "commerce_payments", "taxes", "fees", "discounts"),
    ],
)
def test_a_custom_property_can_be_made_and_written_on_every_kind(hub, kind):
    """In a group of its own."""
    group = {"name": "syncd", "label": "syncd"}
    assert hub("POST", f"/crm/v3/properties/{kind}/groups", group)[0] == 201
    assert hub("POST", f"/crm/v3/properties/{kind}/groups", group)[0] == 409
    status, body = hub("POST", f"/crm/v3/properties/{kind}", {**REFERENCE, "groupName": "syncd"})
    assert status == 201
    assert body["modificationMetadata"] == {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False}
    assert body["createdAt"] == "2026-11-02T09:00:00.000Z"
    names = [each["name"] for each in hub.get(f"/crm/properties/2026-03/{kind}")["results"]]
    assert "syncd_ref" in names
    assert {"hs_object_id", "hubspot_owner_id"} <= set(names)
    ids = [each["id"] for each in hub.vendor.records(kind)]
    if ids:
        assert hub.patch(kind, ids[0], syncd_ref="rec-1")[0] == 200


def test_properties_in_batches(hub):
    """Created together or not at all, read with a 207 for unknown names, archived."""
    rows = [{**REFERENCE, "name": name, "groupName": "invoiceinformation"} for name in ("syncd_a", "syncd_b")]
    base = "/crm/v3/properties/invoices"
    status, body = hub("POST", f"{base}/batch/create", {"inputs": rows})
    assert (status, len(body["results"])) == (201, 2)
    new = {**rows[0], "name": "syncd_c"}
    assert hub("POST", f"{base}/batch/create", {"inputs": [{**new, "groupName": "none"}, new]})[0] == 400
    assert hub("GET", f"{base}/syncd_c")[0] == 404
    status, body = hub("POST", f"{base}/batch/read", {"inputs": [{"name": "syncd_a"}, {"name": "syncd_c"}]})
    assert (status, [each["name"] for each in body["results"]]) == (207, ["syncd_a"])
    assert hub("POST", f"{base}/batch/archive", {"inputs": [{"name": "syncd_a"}]})[0] == 204
    assert hub("GET", f"{base}/syncd_a")[0] == 404


def test_metadata_tells_what_cannot_be_written(hub):
    """Calculated, read-only, unique; numbers and amounts of mirrors can be written."""
    found = {each["name"]: each for each in hub.get("/crm/v3/properties/invoices")["results"]}
    assert found["hs_balance_due"]["calculated"] is True
    assert found["hs_balance_due"]["modificationMetadata"]["readOnlyValue"] is True
    assert found["hs_invoice_source"]["modificationMetadata"]["readOnlyValue"] is True
    for name in ("hs_number", "hs_amount_billed", "hs_comments"):
        assert found[name]["modificationMetadata"]["readOnlyValue"] is False
    assert [each["value"] for each in found["hs_invoice_status"]["options"]] == ["draft", "open", "paid", "voided"]
    assert hub.get("/crm/v3/properties/contacts/email")["hasUniqueValue"] is True


def test_definitions_are_checked(hub):
    """Required parts, names, type with field type, group, uniqueness by kind, existing names, HubSpot's own."""
    good = {**REFERENCE, "groupName": "productinformation"}
    base = "/crm/v3/properties/products"
    for change in (
        {"label": ""},
        {"name": "Not Good"},
        {"fieldType": "number"},
        {"groupName": "none"},
        {"hasUniqueValue": True},
    ):
        assert hub("POST", base, good | change)[0] == 400
    assert hub("POST", base, good)[0] == 201
    assert hub("POST", base, good)[0] == 409
    assert hub("PATCH", f"{base}/syncd_ref", {"label": "Other"})[1]["label"] == "Other"
    assert hub("PATCH", f"{base}/price", {"label": "Other"})[0] == 400
    assert hub("DELETE", f"{base}/price")[0] == 400
    assert hub("DELETE", f"{base}/syncd_ref")[0] == 204


def test_all_bad_properties_are_named_at_once(hub):
    """In the recorded layout: JSON inside the message, and again in `errors`."""
    status, body = hub.patch("invoices", "5001", hs_balance_due="0", no_such_property="x")
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    listed = json.loads(body["message"].removeprefix("Property values were not valid: "))
    message = '"hs_balance_due" is a calculated property; its value cannot be set.'
    assert listed[0] == {
        "isValid": False,
        "message": message,
        "error": "READ_ONLY_VALUE",
        "name": "hs_balance_due",
        "localizedErrorMessage": message,
        "propertyValue": "0",
        "portalId": 40000001,
    }
    assert body["errors"][1] == {
        "message": 'Property "no_such_property" does not exist',
        "code": "PROPERTY_DOESNT_EXIST",
        "context": {"propertyName": ["no_such_property"]},
    }


@pytest.mark.parametrize(
    ("kind", "id", "name", "value", "code"),
    [
        ("contacts", "1001", "email", "nobody", "INVALID_EMAIL"),
        ("contacts", "1001", "lifecyclestage", "friend", "INVALID_OPTION"),
        ("deals", "4001", "amount", "much", "INVALID_LONG"),
        ("deals", "4001", "amount", "NaN", "INVALID_LONG"),
        ("deals", "4001", "closedate", "tomorrow", "INVALID_DATE"),
        ("line_items", "502901", "hs_recurring_billing_start_date", "2026-10-01T10:00:00Z", "INVALID_DATE"),
        ("invoices", "5029", "hs_allow_partial_payments", "perhaps", "INVALID_OPTION"),
        ("contacts", "1001", "city", ["x"], "INVALID_TYPE"),
    ],
)
def test_each_code(hub, kind, id, name, value, code):
    """One value that does not fit its property."""
    status, body = hub.patch(kind, id, **{name: value})
    assert (status, body["errors"][0]["code"]) == (400, code)


def test_required_properties(hub):
    """A missing one is named; contacts and companies need one of several."""
    for kind, name in (
        ("invoices", "hs_currency"),
        ("contacts", "email"),
        ("companies", "name"),
        ("quotes", "hs_title"),
        ("commerce_payments", "hs_initial_amount"),
    ):
        status, body = hub("POST", f"/crm/v3/objects/{kind}", {"properties": {}})
        assert (status, body["errors"][0]["code"]) == (400, "MISSING_REQUIRED_PROPERTY")
        assert body["errors"][0]["context"]["propertyName"] == [name]


def test_a_scope_taken_away_answers_403_with_its_name(hub):
    """Objects, definitions and both ends of an association."""
    taken = ["crm.objects.invoices.read", "crm.schemas.contacts.write", "crm.objects.commercepayments.write"]
    hub.vendor.settings({"missing_scopes": taken})
    status, body = hub("GET", "/crm/v3/objects/invoices/5001")
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.invoices.read"]
    assert hub("GET", "/crm/v4/objects/contacts/1001/associations/invoices")[0] == 403
    assert hub("GET", "/crm/v3/objects/contacts/1001?associations=invoices")[0] == 403
    assert hub("POST", "/crm/v3/properties/contacts", REFERENCE)[0] == 403
    assert hub("POST", "/crm/v3/objects/commerce_payments", {})[0] == 403
    assert hub("GET", "/crm/v3/objects/contacts/1001")[0] == 200
