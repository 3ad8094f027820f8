"""Lists for people: every combination of filters, page by page, each record once."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from syncd.model.record import Record, Status
from syncd.store import tx_listing
from syncd.store.store import Store
from tests.store_samples import NOW, record


def mixed() -> Iterator[Record]:
    """Forty-eight records over two syncs, two flows and three standings; several share their moment."""
    standings = [(Status.SYNCED, ""), (Status.FAILED, "tax_code_required"), (Status.FAILED, "record_locked")]
    for n, (sync, flow, (status, code), _) in enumerate(
        product(["one", "two"], ["invoices", "payments"], standings, range(4))
    ):
        since = NOW + timedelta(minutes=n * 7 % 12)
        yield record(f"{n:032x}", sync=sync, flow=flow, status=status, code=code, since=since, label=f"Item {n}")


@pytest.fixture(params=["few", "many"])
def found_either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search looks at the keys of records where few pass the filters, and at all keys in order where many do."""
    if request.param == "many":
        monkeypatch.setattr(tx_listing, "_FEW", -1)


async def all_pages(store: Store, limit: int, **filters: Any) -> list[Record]:
    found: list[Record] = []
    after: str | None = None
    while True:
        page = await store.read(lambda tx: tx.list_records(after=after, limit=limit, **filters))  # noqa: B023
        found += page.rows
        after = page.next
        if after is None:
            return found
        assert len(page.rows) == limit


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"sync": "one"},
        {"flow": "payments"},
        {"status": Status.FAILED},
        {"code": "record_locked"},
        {"sync": "two", "status": "failed"},
        {"sync": "one", "flow": "invoices", "status": Status.FAILED, "code": "record_locked"},
        {"sync": "nobody"},
    ],
    ids=str,
)
async def test_pages_hold_what_passes_the_newest_first(store: Store, filters: dict[str, Any]) -> None:
    """The pages together are exactly the matching records, by the time they came into their status."""
    everything = list(mixed())
    await store.write(lambda tx: tx.save_records(everything))
    expected = [one for one in everything if all(getattr(one, name) == value for name, value in filters.items())]
    expected.sort(key=lambda one: (one.since, one.id), reverse=True)
    for limit in (3, 12, 100):
        assert [one.id for one in await all_pages(store, limit, **filters)] == [one.id for one in expected]


@pytest.mark.usefixtures("found_either_way")
async def test_search_is_exact_or_by_beginning_in_any_case(store: Store) -> None:
    """Over label, key and both vendor ids; the exact hit first; each record once, whatever led to it."""
    await store.write(
        lambda tx: tx.save_records(
            [
                record("a", label="Ann Example", key="ann@example.com", left="ann-1"),
                record("b", label="Annabel", right="777"),
                record("c", label="Bob", left="ANN"),
                record("d", label="Élodie", status=Status.FAILED, code="record_locked"),
            ]
        )
    )

    async def found(q: str, **filters: Any) -> list[str]:
        return [one.id for one in await all_pages(store, 1, q=q, **filters)]

    assert await found("ann") == ["c", "a", "b"]
    assert await found("ANN@") == ["a"]
    assert await found("77") == ["b"]
    assert await found("élo", status=Status.FAILED) == ["d"]
    assert await found("élo", status=Status.SYNCED) == []
    assert await found("nn") == []
    assert await found("%") == []


@pytest.mark.usefixtures("found_either_way")
async def test_a_long_search_is_found_to_its_last_letter(store: Store) -> None:
    """As long as an index takes, and longer; a letter more or less is something else."""
    names = ["x" * length for length in (199, 200, 201, 5000)]
    await store.write(lambda tx: tx.save_records([record(str(n), label=name) for n, name in enumerate(names)]))
    assert [one.id for one in await all_pages(store, 1, q="x" * 200)] == ["1"]
    assert [one.id for one in await all_pages(store, 1, q="x" * 5000)] == ["3"]
    assert [one.id for one in await all_pages(store, 1, q="x" * 4999)] == []


async def test_a_page_of_a_moment_without_zone_is_refused(store: Store) -> None:
    """A cursor is checked before it reaches the database; one with a NUL inside finds nothing."""
    await store.write(lambda tx: tx.save_records([record("a")]))
    with pytest.raises(ValueError):
        await store.read(lambda tx: tx.list_records(after=cursor("2026-11-21", "a")))
    page = await store.read(lambda tx: tx.list_records(after=cursor("2020-01-01T00:00:00Z", "a\x00"), q=None))
    assert page.rows == []


@pytest.mark.usefixtures("found_either_way")
async def test_search_follows_the_record(store: Store) -> None:
    """A changed label is found by the new one only."""
    await store.write(lambda tx: tx.save_records([record("a", label="Before")]))
    await store.write(lambda tx: tx.save_records([record("a", label="After")]))
    pages = [await all_pages(store, 9, q=q) for q in ("before", "after")]
    assert [[one.id for one in page] for page in pages] == [[], ["a"]]


def cursor(*parts: object) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize("after", ["x", "é", "", cursor(1), cursor("2026-11-21", "a", "b"), cursor("a\x00", 1)])
@pytest.mark.parametrize("q", [None, "a"])
async def test_a_foreign_cursor_is_refused(store: Store, after: str, q: str | None) -> None:
    """Cursors come back from browsers, so anything may stand there."""
    with pytest.raises(ValueError):
        await store.read(lambda tx: tx.list_records(after=after, q=q))
