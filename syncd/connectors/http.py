"""The one transport seam, and the polite caller on top of it.

`Transport` carries one request and one answer and knows three ways to fail. The real one is aiohttp; a simulation puts
the sandbox's vendors behind the same three lines. `Caller` is what a vendor's client uses: it keeps the vendor's pace,
repeats what is safe to repeat, and turns what is left into a `ConnectionTrouble`.

Error tree::

    NotSent       no byte of the request left: certainly not carried out
    AnswerLost    the request left, no whole answer came: may have been carried out
    TlsFailed     the other end is not who it should be
    Malformed     an answer came that is not what it says it is; never used in part
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import aiohttp
import msgspec
import structlog

from syncd.clock import Chance, Clock
from syncd.connectors.base import Condition, ConnectionTrouble, Quota
from syncd.connectors.errand import present
from syncd.connectors.line import GaveWay, Line
from syncd.core.pacing import Pacer

log = structlog.get_logger("syncd.http")

MAX_ANSWER_BYTES = 32 * 1024 * 1024  # a page of a hostile or broken vendor must not fill the memory
CONNECT_SECONDS = 10.0
READ_ATTEMPTS = 4  # a read is repeated this often before the connection counts as unavailable
MALFORMED_IN_A_ROW = 3  # one cut answer is the network's fault, three are the vendor's
RETRY_AFTER_BOUNDS = (1.0, 3600.0)  # vendors have been seen to say 0, -5 and a year


class NotSent(Exception):
    """No byte of the request left."""


class AnswerLost(Exception):
    """The request left and no whole answer came."""


class TlsFailed(Exception):
    """The certificate or handshake failed; no body was sent."""


class Malformed(Exception):
    """An answer that cannot be what it claims to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request.

    Attributes:
        route: the path without ids, for logs and metrics.
        timeout: the whole exchange's seconds.
        sort: which of the vendor's limits count it (`core.pacing.Window.sorts`).
    """

    method: str
    url: str
    route: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 60.0
    sort: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """One whole answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON with exact Decimals.

        Raises:
            Malformed: not JSON, or not said to be JSON.
        """
        if "json" not in self.headers.get("content-type", ""):
            raise Malformed(f"an answer of type {self.headers.get('content-type', 'unknown')!r} where JSON was due")
        try:
            return _decoder.decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise Malformed(f"unreadable JSON: {error}") from error


_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Transport(Protocol):
    """Carries one request."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send it and return the whole answer.

        Raises:
            NotSent, AnswerLost, TlsFailed: as their names say.
        """

    async def close(self) -> None:
        """Give back sockets."""


class AioTransport:
    """The real network. Redirects are not followed: an API that redirects is not the API we were told about."""

    def __init__(self, parallel: int = 16) -> None:
        self._parallel = parallel
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest) -> HttpReply:
        session = self._opened()
        limits = aiohttp.ClientTimeout(total=request.timeout, sock_connect=CONNECT_SECONDS)
        try:
            async with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                timeout=limits,
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(MAX_ANSWER_BYTES + 1)
                while len(body) <= MAX_ANSWER_BYTES and not answer.content.at_eof():
                    body += await answer.content.read(MAX_ANSWER_BYTES + 1 - len(body))
                if len(body) > MAX_ANSWER_BYTES:
                    raise AnswerLost("the answer is larger than 32 MiB")
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return HttpReply(status=answer.status, headers=headers, body=body)
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError) as error:
            raise TlsFailed(type(error).__name__) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AnswerLost(type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # Opened on first use: a session belongs to the running loop.
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._parallel),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return self._session


def retry_after(reply: HttpReply, clock: Clock) -> float | None:
    """The seconds the vendor asks to wait, from `Retry-After` as a number or a date, within reason; None if absent."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    low, high = RETRY_AFTER_BOUNDS
    try:
        seconds = float(text)
    except ValueError:
        until = http_date(text)
        if until is None:
            return None
        seconds = (until - clock.now()).total_seconds()
    return max(low, min(high, seconds))


def http_date(text: str) -> datetime | None:
    """A moment as headers tell it (RFC 9110, section 5.6.7); None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def clock_ahead(reply: HttpReply, clock: Clock) -> float | None:
    """By how many seconds the vendor's clock is ahead of ours; None when the answer does not show a time."""
    there = http_date(reply.headers.get("date", ""))
    return None if there is None else (there - clock.now()).total_seconds()


@dataclass(frozen=True, slots=True)
class Complaint:
    """The vendor wants to be left alone for a while.

    Attributes:
        least: seconds it is known to want, should it not say.
        pace: whether we called too often; else it was busy with something.
    """

    least: float = 0.0
    pace: bool = True


def too_fast(reply: HttpReply) -> Complaint | None:
    """The complaint every vendor may make."""
    return Complaint() if reply.status == 429 else None


