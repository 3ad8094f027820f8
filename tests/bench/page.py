"""The status page and API over a million records: how long an answer takes, all of it included, one after the other."""

import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from syncd.commands.common import keep_imports
from syncd.store.store import Store
from tests.bench.figures import Figure
from tests.status_state import configuration, filled, served

MANY = 1_000_000
REQUESTS = 1000
TARGET = 100.0  # milliseconds
HOURS = 7 * 24
_RECORDS = """
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < {last})
INSERT INTO records SELECT printf('%032x', i), t.sync, CASE WHEN i % 4 THEN t.flow ELSE 'contacts' END, 'hs-' || i,
  'qb-' || i, t.origin, 'INV-' || i, 'INV-' || i, t.left_base, t.right_base, t.status, t.code, t.notes, t.words, NULL,
  strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 1700000000 + i, 'unixepoch'), t.attempts, NULL, t.wanted, t.rules_digest, 1
FROM n JOIN records t ON t.id = printf('%032x', CASE WHEN i % 100 = 0 THEN 2 WHEN i % 10 = 0 THEN 4 ELSE 1 END)
"""
_KEYS = """
INSERT INTO keys SELECT lower(label), id FROM records WHERE right_id LIKE 'qb-%'
UNION ALL SELECT left_id, id FROM records WHERE right_id LIKE 'qb-%'
UNION ALL SELECT right_id, id FROM records WHERE right_id LIKE 'qb-%'
"""
_ACTIVITY = """
INSERT INTO activity (record, at, event, by, words) SELECT id, since, 'record.planned', 'poll', '' FROM records
"""
_COUNTS = "INSERT INTO counts SELECT sync, flow, status, code, count(*) FROM records GROUP BY 1, 2, 3, 4"
_NOTES = """
INSERT INTO counts SELECT sync, flow, 'note', 'payment_mirrored', count(*) FROM records WHERE notes IS NOT NULL
GROUP BY 1, 2
"""
_HOURLY = """
WITH RECURSIVE h(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM h WHERE i < {hours})
INSERT INTO counts_hourly SELECT strftime('%Y-%m-%dT%H:00:00.000000+00:00', '2026-11-13', i || ' hours'),
  sync, flow, status, sum(n) + i FROM counts, h WHERE status <> 'note' GROUP BY 1, 2, 3, 4
"""


async def page(records: int = MANY, requests: int = REQUESTS) -> list[Figure]:
    """p99 of each of the documented questions."""
    with TemporaryDirectory(prefix="syncd-bench-") as folder:
        store = await filled(Path(folder))
        await store.close()
        _fill(Path(folder) / "syncd.db", records)
        store = await Store.open(f"sqlite:///{folder}/syncd.db")
        async with served(configuration(Path(folder)), store) as address, aiohttp.ClientSession(address) as http:
            keep_imports()  # as the daemon does
            figures = [
                await _figure(http, what, paths, records, requests // len(_questions(records)))
                for what, paths in _questions(records).items()
            ]
        await store.close()
    return figures


def _fill(file: Path, records: int) -> None:
    """Copies of the few records of `status_state`, with keys, account and counts, as a long life would leave them."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(_RECORDS.format(last=records + 99))
        for statement in (_KEYS, _ACTIVITY, "DELETE FROM counts", _COUNTS, _NOTES, _HOURLY.format(hours=HOURS)):
            connection.execute(statement)
    connection.close()


def _questions(records: int) -> dict[str, list[str]]:
    """What is asked, each with several addresses to be asked in turn."""
    ids = [f"{100 + records * k // 17:032x}" for k in range(17)]
    return {
        "the overview": ["/"],
        "/api/v1/status": ["/api/v1/status"],
        "the list": ["/records", "/records?flow=invoices", "/records?flow=contacts"],
        "failed ones": ["/records?status=failed", "/records?status=failed&flow=invoices"],
        "a category": ["/records?code=customer_missing", "/api/v1/records?code=draft&flow=invoices&limit=200"],
        "a search": [
            "/records?q=inv-77",
            "/records?q=hs-5000",
            "/records?q=INV-99999&status=failed",
            "/records?q=nope",
        ],
        "later pages": ["/api/v1/records?limit=200", "/api/v1/records?status=synced&limit=200"],
        "a record": [f"/records/{id}" for id in ids],
    }


async def _figure(http: aiohttp.ClientSession, what: str, paths: list[str], records: int, requests: int) -> Figure:
    (first,) = await _times(http, paths, 1)  # compiles templates and loads a language: once in a daemon's life
    begun = time.process_time()
    taken = sorted(await _times(http, paths, requests))
    cpu = 1000 * (time.process_time() - begun) / requests
    return Figure(
        name="page",
        what=f"p99 of {what}, {records:,} records",
        unit="ms",
        ours=taken[max(0, round(len(taken) * 0.99) - 1)],
        target=TARGET,
        note=f"p50 {taken[len(taken) // 2]:.0f} ms, the first {first:.0f}; {cpu:.0f} ms of CPU, the client's included",
    )


async def _times(http: aiohttp.ClientSession, paths: list[str], requests: int) -> list[float]:
    """Milliseconds of each request."""
    taken, cursors = [], dict.fromkeys(paths, "")
    for number in range(requests):
        path = paths[number % len(paths)]
        begun = time.perf_counter()
        async with http.get(path + cursors[path]) as answer:
            body = await answer.read()
        taken.append(1000 * (time.perf_counter() - begun))
        assert answer.status == 200, (path, body[:200])
        if "limit=200" in path:
            following = (await answer.json())["next"]
            cursors[path] = f"&cursor={following}" if following else ""
    return taken
