"""Carries out intents: look once more, compose, write down what goes out, send, write down what came of it."""

from __future__ import annotations

from dataclasses import replace

import anyio

from syncd.bell import Bell
from syncd.connectors.base import ConnectionTrouble, Connector, Order, Outcome, Stale
from syncd.connectors.errand import Errand, on
from syncd.controls import is_paused
from syncd.core.content import project
from syncd.engine import Engine, observed
from syncd.health import Health
from syncd.model.record import Intent, Op, Priority
from syncd.model.references import EntityRef, Kind
from syncd.model.snapshot import Snapshot
from syncd.outbox.orders import compose, order
from syncd.outbox.outcomes import Outcomes
from syncd.outbox.resolving import Resolver
from syncd.outbox.sending import Sender
from syncd.store.store import Tx

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
        self._outcomes = Outcomes(engine)
        self._sender = Sender(engine, health, bell, self._outcomes)
        self._resolver = Resolver(engine, self._outcomes, self._sender.in_flight)

    @property
    def sent(self) -> int:
        """How many requests were handed over to be sent so far."""
        return self._sender.sent

    async def flush(self) -> int:
        """Carry out everything that may go out now; returns how many outcomes were stored."""
        counts: list[int] = []
        usable = [name for name in self._engine.connectors if self._health.fine(name)]
        in_line = await self._engine.store.read(lambda tx: tx.with_intents(usable))

        async def one(name: str) -> None:
            counts.append(await self._connection(name))

        async with anyio.create_task_group() as group:
            for name in in_line:
                group.start_soon(one, name)
        return sum(counts)

    async def _connection(self, name: str) -> int:
        try:
            with on(Errand(priority=Priority.RETRY)):
                done = await self._resolver.resolve(name)
            return done + await self._carry_out(name)
        except ConnectionTrouble as trouble:
            trouble.connection = name
            await self._health.trouble(trouble)
            return 0

    async def _carry_out(self, name: str) -> int:
        now, most = self._engine.clock.now(), self._sender.most(name)
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
        orders = {i.id: order(i, records[i.record], known.get(i.id)) for i in intents if i.record in records}
        by_id = {i.id: i for i in intents}
        stopped = await self._look(connector, name, by_id, orders)
        sends, refused = compose(connector, orders, self._engine)
        done = [*stopped, *await self._outcomes.reconsidered(connector, name, by_id, refused)]
        if done:
            await self._outcomes.store(by_id, {}, done)
        await self._sender.send(connector, name, sends, orders, by_id)

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


def _allowed(tx: Tx, intents: list[Intent]) -> list[Intent]:
    """Without those of paused flows; a write of several steps that has begun is brought to its end."""
    flows = {(intent.sync, intent.flow) for intent in intents}
    paused = {(sync, flow) for sync, flow in flows if is_paused(tx, sync, flow)}
    return [intent for intent in intents if intent.step > 0 or (intent.sync, intent.flow) not in paused]
