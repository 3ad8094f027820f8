"""Stores what became of intents, after a second thought about some refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from syncd.connectors.base import ConnectionTrouble, Connector, Order, Outcome, Refused, Stale, Unknown
from syncd.engine import Engine
from syncd.model.record import Intent, Op
from syncd.outbox.settle import Settler


@dataclass(slots=True)
class _Part:
    """The outcomes of one request. `done`: they are stored, or `failed` to be."""

    intents: dict[str, Intent]
    outcomes: Sequence[Outcome]
    done: bool = False
    failed: Exception | None = None


class Outcomes:
    """What came back, on its way to the store: whatever comes while a transaction runs shares the next one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._settler = Settler(engine)
        self._waiting: list[_Part] = []
        self._storing = anyio.Lock()

    async def store(self, intents: dict[str, Intent], orders: dict[str, Order], outcomes: Sequence[Outcome]) -> None:
        """Settle every order; one without an outcome is unknown."""
        answered = {outcome.intent for outcome in outcomes}
        every = [
            *outcomes,
            *(Unknown(intent=id, words="the answer left it out") for id in orders if id not in answered),
        ]
        part = _Part(intents, every)
        self._waiting.append(part)
        async with self._storing:
            if not part.done:
                await self._store_waiting()
        if part.failed is not None:
            raise part.failed

    async def _store_waiting(self) -> None:
        parts, self._waiting = self._waiting, []
        intents = {outcome.intent: part.intents[outcome.intent] for part in parts for outcome in part.outcomes}
        outcomes = [outcome for part in parts for outcome in part.outcomes]
        try:
            await self._engine.store.write(lambda tx: self._settler.settle(tx, intents, outcomes))
            self._engine.meters.settled(intents, outcomes, self._engine.clock.now())
        except Exception as error:
            for part in parts:
                part.failed = error
            raise
        finally:
            for part in parts:
                part.done = True

    async def reconsidered(
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
