"""Kills between a rotated token's receipt and its storage: locked out only where the vendor itself leaves no token.

Real processes with the real keeper over the real secrets.db, killed with SIGKILL. QuickBooks lets a token live for a
day once its successor was given out; so nothing is lost unless we stay dead for longer than that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from syncd.store.secrets import Secrets
from tests.acceptance import rotation
from tests.acceptance.rotation import FINE, LOST, POINTS, TROUBLE, Life
from tests.acceptance.test_connecting import connected, keys_only
from tests.acceptance.world import World, world

HOUR, DAY = 3600.0, 86400.0
KILLED = -signal.SIGKILL
SOME, MANY = 20, 500
LATENCY = 0.01  # seconds a vendor takes, so that death can come while an answer is on its way
PATIENCE = 30.0
ROOT = Path(__file__).parents[2]


class Nursery:
    """Where processes come from: see `rotation`."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process

    async def told(self, order: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(await asyncio.wait_for(asyncio.to_thread(self._process.stdout.readline), PATIENCE))

    async def born(self, w: World, dies: str = "") -> int:
        """A process that needs an access token now."""
        life = Life(str(w.config.state_dir), w.url, w.sandbox.offset.total_seconds(), dies)
        return await self.told(asdict(life))

    async def ended(self, process: int) -> int:
        """Its exit code."""
        return await self.told(process)

    async def lived(self, w: World, dies: str = "") -> int:
        """The exit code of a process that is waited for."""
        return await self.ended(await self.born(w, dies))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """One for all tests."""
    with Popen([sys.executable, "-m", rotation.__name__], stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as process:
        yield Nursery(process)


@pytest.fixture
async def house() -> AsyncIterator[World]:
    """A world in which a person has connected the books."""
    async with world() as w:
        keys_only(w)
        await connected(w, "books")
        await w.control.settings("quickbooks", latency=LATENCY)
        yield w


async def kept(w: World) -> set[str]:
    """The refresh tokens on disk."""
    text = await (await Secrets.open(w.config.state_dir, None)).get("books", "books.oauth")
    assert text is not None
    return {json.loads(text)[name] for name in ("refresh_token", "previous")} - {""}


async def worth_something(w: World) -> bool:
    """Whether the vendor would still take one of them."""
    now, disk = w.clock.now(), await kept(w)
    living = w.sandbox.vendors["quickbooks"]._oauth._refresh
    return any(token.value in disk and (token.ends is None or now < token.ends) for token in living)


async def asked(w: World, since: int) -> int:
    """How often the token address was asked."""
    return len([row for row in await w.control.requests("quickbooks", since) if row["path"].endswith("/bearer")])


async def lost_and_found(w: World, nursery: Nursery) -> None:
    """It is said at once, and shown; a person connects anew, and all is well."""
    last = (await w.control.requests())[-1]["seq"]
    assert await nursery.lived(w) == LOST
    assert await asked(w, last) <= 2
    status = await w.once(0)
    assert {row["name"]: row["state"] for row in status["connections"]}["books"] == "authorization_lost"
    await connected(w, "books")
    assert await nursery.lived(w) == FINE


@pytest.mark.parametrize("kills", [SOME, pytest.param(MANY, marks=pytest.mark.slow)])
async def test_a_rotation_killed_anywhere_locks_nobody_out(
    kills: int, house: World, nursery: Nursery, record_property: Callable[[str, object], None]
) -> None:
    """Named points and moments at random; then the next process opens the account, or the vendor left no way in."""
    draw, figures = random.Random(kills), Counter[str]()
    for number in range(kills):
        await house.advance(draw.choice((2 * HOUR, DAY + HOUR, DAY + HOUR)))
        point = POINTS[number % len(POINTS)] if number % 4 else ""
        process = await nursery.born(house, point)
        if not point:
            await asyncio.sleep(draw.uniform(0.0, 0.15))
            os.kill(process, signal.SIGKILL)  # still there until somebody waits for it
        code = await nursery.ended(process)
        assert code == KILLED or not point, f"never came to: {point}"
        figures["killed" if code == KILLED else "was faster"] += 1
        if draw.random() < 0.15:
            await house.advance(DAY + HOUR)  # nobody starts it again for longer than the old token lives
        way_in = await worth_something(house)
        if not way_in:
            figures["locked out by the vendor"] += 1
            await lost_and_found(house, nursery)
            continue
        assert await nursery.lived(house) == FINE, f"kill {number}, {point or 'at a random moment'}"
        figures["went on"] += 1
    assert figures["killed"] >= kills * 0.8
    record_property("figures", ("token rotation", dict(figures)))


async def test_an_answer_that_is_lost_costs_a_retry_and_nothing_else(house: World, nursery: Nursery) -> None:
    """The vendor rotated and its answer broke off or made no sense: the old token opens once more."""
    for ending in ("reset_after", "timeout_after_commit", "truncated_json"):
        await house.advance(DAY + HOUR)
        await house.control.arm("quickbooks", ending, {"path": "/oauth2/v1/tokens/bearer"}, nth=1)
        assert await nursery.lived(house) == (TROUBLE if ending == "truncated_json" else FINE)
        assert await nursery.lived(house) == FINE


async def test_dead_for_longer_than_the_old_token_lives(house: World, nursery: Nursery) -> None:
    """Killed with the only living token in its hands, and started again two days later: lost, and said so at once."""
    await house.advance(DAY + HOUR)
    assert await nursery.lived(house, "before the put") == KILLED
    await house.advance(2 * DAY)
    assert not await worth_something(house)
    await lost_and_found(house, nursery)


async def test_many_processes_renew_once(house: World, nursery: Nursery) -> None:
    """Whoever comes second waits for the first and uses what it has kept; one that is killed meanwhile lets go."""
    await house.advance(DAY + HOUR)
    last = (await house.control.requests())[-1]["seq"]
    processes = [await nursery.born(house) for _ in range(4)]
    assert [await nursery.ended(process) for process in processes] == [FINE] * 4
    assert await asked(house, last) == 1

    await house.advance(DAY + HOUR)
    first, others = await nursery.born(house, "before the put"), [await nursery.born(house) for _ in range(2)]
    assert await nursery.ended(first) in (KILLED, FINE)
    assert [await nursery.ended(process) for process in others] == [FINE, FINE]
