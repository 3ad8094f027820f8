"""Another process locks a real daemon's database again and again, in the middle of its work."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from http import HTTPStatus

import pytest

from syncd.errors import Exit
from tests.acceptance.checkers import assert_in_order, differences
from tests.acceptance.people import books_sale, crm_sale
from tests.acceptance.processes import ANY_PORT, running
from tests.acceptance.test_service_manager import all_there
from tests.acceptance.test_webhooks import subscribed, until
from tests.acceptance.world import Snapshot, World

SHORT = (0.3, 1.5, 3.0, 0.3, 1.5)  # seconds; vendors wait three for an answer to a webhook
PROMISED = 20.0
LONGER = 35.0  # than the writer goes on asking


@pytest.mark.slow
async def test_locks_in_the_middle_of_the_work_lose_nothing(
    synced: Snapshot, record_property: Callable[[str, object], None]
) -> None:
    """Reads go on, webhooks are stored or put off, and then everything is there once."""
    draw, answers = random.Random(20), list[int]()
    async with synced.world(ANY_PORT) as w:
        await subscribed(w, webhook_retry_scale=0.05)
        for vendor in w.sandbox.vendors:
            await w.control.settings(vendor, latency=0.05)
        async with running(w, "run") as daemon:
            await until(lambda: _listens(w))
            for n, seconds in enumerate((*SHORT, PROMISED, LONGER)):
                told = len(w.sandbox.sent.rows())
                sales = [await crm_sale(w, f"Nora Quill{n}"), await books_sale(w, f"Otto Fern{n}")]
                await asyncio.sleep(draw.uniform(0, 1.0))
                other = sqlite3.connect(w.folder / "syncd-state" / "syncd.db", isolation_level=None, timeout=20)
                other.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(seconds)
                assert (await w.status())["syncs"]
                other.execute("COMMIT")
                other.close()
                await all_there(w, [sale.number for sale in sales])
                answers += [sent.status for sent in w.sandbox.sent.rows()[told:]]
            await until(lambda: _even(w))
            daemon.terminate()
            assert await daemon.wait() == Exit.DONE
        assert set(answers) <= {0, HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
        await assert_in_order(w.control)
        put_off = answers.count(HTTPStatus.SERVICE_UNAVAILABLE)
        record_property("figures", ("locked database", {"locks": n + 1, "webhooks put off": put_off}))


async def _even(w: World) -> bool:
    return await differences(w.control) == []


async def _listens(w: World) -> bool:
    return (w.folder / "syncd-state" / "syncd.sock").exists()
