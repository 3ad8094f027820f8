"""Transactions: all or nothing, durable, and one moment for a reader."""

import asyncio

import anyio
import pytest
from sqlalchemy.exc import DBAPIError

from syncd.model.connection import ConnectionRow
from syncd.store.store import Store, Tx
from tests.store_samples import NOW


async def test_a_failing_body_stores_nothing(store: Store) -> None:
    """Whatever a body raises comes through, and nothing of its transaction stays."""

    def body(tx: Tx) -> None:
        tx.set_meta("epoch", "1")
        raise LookupError("stop")

    with pytest.raises(LookupError, match="stop"):
        await store.write(body)
    assert await store.read(lambda tx: tx.meta("epoch")) is None


async def test_writers_take_turns(store: Store) -> None:
    """Concurrent writers see each other's results: none is lost."""

    def count(tx: Tx) -> None:
        tx.set_meta("n", str(int(tx.meta("n") or "0") + 1))

    await asyncio.gather(*(store.write(count) for _ in range(20)))
    assert await store.read(lambda tx: tx.meta("n")) == "20"


async def test_readers_run_beside_a_writer(store: Store) -> None:
    """Many readers at once are served, and see a finished state."""

    def both(tx: Tx) -> None:
        tx.set_meta("left", "x")
        tx.set_meta("right", "x")

    def seen(tx: Tx) -> tuple[str | None, str | None]:
        return tx.meta("left"), tx.meta("right")

    answers = await asyncio.gather(*(store.read(seen) for _ in range(10)), store.write(both))
    assert set(answers) <= {(None, None), ("x", "x"), None}


async def test_an_error_names_no_values(store: Store) -> None:
    """Database errors are logged, and what is stored is people's data."""
    row = ConnectionRow(name="crm", vendor="v", account_name="Ann Example", words=None)  # type: ignore[arg-type]
    with pytest.raises(DBAPIError) as caught:
        await store.write(lambda tx: tx.save_connection(row))
    assert "hidden" in str(caught.value)
    assert "[parameters: " not in str(caught.value)


async def test_a_connection_comes_back_as_it_was_saved(store: Store) -> None:
    """Every field survives; saving again replaces; all are listed by name."""
    row = ConnectionRow(
        name="crm",
        vendor="hubspot",
        account_id="42",
        account_name="Åcme \U0001f600",
        condition="quota_exhausted",
        words="wait",
        since=NOW,
        retry_at=NOW,
        last_success=NOW,
        settings={"currency": "EUR", "multi": True, "until": None, "kinds": ["party"]},
    )
    plain = ConnectionRow(name="books", vendor="quickbooks")
    await store.write(lambda tx: tx.save_connection(ConnectionRow(name="crm", vendor="other")))
    await store.write(lambda tx: [tx.save_connection(one) for one in (row, plain)])
    assert await store.read(lambda tx: tx.connection("crm")) == row
    assert await store.read(lambda tx: tx.connections()) == [plain, row]
    assert await store.read(lambda tx: tx.connection("nobody")) is None


async def test_cursors_move_one_by_one(store: Store) -> None:
    """Setting one cursor leaves the others and other connections' alone."""
    await store.write(lambda tx: tx.set_cursors("crm", {"party": "1", "invoice": "1"}, NOW))
    await store.write(lambda tx: tx.set_cursors("crm", {"invoice": "2"}, NOW))
    await store.write(lambda tx: tx.set_cursors("books", {"invoice": "9"}, NOW))
    assert await store.read(lambda tx: tx.cursors("crm")) == {"party": "1", "invoice": "2"}


async def test_an_empty_batch_is_nothing(store: Store) -> None:
    """Every batch method takes an empty batch."""

    def body(tx: Tx) -> None:
        tx.set_cursors("crm", {}, NOW)
        tx.put_changes([])
        tx.finish_changes([])
        tx.postpone_changes([], NOW)
        tx.observe([])
        tx.save_records([])
        tx.add_intents([])
        tx.save_intents([])
        tx.drop_intents([])
        tx.add_sends([])
        tx.add_activity([])

    await store.write(body)
    assert await store.read(lambda tx: (tx.due_changes([], NOW, 1), tx.records([]), tx.snapshots([]))) == ([], {}, {})
    assert await store.read(lambda tx: (tx.due_records([], NOW, 1), tx.next_due([]))) == ([], None)


async def test_a_transaction_once_begun_is_finished(store: Store) -> None:
    """Cancelling the scope of a writer in the middle of its transaction leaves neither half a result nor a lock."""

    loop = asyncio.get_running_loop()

    def body(tx: Tx) -> None:
        tx.set_meta("first", "1")
        loop.call_soon_threadsafe(scope.cancel)
        tx.set_meta("second", "1")

    with anyio.CancelScope() as scope:
        await store.write(body)
    assert await store.read(lambda tx: (tx.meta("first"), tx.meta("second"))) == ("1", "1")


async def test_a_killed_task_leaves_the_store_usable(store: Store) -> None:
    """A task cancelled without a scope stores all or nothing, and the next writer goes on."""

    loop = asyncio.get_running_loop()

    def body(tx: Tx) -> None:
        tx.set_meta("first", "1")
        loop.call_soon_threadsafe(task.cancel)
        tx.set_meta("second", "1")

    task = asyncio.create_task(store.write(body))
    await asyncio.wait([task])
    assert len(set(await store.read(lambda tx: (tx.meta("first"), tx.meta("second"))))) == 1
    await store.write(lambda tx: tx.set_meta("third", "1"))
    assert await store.read(lambda tx: tx.meta("third")) == "1"
