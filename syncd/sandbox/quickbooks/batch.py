"""Batches: up to 30 operations one after the other, each with its own outcome, none seeing what the others made."""

from __future__ import annotations

from dataclasses import replace

from syncd.sandbox.quickbooks.books import Books, Call
from syncd.sandbox.quickbooks.errors import Fault, missing
from syncd.sandbox.quickbooks.query import query
from syncd.sandbox.quickbooks.schema import PROPERTIES
from syncd.sandbox.quickbooks.wire import Json, objects
from syncd.sandbox.quickbooks.writes import write

BID_LENGTH = 10


def batch(books: Books, call: Call, body: Json, spoiled: dict[int, Fault]) -> Json:
    """The answer's body without its `time`. `spoiled`: item number (from 1) -> the fault a test wants there.

    Raises:
        Fault: 1040 for too many items, 2020 for none.
    """
    items = objects(body.get("BatchItemRequest"), "BatchItemRequest")
    if not items:
        raise missing("BatchItemRequest")
    if len(items) > books.settings.batch_max:
        raise Fault("1040", f"Max batch size is {books.settings.batch_max}. Supplied:{len(items)}")
    answers = []
    for position, item in enumerate(items, start=1):
        try:
            if position in spoiled:
                raise spoiled[position]
            outcome = _outcome(books, call, item)
        except Fault as fault:
            outcome = fault.body()
        answers.append({"bId": item.get("bId"), **outcome})
    return {"BatchItemResponse": answers}


def _outcome(books: Books, call: Call, item: Json) -> Json:
    id = item.get("bId")
    if not isinstance(id, str) or not id:
        raise missing("bId")
    if call.key and len(id) > BID_LENGTH:
        raise Fault("2130", f"bId can have {BID_LENGTH} characters when requestid is used. Supplied:{id}")
    if isinstance(item.get("Query"), str):
        return {"QueryResponse": query(books, call, item["Query"])}
    kinds = [kind for kind in PROPERTIES if isinstance(item.get(kind), dict)]
    if len(kinds) != 1:
        raise missing("BatchItemRequest entity")
    options = str(item.get("optionsData") or "").removeprefix("include=")
    include = frozenset(options.split(",")) - {""}
    operation = str(item.get("operation"))
    if operation == "update" and "void" in include:
        operation = "void"
    answer = write(books, replace(call, include=include), operation, kinds[0], item[kinds[0]])
    if answer.get("SyncToken") == "0":
        call.hidden.add((kinds[0], answer["Id"]))
    return {kinds[0]: answer}
