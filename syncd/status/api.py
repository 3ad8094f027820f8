"""The HTTP API and the page over it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from syncd.connectors.base import ConnectionTrouble
from syncd.errors import UsageError
from syncd.status.html import Page
from syncd.status.query import asked, number, parameters
from syncd.status.reader import MAX_LIMIT, Reader
from syncd.status.shield import problem, shield, through_socket_file
from syncd.status.source import Owner

_SOCKET_ONLY = "actions are taken through the unix socket, as the syncd commands do"
MAX_BODY = 64 * 1024  # nothing here reads a body


def create_app(source: Owner) -> web.Application:
    """The application that both listeners serve."""
    app = web.Application(
        middlewares=[shield(open_on_loopback=source.config.daemon.open_on_loopback)], client_max_size=MAX_BODY
    )
    api, page = _Api(source), Page(source)
    app.add_routes(
        [
            web.get("/livez", api.livez),
            web.get("/readyz", api.readyz),
            web.get("/api/v1/status", api.status),
            web.get("/api/v1/connections", api.connections),
            web.get("/api/v1/records", api.records),
            web.get("/api/v1/records/{id}", api.record),
            web.get("/api/v1/records/{id}/activity", api.activity),
            web.get("/api/v1/records/{id}/explain", api.explain),
            web.post("/api/v1/syncs/{sync}/flows/{flow}/{action}", api.control),
            web.post("/api/v1/connections/{name}/{action}", api.connection),
            web.get("/", page.overview),
            web.get("/records/{id}", page.record),
            web.get("/style.css", page.style),
        ]
    )
    return app


class _Api:
    def __init__(self, source: Owner) -> None:
        self._source = source
        self._reader = Reader(source)

    async def livez(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, request: web.Request) -> web.Response:
        ready, words = self._source.ready()
        return web.Response(text="ok\n") if ready else problem(request, HTTPStatus.SERVICE_UNAVAILABLE, words)

    async def status(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(await self._reader.status())

    async def connections(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(await self._reader.connections())

    async def records(self, request: web.Request) -> web.Response:
        return _json(await self._reader.records(asked(request)))

    async def record(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(await self._reader.record(request.match_info["id"]))

    async def activity(self, request: web.Request) -> web.Response:
        given = parameters(request, "limit", "before")
        before = number("before", given["before"]) if "before" in given else None
        limit = number("limit", given.get("limit", str(MAX_LIMIT)))
        return _json(await self._reader.activity(request.match_info["id"], limit, before))

    async def control(self, request: web.Request) -> web.Response:
        # Until there are operator tokens, the socket file's rights say who may act; a web page can never reach it.
        if not through_socket_file(request):
            return problem(request, HTTPStatus.FORBIDDEN, _SOCKET_ONLY)
        told = request.match_info
        try:
            return _json(await self._source.control(told["action"], told["sync"], told["flow"]))
        except UsageError as error:
            return problem(request, HTTPStatus.NOT_FOUND, str(error))

    async def connection(self, request: web.Request) -> web.Response:
        if not through_socket_file(request):
            return problem(request, HTTPStatus.FORBIDDEN, _SOCKET_ONLY)
        told = request.match_info
        try:
            return _json(await self._source.connection(told["action"], told["name"]))
        except UsageError as error:
            return problem(request, HTTPStatus.NOT_FOUND, str(error))
        except ConnectionTrouble as trouble:
            return problem(request, HTTPStatus.BAD_GATEWAY, f"{told['name']}: {trouble}")

    async def explain(self, request: web.Request) -> web.Response:
        parameters(request)
        return _json(await self._reader.explain(request.match_info["id"]))


def _json(value: dict[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
