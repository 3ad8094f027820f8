"""The sandbox as a process of its own, with the interfaces that the simulation's people and the closing pass know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from syncd.sandbox.base import Refusal, decode_json, encode_json
from syncd.sandbox.client import Control

Row = Mapping[str, Any]


@dataclass
class FarVendor:
    """One vendor, by its control routes. For threads, not for coroutines."""

    url: str
    name: str

    def records(self, kind: str) -> list[Row]:
        rows: list[Row] = _called(f"{self.url}/_sandbox/records/{self.name}/{kind}")["records"]
        return rows

    def person(self, op: str, kind: str, id: str | None, fields: Row) -> Row:
        order = {"op": op, "kind": kind, "id": id, "fields": fields}
        made: Row = _called(f"{self.url}/_sandbox/person/{self.name}", order)["record"]
        return made


@dataclass
class FarHouse:
    """What the simulation's people need of a house."""

    url: str
    seed: int
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        vendors = {name: FarVendor(self.url, name) for name in ("hubspot", "quickbooks")}
        self.world = SimpleNamespace(vendors=vendors)
        self.time = SimpleNamespace(elapsed=lambda: time.monotonic() - self.began, true=lambda: datetime.now(UTC))

    def person(self, vendor: str, op: str, kind: str, id: str | None = None, **fields: Any) -> Row:
        made: Row = self.world.vendors[vendor].person(op, kind, id, fields)
        return made


class FarClock:
    """A clock on which every wait is over at once; the sandbox's clock is moved along."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead.total_seconds()

    async def sleep(self, seconds: float) -> None:
        deadline = self.monotonic() + seconds
        await asyncio.sleep(0)  # others may have slept meanwhile, and pauses at the same time do not add up
        ahead = max(0.0, deadline - self.monotonic())
        self._ahead += timedelta(seconds=ahead)
        await self._control.advance(ahead)


def _called(url: str, body: Row | None = None) -> Any:
    data = None if body is None else encode_json(body)
    try:
        with urlopen(Request(url, data=data), timeout=30) as answer:
            return decode_json(answer.read())
    except HTTPError as error:
        if error.code == 409:
            raise Refusal(decode_json(error.read())["message"]) from error
        raise
