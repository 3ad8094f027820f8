"""The listener for webhooks: HTTP as strangers may speak it, with a deadline and a limit for everything.

It has an address of its own and one route. Every connection carries one request, so idle ones cannot pile up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from urllib.parse import unquote

import anyio
from aiohttp import web

from syncd.config import Webhooks
from syncd.config_values import Listen
from syncd.entrance.connection import BODY_SECONDS, GuardedConnection, GuardedServer, answer
from syncd.entrance.gate import Entry, Gate
from syncd.errors import StateBusy
from syncd.feed.doors import PREFIX
from syncd.feed.intake import Intake, Verdict

MAX_BODY = 2 * 1024 * 1024  # Intuit: allow for 2 MB at least
MAX_BYTES = 64 * 1024 * 1024  # of all bodies together
STOP_SECONDS = 3.0  # what was begun is stored and answered
BACKLOG = 512

ANSWERS = {
    Verdict.STORED: HTTPStatus.OK,
    Verdict.FORGED: HTTPStatus.UNAUTHORIZED,
    Verdict.MALFORMED: HTTPStatus.BAD_REQUEST,
    Verdict.LATER: HTTPStatus.SERVICE_UNAVAILABLE,
    Verdict.FULL: HTTPStatus.INSUFFICIENT_STORAGE,
}


@asynccontextmanager
async def listening(settings: Webhooks | None, intake: Intake) -> AsyncIterator[str | None]:
    """Take webhooks while the block runs; yields the address, None when there is no door to take them at.

    Raises:
        StateBusy: something else listens on the address.
    """
    if settings is None or not intake.doors:
        yield None
        return
    gate = Gate(settings.connections, settings.most_per_address, MAX_BYTES)
    server = GuardedServer(_Listener(intake, gate).answer, gate, "webhook.request_failed")
    runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    storing = asyncio.create_task(intake.run())
    try:
        yield await _listen(runner, settings.listen)
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()  # first, so that what it still takes in is stored
        storing.cancel()
        with suppress(asyncio.CancelledError):
            await storing


async def _listen(runner: web.ServerRunner, listen: Listen) -> str:
    try:
        await web.TCPSite(runner, listen.host, listen.port, backlog=BACKLOG).start()
    except OSError as error:
        words = f"webhooks.listen: {listen.host}:{listen.port} cannot be listened on: {error.strerror}"
        raise StateBusy(words) from error
    return Listen(listen.host, runner.addresses[0][1]).url


class _Refused(Exception):
    """The request is answered with this status and not looked at any further."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class _Listener:
    def __init__(self, intake: Intake, gate: Gate) -> None:
        self._intake = intake
        self._gate = gate

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's handler."""
        connection = request.protocol
        assert isinstance(connection, GuardedConnection)
        connection.begun()
        if connection.entry is Entry.EXCESS:
            return answer(HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            return answer(await self._take(request))
        except _Refused as refused:
            response = answer(refused.status)
            if refused.status is HTTPStatus.METHOD_NOT_ALLOWED:
                response.headers["Allow"] = "POST"
            return response

    async def _take(self, request: web.BaseRequest) -> HTTPStatus:
        path, _, _ = request.raw_path.partition("?")
        door = self._intake.doors.get(unquote(path.removeprefix(PREFIX))) if path.startswith(PREFIX) else None
        if door is None:
            raise _Refused(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED)
        if "Content-Encoding" in request.headers:
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if (request.content_length or 0) > MAX_BODY:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = await self._body(request)
        # Of a header that came twice both are kept, so that no signature is right by choice of one.
        headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
        return ANSWERS[await self._intake.receive(door, request.method, headers, body)]

    async def _body(self, request: web.BaseRequest) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if not self._gate.hold(len(chunk)):
                        raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE)
                    if len(body) > MAX_BODY:
                        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except TimeoutError:
            raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
        finally:
            self._gate.release(len(body))
        return bytes(body)
