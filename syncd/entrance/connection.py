"""One connection to a listener: what comes over it is answered, or cut off by a deadline.

aiohttp waits an hour for headers that never come, and prints what it could not parse; here neither happens.
"""

from __future__ import annotations

import asyncio
import traceback
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from syncd.entrance.gate import Entry, Gate

log = structlog.get_logger("syncd.entrance")

HEADER_SECONDS = 3.0
BODY_SECONDS = 10.0
LINGER_SECONDS = 1.0  # the rest of a refused body is read so long, so that the answer is not lost with it
REST_SECONDS = 8.0  # for everything after the body: storing, answering, lingering
ANSWER_SECONDS = 10.0  # where connections are kept: for reading the answer and beginning the next request
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

    __slots__ = ("_address", "_deadline", "_fault", "_gate", "entry")

    def __init__(self, server: GuardedServer, gate: Gate, fault: str, **options: Any) -> None:
        super().__init__(server, **options)
        self._gate = gate
        self._fault = fault
        self._address: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.entry = Entry.REFUSED

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's: it is open."""
        super().connection_made(transport)
        if through_socket_file(transport):
            self.entry = Entry.ADMITTED  # whoever may open the file is not kept out by strangers at the other door
            return
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if peer else ""  # nothing is known of a peer that is gone already
        self.entry = self._gate.enter(self._address)
        if self.entry is Entry.REFUSED:
            self._cut()
        else:
            self._close_after(HEADER_SECONDS)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Asyncio's: it is closed."""
        if self._address is not None:
            self._gate.leave(self._address)
        self.unhurried()
        super().connection_lost(exc)

    def begun(self) -> None:
        """The headers are there."""
        self._close_after(BODY_SECONDS + REST_SECONDS)

    def unhurried(self) -> None:
        """The request is whole; how long its answer takes is for whoever answers it."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def answered(self) -> None:
        """The answer is made, and may be read; then another request may begin."""
        self._close_after(ANSWER_SECONDS)

    def _close_after(self, seconds: float) -> None:
        self.unhurried()
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
            log.error(self._fault, error=type(error).__name__, at=places[-1:])


class GuardedServer(web.Server):
    """aiohttp's low-level server over guarded connections.

    Args:
        fault: the event that is logged when answering fails. options: more of aiohttp's.
    """

    def __init__(self, handler: Any, gate: Gate, fault: str, **options: Any) -> None:
        fixed: dict[str, Any] = {"access_log": None, "auto_decompress": False, "lingering_time": LINGER_SECONDS}
        super().__init__(handler, **fixed, **options)
        self._gate = gate
        self._fault = fault

    def __call__(self) -> GuardedConnection:
        """Asyncio's: a connection is being opened."""
        return GuardedConnection(self, self._gate, self._fault, loop=self._loop, **self._kwargs)


class GuardedRunner(web.AppRunner):
    """aiohttp's runner, with guarded connections. Nothing is logged of requests: query strings hold what people search.

    Args:
        fault: the event that is logged when answering fails.
    """

    def __init__(
        self, app: web.Application, gate: Gate, fault: str, *, keepalive_timeout: float, shutdown_timeout: float
    ) -> None:
        super().__init__(app, handle_signals=False, shutdown_timeout=shutdown_timeout)
        self._gate = gate
        self._fault = fault
        self._keepalive = keepalive_timeout

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return GuardedServer(
            made.request_handler,
            self._gate,
            self._fault,
            request_factory=made.request_factory,
            keepalive_timeout=self._keepalive,
        )


def through_socket_file(transport: asyncio.BaseTransport) -> bool:
    """Whether the connection came through a unix socket, which only its file's rights open."""
    return isinstance(transport.get_extra_info("sockname"), str | bytes)
