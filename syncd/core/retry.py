"""What follows a write that did not succeed, as a value: try again then, wait for a change, or wait for a person.

Passing faults are tried again after 30 s, a minute, two ... at most ten times a day; a person decides after that.
The waits are drawn at random below their ceiling, so that records that failed together do not come back together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.core.catalogue import Wakes, entry

FIRST_WAIT = 30.0  # seconds: ceiling of the first wait, doubled by each further attempt
LONGEST_WAIT = FIRST_WAIT * 2**10  # 8 h 32 min
SHORTEST_WAIT = 5.0
ATTEMPTS_A_DAY = 10

THROTTLED_FIRST = 1.0
THROTTLED_LONGEST = 60.0

RESOLVE_STEPS = (2.0, 5.0, 15.0, 30.0, 60.0)  # the last one repeats


@dataclass(frozen=True, slots=True)
class Transient:
    """A fault that usually passes: of the network, the vendor's servers, or a stale read."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """The vendor said "too fast"; certainly not carried out, and nobody's fault."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The vendor or our own rules said no, for a category of the catalogue."""

    category: str


@dataclass(frozen=True, slots=True)
class OutcomeLost:
    """The answer never came. After `until` the request can no longer be carried out late, nor stay out of sight."""

    until: datetime


ErrorClass = Transient | Throttled | Rejected | OutcomeLost


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try (or, for a lost outcome, look) again then. `counts`: it uses up one of the day's attempts."""

    when: datetime
    counts: bool = True


@dataclass(frozen=True, slots=True)
class WaitForChange:
    """Failed with this category until its own entities, or the record it depends on, change."""

    category: str


@dataclass(frozen=True, slots=True)
class WaitForPerson:
    """Failed with this category until a person acts."""

    category: str


Decision = RetryAt | WaitForChange | WaitForPerson


def decide_retry(
    error: ErrorClass, attempt: int, now: datetime, fraction: float, retry_after: float | None = None
) -> Decision:
    """What to do next.

    Args:
        attempt: how often it was tried again already, 0 after the first failure; for a lost outcome, how often
            it was looked for.
        fraction: a random number in [0, 1).
        retry_after: the seconds the vendor asks to wait, None when it did not say.
    """
    match error:
        case Throttled():
            wait = fraction * _doubled(THROTTLED_FIRST, attempt, THROTTLED_LONGEST)
            return RetryAt(_later(now, wait if retry_after is None else retry_after), counts=False)
        case Transient():
            if attempt >= ATTEMPTS_A_DAY:
                return WaitForPerson("vendor_rejected")
            ceiling = _doubled(FIRST_WAIT, attempt, LONGEST_WAIT)
            wait = SHORTEST_WAIT + fraction * (ceiling - SHORTEST_WAIT)
            return RetryAt(_later(now, max(wait, retry_after or 0.0)))
        case OutcomeLost(until):
            if now >= until:
                return WaitForPerson("unknown_outcome")
            step = RESOLVE_STEPS[min(attempt, len(RESOLVE_STEPS) - 1)]
            return RetryAt(min(_later(now, step), until), counts=False)
        case Rejected(category):
            by_itself = entry(category).wakes in (Wakes.CHANGE, Wakes.PARENT, Wakes.KEY)
            return WaitForChange(category) if by_itself else WaitForPerson(category)


def _doubled(first: float, times: int, longest: float) -> float:
    return min(first * 2.0 ** min(times, 16), longest)


def _later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
