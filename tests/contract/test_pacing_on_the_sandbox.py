"""The vendors' real limits, switched on: whatever is asked at once, nothing is refused, and the urgent go first.

Nobody waits: a pause is over at once, on our clock and on the vendors'.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from syncd.clock import SystemChance
from syncd.connectors import hubspot, quickbooks
from syncd.connectors.base import Condition, ConnectionTrouble, Connector, Done, NotDone, Order, Outcome
from syncd.connectors.errand import Errand, on
from syncd.connectors.http import AioTransport
from syncd.connectors.settings import ConnectionSettings
from syncd.model.record import Op, Priority
from syncd.model.references import Kind, MatchKey
from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import World, create_world
from tests.contract.connectors.suite import Drawer

CONNECT = {"hubspot": hubspot.connect, "quickbooks": quickbooks.connect}
PRODUCT = {"hubspot": "3002", "quickbooks": "6"}
BATCHES = 37  # with the one that looked at the company: what a backlog may use of QuickBooks' 40 a minute
VENDORS = pytest.mark.parametrize("vendor", list(CONNECT))


class JumpingClock:
    """The machine's clock, but a pause is over at once; the sandbox's clock jumps along."""

    def __init__(self, sandbox: World) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return datetime.now(UTC) + self._sandbox.offset

    def monotonic(self) -> float:
        return time.monotonic() + self._sandbox.offset.total_seconds()

    async def sleep(self, seconds: float) -> None:
        deadline = self.monotonic() + seconds
        # What is on its way arrives before the time jumps.
        await asyncio.sleep(0.002)
        self._sandbox.offset += timedelta(seconds=max(0.0, deadline - self.monotonic()))


@dataclass
class Account:
    """One account with its limits on, a connector to it, and a look at what the vendor saw."""

    vendor: str
    url: str
    keys: dict[str, str]
    connector: Connector
    control: Control
    clock: JumpingClock
    begin: int = 0

    async def mark(self) -> None:
        """What came before does not count."""
        self.begin = (await self.control.requests(self.vendor))[-1]["seq"]

    async def statuses(self) -> list[int]:
        return [row["status"] for row in await self.control.requests(self.vendor, after=self.begin)]

    async def paths(self) -> list[str]:
        return [row["path"] for row in await self.control.requests(self.vendor, after=self.begin)]

    async def busiest(self, seconds: float) -> int:
        """The most requests the vendor saw in any span of that length."""
        seen = await self.control.requests(self.vendor, after=self.begin)
        times = [datetime.fromisoformat(row["at"]) for row in seen]
        span = timedelta(seconds=seconds)
        return max(sum(start <= at < start + span for at in times) for start in times)

    def read(self) -> Coroutine[Any, Any, object]:
        """One plain call."""
        return self.connector.read(Kind.PRODUCT, [PRODUCT[self.vendor]])

    def find(self, number: int) -> Coroutine[Any, Any, object]:
        """A search; at QuickBooks a batch, for there are two questions."""
        keys = [MatchKey("sku", f"s{number}"), MatchKey("name", f"n{number}")]
        return self.connector.find(Kind.PRODUCT, keys)


@asynccontextmanager
async def account(vendor: str, **settings: Any) -> AsyncIterator[Account]:
    sandbox = create_world([vendor])
    async with serving(sandbox) as url, Control(url) as control:
        keys = dict((await control.credentials())[vendor])
        own = ConnectionSettings(
            name="one",
            vendor=vendor,
            url=f"{url}/{vendor}",
            token=keys.get("token"),
            client_id=keys["client_id"],
            client_secret=keys["client_secret"],
            refresh_token=keys["refresh_token"],
            account=keys.get("realm_id"),
        )
        clock = JumpingClock(sandbox)
        connector = CONNECT[vendor](own, AioTransport(parallel=100), clock, SystemChance(), Drawer())
        await control.settings(vendor, limits=True, **settings)
        await connector.account()
        made = Account(vendor, f"{url}/{vendor}", keys, connector, control, clock)
        await made.mark()
        try:
            yield made
        finally:
            await connector.close()


def for_whom(call: Coroutine[Any, Any, object], errand: Errand) -> asyncio.Task[object]:
    """Start a call on an errand."""
    with on(errand):
        return asyncio.create_task(call)


def order(op: Op, **more: Any) -> Order:
    """Something to do with a customer."""
    return Order(**({"intent": "p", "op": op, "kind": Kind.PARTY} | more))


async def written(connector: Connector, *orders: Order) -> Sequence[Outcome]:
    """What becomes of these orders, which fit into one request."""
    await connector.fresh(orders)
    (send,) = connector.compose(orders, SystemChance().new_id)
    return await connector.transmit(send, {each.intent: each for each in orders})


@VENDORS
async def test_whatever_is_asked_at_once_nothing_is_refused(vendor):
    """Three hundred plain calls and sixty of the scarcer sort, all in one moment."""
    async with account(vendor) as made:
        await asyncio.gather(*(made.read() for _ in range(300)), *(made.find(n) for n in range(60)))

        statuses = await made.statuses()
        assert len(statuses) >= 360
        assert 429 not in statuses


async def test_an_edition_that_allows_more_is_used_as_its_answers_say():
    """The portal's 190 calls in ten seconds, though 100 are what every portal has."""
    async with account("hubspot") as made:
        await asyncio.gather(*(made.read() for _ in range(500)))

        assert 429 not in await made.statuses()
        assert 100 < await made.busiest(10) <= 190


