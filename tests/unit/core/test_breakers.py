"""Circuit breakers: what trips them, what a busy but normal day may do without tripping one, and how they let go."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from syncd.core.breakers import Limits, Move, Standing, busiest, judge, suspected, told
from syncd.core.catalogue import LANGUAGES_OF_BREAKERS
from syncd.model.breaker import Breaker, Tally

GROWN = Standing(linked=1000, volume=Decimal(1_000_000))
LIMITS = Limits()
DAY = date(2026, 3, 31)


def _moves(n: int, **what: object) -> list[Move]:
    return [Move(record=f"r{number}", **what) for number in range(n)]  # type: ignore[arg-type] # fields of Move


NORMAL = {
    "a month's invoices": (_moves(200, creates=True), GROWN),
    "a quarter of the contacts corrected": (_moves(250, changes=True), GROWN),
    "some voids": (_moves(90, removes=True), GROWN),
    "twenty voids in a small flow": (_moves(20, removes=True), Standing(linked=30)),
    "one invoice of half the volume": (_moves(1, changes=True, money=Decimal(500_000)), GROWN),
    "a price rise of some percent": (_moves(200, changes=True, money=Decimal(50)), GROWN),
    "four deletions of four": (_moves(4, removes=True, lost=True), Standing(linked=4)),
    "a first load": (_moves(5000, creates=True), Standing(linked=0, young=True)),
    "an hour like the busiest so far": (_moves(1400, creates=True), Standing(linked=1000, busiest=500)),
    "another filter for a few": (_moves(15, creates=True, ruled=True), GROWN),
    "a clock that is a minute off": (_moves(5, creates=True), Standing(linked=1000, skew=timedelta(minutes=1))),
    "a few refusals": (_moves(5, creates=True, day=DAY), Standing(linked=1000, refusals=19, closed=DAY)),
    "an open period": (
        _moves(5, creates=True, day=DAY + timedelta(days=1)),
        Standing(linked=1000, refusals=90, closed=DAY),
    ),
    "what was refused, now that the books are open": (
        _moves(30, creates=True, day=DAY, refused=True),
        Standing(linked=1000, refusals=30, closed=DAY),
    ),
    "balances that follow payments": (_moves(900), GROWN),
}

UNUSUAL = {
    Breaker.CLOCK: (_moves(1, creates=True), Standing(linked=1000, skew=timedelta(hours=1))),
    Breaker.CLOSED: (_moves(1, creates=True, day=DAY), Standing(linked=1000, refusals=20, closed=DAY)),
    Breaker.RULES: (_moves(101, changes=True, ruled=True), GROWN),
    Breaker.EMPTY: (_moves(12, removes=True, lost=True), Standing(linked=12)),
    Breaker.REMOVALS: (_moves(101, removes=True), GROWN),
    Breaker.CREATES: (_moves(501, creates=True), GROWN),
    Breaker.MONEY: (_moves(20, changes=True, money=Decimal(50_000)), GROWN),
    Breaker.CHANGES: (_moves(301, changes=True), GROWN),
}


@pytest.mark.parametrize("what", NORMAL)
def test_normal_bookkeeping_trips_nothing(what: str) -> None:
    """What a flow may see on a busy day goes out, and is counted."""
    moves, standing = NORMAL[what]
    assert judge(moves, standing, LIMITS).held == {}


@pytest.mark.parametrize("breaker", UNUSUAL)
def test_what_is_unusual_is_held_whole_and_by_name(breaker: Breaker) -> None:
    """All of it is held by the one breaker it is about, and nothing of it counts as done."""
    moves, standing = UNUSUAL[breaker]
    verdict = judge(moves, standing, LIMITS)
    assert verdict.held == {move.record: breaker for move in moves}
    assert verdict.passed == Tally()
    for language in LANGUAGES_OF_BREAKERS:
        title, words = told(breaker, verdict.figures[breaker], language)
        assert title
        assert "{" not in words


@pytest.mark.parametrize("breaker", UNUSUAL)
def test_what_a_person_released_goes_and_is_no_measure(breaker: Breaker) -> None:
    """What was held goes, no other breaker stops it again, and it does not count against what comes next."""
    moves, standing = UNUSUAL[breaker]
    was_held = [Move(**{name: getattr(m, name) for name in Move.__slots__} | {"held": breaker}) for m in moves]
    released = Standing(
        **{name: getattr(standing, name) for name in Standing.__slots__} | {"released": frozenset({breaker})}
    )
    verdict = judge(was_held, released, LIMITS)
    assert (verdict.held, verdict.passed) == ({}, Tally())


def test_a_mass_change_in_several_turns_counts_together() -> None:
    """Pages of a poll come turn by turn: what went out within the hour is added."""
    before = Standing(linked=1000, recent=Tally(removals=90))
    assert set(judge(_moves(11, removes=True), before, LIMITS).held.values()) == {Breaker.REMOVALS}


def test_a_tripped_breaker_holds_its_kind_and_nothing_else() -> None:
    """One more removal is held however few they are by now; a new invoice goes."""
    tripped = Standing(linked=1000, tripped=frozenset({Breaker.REMOVALS}))
    verdict = judge([Move(record="void", removes=True), Move(record="new", creates=True)], tripped, LIMITS)
    assert verdict.held == {"void": Breaker.REMOVALS}
    assert verdict.passed == Tally(creates=1)


def test_a_record_counts_once_however_often_it_is_edited() -> None:
    """Fifty edits of one contact are no mass change."""
    standing = Standing(linked=100, recent=Tally(changes=50))
    again = [Move(record="r0", changes=True)]
    assert judge(again, standing, LIMITS, frozenset({"r0"})).held == {}
    assert judge(again, standing, LIMITS).held == {"r0": Breaker.CHANGES}


def test_a_sum_that_is_set_holds_even_one_document() -> None:
    """With a figure of its own the breaker needs no other measure, and what is usual need not be known."""
    (move,) = _moves(1, changes=True, money=Decimal("50000.01"))
    limits = Limits(money=Decimal(50_000))
    assert suspected([move], Tally(), limits) == frozenset()
    assert judge([move], GROWN, limits).held == {"r0": Breaker.MONEY}
    assert judge([move], GROWN, Limits(money=Decimal(50_001))).held == {}


def test_what_is_usual_is_asked_only_where_it_can_matter() -> None:
    """The busiest hour and the volume cost a look at many rows."""
    assert suspected(_moves(100, creates=True), Tally(), LIMITS) == frozenset()
    assert suspected(_moves(101, creates=True), Tally(), LIMITS) == {Breaker.CREATES}
    assert suspected(_moves(11, money=Decimal(1)), Tally(), LIMITS) == {Breaker.MONEY}


def test_the_busiest_hour_is_one_of_the_clock() -> None:
    """Tens of minutes of the same hour count together."""
    at = datetime(2026, 3, 31, 14, 0, tzinfo=UTC)
    counted = [(at, 3), (at + timedelta(minutes=50), 4), (at + timedelta(minutes=60), 5)]
    assert busiest(counted) == 7


def test_both_languages_name_every_breaker() -> None:
    """Each has a title and words that its figures fill."""
    for texts in LANGUAGES_OF_BREAKERS.values():
        assert set(texts) == {breaker.value for breaker in Breaker}
