"""What is under way: backfills, and plans that are being carried out; how far, how fast, and for how long still.

Plans are looked through entry by entry, so everybody who looks within the same two seconds is told the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syncd.status.source import Owner

FRESH_SECONDS = 2.0
SHOWN_AFTER = timedelta(minutes=10)  # what has ended stays for so long: nobody has to wonder where it went


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing under way.

    Attributes:
        sync, flow: empty for plans, which may touch all. reading: its size is not known yet: `done` of it is read.
        total: None while it is read. left: seconds, None while nobody knows.
    """

    name: str
    sync: str = ""
    flow: str = ""
    reading: bool = False
    done: int
    failed: int = 0
    total: int | None = None
    per_minute: int = 0
    left: int | None = None
    ended: bool = False


class Progress:
    """Of everything that is under way at one owner."""

    def __init__(self, source: Owner) -> None:
        self._source = source
        self._tasks: list[Task] = []
        self._looked_at: float | None = None
        self._begun: tuple[float, int] | None = None

    async def tasks(self) -> list[Task]:
        """What is under way, or has ended a moment ago."""
        at = self._source.clock.monotonic()
        if self._looked_at is None or at - self._looked_at >= FRESH_SECONDS:
            self._looked_at = at
            told = (await self._source.backfills())["backfills"]
            assert isinstance(told, list)
            now = self._source.clock.now()
            backfills = [_backfill(one) for one in told if _recent(one, now)]
            self._tasks = [*backfills, *self._plans(await self._source.planner.outcome(), at)]
        return self._tasks

    def _plans(self, outcome: dict[str, int], at: float) -> list[Task]:
        settled = outcome["done"] + outcome["failed"]
        if not outcome["waiting"]:
            ended, self._begun = self._begun is not None, None
            return [_plan(outcome, ended=True)] if ended else []
        since, before = self._begun = self._begun or (at, settled)
        rate = (settled - before) / (at - since) if at > since else 0.0
        left = round(outcome["waiting"] / rate) if rate else None
        return [_plan(outcome, per_minute=round(rate * 60), left=left)]


def _plan(outcome: dict[str, int], **more: Any) -> Task:
    total = sum(outcome.values())
    return Task(name="plan", done=total - outcome["waiting"], failed=outcome["failed"], total=total, **more)


def _backfill(told: dict[str, Any]) -> Task:
    reading = told["phase"] in ("left", "right")
    return Task(
        name="backfill",
        sync=told["sync"],
        flow=told["flow"],
        reading=reading,
        done=told["looked"] if reading else told["let_in"] - told["waiting"],
        total=None if reading else told["let_in"],
        per_minute=told["per_minute"],
        left=told["seconds_left"],
        ended=told["ended_at"] is not None,
    )


def _recent(told: dict[str, Any], now: datetime) -> bool:
    return told["ended_at"] is None or now - datetime.fromisoformat(told["ended_at"]) < SHOWN_AFTER
