"""Merging two customers or items: the documents of one go to the other, and it is gone."""

from __future__ import annotations

from dataclasses import replace

from syncd.sandbox.quickbooks.books import Books, Call, present, touched
from syncd.sandbox.quickbooks.errors import business
from syncd.sandbox.quickbooks.store import TRANSACTIONS, Record
from syncd.sandbox.quickbooks.wire import Json, ref, ref_id
from syncd.sandbox.quickbooks.writes import SALES


def merge_customers(books: Books, call: Call, winner: Record, loser: Record) -> Json:
    """Give all of the loser's documents and sub-customers to the winner.

    What CDC says of a loser is not documented: it is deleted, or inactive where the settings say so.

    Raises:
        Fault: 6000 for a customer merged with itself or its own sub-customer.
    """
    if winner.id == loser.id or ref_id(winner.fields, "ParentRef") == loser.id:
        raise business("These two customers cannot be merged.")
    with books.store.atomic():
        for kind in TRANSACTIONS:
            for record in list(books.store.every(kind)):
                if not record.deleted and ref_id(record.fields, "CustomerRef") == loser.id:
                    _give(books, call, record, {"CustomerRef": ref(winner.id, winner.fields["DisplayName"])})
        for job in books.store.jobs(loser.id):
            sub = books.store.get("Customer", job)
            if sub is not None:
                full = f"{winner.fields['FullyQualifiedName']}:{sub.fields['DisplayName']}"
                _give(books, call, sub, {"ParentRef": ref(winner.id), "FullyQualifiedName": full})
        if books.settings.merge_loser == "inactive":
            books.store.put(touched(loser, call, {**loser.fields, "Active": False}))
        else:
            books.store.put(replace(touched(loser, call, loser.fields), deleted=True))
        survivor = touched(winner, call, winner.fields)
        books.store.put(survivor)
    gone = "update" if books.settings.merge_loser == "inactive" else "delete"
    books.journal.add(call.now, call.caller, gone, "Customer", loser.id, {"merged_into": winner.id})
    books.journal.add(call.now, call.caller, "update", "Customer", winner.id, {"merged": loser.id})
    return present(books, survivor)


def merge_items(books: Books, call: Call, winner: Record, loser: Record) -> Json:
    """Name the winner on every line that named the loser.

    Raises:
        Fault: 6000 for an item merged with itself.
    """
    if winner.id == loser.id:
        raise business("These two items cannot be merged.")
    named = ref(winner.id, winner.fields["Name"])
    with books.store.atomic():
        for kind in SALES:
            for record in list(books.store.every(kind)):
                lines = [_renamed(line, loser.id, named) for line in record.fields["Line"]]
                if not record.deleted and lines != record.fields["Line"]:
                    _give(books, call, record, {"Line": lines})
        books.store.put(replace(touched(loser, call, loser.fields), deleted=True))
        survivor = touched(winner, call, winner.fields)
        books.store.put(survivor)
    books.journal.add(call.now, call.caller, "delete", "Item", loser.id, {"merged_into": winner.id})
    books.journal.add(call.now, call.caller, "update", "Item", winner.id, {"merged": loser.id})
    return present(books, survivor)


def _renamed(line: Json, old: str, named: Json) -> Json:
    detail = line.get("SalesItemLineDetail") or {}
    if ref_id(detail, "ItemRef") != old:
        return line
    return {**line, "SalesItemLineDetail": {**detail, "ItemRef": named}}


def _give(books: Books, call: Call, record: Record, changes: Json) -> None:
    books.store.put(touched(record, call, {**record.fields, **changes}))
    books.journal.add(call.now, call.caller, "update", record.kind, record.id, changes)
