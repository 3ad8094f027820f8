"""Where the commands get their answers: from the daemon's socket while one runs, from the state itself otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError
from yarl import URL

from syncd.config import Config
from syncd.errors import Inapplicable, PermissionRefused, Unconfirmed, UsageError, VendorUnreachable
from syncd.status.reader import MAX_LIMIT, BadQuestion, Query, Reader, UnknownRecord
from syncd.status.server import socket_path

ANSWER_SECONDS = 30.0
PLAN_SECONDS = 3600.0  # everything both vendors have may have to be read
_BASE = URL("http://localhost/api/v1/")


class Answers(Protocol):
    """What the commands ask; `status.reader.Reader` gives the same answers from an open state."""

    async def status(self) -> dict[str, Any]: ...

    async def records(self, query: Query) -> dict[str, Any]: ...

    async def record(self, id: str) -> dict[str, Any]: ...

    async def explain(self, id: str) -> dict[str, Any]: ...

    async def activity(self, id: str, limit: int = MAX_LIMIT, before: int | None = None) -> dict[str, Any]: ...

    async def control(self, action: str, sync: str, flow: str | None, breaker: str | None = None) -> dict[str, Any]: ...

    async def act(self, action: str, id: str, given: Mapping[str, Any]) -> dict[str, Any]: ...

    async def act_on_many(self, action: str, which: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]: ...

    async def token(self, work: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]: ...

    async def tokens(self) -> dict[str, Any]: ...


@asynccontextmanager
async def answers(config: Config, environ: Mapping[str, str]) -> AsyncIterator[Answers]:
    """Whoever can answer about this configuration's state.

    Raises:
        PermissionRefused: a daemon runs, and its socket is not for this user.
        UsageError: no daemon runs, and there is no state yet.
    """
    async with daemon(config, environ) as running:
        if running is not None:
            yield running
            return
    from syncd.status.local import opened  # the store and its database library: only when no daemon runs

    async with opened(config, environ) as source:
        yield Reader(source)


@asynccontextmanager
async def daemon(config: Config, environ: Mapping[str, str]) -> AsyncIterator[Daemon | None]:
    """The daemon of this state, None when none runs.

    Raises:
        PermissionRefused: a daemon runs, and its socket is not for this user.
    """
    socket = socket_path(config.state_dir, environ)
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(ANSWER_SECONDS)) as session:
        running = Daemon(session)
        yield running if await running.answers(socket) else None


class Daemon:
    """The running daemon, asked over its unix socket."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def answers(self, socket: Path) -> bool:
        """Whether a daemon is there; a socket file without one behind it is a leftover."""
        try:
            async with self._session.get("http://localhost/livez") as response:
                return response.status == 200
        except UnixClientConnectorError as error:
            if isinstance(error.os_error, PermissionError):
                words = f"a daemon runs, but {socket} is not for this user; join its group"
                raise PermissionRefused(words) from error
            return False

    async def status(self) -> dict[str, Any]:
        return await self._get("status")

    async def records(self, query: Query) -> dict[str, Any]:
        given = {name: str(value) for name, value in asdict(query).items() if value is not None}
        return await self._get("records", given)

    async def record(self, id: str) -> dict[str, Any]:
        return await self._get(f"records/{id}")

    async def explain(self, id: str) -> dict[str, Any]:
        return await self._get(f"records/{id}/explain")

    async def activity(self, id: str, limit: int = MAX_LIMIT, before: int | None = None) -> dict[str, Any]:
        given = {"limit": str(limit)} | ({} if before is None else {"before": str(before)})
        return await self._get(f"records/{id}/activity", given)

    async def control(self, action: str, sync: str, flow: str | None, breaker: str | None = None) -> dict[str, Any]:
        where = f"syncs/{sync}" if flow is None else f"syncs/{sync}/flows/{flow}"
        return await self._ask("POST", f"{where}/{action}", None if breaker is None else {"breaker": breaker})

    async def plan(self, sync: str | None, flow: str | None) -> dict[str, Any]:
        given = {name: value for name, value in (("sync", sync), ("flow", flow)) if value is not None}
        return await self._ask("POST", "plan", given, seconds=PLAN_SECONDS)

    async def apply(self, plan: object) -> dict[str, Any]:
        return await self._ask("POST", "apply", body=plan, seconds=PLAN_SECONDS)

    async def backfill(self, sync: str, flow: str | None, since: date) -> dict[str, Any]:
        where = f"syncs/{sync}" if flow is None else f"syncs/{sync}/flows/{flow}"
        return await self._ask("POST", f"{where}/backfill", {"since": since.isoformat()})

    async def backfills(self) -> dict[str, Any]:
        return await self._get("backfills")

    async def applied(self) -> dict[str, Any]:
        return await self._get("apply")

    async def act(self, action: str, id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return await self._ask("POST", f"records/{id}/{action}", body=given)

    async def act_on_many(self, action: str, which: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        return await self._ask("POST", f"actions/{action}", body={**which, **given})

    async def token(self, work: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        path = f"tokens/{name}" if work == "create" else f"tokens/{name}/{work}"
        return await self._ask("POST", path, body=given)

    async def tokens(self) -> dict[str, Any]:
        return await self._get("tokens")

    async def connections(self) -> dict[str, Any]:
        return await self._get("connections")

    async def connection(self, action: str, name: str) -> dict[str, Any]:
        return await self._ask("POST", f"connections/{name}/{action}")

    async def _get(self, path: str, given: Mapping[str, str] | None = None) -> dict[str, Any]:
        return await self._ask("GET", path, given)

    async def _ask(
        self,
        method: str,
        path: str,
        given: Mapping[str, str] | None = None,
        *,
        body: object = None,
        seconds: float = ANSWER_SECONDS,
    ) -> dict[str, Any]:
        limit = aiohttp.ClientTimeout(seconds)
        try:
            async with self._session.request(method, _BASE / path, params=given, json=body, timeout=limit) as response:
                answer: dict[str, Any] = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise VendorUnreachable(f"the daemon does not answer: {error}") from error
        if status == 404 and method == "POST":
            raise UsageError(answer["detail"])
        if status == 404:
            raise UnknownRecord(answer["detail"])
        if status == 403:
            raise PermissionRefused(answer["detail"])
        if status == 400:
            raise BadQuestion(answer["detail"])
        if status == 409:
            raise (Unconfirmed if answer["type"].endswith("/not_confirmed") else Inapplicable)(answer["detail"])
        if status != 200:
            raise VendorUnreachable(f"the daemon could not answer: {answer.get('detail', status)}")
        return answer


async def look_up(source: Answers, word: str) -> list[dict[str, Any]]:
    """The records a person means by an id, number, e-mail, SKU or vendor id: exact hits, else those that begin so.

    Raises:
        UsageError: there is none.
    """
    if len(word) == 32 and all(letter in "0123456789abcdef" for letter in word):
        try:
            return [await source.record(word)]
        except UnknownRecord:
            pass  # a vendor's id may look like ours
    hits: list[dict[str, Any]] = (await source.records(Query(q=word, limit=MAX_LIMIT)))["records"]
    exact = [hit for hit in hits if word.casefold() in _keys(hit)]
    if not hits:
        raise UsageError(f"no record is found by {word!r}")
    return exact or hits


def _keys(record: Mapping[str, Any]) -> set[str]:
    keys = (record["label"], record["key"], record["left"]["id"], record["right"]["id"])
    return {key.casefold() for key in keys if key}
