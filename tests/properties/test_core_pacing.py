"""Whatever is asked of a pacer, in any order: no window is exceeded, no pause broken, nobody waits for ever."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.pacing import EVEN_FROM, Pacer, Window, usable
from syncd.core.queueing import PASSED_OVER, Queue, Waiting
from syncd.model.record import Priority

SORTS = ("calls", "batches")
windows = st.lists(
    st.builds(
        Window,
        st.integers(1, 30),
        st.sampled_from([0.0, 0.5, 1.0, 10.0, 60.0]),
        st.sampled_from([(), ("calls",), ("batches",), SORTS]),
    ),
    min_size=1,
    max_size=4,
)
priorities = st.sampled_from(list(Priority))
seeds = st.integers(0, 2**32).map(Random)


class Vendor:
    """Counts calls where it likes between their leaving and their answer, and holds its windows against them."""

    def __init__(self, windows: Sequence[Window], random: Random) -> None:
        self.windows = windows
        self.random = random
        self.counted: list[tuple[float, str]] = []
        self.answers: list[tuple[float, int, Waiting]] = []

    def take(self, now: float, call: Waiting, longest: float) -> None:
        seconds = self.random.uniform(0, longest)
        self.counted.append((now + self.random.uniform(0, seconds), call.sort))
        heappush(self.answers, (now + seconds, len(self.counted), call))

    def exceeded(self) -> list[Window]:
        return [w for w in self.windows if w.seconds > 0 and self.most(w) > w.calls]

    def most(self, window: Window) -> int:
        """The most calls it counted in any half-open span of the window's length."""
        times = sorted(at for at, sort in self.counted if not window.sorts or sort in window.sorts)
        return max((sum(start <= at < start + window.seconds for at in times) for start in times), default=0)


def run(queue: Queue, pacer: Pacer, vendor: Vendor, joins: list[tuple[float, Priority, str, str]]) -> list[Waiting]:
    """Let calls join at their times, leave when they may and be answered; in the order in which they left."""
    now, left, joins = 0.0, list[Waiting](), joins[::-1]
    for _ in range(20_000):
        while joins and joins[-1][0] <= now:
            queue.join(*joins.pop()[1:])
        while vendor.answers and vendor.answers[0][0] <= now:
            pacer.landed(now, heappop(vendor.answers)[2].sort)
        admitted, wait = queue.admit(now)
        for call in admitted:
            vendor.take(now, call, longest=3.0)
        left += admitted
        soonest = min(joins[-1][0] if joins else inf, vendor.answers[0][0] if vendor.answers else inf, now + wait)
        if soonest == inf:
            return left
        now = max(soonest, now)
    raise AssertionError("it never ends")


@given(
    windows=windows,
    joins=st.lists(st.tuples(st.floats(0, 99), priorities, st.sampled_from("ab"), st.sampled_from(SORTS)), max_size=60),
    random=seeds,
)
def test_no_window_is_ever_exceeded_at_the_vendor_and_everybody_goes(
    windows: list[Window], joins: list[tuple[float, Priority, str, str]], random: Random
) -> None:
    """However long the calls take and whenever in between they count."""
    pacer, vendor = Pacer(windows), Vendor(windows, random)
    left = run(Queue(pacer), pacer, vendor, sorted(joins))

    assert len(left) == len(joins)
    assert vendor.exceeded() == []


@given(windows=windows, asked=st.lists(st.tuples(st.floats(0, 3), priorities, st.sampled_from(SORTS)), max_size=80))
def test_what_is_kept_for_the_urgent_is_kept(windows: list[Window], asked: list[tuple[float, Priority, str]]) -> None:
    """In no window are there ever more calls of a priority and of less urgent ones than such a priority may use."""
    pacer, now, made = Pacer(windows), 0.0, list[tuple[float, Priority, str]]()
    for later, priority, sort in asked:
        now += later
        if pacer.reserve(now, priority, sort) == 0:
            made.append((now, priority, sort))
            pacer.landed(now, sort)

    for window in windows:
        counted = [(at, p) for at, p, sort in made if not window.sorts or sort in window.sorts]
        for priority in Priority:
            times = [at for at, p in counted if p >= priority]
            spans = [sum(start <= at < start + window.seconds for at in times) for start in times]
            assert max(spans, default=0) <= usable(window.calls, priority)


