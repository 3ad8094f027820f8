"""Whatever is asked of a pacer, in any order: no window is exceeded, no pause broken, nobody waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.pacing import Pacer, Window
from syncd.model.record import Priority

windows = st.lists(
    st.builds(Window, st.integers(1, 30), st.sampled_from([0.5, 1.0, 10.0, 60.0])), min_size=1, max_size=3
)
asks = st.tuples(st.just("ask"), st.floats(0, 3), st.sampled_from(list(Priority)))
complaints = st.tuples(st.just("complain"), st.one_of(st.none(), st.floats(0, 20)), st.floats(0, 1, exclude_max=True))
successes = st.tuples(st.just("succeed"), st.none(), st.none())


@given(
    windows=windows,
    share=st.floats(0.5, 1.0),
    steps=st.lists(st.one_of(asks, asks, asks, complaints, successes), max_size=120),
)
def test_no_window_is_exceeded_and_every_pause_is_honoured(
    windows: list[Window], share: float, steps: list[tuple[str, float | None, float | Priority | None]]
) -> None:
    """Over any sequence of calls, complaints and successes, in every half-open interval of a window's length."""
    pacer, now, paused_until, made = Pacer(windows, share), 0.0, 0.0, []
    for what, amount, other in steps:
        if what == "ask":
            assert isinstance(other, Priority)
            now += amount or 0.0
            wait = pacer.reserve(now, other)
            assert wait >= 0
            if wait == 0:
                assert now >= paused_until
                made.append(now)
        elif what == "complain":
            assert isinstance(other, float)
            paused_until = max(paused_until, now + pacer.throttled(now, amount, other))
        else:
            pacer.succeeded()

    for window in windows:
        for start in made:
            assert sum(start <= at < start + window.seconds for at in made) <= window.calls


@given(windows=windows, calls=st.integers(1, 80), priority=st.sampled_from(list(Priority)))
def test_who_waits_as_told_soon_gets_through(windows: list[Window], calls: int, priority: Priority) -> None:
    """Waiting what the pacer says is enough: no call needs more than a few questions."""
    pacer, now = Pacer(windows), 0.0
    for _ in range(calls):
        for _ in range(2 * len(windows) + 1):
            if (wait := pacer.reserve(now, priority)) == 0:
                break
            now += wait
        else:
            raise AssertionError("still waiting")
