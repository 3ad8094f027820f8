"""Sends requests: written down first, a few at a time, each outcome stored as soon as it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from syncd.bell import Bell
from syncd.connectors.base import ConnectionTrouble, Connector, NotDone, Order, Outcome, Send
from syncd.connectors.errand import Errand, on
from syncd.engine import Engine
from syncd.health import Health
from syncd.model.quick import replace
from syncd.model.record import Intent, IntentState
from syncd.outbox.orders import stored
from syncd.outbox.outcomes import Outcomes
from syncd.store.store import Tx

BATCH = 1000  # intents taken at once: ten of the largest vendor batches
PATIENCE = 3.0  # seconds a request stands in line for the vendor's limits; by then its look at the record is old
PARALLEL = 8  # requests in flight per connection; vendors allow ten and count other clients too


@dataclass(slots=True)
class Batch:
    """Requests to one connection that go out together.

    Attributes:
        errands: how urgent each request is, and whether it left; by its id.
        troubles: what kept the vendor from being worked with.
    """

    connector: Connector
    name: str
    intents: dict[str, Intent]
    orders: dict[str, Order]
    errands: dict[str, Errand]
    troubles: list[ConnectionTrouble] = field(default_factory=list)
    limiter: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(PARALLEL))

    @property
    def given_up(self) -> bool:
        """What has not left by now is not to leave at all."""
        return bool(self.troubles) or any(errand.gave_up for errand in self.errands.values())


class Sender:
    """The requests of all connections.

    Attributes:
        in_flight: requests that are out at this moment.
        sent: how many requests were handed over to be sent so far.
    """

    def __init__(self, engine: Engine, health: Health, bell: Bell, outcomes: Outcomes) -> None:
        self._engine = engine
        self._health = health
        self._bell = bell
        self._outcomes = outcomes
        self.in_flight: set[str] = set()
        self.sent = 0
        self._most: dict[str, int] = {}  # intents a connection takes at once: what its limits lately had room for

    def most(self, name: str) -> int:
        """How many intents of a connection are taken on at once."""
        return self._most.get(name, BATCH)

    async def send(
        self,
        connector: Connector,
        name: str,
        sends: Sequence[Send],
        orders: dict[str, Order],
        intents: dict[str, Intent],
    ) -> None:
        """Send all of them and store what comes of each.

        Raises:
            ConnectionTrouble: the vendor can not be worked with; what did not leave is as it was before.
        """
        if not sends:
            return
        await self._write_down(name, sends, intents)
        self.sent += len(sends)
        batch = Batch(connector, name, intents, orders, {send.id: self._errand(send, intents) for send in sends})
        self.in_flight |= {send.id for send in sends}
        try:
            async with anyio.create_task_group() as group:
                for send in sends:
                    group.start_soon(self._send, send, batch)
        finally:
            self.in_flight -= {send.id for send in sends}
            with anyio.CancelScope(shield=True):
                await self._take_back([send for send in sends if not batch.errands[send.id].left], intents)
        if batch.troubles:
            raise batch.troubles[0]
        self._measure(name, sends, batch.errands)
        await self._health.success(name)

    async def _send(self, send: Send, batch: Batch) -> None:
        async with batch.limiter:
            if batch.given_up:
                return
            mine, errand = {id: batch.orders[id] for id in send.items}, batch.errands[send.id]
            try:
                with on(errand):
                    outcomes = await batch.connector.transmit(send, mine)
            except ConnectionTrouble as trouble:
                batch.troubles.append(trouble)
                outcomes = [NotDone(intent=id, words=trouble.words) for id in mine]
            self._engine.steps += 1
            if errand.left:
                await self._settle(mine, outcomes, batch)

    async def _settle(self, mine: dict[str, Order], outcomes: Sequence[Outcome], batch: Batch) -> None:
        self._engine.meters.sent(batch.intents[id] for id in mine)
        # What a vendor said is written down even while we are being stopped.
        with anyio.CancelScope(shield=True):
            known = await self._outcomes.reconsidered(batch.connector, batch.name, batch.intents, outcomes)
            await self._outcomes.store(batch.intents, mine, known)

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

    async def _write_down(self, name: str, sends: Sequence[Send], intents: dict[str, Intent]) -> None:
        """Before anything leaves: every request with its exact bytes, every intent with the request it is in."""
        now = self._engine.clock.now()
        requests = [stored(send, name, self._engine) for send in sends]
        for send in sends:
            for id, item in send.items.items():
                intents[id] = replace(intents[id], state=IntentState.SENT, send=send.id, item=item, sent_at=now)
        sent = [intents[id] for send in sends for id in send.items]

        def write(tx: Tx) -> None:
            tx.add_sends(requests)
            tx.save_intents(sent)

        await self._engine.store.write(write)
