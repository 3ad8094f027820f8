"""The outbox in the store: never two open creates of one thing; requests keep their exact bytes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from syncd.model.record import Intent, IntentState, Op, Priority
from syncd.model.references import Kind
from syncd.store import schema
from syncd.store.rows import UnderWay
from syncd.store.store import Store
from tests.store_samples import NOW, full_intent, intent, record, send

SOON = NOW + timedelta(minutes=1)


async def with_records(store: Store, *ids: str) -> None:
    await store.write(lambda tx: tx.save_records([record(id) for id in ids]))


async def add(store: Store, *intents: Intent) -> list[str]:
    """The ids of those that were turned away."""
    return [one.id for one in await store.write(lambda tx: tx.add_intents(intents))]


async def open_ids(store: Store, limit: int = 10) -> list[str]:
    syncs = ["invoicing", "other"]
    return [one.id for one in await store.read(lambda tx: tx.open_intents("books", syncs, NOW, limit))]


async def test_an_intent_comes_back_as_it_was_stored(store: Store) -> None:
    """Every field survives; an update leaves alone what is to be written."""
    await with_records(store, "a")
    stored = full_intent("i", "a")
    await add(store, stored)
    assert await store.read(lambda tx: tx.intents_of(["a", "b"])) == {"a": [stored]}
    changed = replace(stored, state=IntentState.UNKNOWN, step=2, carry=None)
    await store.write(lambda tx: tx.save_intents([replace(changed, values={}, lines=None, patch={})]))
    assert await store.read(lambda tx: tx.intents_of(["a"])) == {"a": [changed]}
    assert await store.read(lambda tx: tx.under_way(["a", "b"])) == {"a": [UnderWay("i", "a", IntentState.UNKNOWN, 2)]}


async def test_the_second_create_of_a_thing_is_turned_away(store: Store) -> None:
    """Also within one batch, also after the first was sent; free again once the first is gone."""
    await with_records(store, "a", "b", "c")
    assert await add(store, intent("1", "a", natural_key="ann"), intent("2", "b", natural_key="ann")) == ["2"]
    await store.write(lambda tx: tx.save_intents([intent("1", "a", natural_key="ann", state=IntentState.SENT)]))
    assert await add(store, intent("3", "c", natural_key="ann")) == ["3"]
    await store.write(lambda tx: tx.drop_intents(["1"]))
    assert await add(store, intent("3", "c", natural_key="ann")) == []
    assert await open_ids(store) == ["3"]


async def test_only_creates_of_one_thing_exclude_each_other(store: Store) -> None:
    """Other keys, kinds, connections and operations, and creates without a key, live side by side."""
    await with_records(store, "a")
    turned_away = await add(
        store,
        intent("1", "a", natural_key="ann"),
        intent("2", "a", natural_key="bob"),
        intent("3", "a", natural_key="ann", kind=Kind.PARTY),
        intent("4", "a", natural_key="ann", connection="crm"),
        intent("5", "a", natural_key="ann", op=Op.UPDATE, entity="1"),
        intent("6", "a", natural_key="ann", op=Op.UPDATE, entity="1"),
        intent("7", "a"),
        intent("8", "a"),
    )
    assert turned_away == []


async def test_open_intents_come_oldest_first_when_their_time_has_come(store: Store) -> None:
    """What was sent, has to wait, or is another connection's is not handed out."""
    await with_records(store, "a")
    await add(
        store,
        intent("late", "a", created_at=NOW),
        intent("early", "a", created_at=NOW - timedelta(hours=1), not_before=NOW),
        intent("waiting", "a", not_before=SOON),
        intent("sent", "a", state=IntentState.SENT),
        intent("unknown", "a", state=IntentState.UNKNOWN),
        intent("other", "a", connection="crm"),
    )
    assert await open_ids(store) == ["early", "late"]
    assert await open_ids(store, limit=2) == ["early"]
    unresolved = await store.read(lambda tx: tx.unresolved_intents("books"))
    assert [one.id for one in unresolved] == ["sent", "unknown"]


async def test_the_most_urgent_intents_come_first(store: Store) -> None:
    """However late they were decided."""
    await with_records(store, "a")
    await add(
        store,
        *(intent(f"poll{n}", "a", created_at=NOW - timedelta(hours=1)) for n in range(6)),
        intent("webhook", "a", priority=Priority.WEBHOOK),
        intent("person", "a", priority=Priority.PERSON),
    )
    assert await open_ids(store, limit=6) == ["person", "webhook", "poll0"]


async def test_every_sync_has_its_part_of_the_open_intents(store: Store) -> None:
    """One sync's backlog leaves room for another's few; a sync that is not asked for has none."""
    await with_records(store, "a")
    await add(
        store,
        *(intent(f"backlog{n}", "a", created_at=NOW - timedelta(hours=1)) for n in range(6)),
        intent("small", "a", sync="other"),
        intent("gone", "a", sync="third"),
    )
    assert await open_ids(store, limit=6) == ["backlog0", "backlog1", "backlog2", "small"]


async def test_a_dropped_intent_does_not_come_back(store: Store) -> None:
    """Saving what was dropped meanwhile changes nothing."""
    await with_records(store, "a")
    await add(store, intent("1", "a"))
    await store.write(lambda tx: tx.drop_intents(["1"]))
    await store.write(lambda tx: tx.save_intents([intent("1", "a", attempts=1)]))
    assert await open_ids(store) == []


async def test_open_counts_are_by_operation(store: Store) -> None:
    """What the guard against mass changes looks at: only what has not left yet, of one flow."""
    await with_records(store, "a")
    await add(
        store,
        intent("1", "a"),
        intent("2", "a"),
        intent("3", "a", op=Op.VOID, entity="1"),
        intent("4", "a", state=IntentState.SENT),
        intent("5", "a", flow="payments"),
    )
    assert await store.read(lambda tx: tx.open_counts("invoicing", "invoices")) == {Op.CREATE: 2, Op.VOID: 1}


async def test_an_intent_needs_its_record(store: Store) -> None:
    """The record may be stored later in the same transaction, but must be there at its end."""

    def late(tx):  # type: ignore[no-untyped-def]
        tx.add_intents([intent("1", "a")])
        tx.save_records([record("a")])

    await store.write(late)
    with pytest.raises(IntegrityError):
        await store.write(lambda tx: tx.add_intents([intent("2", "nobody")]))
    assert await open_ids(store) == ["1"]


async def test_a_request_keeps_its_exact_bytes_under_the_seal(store: Store) -> None:
    """A replay sends what was sent; on disk the body cannot be read."""
    await store.write(lambda tx: tx.add_sends([send("1")]))
    assert await store.read(lambda tx: tx.send("1")) == send("1")
    assert await store.read(lambda tx: tx.send("2")) is None
    stored = await store.read(lambda tx: tx._connection.scalar(select(schema.sends.c.body)))
    assert b"secret" not in stored


async def test_a_request_is_kept_while_an_intent_needs_it(store: Store) -> None:
    """Only old requests whose intents are all settled are forgotten."""
    await with_records(store, "a")
    await store.write(lambda tx: tx.add_sends([send("done"), send("needed"), send("young", sent_at=SOON)]))
    await add(store, intent("1", "a", state=IntentState.UNKNOWN, send="needed"))
    await store.write(lambda tx: tx.drop_sends(SOON))
    kept = await store.read(lambda tx: [id for id in ("done", "needed", "young") if tx.send(id)])
    assert kept == ["needed", "young"]
