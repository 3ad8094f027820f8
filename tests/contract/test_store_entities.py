"""Entities: the last look counts, keys follow it, history grows only with content."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from syncd.model.nouns import Invoice, Noun, Party
from syncd.model.references import EntityRef, Kind, MatchKey
from syncd.model.snapshot import Presence, Snapshot
from syncd.store import schema
from syncd.store.rows import Observed
from syncd.store.store import Store, Tx
from tests.store_samples import NOW, observed, snapshot

NUMBER = MatchKey("number", "INV-1")


async def observe(store: Store, *looks: Observed) -> None:
    await store.write(lambda tx: tx.observe(looks))


async def find(store: Store, *keys: MatchKey) -> dict[MatchKey, tuple[str, ...]]:
    found = await store.read(lambda tx: tx.find_entities("crm", Kind.INVOICE, keys))
    return {key: tuple(one.id for one in snapshots) for key, snapshots in found.items()}


async def history(store: Store) -> list[tuple[str, str, str]]:
    table = schema.versions
    query = select(table.c.id, table.c.version, table.c.cause).order_by(table.c.number)

    def body(tx: Tx) -> list[tuple[str, str, str]]:
        return [tuple(row) for row in tx._connection.execute(query)]

    return await store.read(body)


async def test_an_entity_is_what_it_was_at_the_last_look(store: Store) -> None:
    """The last look replaces the one before, also within one batch; unknown entities are absent."""
    last = snapshot("1", version="3", created=NOW, modified=NOW, native=True, source="IMPORT", torn=True)
    await observe(store, observed(snapshot("1")))
    await observe(store, observed(snapshot("1", version="2")), observed(last))
    refs = [
        EntityRef("crm", Kind.INVOICE, "1"),
        EntityRef("crm", Kind.PARTY, "1"),
        EntityRef("books", Kind.INVOICE, "1"),
    ]
    assert await store.read(lambda tx: tx.snapshots(refs)) == {refs[0]: last}
    versions = await store.read(lambda tx: tx.entity_versions("crm", Kind.INVOICE, ["1", "2"]))
    assert versions == {"1": ("3", Presence.PRESENT)}


async def test_what_is_gone_stays_known(store: Store) -> None:
    """A deleted entity keeps its row, without a noun."""
    gone = Snapshot(kind=Kind.INVOICE, id="1", version="2", presence=Presence.MERGED, merged_into="5")
    await observe(store, observed(snapshot("1"), NUMBER))
    await observe(store, observed(gone, NUMBER))
    assert await store.read(lambda tx: tx.snapshots([EntityRef("crm", Kind.INVOICE, "1")])) == {
        EntityRef("crm", Kind.INVOICE, "1"): gone
    }
    assert await find(store, NUMBER) == {NUMBER: ()}


async def test_entities_are_found_by_what_they_hold_now(store: Store) -> None:
    """Keys follow the last look; several holders come in order of id; every key asked for is in the answer."""
    other = MatchKey("number", "INV-2")
    await observe(
        store, observed(snapshot("2"), NUMBER), observed(snapshot("1"), NUMBER), observed(snapshot("3"), other)
    )
    assert await find(store, NUMBER, other) == {NUMBER: ("1", "2"), other: ("3",)}
    await observe(store, observed(snapshot("2"), other))
    absent = MatchKey("name", "INV-1")
    assert await find(store, NUMBER, other, absent) == {NUMBER: ("1",), other: ("2", "3"), absent: ()}


async def test_our_marker_is_always_findable(store: Store) -> None:
    """Nobody has to name the marker among the keys."""
    await observe(store, observed(snapshot("1", marker="syncd:abc")))
    marker = MatchKey("marker", "syncd:abc")
    assert await find(store, marker) == {marker: ("1",)}


async def test_long_and_strange_keys_are_found_exactly(store: Store) -> None:
    """Texts too long for an index or with a NUL inside are told apart and do not stop a transaction."""
    long, longer = MatchKey("name", "é" * 5000), MatchKey("name", "é" * 5001)
    strange = MatchKey("name", "a\x00b")
    await observe(
        store, observed(snapshot("1"), long), observed(snapshot("2"), longer), observed(snapshot("3"), strange)
    )
    assert await find(store, long, longer, strange) == {long: ("1",), longer: ("2",), strange: ("3",)}


async def test_history_grows_only_when_content_does(store: Store) -> None:
    """A vendor's new version with the same content, or the same amount written otherwise, is no news."""

    def with_total(total: str) -> Noun:
        noun = snapshot("1").noun
        assert isinstance(noun, Invoice)
        return replace(noun, total=Decimal(total))

    await observe(store, observed(snapshot("1", noun=with_total("10.50"))))
    await observe(store, observed(snapshot("1", noun=with_total("10.5"), version="2", modified=NOW)))
    await observe(store, observed(snapshot("1", noun=with_total("10.51"), version="3"), at=NOW + timedelta(hours=1)))
    gone = Snapshot(kind=Kind.INVOICE, id="1", version="4", presence=Presence.DELETED)
    await observe(store, replace(observed(gone), cause="webhook"))
    assert await history(store) == [("1", "1", "poll"), ("1", "3", "poll"), ("1", "4", "webhook")]


async def test_ids_are_listed_as_python_sorts(store: Store) -> None:
    """A sorted listing of a vendor can be merged with ours on either database."""
    ids = ["10", "9", "a", "B", "é", "Z", "-"]
    await observe(store, *(observed(snapshot(id)) for id in ids))
    party = Snapshot(kind=Kind.PARTY, id="p", version="1", noun=Party(email="ann@example.com"))
    await observe(store, observed(party))
    assert await store.read(lambda tx: tx.entity_ids("crm", Kind.INVOICE)) == sorted(ids)


async def test_batches_larger_than_one_statement(store: Store) -> None:
    """More entities than fit one IN list are stored, read and found."""
    looks = [observed(snapshot(str(n)), MatchKey("number", f"N{n}")) for n in range(1100)]
    await observe(store, *looks)
    snapshots = await store.read(lambda tx: tx.snapshots([look.ref for look in looks]))
    assert len(snapshots) == 1100
    found = await find(store, *(MatchKey("number", f"N{n}") for n in range(1100)))
    assert all(ids == (key.value[1:],) for key, ids in found.items())
