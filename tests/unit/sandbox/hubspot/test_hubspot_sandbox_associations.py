"""Associations v4: both directions, labels, batches, and the 207 of records without any."""

from __future__ import annotations


def ends(hub, origin, id, target):
    return hub.get(f"/crm/v4/objects/{origin}/{id}/associations/{target}")["results"]


def test_reading_tells_id_and_types(hub):
    """The other end's id is a number unless the setting says text; ids differ by direction."""
    assert ends(hub, "invoices", "5001", "contacts") == [
        {"toObjectId": 1001, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 177, "label": None}]}
    ]
    assert {each["associationTypes"][0]["typeId"] for each in ends(hub, "contacts", "1001", "invoices")} == {178}
    hub.vendor.settings({"numeric_to_object_id": False})
    assert ends(hub, "invoice", "5001", "0-1")[0]["toObjectId"] == "1001"


def test_pages(hub):
    """By integer offset."""
    page = hub.get("/crm/v4/objects/invoices/5013/associations/line_items?limit=10")
    rest = hub.get(f"/crm/v4/objects/invoices/5013/associations/line_items?after={page['paging']['next']['after']}")
    assert [len(page["results"]), len(rest["results"])] == [10, 2]


def test_a_default_link_answers_with_both_directions(hub):
    """And 200; in both path generations."""
    status, body = hub("PUT", "/crm/v4/objects/contacts/1020/associations/default/companies/2004")
    assert status == 200
    assert [each["associationSpec"]["associationTypeId"] for each in body["results"]] == [279, 280]
    assert body["results"][0]["from"] == {"id": "1020"}
    assert hub("PUT", "/crm/objects/2026-03/contacts/1020/associations/default/deals/4001")[0] == 200
    assert ends(hub, "deals", "4001", "contacts")[-1]["toObjectId"] == 1020


def test_a_labelled_link_replaces_labels_and_primary_is_only_one(hub):
    """Type 1 takes the primary away from the company that had it."""
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    status, body = hub("PUT", "/crm/v4/objects/contacts/1001/associations/companies/2004", spec)
    assert (status, body["labels"]) == (201, ["Primary"])
    types = {
        each["toObjectId"]: [type_["typeId"] for type_ in each["associationTypes"]]
        for each in ends(hub, "contacts", "1001", "companies")
    }
    assert types == {2001: [279], 2004: [1, 279]}
    hub("PUT", "/crm/v4/objects/contacts/1001/associations/companies/2004", [])
    types = [type_["typeId"] for type_ in ends(hub, "contacts", "1001", "companies")[1]["associationTypes"]]
    assert types == [279]


def test_the_old_sub_route_takes_an_id_or_a_name(hub):
    """`.../{toType}/{toId}/{type}`."""
    assert hub("PUT", "/crm/v3/objects/contacts/1020/associations/deals/4001/contact_to_deal")[0] == 200
    assert hub("PUT", "/crm/v3/objects/contacts/1020/associations/deals/4002/4")[0] == 200
    assert hub("PUT", "/crm/v3/objects/contacts/1020/associations/deals/4002/nonsense")[0] == 400
    assert len(ends(hub, "contacts", "1020", "deals")) == 2


def test_delete_parts_the_two_and_again_is_no_error(hub):
    """204, from both ends."""
    for _ in range(2):
        assert hub("DELETE", "/crm/v4/objects/contacts/1001/associations/companies/2001") == (204, None)
    assert ends(hub, "companies", "2001", "contacts") == []


def test_wrong_types_are_refused(hub):
    """A type of another direction, kinds that cannot be linked, records that are not there."""
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 410}]
    status, body = hub("PUT", "/crm/v4/objects/invoices/5029/associations/line_items/502901", spec)
    assert (status, body["subCategory"]) == (400, "crm.associations.INVALID_ASSOCIATION_TYPE")
    assert hub("PUT", "/crm/v4/objects/products/3001/associations/default/invoices/5029")[0] == 400
    assert hub("PUT", "/crm/v4/objects/contacts/1001/associations/default/companies/9")[0] == 404


def test_batch_read_is_a_207_when_an_input_has_none(hub):
    """Such inputs are absent from the results."""
    inputs = [{"id": "5009"}, {"id": "5001"}]
    status, body = hub("POST", "/crm/v4/associations/invoices/commerce_payments/batch/read", {"inputs": inputs})
    assert (status, body["numErrors"]) == (207, 1)
    assert [each["from"]["id"] for each in body["results"]] == ["5009"]
    assert body["errors"][0] == {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": "No commerce_payment is associated with invoice 5001.",
        "context": {
            "fromObjectId": ["5001"],
            "fromObjectType": ["invoice"],
            "toObjectType": ["commerce_payment"],
        },
    }
    status, body = hub("POST", "/crm/associations/2026-03/invoices/line_items/batch/read", {"inputs": [{"id": "5002"}]})
    assert (status, len(body["results"][0]["to"])) == (200, 3)


def test_batches_link_and_part(hub):
    """`create`, `associate/default`, `labels/archive`, `archive`."""
    pair = {"from": {"id": "1020"}, "to": {"id": "2004"}}
    primary = {"types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}
    base = "/crm/v4/associations/contacts/companies/batch"
    status, body = hub("POST", f"{base}/associate/default", {"inputs": [pair]})
    assert (status, len(body["results"])) == (200, 2)
    status, body = hub("POST", f"{base}/create", {"inputs": [pair | primary]})
    assert (status, body["results"][0]["labels"]) == (201, ["Primary"])
    assert hub("POST", f"{base}/labels/archive", {"inputs": [pair | primary]})[0] == 204
    assert ends(hub, "contacts", "1020", "companies")[0]["associationTypes"][0]["typeId"] == 279
    parting = {"from": {"id": "1020"}, "to": [{"id": "2004"}]}
    assert hub("POST", f"{base}/archive", {"inputs": [parting]})[0] == 204
    assert ends(hub, "contacts", "1020", "companies") == []
    many = [{"from": {"id": str(id)}, "to": [{"id": "1"}]} for id in range(101)]
    assert hub("POST", f"{base}/archive", {"inputs": many})[0] == 400


def test_labels_are_listed_under_both_paths(hub):
    """Guide and schema file disagree on the path."""
    first = hub.get("/crm/v4/associations/contacts/companies/labels")
    assert first == hub.get("/crm/associations/v4/contacts/companies/labels")
    assert {each["typeId"]: each["label"] for each in first["results"]} == {
        279: None,
        1: "Primary",
        931: "Billing contact",
    }


def test_an_association_leaves_the_modified_dates_alone_unless_set(hub):
    """Setting `association_bumps`."""
    before = hub.get("/crm/v3/objects/invoices/5001")["updatedAt"]
    hub("PUT", "/crm/v4/objects/invoices/5001/associations/default/companies/2001")
    assert hub.get("/crm/v3/objects/invoices/5001")["updatedAt"] == before
    assert hub.properties("invoices", "5001", "hs_invoice_latest_company_name") == {
        "hs_invoice_latest_company_name": "Amy's Bird Sanctuary"
    }
    hub.vendor.settings({"association_bumps": True})
    hub("DELETE", "/crm/v4/objects/invoices/5001/associations/companies/2001")
    for path in ("invoices/5001", "companies/2001"):
        assert hub.get(f"/crm/v3/objects/{path}")["updatedAt"] == "2026-11-02T09:00:00.000Z"
