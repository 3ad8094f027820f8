"""Records: saved whole, found by everything, and counted without counting."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from syncd.model.record import Record, Status
from syncd.model.references import Side
from syncd.store.rows import CountDifference, CountRow
from syncd.store.schema import counts
from syncd.store.store import Store
from tests.store_samples import CONTENT, NOW, activity, record

SOON = NOW + timedelta(minutes=1)


async def save(store: Store, *records: Record) -> None:
    await store.write(lambda tx: tx.save_records(records))


async def load(store: Store, *ids: str) -> dict[str, Record]:
    return await store.read(lambda tx: tx.records(ids))


async def counted(store: Store) -> list[CountRow]:
    assert await store.read(lambda tx: tx.recount()) == []
    return await store.read(lambda tx: tx.counts())


FULL = record(
    "a",
    left="1",
    right="2",
    origin=Side.LEFT,
    key="INV-1",
    label="Invoice INV-1",
    left_base=CONTENT,
    right_base=replace(CONTENT, lines=None),
    status=Status.FAILED,
    code="parent_failed",
    notes=("variance_accepted", "payment_mirrored"),
    words="the vendor said \x00 \U0001f600",
    waits_for="record:b",
    attempts=3,
    next_at=SOON,
    wanted=True,
    rules_digest="1:abc",
)


async def test_a_record_comes_back_as_it_was_saved(store: Store) -> None:
    """Every field survives; only a NUL, which PostgreSQL refuses, is shown as the replacement character."""
    await save(store, FULL, record("b"))
    stored = replace(FULL, revision=1, words="the vendor said \ufffd \U0001f600")
    assert await load(store, "a", "b", "c") == {"a": stored, "b": record("b", revision=1)}


async def test_every_save_counts_the_revision_up(store: Store) -> None:
    """Whatever revision the caller holds; fields go back to nothing as well."""
    await save(store, FULL)
    await save(store, record("a", revision=7))
    await save(store, record("a"))
    assert await load(store, "a") == {"a": record("a", revision=3)}


async def test_records_are_found_by_entity_and_by_key(store: Store) -> None:
    """Within one flow of one sync, on the side asked for."""
    await save(store, FULL, record("b", left="2", key="INV-1"), record("c", flow="payments", left="1", key="INV-1"))
    left = await store.read(lambda tx: tx.records_of_entities("invoicing", "invoices", Side.LEFT, ["1", "2", "3"]))
    assert {entity: found.id for entity, found in left.items()} == {"1": "a", "2": "b"}
    right = await store.read(lambda tx: tx.records_of_entities("invoicing", "invoices", Side.RIGHT, ["1", "2"]))
    assert {entity: found.id for entity, found in right.items()} == {"2": "a"}
    keyed = await store.read(lambda tx: tx.records_by_key("invoicing", "invoices", ["INV-1", "INV-2"]))
    assert {key: [found.id for found in records] for key, records in keyed.items()} == {"INV-1": ["a", "b"]}


async def test_a_key_longer_than_an_index_takes_is_found(store: Store) -> None:
    """And told apart from one that differs only at its end."""
    long, longer = "x" * 9000, "x" * 9001
    await save(store, record("a", key=long), record("b", key=longer))
    found = await store.read(lambda tx: tx.records_by_key("invoicing", "invoices", [long, longer]))
    assert {key: [one.id for one in records] for key, records in found.items()} == {long: ["a"], longer: ["b"]}


async def test_an_entity_stands_in_one_record_of_a_flow(store: Store) -> None:
    """A second record with the same entity is refused, and with it the whole transaction."""
    await save(
        store, record("a", left="1"), record("b", left="1", flow="payments"), record("c", left="1", sync="other")
    )
    with pytest.raises(IntegrityError):
        await save(store, record("e"), record("d", left="1"))
    assert set(await load(store, "a", "b", "c", "d", "e")) == {"a", "b", "c"}


async def test_entities_may_change_hands_within_a_batch(store: Store) -> None:
    """Two records swap their counterparts in one save, whatever their order."""
    await save(store, record("a", right="1"), record("b", right="2"))
    await save(store, record("a", right="2"), record("b", right="1"))
    assert {id: one.right for id, one in (await load(store, "a", "b")).items()} == {"a": "2", "b": "1"}


async def test_counts_follow_every_save(store: Store) -> None:
    """By status and code, with notes apart; what is down to zero disappears."""
    await save(store, record("a"), record("b"), replace(FULL, id="c"))
    assert await counted(store) == [
        CountRow("invoicing", "invoices", "failed", "parent_failed", 1),
        CountRow("invoicing", "invoices", "note", "payment_mirrored", 1),
        CountRow("invoicing", "invoices", "note", "variance_accepted", 1),
        CountRow("invoicing", "invoices", "pending", "queued", 2),
    ]
    await save(store, record("a", status=Status.SYNCED, code=""), record("b", status=Status.SYNCED, code=""))
    await save(store, record("c", notes=("payment_mirrored",)))
    assert await counted(store) == [
        CountRow("invoicing", "invoices", "note", "payment_mirrored", 1),
        CountRow("invoicing", "invoices", "pending", "queued", 1),
        CountRow("invoicing", "invoices", "synced", "", 2),
    ]


async def test_the_last_state_in_a_batch_counts(store: Store) -> None:
    """A record that stands twice in a batch is stored and counted once."""
    await save(store, record("a"), record("a", status=Status.SYNCED, code=""))
    assert await counted(store) == [CountRow("invoicing", "invoices", "synced", "", 1)]


async def test_a_recount_tells_what_is_wrong(store: Store) -> None:
    """Counts that were tampered with are found."""
    await save(store, record("a"))
    await store.write(lambda tx: tx._connection.execute(counts.update().values(n=5)))
    difference = CountDifference("invoicing", "invoices", "pending", "queued", maintained=5, actual=1)
    assert await store.read(lambda tx: tx.recount()) == [difference]


async def test_folding_hands_over_what_hangs_from_a_record(store: Store) -> None:
    """The older record takes the activity and those who wait; keys and counts of the younger are gone."""
    await save(store, record("old", left="1"), record("young", right="2", label="Young"))
    await save(store, record("child", waits_for="record:young"))
    await store.write(lambda tx: tx.add_activity([activity("young", event="record.found"), activity("old")]))

    def fold(tx):  # type: ignore[no-untyped-def]
        tx.delete_record("young", into="old")
        tx.save_records([record("old", left="1", right="2")])

    await store.write(fold)
    stored = await load(store, "old", "young", "child")
    assert stored.keys() == {"old", "child"}
    assert stored["child"].waits_for == "record:old"
    events = await store.read(lambda tx: [entry.event for _, entry in tx.activity("old")])
    assert events == ["write.done", "record.found"]
    assert (await store.read(lambda tx: tx.list_records(q="young"))).rows == []
    assert await counted(store) == [CountRow("invoicing", "invoices", "pending", "queued", 2)]


async def test_folding_twice_is_folding_once(store: Store) -> None:
    """A record that is gone already changes nothing."""
    await save(store, record("old"))
    await store.write(lambda tx: tx.delete_record("young", into="old"))
    assert await counted(store) == [CountRow("invoicing", "invoices", "pending", "queued", 1)]


async def test_records_are_due_when_their_time_has_come(store: Store) -> None:
    """The longest waiting first, of the syncs asked for."""
    await save(
        store,
        record("now", next_at=NOW),
        record("before", next_at=NOW - timedelta(hours=1)),
        record("soon", next_at=SOON),
        record("never"),
        record("other", next_at=NOW, sync="other"),
    )
    due = await store.read(lambda tx: tx.due_records(["invoicing"], NOW, 10))
    assert [one.id for one in due] == ["before", "now"]
    assert [one.id for one in await store.read(lambda tx: tx.due_records(["invoicing"], NOW, 1))] == ["before"]


async def test_waking_makes_due_who_waits(store: Store) -> None:
    """Records that wait for the parent or the connection, left out ones too; not those that wait for another."""
    parent, connection = "record:p", "connection:crm"
    await save(
        store,
        record("pending", waits_for=parent),
        record("failed", waits_for=parent, status=Status.FAILED, code="parent_failed", next_at=SOON),
        record("excluded", waits_for=parent, status=Status.EXCLUDED, code="filtered"),
        record("offline", waits_for=connection),
        record("other", waits_for="record:q"),
    )
    assert await store.write(lambda tx: tx.wake([parent, connection], NOW)) == 4
    due = await store.read(lambda tx: tx.due_records(["invoicing"], NOW, 10))
    assert {one.id for one in due} == {"pending", "failed", "excluded", "offline"}


async def test_records_of_other_rules_are_found(store: Store) -> None:
    """Those last planned by rules before or after these in the order of digests, up to the limit."""
    await save(store, *(record(f"{n}", rules_digest=digest) for n, digest in enumerate(["1:a", "1:b", "1:c", ""])))
    await save(store, record("other", rules_digest="1:a", flow="payments"))
    others = await store.read(lambda tx: tx.records_with_other_rules("invoicing", "invoices", "1:b", 10))
    assert {one.id for one in others} == {"0", "2", "3"}
    assert len(await store.read(lambda tx: tx.records_with_other_rules("invoicing", "invoices", "1:b", 2))) == 2