@given(
    first=st.lists(priorities, min_size=1, max_size=PASSED_OVER),
    calls=st.integers(1, 9),
    seconds=st.sampled_from([0.0, 1.0]),
)
def test_the_most_urgent_goes_first(first: list[Priority], calls: int, seconds: float) -> None:
    """Whoever waits at the same time leaves in order of urgency, as long as nobody was passed over too often."""
    pacer = Pacer([Window(calls, seconds)])
    queue, vendor = Queue(pacer), Vendor([], Random(1))
    left = run(queue, pacer, vendor, [(0.0, priority, "a", "calls") for priority in first])

    assert [call.priority for call in left] == sorted(first)


@given(windows=windows, flood=priorities, victim=priorities, sort=st.sampled_from(SORTS))
def test_nobody_starves(windows: list[Window], flood: Priority, victim: Priority, sort: str) -> None:
    """Whatever floods the account, and however urgent it is: one that waits goes after a bounded number of others."""
    pacer = Pacer(windows)
    queue, now, running = Queue(pacer), 0.0, list[Waiting]()
    one, before = queue.join(victim, "a", sort), 0
    for _ in range(100):
        queue.join(flood, "b", sort)
    while True:
        for call in running:
            pacer.landed(now, call.sort)
        running, wait = queue.admit(now)
        if one in running:
            break
        before += len(running)
        now += min(wait, 1.0)
    most = max(usable(w.calls, Priority.PERSON) for w in windows)
    assert before <= 2 * (PASSED_OVER + most + 1)


@given(
    calls=st.integers(1, 50),
    seconds=st.sampled_from([0.5, 1.0, EVEN_FROM, 60.0]),
    priority=priorities,
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.floats(0, 3), st.just(None)),
            st.tuples(st.just("complain"), st.floats(0, 1, exclude_max=True), st.one_of(st.none(), st.floats(0, 20))),
            st.tuples(st.just("told"), st.integers(0, 60), st.integers(1, 60)),
            st.tuples(st.just("succeed"), st.none(), st.none()),
        ),
        max_size=80,
    ),
)
def test_every_pause_is_honoured(
    calls: int, seconds: float, priority: Priority, steps: list[tuple[str, float, float | None]]
) -> None:
    """Over any sequence of calls, complaints, successes and figures from the vendor."""
    pacer, now, paused_until = Pacer([Window(calls, seconds)]), 0.0, 0.0
    for what, amount, other in steps:
        if what == "ask":
            now += amount
            wait = pacer.reserve(now, priority)
            assert wait >= 0
            if wait == 0:
                assert now >= paused_until
                pacer.landed(now)
        elif what == "complain":
            paused_until = max(paused_until, now + pacer.throttled(now, other, amount))
        elif what == "told" and other is not None:
            pacer.told(now, "", Window(int(other), seconds), min(int(amount), int(other)))
        else:
            pacer.succeeded()


@given(windows=windows, calls=st.integers(1, 80), priority=priorities)
def test_who_waits_as_told_soon_gets_through(windows: list[Window], calls: int, priority: Priority) -> None:
    """Waiting what the pacer says is enough: no call needs more than a few questions."""
    pacer, now = Pacer(windows), 0.0
    for _ in range(calls):
        for _ in range(4 * len(windows) + 1):
            if (wait := pacer.reserve(now, priority)) == 0:
                break
            now += wait
        else:
            raise AssertionError("still waiting")
        pacer.landed(now)
