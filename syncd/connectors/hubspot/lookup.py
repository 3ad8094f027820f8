"""Finding entities by a key."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncd.connectors.hubspot.client import Client, Filter
from syncd.connectors.hubspot.fields import CONTACTS, FIELDS, REFERENCE, TYPES, read_properties
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.reading import Reader
from syncd.connectors.hubspot.wire import Record
from syncd.connectors.onward import Onward
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Snapshot

SEARCHABLE = {
    Kind.PARTY: frozenset({"marker"}),
    Kind.PRODUCT: frozenset({"sku", "name", "marker"}),
    Kind.INVOICE: frozenset({"number", "marker"}),
    Kind.PAYMENT: frozenset({"reference", "marker"}),
}


class Lookup:
    """Answers `find`. What is found in the index is read by id: the index lags behind."""

    def __init__(self, client: Client, reader: Reader, options: Options) -> None:
        self._client = client
        self._reader = reader
        self._options = options

    async def find(self, kind: Kind, keys: Sequence[MatchKey]) -> dict[MatchKey, tuple[Snapshot, ...]]:
        """Entities by key, as `Connector.find` promises.

        Raises:
            ValueError: the kind cannot be found by such a key.
        """
        made: dict[MatchKey, tuple[Snapshot, ...]] = {}
        for field in dict.fromkeys(key.field for key in keys):
            wanted = [key for key in dict.fromkeys(keys) if key.field == field]
            if kind is Kind.PARTY and field == "email":
                made |= await self._by_email(wanted)
            elif field in SEARCHABLE[kind]:
                made |= await self._by_search(kind, property_of(kind, field), wanted)
            else:
                raise ValueError(f"a {kind} cannot be found by {field}")
        return made

    async def contacts(self, emails: Sequence[str]) -> list[Record]:
        """Contacts by e-mail address: exact, and not through the lagging index."""
        properties = read_properties(Kind.PARTY, self._options)
        return await self._client.records(CONTACTS, emails, properties, key="email")

    async def ids(self, kind: Kind, name: str, values: Sequence[str]) -> dict[str, set[str]]:
        """Ids by the lower-cased value of a text property, as the index knows them."""
        made: dict[str, set[str]] = {value: set() for value in values}
        for chunk in _fitting(values):
            for record in await self._holders(kind, name, chunk):
                made.get((record.text(name) or "").strip().lower(), set()).add(record.id)
        return made

    async def _by_email(self, keys: Sequence[MatchKey]) -> dict[MatchKey, tuple[Snapshot, ...]]:
        records = await self.contacts([key.value.strip().lower() for key in keys])
        found = await self._reader.snapshots(Kind.PARTY, records)
        holders: dict[str, list[Snapshot]] = {}
        for record, snapshot in zip(records, found, strict=True):
            further = (record.text("hs_additional_emails") or "").split(";")
            for email in {address.strip().lower() for address in (record.text("email") or "", *further)}:
                holders.setdefault(email, []).append(snapshot)
        return {key: tuple(holders.get(key.value.strip().lower(), ())) for key in keys}

    async def _by_search(self, kind: Kind, name: str, keys: Sequence[MatchKey]) -> dict[MatchKey, tuple[Snapshot, ...]]:
        values = {key: key.value.strip().lower() for key in keys}
        ids = await self.ids(kind, name, list(dict.fromkeys(values.values())))
        found = await self._reader.read(kind, sorted({id for holders in ids.values() for id in holders}))
        there = {id: one for id, one in found.items() if one.presence == "present"}
        return {key: tuple(there[id] for id in sorted(ids[value]) if id in there) for key, value in values.items()}

    async def _holders(self, kind: Kind, name: str, values: Sequence[str]) -> list[Record]:
        """All records that hold one of the values, however many, in the order of their ids."""
        made, onward = list[Record](), Onward()
        filters = [Filter(name, "IN", values=tuple(values))]
        while True:
            page = await self._client.search(TYPES[kind], filters, (name,), "hs_object_id", LIMITS.search_page)
            made += page.records
            if not page.more:
                return made
            onward.to(made[-1].id)
            filters = [*filters[:1], Filter("hs_object_id", "GT", made[-1].id)]


def property_of(kind: Kind, field: str) -> str:
    """The property that holds a key."""
    return REFERENCE if field == "marker" else FIELDS[kind][field]


def _fitting(values: Sequence[str]) -> list[list[str]]:
    """The values in lists that fit into one search body."""
    room = LIMITS.search_body - 500  # for the rest of the body
    chunks: list[list[str]] = []
    left = 0
    for value in values:
        size = len(msgspec.json.encode(value)) + 1
        if size > left:
            chunks.append([])
            left = room
        chunks[-1].append(value)
        left -= size
    return chunks
