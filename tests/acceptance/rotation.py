"""Processes that need an access token of QuickBooks, and are killed where they are told to be.

`python -m tests.acceptance.rotation` is where they come from within milliseconds, as everything is loaded: it takes a
line of JSON, the fields of a `Life` or a number to wait for, and answers with a process number or an exit code.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import structlog

from syncd.clock import SystemChance
from syncd.connectors import quickbooks
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import AioTransport
from syncd.connectors.oauth import Grant, Issuer, Tokens
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.store import secrets as vault
from syncd.store.secrets import Secrets

POINTS = (
    "before the lock",
    "before the look",
    "before the request",
    "after the vendor rotated",
    "before the put",
    "in the put",
    "after the put",
    "after the lock",
    "before the first use",
    "after the first use",
)
FINE, LOST, TROUBLE, BROKEN = 0, 3, 4, 5
"""Exit codes: the account is open; it is said that the authorisation is lost; other trouble is said; an exception."""


@dataclass(frozen=True)
class Life:
    """What a process is told.

    Attributes:
        ahead: seconds its clock is ahead of the machine's. dies: a point, or nothing.
    """

    state: str
    url: str
    ahead: float
    dies: str = ""

    def reached(self, point: str) -> None:
        if point == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)


def lived(life: Life) -> None:
    """The whole life: get a token, use it, exit."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    code = BROKEN
    try:
        code = asyncio.run(_lived(life))
    finally:
        os._exit(code)


async def _lived(life: Life) -> int:
    settings = ConnectionSettings(
        name="books",
        vendor="quickbooks",
        url=f"{life.url}/quickbooks",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
    )
    keeper = _Keeper((await Secrets.open(Path(life.state), None)).keeper("books"), life)
    clock, chance = _Clock(life.ahead), SystemChance()
    transport = AioTransport()
    issuer = _Issuer(quickbooks.issuer(settings, transport, clock, chance), life)
    tokens = Tokens(settings=settings, issuer=issuer, keeper=keeper, clock=clock)
    try:
        await tokens.access()
        life.reached("before the first use")
        connector = quickbooks.connect(settings, transport, clock, chance, keeper)
        await connector.account()
        life.reached("after the first use")
    except ConnectionTrouble as trouble:
        return LOST if trouble.condition is Condition.AUTHORIZATION_LOST else TROUBLE
    finally:
        await transport.close()
    return FINE


@dataclass(frozen=True)
class _Clock:
    ahead: float

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Issuer:
    """The vendor's addresses, with the moments before a request and after its answer."""

    def __init__(self, real: Issuer, life: Life) -> None:
        self._real, self._life = real, life
        self.consent, self.authorize = real.consent, real.authorize
        self.exchange, self.revoke = real.exchange, real.revoke

    async def renew(self, refresh_token: str) -> Grant:
        self._life.reached("before the request")
        grant = await self._real.renew(refresh_token)
        self._life.reached("after the vendor rotated")
        return grant


class _Keeper:
    """The real one, with the moments around each of its steps."""

    def __init__(self, real: TokenKeeper, life: Life) -> None:
        self._real, self._life = real, life

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        self._life.reached("before the lock")
        async with self._real.alone():
            yield
        self._life.reached("after the lock")

    async def get(self, name: str) -> str | None:
        self._life.reached("before the look")
        return await self._real.get(name)

    async def put(self, name: str, value: str) -> None:
        self._life.reached("before the put")
        with _dying_uncommitted(self._life):
            await self._real.put(name, value)
        self._life.reached("after the put")


@contextmanager
def _dying_uncommitted(life: Life) -> Iterator[None]:
    """Death comes between the statement and its COMMIT."""
    real = vault._transaction

    @contextmanager
    def transaction(file: Path) -> Iterator[sqlite3.Connection]:
        with real(file) as database:
            yield database
            life.reached("in the put")

    vault._transaction = transaction
    yield
    vault._transaction = real


def nursery() -> None:
    """Bear processes and wait for them, as told."""
    for line in sys.stdin:
        order = json.loads(line)
        if isinstance(order, int):
            print(os.waitstatus_to_exitcode(os.waitpid(order, 0)[1]), flush=True)
        elif pid := os.fork():
            print(pid, flush=True)
        else:
            lived(Life(**order))


if __name__ == "__main__":
    nursery()
