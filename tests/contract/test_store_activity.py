"""Activity is append-only and sealed; history is pruned in batches and nothing else is."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from syncd.model.references import EntityRef, Kind
from syncd.store import schema, tx_activity
from syncd.store.rows import Retention
from syncd.store.store import Store
from tests.store_samples import NOW, activity, observed, record, snapshot


async def test_activity_is_read_newest_first_page_by_page(store: Store) -> None:
    """Everything of an entry survives; the number of the last entry leads to the following page."""
    entries = [activity("a", event=f"e{n}", side=None, code="c", words="w", request_id="r") for n in range(5)]
    await store.write(lambda tx: tx.add_activity([*entries, activity("b")]))
    first = await store.read(lambda tx: tx.activity("a", limit=3))
    assert [entry for _, entry in first] == [entries[4], entries[3], entries[2]]
    rest = await store.read(lambda tx: tx.activity("a", before=first[-1][0]))
    assert [entry for _, entry in rest] == [entries[1], entries[0]]
    assert await store.read(lambda tx: tx.activity("nobody")) == []


async def test_field_values_cannot_be_read_on_disk(store: Store) -> None:
    """Old and new values are people's data."""
    await store.write(lambda tx: tx.add_activity([activity("a"), activity("a", changes=())]))
    stored = await store.read(lambda tx: list(tx._connection.scalars(select(schema.activity.c.changes))))
    assert stored[1] is None
    assert b"secret" not in stored[0]


async def test_pruning_forgets_only_old_history(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of history after its own time, in bounded batches; entities and records stay."""
    monkeypatch.setattr(tx_activity, "_BATCH", 2)
    days = [0, 29, 31, 89, 91, 399, 401]
    moments = [NOW - timedelta(days=day) for day in sorted(days, reverse=True)]

    def fill(tx):  # type: ignore[no-untyped-def]
        tx.save_records([record("a")])
        for moment in moments:
            tx.observe([observed(snapshot("1", marker=str(moment)), at=moment)])
            tx.add_activity([activity("a", at=moment)])

    await store.write(fill)
    touched = []
    while not touched or touched[-1]:
        touched.append(await store.write(lambda tx: tx.prune(NOW, Retention())))
    assert max(touched) <= 6

    def left(tx):  # type: ignore[no-untyped-def]
        counted = [select(func.count()).select_from(table) for table in (schema.versions, schema.activity)]
        contents = select(func.count(schema.versions.c.body))
        return tuple(tx._connection.scalar(query) for query in (*counted, contents))

    assert await store.read(left) == (6, 4, 2)
    assert await store.read(
        lambda tx: (len(tx.snapshots([EntityRef("crm", Kind.INVOICE, "1")])), len(tx.counts()))
    ) == (1, 1)
