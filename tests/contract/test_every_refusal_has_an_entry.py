"""U-11: whatever refusal the sandbox's vendors can send, the connectors know it and the catalogue has a row for it.

What can be sent is read from the sandbox's own source, so that a refusal that is added there fails here until it is
understood.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd import sandbox
from syncd.connectors.base import Condition
from syncd.connectors.http import HttpReply
from syncd.connectors.hubspot import errors as hubspot
from syncd.connectors.quickbooks import errors as quickbooks
from syncd.connectors.quickbooks.errors import CODES, TEXTS, Effect
from syncd.core.catalogue import CATALOGUE, Group
from syncd.sandbox.hubspot.errors import ApiError, BadProperty, invalid_properties
from syncd.sandbox.quickbooks.errors import CATALOGUE as QUICKBOOKS_SENDS
from syncd.sandbox.quickbooks.errors import Fault, bad_token, business, wrong_realm
from tests.store_samples import NOW

SOURCES = Path(sandbox.__file__).parent
CONNECTION = {"INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION"}  # a matter of the connection, not of a record


def _calls(vendor: str, name: str) -> Iterator[ast.Call]:
    for file in sorted((SOURCES / vendor).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == name:
                yield node


def _text(node: ast.expr | None) -> str | None:
    """A literal, or the fixed part of an f-string."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _named(call: ast.Call, name: str) -> str | None:
    return next((_text(keyword.value) for keyword in call.keywords if keyword.arg == name), None)


def _hubspot() -> set[tuple[int, str | None, str | None]]:
    """Status, category and sub-category of every refusal."""
    found = set()
    for call in _calls("hubspot", "ApiError"):
        status = call.args[0]
        category = _text(call.args[2]) if len(call.args) > 2 else _named(call, "category")
        assert isinstance(status, ast.Constant | ast.Name), ast.unparse(call)
        if isinstance(status, ast.Constant):
            found.add((int(str(status.value)), category, _named(call, "sub_category")))
    return found


def _property_codes() -> set[str]:
    codes = {_text(call.args[1]) for call in _calls("hubspot", "BadProperty") if len(call.args) > 1}
    return {code for code in codes if code}


def _business() -> set[str]:
    return {words for call in _calls("quickbooks", "business") if (words := _text(call.args[0]))}


def test_the_sandbox_is_read() -> None:
    """What the rest of this file goes by is really found."""
    assert len(_hubspot()) > 8
    assert {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"} <= _property_codes()
    assert len(_business()) > 5


@pytest.mark.parametrize(("status", "category", "sub"), sorted(_hubspot(), key=str))
def test_hubspot(status: int, category: str | None, sub: str | None) -> None:
    """A condition of the connection, something to wait for, or a category with a row."""
    error = ApiError(status, "no", category, sub_category=sub)
    reply = HttpReply(
        status=status, headers={"content-type": "application/json"}, body=json.dumps(error.body("1")).encode()
    )
    if hubspot.complaint(reply) or hubspot.problem_of(reply).category in hubspot.RETRYABLE:
        return
    if (trouble := hubspot.trouble_of(reply, None)) is not None:
        assert trouble.condition in Condition
        return
    for name in (sub, category):
        known = name in (None, "CONFLICT", *hubspot.CATALOGUE, *CONNECTION)
        assert known, f"{name} is not understood"
    for object_type in ("contacts", "products", "invoices", "commerce_payments", "line_items"):
        row = CATALOGUE[hubspot.category_of(hubspot.problem_of(reply), status, object_type)]
        assert row.group is Group.FAILED


@pytest.mark.parametrize("code", sorted(_property_codes()))
def test_a_property_that_hubspot_does_not_take(code: str) -> None:
    """Every code of a property has its own category."""
    assert code in hubspot.CATALOGUE
    error = invalid_properties([BadProperty("amount", code, "no")])
    reply = HttpReply(status=400, headers={}, body=json.dumps(error.body("1")).encode())
    row = CATALOGUE[hubspot.category_of(hubspot.problem_of(reply), 400, "invoices")]
    assert (row.group, row.code) == (Group.FAILED, hubspot.CATALOGUE[code])


@pytest.mark.parametrize("code", sorted(QUICKBOOKS_SENDS))
def test_quickbooks(code: str) -> None:
    """Every fault, alone or in a batch."""
    assert int(code) in CODES or int(code) in TEXTS, f"{code} is not understood"
    _understood(Fault(code).body())


@pytest.mark.parametrize("words", sorted(_business()))
def test_a_business_rule_of_quickbooks(words: str) -> None:
    """Code 6000 says what it means in its text only."""
    _understood(business(words).body())


@pytest.mark.parametrize("fault", [bad_token("gone"), wrong_realm()], ids=["token", "realm"])
def test_the_gateway_of_quickbooks(fault: object) -> None:
    """What is refused before the books are reached is the connection's matter."""
    _understood(fault.envelope(NOW))  # type: ignore[attr-defined]


def _understood(body: object) -> None:
    fault = quickbooks.fault_in(body)
    assert fault is not None
    match fault.effect:
        case Effect.REFUSED:
            assert CATALOGUE[fault.name].group is Group.FAILED
        case Effect.TROUBLE | Effect.LOGIN:
            assert Condition(fault.name) in Condition
            assert fault.name == "permission_missing" or CATALOGUE[fault.name].group is Group.CONNECTION
