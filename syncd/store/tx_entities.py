"""Entities: what was seen at vendors, by what it can be found, and what it was before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, select

from syncd.model.references import EntityRef, Kind, MatchKey
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.waiting import on_entity, on_key
from syncd.store import schema
from syncd.store.asked import Asked, Within
from syncd.store.base import TxPart, chunks
from syncd.store.codec import content_digest, snapshot_from_plain, snapshot_to_plain
from syncd.store.columns import index_key
from syncd.store.many import Row, added, each, same, upserted
from syncd.store.rows import Observed
from syncd.store.waking import wake

_REF = ("connection", "kind", "id")
MARKER = "marker"
ERASED = "erased"
"""The digest of an entity whose content is never stored again."""
_SEE = upserted(schema.entities)
_ADD_VERSIONS = added(schema.versions)
_DROP_KEYS = each(delete(schema.entity_keys).where(*same(schema.entity_keys, _REF)))
_ADD_KEYS = added(schema.entity_keys)


def _by_id(*names: str) -> Asked:
    table = schema.entities
    return Asked(lambda within: _of_kind(table, within, *(table.c[name] for name in names)))


def _of_kind(table: Table, within: Within, *columns: ColumnElement[Any]) -> Select[Any]:
    here = (table.c.connection == bindparam("connection"), table.c.kind == bindparam("kind"))
    return select(*columns).where(*here, within(table.c.id))


_VERSIONS = _by_id("id", "version", "presence")
_BODIES = _by_id("id", "body")
_DIGESTS = _by_id("id", "digest")
_KEYS = Asked(
    lambda within: _of_kind(schema.entity_keys, within, schema.entity_keys.c.field, schema.entity_keys.c.value)
)
_HOLDERS = Asked(
    lambda within: (
        select(schema.entity_keys.c.value, schema.entities.c.id, schema.entities.c.body)
        .join_from(schema.entity_keys, schema.entities)
        .where(
            schema.entity_keys.c.connection == bindparam("connection"), schema.entity_keys.c.kind == bindparam("kind")
        )
        .where(schema.entity_keys.c.field == bindparam("field"), within(schema.entity_keys.c.value))
        .where(schema.entities.c.presence == Presence.PRESENT.value)
        .order_by(schema.entities.c.id)
    )
)


class EntitiesPart(TxPart):
    """Tables `entities`, `entity_keys` and `versions`."""

    def entity_versions(self, connection: str, kind: Kind, ids: Sequence[str]) -> dict[str, tuple[str, Presence]]:
        """The vendor's version and the presence last seen, of those that were seen at all."""
        found = {}
        for chunk in chunks(ids):
            for row in _VERSIONS.rows(self._connection, connection=connection, kind=kind.value, listed=chunk):
                found[row.id] = (row.version, Presence(row.presence))
        return found

    def observe(self, observations: Sequence[Observed]) -> None:
        """Store looks at entities: the present state, what it is found by, and a version if the content is new.

        Records that wait for one of them, or for whoever has one of its keys, wake where the content is new.
        Of several looks at one entity in the batch the last counts.
        """
        looks = {look.ref: look for look in observations}
        before = self._digests(looks)
        entities, versions = [], []
        changed: list[Observed] = []
        for ref, look in tuple(looks.items()):
            if before.get(ref) == ERASED:
                looks[ref] = look = _blank(look)
            row = _entity_row(look)
            if before.get(ref) == ERASED:
                row["digest"] = ERASED
            entities.append(row)
            if before.get(ref) != row["digest"]:
                versions.append(_version_row(look, row))
                changed.append(look)
        self._wake(changed, [look.ref for look in changed if look.ref in before])
        _SEE.run(self._connection, entities)
        self._replace_entity_keys(looks.values())
        _ADD_VERSIONS.run(self._connection, versions)

    def snapshots(self, refs: Sequence[EntityRef]) -> dict[EntityRef, Snapshot]:
        """What these entities were when last seen, of those that were seen at all."""
        found = {}
        for (connection, kind), ids in _by_kind(refs).items():
            for chunk in chunks(ids):
                for row in _BODIES.rows(self._connection, connection=connection, kind=kind.value, listed=chunk):
                    found[EntityRef(connection, kind, row.id)] = snapshot_from_plain(kind, row.id, row.body)
        return found

    def find_entities(
        self,
        connection: str,
        kind: Kind,
        keys: Sequence[MatchKey],
        held: Mapping[EntityRef, Snapshot] = MappingProxyType({}),
    ) -> dict[MatchKey, tuple[Snapshot, ...]]:
        """Present entities that hold these keys, by id; every key is in the answer.

        Args:
            held: what was taken out of the store already.
        """
        found: dict[MatchKey, list[Snapshot]] = {key: [] for key in keys}
        fields = defaultdict(list)
        for key in found:
            fields[key.field].append(key.value)
        for field, values in fields.items():
            for chunk in chunks(values):
                asked = {index_key(value): MatchKey(field, value) for value in chunk}
                place = {"connection": connection, "kind": kind.value, "field": field}
                for row in _HOLDERS.rows(self._connection, **place, listed=list(asked)):
                    taken = held.get(EntityRef(connection, kind, row.id))
                    found[asked[row.value]].append(taken or snapshot_from_plain(kind, row.id, row.body))
        return {key: tuple(snapshots) for key, snapshots in found.items()}

    def entity_ids(self, connection: str, kind: Kind) -> list[str]:
        """Every entity ever seen of this kind, sorted as Python sorts."""
        table = schema.entities
        query = (
            select(table.c.id).where(table.c.connection == connection, table.c.kind == kind.value).order_by(table.c.id)
        )
        return list(self._connection.scalars(query))

    def _wake(self, changed: Sequence[Observed], known: Sequence[EntityRef]) -> None:
        """What waits for these entities, for their keys, or for those that the `known` ones had until now."""
        if not changed:
            return
        events = {on_entity(look.ref) for look in changed}
        events |= {on_key(look.ref.connection, look.ref.kind, key) for look in changed for key in look.keys}
        for (connection, kind), ids in _by_kind(known).items():
            for chunk in chunks(ids):
                for row in _KEYS.rows(self._connection, connection=connection, kind=kind.value, listed=chunk):
                    events.add(on_key(connection, kind, MatchKey(row.field, row.value)))
        wake(self._connection, sorted(events), changed[0].at)

    def _digests(self, refs: Iterable[EntityRef]) -> dict[EntityRef, str]:
        found = {}
        for (connection, kind), ids in _by_kind(refs).items():
            for chunk in chunks(ids):
                for row in _DIGESTS.rows(self._connection, connection=connection, kind=kind.value, listed=chunk):
                    found[EntityRef(connection, kind, row.id)] = row.digest
        return found

    def _replace_entity_keys(self, looks: Iterable[Observed]) -> None:
        refs, rows = [], []
        for look in looks:
            ref = _ref_row(look.ref)
            refs.append({f"key_{name}": value for name, value in ref.items()})
            keys = set(look.keys)
            if look.snapshot.marker is not None:
                keys.add(MatchKey(MARKER, look.snapshot.marker))
            rows += [{**ref, "field": key.field, "value": key.value} for key in sorted(keys)]
        _DROP_KEYS.run(self._connection, refs)
        _ADD_KEYS.run(self._connection, rows)


def _by_kind(refs: Iterable[EntityRef]) -> dict[tuple[str, Kind], list[str]]:
    groups: dict[tuple[str, Kind], list[str]] = defaultdict(list)
    for ref in refs:
        groups[ref.connection, ref.kind].append(ref.id)
    return groups


def _ref_row(ref: EntityRef) -> Row:
    return {"connection": ref.connection, "kind": ref.kind.value, "id": ref.id}


def _entity_row(look: Observed) -> Row:
    body = snapshot_to_plain(look.snapshot)
    return {
        **_ref_row(look.ref),
        "version": look.snapshot.version,
        "presence": look.snapshot.presence.value,
        "digest": content_digest(body),
        "seen_at": look.at,
        "body": body,
    }


def _blank(look: Observed) -> Observed:
    """Of someone who was erased nothing is stored again."""
    seen = look.snapshot
    blank = Snapshot(kind=seen.kind, id=seen.id, version=seen.version, presence=seen.presence)
    return replace(look, snapshot=blank, keys=())


def _version_row(look: Observed, entity: Row) -> Row:
    copied = {name: entity[name] for name in (*_REF, "version", "digest", "body")}
    return {**copied, "at": look.at, "cause": look.cause}
