"""Carrying out a query: which fields may be asked for, how values compare, one page of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from syncd.sandbox.quickbooks.books import Books, Call, present
from syncd.sandbox.quickbooks.errors import Fault
from syncd.sandbox.quickbooks.moment import parse_moment
from syncd.sandbox.quickbooks.schema import KINDS
from syncd.sandbox.quickbooks.statement import Condition, Statement, parsed
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import Json, number

MOST = 1000
EVERYWHERE = ("Id", "MetaData.CreateTime", "MetaData.LastUpdatedTime")
_LIST = "Name Active"
FILTERABLE: dict[str, frozenset[str]] = {
    kind: frozenset((*EVERYWHERE, *names.split()))
    for kind, names in {
        "Invoice": "DocNumber CustomerRef TxnDate DueDate Balance SalesTermRef",
        "CreditMemo": "DocNumber CustomerRef TxnDate Balance SalesTermRef",
        "Estimate": "DocNumber CustomerRef TxnDate TxnStatus",
        "SalesReceipt": "DocNumber CustomerRef TxnDate",
        "Payment": "CustomerRef TxnDate TotalAmt PaymentMethodRef",
        "Customer": """DisplayName GivenName FamilyName CompanyName PrimaryEmailAddr Active Balance FullyQualifiedName
            Job ParentRef""",
        "Vendor": "DisplayName GivenName FamilyName CompanyName PrimaryEmailAddr Active",
        "Item": "Name Sku Type Active FullyQualifiedName UnitPrice ParentRef",
        "Account": f"{_LIST} FullyQualifiedName AccountType AccountSubType Classification AcctNum",
        "Term": f"{_LIST} Type",
        "PaymentMethod": _LIST,
        "TaxCode": _LIST,
        "TaxRate": _LIST,
        "CompanyInfo": "",
        "Preferences": "",
    }.items()
}
"""Intuit's reference, as far as a sync needs it; a condition on anything else is 4001."""

COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<": lt, ">": gt, "<=": le, ">=": ge}
PART = {"PrimaryEmailAddr": "Address"}


def query(books: Books, call: Call, text: str) -> Json:
    """The `QueryResponse` object of a statement.

    Raises:
        Fault: 4000 when it cannot be parsed, 4001 when it asks for something that does not exist.
    """
    statement = parsed(text)
    kind = next((kind for kind in KINDS if kind.lower() == statement.kind.lower()), None)
    if kind is None:
        raise invalid(f"Unknown entity {statement.kind}")
    _check(books, kind, statement)
    rows = _matching(books, call, kind, statement)
    if statement.count:
        return {"totalCount": len(rows)}
    for field, descending in reversed(statement.order):
        rows.sort(key=_key(books, field), reverse=descending)
    page = rows[statement.start - 1 :][: min(statement.most, MOST)]
    if not page:
        return {}
    found = [_projected(books, present(books, record), statement.fields) for record in page]
    return {kind: found, "startPosition": statement.start, "maxResults": len(found)}


def invalid(detail: str) -> Fault:
    """4001."""
    return Fault("4001", f"QueryValidationError: {detail}")


def value_of(books: Books, record: Record, field: str) -> object:
    """The value a condition or an order looks at, None when there is none."""
    match field:
        case "Id":
            return int(record.id)
        case "MetaData.CreateTime":
            return record.created
        case "MetaData.LastUpdatedTime":
            return record.updated
        case "Balance" if record.kind == "Customer":
            return books.store.owed(record.id)
    value = record.fields.get(field)
    if isinstance(value, dict):
        return value.get(PART.get(field, "value"))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check(books: Books, kind: str, statement: Statement) -> None:
    if statement.start < 1:
        raise invalid("value 0 is too small. Min allowed value is 1")
    if statement.most > MOST and books.settings.max_results_over == "reject":
        raise invalid(f"value {statement.most} is too large. Max allowed value is {MOST}")
    for field in (*(condition.field for condition in statement.conditions), *(field for field, _ in statement.order)):
        if field not in FILTERABLE[kind]:
            raise invalid(f"Property {field} not found for Entity {kind}")


def _matching(books: Books, call: Call, kind: str, statement: Statement) -> list[Record]:
    tests = [_test(books, condition) for condition in statement.conditions]
    active_only = not any(condition.field == "Active" for condition in statement.conditions)
    return [
        record
        for record in _candidates(books, kind, statement)
        if not record.deleted
        and (record.active or not active_only)
        and (kind, record.id) not in call.hidden
        and all(test(record) for test in tests)
    ]


def _candidates(books: Books, kind: str, statement: Statement) -> Iterable[Record]:
    """The records worth testing: those with the ids asked for, or all."""
    for condition in statement.conditions:
        if condition.field == "Id" and condition.operator in ("=", "IN"):
            found = (books.store.get(kind, id.strip()) for id in dict.fromkeys(condition.values))
            return [record for record in found if record is not None]
    return books.store.every(kind)


def _test(books: Books, condition: Condition) -> Callable[[Record], bool]:
    fold = (lambda text: text) if books.settings.query_case_sensitive else str.casefold
    field = condition.field
    if condition.operator == "LIKE":
        pattern = ".*".join(re.escape(fold(part)) for part in condition.values[0].split("%"))
        like = re.compile(pattern, re.DOTALL)
        return lambda record: like.fullmatch(fold(str(value_of(books, record, field) or ""))) is not None
    compare = COMPARE["=" if condition.operator == "IN" else condition.operator]
    wanted: dict[type, list[object]] = {}

    def test(record: Record) -> bool:
        value = value_of(books, record, field)
        if value is None:
            return any(text.strip() == "" for text in condition.values) and compare is eq
        value = fold(value) if isinstance(value, str) else value
        if type(value) not in wanted:
            wanted[type(value)] = [_typed(fold(text), value, field) for text in condition.values]
        if compare is eq:
            return value in wanted[type(value)]
        return compare(value, wanted[type(value)][0])

    return test


def _typed(text: str, like: object, field: str) -> object:
    """The text of a condition as the type of the value it is compared with."""
    try:
        if isinstance(like, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(like, Decimal):
            return number(text, field)
        if isinstance(like, int):
            return int(text)
    except (KeyError, ValueError, Fault):
        raise invalid(f"Invalid value {text} for property {field}") from None
    if isinstance(like, datetime):
        moment = parse_moment(text.upper())
        if moment is None:
            raise invalid(f"Invalid value {text} for property {field}")
        return moment
    return text


def _key(books: Books, field: str) -> Callable[[Record], tuple[bool, Any]]:
    def key(record: Record) -> tuple[bool, Any]:
        value = value_of(books, record, field)
        if isinstance(value, str):
            return True, value.casefold()
        return value is not None, 0 if value is None else value

    return key


def _projected(books: Books, body: Json, fields: tuple[str, ...]) -> Json:
    if not fields and not books.settings.select_star_omits_sku:
        return body
    if not fields or "*" in fields:
        return {key: value for key, value in body.items() if key != "Sku" or "Sku" in fields}
    wanted = {field.split(".")[0] for field in fields}
    return {key: value for key, value in body.items() if key in wanted or key in ("domain", "sparse")}
