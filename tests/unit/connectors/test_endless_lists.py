"""A17: a vendor whose lists never end, or whose answers never do, is not read for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from syncd.connectors import http
from syncd.connectors.base import Condition, ConnectionTrouble, Connector
from syncd.connectors.http import AioTransport, AnswerLost, HttpReply, HttpRequest
from syncd.connectors.quickbooks import poll, reader
from syncd.model.references import Kind, MatchKey
from syncd.sandbox.base import decode_json, encode_json
from tests.hostile_house import NOW, House, house

CIRCLES = "round in circles"


@pytest.fixture(scope="module")
def crm() -> House:
    return house("hubspot")


@pytest.fixture(scope="module")
def books() -> House:
    return house("quickbooks")


def same_page(reply: HttpReply, seen: dict[str, HttpReply], route: str) -> HttpReply:
    """The first page of each list, over and over, and there is always a next one."""
    content = decode_json(reply.body)
    if isinstance(content, dict) and "results" in content:
        content["paging"] = {"next": {"after": "100"}}
        for row in content["results"]:
            if "to" in row:
                row["paging"] = content["paging"]
    made = HttpReply(status=reply.status, headers=reply.headers, body=encode_json(content))
    return seen.setdefault(route, made)


async def _poll(it: Connector) -> Any:
    return [page async for page in it.changes_since({}, (Kind.PARTY,), NOW)]


async def _bin(it: Connector) -> Any:
    since = (NOW - timedelta(days=9000)).isoformat()
    cursors = {"party": since, "party:archived": f"{since}|{since}"}
    return [page async for page in it.changes_since(cursors, (Kind.PARTY,), NOW)]


async def _history(it: Connector) -> Any:
    return [page async for page in it.history(Kind.PARTY, NOW - timedelta(days=9000), None, NOW)]


async def _found(it: Connector) -> Any:
    return await it.find(Kind.INVOICE, [MatchKey("number", "INV-1001")])


async def _read(it: Connector) -> Any:
    return await it.read(Kind.INVOICE, ["5001"])


@pytest.mark.parametrize("look", [_poll, _bin, _history, _found, _read])
def test_lists_of_hubspot_that_go_round_are_left(crm: House, look: Any) -> None:
    """As malformed answers, after few questions."""
    seen: dict[str, HttpReply] = {}
    wire = crm.wire(lambda _, request: any(word in request.url for word in ("/search", "/objects/", "/associations")))
    asked: list[HttpRequest] = []
    send = wire.send

    async def altered(request: HttpRequest) -> HttpReply:
        asked.append(request)
        reply = await send(request)
        return same_page(reply, seen, request.route + request.method) if wire.target(0, request) else reply

    wire.send = altered  # type: ignore[method-assign]
    with pytest.raises(ConnectionTrouble, match=CIRCLES) as trouble:
        crm.found(look, wire)
    assert trouble.value.condition is Condition.MALFORMED_ANSWER
    assert len(asked) < 20


@pytest.mark.parametrize("look", [_poll, _history])
def test_lists_of_quickbooks_that_go_round_are_left(books: House, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company that always answers with its first page."""
    full = len(books.world.vendors["quickbooks"].records("Customer"))
    short = msgspec.structs.replace(reader.LIMITS, page_rows=full)
    for module in (reader, poll):
        monkeypatch.setattr(module, "LIMITS", short)
    seen: dict[str, HttpReply] = {}
    wire = books.wire()
    send, asked = wire.send, list[HttpRequest]()

    async def altered(request: HttpRequest) -> HttpReply:
        asked.append(request)
        return seen.setdefault(request.route, await send(request))

    wire.send = altered  # type: ignore[method-assign]
    with pytest.raises(ConnectionTrouble, match=CIRCLES):
        books.found(look, wire)
    assert len(asked) < 20


async def test_an_answer_without_an_end_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read up to the most there may be, and counts as one that never came; also one that unpacks to that."""
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1 << 20)
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        if request.path == "/packed":
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        try:
            while sent < 1 << 28:
                await response.write(bytes(1 << 16))
                sent += 1 << 16
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        return response

    app = web.Application()
    app.router.add_get("/{any}", endless)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    transport = AioTransport()
    try:
        for path in ("plain", "packed"):
            sent = 0
            with pytest.raises(AnswerLost):
                await transport.send(HttpRequest(method="GET", url=f"{address}/{path}", route=path))
            assert sent < 1 << 28
    finally:
        await transport.close()
        await runner.cleanup()
