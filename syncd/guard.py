"""The simple guard: a pass that would void or delete much more than usual is held until a person has looked.

A mass removal is nearly always a fault - an outage, a paging bug, a careless bulk edit - and its harm cannot be undone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from syncd.controls import is_released
from syncd.core.decision import Decision
from syncd.core.rules import SyncRules
from syncd.model.record import Op, Status
from syncd.store.store import Tx

log = structlog.get_logger("syncd.guard")

ALWAYS_ALLOWED = 20
SHARE = 10  # one in so many of a flow's linked records
PASS = timedelta(hours=1)  # removals of so long count together: one pass may come in many pages

REMOVALS = (Op.VOID, Op.DELETE)


def allowed(linked: int, least: int = ALWAYS_ALLOWED) -> int:
    """How many removals one pass may make in a flow with so many linked records."""
    return max(least, linked // SHARE)


class Guard:
    """Counts removals per flow over the last hour. `least` is the figure below which nothing is ever held."""

    def __init__(self, least: int = ALWAYS_ALLOWED) -> None:
        self._least = least
        self._recent: dict[tuple[str, str], deque[tuple[datetime, int]]] = {}

    def held(self, tx: Tx, sync: SyncRules, decisions: Iterable[Decision], now: datetime) -> dict[str, str]:
        """The records whose removal is held, with the figures in words; the others' removals are counted."""
        removing: dict[str, list[str]] = {}
        for decision in decisions:
            if any(command.op in REMOVALS for command in decision.commands):
                removing.setdefault(decision.record.flow, []).append(decision.record.id)
        if not removing:
            return {}
        linked = {(row.sync, row.flow): row.n for row in tx.counts() if row.status == Status.SYNCED and row.code == ""}
        held: dict[str, str] = {}
        for flow, ids in removing.items():
            before = self._count(sync.name, flow, now)
            most = allowed(linked.get((sync.name, flow), 0), self._least)
            if before + len(ids) > most and not is_released(tx, sync.name, flow, now):
                words = f"{before + len(ids)} records would be voided or deleted, {most} are allowed."
                log.warning("flow.held", sync=sync.name, flow=flow, removals=before + len(ids), allowed=most)
                held |= dict.fromkeys(ids, words)
            else:
                self._recent[sync.name, flow].append((now, len(ids)))
        return held

    def _count(self, sync: str, flow: str, now: datetime) -> int:
        recent = self._recent.setdefault((sync, flow), deque())
        while recent and recent[0][0] < now - PASS:
            recent.popleft()
        return sum(n for _, n in recent)
