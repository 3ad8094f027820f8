"""Who asks, and what they may do.

Three doors: the unix socket, which its file's rights open; an access token; and, where the configuration opens the
listener on loopback, the page itself, whose buttons carry a token that only our own pages show.
"""

from __future__ import annotations

import hashlib
import hmac
import pwd
import secrets
import socket
import struct
from collections import deque
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy

from syncd.entrance.connection import through_socket_file
from syncd.model.token import Role, Token
from syncd.status.source import StatusSource

PAGE = "page"
COOKIE = "syncd_access"
"""Holds the token of a browser whose user has signed in."""
PAGE_HEADER = "X-Syncd-Page"
PAGE_FIELD = "page_token"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
MOST_FAILURES = 10
FAILURES_COUNT = 60.0  # seconds
MOST_ADDRESSES = 1000
_NOBODY = bytes(32)
SAYS = "Bearer "


class Refused(Exception):
    """The request is answered with this problem."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `cli <user>`, `token <name>` or `page`, and whether they may act.

    Attributes:
        browser: it sends along by itself what it was let in with, so a form has to show that a page of ours made it.
    """

    name: str
    acts: bool
    browser: bool = False


CALLER = web.RequestKey("caller", Caller)


class Access:
    """Decides on every request.

    Attributes:
        page_token: what a page has to send along with what it asks to be done. New with every start.
    """

    def __init__(self, source: StatusSource) -> None:
        self.page_token = secrets.token_urlsafe(32)
        self._source = source
        self._open = source.config.daemon.open_on_loopback
        self._failures: dict[str, deque[float]] = {}

    async def caller(self, request: web.Request) -> Caller:
        """Who asks.

        Raises:
            Refused: nobody we answer.
        """
        if local(request):
            return Caller(f"cli {_user(request)}", acts=True)
        shown, kept = request.headers.get("Authorization"), request.cookies.get(COOKIE)
        told = shown if shown is not None or kept is None else f"{SAYS}{kept}"
        if told is not None:
            token = await self.token(request, told)
            return Caller(f"token {token.name}", acts=token.role is Role.OPERATOR, browser=shown is None)
        if not self._open:
            words = "show a token, set daemon.open_on_loopback = true, or ask through the unix socket"
            raise Refused("unauthorized", words)
        return Caller(PAGE, acts=True, browser=True)

    async def token(self, request: web.Request, told: str) -> Token:
        """The token that was shown, as a header says it. What is wrong with one is not told, and takes no longer.

        Raises:
            Refused: it is not accepted.
        """
        now, failures = self._source.clock.monotonic(), self._failed(request.remote or "")
        if len(failures) >= MOST_FAILURES:
            raise Refused("too_often", f"{MOST_FAILURES} wrong tokens came from this address within a minute")
        digest = token_digest(told.removeprefix(SAYS))
        found = await self._source.store.read(lambda tx: tx.token_with(digest))
        same = hmac.compare_digest(digest, found.digest if found is not None else _NOBODY)
        if not (told.startswith(SAYS) and same and found is not None and found.valid(self._source.clock.now())):
            failures.append(now)
            raise Refused("unauthorized", "this token is not accepted")
        return found

    def _failed(self, address: str) -> deque[float]:
        since = self._source.clock.monotonic() - FAILURES_COUNT
        if len(self._failures) > MOST_ADDRESSES:
            self._failures = {at: times for at, times in self._failures.items() if times and times[-1] > since}
        times = self._failures.setdefault(address, deque(maxlen=MOST_FAILURES))
        while times and times[0] <= since:
            times.popleft()
        return times

    async def is_our_page(self, request: web.Request) -> bool:
        """Whether it carries the page's token, in a header or in a form; asked once the body is there."""
        given = request.headers.get(PAGE_HEADER)
        if given is None and request.content_type in FORMS:
            field = (await form_of(request)).get(PAGE_FIELD)
            given = field if isinstance(field, str) else None
        return given is not None and hmac.compare_digest(given.encode(), self.page_token.encode())


async def form_of(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """What a form holds.

    Raises:
        Refused: it cannot be read.
    """
    try:
        form = await request.post()
        "".join(text for pair in form.items() for text in pair if isinstance(text, str)).encode()
        return form
    except (ValueError, LookupError, HttpProcessingError) as error:  # also in a character set nobody knows
        raise Refused("bad_question", "the form cannot be read") from error


ACCESS = web.AppKey("access", Access)
"""Where the page finds its token: `request.app[ACCESS].page_token`."""


def token_digest(token: str) -> bytes:
    """What is remembered of a token: 256 random bits need no slower hash."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def local(request: web.Request) -> bool:
    """Whether the request came through the unix socket, which only its file's rights open."""
    assert request.transport is not None
    return through_socket_file(request.transport)


def from_here(request: web.Request) -> bool:
    """Whether a browser says that our own page sent it, or no browser did.

    A browser that names the relation of the two pages is believed. The origin alone is not enough: with the referrer
    policy of our pages a form says `null`.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or origin == f"{request.scheme}://{request.host}"


def _user(request: web.Request) -> str:
    """Who holds the other end of the socket, as the kernel says; not everywhere it does."""
    assert request.transport is not None
    connection = request.transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "SO_PEERCRED"):
        return "socket"
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user_name(uid)


def user_name(uid: int) -> str:
    """A user's name, or number where there is no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
