"""Whatever a client sends, it gets an answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.sandbox import hubspot
from syncd.sandbox.base import Request

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HEADERS = {"authorization": "Bearer pat-na1-sandbox-0000-0000"}
VENDOR = hubspot.create()

WORDS = [
    *("inputs", "id", "properties", "associations", "to", "types", "associationTypeId", "from", "filterGroups"),
    *("filters", "propertyName", "operator", "value", "values", "sorts", "limit", "after", "objectWriteTraceId"),
    *("idProperty", "name", "label", "options", "hs_currency", "price", "quantity", "email", "hs_invoice_status"),
    *("propertiesWithHistory", "query", "primaryObjectId", "objectIdToMerge", "hs_initial_amount", "highValue"),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["EQ", "BETWEEN", "IN", "email", "hs_createdate", "1e400", "9" * 45, "5001", "1001", "open", "-1"]),
)
BODIES = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)),
    max_leaves=12,
)
PATHS = [
    ("POST", "/crm/v3/objects/contacts"),
    ("POST", "/crm/v3/objects/line_items"),
    ("PATCH", "/crm/v3/objects/invoices/5029"),
    ("PATCH", "/crm/v3/objects/line_items/502901"),
    ("POST", "/crm/v3/objects/invoices/search"),
    ("POST", "/crm/v3/objects/contacts/merge"),
    *(("POST", f"/crm/v3/objects/contacts/batch/{op}") for op in ("read", "create", "update", "upsert", "archive")),
    *(("POST", f"/crm/v4/associations/contacts/companies/batch/{op}") for op in ("read", "create", "archive")),
    ("PUT", "/crm/v4/objects/contacts/1001/associations/companies/2001"),
    ("POST", "/crm/v3/properties/contacts"),
    ("POST", "/crm/v3/properties/contacts/batch/create"),
    ("POST", "/crm/v3/properties/contacts/groups"),
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(where=st.sampled_from(PATHS), body=BODIES)
def test_any_json_gets_an_answer(where, body):
    """Of the right media type, and no 5xx."""
    response = VENDOR.handle(Request(*where, "", HEADERS, json.dumps(body).encode()), NOW)
    assert response.status < 500
    assert not response.body or response.headers["Content-Type"] == "application/json;charset=utf-8"


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"[" * 100_000, b"null", b'"x"', b"9" * 5000, b""])
def test_any_bytes_get_an_answer(data):
    """Broken JSON, broken UTF-8, endless nesting, numbers too long."""
    for method, path in PATHS:
        assert VENDOR.handle(Request(method, path, "", HEADERS, data), NOW).status < 500


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=-1",
        "limit=999999999999999999999",
        "after=%00",
        "after=YWZ0ZXIgwrI",
        "properties=,,",
        "associations=x",
    ],
)
def test_any_query_gets_an_answer(query):
    """Limits, cursors and lists that make no sense."""
    for path in ("/crm/v3/objects/contacts", "/crm/v4/objects/invoices/5001/associations/line_items"):
        assert VENDOR.handle(Request("GET", path, query, HEADERS), NOW).status < 500


def test_amounts_of_any_size_are_computed():
    """The product of the largest numbers taken still has all its digits."""
    body = {"properties": {"name": "x", "price": "9" * 18, "quantity": "9" * 17 + ".9"}}
    request = Request("POST", "/crm/v3/objects/line_items", "", HEADERS, json.dumps(body).encode())
    assert VENDOR.handle(request, NOW).status == 201
