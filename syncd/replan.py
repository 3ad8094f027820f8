"""After a change of rules: only records that were planned by other ones, a batch at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncd.engine import Engine
from syncd.store.store import Store

BATCH = 500  # records planned again per pass: in the background, behind live work


async def replan(engine: Engine) -> int:
    """Make one batch of each flow due; returns how many records that were."""
    now, found = engine.clock.now(), 0
    for sync in engine.syncs:
        for flow in sync.flows:
            found += await _flow(engine.store, sync.name, flow.name, flow.digest, now)
    return found


async def _flow(store: Store, sync: str, flow: str, digest: str, now: datetime) -> int:
    others = await store.read(lambda tx: tx.records_with_other_rules(sync, flow, digest, BATCH))
    due = [replace(record, next_at=now) for record in others if record.next_at is None]
    if due:
        await store.write(lambda tx: tx.save_records(due))
    return len(due)
