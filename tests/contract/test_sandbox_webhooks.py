"""The sandbox's webhooks over real HTTP, as a receiver meets them."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest

import aiohttp
import pytest
from aiohttp import web

from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import create_world

PATIENCE = 10.0  # seconds for what takes milliseconds


@dataclass
class Receiver:
    """What arrived, and how to answer: the statuses to give in turn, 200 after that; None never answers."""

    url: str = ""
    statuses: list[int | None] = field(default_factory=list)
    arrived: asyncio.Queue[tuple[web.BaseRequest, bytes]] = field(default_factory=asyncio.Queue)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        await self.arrived.put((request, await request.read()))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            await asyncio.Event().wait()
        headers = {"Location": self.url + "/elsewhere"} if status in (301, 307) else {}
        return web.Response(status=status, headers=headers)

    async def next(self) -> tuple[web.BaseRequest, bytes]:
        """The next request, with its raw body."""
        return await asyncio.wait_for(self.arrived.get(), PATIENCE)

    async def events(self) -> list[dict]:
        """The events of the next HubSpot request."""
        return json.loads((await self.next())[1])


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.answer, access_log=None), shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Bench:
    address: str
    control: Control
    receiver: Receiver

    async def ring(self, vendor="hubspot", **settings):
        """Let the vendor send its webhooks to the receiver."""
        await self.control.settings(vendor, webhook_url=self.receiver.url + "/hooks", **settings)

    async def edit(self, city="Springfield"):
        await self.control.person("hubspot", "update", "contacts", "1001", {"city": city})

    async def log(self, count, **query):
        """The first so many rows of the log, once they are there."""
        async with asyncio.timeout(PATIENCE):
            while len(rows := await self.control.webhooks(**query)) < count:
                await asyncio.sleep(0.002)
        return rows


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with receiving() as receiver, serving(create_world()) as address, Control(address) as control:
        yield Bench(address, control, receiver)


async def test_a_persons_edit_arrives_with_a_signature_over_what_arrived(bench):
    """HubSpot's v3, computed here by the words of its guide over the request as it was received."""
    await bench.ring()
    await bench.edit()
    request, body = await bench.receiver.next()
    stamp = request.headers["X-HubSpot-Request-Timestamp"]
    message = f"POST{bench.receiver.url}/hooks".encode() + body + stamp.encode()

    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert (
        request.headers["X-HubSpot-Signature-v3"]
        == b64encode(digest(b"sandbox-app-secret", message, "sha256")).decode()
    )
    assert request.headers["X-HubSpot-Signature"] == sha256(b"sandbox-app-secret" + body).hexdigest()
    assert [(e["objectId"], e["propertyValue"]) for e in json.loads(body)] == [(1001, "Springfield")]


async def test_quickbooks_signs_with_the_secret_of_its_credentials(bench):
    """The verifier token that `credentials` tells."""
    await bench.ring("quickbooks")
    await bench.control.person("quickbooks", "pay", "Invoice", "130", {"amount": 100})
    request, body = await bench.receiver.next()
    secret = (await bench.control.credentials())["quickbooks"]["webhook_secret"]

    assert request.headers["intuit-signature"] == b64encode(digest(secret.encode(), body, "sha256")).decode()
    (notification,) = json.loads(body)["eventNotifications"]
    assert [(e["name"], e["operation"]) for e in notification["dataChangeEvent"]["entities"]] == [
        ("Payment", "Create"),
        ("Invoice", "Update"),
    ]


async def test_a_receiver_that_never_answers_keeps_no_api_call_waiting(bench):
    """Ten writes are answered while ten webhooks hang; they come back as events all the same."""
    bench.receiver.statuses = [None] * 10
    await bench.ring()
    headers = {"Authorization": "Bearer pat-na1-sandbox-0000-0000"}
    url = bench.address + "/hubspot/crm/v3/objects/contacts/1001"
    async with asyncio.timeout(PATIENCE / 2), aiohttp.ClientSession(headers=headers) as http:  # below ten timeouts
        for number in range(10):
            async with http.patch(url, json={"properties": {"city": f"City {number}"}}) as answer:
                assert answer.status == 200
    found = [event for _ in range(10) for event in await bench.receiver.events()]

    assert sorted(event["propertyValue"] for event in found) == [f"City {number}" for number in range(10)]
    assert {event["sourceId"] for event in found} == {"1160001"}


