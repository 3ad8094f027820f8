"""Looks things up in one company: the company itself, entities by id and by key, whole lists, accounts by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import anyio

from syncd.connectors.base import Condition, ConnectionTrouble, MappedField
from syncd.connectors.onward import Onward
from syncd.connectors.quickbooks.books import Books, books
from syncd.connectors.quickbooks.client import LIMITS, Answer, Client, ReadRefused
from syncd.connectors.quickbooks.errors import CODE_NOT_FOUND
from syncd.connectors.quickbooks.mapping import Reading, gone, sale, snapshot
from syncd.connectors.quickbooks.wire import ENTITIES, LISTS, SALE, SALES, Raw, moment_text, quoted
from syncd.model.nouns import Party, Product, field_value
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Snapshot

BOOKS_LAST = timedelta(days=1)  # preferences are read again this often
FEW = 3  # missing objects that are asked for one by one; of more, the answer is asked for again first
DEEPEST = 10  # levels of sub-customers; the vendor allows 4 below the top
SINGLETONS = (
    "select * from CompanyInfo",
    "select * from Preferences",
    f"select * from TaxCode maxresults {LIMITS.page_rows}",  # noqa: S608
    f"select * from TaxRate maxresults {LIMITS.page_rows}",  # noqa: S608
)
# The vendor's query language only reads, and values are quoted: nothing here can be injected (S608).
INCOME_ACCOUNTS = f"select * from Account where AccountType = 'Income' and Active = true maxresults {LIMITS.page_rows}"  # noqa: S608

_LISTS = frozenset(ENTITIES[kind] for kind in LISTS)
# Our own reference is absent on purpose: notes cannot be asked for.
FILTERS: Mapping[tuple[Kind, str], str] = {
    (Kind.PARTY, "email"): "PrimaryEmailAddr",
    (Kind.PARTY, "name"): "DisplayName",
    (Kind.PRODUCT, "sku"): "Sku",
    (Kind.PRODUCT, "name"): "Name",
    (Kind.INVOICE, "number"): "DocNumber",
}


class Reader:
    """Reads one company.

    Args:
        po_field: label of the custom field for purchase order numbers; empty for none.
        fields: custom fields that mappings use.
        tax_total: the tax of a whole invoice is taken as it is sent, also outside the US.
    """

    def __init__(
        self, client: Client, po_field: str, fields: Sequence[MappedField] = (), *, tax_total: bool = False
    ) -> None:
        self.client = client
        self.po_field = po_field
        self.fields = fields
        self.tax_total = tax_total
        self._books: Books | None = None
        self._books_at: datetime | None = None
        self._looking = anyio.Lock()
        self._parents: dict[str, str | None] = {}
        self._accounts: dict[str, str] = {}

    async def look_at_books(self) -> Books:
        """The company as it is now: one call."""
        company, preferences, codes, rates = await self.client.ask_all(SINGLETONS)
        told = books(self.client.realm, _first(company.rows), _first(preferences.rows), codes.rows, rates.rows)
        self._books = told.trusting_tax_totals() if self.tax_total else told
        self._books_at = self.client.clock.now()
        return self._books

    async def books(self) -> Books:
        """The company as it was within the last day."""
        async with self._looking:
            known, at = self._books, self._books_at
            if known is None or at is None or self.client.clock.now() - at > BOOKS_LAST:
                known = await self.look_at_books()
        return known

    @property
    def known_books(self) -> Books:
        """As `books`, from what was asked before."""
        assert self._books is not None, "the company is looked at before anything is written"
        return self._books

    async def snapshots(self, kind: Kind, rows: Sequence[Raw]) -> list[Snapshot]:
        """The objects as our nouns, in order. Categories of items are no products and are left out."""
        tops = await self._tops(rows) if kind is Kind.PARTY else {}
        reading = await self._reading(tops)
        return [snapshot(kind, row, reading) for row in rows if row.get("Type") != "Category"]

    async def sales(self, rows: Sequence[Raw]) -> list[Snapshot]:
        """Sales receipts as the payments they are."""
        reading = await self._reading({})
        return [sale(row, reading) for row in rows]

    async def _reading(self, tops: Mapping[str, str]) -> Reading:
        known = await self.books()
        return Reading(
            home_currency=known.account.currency,
            american=known.american,
            po_field=self.po_field,
            slots={field.name: id for field in self.fields if (id := known.custom_field(field.name)) is not None},
            tops=tops,
        )

    async def read(self, kind: Kind, ids: Sequence[str]) -> dict[str, Snapshot]:
        """Entities by id; what is not there any more as deleted. Categories of items are left out."""
        receipts = [id for id in ids if id.startswith(SALE)]
        if receipts:
            others = [id for id in ids if id not in receipts]
            return await self._receipts(receipts) | (await self.read(kind, others) if others else {})
        rows = (await self.raws({kind: ids}))[kind]
        # An answer may have lost some, and what is taken for deleted may take a payment along.
        if len(lost := [id for id in dict.fromkeys(ids) if id not in rows]) > FEW:
            rows |= (await self.raws({kind: lost}))[kind]
        for id in lost:
            if id not in rows and (row := await self._one(ENTITIES[kind], id)) is not None:
                rows[id] = row
        found = {seen.id: seen for seen in await self.snapshots(kind, list(rows.values()))}
        return {id: found[id] if id in rows else gone(kind, id) for id in ids if id in found or id not in rows}

    async def _receipts(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        wanted = [id.removeprefix(SALE) for id in ids]
        rows = (await self._rows({SALES: wanted}))[SALES]
        for id in wanted:  # a query shows nothing of what was deleted, and may lose something
            if id not in rows and (row := await self._one(SALES, id)) is not None:
                rows[id] = row
        found = {seen.id: seen for seen in await self.sales(list(rows.values()))}
        return {id: found.get(id) or gone(Kind.PAYMENT, id) for id in ids}

    async def _one(self, entity: str, id: str) -> Raw | None:
        """An object asked for by itself; None when the vendor says that it is not there."""
        try:
            body = await self.client.get(f"/{entity.lower()}/{id}")
        except ReadRefused as refusal:
            if refusal.fault.code != CODE_NOT_FOUND:
                raise
            return None
        row = body.get(entity)
        if not isinstance(row, dict) or str(row.get("Id")) != id:
            raise ConnectionTrouble(
                Condition.MALFORMED_ANSWER, "an answer that shows another object than was asked for"
            )
        return row

    async def raws(self, wanted: Mapping[Kind, Sequence[str]]) -> dict[Kind, dict[str, Raw]]:
        """Objects as they are on the wire, by kind and id, of several kinds in one call where they fit."""
        found = await self._rows({ENTITIES[kind]: ids for kind, ids in wanted.items()})
        return {kind: found[ENTITIES[kind]] for kind in wanted}

    async def _rows(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Raw]]:
        asked = [
            (entity, statement)
            for entity, ids in wanted.items()
            for statement in _statements(entity, "Id", dict.fromkeys(ids))
        ]
        found: dict[str, dict[str, Raw]] = {entity: {} for entity in wanted}
        answers = await self.client.ask_all([statement for _, statement in asked]) if asked else []
        for (entity, _), answer in zip(asked, answers, strict=True):
            found[entity].update((str(row["Id"]), row) for row in answer.rows)
        return found

    async def find(self, kind: Kind, keys: Sequence[MatchKey]) -> dict[MatchKey, tuple[Snapshot, ...]]:
        """Entities that hold these keys, active ones first."""
        asked = [
            statement
            for field in dict.fromkeys(key.field for key in keys)
            if (kind, field) in FILTERS
            for statement in _statements(
                ENTITIES[kind], FILTERS[kind, field], _forms(key for key in keys if key.field == field)
            )
        ]
        answers = await self.client.ask_all(asked) if asked else []
        rows = {str(row["Id"]): row for answer in answers for row in answer.rows}
        seen = sorted(await self.snapshots(kind, list(rows.values())), key=_inactive)
        return {key: tuple(one for one in seen if _holds(one, key)) for key in keys}

    async def pages(self, entity: str, *conditions: str) -> AsyncIterator[Answer]:
        """All objects of an entity that meet the conditions, inactive ones too, in order of their ids.

        A row that vanishes meanwhile moves the rest up, so each page starts with the last row of the one before; when
        that is not there, we step back until it fits. Rows may therefore come twice, but none is missed.
        """
        start, last, onward = 1, None, Onward()
        while True:
            paging = f"orderby Id startposition {start} maxresults {LIMITS.page_rows}"
            answer = await self.client.ask(_select(entity, conditions, paging))
            ids = [row["Id"] for row in answer.rows]
            if last is not None and last not in ids:
                start, last = max(1, start - LIMITS.page_rows), None
                continue
            yield answer
            if len(ids) < LIMITS.page_rows:
                return
            onward.to((ids[0], ids[-1]))
            last = ids[-1]
            start += LIMITS.page_rows - 1

    async def last(self, kind: Kind, count: int) -> list[Snapshot]:
        """The objects of a kind that were made last, the newest first."""
        paging = f"orderby MetaData.CreateTime desc maxresults {count}"
        return await self.snapshots(kind, (await self.client.ask(_select(ENTITIES[kind], (), paging))).rows)

    async def since(self, kind: Kind, moment: datetime, place: int) -> Answer:
        """One page of what was last changed at that moment or later, in that order, from that place on."""
        paging = f"orderby MetaData.LastUpdatedTime startposition {place} maxresults {LIMITS.page_rows}"
        return await self.client.ask(
            _select(ENTITIES[kind], (f"MetaData.LastUpdatedTime >= {quoted(moment_text(moment))}",), paging)
        )

    async def income_account(self, name: str) -> str | None:
        """The id of an income account by its name, with or without its parents' names; None if there is none."""
        folded = name.strip().casefold()
        if folded not in self._accounts:
            for row in (await self.client.ask(INCOME_ACCOUNTS)).rows:
                for label in (row.get("FullyQualifiedName"), row.get("Name")):
                    if label:
                        self._accounts[str(label).casefold()] = str(row["Id"])
        return self._accounts.get(folded)

    def known_income_account(self, name: str) -> str | None:
        """As `income_account`, from what was asked before."""
        return self._accounts.get(name.strip().casefold())

    async def _tops(self, rows: Sequence[Raw]) -> dict[str, str]:
        # Only what is asked for is remembered: most customers are nobody's parent.
        for row in rows:
            if (id := str(row.get("Id"))) in self._parents:
                self._parents[id] = _parent(row)
        tops = {str(row["Id"]): parent for row in rows if (parent := _parent(row)) is not None}
        # Level 1 is right below the top: nothing to climb.
        deep = {str(row["Id"]) for row in rows if row.get("Level") != 1} & tops.keys()
        for _ in range(DEEPEST):
            if unknown := {tops[id] for id in deep} - self._parents.keys():
                read = (await self.raws({Kind.PARTY: sorted(unknown)}))[Kind.PARTY]
                self._parents.update({id: _parent(read[id]) if id in read else None for id in unknown})
            above = {id: parent for id in deep if (parent := self._parents[tops[id]]) is not None}
            if not above:
                break
            tops |= above
            deep = set(above)
        return tops


