"""What may go out: the creates of a new sync wait for a person, and an applied plan says which commands may go.

A sync is new until a person has released it or applied a plan that left nothing waiting - or until everything that was
there when it began has been looked at and little enough is to be created. Until then nothing of it is created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from syncd.controls import bring_forward, control
from syncd.core.decision import Command, Decision
from syncd.core.imagined import name_there, place
from syncd.core.planned import Entry, Names, command_digest, referred
from syncd.core.rules import SyncRules
from syncd.engine import Engine
from syncd.model.record import Op, Record, Status
from syncd.model.references import Kind, Side
from syncd.store.rows import Approval
from syncd.store.store import Tx

log = structlog.get_logger("syncd.approval")

LASTS = timedelta(hours=24)  # a plan, and what it allows
WORDS = "A new sync waits for a person before it creates anything."
NOT_IN_PLAN = "It is not part of the plan that is being applied."
WAITING = ("not_approved", "waits_parent")  # what stands there would be created


@dataclass(frozen=True, slots=True)
class Looked:
    """What of a turn's decisions a plan has allowed, and what has to wait (record id -> why)."""

    allowed: frozenset[str]
    waiting: Mapping[str, str]


class Gate:
    """Holds back what nobody has approved.

    Args:
        limits: for each sync how many creates it may begin with without asking; None for any number.

    Attributes:
        strict: nothing goes out that no plan allows.
    """

    def __init__(self, engine: Engine, limits: Mapping[str, int | None]) -> None:
        self._engine = engine
        self._limits = limits
        self.strict = False
        self._released: set[str] = set()  # spares a look at what never comes back

    def look(self, tx: Tx, sync: SyncRules, decisions: Iterable[Decision], now: datetime) -> Looked:
        """Sort a turn's decisions, inside its transaction."""
        commanding = [decision for decision in decisions if decision.commands]
        closed = self._closed(tx, sync) if commanding else frozenset()
        removing = any(command.op in (Op.VOID, Op.DELETE) for d in commanding for command in d.commands)
        if not commanding or not (self.strict or closed or removing):
            return Looked(frozenset(), {})
        allowed = _allowed(tx, sync, commanding, now - LASTS)
        waiting = {
            d.record.id: NOT_IN_PLAN if self.strict else WORDS
            for d in commanding
            if d.record.id not in allowed
            and (self.strict or (d.record.flow in closed and any(c.op is Op.CREATE for c in d.commands)))
        }
        return Looked(allowed, waiting)

    def _closed(self, tx: Tx, sync: SyncRules) -> frozenset[str]:
        if self._limits.get(sync.name) is None or is_approved(tx, sync.name):
            return frozenset()
        return frozenset(flow.name for flow in sync.flows if not is_approved(tx, sync.name, flow.name))

    def watches(self, sync: str) -> bool:
        """Whether a sync may still be waiting; to be asked before a transaction is begun for it."""
        return self._limits.get(sync) is not None and sync not in self._released

    def review(self, tx: Tx, ready: Sequence[SyncRules]) -> int:
        """Let new syncs go that turn out to be small, once all that was there has been looked at.

        Args:
            ready: syncs with both connections in order.

        Returns:
            How many records were brought forward.
        """
        if self.strict:
            return 0
        return sum(self._review(tx, sync, self._engine.clock.now()) for sync in ready)

    def _review(self, tx: Tx, sync: SyncRules, now: datetime) -> int:
        limit = self._limits[sync.name]
        if limit is None or is_approved(tx, sync.name):
            self._released.add(sync.name)
            return 0
        sides = [sync.left, sync.right]
        begun = all(tx.cursors(name) for name in sides)
        if not begun or tx.due_changes(sides, now, 1) or tx.due_records([sync.name], now, 1):
            return 0
        count = creates_waiting(tx, sync.name)
        if count > limit:
            return 0
        log.info("sync.approved", sync=sync.name, creates=count, limit=limit)
        return approve(tx, sync, now)


def is_approved(tx: Tx, sync: str, flow: str = "") -> bool:
    """Whether a sync, or one of its flows by itself, may create things."""
    return bool(tx.meta(_key(sync, flow)))


def approve(tx: Tx, sync: SyncRules, now: datetime, flow: str | None = None) -> int:
    """Let a new sync, or one flow of it, create from now on; returns how many records were brought forward."""
    tx.set_meta(_key(sync.name, flow or ""), now.isoformat())
    flows = [flow] if flow is not None else [one.name for one in sync.flows]
    return sum(bring_forward(tx, sync.name, name, "not_approved", now) for name in flows)


