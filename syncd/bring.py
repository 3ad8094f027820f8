"""Brings the facts a decision asks for: from this turn, from the state, and only then from a vendor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from syncd.connectors.base import ConnectionTrouble
from syncd.core.content import match_keys, seen
from syncd.core.facts import EntityKey, Facts, FindKey, Needs, PartnerKey
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine
from syncd.model.record import IntentState, Record
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot

One = TypeVar("One", bound=str)
Two = TypeVar("Two", bound=str)
Three = TypeVar("Three", str, MatchKey)


@dataclass(slots=True)
class Seen:
    """What a turn has looked at so far.

    Attributes:
        fresh: read from vendors in this turn: newer than what the store holds until the turn is stored.
        held: what the store holds; taken from there once.
    """

    fresh: dict[EntityRef, Snapshot] = field(default_factory=dict)
    held: dict[EntityRef, Snapshot] = field(default_factory=dict)

    def add(self, connection: str, snapshots: Iterable[Snapshot]) -> None:
        for snapshot in snapshots:
            self.fresh[EntityRef(connection, snapshot.kind, snapshot.id)] = snapshot


class Bringer:
    """Fills one sync's `Facts` for one turn."""

    def __init__(self, engine: Engine, sync: SyncRules, seen: Seen) -> None:
        self._engine = engine
        self._sync = sync
        self._seen = seen
        self.facts = Facts(sides=engine.side_facts(sync))

    async def bring(self, needs: Needs) -> frozenset[PartnerKey]:
        """Look up everything asked for; returns parents that have no record yet, for the turn to make."""
        await self._snapshots(needs.snapshots)
        await self._read(needs.reads)
        await self._known(needs.known)
        await self._find(needs.finds)
        await self._holders(needs.holders)
        return await self._partners(needs.partners)

    async def foresee(self, needs: Needs) -> None:
        """Look up what will be asked for, as far as we hold it: no vendor is asked, and nothing is made."""
        facts = self.facts
        for side, kind, ids in _grouped(needs.snapshots - facts.snapshots.keys()):
            held = await self._held(self._sync.connection(side), kind, ids)
            facts.snapshots |= {(side, kind, id): snapshot for id, snapshot in held.items()}
        await self._known(needs.known - facts.known.keys())
        await self._partners(needs.partners - facts.partners.keys())

    async def _snapshots(self, wanted: frozenset[EntityKey]) -> None:
        for side, kind, ids in _grouped(wanted):
            connection = self._sync.connection(side)
            found = await self.entities(connection, kind, ids)
            for id in ids:
                self.facts.snapshots[(side, kind, id)] = found.get(id)

    async def _read(self, wanted: frozenset[EntityKey]) -> None:
        for side, kind, ids in _grouped(wanted):
            connection = self._sync.connection(side)
            unread = [id for id in ids if EntityRef(connection, kind, id) not in self._seen.fresh]
            if unread:
                with naming(connection):
                    self._seen.add(connection, (await self._engine.connectors[connection].read(kind, unread)).values())
            self.facts.read |= {(side, kind, id) for id in ids}
        await self._snapshots(wanted)

    async def entities(self, connection: str, kind: Kind, ids: list[str]) -> dict[str, Snapshot]:
        """Entities as last seen; those never seen are read from the vendor."""
        found = await self._held(connection, kind, ids)
        unseen = [id for id in ids if id not in found]
        if unseen:
            with naming(connection):
                read = await self._engine.connectors[connection].read(kind, unseen)
            self._seen.add(connection, read.values())
            found |= read
        return found

    async def _held(self, connection: str, kind: Kind, ids: list[str]) -> dict[str, Snapshot]:
        refs, fresh, held = [EntityRef(connection, kind, id) for id in ids], self._seen.fresh, self._seen.held
        rest = [ref for ref in refs if ref not in fresh and ref not in held]
        if rest:
            held |= await self._engine.store.read(lambda tx: tx.snapshots(rest))
        return {ref.id: (fresh if ref in fresh else held)[ref] for ref in refs if ref in fresh or ref in held}

    async def completed(self, flow: FlowRules, side: Side, snapshots: Iterable[Snapshot]) -> dict[str, Snapshot]:
        """What was last read before all of its fields were mapped, read anew, so that the next edit shows; by id."""
        known = self.facts.sides[side].unusable.get(flow.kind, {})
        paths = [path for row in flow.rows if (path := row.path(side)) not in known]
        there = [(s.id, s.noun) for s in snapshots if s.presence is Presence.PRESENT and s.noun is not None]
        ids = [id for id, noun in there if not all(seen(noun, path) for path in paths)]
        if not ids:
            return {}
        connection = self._sync.connection(side)
        with naming(connection):
            read = await self._engine.connectors[connection].read(flow.kind, ids)
        self._seen.add(connection, read.values())
        return dict(read)

    async def _known(self, wanted: frozenset[FindKey]) -> None:
        for side, kind, keys in _grouped(wanted):
            connection = self._sync.connection(side)
            stored = await self._index(connection, kind, keys)
            newer = {
                ref.id: s for ref, s in self._seen.fresh.items() if (ref.connection, ref.kind) == (connection, kind)
            }
            fresh = _by_key(newer.values())
            for key in keys:
                kept = [s for s in stored.get(key, ()) if s.id not in newer]
                self.facts.known[(side, kind, key)] = (*kept, *fresh.get(key, ()))

    async def _find(self, wanted: frozenset[FindKey]) -> None:
        for side, kind, keys in _grouped(wanted):
            connection = self._sync.connection(side)
            with naming(connection):
                found = await self._engine.connectors[connection].find(kind, keys)
            for key in keys:
                self._seen.add(connection, found.get(key, ()))
                self.facts.found[(side, kind, key)] = tuple(found.get(key, ()))

    async def _holders(self, wanted: frozenset[PartnerKey]) -> None:
        for flow, side, ids in _grouped(wanted):
            found = await self.records(flow, side, ids)
            for id in ids:
                self.facts.holders[(flow, side, id)] = found.get(id)
            await self.mark_busy(found.values())

    async def records(self, flow: str, side: Side, ids: list[str]) -> dict[str, Record]:
        """The stored records that hold these entities."""
        return await self._engine.store.read(lambda tx: tx.records_of_entities(self._sync.name, flow, side, ids))

    async def _by_key(self, flow: str, keys: list[str]) -> dict[str, list[Record]]:
        return await self._engine.store.read(lambda tx: tx.records_by_key(self._sync.name, flow, keys))

    async def _index(self, connection: str, kind: Kind, keys: list[MatchKey]) -> dict[MatchKey, tuple[Snapshot, ...]]:
        held = self._seen.held
        found = await self._engine.store.read(lambda tx: tx.find_entities(connection, kind, keys, held))
        held |= {EntityRef(connection, kind, s.id): s for listed in found.values() for s in listed}
        return found

    async def mark_busy(self, records: Iterable[Record]) -> None:
        """Note which of these records have a request out."""
        ids = [record.id for record in records]
        intents = await self._engine.store.read(lambda tx: tx.under_way(ids)) if ids else {}
        self.facts.busy |= {
            id for id, listed in intents.items() if any(i.state is not IntentState.OPEN for i in listed)
        }

    async def _partners(self, wanted: frozenset[PartnerKey]) -> frozenset[PartnerKey]:
        missing: set[PartnerKey] = set()
        for flow, side, ids in _grouped(wanted):
            plain = [id for id in ids if not id.startswith("fallback:")]
            made = [id for id in ids if id.startswith("fallback:")]
            found = await self.records(flow, side, plain)
            by_key = await self._by_key(flow, made) if made else {}
            found = {**found, **{key: records[0] for key, records in by_key.items() if records}}
            for id in ids:
                if id in found:
                    self.facts.partners[(flow, side, id)] = found[id]
                else:
                    missing.add((flow, side, id))
        return frozenset(missing)


def _by_key(snapshots: Iterable[Snapshot]) -> dict[MatchKey, list[Snapshot]]:
    found: dict[MatchKey, list[Snapshot]] = {}
    for snapshot in snapshots:
        marker = () if snapshot.marker is None else (MatchKey("marker", snapshot.marker),)
        for key in dict.fromkeys((*match_keys(snapshot.noun), *marker)):
            found.setdefault(key, []).append(snapshot)
    return found


def _grouped(wanted: Iterable[tuple[One, Two, Three]]) -> list[tuple[One, Two, list[Three]]]:
    groups: dict[tuple[One, Two], list[Three]] = {}
    for one, two, three in sorted(wanted):  # sorted: a turn must be the same every time
        groups.setdefault((one, two), []).append(three)
    return [(one, two, listed) for (one, two), listed in groups.items()]


@contextmanager
def naming(connection: str) -> Iterator[None]:
    """Make trouble say which connection it is about."""
    try:
        yield
    except ConnectionTrouble as trouble:
        trouble.connection = connection
        raise
