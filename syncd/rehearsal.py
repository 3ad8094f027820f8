"""Planning: the house at work on a copy of the state, with everything real but the writes.

Polls, turns and decisions are the ones that would run; what they would write is collected, and a create is settled as
if it had been carried out, so that its children are decided, too. Nothing of it touches a vendor or the state itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import structlog

from syncd.approvals import Gate
from syncd.clock import Clock
from syncd.connectors.base import Account, Condition, ConnectionTrouble, Done
from syncd.controls import bring_forward
from syncd.core.content import project
from syncd.core.imagined import imagined, is_imagined, place
from syncd.core.planned import Entry, Field, command_digest
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine
from syncd.errors import PermissionRefused, VendorUnreachable
from syncd.feed.poller import Poller
from syncd.guard import Guard
from syncd.health import FINAL, Health
from syncd.meters import Meters
from syncd.model.content import shown
from syncd.model.nouns import field_names, field_value
from syncd.model.record import Intent, Op, Record, Status
from syncd.model.references import EntityRef, Side
from syncd.model.snapshot import Snapshot
from syncd.outbox.settle import Settler
from syncd.replan import Replanner
from syncd.store.rows import CountRow
from syncd.store.store import Store, Tx
from syncd.turn import Turn

HORIZON = timedelta(seconds=30)  # what is due so soon belongs to the plan; time is not waited for
FAILED_SHOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What would happen.

    Attributes:
        accounts: what each connection opens. counts: how many records would stand where, everything carried out.
        failed: records that a person would have to look at, up to a thousand.
        linked: how many records would be joined with what is there already, by sync and flow.
    """

    at: datetime
    accounts: dict[str, Account]
    entries: tuple[Entry, ...]
    counts: tuple[CountRow, ...]
    failed: tuple[Record, ...]
    linked: dict[tuple[str, str], int]


async def rehearse(engine: Engine, folder: Path) -> Rehearsed:
    """Decide everything that is due on a copy of the state in `folder`, which is removed again.

    Raises:
        VendorUnreachable: a connection cannot be read. PermissionRefused: only a person can cure that.
    """
    with (
        TemporaryDirectory(prefix="plan-", dir=folder) as aside,
        structlog.contextvars.bound_contextvars(rehearsal=True),
    ):
        store = await engine.store.copy(Path(aside) / "state.db")
        try:
            return await Rehearsal(engine, store).run()
        except ConnectionTrouble as trouble:
            raise _error(trouble.connection, trouble.condition, trouble.words) from trouble
        finally:
            with anyio.CancelScope(shield=True):
                await store.close()


