"""Time and randomness, as things that are handed in. Only this module reads the real ones."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """What the engine may know of time."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC: for what is stored and compared with our own earlier times."""

    def monotonic(self) -> float:
        """Seconds that never step: for every delay."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class Chance(Protocol):
    """Where ids and jitter come from."""

    def new_id(self) -> str:
        """A fresh id of 32 hex digits."""

    def fraction(self) -> float:
        """A number in [0, 1)."""


class SystemChance:
    """The machine's randomness."""

    def new_id(self) -> str:
        return uuid.uuid4().hex

    def fraction(self) -> float:
        return random.random()  # noqa: S311 - jitter, not a secret
