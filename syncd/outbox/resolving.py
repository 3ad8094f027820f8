"""Finds out what became of requests whose answer never came; never simply sends them again."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import anyio

from syncd.connectors.base import Advanced, Done, Outcome, Stale, Unknown
from syncd.engine import Engine
from syncd.model.record import Intent, Op, Record
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Snapshot
from syncd.outbox.orders import order, resend
from syncd.outbox.outcomes import Outcomes


class Resolver:
    """Looks after intents that were sent and not answered.

    Args:
        in_flight: requests that are out at this moment: their answers may still come.
    """

    def __init__(self, engine: Engine, outcomes: Outcomes, in_flight: AbstractSet[str]) -> None:
        self._engine = engine
        self._outcomes = outcomes
        self._in_flight = in_flight

    async def resolve(self, name: str) -> int:
        """All that is due at a connection. Returns how many are known now."""
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
            orders = {i.id: order(i, records[i.record]) for i in left}
            stored = await self._engine.store.read(lambda tx: tx.send(send_id))
            if stored is None:
                outcomes += [Unknown(intent=i.id, words="its request is no longer known") for i in left]
            else:
                age = (self._engine.clock.now() - stored.sent_at).total_seconds()
                connector = self._engine.connectors[name]
                outcomes += await connector.resolve(resend(stored, orders), orders, age)
        if self._engine.restored:
            outcomes = [_taken_up(outcome) for outcome in outcomes]
        with anyio.CancelScope(shield=True):
            await self._outcomes.store(intents, {i.id: order(i, records[i.record]) for i in group}, outcomes)
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


def _taken_up(outcome: Outcome) -> Outcome:
    """The same for a state that is older than what was done: the steps it thinks are left may be done as well."""
    if isinstance(outcome, Advanced):
        return Stale(intent=outcome.intent, words="An older state was put back.")
    return outcome
