"""One HubSpot portal, as the engine sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from syncd.connectors.base import (
    Account,
    Authorization,
    Finding,
    MappedField,
    NewId,
    Order,
    Outcome,
    Page,
    Quota,
    Send,
    Shown,
)
from syncd.connectors.http import Transport
from syncd.connectors.hubspot import check, others, prepare, states
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.custom import CustomProperties
from syncd.connectors.hubspot.lookup import Lookup
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.payments import Recording
from syncd.connectors.hubspot.poll import Poll
from syncd.connectors.hubspot.reading import Reader
from syncd.connectors.hubspot.resolve import Resolver
from syncd.connectors.hubspot.settle import Settler
from syncd.connectors.hubspot.writes import Writer
from syncd.connectors.together import together
from syncd.model.record import Op
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Presence, Snapshot

COMPOSITE = frozenset({Kind.INVOICE, Kind.PAYMENT})


class HubSpot:
    """The `Connector` of HubSpot; its parts do the work."""

    def __init__(
        self,
        client: Client,
        transport: Transport,
        options: Options,
        authorization: Authorization | None,
        fields: Sequence[MappedField] = (),
        shown: Sequence[str] = (),
    ) -> None:
        self.authorization = authorization
        self.traits = replace(options.traits(), shows=frozenset(shown))
        self._custom = CustomProperties(client, fields)
        self._client = client
        self._options = options
        self._transport = transport
        self._recording = Recording(options.payments)
        self._reader = Reader(client, options)
        self._lookup = Lookup(client, self._reader, options)
        self._poll = Poll(client, self._reader, self._lookup, options)
        settler = Settler(client, self._reader, options)
        self._writer = Writer(client, settler, options, self._recording)
        self._resolver = Resolver(client, self._lookup, settler, options)

    async def account(self) -> Account:
        portal = await self._client.portal()
        self._reader.learn(portal)
        problems = await self._custom.look()
        self.traits = self._custom.taught(self.traits)
        unwritable = frozenset() if self._recording.possible else frozenset({Kind.PAYMENT})
        return Account(
            id=str(portal.portal_id),
            name=f"HubSpot portal {portal.portal_id}",
            currency=portal.company_currency,
            multi_currency=bool(set(portal.additional_currencies) - {portal.company_currency}),
            writable=frozenset(Kind) - unwritable,
            problems=problems,
        )

    def changes_since(self, cursors: Mapping[str, str], kinds: Sequence[Kind], now: datetime) -> AsyncIterator[Page]:
        return self._poll.changes(cursors, kinds, now)

    def history(self, kind: Kind, since: datetime, cursor: str | None, now: datetime) -> AsyncIterator[Page]:
        return self._poll.history(kind, since, cursor, now)

    async def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Snapshot]:
        return await self._reader.read(kind, ids)

    async def find(self, kind: Kind, keys: Sequence[MatchKey]) -> Mapping[MatchKey, tuple[Snapshot, ...]]:
        return await self._lookup.find(kind, keys)

    async def fresh(self, orders: Sequence[Order]) -> Mapping[str, Snapshot]:
        # A write that is under way has moved the entity itself; creates have nothing to look at.
        looked = [order for order in orders if order.op is not Op.CREATE and order.id and order.carry is None]
        light = {order.intent: order for order in looked if _keeps_its_parts(order)}
        made: dict[str, Snapshot] = {}
        for kind in dict.fromkeys(order.kind for order in light.values()):
            seen = {o.id: o.seen for o in light.values() if o.kind is kind and o.id and o.seen}
            found = await self._reader.over(kind, seen)
            made |= {o.intent: found[o.id] for o in light.values() if o.kind is kind and o.id in found}
        whole = [order for order in looked if order.intent not in made]
        kinds = list(dict.fromkeys(order.kind for order in whole))
        ids = [list(dict.fromkeys(o.id for o in whole if o.kind is kind and o.id)) for kind in kinds]
        pages = await together(*(self._reader.read(kind, some) for kind, some in zip(kinds, ids, strict=True)))
        by_kind = dict(zip(kinds, pages, strict=True))
        return made | {order.intent: by_kind[order.kind][order.id] for order in whole if order.id}

    def compose(self, orders: Sequence[Order], new_id: NewId) -> Sequence[Send]:
        return self._writer.compose(orders, new_id)

    async def transmit(self, send: Send, orders: Mapping[str, Order]) -> Sequence[Outcome]:
        return await self._writer.transmit(send, orders)

    async def resolve(self, send: Send, orders: Mapping[str, Order], age: float) -> Sequence[Outcome]:
        return await self._resolver.resolve(send, orders, age)

    async def prepare(self, kinds: Sequence[Kind]) -> None:
        await prepare.provide(self._client, kinds, self.traits.shows)

    async def other_syncs(self) -> Sequence[str]:
        return () if self._options.allow_other_sync else await others.signs(self._client, self._options)

    async def show(self, sync: str, kind: Kind, rows: Sequence[Shown]) -> Mapping[str, str]:
        return await states.show(self._client, sync, kind, rows)

    async def check(self, kinds: Sequence[Kind]) -> Sequence[Finding]:
        return await check.findings(self._client, self._recording, self._options, kinds)

    def quota(self) -> Quota | None:
        return self._client.quota()

    def skew(self) -> float | None:
        return self._client.skew

    async def close(self) -> None:
        await self._transport.close()


def _keeps_its_parts(order: Order) -> bool:
    """Whether the write leaves lines and associations alone, so that only the own record has to be looked at."""
    return (
        order.kind in COMPOSITE
        and order.lines is None
        and order.allocations is None
        and "customer" not in order.values
        and order.seen is not None
        and order.seen.presence is Presence.PRESENT
        and order.seen.noun is not None
        and not order.seen.torn
    )
