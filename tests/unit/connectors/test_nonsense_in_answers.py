"""Numbers, times and life spans nobody can mean: refused where they are read, so that nothing is made of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.client import by_number
from syncd.connectors.oauth import Grant
from syncd.connectors.quickbooks import mapping as quickbooks
from syncd.connectors.quickbooks.client import objects
from syncd.connectors.quickbooks.mapping import Reading
from syncd.connectors.quickbooks.wire import instant
from syncd.model.money import sensible
from syncd.model.references import Kind
from tests.unit.connectors.test_token_keeping import House

BEYOND = ("9" * 40, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+20", "-1E+400", "1E-400", "0E-400"])
def test_no_number_to_calculate_with(text: str) -> None:
    """Sums have 28 digits: what would not fit, or fill the memory when printed, is no amount."""
    assert not sensible(Decimal(text))


@pytest.mark.parametrize("text", ["0", "-0.01", "99999999999999999999.99", "33.333333333333336", "1E+3", "1.1E-16"])
def test_numbers_that_occur(text: str) -> None:
    """Also those that were computed in binary."""
    assert sensible(Decimal(text))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1E+400"])
def test_an_invoice_of_no_number_is_torn(text: str) -> None:
    """QuickBooks' amounts are numbers; one in a text is read, too, unless it is none."""
    raw = {"Id": "1", "SyncToken": "0", "TotalAmt": text, "Balance": Decimal(0)}
    seen = quickbooks.snapshot(Kind.INVOICE, raw, Reading(home_currency="USD"))

    assert seen.torn
    assert seen.noun is None


@pytest.mark.parametrize("text", BEYOND)
def test_a_time_beyond_all_calendars_is_none(text: str) -> None:
    """Whatever the reason why it cannot be held, it is told in one way."""
    with pytest.raises(ValueError):
        moments.parse(text)
    with pytest.raises(ValueError):
        instant(text)
    with pytest.raises(ConnectionTrouble) as trouble:
        moments.stamped(text)
    assert trouble.value.condition is Condition.MALFORMED_ANSWER


def test_an_object_without_an_id_spoils_the_answer() -> None:
    """There is nothing it could be known by; and an id is text."""
    for row in ({}, {"Id": ""}, {"Id": 7}, {"Id": None}, [], None, "x"):
        with pytest.raises(ConnectionTrouble):
            objects([{"Id": "1"}, row])


def test_ids_sort_as_they_were_given_out() -> None:
    """Also those that only look like numbers."""
    made = sorted(["10", "9", "²", "100", "x", "9" * 5000], key=by_number)

    assert [id for id in made if id not in "²x"] == ["9", "10", "100", "9" * 5000]


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300, -1e300, -1.0])
async def test_an_absurd_life_of_a_token_does_not_cost_the_token(seconds: float) -> None:
    """It is kept before anything is made of what is said about it."""
    house = House()
    await house.connected()
    grant = house.vendor.grant
    house.vendor.grant = lambda: Grant(access_token="odd", seconds=seconds, refresh_token=grant().refresh_token)

    assert await house.process().access() == "odd"
    kept = msgspec.json.decode(house.disk.kept["books.oauth"])
    assert kept["refresh_token"] == house.vendor.living[-1]
    assert datetime.fromisoformat(kept["expires_at"]) <= house.clock.now() + timedelta(days=366)
