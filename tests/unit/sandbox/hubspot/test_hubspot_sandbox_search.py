"""Search: operators, limits, paging, and the index that lags."""

from __future__ import annotations

from datetime import timedelta

import pytest


def only(name, operator, **operand):
    return {"propertyName": name, "operator": operator, **operand}


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (only("hs_invoice_status", "EQ", value="voided"), ["5028"]),
        (only("hs_invoice_status", "EQ", value="VOIDED"), []),
        (only("hs_number", "EQ", value="inv-1004"), ["5004"]),
        (only("hs_invoice_status", "IN", values=["voided", "paid"]), ["5009", "5011", "5028"]),
        (only("hs_number", "IN", values=["INV-1004"]), []),
        (only("hs_number", "IN", values=["inv-1004", "1037"]), ["5004", "5024"]),
        (only("hs_amount_billed", "EQ", value="3514.5"), ["5013"]),
        (only("hs_amount_billed", "GT", value="1000"), ["5013"]),
        (only("hs_amount_billed", "GTE", value="1000"), ["5013", "5015"]),
        (only("hs_amount_billed", "LT", value="35"), ["5030"]),
        (only("hs_amount_billed", "LTE", value="35"), ["5001", "5026", "5030"]),
        (only("hs_amount_billed", "BETWEEN", value="900", highValue="1000"), ["5015", "5017"]),
        (only("hs_purchase_order_number", "HAS_PROPERTY"), ["5007", "5015"]),
        (only("hs_number", "NOT_HAS_PROPERTY"), ["5029", "5030", "5031"]),
        (only("hs_comments", "CONTAINS_TOKEN", value="gate"), ["5007"]),
        (only("hs_purchase_order_number", "CONTAINS_TOKEN", value="PO-88*"), ["5007"]),
        (only("hs_comments", "NOT_CONTAINS_TOKEN", value="gate"), ["5008", "5018"]),
        (only("hs_purchase_order_number", "NEQ", value="PO-88231"), ["5015"]),
        (only("hs_currency", "NOT_IN", values=["usd"]), ["5023"]),
        (only("hs_createdate", "LT", value="1735689600000"), ["5034"]),
        (only("hs_createdate", "LT", value="2025-01-01"), ["5034"]),
        (only("associations.contact", "EQ", value="1016"), ["5020", "5021"]),
    ],
)
def test_each_operator(hub, filter_, found):
    """Text without letter case except for IN, enumerations with it, numbers by value, dates as text or milliseconds."""
    assert hub.search("invoices", filter_) == found


def test_groups_are_alternatives_and_filters_of_a_group_all_hold(hub):
    """A bare list of filters counts as one group; free text looks into every text."""
    paid, small = only("hs_invoice_status", "EQ", value="paid"), only("hs_amount_billed", "LTE", value="200")
    assert hub.search("invoices", paid, small) == ["5009"]
    groups = [{"filters": [paid, small]}, {"filters": [only("hs_number", "EQ", value="1037")]}]
    assert hub.search("invoices", filterGroups=groups) == ["5009", "5024"]
    assert hub.search("invoices", filterGroups=[], filters=[paid]) == ["5009", "5011"]
    assert hub.search("contacts", query="tanaka") == ["1025"]


def test_pages_by_integer_offset_in_the_order_asked(hub):
    """`after` is the offset as text; one sort, empty values last."""
    sorts = [{"propertyName": "hs_lastmodifieddate", "direction": "DESCENDING"}]
    status, first = hub("POST", "/crm/v3/objects/invoices/search", {"sorts": sorts, "limit": 20})
    assert (status, first["total"], first["paging"]) == (200, 34, {"next": {"after": "20"}})
    second = hub("POST", "/crm/v3/objects/invoices/search", {"sorts": sorts, "limit": 20, "after": "20"})[1]
    assert "paging" not in second
    dates = [each["properties"]["hs_lastmodifieddate"] for each in first["results"] + second["results"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 34
    assert hub.search("invoices", sorts=["hs_number"])[-3:] == ["5029", "5030", "5031"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"after": "10000"},
        {"after": "9990", "limit": 11},
        {"after": "next"},
        {"filterGroups": [{"filters": [only("hs_number", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [only("hs_number", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [only("hs_number", "HAS_PROPERTY")] * 5}] * 4},
        {"filterGroups": [{"filters": [only("no_such_name", "HAS_PROPERTY")]}]},
        {"filterGroups": [{"filters": [only("hs_number", "RESEMBLES", value="x")]}]},
        {"filterGroups": [{"filters": [only("hs_amount_billed", "GT", value="much")]}]},
        {"sorts": [{"propertyName": "hs_number"}, {"propertyName": "hs_title"}]},
        {"query": "x" * 3000},
    ],
)
def test_what_search_refuses(hub, body):
    """Page of 200, 10,000 results, 5 groups of 6 filters and 18 in all, one sort, 3,000 characters."""
    status, answer = hub("POST", "/crm/v3/objects/invoices/search", body)
    assert (status, answer["category"]) == (400, "VALIDATION_ERROR")


def test_the_last_reachable_result_can_be_read(hub):
    """The 10,000th is inside."""
    assert hub("POST", "/crm/v3/objects/invoices/search", {"after": "9990", "limit": 10})[0] == 200


def test_changes_reach_the_index_after_the_lag(hub):
    """Until then the old version is found under the old values, a new record not at all."""
    hub.vendor.settings({"index_lag": 30})
    hub.patch("contacts", "1001", city="Aptos")
    new = hub.create("contacts", email="late@example.com")
    hub("DELETE", "/crm/v3/objects/contacts/1021")
    in_aptos = only("city", "EQ", value="aptos")
    by_mail = only("email", "EQ", value="late@example.com")
    hub.later(29)
    assert hub.search("contacts", in_aptos) == hub.search("contacts", by_mail) == []
    assert "1021" in hub.search("contacts")
    old = hub("POST", "/crm/v3/objects/contacts/search", {"query": "lauterbach", "properties": ["city"]})[1]
    assert old["results"][0]["properties"]["city"] == "Bayshore"
    assert old["results"][0]["updatedAt"] == "2024-01-08T09:07:00.000Z"
    hub.later(1)
    assert hub.search("contacts", in_aptos) == ["1001"]
    assert hub.search("contacts", by_mail) == [new]
    assert "1021" not in hub.search("contacts")


def test_polling_by_modified_date_finds_what_changed_since(hub):
    """The recipe of a poller: modified date at or after a moment, oldest first."""
    hub.patch("invoices", "5001", hs_title="a")
    hub.later()
    hub.patch("invoices", "5003", hs_title="b")
    since = str(int((hub.now - timedelta(seconds=1)).timestamp() * 1000))
    sorts = [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}]
    changed = only("hs_lastmodifieddate", "GTE", value=since)
    assert hub.search("invoices", changed, sorts=sorts) == ["5001", "5003"]
