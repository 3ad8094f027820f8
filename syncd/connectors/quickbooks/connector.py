"""One QuickBooks company, to the contract of `connectors.base`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.connectors import skew
from syncd.connectors.base import (
    Account,
    Authorization,
    Done,
    Finding,
    NewId,
    Order,
    Outcome,
    Page,
    Quota,
    Refused,
    Send,
    Shown,
    Traits,
    Unknown,
)
from syncd.connectors.http import Transport
from syncd.connectors.quickbooks import writes
from syncd.connectors.quickbooks.bodies import Known, needs_look
from syncd.connectors.quickbooks.check import check, field_problems
from syncd.connectors.quickbooks.client import Client
from syncd.connectors.quickbooks.lookup import look
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.mapping import gone
from syncd.connectors.quickbooks.outcomes import Writer
from syncd.connectors.quickbooks.poll import changes_since, history
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.wire import Raw
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Snapshot

MOST_RAWS = 600  # objects kept between `fresh` and the end of their write


class QuickBooks:
    """The connector.

    Args:
        overlap: how far a poll reads back before its cursor.
        transport: closed with the connector.
        custom_length: characters that a custom field takes.
    """

    traits: Traits = MANIFEST.all_traits()

    def __init__(
        self,
        *,
        client: Client,
        reader: Reader,
        overlap: timedelta,
        transport: Transport,
        authorization: Authorization,
        merges_leave_inactive: bool = False,
        custom_length: int = 31,
    ) -> None:
        self.traits = replace(self.traits, merges_leave_inactive=merges_leave_inactive)
        self.authorization: Authorization | None = authorization
        self._client = client
        self._reader = reader
        self._writer = Writer(client, reader)
        self._overlap = overlap
        self._transport = transport
        self._raws: OrderedDict[str, Raw] = OrderedDict()
        if not reader.po_field:
            # QuickBooks has no purchase order number of its own: without a custom field chosen for it there is none.
            self.traits = replace(self.traits, absent={Kind.INVOICE: frozenset({"po_number"})})

        most = {kind: dict(known) for kind, known in self.traits.most.items()}
        for field in reader.fields:
            most.setdefault(field.kind, {})[f"custom.{field.name}"] = custom_length
        self.traits = replace(self.traits, most=most)

    async def account(self) -> Account:
        books = await self._reader.look_at_books()
        return replace(books.account, problems=tuple(field_problems(self._reader.fields, books)))

    async def account_exists(self, name: str) -> bool:
        """Whether there is an active income account of that name: what new products are bound to."""
        return await self._reader.income_account(name) is not None

    def changes_since(self, cursors: Mapping[str, str], kinds: Sequence[Kind], now: datetime) -> AsyncIterator[Page]:
        return changes_since(self._reader, cursors, kinds, now, self._overlap)

    def history(self, kind: Kind, since: datetime, cursor: str | None, now: datetime) -> AsyncIterator[Page]:
        return history(self._reader, kind, since, cursor)

    async def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Snapshot]:
        return await self._reader.read(kind, ids)

    async def find(self, kind: Kind, keys: Sequence[MatchKey]) -> Mapping[MatchKey, tuple[Snapshot, ...]]:
        """As the contract says. Our own reference is in notes, which cannot be asked for: `marker` finds nothing."""
        return await self._reader.find(kind, keys)

    async def fresh(self, orders: Sequence[Order]) -> Mapping[str, Snapshot]:
        """As the contract says; also learns what `compose` needs to know of the company, so it comes first, and with
        creates, too."""
        await self._reader.books()
        for name in {order.values.get("income_account") for order in orders}:
            if isinstance(name, str):
                await self._reader.income_account(name)
        looked = [order for order in orders if needs_look(order)]
        ids: dict[Kind, list[str]] = {}
        for order in looked:
            ids.setdefault(order.kind, []).append(order.id or "")
        rows = await self._reader.raws(ids)
        found: dict[str, Snapshot] = {}
        for order in looked:
            row = rows[order.kind].get(order.id or "")
            if row is None:
                self._raws.pop(order.intent, None)
                found[order.intent] = gone(order.kind, order.id or "")
                continue
            self._keep(order.intent, row)
            (found[order.intent],) = await self._reader.snapshots(order.kind, [row])
        return found

    def compose(self, orders: Sequence[Order], new_id: NewId) -> Sequence[Send]:
        return writes.compose(self._client, orders, self._known, new_id)

    async def transmit(self, send: Send, orders: Mapping[str, Order]) -> Sequence[Outcome]:
        """As the contract says. Trouble means that nothing of the request was carried out."""
        try:
            return (await self._writer.send(send, orders)).outcomes
        finally:
            for intent in send.items:
                self._raws.pop(intent, None)

    async def resolve(self, send: Send, orders: Mapping[str, Order], age: float) -> Sequence[Outcome]:
        sent_at = self._client.clock.now() - timedelta(seconds=age)
        replayed: dict[str, Outcome] = {}
        if age < self.traits.replay_window:
            tried = await self._writer.send(send, orders)
            if not tried.answered:
                # "Not done" would speak of this attempt only, not of the first one.
                return [Unknown(intent=intent, words="the repeat brought no answer") for intent in send.items]
            replayed = {outcome.intent: outcome for outcome in tried.outcomes}
        doubtful = [orders[intent] for intent in send.items if intent in orders and _doubtful(replayed.get(intent))]
        looked = {outcome.intent: outcome for outcome in await look(self._reader, doubtful, sent_at, age)}
        return [_settled(intent, replayed.get(intent), looked.get(intent)) for intent in send.items]

    async def prepare(self, kinds: Sequence[Kind]) -> None:
        """Nothing: our reference stands in notes that every company has."""

    async def other_syncs(self) -> Sequence[str]:
        """None: nothing that QuickBooks shows tells which programs are connected to a company."""
        return ()

    async def show(self, sync: str, kind: Kind, rows: Sequence[Shown]) -> Mapping[str, str]:
        """Nothing: QuickBooks has no fields that only its own people see."""
        return {}

    async def check(self, kinds: Sequence[Kind]) -> Sequence[Finding]:
        findings = await check(self._reader, kinds)
        return [*findings, skew.finding(self._client.skew)]

    def quota(self) -> Quota | None:
        return None  # Intuit counts calls a minute

    def skew(self) -> float | None:
        return self._client.skew

    async def close(self) -> None:
        await self._transport.close()

    def _keep(self, intent: str, row: Raw) -> None:
        self._raws[intent] = row
        self._raws.move_to_end(intent)
        while len(self._raws) > MOST_RAWS:
            self._raws.popitem(last=False)

    def _known(self, order: Order) -> Known:
        return Known(
            books=self._reader.known_books,
            income_account=self._reader.known_income_account,
            po_field=self._reader.po_field,
            raw=self._raws.get(order.intent, {}),
        )


def _doubtful(outcome: Outcome | None) -> bool:
    # A name or number that is taken may be taken by what the first attempt made.
    return (
        outcome is None
        or isinstance(outcome, Unknown)
        or (
            isinstance(outcome, Refused) and outcome.category in ("duplicate_display_name", "duplicate_document_number")
        )
    )


def _settled(intent: str, replayed: Outcome | None, looked: Outcome | None) -> Outcome:
    if isinstance(replayed, Refused) and not isinstance(looked, Done):
        return replayed
    return looked or replayed or Unknown(intent=intent, words="nothing is known of it")
