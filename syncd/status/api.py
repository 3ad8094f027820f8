"""The HTTP API, and the application that serves it together with the page."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from aiohttp_sse import sse_response

from syncd.actions import Wish
from syncd.errors import Inapplicable, UsageError
from syncd.status import openapi, problems
from syncd.status.access import ACCESS, CALLER, Access, local
from syncd.status.acting import FILTERS, KEY_HEADER, act, act_on_many, problem_code, sent, wish_of
from syncd.status.events import Events, Moved, TooMany
from syncd.status.html import Page
from syncd.status.language import language_of
from syncd.status.plan_api import PlanApi
from syncd.status.query import asked, number, parameters
from syncd.status.reader import MAX_LIMIT, Reader
from syncd.status.routes import ROUTES
from syncd.status.shield import LANGUAGE, MAX_BODY, TELLER, problem, set_headers, shield
from syncd.status.source import Owner
from syncd.status.tokens import Work, create, listed, revoke

_SOCKET_ONLY = "this is done through the unix socket only, as the syncd commands do"
SEND_SECONDS = 20.0  # a listener that reads nothing for so long is let go
PING_SECONDS = 15.0


def create_app(source: Owner) -> web.Application:
    """The application that both listeners serve."""
    daemon = source.config.daemon
    access = Access(source)
    app = web.Application(middlewares=[shield(access)], client_max_size=MAX_BODY)
    events = Events(source)
    api, page = Api(source, events), Page(source)
    app[LANGUAGE], app[TELLER], app[ACCESS] = daemon.language, page.problem, access
    plans = PlanApi(source)
    app.add_routes([web.route(r.method, r.path, getattr(plans, r.name, None) or getattr(api, r.name)) for r in ROUTES])
    app.add_routes([web.get("/livez", api.livez), web.get("/readyz", api.readyz), web.get("/metrics", api.metrics)])
    app.add_routes(page.routes())
    app.on_response_prepare.append(set_headers)
    app.on_shutdown.append(events.end)
    return app


class Api:
    """A handler for every row of `routes.ROUTES`, of its name."""

    def __init__(self, source: Owner, events: Events) -> None:
        self._source = source
        self._events = events
        self._document = msgspec.json.encode(openapi.document(source.version))

    async def livez(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, request: web.Request) -> web.Response:
        ready, words = self._source.ready()
        return web.Response(text="ok\n") if ready else problem(request, HTTPStatus.SERVICE_UNAVAILABLE, words)

    async def metrics(self, request: web.Request) -> web.Response:
        from syncd.status import metrics  # prometheus_client is loaded by whoever is asked for metrics

        parameters(request)
        body = await metrics.exposition(self._source)
        return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def status(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(request, await self._reader(request).status(), "as_of")

    async def connections(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(request, await self._reader(request).connections())

    async def history(self, request: web.Request) -> web.Response:
        hours = number("hours", parameters(request, "hours").get("hours", "168"))
        return _json(request, await self._reader(request).history(hours), "since")

    async def records(self, request: web.Request) -> web.Response:
        return _json(request, await self._reader(request).records(asked(request)))

    async def record(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(request, await self._reader(request).record(request.match_info["id"]))

    async def activity(self, request: web.Request) -> web.Response:
        given = parameters(request, "limit", "before")
        before = number("before", given["before"]) if "before" in given else None
        limit = number("limit", given.get("limit", str(MAX_LIMIT)))
        return _json(request, await self._reader(request).activity(request.match_info["id"], limit, before))

    async def explain(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(request, await self._reader(request).explain(request.match_info["id"]))

    async def catalogue(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(request, self._reader(request).catalogue())

    async def openapi(self, request: web.Request) -> web.Response:
        parameters(request)
        return _tagged(request, self._document, self._document)

    async def events(self, request: web.Request) -> web.StreamResponse:
        parameters(request)
        try:
            async with (
                self._events.listen() as queue,
                sse_response(request, send_timeout=SEND_SECONDS, ping_interval=PING_SECONDS) as stream,
            ):
                await stream.send("{}", event="hello", retry=3000)
                while stream.is_connected() and (moved := await _next(queue)) is not None:
                    for event, data in moved.items():
                        await stream.send(msgspec.json.encode(data).decode(), event=event)
        except TooMany:
            return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "too many listen already", "busy")
        return stream

    async def control(self, request: web.Request) -> web.Response:
        told, breaker = request.match_info, parameters(request, "breaker").get("breaker")
        try:
            return _json(request, await self._source.control(told["action"], told["sync"], told.get("flow"), breaker))
        except Inapplicable as error:
            return _not_taken(request, error)
        except UsageError as error:
            return problem(request, HTTPStatus.NOT_FOUND, str(error))

    control_sync = control

    async def connection(self, request: web.Request) -> web.Response:
        if not local(request):
            return problem(request, HTTPStatus.FORBIDDEN, _SOCKET_ONLY)
        told = request.match_info
        try:
            return _json(request, await self._source.connection(told["action"], told["name"]))
        except UsageError as error:
            return problem(request, HTTPStatus.NOT_FOUND, str(error))

    async def action(self, request: web.Request) -> web.StreamResponse:
        given, form = await sent(request)
        id, back = request.match_info["id"], given.pop("back", None)
        try:
            wish = self._wish(request, given)
            told = await act(self._source, wish, id)
        except UsageError as error:
            return _not_taken(request, error)
        return _back(back if back is not None else f"/records/{id}") if form else _json(request, told)

    async def actions(self, request: web.Request) -> web.StreamResponse:
        given, form = await sent(request)
        which = {name: given.pop(name) for name in ("records", *FILTERS) if name in given}
        back = given.pop("back", "/")
        try:
            told = await act_on_many(self._source, self._wish(request, given), which)
        except UsageError as error:
            return _not_taken(request, error)
        return _back(back) if form else _json(request, told)

    def _wish(self, request: web.Request, given: dict[str, Any]) -> Wish:
        parameters(request)
        key = request.headers.get(KEY_HEADER, given.pop("idempotency_key", None))
        return wish_of(request.match_info["action"], given, request[CALLER].name, key)

    async def tokens(self, request: web.Request) -> web.Response:
        if not local(request):
            return problem(request, HTTPStatus.FORBIDDEN, _SOCKET_ONLY)
        parameters(request)
        return _json(request, await listed(self._source))

    async def create_token(self, request: web.Request) -> web.Response:
        return await self._token(request, create)

    async def revoke_token(self, request: web.Request) -> web.Response:
        return await self._token(request, revoke)

    async def _token(self, request: web.Request, work: Work) -> web.Response:
        if not local(request):
            return problem(request, HTTPStatus.FORBIDDEN, _SOCKET_ONLY)
        given, _ = await sent(request)
        try:
            return _json(request, await work(self._source, given | dict(request.match_info)))
        except UsageError as error:
            return _not_taken(request, error)

    def _reader(self, request: web.Request) -> Reader:
        return Reader(self._source, language_of(request, request.app[LANGUAGE]))


def _not_taken(request: web.Request, error: UsageError) -> web.Response:
    code = problem_code(error)
    return problem(request, problems.PROBLEMS[code].status, str(error), code)


def _back(path: Any) -> web.Response:
    """After a form a browser goes on to a page of ours."""
    ours = isinstance(path, str) and path.startswith("/") and not path.startswith(("//", "/\\"))
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path if ours else "/"})


async def _next(queue: asyncio.Queue[Moved | None]) -> Moved | None:
    """What happens next; nothing at all after a while, so that it is noticed when nobody listens any more."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            return await queue.get()
    except TimeoutError:
        return {}


def _json(request: web.Request, value: dict[str, Any], clock: str = "") -> web.Response:
    """An answer with its tag. `clock` names the value that only says when it was asked: no reason to read it again."""
    return _tagged(
        request,
        msgspec.json.encode(value),
        msgspec.json.encode({name: part for name, part in value.items() if name != clock}),
    )


def _tagged(request: web.Request, body: bytes, essence: bytes) -> web.Response:
    tag = blake2b(essence, digest_size=12).hexdigest()
    if request.method in ("GET", "HEAD") and any(known.value in (tag, "*") for known in request.if_none_match or ()):
        response = web.Response(status=HTTPStatus.NOT_MODIFIED)
    else:
        response = web.Response(body=body, content_type="application/json")
    response.headers["ETag"] = f'W/"{tag}"'
    return response
