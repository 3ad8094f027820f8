"""The pacer: windows, what is kept of them, pauses, slowing down and winning back, and what the vendor says itself."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest

from syncd.core.pacing import DAY, LONGEST_PAUSE, Pacer, Window
from syncd.model.record import Priority

HOUR = 3600.0


def burst(pacer: Pacer, now: float, priority: Priority = Priority.WEBHOOK, sort: str = "") -> int:
    """How many calls the pacer lets go at one moment; all of them land at once."""
    made = 0
    while pacer.reserve(now, priority, sort) == 0:
        made += 1
    for _ in range(made):
        pacer.landed(now, sort)
    return made


def backlog(pacer: Pacer, seconds: float, start: float = 0.0) -> list[float]:
    """When calls leave that nobody is in a hurry for, each landing as it leaves."""
    now, left = start, []
    while now < start + seconds:
        if (wait := pacer.reserve(now)) == 0:
            left.append(now)
            pacer.landed(now)
        now += wait
    return left


def test_a_call_takes_its_place_until_the_windows_length_after_its_answer() -> None:
    """Whenever in between the vendor counted it."""
    pacer = Pacer([Window(1, 10.0)])

    assert pacer.reserve(0.0) == 0
    assert pacer.reserve(50.0) == inf
    pacer.landed(60.0)
    assert pacer.reserve(61.0) == 9.0
    assert pacer.reserve(70.0) == 0


def test_every_window_holds_together() -> None:
    """The narrow window shapes the burst, the wide one the hour."""
    pacer = Pacer([Window(4, 1.0), Window(8, 9.0)])

    assert burst(pacer, 0.0, Priority.PERSON) == 4
    assert burst(pacer, 1.0, Priority.PERSON) == 4
    assert pacer.reserve(2.0, Priority.PERSON) == 7.0


def test_a_call_takes_places_in_the_windows_of_its_sort_only() -> None:
    """A search does not use up what other calls may use, and a batch is a call, too."""
    pacer = Pacer([Window(4, 1.0, ("search",)), Window(3, 1.0, ("call", "batch")), Window(2, 1.0, ("batch",))])

    assert burst(pacer, 0.0, sort="search") == 4
    assert burst(pacer, 0.0, sort="batch") == 2
    assert burst(pacer, 0.0, sort="call") == 1
    assert pacer.reserve(0.5, sort="batch") == 0.5


def test_no_more_under_way_than_the_vendor_serves_at_once() -> None:
    """A window of no length."""
    pacer = Pacer([Window(2, 0.0)])
    for _ in range(2):
        assert pacer.reserve(0.0) == 0

    assert pacer.reserve(0.0) == inf
    pacer.landed(0.1)
    assert pacer.reserve(0.1) == 0


def test_a_call_that_one_window_holds_back_is_counted_nowhere() -> None:
    """It takes no room in the others."""
    pacer = Pacer([Window(1, 1.0), Window(2, 100.0)])

    assert burst(pacer, 0.0) == 1
    assert pacer.reserve(0.5) > 0
    assert burst(pacer, 1.0) == 1


@pytest.mark.parametrize(
    ("calls", "ordinary", "webhooks"), [(500, 475, 487), (100, 95, 97), (40, 38, 39), (10, 9, 9), (5, 4, 4), (4, 4, 4)]
)
def test_some_of_every_window_is_kept_for_what_is_urgent(calls: int, ordinary: int, webhooks: int) -> None:
    """A twentieth, a place at least unless the window is tiny; the larger half of it for people alone."""
    pacer = Pacer([Window(calls, 1.0)])

    assert burst(pacer, 0.0, Priority.BACKFILL) == ordinary
    assert burst(pacer, 0.0, Priority.RETRY) == 0
    assert ordinary + burst(pacer, 0.0, Priority.WEBHOOK) == webhooks
    assert webhooks + burst(pacer, 0.0, Priority.PERSON) == calls


def test_a_backlog_that_has_met_the_limit_uses_the_window_evenly() -> None:
    """All at once at first. Later whoever comes in a hurry finds places coming free, and nothing is wasted."""
    left = backlog(Pacer([Window(40, 60.0)]), 600.0)

    assert left.count(0.0) == 38
    later = [at for at in left if at > 0]
    assert max(later.count(at) for at in later) == 10
    assert max(after - before for before, after in pairwise(later)) < 60 / 4 + 2
    assert len(left) >= 10 * 38
    for start in left:
        assert sum(start <= at < start + 60 for at in left) <= 38


def test_what_is_urgent_need_not_leave_evenly() -> None:
    """All that may go goes at once."""
    assert burst(Pacer([Window(40, 60.0)]), 0.0, Priority.PERSON) == 40


def test_the_vendors_own_wait_is_obeyed_and_costs_no_rate() -> None:
    """With Retry-After nothing leaves before, and everything may leave after."""
    pacer = Pacer([Window(100, 1.0)])

    assert pacer.throttled(5.0, 7.0, 0.9) == 7.0
    assert pacer.reserve(5.0, Priority.PERSON) == 7.0
    assert burst(pacer, 12.0, Priority.POLL) == 95


def test_a_wordless_complaint_halves_the_rate_and_success_restores_it() -> None:
    """Half the calls at first, all of them after a hundred good answers."""
    pacer = Pacer([Window(100, 1.0)])
    pacer.throttled(0.0, None, 0.0)

    assert burst(pacer, 0.0, Priority.POLL) == 47
    for _ in range(100):
        pacer.succeeded()
    assert burst(pacer, 1.0, Priority.POLL) == 95


def test_complaints_of_calls_under_way_together_count_once() -> None:
    """Sixteen parallel calls that are refused at once halve the rate once."""
    pacer = Pacer([Window(100, 1.0)])
    pauses = {pacer.throttled(0.0, None, 0.5) for _ in range(16)}

    assert pauses == {0.5}
    assert burst(pacer, 0.5, Priority.POLL) == 47


def test_wordless_pauses_double_up_to_a_minute() -> None:
    """1 s, 2 s, 4 s ... 60 s, each times the drawn fraction; a success starts again at 1 s."""
    pacer = Pacer([Window(100, 10.0)])
    now, pauses = 0.0, []
    for _ in range(8):
        pause = pacer.throttled(now, None, 0.5)
        pauses.append(pause)
        now += pause

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE / 2, LONGEST_PAUSE / 2]
    pacer.succeeded()
    assert pacer.throttled(now, None, 0.5) == 0.5


def test_a_vendor_known_to_want_a_pause_gets_it() -> None:
    """Though it does not say so each time; and the rate is halved all the same."""
    pacer = Pacer([Window(100, 1.0)])

    assert pacer.throttled(0.0, None, 0.5, least=10.0) == 10.0
    assert burst(pacer, 10.0, Priority.POLL) == 47


def test_a_shorter_pause_never_shortens_a_longer_one() -> None:
    """The latest end of all pauses counts."""
    pacer = Pacer([])
    pacer.pause(10.0)
    pacer.pause(5.0)

    assert pacer.reserve(4.0) == 6.0 == pacer.closed(4.0)
    assert pacer.reserve(10.0) == 0.0 == pacer.closed(10.0)


def test_what_other_clients_used_is_not_there_for_us() -> None:
    """The vendor says that 60 of 100 are left though we made 10 calls: 30 were somebody else's."""
    pacer = Pacer([Window(100, 10.0, ("call",))])
    for _ in range(10):
        assert pacer.reserve(0.0, Priority.PERSON, "call") == 0
        pacer.landed(0.1, "call")
    pacer.told(1.0, "call", Window(100, 10.0), remaining=60)

    assert burst(pacer, 1.0, Priority.PERSON, "call") == 60
    assert pacer.reserve(1.0, Priority.PERSON, "call") == pytest.approx(9.1)


