"""Changes: hints are coalesced, handed out in order, and only what was claimed is removed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from syncd.model.record import Change, IntentState, Priority
from syncd.model.references import EntityRef, Kind
from syncd.store.store import Store
from tests.store_samples import NOW, intent, record

LATER = NOW + timedelta(minutes=1)


def hint(id: str, *, priority: Priority = Priority.POLL, due_at: datetime = NOW, cause: str = "poll") -> Change:
    return Change(ref=EntityRef("crm", Kind.INVOICE, id), cause=cause, priority=priority, due_at=due_at)


async def due(store: Store, now: datetime = NOW, limit: int = 10) -> list[Change]:
    return await store.read(lambda tx: tx.due_changes(["crm"], now, limit))


async def put(store: Store, *hints: Change) -> None:
    await store.write(lambda tx: tx.put_changes(hints))


async def test_a_hint_comes_back_as_it_was_put(store: Store) -> None:
    """Everything of a change survives the store."""
    await put(store, hint("1", priority=Priority.WEBHOOK, cause="webhook"))
    assert await due(store) == [hint("1", priority=Priority.WEBHOOK, cause="webhook")]


async def test_hints_for_one_entity_are_coalesced(store: Store) -> None:
    """A second hint counts the generation up and keeps the most urgent priority, the earliest time, the last cause."""
    await put(store, hint("1", due_at=LATER))
    await put(store, hint("1", priority=Priority.PERSON, cause="person"), hint("1", due_at=LATER, cause="retry"))
    [change] = await due(store)
    assert (change.generation, change.priority, change.due_at, change.cause) == (3, Priority.PERSON, NOW, "retry")


async def test_what_a_poll_brought_whole_does_not_take_away_another_hint(store: Store) -> None:
    """The poll may have been answered before what the webhook is about; the other way round the later hint counts."""
    await put(store, hint("1", cause="webhook"), hint("2", cause="seen"))
    await put(store, hint("1", cause="seen"), hint("2", cause="webhook"))
    assert [change.cause for change in await due(store)] == ["webhook", "webhook"]


async def test_the_most_urgent_then_the_oldest_come_first(store: Store) -> None:
    """Order is priority, then due time; what is not due yet, of another connection, or over the limit stays away."""
    early = NOW - timedelta(hours=1)
    await put(
        store,
        hint("backfill", priority=Priority.BACKFILL, due_at=early),
        hint("poll"),
        hint("older poll", due_at=early),
        hint("later", priority=Priority.PERSON, due_at=LATER),
        hint("webhook", priority=Priority.WEBHOOK),
        Change(ref=EntityRef("books", Kind.INVOICE, "other"), cause="poll", due_at=NOW),
    )
    assert [change.ref.id for change in await due(store)] == ["webhook", "older poll", "poll", "backfill"]
    assert [change.ref.id for change in await due(store, limit=2)] == ["webhook", "older poll"]


async def test_finishing_removes_only_the_claimed_generation(store: Store) -> None:
    """A hint that arrived during the turn is not lost with the one the turn claimed."""
    await put(store, hint("1"), hint("2"))
    claimed = await due(store)
    await put(store, hint("1"))
    await store.write(lambda tx: tx.finish_changes(claimed))
    assert [(change.ref.id, change.generation) for change in await due(store)] == [("1", 2)]


async def test_postponing_moves_only_the_claimed_generation(store: Store) -> None:
    """A postponed hint is due later, one that was hinted again meanwhile stays due."""
    await put(store, hint("1"), hint("2"))
    claimed = await due(store)
    await put(store, hint("1"))
    await store.write(lambda tx: tx.postpone_changes(claimed, LATER))
    assert [change.ref.id for change in await due(store)] == ["1"]
    assert [change.ref.id for change in await due(store, now=LATER)] == ["1", "2"]


async def test_times_of_any_zone_are_one_moment(store: Store) -> None:
    """What is due is decided by the moment, not by its zone; a time without a zone is refused."""
    paris = timezone(timedelta(hours=2))
    await put(store, hint("1", due_at=NOW.astimezone(paris)), hint("2", due_at=LATER.astimezone(paris)))
    [change] = await due(store, now=NOW.astimezone(timezone(timedelta(hours=-8))))
    assert (change.due_at, change.due_at.tzinfo) == (NOW, UTC)
    with pytest.raises(ValueError, match="naive"):
        await put(store, hint("3", due_at=NOW.replace(tzinfo=None)))


async def test_next_due_is_the_earliest_of_everything_that_waits(store: Store) -> None:
    """Changes, records and intents all count, and only those of the connections asked for; nothing waiting is None."""
    assert await next_due(store, "crm") is None
    times = [NOW + timedelta(minutes=minute) for minute in range(5)]
    await store.write(lambda tx: tx.save_records([record("a", next_at=times[4])]))
    assert await next_due(store, "crm") == times[4]
    await put(store, hint("1", due_at=times[3]), hint("2", priority=Priority.BACKFILL, due_at=times[2]))
    assert await next_due(store, "crm") == times[2]
    await store.write(lambda tx: tx.add_intents([intent("i", "a", created_at=times[0], not_before=times[1])]))
    assert await next_due(store, "crm") == times[2]
    assert await next_due(store, "crm", "books") == times[1]


async def test_a_request_that_is_out_is_due_only_when_it_has_a_time(store: Store) -> None:
    """An open intent is due from its creation on, one that was sent not before somebody sets a time."""
    await store.write(lambda tx: tx.save_records([record("a")]))
    await store.write(lambda tx: tx.add_intents([intent("i", "a")]))
    assert await next_due(store, "books") == NOW
    await store.write(lambda tx: tx.save_intents([intent("i", "a", state=IntentState.SENT, sent_at=NOW)]))
    assert await next_due(store, "books") is None


async def next_due(store: Store, *connections: str) -> datetime | None:
    return await store.read(lambda tx: tx.next_due(connections))
