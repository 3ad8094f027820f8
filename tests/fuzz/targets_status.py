"""Questions to the status API and forms of its page: query strings, cursors, JSON bodies, paths.

The real application over a real store; its handlers are called without a listener, so that thousands fit into seconds.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from unittest.mock import Mock
from urllib.parse import quote

from aiohttp import web
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from syncd import actions
from syncd.connectors.base import ConnectionTrouble
from syncd.errors import UsageError
from syncd.status import acting, html, plan_api, query, reader, tokens
from syncd.status import api as status_api
from syncd.status.access import CALLER, Caller, Refused
from syncd.store import tx_listing
from syncd.store.store import Store
from tests.fuzz.engine import Seed, Target
from tests.fuzz.targets_files import folder
from tests.status_state import configuration, fill, source

SYNCED, FAILED = f"{1:032x}", f"{2:032x}"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@cache
def served() -> tuple[asyncio.AbstractEventLoop, web.Application]:
    loop = asyncio.new_event_loop()

    async def opened() -> Store:
        store = await Store.open("sqlite://", inline=True)
        await store.write(fill)
        return store

    return loop, status_api.create_app(source(configuration(folder()), loop.run_until_complete(opened())))


def asked(label: str, data: bytes) -> None:
    """An answer below 500, or what the listener turns into one."""
    method, path, kind = label.split(" ", 2)
    loop, app = served()
    text = quote(data.decode("utf-8", "surrogateescape"), safe="=&%+;", errors="surrogateescape")
    body = b"" if method == "GET" else data
    answer = loop.run_until_complete(_answered(app, method, path.replace("*", text), kind, body))
    assert answer.status < 500, answer.text


async def _answered(app: web.Application, method: str, path: str, kind: str, body: bytes) -> web.StreamResponse:
    payload = StreamReader(Mock(_reading_paused=False), 1 << 16, loop=asyncio.get_running_loop())
    payload.feed_data(body)
    payload.feed_eof()
    transport = Mock()
    transport.get_extra_info = {"sockname": "a socket" if "tokens" in path else ("127.0.0.1", 1)}.get
    headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Host": "localhost"}
    request = make_mocked_request(
        method, path, headers, app=app, payload=payload, transport=transport, client_max_size=1 << 20
    )
    found = await app.router.resolve(request)
    found.add_app(app)
    request._match_info = found  # type: ignore[assignment]
    request[CALLER] = Caller("token it", acts=True)
    return await found.handler(request)


QUESTIONS: list[Seed] = [
    ("GET /api/v1/records?* -", b"sync=invoicing&flow=invoices&status=failed&code=customer_missing&limit=50"),
    ("GET /api/v1/records?* -", b"q=INV-1&limit=1"),
    ("GET /api/v1/records?cursor=* -", b"WyIyMDI2LTExLTIwVDExOjU5OjAwKzAwOjAwIiwiMCJd"),
    ("GET /api/v1/records?limit=1&cursor=* -", b"WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwiMCJd"),
    ("GET /api/v1/records?q=I&cursor=* -", b"WyJpbnYtMSIsIjAiXQ=="),
    ("GET /records?* -", b"columns=flow.status&q=x&flow=invoices"),
    ("GET /api/v1/history?* -", b"hours=24"),
    ("GET /api/v1/records/*/explain -", SYNCED.encode()),
    (f"GET /api/v1/records/{SYNCED}/activity?* -", b"limit=3&before=12"),
    (f"GET /records/{SYNCED}?* -", b"before=5&told=retry"),
    ("GET /problems/* -", b"customer_missing"),
    (f"POST /api/v1/records/{FAILED}/retry {JSON}", b'{"confirm":true}'),
    (f"POST /api/v1/records/{SYNCED}/force {JSON}", b'{"from":"left","confirm":false}'),
    (f"POST /api/v1/records/{SYNCED}/resolve {JSON}", b'{"fields":{"due_date":"left"},"take":"right"}'),
    (f"POST /api/v1/records/{FAILED}/link {JSON}", b'{"id":"145","record":"00000000000000000000000000000001"}'),
    (f"POST /api/v1/actions/retry {JSON}", b'{"flow":"invoices","status":"failed","q":"INV","sync":"invoicing"}'),
    (f"POST /api/v1/actions/refresh {JSON}", json.dumps({"records": [SYNCED, FAILED]}).encode()),
    (f"POST /api/v1/actions/exclude {JSON};charset=utf-16", b'{"code":"x"}'),
    (f"POST /api/v1/actions/exclude {JSON};charset=none", b'{"code":"x"}'),
    (f"POST /records/{FAILED}/retry {FORM}", b"back=%2Frecords&confirm=on&field.due_date=left"),
    (f"POST /records/{FAILED}/retry {FORM};charset=none", b"back=%2Frecords"),
    (f"POST /records/{FAILED}/retry multipart/form-data;boundary=x",
     b'--x\r\nContent-Disposition: form-data; name="confirm"\r\n\r\non\r\n--x--\r\n'),
    (f"POST /preferences {FORM}", b"columns=flow&columns=status&language=fr&back=%2F"),
    (f"POST /api/v1/tokens/night {JSON}", b'{"role":"operator","expires":"2027-01-01T00:00:00Z"}'),
    (f"POST /api/v1/tokens/late {JSON}", b'{"role":"read","expires":"9999-12-31T23:59:59-12:00"}'),
    (f"POST /syncs/invoicing/flows/*/pause {FORM}", b"invoices"),
    (f"POST /api/v1/syncs/invoicing/flows/*/release?breaker=removals {JSON}", b"invoices"),
    (f"POST /api/v1/apply {JSON}", b'{"schema":1}'),
    (f"POST /api/v1/syncs/invoicing/backfill?since=2026-01-31 {JSON}", b""),
]  # fmt: skip
TARGETS = [
    Target(
        name="questions to the status",
        run=asked,
        seeds=lambda: QUESTIONS,
        about=[query, acting, status_api, plan_api, reader, tokens, tx_listing, html, actions],
        errors=(UsageError, Refused, ConnectionTrouble, web.HTTPException),
        runs=80,
    )
]