def test_what_the_vendor_has_not_counted_yet_is_not_given_away() -> None:
    """Calls under way are missing in its figure, not in ours."""
    pacer = Pacer([Window(100, 10.0)])
    for _ in range(10):
        pacer.reserve(0.0, Priority.PERSON)
    pacer.told(1.0, "", Window(100, 10.0), remaining=99)

    assert burst(pacer, 1.0, Priority.PERSON) == 90


def test_the_vendor_knows_better_how_large_its_limits_are() -> None:
    """An edition may allow more than we thought, or less."""
    pacer = Pacer([Window(100, 10.0), Window(1000, 60.0)])
    pacer.told(0.0, "", Window(190, 10.0), remaining=190)
    assert burst(pacer, 0.0, Priority.PERSON) == 190

    pacer.told(10.0, "", Window(50, 10.0), remaining=50)
    assert burst(pacer, 10.0, Priority.PERSON) == 50


def test_a_day_that_is_used_up_lasts_until_its_end() -> None:
    """The vendor counts by the day; its own figure is the better one, whenever it comes."""
    pacer = Pacer([])
    pacer.told_day(1000, 2, 5 * HOUR)

    assert burst(pacer, HOUR) == 2
    assert pacer.closed(HOUR) == 4 * HOUR
    pacer.told_day(1000, 1, 5 * HOUR)
    assert burst(pacer, HOUR) == 1
    assert burst(pacer, 5 * HOUR) == 1000
    assert pacer.closed(5 * HOUR) == DAY


def test_many_calls_are_remembered_in_little_memory() -> None:
    """A limit of 100,000 calls keeps a thousand moments, not a list of every call."""
    pacer = Pacer([Window(100_000, 10_000.0)])
    for second in range(20_000):
        assert pacer.reserve(second / 2) == 0
        pacer.landed(second / 2)

    assert len(pacer._meters[0]._grains) <= 1001


def test_what_is_left_of_a_day_can_be_asked():
    """As the vendor told, less what left since; a day that has ended is whole again."""
    pacer = Pacer([])
    assert pacer.day(0.0) is None
    pacer.told_day(1000, 10, 50.0)
    pacer.reserve(1.0)
    assert pacer.day(20.0) == (1000, 9, 30.0)
    assert pacer.day(60.0) == (1000, 1000, 86_390.0)