class Ahead:
    """A clock that can be put forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self.offset

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Rehearsal:
    """One run on one copy."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self._clock = Ahead(engine.clock)
        self._engine = replace(engine, store=store, clock=self._clock, accounts=dict(engine.accounts), meters=Meters())
        self._store = store
        self._health = Health(store, self._clock)
        self._settler = Settler(self._engine)
        self._entries: list[Entry] = []

    async def run(self) -> Rehearsed:
        """Poll, decide, pretend, until nothing is due."""
        engine, store, began = self._engine, self._store, self._clock.now()
        known = {row.name: row.vendor for row in await store.read(lambda tx: tx.connections())}
        await self._health.load({name: known.get(name, "") for name in engine.connectors})
        turn, replanner = Turn(engine, self._health, Guard({}), Gate(engine, {})), Replanner(engine)
        numbered = await store.read(lambda tx: tx.last_activity())
        await self._read(engine)
        await store.write(self._bring_forward)
        while await turn.run() + await self._pretend() + await replanner.run() or await self._forward(began):
            if trouble := next((row for row in self._health.rows.values() if row.condition != Condition.OK), None):
                raise _error(trouble.name, trouble.condition, trouble.words)
        return await store.read(lambda tx: self._result(tx, began, numbered))

    async def _read(self, engine: Engine) -> None:
        """Every account anew, still the one it was, and what has changed there."""
        poller = Poller(engine, self._health)

        async def one(name: str) -> None:
            try:
                account, row = await engine.connectors[name].account(), self._health.rows[name]
                if row.account_id not in (None, account.id):
                    words = f"pinned to {row.account_id}, the credentials open {account.id}"
                    raise ConnectionTrouble(Condition.ACCOUNT_CHANGED, words)
                engine.accounts[name] = account
                await poller.poll(name)
            except ConnectionTrouble as trouble:
                trouble.connection = name
                troubles.append(trouble)

        troubles: list[ConnectionTrouble] = []
        async with anyio.create_task_group() as group:
            for name in engine.connectors:
                group.start_soon(one, name)
        if troubles:
            raise troubles[0]

    def _bring_forward(self, tx: Tx) -> None:
        """What waits for a person's word is what the person wants to see."""
        now = self._clock.now()
        for sync in self._engine.syncs:
            for flow in sync.flows:
                for code in ("not_approved", "held"):
                    bring_forward(tx, sync.name, flow.name, code, now)

    async def _forward(self, began: datetime) -> bool:
        """Put the clock forward to what is due soon."""
        due = await self._store.read(lambda tx: tx.next_due(list(self._engine.connectors)))
        if due is None or not self._clock.now() < due <= began + HORIZON:
            return False
        self._clock.offset += due - self._clock.now()
        return True

    async def _pretend(self) -> int:
        """Settle the creates that were decided as if they had been carried out; the rest stays open, and is listed."""

        def settled(tx: Tx) -> list[Entry]:
            intents = [intent for intent in tx.unsent_intents() if intent.op is Op.CREATE]
            if not intents:
                return []
            records = tx.records([intent.record for intent in intents])
            entries = self._listed(tx, intents, records)
            outcomes = [
                Done(intent=i.id, id=(made := imagined(i, records[i.record])).id, snapshot=made) for i in intents
            ]
            self._settler.settle(tx, {intent.id: intent for intent in intents}, outcomes)
            return entries

        entries = await self._store.write(settled)
        self._entries += entries
        return len(entries)

    def _result(self, tx: Tx, at: datetime, numbered: int) -> Rehearsed:
        open_now = [i for i in tx.unsent_intents() if i.op is not Op.CREATE and not is_imagined(i.entity)]
        listed = self._listed(tx, open_now, tx.records([intent.record for intent in open_now]))
        syncs = {sync.name for sync in self._engine.syncs}
        return Rehearsed(
            at=at,
            accounts=self._engine.accounts,
            entries=tuple(sorted([*self._entries, *listed], key=_rank)),
            counts=tuple(row for row in tx.counts() if row.sync in syncs),
            failed=tuple(tx.list_records(status=Status.FAILED, limit=FAILED_SHOWN).rows),
            linked=tx.count_activity("record.linked", numbered),
        )

    def _listed(self, tx: Tx, intents: Sequence[Intent], records: dict[str, Record]) -> list[Entry]:
        rules = {sync.name: sync for sync in self._engine.syncs}
        known = [intent for intent in intents if intent.sync in rules]
        refs = {
            EntityRef(rules[i.sync].connection(side), i.kind, id)
            for i in known
            for side in Side
            if (id := records[i.record].entity(side)) is not None
        }
        seen = tx.snapshots(list(refs))
        return [_entry(rules[i.sync], i, records[i.record], seen) for i in known]


def _entry(sync: SyncRules, intent: Intent, record: Record, seen: dict[EntityRef, Snapshot]) -> Entry:
    flow = sync.flow(intent.flow)
    sides = {side: seen.get(EntityRef(sync.connection(side), intent.kind, record.entity(side) or "")) for side in Side}
    return Entry(
        sync=sync.name,
        flow=flow.name,
        place=place(record),
        label=record.label,
        connection=intent.connection,
        side=intent.side,
        op=intent.op,
        kind=intent.kind,
        entity=intent.entity,
        fields=tuple(_fields(intent, sides[intent.side])),
        lines=None if intent.lines is None else len(intent.lines),
        base={side.value: _base(record, side) for side in Side},
        seen={side.value: _seen(sides[side], flow, side) for side in Side},
        rules=record.rules_digest,
        command=command_digest(intent, {}),
    )


def _fields(intent: Intent, before: Snapshot | None) -> Iterable[Field]:
    noun = before.noun if before is not None else None
    for name, value in sorted(intent.values.items()):
        readable = noun is not None and (name.startswith("custom.") or name in field_names(type(noun)))
        old = shown(field_value(noun, name)) if noun is not None and readable else None
        new = "made by this plan" if isinstance(value, str) and is_imagined(value) else shown(value)
        yield Field(field=name, old=old, new=new)


def _base(record: Record, side: Side) -> str | None:
    base = record.base(side)
    return None if base is None else base.digest()


def _seen(snapshot: Snapshot | None, flow: FlowRules, side: Side) -> str | None:
    return None if snapshot is None else project(snapshot, flow, side).digest()


def _rank(entry: Entry) -> tuple[object, ...]:
    return entry.sync, list(Op).index(Op(entry.op)), entry.flow, entry.label, entry.place, entry.side


def _error(connection: str, condition: str, words: str) -> VendorUnreachable | PermissionRefused:
    kind = PermissionRefused if condition in FINAL else VendorUnreachable
    return kind(f"{connection}: {condition}: {words}")
