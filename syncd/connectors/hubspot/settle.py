"""From what was said of each part to the orders' outcomes, with the entity as it is afterwards where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from syncd.connectors.base import ConnectionTrouble, Done, Order, Outcome, Send
from syncd.connectors.hubspot import mapping, wire
from syncd.connectors.hubspot.answers import Accepted, Word, concluded, created
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.fields import TYPES, read_properties
from syncd.connectors.hubspot.history import lost_values
from syncd.connectors.hubspot.mapping import Parts
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.parts import Part, all_parts, carry_of, next_parts
from syncd.connectors.hubspot.reading import Reader
from syncd.connectors.hubspot.wire import Record
from syncd.model.record import Op
from syncd.model.references import Kind
from syncd.model.snapshot import Snapshot

log = structlog.get_logger("syncd.hubspot")

Said = Mapping[str, Mapping[str, Word]]
"""By intent, then by part name."""


class Settler:
    """Makes outcomes."""

    def __init__(self, client: Client, reader: Reader, options: Options) -> None:
        self._client = client
        self._reader = reader
        self._options = options

    async def outcomes(
        self, send: Send, orders: Mapping[str, Order], said: Said, request_id: str | None = None
    ) -> list[Outcome]:
        """One outcome an intent, in the request's order."""
        made: dict[str, Outcome] = {}
        finished: list[Order] = []
        for intent in send.items:
            order = orders[intent]
            parts, todo = next_parts(order, self._options), all_parts(order, self._options)
            outcome = concluded(order, parts, todo, said[intent])
            if outcome is None:
                finished.append(order)
            else:
                made[intent] = outcome
        changed = [order for order in finished if self._last(order).name == "update"]
        made |= await self._changed(changed, request_id)
        for order in finished:
            if order.intent not in made:
                id, _ = created(order, next_parts(order, self._options), said[order.intent])
                snapshot = await self._created(order, said[order.intent]) if order.op is Op.CREATE else None
                made[order.intent] = Done(intent=order.intent, id=id, snapshot=snapshot, request_id=request_id)
        return [made[intent] for intent in send.items]

    async def _changed(self, orders: Sequence[Order], request_id: str | None) -> dict[str, Outcome]:
        """Updates, looked at again with the history of what was written."""
        made: dict[str, Outcome] = {}
        for kind in dict.fromkeys(order.kind for order in orders):
            mine = [order for order in orders if order.kind is kind]
            records = await self._with_history(kind, mine)
            zone = await self._reader.zone() if records else None
            for order in mine:
                assert order.id is not None
                record = records.get(order.id)
                if record is None or zone is None:
                    made[order.intent] = Done(intent=order.intent, id=order.id, request_id=request_id)
                    continue
                try:
                    snapshot = await self._as_read(order, record)
                    foreign = lost_values(order, self._last(order), record, zone)
                except ConnectionTrouble as trouble:
                    log.warning("hubspot.unreadable_after_write", condition=trouble.condition)
                    snapshot, foreign = None, {}
                made[order.intent] = Done(
                    intent=order.intent, id=order.id, snapshot=snapshot, foreign=foreign, request_id=request_id
                )
        return made

    async def _created(self, order: Order, words: Mapping[str, Word]) -> Snapshot | None:
        """What was created, as far as it can be told: an answer nobody understands does not undo the write."""
        try:
            return await self._as_answered(order, words)
        except (ConnectionTrouble, ValueError, KeyError) as error:
            log.warning("hubspot.unreadable_after_write", error=type(error).__name__)
            return None

    async def _with_history(self, kind: Kind, orders: Sequence[Order]) -> dict[str, Record]:
        names = sorted({name for order in orders for name in self._last(order).properties})
        ids = [order.id for order in orders if order.id]
        try:
            await self._reader.zone()
            records = await self._client.records(TYPES[kind], ids, read_properties(kind, self._options), history=names)
        except ConnectionTrouble as trouble:
            # The write is done all the same; what it brought will be seen by the next read.
            log.warning("hubspot.no_look_after_write", condition=trouble.condition)
            return {}
        return {record.id: record for record in records}

    async def _as_read(self, order: Order, record: Record) -> Snapshot | None:
        if order.kind in (Kind.PARTY, Kind.PRODUCT):
            return (await self._reader.snapshots(order.kind, [record]))[0]
        untouched = order.carry is None and len(all_parts(order, self._options)) == 1
        if order.seen is None or order.seen.noun is None or not untouched:
            return None
        return self._reader.laid_over(order.seen, record, await self._reader.zone())

    async def _as_answered(self, order: Order, words: Mapping[str, Word]) -> Snapshot | None:
        """What was created, if the answers show everything that was sent; else it has to be read."""
        parts = next_parts(order, self._options)
        carry = carry_of(order)
        record = wire.to(Record, carry.record) if carry and carry.record else _answer(words.get("create"))
        if record is None or not all(_shows(_answer(words[part.name]), part) for part in parts):
            return None
        match order.kind:
            case Kind.PARTY | Kind.PRODUCT:
                return (await self._reader.snapshots(order.kind, [record]))[0]
            case Kind.PAYMENT:
                invoices = tuple(allocation.invoice for allocation in order.allocations or ())
                customer = _text(order.values.get("customer"))
                zone = await self._reader.zone()
                return mapping.payment(record, customer, invoices, zone, self._options)
            case Kind.INVOICE:
                lines = [answer for part in parts if part.name != "create" and (answer := _answer(words[part.name]))]
                if len(lines) != len(order.lines or ()):
                    return None
                zone = await self._reader.zone()
                read = tuple(mapping.line(line, None, zone, self._options) for line in lines)
                whole = Parts(customer=_text(order.values.get("customer")), lines=read)
                return mapping.invoice(record, whole, zone, self._options)

    def _last(self, order: Order) -> Part:
        return next_parts(order, self._options)[-1]


def _answer(word: Word | None) -> Record | None:
    return word.record if isinstance(word, Accepted) else None


def _shows(record: Record | None, part: Part) -> bool:
    return record is not None and part.properties.keys() <= record.properties.keys()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
