"""The pacer: windows, pauses, slowing down and winning back."""

from __future__ import annotations

from syncd.core.pacing import LONGEST_PAUSE, Pacer, Window
from syncd.model.record import Priority


def burst(pacer: Pacer, now: float, priority: Priority = Priority.POLL) -> int:
    """How many calls the pacer lets go at one moment."""
    made = 0
    while pacer.reserve(now, priority) == 0:
        made += 1
    return made


def test_a_burst_uses_the_share_and_then_waits_for_the_window_to_slide() -> None:
    """Of 100 calls in 10 s, 95 go at once; the next may go when the first has left the window."""
    pacer = Pacer([Window(100, 10.0)])

    assert burst(pacer, 0.0) == 95
    assert pacer.reserve(4.0) == 6.0
    assert pacer.reserve(10.0) == 0.0


def test_a_person_finds_room_while_a_backlog_has_used_its_share() -> None:
    """The margin above the share lets a few of a person's calls through, never more than the limit."""
    pacer = Pacer([Window(100, 10.0)])
    burst(pacer, 0.0)

    assert pacer.reserve(1.0, Priority.BACKFILL) > 0
    assert 1 <= burst(pacer, 1.0, Priority.PERSON) <= 5


def test_every_window_holds_together() -> None:
    """The narrow window shapes the burst, the wide one the hour."""
    pacer = Pacer([Window(10, 1.0), Window(20, 60.0)], share=1.0)

    assert burst(pacer, 0.0) == 10
    assert burst(pacer, 1.0) == 10
    assert pacer.reserve(2.0) == 58.0


def test_a_refused_call_is_counted_nowhere() -> None:
    """A call that one window holds back takes no room in the others."""
    pacer = Pacer([Window(1, 1.0), Window(2, 100.0)], share=1.0)

    assert pacer.reserve(0.0) == 0
    assert pacer.reserve(0.5) > 0
    assert pacer.reserve(1.0) == 0


def test_the_smallest_limit_still_lets_one_call_through() -> None:
    """A share of a single call is that call."""
    assert burst(Pacer([Window(1, 1.0)]), 0.0) == 1


def test_the_share_of_real_limits_reaches_95_percent() -> None:
    """Rounding the margin down keeps large limits at or above the promised share."""
    for calls in (100, 110, 190, 250, 500):
        assert calls * 0.95 <= burst(Pacer([Window(calls, 10.0)]), 0.0) < calls


def test_the_vendors_own_wait_is_obeyed_and_costs_no_rate() -> None:
    """With Retry-After nothing leaves before, and everything may leave after."""
    pacer = Pacer([Window(100, 10.0)])

    assert pacer.throttled(5.0, 7.0, 0.9) == 7.0
    assert pacer.reserve(5.0, Priority.PERSON) == 7.0
    assert burst(pacer, 12.0) == 95


def test_a_wordless_complaint_halves_the_rate_and_success_restores_it() -> None:
    """Half the calls at first, all of them after a hundred good answers."""
    pacer = Pacer([Window(100, 10.0)])
    pacer.throttled(0.0, None, 0.0)

    assert burst(pacer, 0.0) == 47
    for _ in range(100):
        pacer.succeeded()
    assert burst(pacer, 10.0) == 95


def test_complaints_of_calls_under_way_together_count_once() -> None:
    """Sixteen parallel calls that are refused at once halve the rate once."""
    pacer = Pacer([Window(100, 10.0)])
    pauses = {pacer.throttled(0.0, None, 0.5) for _ in range(16)}

    assert pauses == {0.5}
    assert burst(pacer, 0.5) == 47


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


def test_a_shorter_pause_never_shortens_a_longer_one() -> None:
    """The latest end of all pauses counts."""
    pacer = Pacer([])
    pacer.pause(10.0)
    pacer.pause(5.0)

    assert pacer.reserve(4.0) == 6.0
    assert pacer.reserve(10.0) == 0.0


def test_a_day_of_calls_is_remembered_in_little_memory() -> None:
    """A daily limit of 625,000 calls keeps a thousand moments, not a list of every call."""
    pacer = Pacer([Window(625_000, 86_400.0)])
    for second in range(20_000):
        assert pacer.reserve(float(second)) == 0

    assert len(pacer._meters[0]._grains) <= 1001