def tell(
    tx: Tx, action: str, sync: SyncRules, flow: str | None, now: datetime, breaker: str | None = None
) -> dict[str, object]:
    """Pause, resume or release a flow or all flows of a sync; a release also approves what a new sync would create.

    Args:
        breaker: what alone is to be released.

    Raises:
        UsageError: there is no such action, or no such breaker.
    """
    flows = [flow] if flow is not None else [one.name for one in sync.flows]
    forward = sum(control(tx, action, sync.name, name, now, breaker) for name in flows)
    if action == "release" and breaker is None:
        forward += approve(tx, sync, now, flow)
    return {"sync": sync.name, "flow": flow, "action": action, "records": forward}


def creates_waiting(tx: Tx, sync: str) -> int:
    """How many records of a sync wait to be created, or for something that does."""
    return sum(row.n for row in tx.counts() if (row.sync, row.status) == (sync, "pending") and row.code in WAITING)


def allow(tx: Tx, entries: Sequence[Entry], now: datetime) -> int:
    """Let exactly these commands go, for a day; returns how many records were brought forward.

    What earlier plans allowed in these syncs is over.
    """
    tx.forget_approvals({entry.sync for entry in entries}, now - LASTS)
    tx.add_approvals([Approval(e.sync, e.place, e.op, e.command, now) for e in entries])
    waiting = [
        record for record in _records_of(tx, [(e.sync, e.place) for e in entries]) if record.status is Status.PENDING
    ]
    tx.save_records([replace(record, next_at=now) for record in waiting])
    return len(waiting)


def _records_of(tx: Tx, places: Iterable[tuple[str, str]]) -> Iterator[Record]:
    """The stored records of these places in their syncs; what has not been seen yet will come by itself."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for sync, where in places:
        flow, side, id = where.split(":", 2)
        groups.setdefault((sync, flow, side), []).append(id)
    for (sync, flow, side), ids in groups.items():
        if side in set(Side):
            yield from tx.records_of_entities(sync, flow, Side(side), ids).values()
        else:
            for held in tx.records_by_key(sync, flow, [f"{side}:{id}" for id in ids]).values():
                yield from held


def standing(tx: Tx, sync: str, now: datetime) -> Iterator[str]:
    """How each command that was allowed within the last day stands: `done`, `failed` or `waiting`."""
    allowed = tx.approvals(sync, None, now - LASTS)
    records = {place(record): record for record in _records_of(tx, [(one.sync, one.place) for one in allowed])}
    out = tx.under_way([record.id for record in records.values()])
    for one in allowed:
        record = records.get(one.place)
        if record is None or record.status is Status.PENDING or out.get(record.id):
            yield "waiting"
        else:
            yield "failed" if record.status is Status.FAILED else "done"


def _allowed(tx: Tx, sync: SyncRules, decisions: Sequence[Decision], since: datetime) -> frozenset[str]:
    """The records all of whose commands a plan has allowed."""
    listed = tx.approvals(sync.name, {place(d.record) for d in decisions}, since)
    if not listed:
        return frozenset()
    digests = {(one.place, one.command) for one in listed}
    names = _names(tx, sync, [c for d in decisions for c in d.commands], since)
    return frozenset(
        d.record.id
        for d in decisions
        if all((place(d.record), command_digest(c, names)) in digests for c in d.commands)
    )


def _names(tx: Tx, sync: SyncRules, commands: Sequence[Command], since: datetime) -> Names:
    """What the plan called the entities that it has made meanwhile, and that these commands refer to."""
    wanted: dict[tuple[Side, Kind], set[str]] = {}
    for command in commands:
        for kind, id in referred(command):
            wanted.setdefault((command.side, kind), set()).add(id)
    places: dict[tuple[Kind, str], str] = {}
    for (side, kind), ids in wanted.items():
        if (flow := sync.flow_of(kind)) is not None:
            held = tx.records_of_entities(sync.name, flow.name, side, sorted(ids))
            places |= {(kind, id): place(record) for id, record in held.items()}
    made = {one.place for one in tx.approvals(sync.name, set(places.values()), since) if one.op == Op.CREATE}
    return {key: name_there(where) for key, where in places.items() if where in made}


def _key(sync: str, flow: str) -> str:
    return f"approved:{sync}:{flow}"
