"""Deliveries: what came is known afterwards, on every database, until it is pruned."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from syncd.store.store import Store
from tests.store_samples import NOW

A, B, C = (bytes([number]) * 16 for number in (0, 127, 255))


async def known(store: Store, *events: bytes) -> dict:
    return await store.read(lambda tx: tx.known_deliveries(events))


async def test_what_is_remembered_is_known_with_its_time(store: Store) -> None:
    """Whatever bytes it is told by; asking for one twice, or for many, makes no difference."""
    await store.write(lambda tx: tx.remember_deliveries([A, C], NOW))
    many = [number.to_bytes(16) for number in range(2_000)]
    assert await known(store, A, B, C, C, *many) == {A: NOW, C: NOW}
    assert await known(store) == {}


async def test_an_event_is_remembered_once(store: Store) -> None:
    """A second time is a mistake of the caller's, and undoes all of the transaction."""
    await store.write(lambda tx: tx.remember_deliveries([A], NOW))
    with pytest.raises(IntegrityError):
        await store.write(lambda tx: tx.remember_deliveries([B, A], NOW))
    assert await known(store, A, B) == {A: NOW}


async def test_pruning_forgets_the_old_and_what_is_too_much(store: Store) -> None:
    """In batches, the oldest first; 0 says that nothing is left to forget."""
    for day, event in enumerate((A, B, C)):
        at = NOW + timedelta(days=day)
        await store.write(lambda tx, event=event, at=at: tx.remember_deliveries([event], at))
    assert await store.write(lambda tx: tx.prune_deliveries(NOW + timedelta(days=1), 100)) == 1
    assert (await known(store, A, B, C)).keys() == {B, C}
    assert await store.write(lambda tx: tx.prune_deliveries(NOW, 1)) == 1
    assert (await known(store, A, B, C)).keys() == {C}
    assert await store.write(lambda tx: tx.prune_deliveries(NOW, 1)) == 0