def _parent(row: Raw) -> str | None:
    reference = row.get("ParentRef")
    return str(reference["value"]) if isinstance(reference, Mapping) and reference.get("value") else None


def _select(entity: str, conditions: Sequence[str], paging: str) -> str:
    # Sku was seen to be missing from `*` (python-quickbooks 0.9.12); lists show active records only unless asked.
    columns = "*, Sku" if entity == ENTITIES[Kind.PRODUCT] else "*"
    everything = ["Active in (true, false)"] if entity in _LISTS else []
    where = " and ".join([*conditions, *everything])
    return f"select {columns} from {entity}{' where ' + where if where else ''} {paging}"  # noqa: S608


def _first(rows: Sequence[Raw]) -> Raw:
    return rows[0] if rows else {}


def _statements(entity: str, field: str, values: Iterable[str]) -> Iterator[str]:
    paging = f"maxresults {LIMITS.page_rows}"
    chunk: list[str] = []
    length = 0
    for text in map(quoted, values):
        # Half a page of keys at most: several entities may share one (a parent and its jobs one e-mail address).
        if chunk and (length + len(text) > LIMITS.statement_length or len(chunk) >= LIMITS.page_rows // 2):
            yield _select(entity, [f"{field} in ({','.join(chunk)})"], paging)
            chunk, length = [], 0
        chunk.append(text)
        length += len(text) + 1
    if chunk:
        yield _select(entity, [f"{field} in ({','.join(chunk)})"], paging)


def _forms(keys: Iterable[MatchKey]) -> dict[str, None]:
    # Whether the vendor compares e-mail addresses without case is unconfirmed: both forms are asked for.
    return dict.fromkeys(
        form for key in keys for form in ((key.value, key.value.lower()) if key.field == "email" else (key.value,))
    )


def _holds(seen: Snapshot, key: MatchKey) -> bool:
    if seen.noun is None or (seen.kind, key.field) not in FILTERS:
        return False
    value = field_value(seen.noun, key.field)
    return isinstance(value, str) and value.strip().casefold() == key.value.strip().casefold()


def _inactive(seen: Snapshot) -> bool:
    return isinstance(seen.noun, Party | Product) and not seen.noun.active
