"""Plan and apply, as the daemon and the commands ask for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import structlog

from syncd import plan_file
from syncd.approvals import allow, approve, standing
from syncd.bell import Bell
from syncd.core.cost import Cost, Tariff, cost
from syncd.core.planned import Entry, compared, undated
from syncd.core.rules import SyncRules
from syncd.engine import Engine
from syncd.errors import UsageError
from syncd.model.record import Op
from syncd.model.references import Kind, Side
from syncd.rehearsal import Rehearsed, rehearse
from syncd.store.store import Tx

log = structlog.get_logger("syncd.plan")


class Planner:
    """Makes plans and applies them, one at a time.

    Args:
        folder: where a copy of the state may be made. bell: wakes whoever carries out what is allowed.
    """

    def __init__(self, engine: Engine, bell: Bell, folder: Path, version: str) -> None:
        self._engine = engine
        self._bell = bell
        self._folder = folder
        self._version = version
        self._busy = anyio.Lock()

    async def plan(self, sync: str | None = None, flow: str | None = None) -> dict[str, Any]:
        """What would be done now, of all syncs or one, of all flows or one.

        Raises:
            UsageError: there is no such sync or flow. VendorUnreachable: a connection cannot be read.
        """
        syncs, flows = self._chosen(sync, flow)
        rehearsed = await self._rehearsed()
        chosen = [e for e in rehearsed.entries if e.flow in flows.get(e.sync, ())]
        return plan_file.document(rehearsed, syncs, flows, self._costs(chosen), _warnings(syncs, flows), self._version)

    async def apply(self, raw: object) -> dict[str, Any]:
        """Allow what a plan says, as far as it would be decided alike now; who carries out is told at once.

        Returns:
            `allowed`, a number, and `moved`, the entries that would not be the same any more.

        Raises:
            PlanRefused: the plan may not be applied. VendorUnreachable: a connection cannot be read.
        """
        now = self._engine.clock.now()
        rehearsed = await self._rehearsed()
        then = plan_file.read(raw, {name: one.id for name, one in rehearsed.accounts.items()}, now)
        same, moved = compared(then, rehearsed.entries)
        await self._engine.store.write(
            lambda tx: self._allow(tx, same, whole=not moved, now=now, all=rehearsed.entries)
        )
        self._bell.ring()
        log.info("plan.applied", allowed=len(same), moved=len(moved))
        return {"allowed": len(same), "moved": plan_file.moved_entries(moved, self._engine.syncs)}

    async def outcome(self) -> dict[str, int]:
        """What has become of what was allowed within the last day: `done`, `failed` and `waiting`."""
        now = self._engine.clock.now()
        listed = await self._engine.store.read(
            lambda tx: Counter(one for sync in self._engine.syncs for one in standing(tx, sync.name, now))
        )
        return {name: listed[name] for name in ("done", "failed", "waiting")}

    def _allow(self, tx: Tx, same: Sequence[Entry], *, whole: bool, now: datetime, all: Sequence[Entry]) -> None:
        allow(tx, same, now)
        for sync in self._engine.syncs:
            mine = {entry.key for entry in same if entry.sync == sync.name}
            creates = {entry.key for entry in all if entry.sync == sync.name and entry.op == Op.CREATE}
            # A person has seen everything the sync begins with: it is new no more.
            if whole and mine and creates <= mine:
                approve(tx, sync, now)

    async def _rehearsed(self) -> Rehearsed:
        async with self._busy:
            return await rehearse(self._engine, self._folder)

    def _chosen(self, sync: str | None, flow: str | None) -> tuple[list[SyncRules], dict[str, list[str]]]:
        syncs = [one for one in self._engine.syncs if sync in (None, one.name)]
        if not syncs:
            raise UsageError(f"there is no sync “{sync}”; there is {', '.join(s.name for s in self._engine.syncs)}")
        flows = {one.name: [f.name for f in one.flows if flow in (None, f.name)] for one in syncs}
        if not any(flows.values()):
            known = ", ".join(dict.fromkeys(f.name for one in syncs for f in one.flows))
            raise UsageError(f"there is no flow “{flow}”; there is {known}")
        return syncs, flows

    def _costs(self, entries: Sequence[Entry]) -> dict[str, Cost]:
        traits = {name: connector.traits for name, connector in self._engine.connectors.items()}
        return {
            name: cost(
                [entry for entry in entries if entry.connection == name],
                Tariff(batch=one.batch, windows=one.windows, own_lines=one.strong_line_ids, locked=one.optimistic_lock),
            )
            for name, one in traits.items()
        }


def _warnings(syncs: Sequence[SyncRules], flows: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        f"{sync.name}: nothing limits how old the {flow.name} of {sync.connection(side)} may be: all of them come over."
        f" To leave out the past, add filters.{_way(side)} with a condition on `created`."
        for sync in syncs
        for flow in sync.flows
        if flow.name in flows[sync.name] and flow.kind is Kind.INVOICE
        for side in Side
        if undated(flow, side)
    ]


def _way(source: Side) -> str:
    return f"{source}-to-{source.other}"
