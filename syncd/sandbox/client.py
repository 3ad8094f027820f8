"""A client for the sandbox's control routes, for tests and demonstrations. No connector may use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

import aiohttp

from syncd.sandbox.base import Refusal, decode_json, encode_json

Row = Mapping[str, Any]


class ControlError(Exception):
    """The sandbox does not do what was asked: `status` 404 (unknown name) or 400 (makes no sense), and its words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.status = status


class Control:
    """The hand on the sandbox at `base_url`, such as `http://127.0.0.1:8400`. Use it in an `async with` block."""

    def __init__(self, base_url: str) -> None:
        self._url = base_url.rstrip("/") + "/_sandbox"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def index(self) -> Row:
        """What the sandbox is: its vendors, version, time and control calls."""
        return await self._call("GET", "")

    async def credentials(self) -> Mapping[str, Mapping[str, str]]:
        """What a client needs to connect, by vendor."""
        return cast(Mapping[str, Mapping[str, str]], await self._call("GET", "/credentials"))

    async def journal(self, vendor: str, after: int = 0) -> Sequence[Row]:
        """A vendor's accepted writes after number `after`."""
        return await self._list("entries", "/journal", vendor=vendor, after=after)

    async def requests(self, vendor: str | None = None, after: int = 0) -> Sequence[Row]:
        """The requests that came in after number `after`."""
        only = {} if vendor is None else {"vendor": vendor}
        return await self._list("requests", "/requests", after=after, **only)

    async def webhooks(self, vendor: str | None = None, after: int = 0) -> Sequence[Row]:
        """The webhooks that were sent, or dropped on purpose, after number `after`."""
        only = {} if vendor is None else {"vendor": vendor}
        return await self._list("webhooks", "/webhooks", after=after, **only)

    async def records(self, vendor: str, kind: str) -> Sequence[Row]:
        """Every record of a kind, in the vendor's JSON."""
        return await self._list("records", f"/records/{vendor}/{kind}")

    async def person(self, vendor: str, op: str, kind: str, id: str | None = None, fields: Row | None = None) -> Row:
        """Do what a person does on the vendor's screen; returns the record.

        Raises:
            Refusal: the vendor forbids it, with its words.
        """
        order = {"op": op, "kind": kind, "id": id, "fields": fields or {}}
        return cast(Row, (await self._call("POST", f"/person/{vendor}", order))["record"])

    async def arm(self, vendor: str, fault: str, match: Mapping[str, str] | None = None, **when: Any) -> int:
        """Arm a fault and return its id. `when`: nth or probability, times, seed, options."""
        order = {"vendor": vendor, "fault": fault, "match": match or {}, **when}
        return cast(int, (await self._call("POST", "/faults", order))["id"])

    async def faults(self) -> Sequence[Row]:
        """The armed faults with their counts."""
        return await self._list("faults", "/faults")

    async def disarm(self, id: int | None = None) -> None:
        """Remove one fault, or all of them."""
        await self._call("DELETE", "/faults" if id is None else f"/faults/{id}")

    async def settings(self, vendor: str, **changes: Any) -> Row:
        """Change a vendor's settings and return all of them."""
        return cast(Row, (await self._call("POST", f"/settings/{vendor}", changes))["settings"])

    async def clock(self) -> datetime:
        """The vendors' time."""
        return datetime.fromisoformat((await self._call("GET", "/clock"))["now"])

    async def advance(self, seconds: float) -> datetime:
        """Move the vendors' clock and return its time."""
        return datetime.fromisoformat((await self._call("POST", "/clock", {"advance": seconds}))["now"])

    async def set_clock(self, moment: datetime) -> None:
        """Set the vendors' clock; it goes on from there."""
        await self._call("POST", "/clock", {"set": moment.isoformat()})

    async def reset(self) -> None:
        """Back to the seed data."""
        await self._call("POST", "/reset")

    async def _list(self, name: str, path: str, **args: str | int) -> Sequence[Row]:
        return cast(Sequence[Row], (await self._call("GET", path, args=args))[name])

    async def _call(self, method: str, path: str, body: Row | None = None, args: Mapping[str, str | int] = {}) -> Row:
        data = None if body is None else encode_json(body)
        async with self._session.request(method, self._url + path, data=data, params=args) as response:
            answer = decode_json(await response.read())
        if response.status == 409:
            raise Refusal(answer["message"])
        if response.status != 200:
            raise ControlError(response.status, answer["message"])
        return cast(Row, answer)
