"""The sandbox on a socket: carries requests to the world and its deliveries back, and misbehaves where they say so."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from syncd.sandbox.base import Request, Response, encode_json
from syncd.sandbox.control import PREFIX, control
from syncd.sandbox.courier import courier
from syncd.sandbox.delivery import Delivery, Ending
from syncd.sandbox.world import World, create_world

LOOPBACK = "127.0.0.1"

BODY_LIMIT = 64 * 2**20
LINE_LIMIT = 16 * 2**10  # request line and each header: long queries travel in the address
IDLE_SECONDS = 75.0
BLANKS = b" " * 2**16

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


@asynccontextmanager
async def serving(world: World, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[str]:
    """Serve the world while the block runs; yields an address like `http://127.0.0.1:8400`. Port 0: any free one."""
    async with courier(world, _now) as out:
        server = web.Server(
            Shell(world, out.go_on).answer,
            request_factory=_with_body_limit,
            access_log=None,
            keepalive_timeout=IDLE_SECONDS,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.1)  # what still hangs then was meant to hang
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield f"http://{host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def run(port: int, host: str = LOOPBACK, announce: Callable[[str], None] = lambda address: None) -> None:
    """Serve all vendors until the process is told to end; `announce` gets the address once it answers."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with serving(create_world(timer=time.perf_counter), host, port) as address:
        announce(address)
        await ended.wait()


class Shell:
    """Joins aiohttp's requests to the world. Handling is synchronous, so a client that leaves cannot interrupt it.

    `afterwards` is called when a request was handled and before it is answered.
    """

    def __init__(self, world: World, afterwards: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._afterwards = afterwards

    async def answer(self, raw: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's handler."""
        path, _, query = raw.raw_path.partition("?")
        headers = {name.lower(): value for name, value in raw.headers.items()}
        request = Request(raw.method, unquote(path), query, headers, await raw.read())
        delivery = self.deliver(request, raw.remote)
        self._afterwards()
        return await _perform(delivery, raw)

    def deliver(self, request: Request, peer: str | None) -> Delivery:
        """Find who a request is for: the control routes (for a peer on this machine only) or a vendor."""
        vendor, _, path = request.path[1:].partition("/")
        if vendor == PREFIX[1:]:
            if peer is None or not ip_address(peer).is_loopback:
                return Delivery(_message(403, "the control routes are for this machine only"))
            return Delivery(control(self._world, request, _now()))
        if vendor not in self._world.vendors:
            return Delivery(_message(404, f"no vendor {vendor}; see {PREFIX}"))
        own = Request(request.method, "/" + path, request.query, request.headers, request.body)
        return self._world.handle(vendor, own, _now())


async def _perform(delivery: Delivery, raw: web.BaseRequest) -> web.StreamResponse:
    if delivery.wait:
        await asyncio.sleep(delivery.wait)
    response = delivery.response
    if response is None or delivery.ending in (Ending.DROPPED, Ending.RESET):
        _hang_up(raw, reset=delivery.ending is Ending.RESET)
        return web.Response()  # never sent: aiohttp wants an answer even for a closed line
    if delivery.ending is Ending.ANSWERED:
        return web.Response(status=response.status, body=response.body, headers=response.headers)
    with suppress(ConnectionError):  # the client has had enough
        return await _send_badly(delivery, response, raw)
    return web.Response()


async def _send_badly(delivery: Delivery, response: Response, raw: web.BaseRequest) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    if delivery.ending is not Ending.ENDLESS:
        stream.content_length = len(response.body)
    await stream.prepare(raw)
    match delivery.ending:
        case Ending.CUT | Ending.BROKEN:
            await stream.write(response.body[: len(response.body) // 2])
            _hang_up(raw, reset=delivery.ending is Ending.BROKEN)
        case Ending.DRIPPED:
            for start in range(0, len(response.body), delivery.piece):
                await stream.write(response.body[start : start + delivery.piece])
                await asyncio.sleep(delivery.gap)
        case _:
            await stream.write(response.body)
            while True:
                await stream.write(BLANKS)
    return stream


def _hang_up(raw: web.BaseRequest, *, reset: bool) -> None:
    if raw.transport is None:
        return
    if reset:
        raw.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        raw.transport.abort()
    else:
        raw.transport.close()


def _with_body_limit(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)


def _message(status: int, words: str) -> Response:
    return Response(status, encode_json({"message": words}), {"Content-Type": "application/json"})


def _now() -> datetime:
    return datetime.now(UTC)
