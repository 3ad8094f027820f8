"""The answers about plans and backfills."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from syncd.errors import PermissionRefused, UsageError, VendorUnreachable
from syncd.status.query import parameters
from syncd.status.shield import problem
from syncd.status.source import Owner

_STATUS = {PermissionRefused: HTTPStatus.FORBIDDEN, VendorUnreachable: HTTPStatus.BAD_GATEWAY}


class PlanApi:
    """Handlers of `routes.ROUTES`, by their names."""

    def __init__(self, source: Owner) -> None:
        self._source = source

    async def plan(self, request: web.Request) -> web.Response:
        given = parameters(request, "sync", "flow")
        return await _told(request, self._source.planner.plan(given.get("sync"), given.get("flow")))

    async def apply(self, request: web.Request) -> web.Response:
        try:
            raw = msgspec.json.decode(await request.read())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(request, HTTPStatus.BAD_REQUEST, f"this is no plan: {error}")
        return await _told(request, self._source.planner.apply(raw))

    async def backfill(self, request: web.Request) -> web.Response:
        given, told = parameters(request, "since"), request.match_info
        try:
            since = datetime.fromisoformat(given["since"]).replace(tzinfo=UTC)
        except (KeyError, ValueError):
            return problem(request, HTTPStatus.BAD_REQUEST, "since: a day like 2026-01-31")
        return await _told(request, self._source.backfill(told["sync"], told.get("flow"), since))

    backfill_sync = backfill

    async def backfills(self, request: web.Request) -> web.Response:
        parameters(request)
        return await _told(request, self._source.backfills())

    async def applied(self, request: web.Request) -> web.Response:
        parameters(request)
        return await _told(request, self._source.planner.outcome())


async def _told(request: web.Request, work: Awaitable[Any]) -> web.Response:
    try:
        return web.Response(body=msgspec.json.encode(await work), content_type="application/json")
    except (UsageError, PermissionRefused, VendorUnreachable) as error:
        return problem(request, _STATUS.get(type(error), HTTPStatus.BAD_REQUEST), str(error))
