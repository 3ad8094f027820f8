"""A person asked to be forgotten: our copies of their data go, the ids stay.

Names, addresses, contents, keys, activity and the bytes of requests are removed; the record stays as excluded by a
person, so that nothing is made again, and what a vendor still shows of it is not stored again. Invoices keep their
amounts: they belong to the books. At the vendors nothing is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import anyio.to_thread
import structlog

from syncd.config import DATABASE_FILE, Config
from syncd.core.content import email_key
from syncd.core.lifecycle import excluded
from syncd.core.rules import SyncRules
from syncd.model.content import content_to_plain
from syncd.model.record import Activity, Change, IntentState, Priority, Record
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.store.store import Store, Tx

log = structlog.get_logger("syncd.erasure")

ERASE = "erase"
"""The cause of a hint that asks for it."""

SCRUB = "erasure:scrub"
"""The fact that the files still hold something that was erased."""

AGAIN = 5.0  # seconds until a record with a request out is tried again
SHORTEST = 4  # characters: a shorter name would empty every other sentence
_OURS = frozenset({"present", "archived", "deleted", "merged", "true", "false"})


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to. `busy`: entities of records whose requests are out, to be asked for again."""

    records: int = 0
    entities: int = 0
    mentions: int = 0
    busy: tuple[EntityRef, ...] = ()


def of_email(tx: Tx, syncs: Iterable[SyncRules], address: str) -> list[EntityRef]:
    """The people who have this address, on every connection."""
    key = MatchKey("email", email_key(address))
    connections = dict.fromkeys(name for sync in syncs for name in (sync.left, sync.right))
    return [
        EntityRef(connection, Kind.PARTY, found.id)
        for connection in connections
        for found in tx.find_entities(connection, Kind.PARTY, [key])[key]
    ]


def ask(tx: Tx, refs: Sequence[EntityRef], now: datetime) -> None:
    """Have whoever owns the state do it."""
    tx.put_changes([Change(ref=ref, cause=ERASE, priority=Priority.PERSON, due_at=now) for ref in refs])


def erase(tx: Tx, syncs: Sequence[SyncRules], refs: Sequence[EntityRef], now: datetime) -> Erased:
    """Remove our copies of these people's data, of both halves of their records."""
    records = _records(tx, syncs, refs)
    under_way = tx.under_way([record.id for record in records])
    busy = {id for id, intents in under_way.items() if any(i.state is not IntentState.OPEN for i in intents)}
    free = [record for record in records if record.id not in busy]
    waiting = {ref for record in records if record.id in busy for ref in _refs(syncs, record)}
    mine = list(
        dict.fromkeys([*(ref for r in free for ref in _refs(syncs, r)), *(r for r in refs if r not in waiting)])
    )
    texts = _texts(tx.bodies_of(mine)) | _texts([_plain(record) for record in free])
    tx.drop_intents([intent.id for record in free for intent in under_way.get(record.id, ())])
    tx.erase_entities(mine)
    tx.save_records([_blank(record, now) for record in free])
    tx.erase_accounts([record.id for record in free])
    tx.drop_settled_sends()
    mentions = tx.erase_mentions(sorted(texts)) if texts else 0
    tx.add_activity([Activity(record=r.id, at=now, event="record.erased", by="person") for r in free])
    log.info("erasure.done", records=len(free), entities=len(mine), busy=len(waiting))
    return Erased(len(free), len(mine), mentions, tuple(sorted(waiting)))


async def thoroughly(config: Config, store: Store) -> int:
    """Take what was erased out of the files as well; returns how many copies made before migrations went with it."""
    await store.scrub()
    return await anyio.to_thread.run_sync(_drop_copies, config.state_dir)


def _drop_copies(folder: Path) -> int:
    copies = list(folder.glob(f"{DATABASE_FILE}.before-*"))
    for copy in copies:
        copy.unlink()
    return len(copies)


def _records(tx: Tx, syncs: Sequence[SyncRules], refs: Sequence[EntityRef]) -> list[Record]:
    found: dict[str, Record] = {}
    for sync in syncs:
        for ref in refs:
            flow = sync.flow_of(ref.kind)
            if flow is not None and ref.connection in (sync.left, sync.right):
                held = tx.records_of_entities(sync.name, flow.name, sync.side(ref.connection), [ref.id])
                found |= {record.id: record for record in held.values()}
    return list(found.values())


def _refs(syncs: Sequence[SyncRules], record: Record) -> list[EntityRef]:
    sync = next(sync for sync in syncs if sync.name == record.sync)
    kind = sync.flow(record.flow).kind
    return [EntityRef(sync.connection(side), kind, id) for side in Side if (id := record.entity(side)) is not None]


def _plain(record: Record) -> object:
    bases = [content_to_plain(record.left_base), content_to_plain(record.right_base)]
    return [record.label, record.key, *bases]


def _blank(record: Record, now: datetime) -> Record:
    out = excluded(record, "by_person", now, "Erased.")
    return replace(out, label="", key=None, left_base=None, right_base=None, notes=(), wanted=False)


def _texts(values: Iterable[object]) -> set[str]:
    """Every text of people's in plain JSON values that is long enough to be recognised."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, str):
            found.add(value.strip())
        elif isinstance(value, Mapping):
            found |= _texts(each for name, each in value.items() if name not in ("time", "date", "decimal", "version"))
        elif isinstance(value, list | tuple):
            found |= _texts(value)
    return {text for text in found if len(text) >= SHORTEST and text.casefold() not in _OURS}
