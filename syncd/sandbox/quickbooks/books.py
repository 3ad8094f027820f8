"""The company's books as the rules see them: records, settings and journal, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from syncd.sandbox.base import Journal
from syncd.sandbox.quickbooks.company import decided
from syncd.sandbox.quickbooks.errors import inactive, missing, unknown_reference
from syncd.sandbox.quickbooks.moment import stamp
from syncd.sandbox.quickbooks.settings import Settings
from syncd.sandbox.quickbooks.store import Key, Record, Store
from syncd.sandbox.quickbooks.wire import ZERO, Json, ref_id


@dataclass(slots=True)
class Books:
    """One company."""

    store: Store
    settings: Settings
    journal: Journal


@dataclass(frozen=True, slots=True)
class Call:
    """Who writes, when, with which requestid and `include` options. `hidden`: what this batch made before."""

    now: datetime
    caller: str
    key: str | None = None
    include: frozenset[str] = frozenset()
    hidden: set[Key] = field(default_factory=set)

    @property
    def second(self) -> datetime:
        """The time as MetaData keeps it."""
        return self.now.replace(microsecond=0)


def find(books: Books, call: Call, kind: str, id: str) -> Record | None:
    """A record this call can see."""
    record = books.store.get(kind, id)
    return None if record is None or record.deleted or (kind, id) in call.hidden else record


def referred(
    books: Books, call: Call, fields: Json, element: str, kind: str, *, before: Json | None = None
) -> Record | None:
    """The record a reference field points to; None when the field is not set.

    An old reference may go on pointing to something that was made inactive since.

    Raises:
        Fault: 2500 for an unknown id, 610 (or 2500, a setting) for an inactive one.
    """
    id = ref_id(fields, element)
    if id is None:
        return None
    record = find(books, call, kind, id)
    if record is None:
        raise unknown_reference(element, id)
    if not record.active and (before is None or ref_id(before, element) != id):
        raise inactive(books.settings.inactive_code, element)
    return record


def required(books: Books, call: Call, fields: Json, element: str, kind: str, *, before: Json | None = None) -> Record:
    """Like `referred`, and 2020 when the field is not set."""
    record = referred(books, call, fields, element, kind, before=before)
    if record is None:
        raise missing(element)
    return record


def touched(record: Record, call: Call, fields: Json, *, bump: bool = True) -> Record:
    """The record with new fields, one version on."""
    return replace(record, fields=fields, token=record.token + bump, updated=call.second)


def present(books: Books, record: Record) -> Json:
    """The record as the API shows it."""
    if record.deleted:
        return tombstone(record)
    body = {
        **record.fields,
        "domain": "QBO",
        "sparse": False,
        "Id": record.id,
        "SyncToken": str(record.token),
        "MetaData": {"CreateTime": stamp(record.created), "LastUpdatedTime": stamp(record.updated)},
    }
    if record.kind in ("Preferences", "CompanyInfo"):
        return decided(books.settings, record.kind, body)
    if record.kind == "Customer":
        body["Balance"] = books.store.owed(record.id)
        body["BalanceWithJobs"] = owed_with_jobs(books, record.id)
    if not record.active and books.settings.deleted_suffix:
        for key in ("DisplayName", "Name", "FullyQualifiedName"):
            if key in body:
                body[key] = f"{body[key]} (deleted)"
    return body


def tombstone(record: Record) -> Json:
    """A deleted record as CDC shows it."""
    return {
        "domain": "QBO",
        "status": "Deleted",
        "Id": record.id,
        "MetaData": {"LastUpdatedTime": stamp(record.updated)},
    }


def owed_with_jobs(books: Books, customer: str) -> Decimal:
    """What a customer and all its sub-customers owe."""
    return sum((owed_with_jobs(books, job) for job in books.store.jobs(customer)), books.store.owed(customer) or ZERO)
