"""HubSpot's refusals, as recorded, in the words of the catalogue."""

import json

import pytest

from syncd.connectors.base import Condition
from syncd.connectors.http import HttpReply
from syncd.connectors.hubspot.errors import (
    category_of,
    existing_of,
    pause_after,
    problem_of,
    trouble_of,
    words_of,
)
from syncd.core.catalogue import CATALOGUE

LIST = (
    'Property values were not valid: [{"isValid":false,"message":"Property \\"missing\\" does not exist",'
    '"error":"PROPERTY_DOESNT_EXIST","name":"missing","portalId":8412077}]'
)


def reply(status, body=None, **headers):
    """An answer."""
    raw = json.dumps(body).encode() if body is not None else b"<html>"
    return HttpReply(status=status, headers={"content-type": "application/json", **headers}, body=raw)


def coded(code):
    """A validation error with one code."""
    return {"category": "VALIDATION_ERROR", "message": "no", "errors": [{"message": "no", "code": code}]}


CASES = [
    (400, coded("PROPERTY_DOESNT_EXIST"), "contacts", "mapping_invalid"),
    (400, coded("READ_ONLY_VALUE"), "contacts", "field_not_writable"),
    (400, coded("INVALID_OPTION"), "contacts", "option_unknown"),
    (400, coded("INVALID_EMAIL"), "contacts", "field_value_invalid"),
    (400, coded("INVALID_LONG"), "contacts", "field_value_invalid"),
    (400, coded("INVALID_INTEGER"), "contacts", "field_value_invalid"),
    (400, coded("INVALID_DATE"), "contacts", "field_value_invalid"),
    (400, coded("MISSING_REQUIRED_PROPERTY"), "contacts", "field_required"),
    (400, coded("SOMETHING_NEW"), "contacts", "vendor_rejected"),
    (207, {"category": "VALIDATION_ERROR", "message": LIST}, "line_items", "mapping_invalid"),
    (207, {"category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": ["7"]}}, "contacts", "record_gone"),
    (404, {"message": "resource not found"}, "invoices", "record_gone"),
    (409, {"category": "CONFLICT", "message": "Contact already exists."}, "contacts", "customer_ambiguous"),
    (207, {"category": "CONFLICT", "message": "taken"}, "invoices", "duplicate_document_number"),
    (409, {"category": "CONFLICT", "message": "taken"}, "products", "product_ambiguous"),
    (400, {"category": "VALIDATION_ERROR", "context": {"INVALID_OBJECT_IDS": ["1"]}}, "invoices", "record_gone"),
    (400, {"subCategory": "crm.associations.INVALID_ASSOCIATION_TYPE"}, "invoices", "mapping_invalid"),
    (403, {"category": "MISSING_SCOPES"}, "invoices", "permission_missing"),
    (403, {"category": "FORBIDDEN"}, "invoices", "permission_missing"),
    (414, None, "invoices", "vendor_rejected"),
]


@pytest.mark.parametrize(("status", "body", "object_type", "expected"), CASES)
def test_category(status, body, object_type, expected):
    """Codes before sub-categories before categories before the status."""
    assert expected == category_of(problem_of(reply(status, body)), status, object_type)


def test_every_category_is_in_the_catalogue():
    """No name is made up."""
    assert {expected for *_, expected in CASES} <= set(CATALOGUE)


def test_words_are_readable():
    """The list inside a message becomes its sentences; the rest stays as it was said."""
    assert words_of(problem_of(reply(207, {"message": LIST}))) == 'Property "missing" does not exist'
    assert words_of(problem_of(reply(400, {"message": "plain"}))) == "plain"
    assert len(words_of(problem_of(reply(400, {"message": "x" * 9000})))) == 500


def test_the_existing_contact_is_named():
    """Its id stands in the text only."""
    body = {"message": "Contact already exists. Existing ID: 70791348501", "category": "CONFLICT"}

    assert existing_of(problem_of(reply(409, body))) == "70791348501"
    assert existing_of(problem_of(reply(409, {"message": "taken"}))) is None


@pytest.mark.parametrize(
    ("status", "body", "condition"),
    [
        (401, {"category": "INVALID_AUTHENTICATION", "message": "no"}, Condition.AUTHORIZATION_LOST),
        (403, {"category": "MISSING_SCOPES", "message": "no"}, Condition.PERMISSION_MISSING),
        (429, {"policyName": "DAILY", "message": "no"}, Condition.QUOTA_EXHAUSTED),
        (477, None, Condition.VENDOR_UNAVAILABLE),
        (308, None, Condition.MALFORMED_ANSWER),
    ],
)
def test_trouble_of_the_connection(status, body, condition):
    """These concern every record alike."""
    assert condition is trouble_of(reply(status, body), None).condition


@pytest.mark.parametrize("status", [200, 207, 400, 404, 409, 423, 500])
def test_no_trouble_of_the_connection(status):
    """These concern the request."""
    assert trouble_of(reply(status, {"message": "x"}), None) is None


@pytest.mark.parametrize(
    ("answer", "asked", "seconds"),
    [
        (reply(429, {"message": "You have reached your secondly limit.", "policyName": "SECONDLY"}), None, 1),
        (reply(429, {"message": "You have reached your ten_secondly_rolling limit."}), None, 10),
        (reply(429), None, 10),
        (reply(429), 33.0, 33),
        (reply(423), None, 2),
        (reply(423), 7.0, 7),
    ],
)
def test_pauses(answer, asked, seconds):
    """HubSpot promises no Retry-After; where it gives one it counts."""
    assert seconds == pause_after(answer, asked)
