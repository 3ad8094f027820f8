"""Carries out intents: look once more, compose, write down what goes out, send, write down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
import structlog

from syncd.bell import Bell
from syncd.connectors.base import (
    ConnectionTrouble,
    Connector,
    Done,
    NotDone,
    Order,
    Outcome,
    Refused,
    Send,
    Stale,
    Unknown,
    Unwritable,
)
from syncd.connectors.errand import Errand, on
from syncd.controls import is_paused
from syncd.core.content import project
from syncd.engine import Engine, observed
from syncd.health import Health
from syncd.model.record import Intent, IntentState, Op, Priority, Record, StoredSend
from syncd.model.references import EntityRef, Kind, MatchKey
from syncd.model.snapshot import Snapshot
from syncd.outbox.settle import Settler
from syncd.store.store import Tx

log = structlog.get_logger("syncd.outbox")

BATCH = 600  # intents taken at once: six of the largest vendor batches
PATIENCE = 3.0  # seconds a request stands in line for the vendor's limits; by then its look at the record is old
PARALLEL = 8  # requests in flight per connection; vendors allow ten and count other clients too

# Creates go parent before child, removals child before parent.
_KINDS = list(Kind)


class Executor:
    """The outbox of all connections of an engine.

    Args:
        bell: when it rings, what still stands in line for a vendor makes way and is taken up again later.
    """

    def __init__(self, engine: Engine, health: Health, bell: Bell) -> None:
        self._engine = engine
        self._health = health
        self._bell = bell
        self._settler = Settler(engine)
        self._in_flight: set[str] = set()
        self._most: dict[str, int] = {}  # intents a connection takes at once: what its limits lately had room for

    async def flush(self) -> int:
        """Carry out everything that may go out now; returns how many outcomes were stored."""
        counts: list[int] = []

        async def one(name: str) -> None:
            counts.append(await self._connection(name))

        async with anyio.create_task_group() as group:
            for name in self._engine.connectors:
                if self._health.usable(name):
                    group.start_soon(one, name)
        return sum(counts)

    async def _connection(self, name: str) -> int:
        try:
            with on(Errand(priority=Priority.RETRY)):
                done = await self._resolve(name)
            return done + await self._carry_out(name)
        except ConnectionTrouble as trouble:
            trouble.connection = name
            await self._health.trouble(trouble)
            return 0

    async def _carry_out(self, name: str) -> int:
        now, most = self._engine.clock.now(), self._most.get(name, BATCH)
        # While one side opens another account than before, nothing of the sync is written on either.
        standing = [s.name for s in self._engine.syncs if self._health.known(s.left) and self._health.known(s.right)]
        intents = await self._engine.store.read(lambda tx: _allowed(tx, tx.open_intents(name, standing, now, most)))
        # What is urgent does not share its requests, nor its place in line, with a backlog.
        intents = [intent for intent in intents if intent.priority < Priority.POLL] or intents
        # Step by step: lines of an invoice are composed from what its creation brought.
        intents = self._first_of_each(intents)
        if intents:
            with on(Errand(priority=min(intent.priority for intent in intents))):
                await self._take(name, intents)
        return len(intents)

    async def _take(self, name: str, intents: list[Intent]) -> None:
        connector = self._engine.connectors[name]
        records = await self._engine.store.read(lambda tx: tx.records([i.record for i in intents]))
        known = await self._known(name, intents)
        orders = {i.id: _order(i, records[i.record], known.get(i.id)) for i in intents if i.record in records}
        by_id = {i.id: i for i in intents}
        stopped = await self._look(connector, name, by_id, orders)
        sends, refused = _compose(connector, orders, self._engine)
        done = [*stopped, *await self._reconsidered(connector, name, by_id, refused)]
        if done:
            await self._engine.store.write(lambda tx: self._settler.settle(tx, by_id, done))
        await self._send_all(connector, name, sends, orders, by_id)

    async def _known(self, name: str, intents: list[Intent]) -> dict[str, Snapshot]:
        """What the entities to be changed were when last seen, by intent."""
        refs = {i.id: EntityRef(name, i.kind, i.entity) for i in intents if i.entity is not None}
        wanted = list(refs.values())
        stored = await self._engine.store.read(lambda tx: tx.snapshots(wanted)) if wanted else {}
        return {id: stored[ref] for id, ref in refs.items() if ref in stored}

    def _first_of_each(self, intents: list[Intent]) -> list[Intent]:
        def rank(intent: Intent) -> tuple[int, int]:
            place = _KINDS.index(intent.kind)
            return (1, place) if intent.op in (Op.CREATE, Op.UPDATE) else (0, -place)

        return sorted(intents, key=rank)

    async def _look(
        self, connector: Connector, name: str, intents: dict[str, Intent], orders: dict[str, Order]
    ) -> list[Outcome]:
        """The look right before the write: what moved since it was decided is not written but decided again."""
        fresh = await connector.fresh(list(orders.values()))
        moved: list[Outcome] = []
        for id, snapshot in fresh.items():
            intent = intents[id]
            if intent.expected is not None and self._digest(intent, snapshot) != intent.expected:
                moved.append(Stale(intent=id, words="It changed meanwhile."))
                del orders[id]
            else:
                orders[id] = replace(orders[id], seen=snapshot, if_version=snapshot.version)
        if fresh:
            looks = [observed(name, snapshot, "read", self._engine.clock) for snapshot in fresh.values()]
            await self._engine.store.write(lambda tx: tx.observe(looks))
        return moved

    def _digest(self, intent: Intent, snapshot: Snapshot) -> str:
        sync = next(s for s in self._engine.syncs if s.name == intent.sync)
        return project(snapshot, sync.flow(intent.flow), intent.side).digest()

    async def _send_all(
        self,
        connector: Connector,
        name: str,
        sends: Sequence[Send],
        orders: dict[str, Order],
        intents: dict[str, Intent],
    ) -> None:
        if not sends:
            return
        await self._write_down(name, sends, intents)
        limiter = anyio.CapacityLimiter(PARALLEL)
        errands = {send.id: self._errand(send, intents) for send in sends}
        troubles: list[ConnectionTrouble] = []

        async def one(send: Send) -> None:
            async with limiter:
                mine, errand = {id: orders[id] for id in send.items}, errands[send.id]
                if troubles or any(other.gave_up for other in errands.values()):
                    return
                try:
                    with on(errand):
                        outcomes = await connector.transmit(send, mine)
                except ConnectionTrouble as trouble:
                    troubles.append(trouble)
                    outcomes = [NotDone(intent=id, words=trouble.words) for id in mine]
                if errand.left:
                    # What a vendor said is written down even while we are being stopped.
                    with anyio.CancelScope(shield=True):
                        outcomes = await self._reconsidered(connector, name, intents, outcomes)
                        await self._store_outcomes(intents, mine, outcomes)

        self._in_flight |= {send.id for send in sends}
        try:
            async with anyio.create_task_group() as group:
                for send in sends:
                    group.start_soon(one, send)
        finally:
            self._in_flight -= {send.id for send in sends}
            with anyio.CancelScope(shield=True):
                await self._take_back([send for send in sends if not errands[send.id].left], intents)
        if troubles:
            raise troubles[0]
        self._measure(name, sends, errands)
        await self._health.success(name)

    def _errand(self, send: Send, intents: dict[str, Intent]) -> Errand:
        first = intents[next(iter(send.items))]
        return Errand(priority=first.priority, sync=first.sync, patience=PATIENCE, gives_way=self._bell.rung)

    async def _take_back(self, sends: Sequence[Send], intents: dict[str, Intent]) -> None:
        """Requests that did not leave: their intents are open as they were before, for the next pass."""
        if sends:
            back = [
                replace(intents[id], state=IntentState.OPEN, send=None, item=None, sent_at=None)
                for send in sends
                for id in send.items
            ]
            await self._engine.store.write(lambda tx: tx.save_intents(back))

    def _measure(self, name: str, sends: Sequence[Send], errands: dict[str, Errand]) -> None:
        """Take on next time what there was room for, in full requests; more and more while there is room for all."""
        full = max(len(send.items) for send in sends)
        left = sum(errands[send.id].left for send in sends)
        self._most[name] = full * max(1, left) if left < len(sends) else min(BATCH, 2 * self._most.get(name, BATCH))

    async def _reconsidered(
        self, connector: Connector, name: str, intents: dict[str, Intent], outcomes: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        """A create the account's state forbids may mean that nothing of its kind can be made there: then plan anew."""
        refused = {o.intent for o in outcomes if isinstance(o, Refused) and o.category == "state_not_allowed"}
        refused = {id for id in refused if intents[id].op is Op.CREATE}
        if not refused:
            return outcomes
        try:
            account = await connector.account()
        except ConnectionTrouble:
            return outcomes
        self._engine.accounts[name] = account
        hopeless = {id for id in refused if intents[id].kind not in account.writable}
        return [Stale(intent=o.intent) if o.intent in hopeless else o for o in outcomes]

    async def _write_down(self, name: str, sends: Sequence[Send], intents: dict[str, Intent]) -> None:
        """Before anything leaves: every request with its exact bytes, every intent with the request it is in."""
        now = self._engine.clock.now()
        stored = [_stored(send, name, self._engine) for send in sends]
        for send in sends:
            for id, item in send.items.items():
                intents[id] = replace(intents[id], state=IntentState.SENT, send=send.id, item=item, sent_at=now)
        sent = [intents[id] for send in sends for id in send.items]

        def write(tx: Tx) -> None:
            tx.add_sends(stored)
            tx.save_intents(sent)

        await self._engine.store.write(write)

    async def _store_outcomes(
        self, intents: dict[str, Intent], orders: dict[str, Order], outcomes: Sequence[Outcome]
    ) -> None:
        answered = {outcome.intent for outcome in outcomes}
        every = [
            *outcomes,
            *(Unknown(intent=id, words="the answer left it out") for id in orders if id not in answered),
        ]
        await self._engine.store.write(lambda tx: self._settler.settle(tx, intents, every))

    async def _resolve(self, name: str) -> int:
        """Find out what became of requests whose answer never came; never simply send them again.

        Returns:
            How many are known now.
        """
        now = self._engine.clock.now()
        listed = await self._engine.store.read(lambda tx: tx.unresolved_intents(name))
        due = [i for i in listed if i.send not in self._in_flight and (i.not_before is None or i.not_before <= now)]
        if not due:
            return 0
        records = await self._engine.store.read(lambda tx: tx.records([i.record for i in due]))
        groups: dict[str, list[Intent]] = {}
        for intent in due:
            groups.setdefault(intent.send or "", []).append(intent)
        return sum([await self._resolve_send(name, id, group, records) for id, group in groups.items()])

    async def _resolve_send(self, name: str, send_id: str, group: list[Intent], records: dict[str, Record]) -> int:
        intents = {intent.id: intent for intent in group}
        outcomes = await self._seen_already(name, group, records)
        left = [intent for intent in group if intent.id not in {outcome.intent for outcome in outcomes}]
        if left:
            orders = {i.id: _order(i, records[i.record]) for i in left}
            stored = await self._engine.store.read(lambda tx: tx.send(send_id))
            if stored is None:
                outcomes += [Unknown(intent=i.id, words="its request is no longer known") for i in left]
            else:
                age = (self._engine.clock.now() - stored.sent_at).total_seconds()
                connector = self._engine.connectors[name]
                outcomes += await connector.resolve(_resend(stored, orders), orders, age)
        with anyio.CancelScope(shield=True):
            await self._store_outcomes(intents, {i.id: _order(i, records[i.record]) for i in group}, outcomes)
        return sum(not isinstance(outcome, Unknown) for outcome in outcomes)

    async def _seen_already(self, name: str, group: list[Intent], records: dict[str, Record]) -> list[Outcome]:
        """Single-step creates whose entity, carrying our reference, was brought by a poll meanwhile."""
        found: list[Outcome] = []
        for intent in group:
            if intent.op is not Op.CREATE or intent.step > 0 or intent.kind is Kind.INVOICE:
                continue
            key = MatchKey("marker", records[intent.record].marker)
            seen = await self._marked(name, intent.kind, key)
            found += [Done(intent=intent.id, id=snapshot.id, snapshot=snapshot) for snapshot in seen[:1]]
        return found

    async def _marked(self, name: str, kind: Kind, key: MatchKey) -> tuple[Snapshot, ...]:
        return (await self._engine.store.read(lambda tx: tx.find_entities(name, kind, [key]))).get(key, ())


