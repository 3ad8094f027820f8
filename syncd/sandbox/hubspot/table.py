"""The records of one kind: by id, in id order, and by unique value."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator

from syncd.sandbox.hubspot.kinds import Kind
from syncd.sandbox.hubspot.record import Record

# Beyond 2**53, so that a client that reads ids as floats goes wrong; the same for every kind, so that one that mixes up
# kinds does too.
FIRST_ID = 9007199254740993


class Table:
    """Archived records stay in it; merged ones too, under a sign that says who survived."""

    def __init__(self, kind: Kind, unique: list[str]) -> None:
        self.kind = kind
        self.records: dict[str, Record] = {}
        self.unique: dict[str, dict[str, str]] = {name: {} for name in unique}
        self._order: list[int] = []
        self._next = FIRST_ID

    def new_id(self) -> str:
        self._next += 1
        return str(self._next - 1)

    def add(self, record: Record) -> None:
        self.records[record.id] = record
        insort(self._order, int(record.id))

    def drop(self, record: Record) -> None:
        """Undo of `add`."""
        del self.records[record.id]
        self._order.remove(int(record.id))

    def after(self, id: int) -> Iterator[Record]:
        """Records with a greater id, in id order."""
        for position in range(bisect_right(self._order, id), len(self._order)):
            yield self.records[str(self._order[position])]

    def survivor(self, id: str) -> Record | None:
        """The record with this id, or the one it was merged into."""
        record = self.records.get(id)
        while record is not None and record.merged_into is not None:
            record = self.records.get(record.merged_into)
        return record

    def holder(self, name: str, value: str) -> Record | None:
        """The live record that has this value of a unique property; letter case does not matter."""
        record = self.survivor(self.unique[name].get(value.lower(), ""))
        return record if record is not None and record.live else None
