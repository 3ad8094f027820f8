"""Reading entities by id, the composite ones whole, in as few calls as the batch limits allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.hubspot import mapping, moments, wire
from syncd.connectors.hubspot.client import Client, by_number
from syncd.connectors.hubspot.errors import Rejected
from syncd.connectors.hubspot.fields import (
    ADJUSTMENT_PROPERTIES,
    CONTACTS,
    DISCOUNTS,
    FEES,
    INVOICES,
    LINES,
    PAYMENTS,
    PRODUCTS,
    TAX_RATES,
    TAXES,
    TYPES,
    line_properties,
    read_properties,
)
from syncd.connectors.hubspot.mapping import Parts, ReadLine
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.wire import Record
from syncd.connectors.together import together
from syncd.model.money import rounded
from syncd.model.nouns import Adjustment, AdjustmentKind
from syncd.model.quick import replace
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.values import decimal_text

log = structlog.get_logger("syncd.hubspot")

RATES_LAST = timedelta(hours=1)  # tax rates, and whether they may be read, are looked at again this often

# The order in which HubSpot applies what belongs to the whole invoice (invoices guide).
ADJUSTMENTS = ((DISCOUNTS, AdjustmentKind.DISCOUNT), (FEES, AdjustmentKind.FEE), (TAXES, AdjustmentKind.TAX))


class Reader:
    """Turns ids into snapshots."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._zone: ZoneInfo | None = None
        self._rates: dict[str, str] = {}
        self._rates_at = datetime.min.replace(tzinfo=UTC)

    def learn(self, portal: wire.Portal) -> None:
        """Take the account's time zone from an answer that is at hand anyway."""
        try:
            self._zone = ZoneInfo(portal.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            log.warning("hubspot.unknown_time_zone", zone=portal.time_zone)
            self._zone = ZoneInfo("UTC")

    async def zone(self) -> ZoneInfo:
        """The account's time zone, asked for once."""
        if self._zone is None:
            self.learn(await self._client.portal())
        assert self._zone is not None
        return self._zone

    async def read(self, kind: Kind, ids: Sequence[str]) -> dict[str, Snapshot]:
        """Snapshots by the ids that were asked for, as `Connector.read` promises."""
        records = await self._records(kind, ids)
        made = {one.id: one for one in await self.snapshots(kind, records)}
        missing = [id for id in ids if id not in made]
        if missing:
            made |= await self._missing(kind, missing)
        return {id: made[id] for id in ids}

    async def snapshots(self, kind: Kind, records: Sequence[Record]) -> list[Snapshot]:
        """Records with all their properties as snapshots; what belongs to them is read."""
        match kind:
            case Kind.PARTY:
                return [self._safely(r, kind, lambda r: mapping.party(r, self._options)) for r in records]
            case Kind.PRODUCT:
                return [self._safely(r, kind, lambda r: mapping.product(r, self._options)) for r in records]
            case Kind.INVOICE:
                return await self._invoices(records)
            case Kind.PAYMENT:
                return await self._payments(records)

    async def over(self, kind: Kind, seen: Mapping[str, Snapshot]) -> dict[str, Snapshot]:
        """Composite entities of which only the own record is read again; the rest stays as seen.

        An entity that is not simply there any more is absent: read it whole.
        """
        zone = await self.zone()
        made = {}
        for record in await self._records(kind, seen):
            if record.id in seen:
                made[record.id] = self.laid_over(seen[record.id], record, zone)
        return made

    def laid_over(self, seen: Snapshot, record: Record, zone: ZoneInfo) -> Snapshot:
        """One such entity, from a record that is at hand."""
        if seen.kind is Kind.INVOICE:
            return self._safely(record, seen.kind, lambda r: mapping.invoice_over(seen, r, zone, self._options))
        noun = seen.noun
        assert noun is not None
        customer, allocations = getattr(noun, "customer", None), getattr(noun, "allocations", ())
        invoices = tuple(allocation.invoice for allocation in allocations)
        return self._safely(record, seen.kind, lambda r: mapping.payment(r, customer, invoices, zone, self._options))

    async def lines(self, ids: Iterable[str]) -> dict[str, ReadLine]:
        """Line items by id, without those nobody can read. One without its product's SKU gets it from the product."""
        zone = await self.zone()
        records = await self._client.records(LINES, ids, line_properties(self._options))
        bare = {r.text("hs_product_id") for r in records if not r.text("hs_sku")} - {None}
        skus: dict[str, str | None] = {}
        if bare:
            products = await self._client.records(PRODUCTS, sorted(id for id in bare if id), ("hs_sku",))
            skus = {product.id: product.text("hs_sku") for product in products}
        records.sort(key=_position)
        rates = await self._tax_rates({r.text("hs_tax_rate_group_id") for r in records} - {None})
        made = {}
        for record in records:
            sku = skus.get(record.text("hs_product_id") or "")
            try:
                made[record.id] = mapping.line(record, sku, zone, self._options, rates)
            except ValueError as error:
                log.warning("hubspot.unreadable_line", error=type(error).__name__)
        return made

    async def _tax_rates(self, wanted: Collection[str | None]) -> Mapping[str, str]:
        """Percentages by id: asked for when an id comes up that was never met, and once an hour while there are any."""
        ids = {id for id in wanted if id is not None}
        now = self._client.clock.now()
        if ids - self._rates.keys() or (ids and now - self._rates_at > RATES_LAST):
            self._rates_at = now
            try:
                found = wire.to(wire.TaxRates, await self._client.get(TAX_RATES)).results
            except Rejected:
                found = []
            except ConnectionTrouble as trouble:
                if trouble.condition is not Condition.PERMISSION_MISSING:
                    raise
                log.warning("hubspot.tax_rates_hidden")
                found = []
            self._rates |= {id: mapping.unreadable_rate(id) for id in ids - self._rates.keys()}
            self._rates |= {str(rate.id): decimal_text(rate.percentage_rate) for rate in found}
        return self._rates

    async def _records(self, kind: Kind, ids: Iterable[str], *, archived: bool = False) -> list[Record]:
        properties = read_properties(kind, self._options)
        return await self._client.records(TYPES[kind], ids, properties, archived=archived)

    async def _invoices(self, records: Sequence[Record]) -> list[Snapshot]:
        if not records:
            return []
        ids = [record.id for record in records]
        zone = await self.zone()
        customers, line_ids = await together(
            self._client.links(INVOICES, CONTACTS, ids), self._client.links(INVOICES, LINES, ids)
        )
        lines = await self.lines(id for ends in line_ids.values() for id in ends)
        places = {id: place for place, id in enumerate(lines)}
        parts = {id: _parts(customers[id], line_ids[id], lines, places) for id in ids}
        off = [r for r in records if parts[r.id].complete and not self._adds_up(r, parts[r.id])]
        for id, adjustments in (await self._adjustments(off, parts)).items():
            parts[id] = replace(parts[id], adjustments=adjustments)
        return [
            self._safely(r, Kind.INVOICE, lambda r: mapping.invoice(r, parts[r.id], zone, self._options))
            for r in records
        ]

    async def _adjustments(
        self, records: Sequence[Record], parts: Mapping[str, Parts]
    ) -> dict[str, tuple[Adjustment, ...]]:
        """What belongs to whole invoices, for those whose lines alone do not make the total."""
        if not records:
            return {}
        ids = [record.id for record in records]
        linked = await together(*(self._client.links(INVOICES, name, ids) for name, _ in ADJUSTMENTS))
        found = await together(
            *(
                self._client.records(name, [id for ends in links.values() for id in ends], ADJUSTMENT_PROPERTIES)
                for (name, _), links in zip(ADJUSTMENTS, linked, strict=True)
            )
        )
        by_id = [{record.id: record for record in page} for page in found]
        made = {}
        for record in records:
            steps = [
                (kind, [page[end] for end in links[record.id] if end in page])
                for (_, kind), links, page in zip(ADJUSTMENTS, linked, by_id, strict=True)
            ]
            made[record.id] = _applied(steps, parts[record.id], record.text("hs_currency") or "")
        return made

    async def _payments(self, records: Sequence[Record]) -> list[Snapshot]:
        if not records:
            return []
        ids = [record.id for record in records]
        zone = await self.zone()
        customers, invoices = await together(
            self._client.links(PAYMENTS, CONTACTS, ids), self._client.links(PAYMENTS, INVOICES, ids)
        )

        def made(record: Record) -> Snapshot:
            customer = next(iter(customers[record.id]), None)
            return mapping.payment(record, customer, tuple(invoices[record.id]), zone, self._options)

        return [self._safely(record, Kind.PAYMENT, made) for record in records]

    async def _missing(self, kind: Kind, ids: Sequence[str]) -> dict[str, Snapshot]:
        """What became of ids that a batch read does not answer: in the recycle bin, merged away or gone."""
        made = {
            record.id: mapping.gone(kind, record.id, Presence.ARCHIVED, archived_version(record))
            for record in await self._records(kind, ids, archived=True)
            if record.id in ids
        }
        there = []
        for id in ids:
            if id not in made:
                into = await self._answered_as(kind, id)
                if into == id:
                    # A deletion needs a proof of its own: an answer that lost a record must not void a payment.
                    there.append(id)
                    continue
                presence = Presence.MERGED if into else Presence.DELETED
                made[id] = mapping.gone(kind, id, presence, into or "", into)
        return made | await self._again(kind, there)

    async def _again(self, kind: Kind, ids: Sequence[str]) -> dict[str, Snapshot]:
        """What an answer left out although it is there."""
        if not ids:
            return {}
        found = {one.id: one for one in await self.snapshots(kind, await self._records(kind, ids))}
        if not found.keys() >= set(ids):
            raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "an answer left out a record that is there")
        return found

    async def _answered_as(self, kind: Kind, id: str) -> str | None:
        """The id under which one record is answered: its own, that of the one it was merged into, None if gone."""
        path = self._client.paths.objects(TYPES[kind])
        try:
            record = wire.to(Record, await self._client.get(f"{path}/{id}", f"{path}/{{id}}"))
        except Rejected as refusal:
            if refusal.status in (400, 404):
                return None
            raise
        return record.id

    def _adds_up(self, record: Record, parts: Parts) -> bool:
        try:
            return mapping.adds_up(record, parts)
        except ValueError:
            return True  # unreadable figures: `_safely` says so of the whole invoice

    def _safely(self, record: Record, kind: Kind, make: Callable[[Record], Snapshot]) -> Snapshot:
        try:
            return make(record)
        except (ValueError, KeyError) as error:
            log.warning("hubspot.unreadable_record", kind=kind, error=type(error).__name__)
            return mapping.unreadable(record, kind, TYPES[kind])


