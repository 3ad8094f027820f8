"""The data of one portal and the few primitive changes to it, each of which can be taken back.

A request, or one row of a batch, changes everything or nothing: `atomic` undoes the primitives in reverse when a rule
refuses half-way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from syncd.sandbox.base import Journal
from syncd.sandbox.hubspot.kinds import KINDS, Kind
from syncd.sandbox.hubspot.links import Links, TypeIds
from syncd.sandbox.hubspot.record import Hand, Record, Version
from syncd.sandbox.hubspot.schema import Schema
from syncd.sandbox.hubspot.settings import Settings
from syncd.sandbox.hubspot.table import Table
from syncd.sandbox.hubspot.times import stamp

FIRST_INVOICE_NUMBER = 1001


class Portal:
    """Tables, links, definitions, settings and the journal. The rules are in `writes.py` and beyond."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.journal = Journal()
        self.schema = Schema()
        self.links = Links()
        self.next_invoice_number = FIRST_INVOICE_NUMBER
        self.tables = {
            kind.name: Table(kind, [p.name for p in self.schema.properties[kind.name].values() if p.unique])
            for kind in KINDS.values()
        }
        self.changed: list[tuple[Record, str, Version]] = []  # every new value, until the webhooks have told it
        self._undo: list[Callable[[], object]] = []
        self._depth = 0

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All changes inside, or none of them when something is raised. May be nested."""
        start = len(self._undo)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._undo) > start:
                self._undo.pop()()
            raise
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._undo.clear()

    # Reading

    def table(self, kind: Kind) -> Table:
        return self.tables[kind.name]

    def linked(self, record: Record, kind: str) -> list[Record]:
        """Live records of a kind that this one is associated with, in the order of association."""
        records = self.tables[kind].records
        return [records[id] for id in self.links.ends(record.ref, kind) if records[id].live]

    # Changing

    def insert(self, kind: Kind, values: Mapping[str, str | None], hand: Hand, id: str | None = None) -> Record:
        """A new record with HubSpot's own properties added to the given ones."""
        table = self.table(kind)
        now = hand.now
        record = Record(kind, id or table.new_id(), now, now)
        table.add(record)
        self._undo.append(lambda: table.drop(record))
        own = {
            "hs_object_id": record.id,
            "hs_object_source": hand.source,
            "hs_object_source_id": hand.source_id,
            "hs_object_source_label": hand.source,
            kind.created: stamp(now),
            kind.modified: stamp(now),
        }
        self.put(record, {**own, **values}, hand)
        return record

    def put(self, record: Record, values: Mapping[str, str | None], hand: Hand, *, bump: bool = True) -> None:
        """Write those values that differ; writing what is there already leaves no trace (unconfirmed)."""
        changes = {name: value for name, value in values.items() if record.value(name) != value}
        for name, value in changes.items():
            self._append(record, name, value, hand)
        if changes and bump:
            self.touch(record, hand)

    def touch(self, record: Record, hand: Hand) -> None:
        """Move the modified date."""
        before, now = record.updated_at, hand.now
        if now != before:
            record.updated_at = now
            self._undo.append(lambda: setattr(record, "updated_at", before))
            self._append(record, record.kind.modified, stamp(now), hand)

    def _append(self, record: Record, name: str, value: str | None, hand: Hand) -> None:
        unique = self.table(record.kind).unique.get(name)
        if unique is not None:
            self._index(unique, record.value(name), None)
            self._index(unique, value, record.id)
        history = record.history.setdefault(name, [])
        version = Version(value, hand.now, hand.source, hand.source_id)
        history.append(version)
        self._undo.append(history.pop)
        self.changed.append((record, name, version))
        self._undo.append(self.changed.pop)

    def _index(self, unique: dict[str, str], value: str | None, id: str | None) -> None:
        if value is None:
            return
        key = value.lower()
        before = unique.pop(key, None)
        if id is not None:
            unique[key] = id
        self._undo.append(lambda: unique.pop(key, None) if before is None else unique.__setitem__(key, before))

    def archive(self, record: Record, hand: Hand) -> None:
        """Into the recycle bin; its unique values are free again."""
        self._mark(record, "archived_at", hand.now)
        for name, unique in self.table(record.kind).unique.items():
            self._index(unique, record.value(name), None)

    def forget(self, record: Record) -> None:
        """For good: no recycle bin has it. It must be archived and have no associations."""
        table = self.table(record.kind)
        table.drop(record)
        self._undo.append(lambda: table.add(record))

    def restore(self, record: Record) -> None:
        """Out of the recycle bin."""
        self._mark(record, "archived_at", None)
        for name, unique in self.table(record.kind).unique.items():
            self._index(unique, record.value(name), record.id)

    def retire(self, record: Record, survivor: Record) -> None:
        """Mark a record as merged; whoever asks for its id or its unique values gets the survivor."""
        self._mark(record, "merged_into", survivor.id)
        for name, unique in self.table(record.kind).unique.items():
            self._index(unique, record.value(name), survivor.id)

    def _mark(self, record: Record, name: str, value: object) -> None:
        before = getattr(record, name)
        setattr(record, name, value)
        self._undo.append(lambda: setattr(record, name, before))

    def relink(self, origin: Record, target: Record, types: TypeIds) -> None:
        """Make the association types of a pair exactly these; none of them is no association."""
        before = self.links.types(origin.ref, target.ref)
        self.links.replace(origin.ref, target.ref, types)
        self._undo.append(lambda: self.links.replace(origin.ref, target.ref, before))

    def take_invoice_number(self) -> str:
        number = self.next_invoice_number
        self.next_invoice_number += 1
        self._undo.append(lambda: setattr(self, "next_invoice_number", number))
        return f"INV-{number}"

    def note(self, hand: Hand, operation: str, record: Record, fields: Mapping[str, object]) -> None:
        """One accepted write into the journal."""
        self.journal.add(hand.now, hand.caller, operation, record.kind.name, record.id, fields)
        self._undo.append(self.journal.entries.pop)