async def test_what_is_refused_comes_again_by_itself(bench):
    """The same events with the next attempt number, and each try in the log."""
    bench.receiver.statuses = [503, 404]
    await bench.ring(webhook_retry_scale=0.0001)
    await bench.edit()
    tries = [await bench.receiver.events() for _ in range(3)]
    rows = await bench.log(3, vendor="hubspot")

    assert [event["attemptNumber"] for (event,) in tries] == [0, 1, 2]
    assert len({event["eventId"] for (event,) in tries}) == 1
    assert [(row["path"], row["status"], row["attempt"], row["events"]) for row in rows] == [
        ("/hooks", 503, 0, 1),
        ("/hooks", 404, 1, 1),
        ("/hooks", 200, 2, 1),
    ]
    assert await bench.control.webhooks(after=2) == rows[2:]
    assert await bench.control.webhooks("quickbooks") == []


async def test_a_receiver_out_of_time_is_tried_again(bench):
    """Silence is a failure after the vendor's patience."""
    bench.receiver.statuses = [None]
    await bench.ring(webhook_timeout=0.05, webhook_retry_scale=0.0001)
    await bench.edit()
    await bench.receiver.next()
    ((again,), (first, *_)) = await bench.receiver.events(), await bench.log(1)

    assert again["attemptNumber"] == 1
    assert (first["status"], first["error"]) == (0, "timeout")


async def test_a_redirect_is_a_failure_and_is_not_followed(bench):
    """The sandbox goes nowhere else than where it was told."""
    bench.receiver.statuses = [307]
    await bench.ring()
    await bench.edit()
    rows = await bench.log(1)

    assert [(row["status"], row["path"]) for row in rows] == [(307, "/hooks")]
    assert bench.receiver.arrived.qsize() == 1


async def test_nobody_listening_is_an_error_in_the_log(bench):
    """With the reason, and the webhook waits for its retry."""
    async with receiving() as gone:
        url = gone.url
    await bench.control.settings("hubspot", webhook_url=url)
    await bench.edit()
    (row,) = await bench.log(1)

    assert (row["status"], row["error"], row["path"]) == (0, "ClientConnectorError", "/")


async def test_a_delayed_webhook_leaves_without_anybody_asking(bench):
    """The world's timer wakes up for it."""
    await bench.ring(webhook_delay=0.05)
    await bench.edit()

    assert [event["propertyValue"] for event in await bench.receiver.events()] == ["Springfield"]


async def test_moving_the_clock_brings_a_retry_forward(bench):
    """A minute passes in no time."""
    bench.receiver.statuses = [500]
    await bench.ring()
    await bench.edit()
    await bench.log(1)
    await bench.control.advance(61)

    assert [len(await bench.receiver.events()) for _ in range(2)] == [1, 1]


async def test_without_a_target_nothing_is_sent(bench):
    """The default: the first thing that arrives is what happened after it was set."""
    await bench.edit("Before")
    await bench.ring()
    await bench.edit("After")

    assert [event["propertyValue"] for event in await bench.receiver.events()] == ["After"]
    assert len(await bench.log(1)) == 1


async def test_a_sandbox_that_ends_does_not_wait_for_webhooks(bench):
    """One hangs at the receiver, one waits for its time."""
    bench.receiver.statuses = [None]
    async with asyncio.timeout(PATIENCE / 4), serving(create_world()) as address, Control(address) as control:
        await control.settings("hubspot", webhook_url=bench.receiver.url)
        await control.person("hubspot", "update", "contacts", "1001", {"city": "Flying"})
        await bench.receiver.next()
        await control.settings("hubspot", webhook_delay=3600)
        await control.person("hubspot", "update", "contacts", "1001", {"city": "Waiting"})
