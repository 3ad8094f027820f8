"""A vendor's pace: several call limits at once, pauses the vendor asks for, and less speed when it complains.

A limit is a sliding window. A call takes a place in it from the moment it leaves until the window's length after its
answer came: whenever in between the vendor counted it, the vendor's own window is never exceeded.

Some places of every window are kept for what is urgent, and a backlog that has met a long window's limit uses it evenly
from then on. So a person finds room while a backlog runs.

What other clients of the account use is learnt from what the vendor says about itself. Without a word from it on how
long to wait, the rate is halved and won back call by call (additive increase, multiplicative decrease, as TCP does),
and the pause is drawn at random below a ceiling that doubles ("full jitter").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

from syncd.model.record import Priority

FIRST_PAUSE = 1.0  # seconds: ceiling of the first pause
LONGEST_PAUSE = 60.0
LOWEST_RATE = 1 / 32  # of the vendor's limit; below it a recovered vendor would be kept waiting for nothing
RATE_STEP = 0.005  # won back by each answered call: a halved rate is whole again after 100
SHORTEST_WAIT = 0.001  # never told to wait less: rounding must not make a caller spin
GRAINS = 1000  # a window remembers this many moments, so that an hour of calls costs no more memory than a second

KEPT = 0.05  # of each window for what is urgent, a place at least; the larger half of it for people alone
FEW = 5  # a window of fewer calls keeps no place: it would cost too much of it
EVEN_FROM = 10.0  # seconds: windows of that length and more are used evenly by a backlog that has met the limit
BURST = 0.25  # of such a window may leave at once even then
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Window:
    """A vendor's limit: at most `calls` in any `seconds`; with 0 seconds: at most so many under way at once.

    `sorts` are the sorts of calls it counts; none named means all.
    """

    calls: int
    seconds: float
    sorts: tuple[str, ...] = ()


class Pacer:
    """Says when the next call to one account may leave. Times are seconds of one monotonic clock.

    Args:
        windows: all limits that hold together.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._meters = [_Meter(window) for window in windows]
        self._day: _Day | None = None
        self._paused_until = -inf
        self._rate = 1.0
        self._complaints = 0

    def reserve(self, now: float, priority: Priority = Priority.POLL, sort: str = "") -> float:
        """Seconds to wait before asking again; 0 means go, and the call counts as under way until it has `landed`.

        Infinite when only a call that is under way can make room.
        """
        wait = max(self.closed(now), *(meter.wait(now, self._rate, priority) for meter in self._of(sort)), 0)
        if wait == 0:
            for meter in self._of(sort):
                meter.depart(now, self._rate)
            if self._day is not None:
                self._day.left -= 1
        return wait

    def landed(self, now: float, sort: str = "") -> None:
        """A call was answered, or given up."""
        for meter in self._of(sort):
            meter.land(now)

    def closed(self, now: float) -> float:
        """Seconds during which nothing may leave at all: a pause is in force, or the day's calls are used up."""
        pause = max(self._paused_until - now, SHORTEST_WAIT) if now < self._paused_until else 0.0
        return max(pause, self._day.wait(now) if self._day is not None else 0.0)

    def in_the_way(self, now: float, priority: Priority, sort: str) -> frozenset[Window]:
        """The windows that hold such a call back."""
        return frozenset(m.window for m in self._of(sort) if m.wait(now, self._rate, priority) > 0)

    def counting(self, sort: str) -> frozenset[Window]:
        """The windows that such a call takes a place in."""
        return frozenset(m.window for m in self._of(sort))

    def told(self, now: float, sort: str, window: Window, remaining: int) -> None:
        """The vendor says how large this sort's window of that length is, and how much of it is left."""
        for meter in self._of(sort):
            if meter.window.seconds == window.seconds:
                meter.correct(now, window.calls, remaining)

    def told_day(self, calls: int, remaining: int, ends: float) -> None:
        """The vendor says how many calls a day the account has and how many are left of the day that ends then."""
        self._day = _Day(calls, remaining, ends)

    def day(self, now: float) -> tuple[int, int, float] | None:
        """Of a day that was told: how many calls it has, how many are left, and the seconds until it ends."""
        if self._day is None:
            return None
        self._day.wait(now)
        return self._day.calls, max(0, self._day.left), self._day.ends - now

    def pause(self, until: float) -> None:
        """No call before `until`; a longer pause already in force stays."""
        self._paused_until = max(self._paused_until, until)

    def throttled(self, now: float, retry_after: float | None, fraction: float, least: float = 0.0) -> float:
        """The vendor said "too fast".

        Args:
            retry_after: the seconds the vendor asks to wait, obeyed as they are; None when it did not say.
            fraction: a random number in [0, 1).
            least: seconds the vendor is known to want, though it did not say.

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
            self.pause(now + max(ceiling * fraction, least))
        return max(self._paused_until - now, 0.0)

    def succeeded(self) -> None:
        """A call was answered without complaint."""
        self._complaints = 0
        self._rate = min(self._rate + RATE_STEP, 1.0)

    def _of(self, sort: str) -> list[_Meter]:
        return [meter for meter in self._meters if not meter.window.sorts or sort in meter.window.sorts]


def usable(calls: int, priority: Priority) -> int:
    """How many of so many calls such a cause may use: people all of them, webhooks nearly, a backlog the least."""
    kept = max(1, floor(calls * KEPT)) if calls >= FEW else 0
    if priority is Priority.PERSON:
        return calls
    return calls - (kept - kept // 2 if priority is Priority.WEBHOOK else kept)


class _Meter:
    """The calls of one window: those under way, and those that landed, in grains.

    Calls that landed close together count as landed at the latest of them.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self._calls = window.calls
        self._under_way = 0
        self._grains: deque[_Grain] = deque()
        self._landed = 0
        self._even = -inf  # so far ahead the calls made would reach at an even pace: a window's length at most

    def wait(self, now: float, rate: float, priority: Priority) -> float:
        """Seconds until one more call fits; 0 if it does now."""
        self._forget(now)
        usable_now = max(1, floor(usable(self._calls, priority) * rate))
        excess = self._under_way + self._landed - usable_now + 1
        if excess > 0:
            room = self._room(now, excess)
            if priority > Priority.WEBHOOK and room < inf:
                self._even = max(self._even, now + room + self.window.seconds * (1 - BURST))
            return room
        if priority <= Priority.WEBHOOK or self.window.seconds < EVEN_FROM:
            return 0.0
        wait = self._even - self.window.seconds - now
        return max(wait, SHORTEST_WAIT) if wait > 0 else 0.0

    def depart(self, now: float, rate: float) -> None:
        self._under_way += 1
        share = self.window.seconds / max(1, floor(usable(self._calls, Priority.POLL) * rate))
        self._even = max(self._even, now) + share

    def land(self, now: float) -> None:
        self._under_way -= 1
        if self.window.seconds > 0:
            self._add(now, 1)

    def correct(self, now: float, calls: int, remaining: int) -> None:
        # Only upwards: what the vendor has not counted yet is still under way, and a window forgets by itself.
        self._calls = calls
        self._forget(now)
        if (others := calls - remaining - self._under_way - self._landed) > 0:
            self._add(now, others)

    def _room(self, now: float, excess: int) -> float:
        for grain in self._grains:
            excess -= grain.calls
            if excess <= 0:
                return max(grain.last + self.window.seconds - now, SHORTEST_WAIT)
        return inf

    def _add(self, now: float, calls: int) -> None:
        self._landed += calls
        if self._grains and now - self._grains[-1].first < self.window.seconds / GRAINS:
            self._grains[-1].last = now
            self._grains[-1].calls += calls
        else:
            self._grains.append(_Grain(now, now, calls))

    def _forget(self, now: float) -> None:
        while self._grains and self._grains[0].last + self.window.seconds <= now:
            self._landed -= self._grains.popleft().calls


@dataclass(slots=True)
class _Grain:
    first: float
    last: float
    calls: int


@dataclass(slots=True)
class _Day:
    """The day's calls: not a sliding window, it ends for all calls at once."""

    calls: int
    left: int
    ends: float

    def wait(self, now: float) -> float:
        while now >= self.ends:
            self.left, self.ends = self.calls, self.ends + DAY
        return self.ends - now if self.left <= 0 else 0.0
