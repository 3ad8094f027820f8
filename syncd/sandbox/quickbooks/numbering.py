"""DocNumber: who gives it, what comes next, and what is taken already."""

from __future__ import annotations

import re

from syncd.sandbox.quickbooks.books import Books, Call
from syncd.sandbox.quickbooks.errors import Fault
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import Json

AUTO = "AUTO_GENERATE"
MOST = 21


def with_number(books: Books, call: Call, kind: str, before: Record | None, fields: Json) -> Json:
    """The fields with the DocNumber they will have.

    Without one the company numbers the document, unless its preference CustomTxnNumbers leaves that to the caller.

    Raises:
        Fault: 6140, the number is taken and the company wants to be warned.
    """
    old = before.fields.get("DocNumber") if before else None
    number = fields.get("DocNumber")
    if number == AUTO or (not number and not books.settings.CustomTxnNumbers):
        return {**fields, "DocNumber": old or next_number(books, kind)}
    if not number:
        return {key: value for key, value in fields.items() if key != "DocNumber"}
    taken = [id for id in books.store.numbered(kind, number) if before is None or id != before.id]
    allowed = "allowduplicatedocnum" in call.include or not books.settings.WarnDuplicateNumber
    if taken and number != old and not allowed:
        raise Fault(
            "6140",
            "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
            f"DocNumber={number} is assigned to TxnType={kind} with TxnId={taken[0]}",
        )
    return fields


def next_number(books: Books, kind: str) -> str:
    """One more than the last number used, skipping what is taken."""
    last = _last(books, kind)
    while True:
        last = _plus_one(last)
        if not books.store.numbered(kind, last):
            return last


def _last(books: Books, kind: str) -> str:
    numbers = (record.fields.get("DocNumber") or "?" for record in books.store.newest(kind))
    if books.settings.numbering_follows_last:
        return next((number for number in numbers if number[-1] in "0123456789"), "1000")
    return str(max((int(number) for number in numbers if number.isdecimal()), default=1000))


def _plus_one(number: str) -> str:
    prefix, digits = re.fullmatch(r"(.*?)([0-9]*)", number, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{prefix}{int(digits or 0) + 1:0{len(digits)}d}"[-MOST:]
