"""After a change of rules: only records that were planned by other ones, a batch at a time."""

from __future__ import annotations

from dataclasses import replace

from syncd.engine import Engine
from syncd.store.store import Tx

BATCH = 500  # records planned again per pass: in the background, behind live work


class Replanner:
    """Brings the records of an engine's flows to the flows' rules."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done: set[tuple[str, str, str]] = set()  # sync, flow and rules by which all its records were planned

    async def run(self) -> int:
        """Make one batch of each flow due; returns how many records that were."""
        flows = {(sync.name, flow.name, flow.digest) for sync in self._engine.syncs for flow in sync.flows}
        left = sorted(flows - self._done)
        if not left:
            return 0
        found = await self._engine.store.write(lambda tx: [self._flow(tx, *flow) for flow in left])
        self._done |= {flow for flow, n in zip(left, found, strict=True) if n is None}
        return sum(n for n in found if n is not None)

    def _flow(self, tx: Tx, sync: str, flow: str, digest: str) -> int | None:
        """How many records are due now; None when all were planned by these rules."""
        others = tx.records_with_other_rules(sync, flow, digest, BATCH)
        due = [replace(record, next_at=self._engine.clock.now()) for record in others if record.next_at is None]
        tx.save_records(due)
        return len(due) if others else None