def _allowed(tx: Tx, intents: list[Intent]) -> list[Intent]:
    """Without those of paused flows; a write of several steps that has begun is brought to its end."""
    flows = {(intent.sync, intent.flow) for intent in intents}
    paused = {(sync, flow) for sync, flow in flows if is_paused(tx, sync, flow)}
    return [intent for intent in intents if intent.step > 0 or (intent.sync, intent.flow) not in paused]


def _order(intent: Intent, record: Record, seen: Snapshot | None = None) -> Order:
    return Order(
        intent=intent.id,
        op=intent.op,
        kind=intent.kind,
        id=intent.entity,
        values=intent.values,
        lines=intent.lines,
        allocations=intent.allocations,
        mirror=intent.mirror,
        if_version=intent.if_version,
        marker=record.marker if intent.op is Op.CREATE else None,
        seen=seen,
        step=intent.step,
        carry=intent.carry,
    )


def _compose(connector: Connector, orders: dict[str, Order], engine: Engine) -> tuple[Sequence[Send], list[Outcome]]:
    refused: list[Outcome] = []
    while orders:
        try:
            return connector.compose(list(orders.values()), engine.chance.new_id), refused
        except Unwritable as error:
            refused.append(Refused(intent=error.intent, category=error.category, words=error.words))
            del orders[error.intent]
    return (), refused


def _stored(send: Send, connection: str, engine: Engine) -> StoredSend:
    return StoredSend(
        id=send.id,
        connection=connection,
        method=send.method,
        path=send.path,
        content_type=send.content_type,
        body=send.body,
        replayable=send.replayable,
        items=send.items,
        sent_at=engine.clock.now(),
    )


def _resend(stored: StoredSend, orders: dict[str, Order]) -> Send:
    return Send(
        id=stored.id,
        method=stored.method,
        path=stored.path,
        body=stored.body,
        items={id: item for id, item in stored.items.items() if id in orders},
        replayable=stored.replayable,
        content_type=stored.content_type,
    )