def archived_version(record: Record) -> str:
    """The version of something in the recycle bin."""
    return moments.printed(moments.stamped(record.archived_at)) if record.archived_at else ""


def _parts(
    customers: list[str], line_ids: list[str], lines: Mapping[str, ReadLine], places: Mapping[str, int]
) -> Parts:
    # Several contacts: the one that was there first; a person replaces it by taking it off.
    return Parts(
        customer=next(iter(customers), None),
        lines=tuple(lines[id] for id in sorted(lines.keys() & line_ids, key=places.__getitem__)),
        complete=lines.keys() >= set(line_ids),
    )


def _position(record: Record) -> tuple[Decimal, tuple[int, str]]:
    try:
        place = record.number("hs_position_on_quote")
    except ValueError:
        place = None
    return (Decimal("Infinity") if place is None else place, by_number(record.id))


def _applied(
    steps: Sequence[tuple[AdjustmentKind, Sequence[Record]]], parts: Parts, currency: str
) -> tuple[Adjustment, ...]:
    """Amounts of order-level discounts, fees and taxes: percentages are of what the steps before them left."""
    running, made = parts.net, []
    for kind, records in steps:
        for record in sorted(records, key=lambda r: (r.number("hs_sort_order") or Decimal(0), by_number(r.id))):
            value = record.number("hs_value") or Decimal(0)
            percent = (record.text("hs_type") or "").upper() == "PERCENT"
            amount = rounded(running * value / 100 if percent else value, currency)
            made.append(Adjustment(kind=kind, amount=amount, label=record.text("hs_label")))
            running += -amount if kind is AdjustmentKind.DISCOUNT else amount
    return tuple(made)
