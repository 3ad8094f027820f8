"""What has become of records since the last look: read from the store, in one transaction a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.core.rules import SyncRules
from syncd.model.nouns import Invoice, Payment
from syncd.model.record import Activity, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Snapshot
from syncd.status.record_view import references
from syncd.status.source import StatusSource
from syncd.store.store import Tx

LATEST = 100  # records a look takes in: many more than move between two looks
ENTRIES = 20  # activity of one record between two looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A record that has changed since the last look.

    Attributes:
        was: its status at the last look; None for a new one.
        entries: what is new in its account, oldest first.
        snapshots: what both sides hold. pays: number of the invoice a payment is for.
    """

    record: Record
    sync: SyncRules
    was: Status | None = None
    entries: tuple[Activity, ...] = ()
    snapshots: Mapping[Side, Snapshot] = field(default_factory=dict)
    pays: str | None = None

    @property
    def kind(self) -> Kind:
        return self.sync.flow(self.record.flow).kind


class Watcher:
    """Looks at the state again and again."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source
        self._known: dict[str, tuple[int, Status]] = {}
        self._number = 0

    async def skip(self) -> None:
        """Take everything up to now as seen."""
        await self._source.store.read(self._skip)

    async def look(self) -> list[Moved]:
        """The records that have changed, those that changed first first."""
        return await self._source.store.read(self._moved)

    def _skip(self, tx: Tx) -> None:
        page = tx.list_records(limit=LATEST)
        while page.rows:
            for record in page.rows:
                self._known[record.id] = (record.revision, record.status)
                self._new_entries(tx, record, after=self._number, limit=1)
            if page.next is None:
                return
            page = tx.list_records(limit=LATEST, after=page.next)

    def _moved(self, tx: Tx) -> list[Moved]:
        syncs = {sync.name: sync for sync in self._source.syncs}
        latest = [r for r in tx.list_records(limit=LATEST).rows if self._known.get(r.id, (-1,))[0] != r.revision]
        # One transaction sees one moment: whatever comes later has a higher number than all that is seen here.
        after = self._number
        return [self._look_at(tx, record, syncs[record.sync], after) for record in reversed(latest)]

    def _look_at(self, tx: Tx, record: Record, sync: SyncRules, after: int) -> Moved:
        was = self._known[record.id][1] if record.id in self._known else None
        self._known[record.id] = (record.revision, record.status)
        refs = references(record, sync)
        seen = tx.snapshots(list(refs.values()))
        snapshots = {side: seen[ref] for side, ref in refs.items() if ref in seen}
        return Moved(
            record=record,
            sync=sync,
            was=was,
            entries=self._new_entries(tx, record, after=after, limit=ENTRIES),
            snapshots=snapshots,
            pays=_pays(tx, sync, snapshots),
        )

    def _new_entries(self, tx: Tx, record: Record, *, after: int, limit: int) -> tuple[Activity, ...]:
        numbered = tx.activity(record.id, limit)
        self._number = max([self._number, *(number for number, _ in numbered)])
        return tuple(entry for number, entry in reversed(numbered) if number > after)


def _pays(tx: Tx, sync: SyncRules, snapshots: Mapping[Side, Snapshot]) -> str | None:
    for side, snapshot in snapshots.items():
        if isinstance(snapshot.noun, Payment):
            refs = [EntityRef(sync.connection(side), Kind.INVOICE, a.invoice) for a in snapshot.noun.allocations]
            nouns = [one.noun for one in tx.snapshots(refs).values()]
            return ", ".join(noun.number for noun in nouns if isinstance(noun, Invoice) and noun.number) or None
    return None
