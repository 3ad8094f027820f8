"""The vendors' door: every request that passes it has a number, and one of them can be the last a daemon sends.

Two promises are watched here, request by request: nothing is written at a vendor that was not written down before, and
no token is used that is not kept yet.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import NoReturn

from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery, Ending
from tests.simulation.house import House, Safe
from tests.simulation.loop import Killed

LATE = 20.0  # seconds a request is still under way after its sender's death
TOKENS = ("/bearer", "/token")


class Fate(Enum):
    """What becomes of one request, and of whoever sent it."""

    BEFORE = "killed before it left"
    UNDER_WAY = "killed while it was under way"
    AFTER = "killed before the answer was read"
    LOST = "answer lost"


class Door:
    """Stands before the vendors of one house.

    Attributes:
        passed: how many requests went through. writes: the numbers of those that changed something there.
        fate: of the request of a number.
        breaches: what happened that was promised not to.
        keeping: asked before a secret is kept.
        changed: for every change of what outlives the daemon, how many callbacks of its loop had run by then.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._pass_on = house.world.handle
        self.passed = 0
        self.writes: list[int] = []
        self.fate: tuple[int, Fate] | None = None
        self.breaches: list[str] = []
        self.changed: list[int] = []
        self.keeping: Callable[[], None] = lambda: None
        house.world.handle = self._handle  # type: ignore[method-assign]
        house.safe = _Watched(house.safe.kept, self)
        self._rows = house.disk.inline.driver.total_changes
        house.disk.watches.append(self._statement)

    def note(self) -> None:
        """Something has changed that outlives the daemon."""
        if self._house.life is not None:
            self.changed.append(self._house.life.loop.ran)

    def _statement(self, statement: str) -> None:
        rows = self._house.disk.inline.driver.total_changes
        if statement == "COMMIT" and rows != self._rows:
            self._rows = rows
            self.note()

    def _handle(self, vendor: str, request: Request, now: datetime) -> Delivery:
        number, self.passed = self.passed, self.passed + 1
        fate = self.fate[1] if self.fate is not None and self.fate[0] == number else None
        written_down, before = self._written_down(request), self._written(vendor)
        self._look_at_token(vendor, request)
        if fate is Fate.BEFORE:
            die(self._house)
        if fate is Fate.UNDER_WAY:
            order = {"fault": "late_commit", "nth": 1, "options": {"delay": LATE, "hold": 5}}
            self._house.world.faults.arm(self._house.world.vendors[vendor], order)
        delivery = self._pass_on(vendor, request, now)
        if self._written(vendor) != before and not written_down:
            self.breaches.append(f"{vendor}: {request.method} {request.path} was not written down before")
        if self._written(vendor) != before or request.path.endswith(TOKENS):
            self.writes.append(number)
            self.note()
        if fate in (Fate.AFTER, Fate.UNDER_WAY):
            die(self._house)
        return replace(delivery, ending=Ending.DROPPED, wait=5.0) if fate is Fate.LOST else delivery

    def _written(self, vendor: str) -> int:
        return len(self._house.world.vendors[vendor].journal.entries)

    def _written_down(self, request: Request) -> bool:
        if request.method == "GET":
            return False
        looking = sqlite3.Cursor(self._house.disk.inline.driver)  # a plain one, whose statements are not the daemon's
        found = looking.execute("SELECT body FROM sends WHERE method = ?", (request.method,))
        return any(bytes(row[0])[1:] == request.body for row in found)  # the first byte says that it is not encrypted

    def _look_at_token(self, vendor: str, request: Request) -> None:
        _, _, token = request.headers.get("authorization", "").partition("Bearer ")
        kept = json.dumps(list(self._house.safe.kept.values()))
        if token and not token.startswith("pat-") and token not in kept:
            self.breaches.append(f"{vendor}: a token was used that is not kept")


def mark(house: House) -> None:
    """The daemon does nothing any more, not even the next callback."""
    assert house.life is not None
    house.life.dead, house.life.loop.left = True, 0


def die(house: House) -> NoReturn:
    """SIGKILL, at this point of the daemon's own doing."""
    mark(house)
    raise Killed


class _Watched(Safe):
    """The same secrets, where asking for one and keeping one take their time: moments to die at."""

    def __init__(self, kept: dict[tuple[str, str], str], door: Door) -> None:
        self.kept = kept
        self.door = door

    def keeper(self, connection: str) -> "_Keeper":  # type: ignore[override] # as good a keeper as any
        return _Keeper(self, connection)


@dataclass(frozen=True)
class _Keeper:
    safe: _Watched
    connection: str

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        await asyncio.sleep(0)
        yield

    async def get(self, name: str) -> str | None:
        await asyncio.sleep(0)
        return self.safe.kept.get((self.connection, name))

    async def put(self, name: str, value: str) -> None:
        await asyncio.sleep(0)
        self.safe.door.keeping()
        self.safe.kept[self.connection, name] = value
        self.safe.door.note()
        await asyncio.sleep(0)
