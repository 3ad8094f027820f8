"""Where a vendor sends a person back to: one address on this machine, for as long as their consent is waited for."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from hmac import compare_digest
from http import HTTPStatus
from urllib.parse import urlsplit

import anyio
from aiohttp import web

from syncd.entrance.connection import GuardedRunner
from syncd.entrance.gate import Gate
from syncd.errors import StateBusy

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the code
    "Cache-Control": "no-store",
}
MOST_CONNECTIONS = 64
LOOPBACK = {"localhost": ("127.0.0.1", "::1")}
"""Browsers try either."""


class Landing:
    """Takes the one answer that carries our state; whatever else arrives is turned away, and is no answer."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._arrived = anyio.Event()
        self._answer: Mapping[str, str] = {}

    async def answer(self) -> Mapping[str, str]:
        """The parameters the vendor sent along."""
        await self._arrived.wait()
        return self._answer

    async def take(self, request: web.Request) -> web.Response:
        given = request.query
        if not compare_digest(given.get("state", "").encode(), self._state.encode()) or self._answer:
            words = "This answer does not belong to the connection that is being made. Run syncd connect again."
            return _page(HTTPStatus.BAD_REQUEST, words)
        self._answer = dict(given)
        self._arrived.set()
        return _page(HTTPStatus.OK, "Thank you. You can close this page: what came of it stands in the terminal.")


@asynccontextmanager
async def landing(redirect: str, port: int, state: str) -> AsyncIterator[Landing]:
    """Listen for the answer while the block runs.

    Args:
        redirect: the registered address. An https one belongs to a proxy of this machine, which hands on to `port`.

    Raises:
        StateBusy: something else listens there.
    """
    parts = urlsplit(redirect)
    host, port = (parts.hostname or "", parts.port or port) if parts.scheme == "http" else ("127.0.0.1", port)
    made = Landing(state)
    app = web.Application()
    app.add_routes([web.get(parts.path or "/", made.take)])
    gate = Gate(MOST_CONNECTIONS, MOST_CONNECTIONS, most_bytes=0)  # an answer is an address, it has no body
    runner = GuardedRunner(app, gate, "redirect.request_failed", keepalive_timeout=1.0, shutdown_timeout=1.0)
    await runner.setup()
    try:
        first, *others = LOOPBACK.get(host, (host,))
        try:
            await web.TCPSite(runner, first, port).start()
        except OSError as error:
            words = f"{first}:{port} cannot be listened on for the answer: {error.strerror}"
            raise StateBusy(f"{words}; end what listens there, or register another redirect_url") from error
        for other in others:
            with suppress(OSError):  # a machine without IPv6
                await web.TCPSite(runner, other, port).start()
        yield made
    finally:
        await runner.cleanup()


def _page(status: HTTPStatus, words: str) -> web.Response:
    text = f"<!doctype html><html lang=en><title>syncd</title><p>{html.escape(words)}</p></html>"
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)
