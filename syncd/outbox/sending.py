"""Sends requests: written down first, a few at a time, each outcome stored as soon as it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio

from syncd.bell import Bell
from syncd.connectors.base import ConnectionTrouble, Connector, NotDone, Order, Send
from syncd.connectors.errand import Errand, on
from syncd.engine import Engine
from syncd.health import Health
from syncd.model.record import Intent, IntentState
from syncd.outbox.orders import stored
from syncd.outbox.outcomes import Outcomes
from syncd.store.store import Tx

BATCH = 1000  # intents taken at once: ten of the largest vendor batches
PATIENCE = 3.0  # seconds a request stands in line for the vendor's limits; by then its look at the record is old
PARALLEL = 8  # requests in flight per connection; vendors allow ten and count other clients too


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
                self._engine.steps += 1
                if errand.left:
                    self._engine.meters.sent(intents[id] for id in mine)
                    # What a vendor said is written down even while we are being stopped.
                    with anyio.CancelScope(shield=True):
                        outcomes = await self._outcomes.reconsidered(connector, name, intents, outcomes)
                        await self._outcomes.store(intents, mine, outcomes)

        self.in_flight |= {send.id for send in sends}
        try:
            async with anyio.create_task_group() as group:
                for send in sends:
                    group.start_soon(one, send)
        finally:
            self.in_flight -= {send.id for send in sends}
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
