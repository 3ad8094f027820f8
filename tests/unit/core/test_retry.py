"""What follows a write that did not succeed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.catalogue import Group, entries
from syncd.core.retry import (
    ATTEMPTS_A_DAY,
    LONGEST_WAIT,
    OutcomeLost,
    Rejected,
    RetryAt,
    Throttled,
    Transient,
    WaitForChange,
    WaitForPerson,
    decide_retry,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("attempt", "ceiling"), [(0, 30), (1, 60), (5, 960), (9, 15_360)])
def test_passing_faults_wait_below_a_doubling_ceiling(attempt: int, ceiling: float) -> None:
    """Full jitter between a short floor and 30 s x 2^n."""
    assert decide_retry(Transient(), attempt, NOW, 0.0) == RetryAt(after(5))
    longest = decide_retry(Transient(), attempt, NOW, 0.999999)
    assert isinstance(longest, RetryAt)
    assert ceiling * 0.99 < (longest.when - NOW).total_seconds() <= ceiling <= LONGEST_WAIT


def test_after_ten_attempts_a_person_decides() -> None:
    """No record knocks for ever."""
    assert isinstance(decide_retry(Transient(), ATTEMPTS_A_DAY - 1, NOW, 0.5), RetryAt)
    assert decide_retry(Transient(), ATTEMPTS_A_DAY, NOW, 0.5) == WaitForPerson("vendor_rejected")


def test_a_passing_fault_never_returns_before_the_vendor_asked() -> None:
    """Retry-After on a server error is a floor."""
    assert decide_retry(Transient(), 0, NOW, 0.5, retry_after=600) == RetryAt(after(600))


def test_throttling_obeys_the_vendor_and_costs_no_attempt() -> None:
    """However often it happens."""
    assert decide_retry(Throttled(), 50, NOW, 0.9, retry_after=7) == RetryAt(after(7), counts=False)


def test_wordless_throttling_waits_at_most_a_minute() -> None:
    """1 s doubling to 60 s, drawn at random."""
    assert decide_retry(Throttled(), 0, NOW, 0.5) == RetryAt(after(0.5), counts=False)
    assert decide_retry(Throttled(), 50, NOW, 0.5) == RetryAt(after(30), counts=False)


@pytest.mark.parametrize("category", [row.code for row in entries(Group.FAILED)])
def test_refusals_are_never_tried_again_by_themselves(category: str) -> None:
    """They wait for a change or for a person, as the catalogue says, whatever was asked."""
    decision = decide_retry(Rejected(category), 0, NOW, 0.5, retry_after=1)

    assert decision in (WaitForChange(category), WaitForPerson(category))


def test_a_missing_customer_waits_for_a_change_and_an_unknown_outcome_for_a_person() -> None:
    """One of each."""
    assert decide_retry(Rejected("customer_missing"), 0, NOW, 0.5) == WaitForChange("customer_missing")
    assert decide_retry(Rejected("unknown_outcome"), 0, NOW, 0.5) == WaitForPerson("unknown_outcome")


def test_a_lost_outcome_is_looked_for_until_its_bound_and_once_at_it() -> None:
    """2 s, 5 s, 15 s, 30 s, then every minute; the last look is exactly at the bound, then a person decides."""
    lost, now, looks = OutcomeLost(after(200)), NOW, []
    while isinstance(decision := decide_retry(lost, len(looks), now, 0.5), RetryAt):
        assert not decision.counts
        now = decision.when
        looks.append((now - NOW).total_seconds())

    assert looks == [2, 7, 22, 52, 112, 172, 200]
    assert decision == WaitForPerson("unknown_outcome")
