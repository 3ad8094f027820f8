"""A vendor's pace: several call limits at once, pauses the vendor asks for, and less speed when it complains.

A limit is a sliding window: never more than `calls` in any `seconds`. We stay a little below it (`share`), because
calls do not arrive at the pace they leave; that margin is also where a person's click finds room while a backlog runs.

Without a word from the vendor on how long to wait, the rate is halved and won back call by call (additive increase,
multiplicative decrease, as TCP does), and the pause is drawn at random below a ceiling that doubles ("full jitter").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from syncd.model.record import Priority

FIRST_PAUSE = 1.0  # seconds: ceiling of the first pause
LONGEST_PAUSE = 60.0
LOWEST_RATE = 1 / 32  # of the vendor's limit; below it a recovered vendor would be kept waiting for nothing
RATE_STEP = 0.005  # won back by each answered call: a halved rate is whole again after 100
SHORTEST_WAIT = 0.001  # never told to wait less: rounding must not make a caller spin
GRAINS = 1000  # a window remembers this many moments, so that a day of calls costs no more memory than a second


@dataclass(frozen=True, slots=True)
class Window:
    """A vendor's limit: at most `calls` in any `seconds`."""

    calls: int
    seconds: float


class Pacer:
    """Says when the next call to one account may leave. Times are seconds of one monotonic clock.

    Args:
        windows: all limits that hold together.
        share: how much of each limit is used by everything that is no person's click.
    """

    def __init__(self, windows: Sequence[Window], share: float = 0.95) -> None:
        self._meters = [_Meter(window, share) for window in windows]
        self._paused_until = float("-inf")
        self._rate = 1.0
        self._complaints = 0

    def reserve(self, now: float, priority: Priority = Priority.POLL) -> float:
        """Seconds to wait before asking again; 0 means go, and the call is counted in every window."""
        if now < self._paused_until:
            return max(self._paused_until - now, SHORTEST_WAIT)
        wait = max((meter.wait(now, self._rate, priority) for meter in self._meters), default=0.0)
        if wait == 0:
            for meter in self._meters:
                meter.count(now)
        return wait

    def pause(self, until: float) -> None:
        """No call before `until`; a longer pause already in force stays."""
        self._paused_until = max(self._paused_until, until)

    def throttled(self, now: float, retry_after: float | None, fraction: float) -> float:
        """The vendor said "too fast".

        Args:
            retry_after: the seconds the vendor asks to wait, obeyed as they are; None when it did not say.
            fraction: a random number in [0, 1).

        Returns:
            Seconds from `now` until the next call may leave.
        """
        if retry_after is not None:
            self.pause(now + retry_after)
        elif now >= self._paused_until:
            # Calls that were under way together complain together: only the first of them slows us down.
            self._rate = max(self._rate / 2, LOWEST_RATE)
            ceiling = min(FIRST_PAUSE * 2**self._complaints, LONGEST_PAUSE)
            self._complaints = min(self._complaints + 1, 16)
            self.pause(now + ceiling * fraction)
        return max(self._paused_until - now, 0.0)

    def succeeded(self) -> None:
        """A call was answered without complaint."""
        self._complaints = 0
        self._rate = min(self._rate + RATE_STEP, 1.0)


class _Meter:
    """The calls of one window, in grains: calls close together count as made at the latest of them."""

    def __init__(self, window: Window, share: float) -> None:
        margin = max(1, floor(window.calls * (1 - share))) if share < 1 else 0
        self._seconds = window.seconds
        self._usable = max(1, window.calls - margin)
        self._usable_by_people = max(1, window.calls - margin // 2)
        self._grains: deque[_Grain] = deque()
        self._counted = 0

    def wait(self, now: float, rate: float, priority: Priority) -> float:
        """Seconds until one more call fits; 0 if it does now."""
        while self._grains and self._grains[0].last + self._seconds <= now:
            self._counted -= self._grains.popleft().calls
        usable = self._usable_by_people if priority is Priority.PERSON else self._usable
        excess = self._counted - max(1, floor(usable * rate)) + 1
        if excess <= 0:
            return 0.0
        for grain in self._grains:
            excess -= grain.calls
            if excess <= 0:
                return max(grain.last + self._seconds - now, SHORTEST_WAIT)
        raise AssertionError("more calls are counted than remembered")

    def count(self, now: float) -> None:
        self._counted += 1
        if self._grains and now - self._grains[-1].first < self._seconds / GRAINS:
            self._grains[-1].last = now
            self._grains[-1].calls += 1
        else:
            self._grains.append(_Grain(first=now, last=now))


@dataclass(slots=True)
class _Grain:
    first: float
    last: float
    calls: int = 1
