"""What became of a request: item by item from its answer, or from a look at the books when the answer never came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.connectors.base import (
    ConnectionTrouble,
    Done,
    NotDone,
    Order,
    Outcome,
    Refused,
    Send,
    Stale,
    Unknown,
)
from syncd.connectors.http import AnswerLost, HttpReply, Malformed, NotSent, retry_after
from syncd.connectors.quickbooks.client import BATCH, LIMITS, Client, batch_items
from syncd.connectors.quickbooks.errors import MAINTENANCE_SECONDS, Effect, Fault, fault_in, fault_of
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.wire import ENTITIES, Raw
from syncd.connectors.quickbooks.writes import ONLY_ITEM
from syncd.model.record import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one exchange of a write brought.

    Attributes:
        answered: whether the vendor itself judged the items; else the outcomes speak of the request as a whole, and
            "not done" means only that this attempt did nothing.
    """

    outcomes: Sequence[Outcome]
    answered: bool


class Writer:
    """Sends composed requests and reads their answers."""

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    async def send(self, send: Send, orders: Mapping[str, Order]) -> Tried:
        """One exchange.

        Raises:
            ConnectionTrouble: nothing of it was carried out, and the connection is to blame.
        """
        try:
            reply = await self._client.post(send)
        except NotSent as error:
            return _not_done(send, f"nothing was sent ({error})")
        except AnswerLost as error:
            return _unknown(send, f"no answer ({error})")
        if reply.status >= 500:
            return _unknown(send, f"HTTP {reply.status}")
        fault = fault_of(reply)
        if fault is not None:
            return self._refused_whole(send, orders, reply, fault)
        try:
            items = _items(send, reply.json())
        except (Malformed, ConnectionTrouble) as error:
            return _unknown(send, str(error))
        return await self._judged(send, orders, items, reply.headers.get("intuit_tid"))

    def _refused_whole(self, send: Send, orders: Mapping[str, Order], reply: HttpReply, fault: Fault) -> Tried:
        if fault.effect in (Effect.LOGIN, Effect.TROUBLE):
            raise fault.trouble()
        wait = retry_after(reply, self._client.clock) or LIMITS.throttle_pause
        if fault.effect is Effect.THROTTLED:
            return _not_done(send, fault.words, wait)
        request_id = reply.headers.get("intuit_tid")
        outcomes = [_of_fault(intent, orders.get(intent), fault, request_id) for intent in send.items]
        return Tried(outcomes=outcomes, answered=True)

    async def _judged(
        self, send: Send, orders: Mapping[str, Order], items: Mapping[str, Raw], request_id: str | None
    ) -> Tried:
        faults = {intent: fault_in(items[key]) for intent, key in send.items.items() if key in items}
        troubles = [f for f in faults.values() if f is not None and f.effect in (Effect.LOGIN, Effect.TROUBLE)]
        if len(troubles) == len(send.items):
            raise troubles[0].trouble()
        if any(fault is not None and fault.effect is Effect.THROTTLED for fault in faults.values()):
            self._client.hold()
        outcomes: list[Outcome] = []
        for intent, key in send.items.items():
            order, fault = orders.get(intent), faults.get(intent)
            if key not in items:
                outcomes.append(Unknown(intent=intent, words="the answer leaves it out"))
            elif fault is not None:
                outcomes.append(_of_fault(intent, order, fault, request_id))
            else:
                outcomes.append(await self._done(intent, order, items[key], request_id))
        return Tried(outcomes=outcomes, answered=True)

    async def _done(self, intent: str, order: Order | None, item: Raw, request_id: str | None) -> Outcome:
        row = item.get(ENTITIES[order.kind]) if order else None
        if order is None or not isinstance(row, dict) or not isinstance(row.get("Id"), str):
            return Unknown(intent=intent, words="the answer does not show it")
        try:
            shown = await self._reader.snapshots(order.kind, [row])
        except ConnectionTrouble:
            shown = []  # it is done all the same; who its parent is will be read later
        return Done(intent=intent, id=row["Id"], snapshot=next(iter(shown), None), request_id=request_id)


def _items(send: Send, body: object) -> dict[str, Raw]:
    if not isinstance(body, dict):
        raise Malformed("an answer that is no object")
    if f"{BATCH}?" not in send.path:
        return {ONLY_ITEM: body}
    return {str(item.get("bId")): item for item in batch_items(body) if isinstance(item, dict)}


def _of_fault(intent: str, order: Order | None, fault: Fault, request_id: str | None) -> Outcome:
    match fault.effect:
        case Effect.REFUSED:
            return Refused(
                intent=intent,
                category=fault.name,
                words=fault.words,
                request_id=request_id,
                existing=fault.existing,
            )
        case Effect.STALE:
            return Stale(intent=intent, words=fault.words)
        case Effect.THROTTLED:
            return NotDone(intent=intent, words=fault.words, after=LIMITS.throttle_pause)
        case Effect.TRANSIENT if order is None or order.op is Op.CREATE:
            # "An unexpected error": a second create may be one too many. A second update is only stale.
            return Unknown(intent=intent, words=fault.words, fault=True)
        case _:
            return NotDone(intent=intent, words=fault.words, after=MAINTENANCE_SECONDS, fault=True)


def _not_done(send: Send, words: str, after: float | None = None) -> Tried:
    outcomes = [NotDone(intent=intent, words=words, after=after) for intent in send.items]
    return Tried(outcomes=outcomes, answered=False)


def _unknown(send: Send, words: str) -> Tried:
    return Tried(outcomes=[Unknown(intent=intent, words=words) for intent in send.items], answered=False)