async def test_what_another_client_uses_is_left_to_it():
    """Somebody else makes calls with the same account all the while: neither of us is refused."""
    async with account("hubspot") as made, aiohttp.ClientSession() as session:

        async def other() -> list[int]:
            seen = []
            for _ in range(150):
                headers = {"Authorization": f"Bearer {made.keys['token']}"}
                async with session.get(f"{made.url}/crm/v3/objects/contacts", headers=headers) as answer:
                    seen.append(answer.status)
            return seen

        theirs = await other()
        await made.read()  # and this answer says how little is left
        await asyncio.gather(*(made.read() for _ in range(200)))

        assert 429 not in theirs + await made.statuses()


@VENDORS
async def test_who_is_in_a_hurry_goes_before_a_backlog(vendor):
    """A hundred polls stand in line; a person's call, a webhook's and a retry come last and go before the rest."""
    async with account(vendor) as made:
        order: list[str] = []

        async def noted(name: str, call: Coroutine[Any, Any, object]) -> None:
            await call
            order.append(name)

        backlog = [for_whom(noted("poll", made.find(n)), Errand(priority=Priority.POLL)) for n in range(100)]
        while len(order) < 20:
            await asyncio.sleep(0)
        urgent = [
            for_whom(noted(priority.name, made.find(1000 + priority)), Errand(priority=priority))
            for priority in (Priority.RETRY, Priority.WEBHOOK, Priority.PERSON)
        ]
        await asyncio.gather(*urgent)
        done = len(order)
        await asyncio.gather(*backlog)

        assert 429 not in await made.statuses()
        assert done < 60
        # The first two leave so closely that their answers may change places.
        assert [name for name in order if name != "poll"][2] == "RETRY"


@VENDORS
async def test_one_syncs_backlog_does_not_hold_another_up(vendor):
    """A hundred calls of one sync stand in line; the ten of another are through long before."""
    async with account(vendor) as made:
        order: list[str] = []

        async def noted(name: str, call: Coroutine[Any, Any, object]) -> None:
            await call
            order.append(name)

        tasks = [for_whom(noted("large", made.find(n)), Errand(sync="large")) for n in range(100)]
        while len(order) < 20:
            await asyncio.sleep(0)
        tasks += [for_whom(noted("small", made.find(n)), Errand(sync="small")) for n in range(10)]
        await asyncio.gather(*tasks)

        assert order.index("small") < 45
        assert len(order) - order[::-1].index("small") < 75


async def test_what_is_urgent_needs_no_batch():
    """While a backlog has used up QuickBooks' batches, one, two and three orders of a person go by themselves."""
    async with account("quickbooks") as made:
        await asyncio.gather(*(made.find(n) for n in range(BATCHES)))
        await made.mark()
        values = {"first_name": "Ann", "name": "Ann"}
        with on(Errand(priority=Priority.PERSON)):
            (created,) = await written(made.connector, order(Op.CREATE, values=values, marker="syncd:" + "5a" * 16))
            assert isinstance(created, Done)
            assert created.snapshot is not None
            known = {"id": created.id, "if_version": created.snapshot.version, "seen": created.snapshot}
            (changed,) = await written(made.connector, order(Op.UPDATE, values={"first_name": "Anna"}, **known))
            assert isinstance(changed, Done)
            assert changed.snapshot is not None
            known = {"id": created.id, "if_version": changed.snapshot.version, "seen": changed.snapshot}
            (gone,) = await written(made.connector, order(Op.DELETE, **known))

        assert isinstance(gone, Done)
        customer = next(row for row in await made.control.records("quickbooks", "Customer") if row["Id"] == gone.id)
        assert (customer["GivenName"], customer["Active"]) == ("Anna", False)
        assert not [path for path in await made.paths() if "/batch" in path]


async def test_a_backlog_goes_in_batches():
    """Two orders are in one request, as long as nobody is in a hurry for them."""
    async with account("quickbooks") as made:
        pair = [order(Op.CREATE, intent=name, values={"name": name}, marker=f"syncd:{name}") for name in ("one", "two")]
        await written(made.connector, *pair)

        assert [path.rpartition("/")[2] for path in await made.paths()].count("batch") == 1


async def test_a_day_without_calls_left_is_not_asked_again():
    """The answers say how many the day has left: with the last one gone nothing leaves, and the connection says so."""
    async with account("hubspot", daily_limit=21) as made:
        for _ in range(20):
            await made.read()
        with pytest.raises(ConnectionTrouble) as caught:
            await made.read()

        assert caught.value.condition is Condition.QUOTA_EXHAUSTED
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 86_400
        assert await made.statuses() == [200] * 20


async def test_who_will_not_wait_is_told_that_nothing_was_sent():
    """A write stands in line for a bounded time, or until something more urgent has come: then it has not left."""
    async with account("quickbooks") as made:
        await asyncio.gather(*(made.find(n) for n in range(BATCHES)))
        await made.mark()
        rung = asyncio.Event()
        rung.set()
        errands = [Errand(patience=1.0), Errand(gives_way=rung)]
        new = order(Op.CREATE, values={"name": "new"}, marker="syncd:" + "5a" * 16)
        for errand in errands:
            with on(errand):
                (outcome,) = await written(made.connector, new)
            assert isinstance(outcome, NotDone)

        assert [(errand.left, errand.gave_up) for errand in errands] == [(False, True)] * 2
        assert await made.statuses() == []
