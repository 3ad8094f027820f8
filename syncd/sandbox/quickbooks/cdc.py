"""Change data capture: everything of some kinds that changed since a moment, at most 30 days back."""

from __future__ import annotations

from datetime import timedelta

from syncd.sandbox.quickbooks.books import Books, Call, present
from syncd.sandbox.quickbooks.errors import Fault, missing
from syncd.sandbox.quickbooks.moment import parse_moment
from syncd.sandbox.quickbooks.schema import KINDS
from syncd.sandbox.quickbooks.wire import Json

UNSUPPORTED = ("TaxCode", "TaxRate", "CompanyInfo", "Preferences")
LOOK_BACK = timedelta(days=30)


def changes(books: Books, call: Call, entities: str | None, since: str | None) -> Json:
    """The answer's body without its `time`.

    Each kind's records come oldest change first; what the cap cuts off is not mentioned.

    Raises:
        Fault: 2020 and 2030 for the parameters, 2190 for a moment too long ago, 500 for a kind CDC does not have.
    """
    if not entities or not since:
        raise missing("entities" if not entities else "changedSince")
    moment = parse_moment(since)
    if moment is None:
        raise Fault("2030", f"Invalid value for changedSince : {since}", "changedSince")
    if moment < call.now - LOOK_BACK:
        if books.settings.cdc_too_old == "fault":
            words = "changedSince is outside the supported look-back period of 30 days"
            raise Fault("2190", words, "changedSince")
        moment = call.now - LOOK_BACK
    answers: list[Json] = []
    left = books.settings.cdc_cap
    for kind in [_kind(name.strip()) for name in entities.split(",")]:
        found = sorted(
            (r for r in books.store.every(kind) if r.updated >= moment), key=lambda r: (r.updated, int(r.id))
        )
        found = found[:left]
        if not books.settings.cdc_cap_per_entity:
            left -= len(found)
        rows = [present(books, record) for record in found]
        answers.append(
            {kind: rows, "startPosition": 1, "maxResults": len(rows), "totalCount": len(rows)} if rows else {}
        )
    return {"CDCResponse": [{"QueryResponse": answers}]}


def _kind(name: str) -> str:
    for kind in KINDS:
        if kind.lower() == name.lower() and kind not in UNSUPPORTED:
            return kind
    raise Fault("500", f"Operation CDC of {name} is not supported.")