class Caller:
    """Calls one vendor account: at its pace, and with one log line a call.

    Args:
        complaint: what an answer complains of, None if of nothing.
        heed: told of every answer to a request of a sort, for what the vendor says about its limits.

    `skew` is by how many seconds the vendor's clock was ahead of ours in the last answer that showed a time.
    """

    def __init__(
        self,
        *,
        connection: str,
        base_url: str,
        transport: Transport,
        pacer: Pacer,
        clock: Clock,
        chance: Chance,
        complaint: Callable[[HttpReply], Complaint | None] = too_fast,
        heed: Callable[[str, HttpReply], None] = lambda sort, reply: None,
    ) -> None:
        self.connection = connection
        self.base_url = base_url.rstrip("/")
        self._transport = transport
        self._pacer = pacer
        self._line = Line(pacer, clock)
        self.clock = clock
        self.chance = chance
        self._complaint = complaint
        self._heed = heed
        self._malformed = 0
        self.skew: float | None = None

    async def once(self, request: HttpRequest) -> HttpReply:
        """One exchange at the vendor's pace, never repeated: for writes.

        A throttled answer pauses the whole connection; it is returned like any other.

        Raises:
            NotSent, AnswerLost: nothing left (the errand would not wait for room, too) / no answer came.
            ConnectionTrouble: TLS failed, or nothing may leave for long.
        """
        try:
            return await self._exchange(request, patient=False)
        except GaveWay as error:
            raise NotSent(str(error)) from error

    def quota(self) -> Quota | None:
        """What is left of the day's calls, as far as the vendor said."""
        told = self._pacer.day(self.clock.monotonic())
        if told is None:
            return None
        limit, remaining, seconds = told
        return Quota(limit=limit, remaining=remaining, resets_at=self.clock.now() + timedelta(seconds=seconds))

    def hold(self, seconds: float) -> None:
        """Nothing leaves for so long."""
        self._pacer.pause(self.clock.monotonic() + seconds)

    async def _exchange(self, request: HttpRequest, *, patient: bool) -> HttpReply:
        async with self._line.place(request.sort, patient=patient):
            started = self.clock.monotonic()
            try:
                reply = await self._transport.send(request)
            except TlsFailed as error:
                raise ConnectionTrouble(Condition.TLS_FAILED, str(error)) from error
            except (NotSent, AnswerLost) as error:
                log.info("http.failed", connection=self.connection, route=request.route, error=type(error).__name__)
                raise
            self._learn(request.sort, reply)
        log.debug(
            "http.called",
            connection=self.connection,
            method=request.method,
            route=request.route,
            status=reply.status,
            ms=round((self.clock.monotonic() - started) * 1000),
        )
        return reply

    def _learn(self, sort: str, reply: HttpReply) -> None:
        now = self.clock.monotonic()
        self.skew = clock_ahead(reply, self.clock)
        self._heed(sort, reply)
        complaint = self._complaint(reply)
        if complaint is None:
            self._pacer.succeeded()
        elif complaint.pace:
            asked = retry_after(reply, self.clock)
            self._pacer.throttled(now, asked, self.chance.fraction(), complaint.least)
        else:
            self._pacer.pause(now + max(retry_after(reply, self.clock) or 0.0, complaint.least))

    async def repeat(self, make: Callable[[], HttpRequest]) -> HttpReply:
        """An exchange that is safe to repeat: reads, and writes the vendor keys. `make` is called for each attempt.

        Lost answers, server errors and throttling are waited out and repeated a few times; not by an errand that looks
        whether a vendor is back: it asks once.

        Raises:
            ConnectionTrouble: it still does not work.
        """
        words, attempts = "", 1 if present().probe else READ_ATTEMPTS
        for attempt in range(attempts):
            try:
                reply = await self._exchange(make(), patient=True)
            except (NotSent, AnswerLost) as error:
                words = f"no answer ({error})"
            else:
                complaint = self._complaint(reply)
                if reply.status < 500 and complaint is None:
                    return reply
                words = f"HTTP {reply.status}"
                if complaint is None and (asked := retry_after(reply, self.clock)) is not None:
                    # Down for maintenance and saying for how long: waiting here would only hold the others up.
                    raise ConnectionTrouble(Condition.VENDOR_UNAVAILABLE, words, asked)
            if attempt + 1 < attempts:
                await self.clock.sleep(self.chance.fraction() * 0.25 * 2**attempt)
        condition = Condition.QUOTA_EXHAUSTED if words == "HTTP 429" else Condition.VENDOR_UNAVAILABLE
        raise ConnectionTrouble(condition, words)

    async def read_json(self, make: Callable[[], HttpRequest]) -> tuple[HttpReply, Any]:
        """`repeat`, with the answer read as JSON. An unreadable answer is asked for again.

        A refusal need not be JSON, for a gateway may have written it: then the content is an empty object.

        Raises:
            ConnectionTrouble: as `repeat`, or `malformed_answer` after several unreadable answers in a row.
        """
        while True:
            reply = await self.repeat(make)
            try:
                decoded = reply.json()
            except Malformed as error:
                if reply.status >= 300:
                    return reply, {}
                self._malformed += 1
                log.warning("http.malformed", connection=self.connection, route=make().route, reason=str(error))
                if self._malformed >= MALFORMED_IN_A_ROW or present().probe:
                    self._malformed = 0
                    raise ConnectionTrouble(Condition.MALFORMED_ANSWER, str(error)) from error
                continue
            self._malformed = 0
            present().probe = False
            return reply, decoded
