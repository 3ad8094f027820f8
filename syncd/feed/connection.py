"""One connection to the webhook listener: one request, answered or cut off by a deadline.

aiohttp waits an hour for headers that never come, and prints what it could not parse; here neither happens.
"""

from __future__ import annotations

import asyncio
import traceback
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from syncd.feed.gate import Entry, Gate

log = structlog.get_logger("syncd.webhooks")

HEADER_SECONDS = 3.0
BODY_SECONDS = 10.0
LINGER_SECONDS = 1.0  # the rest of a refused body is read so long, so that the answer is not lost with it
REST_SECONDS = 8.0  # for everything after the body: storing, answering, lingering
RETRY_SECONDS = "30"


def answer(status: HTTPStatus) -> web.Response:
    """A whole answer, after which the connection is closed."""
    response = web.Response(status=status, text=f"{status.phrase}\n", headers={"Server": "syncd"})
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_SECONDS
    response.force_close()
    return response


class GuardedConnection(web.RequestHandler):
    """Closes itself when headers, body or peer are too slow; `entry` says whether there is room for it."""

    __slots__ = ("_address", "_deadline", "_gate", "entry")

    def __init__(self, server: GuardedServer, gate: Gate, **options: Any) -> None:
        super().__init__(server, **options)
        self._gate = gate
        self._address = ""
        self._deadline: asyncio.TimerHandle | None = None
        self.entry = Entry.REFUSED

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's: it is open."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if peer else ""  # nothing is known of a peer that is gone already
        self.entry = self._gate.enter(self._address)
        if self.entry is Entry.REFUSED:
            self._cut()
        else:
            self._close_after(HEADER_SECONDS)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Asyncio's: it is closed."""
        self._gate.leave(self._address)
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def begun(self) -> None:
        """The headers are there."""
        self._close_after(BODY_SECONDS + REST_SECONDS)

    def _close_after(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._cut)

    def _cut(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """aiohttp's: something that is no request, or a fault of ours. Neither is repeated to the log or the peer."""
        if isinstance(exc, ConnectionError | web.RequestPayloadError):
            status = HTTPStatus.BAD_REQUEST
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log_exception(exc_info=exc)
        return answer(HTTPStatus(status))

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """aiohttp's. An exception's text may hold bytes of the request, its type and place do not."""
        error = kw.get("exc_info")
        if isinstance(error, BaseException):
            places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
            log.error("webhook.request_failed", error=type(error).__name__, at=places[-1:])


class GuardedServer(web.Server):
    """aiohttp's low-level server over guarded connections."""

    def __init__(self, handler: Any, gate: Gate) -> None:
        super().__init__(handler, access_log=None, auto_decompress=False, lingering_time=LINGER_SECONDS)
        self._gate = gate

    def __call__(self) -> GuardedConnection:
        """Asyncio's: a connection is being opened."""
        return GuardedConnection(self, self._gate, loop=self._loop, **self._kwargs)
