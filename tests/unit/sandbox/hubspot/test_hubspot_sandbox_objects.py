"""Single records: envelope, defaults, text values, history, archive, merge, lists."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/invoices/5001",
        "/crm/v3/objects/invoice/5001",
        "/crm/v3/objects/0-53/5001",
        "/crm/objects/2026-03/invoices/5001",
        "/crm/objects/2026-09/0-53/5001",
    ],
)
def test_both_path_generations_and_all_names_lead_to_the_same_record(hub, path):
    """Classic and dated paths, plural, singular and type id."""
    assert hub.get(path)["id"] == "5001"


def test_unknown_kinds_versions_and_routes_are_refused(hub):
    """A wrong kind is a 400, a wrong route a 404."""
    assert hub("GET", "/crm/v3/objects/spaceships/1")[0] == 400
    assert hub("GET", "/crm/objects/2019-01/contacts")[0] == 404
    assert hub("PUT", "/crm/v3/objects/contacts")[0] == 404


def test_a_read_without_properties_gives_the_usual_set_with_nulls(hub):
    """Empty ones of the set are null, others are not shown."""
    body = hub.get("/crm/v3/objects/contacts/1022")
    assert sorted(body["properties"]) == [
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    ]
    assert body["properties"]["email"] is None
    assert body["archived"] is False


def test_asked_properties_are_text_or_null_and_unknown_names_are_dropped(hub):
    """Whatever the type; the dates and the id are always there."""
    body = hub.get("/crm/v3/objects/invoices/5001?properties=hs_amount_billed,hs_invoice_billable,hs_title,nonsense")
    assert body["properties"] == {
        "hs_amount_billed": "35.00",
        "hs_invoice_billable": "true",
        "hs_title": None,
        "hs_createdate": "2026-08-03T15:00:00Z",
        "hs_lastmodifieddate": "2026-08-03T15:20:00Z",
        "hs_object_id": "5001",
    }


def test_a_list_in_the_address_is_separated_by_commas_or_repeated(hub):
    """Both forms ask for the same properties and associations."""
    names = ("email", "phone", "city")
    short = hub.get(f"/crm/v3/objects/contacts/1001?properties={','.join(names)}&associations=companies,invoices")
    long = "&".join([*(f"properties={name}" for name in names), "associations=companies", "associations=invoices"])
    assert hub.get(f"/crm/v3/objects/contacts/1001?{long}") == short
    assert set(names) <= set(short["properties"])
    assert set(short["associations"]) == {"companies", "invoices"}


def test_a_created_record_keeps_texts_and_says_where_it_is(hub):
    """Numbers and booleans become text, dates ISO, the e-mail lower case; 201 with Location."""
    response = hub.raw(
        "POST",
        "/crm/v3/objects/contacts",
        {"properties": {"email": "New.Person@Example.com", "firstname": "New", "lastname": ""}},
    )
    assert response.status == 201
    assert response.headers["Content-Type"] == "application/json;charset=utf-8"
    id = response.headers["Location"].rpartition("/")[2]
    assert hub.properties("contacts", id, "email", "lastname") == {"email": "new.person@example.com", "lastname": None}
    deal = hub.create("deals", amount=1250.5, closedate=1790000000000)
    assert hub.properties("deals", deal, "amount", "closedate") == {
        "amount": "1250.5",
        "closedate": "2026-09-21T14:13:20Z",
    }


def test_generated_ids_are_beyond_what_a_float_holds_and_shared_between_kinds(hub):
    """A client that parses ids to floats, or mixes up kinds, goes wrong."""
    contact, company = hub.create("contacts", firstname="A"), hub.create("companies", name="A")
    assert contact == company
    assert int(contact) > 2**53


def test_an_update_answers_with_what_was_sent_beside_the_dates(hub):
    """And moves the modified date; writing the same again does not."""
    status, body = hub.patch("contacts", "1001", city="Santa Cruz")
    assert status == 200
    assert body["properties"] == {
        "city": "Santa Cruz",
        "createdate": "2024-01-08T09:07:00Z",
        "hs_object_id": "1001",
        "lastmodifieddate": "2026-11-02T09:00:00Z",
    }
    hub.later()
    assert hub.patch("contacts", "1001", city="Santa Cruz")[1]["updatedAt"] == "2026-11-02T09:00:00.000Z"


def test_history_is_newest_first_and_names_the_source(hub):
    """With value, time, kind and id of the source; in single and batch reads."""
    hub.person("update", "contacts", "1001", city="Aptos")
    hub.later()
    hub.patch("contacts", "1001", city="Soquel")
    body = hub.get("/crm/v3/objects/contacts/1001?propertiesWithHistory=city")
    history = body["propertiesWithHistory"]["city"]
    assert [each["value"] for each in history] == ["Soquel", "Aptos", "Bayshore"]
    assert [each["sourceType"] for each in history] == ["INTEGRATION", "CRM_UI", "CRM_UI"]
    assert history[0]["timestamp"] == "2026-11-02T09:00:01.000Z"
    assert history[0]["sourceId"] == "1160001"
    request = {"inputs": [{"id": "1001"}], "propertiesWithHistory": ["city"], "properties": []}
    batch = hub("POST", "/crm/v3/objects/contacts/batch/read", request)[1]
    assert batch["results"][0]["propertiesWithHistory"]["city"] == history


def test_an_email_belongs_to_one_contact(hub):
    """Letter case does not matter; the answer names the holder; an archived contact frees its address."""
    status, body = hub("POST", "/crm/v3/objects/contacts", {"properties": {"email": "BIRDS@intuit.com"}})
    assert (status, body["category"]) == (409, "CONFLICT")
    assert body["message"] == "Contact already exists. Existing ID: 1001"
    assert hub.patch("contacts", "1002", email="birds@intuit.com")[0] == 409
    assert hub.patch("contacts", "1001", email="birds@intuit.com")[0] == 200
    hub("DELETE", "/crm/v3/objects/contacts/1001")
    hub.create("contacts", email="birds@intuit.com")


def test_a_record_is_found_by_email_and_only_by_unique_properties(hub):
    """`idProperty` on read and update."""
    assert hub.get("/crm/v3/objects/contacts/Birds@intuit.com?idProperty=email")["id"] == "1001"
    assert hub("PATCH", "/crm/v3/objects/contacts/birds@intuit.com?idProperty=email", {"properties": {}})[0] == 200
    assert hub("GET", "/crm/v3/objects/contacts/Amy?idProperty=firstname")[0] == 400


def test_missing_records(hub):
    """A numeric id has a plain text without category, another one its own."""
    status, body = hub("GET", "/crm/v3/objects/contacts/999")
    assert (status, body["message"]) == (404, "resource not found")
    assert "category" not in body
    assert "numeric" in hub("GET", "/crm/v3/objects/contacts/abc")[1]["message"]
    assert hub("PATCH", "/crm/v3/objects/contacts/999", {"properties": {}})[0] == 404
    assert hub("DELETE", "/crm/v3/objects/contacts/999")[0] == 404


def test_an_archived_record_is_listed_as_archived_only(hub):
    """204, then gone from reads and lists, there with `archived=true`; a second delete is no error."""
    assert hub("DELETE", "/crm/v3/objects/contacts/1021") == (204, None)
    assert hub("DELETE", "/crm/v3/objects/contacts/1021")[0] == 204
    assert hub("GET", "/crm/v3/objects/contacts/1021")[0] == 404
    assert hub.get("/crm/v3/objects/contacts/1021?archived=true")["archived"] is True
    listed = hub.get("/crm/v3/objects/contacts?archived=true")["results"]
    assert [(each["id"], each["archivedAt"]) for each in listed] == [("1021", "2026-11-02T09:00:00.000Z")]
    assert "1021" not in {each["id"] for each in hub.get("/crm/v3/objects/contacts?limit=100")["results"]}


def test_lists_are_paged_by_an_opaque_cursor(hub):
    """Every record once; no paging on the last page; at most 100 a page."""
    seen, after = [], ""
    while True:
        body = hub.get(f"/crm/v3/objects/contacts?limit=7&after={after}")
        seen += [each["id"] for each in body["results"]]
        if "paging" not in body:
            break
        after = body["paging"]["next"]["after"]
        assert not after.isdigit()
    assert seen == [str(id) for id in range(1001, 1027)]
    assert len(hub.get("/crm/v3/objects/contacts")["results"]) == 10
    assert hub("GET", "/crm/v3/objects/contacts?limit=101")[0] == 400
    assert hub("GET", "/crm/v3/objects/contacts?after=1001")[0] == 400


def test_a_read_shows_associations_by_kind(hub):
    """Names of the types; a kind without any is left out; archived ends are not shown."""
    block = hub.get("/crm/v3/objects/invoices/5009?associations=contacts,line_items,commerce_payments,deals")
    assert block["associations"] == {
        "contacts": {"results": [{"id": "1009", "type": "invoice_to_contact"}]},
        "line items": {"results": [{"id": "500901", "type": "invoice_to_line_item"}]},
        "commerce_payments": {"results": [{"id": "6001", "type": "invoice_to_commerce_payment"}]},
    }
    hub.vendor.settings({"line_items_key": "line_items"})
    hub("DELETE", "/crm/v3/objects/contacts/1009")
    block = hub.get("/crm/v3/objects/invoices/5009?associations=contacts,line_items")["associations"]
    assert list(block) == ["line_items"]


def test_a_merge_leaves_one_record_behind_both_ids(hub):
    """Gaps are filled, the other e-mail is kept, associations move, the old id answers with the survivor."""
    status, body = hub("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": "1011", "objectIdToMerge": "1010"})
    assert (status, body["id"]) == (200, "1011")
    assert body["properties"]["phone"] == "(650) 555-5879"
    assert body["properties"]["hs_additional_emails"] == "john@melton.com"
    assert hub.get("/crm/v3/objects/contacts/1010")["id"] == "1011"
    assert hub.get("/crm/v3/objects/contacts/john@melton.com?idProperty=email")["id"] == "1011"
    ends = hub.get("/crm/v4/objects/contacts/1011/associations/invoices")["results"]
    assert {each["toObjectId"] for each in ends} == {5010, 5011}
    assert "1010" not in hub.search("contacts")
    row = {"id": "1010", "properties": {"city": "X"}}
    assert hub("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": [row]})[1]["results"] == []


def test_a_merge_may_make_a_third_id(hub):
    """Setting `merge_new_id`: both old ids answer with the new record."""
    hub.vendor.settings({"merge_new_id": True})
    request = {"primaryObjectId": "2003", "objectIdToMerge": "2004"}
    merged = hub("POST", "/crm/v3/objects/companies/merge", request)[1]
    assert merged["id"] not in ("2003", "2004")
    for old in ("2003", "2004"):
        assert hub.get(f"/crm/v3/objects/companies/{old}")["id"] == merged["id"]
    assert (
        hub("POST", "/crm/v3/objects/invoices/merge", {"primaryObjectId": "5001", "objectIdToMerge": "5002"})[0] == 400
    )


def test_every_accepted_write_is_in_the_journal_and_no_refused_one(hub):
    """With caller, operation, kind, id and fields."""
    id = hub.create("contacts", {"2001": 279}, firstname="Ann")
    hub.patch("contacts", id, firstname="Anna")
    hub.patch("contacts", id, nonsense="x")
    hub("DELETE", f"/crm/v3/objects/contacts/{id}")
    entries = hub.vendor.journal.entries
    assert [(entry.operation, entry.id) for entry in entries] == [("create", id), ("update", id), ("archive", id)]
    assert {entry.caller for entry in entries} == {"api:static"}
    assert entries[0].fields == {
        "firstname": "Ann",
        "associations": [{"to": "companies", "id": "2001", "types": [279]}],
    }


def test_a_normalising_portal_changes_what_the_api_writes_without_a_word(hub):
    """Trimming, cutting, rounding; a person's texts are left alone."""
    hub.vendor.settings({"normalise": {"trim": True, "truncate": {"hs_comments": 5}, "round": {"price": 2}}})
    assert hub.patch("invoices", "5001", hs_comments="  too long  ")[1]["properties"]["hs_comments"] == "too l"
    assert hub.properties("products", hub.create("products", name="P", price="1.005"), "price") == {"price": "1.01"}
    hub.person("update", "invoices", "5001", hs_comments=" person ")
    assert hub.properties("invoices", "5001", "hs_comments") == {"hs_comments": " person "}


def test_records_tell_the_truth_about_everything(hub):
    """Archived and merged ones are there and marked, with all associations."""
    hub("DELETE", "/crm/v3/objects/contacts/1021")
    hub("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": "1011", "objectIdToMerge": "1010"})
    records = {each["id"]: each for each in hub.vendor.records("contacts")}
    assert records["1021"]["archived"] is True
    assert records["1010"]["mergedInto"] == "1011"
    assert records["1001"]["associations"] == {"companies": ["2001"], "invoices": ["5001", "5032"], "deals": ["4003"]}
