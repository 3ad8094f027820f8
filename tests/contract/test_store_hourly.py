"""Counts hour by hour, and what moved since a look, on both databases."""

from datetime import timedelta

from syncd.model.record import Activity, Status
from syncd.store.rows import HourRow, Retention
from syncd.store.store import Store
from tests.status_state import NOW, record

HOUR = NOW.replace(minute=0)


async def test_an_hour_is_written_once(store: Store) -> None:
    """What stood there when it began stays, whatever happens within it; the next hour has its own."""
    await store.write(lambda tx: tx.save_records([record(1), record(2), record(3, Status.FAILED, "record_gone")]))
    await store.write(lambda tx: tx.note_hour(HOUR))
    await store.write(lambda tx: tx.save_records([record(3)]))
    await store.write(lambda tx: (tx.note_hour(HOUR), tx.note_hour(HOUR + timedelta(hours=1))))

    kept = await store.read(lambda tx: tx.hourly(HOUR))

    assert kept == [
        HourRow(HOUR, "invoicing", "invoices", "failed", 1),
        HourRow(HOUR, "invoicing", "invoices", "synced", 2),
        HourRow(HOUR + timedelta(hours=1), "invoicing", "invoices", "synced", 3),
    ]
    assert await store.read(lambda tx: tx.hourly(HOUR + timedelta(minutes=1))) == kept[2:]
    assert await store.read(lambda tx: tx.hourly(HOUR, [HOUR])) == kept[:2]


async def test_old_hours_go(store: Store) -> None:
    """With everything else that is only history."""
    await store.write(lambda tx: (tx.save_records([record(1)]), tx.note_hour(HOUR)))
    later = HOUR + Retention().counts_hourly + timedelta(seconds=1)
    await store.write(lambda tx: tx.prune(later, Retention()))
    assert await store.read(lambda tx: tx.hourly(HOUR)) == []


async def test_what_moved_since_the_last_look_is_named_once(store: Store) -> None:
    """However often something happened to it; the first look finds nothing new."""
    notes = [Activity(record=record(n).id, at=NOW, event="record.planned", by="poll") for n in (1, 2, 1)]
    await store.write(lambda tx: (tx.save_records([record(1), record(2)]), tx.add_activity(notes[:1])))
    first, none = await store.read(lambda tx: tx.moved_since(None))
    await store.write(lambda tx: tx.add_activity(notes))
    second, moved = await store.read(lambda tx: tx.moved_since(first))

    assert none == []
    assert sorted(moved) == [record(1).id, record(2).id]
    assert await store.read(lambda tx: tx.moved_since(second)) == (second, [])
