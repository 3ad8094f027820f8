"""Who calls next: the most urgent, then whose sync has had the least; and nobody waits for ever."""

from __future__ import annotations

from math import inf

from syncd.core.pacing import Pacer, Window
from syncd.core.queueing import PASSED_OVER, Queue, Waiting
from syncd.model.record import Priority


class OneByOne:
    """A vendor that serves one call at a time, and somebody who notes the order."""

    def __init__(self, *windows: Window) -> None:
        self.pacer = Pacer(windows or [Window(1, 0.0)])
        self.queue = Queue(self.pacer)
        self.running: list[Waiting] = []

    def join(self, priority: Priority, share: str = "a", sort: str = "") -> Waiting:
        return self.queue.join(priority, share, sort)

    def next(self, now: float = 0.0) -> list[Waiting]:
        """Let land what runs, and see who goes."""
        for one in self.running:
            self.pacer.landed(now, one.sort)
        self.running, _ = self.queue.admit(now)
        return self.running

    def order(self, count: int) -> list[Waiting]:
        return [one for _ in range(count) for one in self.next()]


def test_the_most_urgent_goes_first() -> None:
    """However late it came."""
    line = OneByOne()
    waiting = [line.join(priority) for priority in reversed(Priority)]

    assert line.order(5) == waiting[::-1]


def test_within_one_urgency_the_oldest_goes_first() -> None:
    """Of one sync."""
    line = OneByOne()
    waiting = [line.join(Priority.POLL) for _ in range(5)]

    assert line.order(5) == waiting


def test_syncs_of_one_account_take_turns() -> None:
    """A backlog of one does not hold the other up: it goes every second time."""
    line = OneByOne()
    for _ in range(50):
        line.join(Priority.POLL, "large")
    line.order(20)
    small = [line.join(Priority.POLL, "small") for _ in range(5)]

    served = line.order(11)
    assert [one for one in served if one.share == "small"] == small


def test_a_sync_that_was_away_has_nothing_to_catch_up_on() -> None:
    """It takes turns from now on, it does not go first as often as it did not."""
    line = OneByOne()
    for _ in range(100):
        line.join(Priority.POLL, "steady")
    line.order(60)
    for _ in range(40):
        line.join(Priority.POLL, "back")

    shares = [one.share for one in line.order(20)]
    assert 9 <= shares.count("steady") <= 11


def test_nobody_is_passed_over_for_ever() -> None:
    """Webhooks without end: now and then a poll and a backfill go."""
    line = OneByOne()
    poll, backfill = line.join(Priority.POLL), line.join(Priority.BACKFILL)
    for _ in range(100):
        line.join(Priority.WEBHOOK)

    served = line.order(3 * PASSED_OVER)
    assert served.index(poll) <= PASSED_OVER + 1
    assert backfill in served
    assert served.count(backfill) + served.count(poll) == 2


def test_what_is_held_back_by_its_own_limit_was_not_passed_over() -> None:
    """A batch that waits for the batches' window does not get what is kept for people, whoever else goes meanwhile."""
    line = OneByOne(Window(1000, 60.0), Window(40, 60.0, ("batches",)))
    for _ in range(60):
        line.join(Priority.POLL, sort="batches")
    went = sum(len(line.next(second)) for second in range(59))
    for _ in range(100):
        line.join(Priority.WEBHOOK)

    assert went == 38
    assert {one.priority for one in line.next(59.0)} == {Priority.WEBHOOK}
    person = line.join(Priority.PERSON, sort="batches")
    assert line.next(59.5) == [person]


def test_the_wait_is_the_shortest_of_those_who_wait() -> None:
    """Whoever asked asks again when anybody might go."""
    line = OneByOne(Window(1, 5.0, ("slow",)), Window(1, 2.0, ("fast",)))
    for sort in ("slow", "fast", "slow", "fast"):
        line.join(Priority.POLL, sort=sort)
    assert len(line.next(0.0)) == 2
    line.next(1.0)

    assert line.queue.admit(1.0) == ([], 2.0)


def test_who_waits_for_an_answer_cannot_know_how_long() -> None:
    """And who leaves waits no more."""
    line = OneByOne()
    line.join(Priority.POLL)
    gone = line.join(Priority.POLL)
    line.next()

    assert line.queue.admit(1.0) == ([], inf)
    line.queue.leave(gone)
    assert line.next(2.0) == []
