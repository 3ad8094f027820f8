"""The sandbox for clients that block and know nothing of it: served from a thread, with a hand on it and an ear."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from typing import Any

import pytest

from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import create_world

PATIENCE = 20  # seconds, for what takes milliseconds


@dataclass(frozen=True)
class Delivery:
    """A webhook as its receiver gets it: at which address, with which headers (lower case), which bytes."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Sandbox:
    """A running sandbox."""

    url: str
    control: Control
    loop: asyncio.AbstractEventLoop

    def do(self, order: Coroutine[Any, Any, Any]) -> Any:
        """What one of `control`'s coroutines gives; they run where the sandbox does."""
        return asyncio.run_coroutine_threadsafe(order, self.loop).result(PATIENCE)

    def person(self, vendor: str, op: str, kind: str, id: str | None = None, **fields: Any) -> Any:
        """What a person does on the vendor's screen."""
        return self.do(self.control.person(vendor, op, kind, id, fields))

    @contextmanager
    def heard(self, vendor: str, **settings: Any) -> Iterator[Callable[[], Delivery]]:
        """A function that waits for the next of the vendor's webhooks."""
        with _ear() as (url, deliveries):
            self.do(self.control.settings(vendor, webhook_url=url, **settings))
            yield lambda: deliveries.get(timeout=PATIENCE)
            self.do(self.control.settings(vendor, webhook_url=""))


@contextmanager
def _ear() -> Iterator[tuple[str, SimpleQueue[Delivery]]]:
    heard: SimpleQueue[Delivery] = SimpleQueue()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            heard.put(Delivery(url, headers, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    url = f"http://127.0.0.1:{server.server_port}/webhooks?from=sandbox"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield url, heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    """One sandbox for all tests of the process."""
    started: Future[Sandbox] = Future()
    ended = asyncio.Event()

    async def live() -> None:
        async with serving(create_world()) as url, Control(url) as control:
            started.set_result(Sandbox(url, control, asyncio.get_running_loop()))
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(live(),))
    thread.start()
    sandbox = started.result(PATIENCE)
    yield sandbox
    sandbox.loop.call_soon_threadsafe(ended.set)
    thread.join(PATIENCE)


@pytest.fixture
def sandbox(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox on its seed data."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # requests would send loopback through a proxy too
    served.do(served.control.reset())
    return served
