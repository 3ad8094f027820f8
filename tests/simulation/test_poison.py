"""Promise 11: one record in a hundred always fails. The others do not pay for it, and a cure frees it at once."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.simulation.poison import Ward, ward

DEARER = 1.05  # times the calls of the same work without a bad record
A_DAY = 86_400.0
TRIES = 10  # a day
REFUSED = {"code": "2050", "message": "Too long"}
IN_ERROR = {"code": "10000", "message": "An application error has occurred"}


def _created(sales: int, *, poisoned: bool) -> tuple[Ward, int]:
    """New invoices, which the books refuse if they are bad."""
    made = ward()
    made.sell(sales, poisoned=poisoned)
    made.fall_ill(REFUSED)
    return made, made.until_done(sales - len(made.bad))


def _changed(sales: int, *, poisoned: bool) -> tuple[Ward, int]:
    """Changed invoices, over which the books stumble if they are bad."""
    made = ward()
    made.sell(sales, poisoned=False)
    made.until_done(sales)
    made.house.run(600)
    made.fall_ill(IN_ERROR)
    made.put_off(poisoned=poisoned)
    return made, made.until_done(sales - len(made.bad))


WAYS = pytest.mark.parametrize(
    ("way", "state", "later"),
    [
        pytest.param(_created, ("failed", "field_value_invalid"), ("failed", "field_value_invalid"), id="refused"),
        pytest.param(_changed, ("pending", "retry"), ("failed", "vendor_rejected"), id="in error"),
    ],
)
Way = Callable[..., tuple[Ward, int]]


def _tried_rarely(made: Ward) -> None:
    """Minutes apart; a new invoice once more when a poll shows it with its lines."""
    assert len(made.tries) == len(made.bad)
    for times in made.tries.values():
        waits = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) <= TRIES + 1
        assert all(wait > timedelta(minutes=1) for wait in waits[1:])


def _freed_by_a_cure(made: Ward) -> None:
    made.cure()
    made.until_done(len(made.bad))
    made.house.run(60)
    assert made.states() == {("synced", "")}


@WAYS
def test_a_few_bad_records_cost_the_others_nothing(way: Way, state: tuple[str, str], later: tuple[str, str]) -> None:
    """Two of 200: seen as what they are, tried rarely, and in the books at once when they are cured."""
    _, clean = way(200, poisoned=False)
    made, used = way(200, poisoned=True)
    assert used <= DEARER * clean + 1
    made.house.run(1800)
    assert made.states() == {state}
    _tried_rarely(made)
    cured_at = made.house.time.elapsed()
    _freed_by_a_cure(made)
    assert made.house.time.elapsed() - cured_at < 600
    made.house.kill()


@pytest.mark.slow
@WAYS
def test_a_hundred_bad_records_of_ten_thousand(
    way: Way, state: tuple[str, str], later: tuple[str, str], record_property: Callable[[str, object], None]
) -> None:
    """Five thousand invoices with their customers; after a day the bad ones are a person's matter."""
    _, clean = way(5000, poisoned=False)
    made, used = way(5000, poisoned=True)
    record_property("figures", (f"poison, {later[1]}", {"calls": used, "calls without": clean, "bad": len(made.bad)}))
    assert used <= DEARER * clean
    assert made.states() == {state}
    made.house.run(A_DAY)
    assert made.states() == {later}
    _tried_rarely(made)
    _freed_by_a_cure(made)
    made.house.kill()
