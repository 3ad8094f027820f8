"""However a record fares, it has one status with a code that fits, and nobody retries without end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.catalogue import CATALOGUE, Group, entries
from syncd.core.lifecycle import ImpossibleTransition, excluded, failed, pending, synced
from syncd.core.retry import (
    ATTEMPTS_A_DAY,
    LONGEST_WAIT,
    OutcomeLost,
    RetryAt,
    Throttled,
    Transient,
    decide_retry,
)
from syncd.model.record import Record, Status

START = datetime(2026, 11, 1, tzinfo=UTC)
Step = Callable[[Record, datetime], Record]


def steps() -> st.SearchStrategy[Step]:
    def codes(group: Group) -> st.SearchStrategy[str]:
        return st.sampled_from([row.code for row in entries(group)])

    return st.one_of(
        codes(Group.PENDING).map(lambda code: lambda record, now: pending(record, code, now, waits_for="record:x")),
        codes(Group.FAILED).map(lambda code: lambda record, now: failed(record, code, "words", now)),
        codes(Group.EXCLUDED).map(lambda code: lambda record, now: excluded(record, code, now, "words")),
        st.sampled_from([(), ("payment_mirrored",)]).map(lambda notes: lambda record, now: synced(record, now, notes)),
    )


@given(st.lists(steps(), max_size=30))
def test_status_and_code_always_fit_and_since_is_when_they_began(taken: list[Step]) -> None:
    """What cannot be raises and leaves the record as it was."""
    record, began, now = Record(id="a", sync="s", flow="f", since=START), START, START
    for step in taken:
        now += timedelta(minutes=1)
        try:
            after = step(record, now)
        except ImpossibleTransition:
            continue
        if (after.status, after.code) != (record.status, record.code):
            began = now
        record = after
        assert record.since == began
        assert record.code == "" if record.status is Status.SYNCED else CATALOGUE[record.code].group == record.status
        if record.status is Status.SYNCED:
            assert (record.words, record.waits_for, record.next_at, record.attempts) == ("", None, None, 0)


errors = st.sampled_from([Transient(), Throttled(), OutcomeLost(START + timedelta(minutes=10))])


@given(errors, st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.one_of(st.none(), st.floats(1, 3600)))
def test_retries_are_never_too_early_nor_too_late(
    error: Transient | Throttled | OutcomeLost, attempt: int, fraction: float, retry_after: float | None
) -> None:
    """Never before now or before the vendor asked, never after the ceiling, never more than ten that count."""
    decision = decide_retry(error, attempt, START, fraction, retry_after)

    if isinstance(decision, RetryAt):
        wait = (decision.when - START).total_seconds()
        assert 0 <= wait <= LONGEST_WAIT
        if retry_after is not None and not isinstance(error, OutcomeLost):
            assert wait >= retry_after - 1e-6
        assert not decision.counts or attempt < ATTEMPTS_A_DAY
    else:
        assert isinstance(error, Transient)
        assert attempt >= ATTEMPTS_A_DAY
