"""What happened in a company, as webhooks tell it: the journal's operations and the records changed along with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncd.sandbox.base import Entry
from syncd.sandbox.quickbooks.store import Key, Record, Store


@dataclass(frozen=True, slots=True)
class Happening:
    """One entity of a notification. `id` is the survivor's where `deleted_id` went into it."""

    at: datetime
    kind: str
    id: str
    operation: str
    updated: datetime
    deleted_id: str | None = None


def happened(
    store: Store, entries: Sequence[Entry], before: Mapping[Key, Record | None], off: str
) -> Iterator[Happening]:
    """One happening for each journal entry, and an update for whatever changed without one of its own.

    So a payment also tells of the invoices it settles. `before` has every record that changed, as it was; `off` is the
    operation that stands for making a record inactive.
    """
    told: set[Key] = set()
    for entry in entries:
        key = (entry.kind, entry.id)
        told.add(key)
        if "merged_into" not in entry.fields:  # told with the survivor
            record, merged = _record(store, key), entry.fields.get("merged")
            operation = "Merge" if merged else _operation(entry.operation, before.get(key), record, off)
            yield Happening(entry.at, *key, operation, record.updated, merged)
    for key in before:
        if key not in told:
            updated = _record(store, key).updated
            yield Happening(entries[-1].at if entries else updated, *key, "Update", updated)


def _operation(operation: str, old: Record | None, new: Record, off: str) -> str:
    if operation == "update" and old is not None and old.active and not new.active:
        return off
    return operation.capitalize()


def _record(store: Store, key: Key) -> Record:
    record = store.get(*key)
    assert record is not None, f"{key} has changed and is not there"
    return record
