"""One accepted write: create, update, void or delete of one record, with everything it changes around it."""

from __future__ import annotations

from dataclasses import replace

from syncd.sandbox.quickbooks import lists, names, payments, sales
from syncd.sandbox.quickbooks.books import Books, Call, find, present, touched
from syncd.sandbox.quickbooks.checks import check_enumerations, check_lengths, check_properties, trimmed
from syncd.sandbox.quickbooks.closing import check_open
from syncd.sandbox.quickbooks.errors import Fault, business, gone, missing
from syncd.sandbox.quickbooks.estimates import free_estimates
from syncd.sandbox.quickbooks.schema import NO_WRITES, READ_ONLY
from syncd.sandbox.quickbooks.store import NAMES, TRANSACTIONS, Record
from syncd.sandbox.quickbooks.wire import Json, filled

SALES = ("Invoice", "CreditMemo", "Estimate", "SalesReceipt")
ENVELOPE = ("Id", "SyncToken", "sparse", "MetaData", "domain")
VOIDABLE = ("Invoice", "Payment")
STALE = (
    "Stale Object Error : You and root were working on this at the same time. "
    "root finished before you did, so your work was not saved."
)


def write(books: Books, call: Call, operation: str, kind: str, body: Json) -> Json:
    """Carry out one write or nothing of it; returns the record as the answer shows it.

    `operation` is create, update, void or delete; a create with an Id is an update, as at the vendor.

    Raises:
        Fault: the write is refused.
    """
    if kind in NO_WRITES or operation not in ("create", "update", "void", "delete"):
        raise Fault("500", f"Operation {operation} {kind} is not supported.")
    check_properties(kind, body)
    if "trim" in books.settings.normalise:
        body = trimmed(body)
    with books.store.atomic():
        if operation in ("create", "update") and body.get("Id") is None:
            operation, answer = "create", present(books, _create(books, call, kind, body))
        else:
            record = _current(books, call, kind, body)
            if operation == "delete":
                answer = _delete(books, call, record)
            elif operation == "void":
                answer = present(books, _void(books, call, record))
            else:
                operation, answer = "update", present(books, _update(books, call, record, body))
    wrote = {key: value for key, value in body.items() if key not in ENVELOPE}
    books.journal.add(call.now, call.caller, operation, kind, answer["Id"], wrote, call.key)
    return answer


def _create(books: Books, call: Call, kind: str, body: Json) -> Record:
    given = {key: value for key, value in body.items() if key not in READ_ONLY[kind]}
    id = books.store.new_id(kind)
    fields = _checked(books, kind, filled(given))
    record = Record(kind, id, 0, call.second, call.second, _prepared(books, call, kind, id, None, fields, body))
    books.store.put(record)
    return record


def _update(books: Books, call: Call, record: Record, body: Json) -> Record:
    kind, owned = record.kind, READ_ONLY[record.kind]
    given = {key: value for key, value in body.items() if key not in owned}
    kept = record.fields if body.get("sparse") else {k: v for k, v in record.fields.items() if k in owned}
    if "Active" in record.fields:
        kept = {**kept, "Active": record.fields["Active"]}  # leaving it out of a full update makes nothing inactive
    fields = _checked(books, kind, filled({**kept, **given}))
    new = touched(record, call, _prepared(books, call, kind, record.id, record, fields, body))
    books.store.put(new)
    if kind == "Customer":
        names.rename_jobs(books, new)
    return new


def _void(books: Books, call: Call, record: Record) -> Record:
    if record.kind not in VOIDABLE:
        raise Fault("500", f"Operation void {record.kind} is not supported.")
    if record.kind == "Payment":
        note = sales.void_note(record.fields.get("PrivateNote"))
        new = touched(record, call, payments.voided(books, call, record, note))
    else:
        check_open(books, record.fields)
        if sales.has_payments(record.fields):
            raise business("You cannot void a transaction that has payments applied to it. Remove the payments first.")
        free_estimates(books, call, record.fields)
        new = touched(record, call, sales.voided(record.fields))
    books.store.put(new)
    return new


def _delete(books: Books, call: Call, record: Record) -> Json:
    if record.kind not in TRANSACTIONS:
        raise Fault("500", f"Operation delete {record.kind} is not supported. Set Active to false instead.")
    if record.kind != "Estimate":
        check_open(books, record.fields)
    if record.kind == "Payment":
        payments.check_not_deposited(books, record)
        payments.settle(books, call, record.id, record.fields, None)
    elif sales.has_payments(record.fields):
        words = "Business Validation Error: You cannot delete a transaction that has payments. Remove them first."
        raise Fault(books.settings.delete_refused_code, words)
    else:
        free_estimates(books, call, record.fields)
    books.store.put(replace(touched(record, call, record.fields), deleted=True))
    return {"status": "Deleted", "domain": "QBO", "Id": record.id}


def _current(books: Books, call: Call, kind: str, body: Json) -> Record:
    """The record a request is about, if the caller knows its latest version."""
    id = body.get("Id")
    if id is None:
        raise missing("Id")
    if body.get("SyncToken") is None:
        raise missing("SyncToken")
    record = find(books, call, kind, str(id))
    if record is None:
        raise gone()
    if str(body["SyncToken"]) != str(record.token):
        raise Fault("5010", STALE)
    return record


def _prepared(books: Books, call: Call, kind: str, id: str, before: Record | None, fields: Json, sent: Json) -> Json:
    if kind in SALES:
        return sales.prepared(books, call, sales.Draft(kind, id, before, fields, sent))
    if kind == "Payment":
        return payments.prepared(books, call, id, before, fields)
    if kind in NAMES:
        return names.prepared(books, call, kind, before, fields)
    return lists.prepared(books, call, kind, before, fields)


def _checked(books: Books, kind: str, fields: Json) -> Json:
    check_enumerations(kind, fields)
    return check_lengths(kind, fields, truncate="truncate" in books.settings.normalise)
