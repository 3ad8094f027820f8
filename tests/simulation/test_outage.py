"""Promise 16: a vendor is down for a day. Its connection is in trouble, no record is, and then all is made up for."""

from collections.abc import Callable

import pytest

from tests.simulation.outage import Caught, outage

SLACK = 1.2  # times what the vendor's limits want for the calls that were made
ROUND_TRIPS = 2.0  # seconds: a small backlog meets no limit, its calls merely follow one another
VENDORS = pytest.mark.parametrize("down", ["quickbooks", "hubspot"])


def _judged(caught: Caught) -> None:
    assert caught.wrong == {}
    assert caught.blamed == set()
    assert caught.condition == "vendor_unavailable"
    assert caught.probes == 1
    assert caught.refused == 0
    assert caught.drained <= SLACK * caught.needed + ROUND_TRIPS


@VENDORS
def test_an_outage_of_half_an_hour_is_made_up_for(down: str) -> None:
    """The short form of the next one."""
    caught = outage(down, sales=20, hours=0.5)
    _judged(caught)
    assert caught.backlog > 20


@pytest.mark.slow
@VENDORS
def test_an_outage_of_a_day_is_made_up_for(down: str, record_property: Callable[[str, object], None]) -> None:
    """Hundreds of sales at the other side: no record fails, one probe a minute, no more time than limits want."""
    caught = outage(down, sales=600)
    figures = {"backlog": caught.backlog, "calls": caught.calls.total(), "refused": caught.refused}
    seconds = {"drained s": round(caught.drained), "needed s": round(caught.needed)}
    record_property("figures", (f"a day without {down}", figures | seconds))
    _judged(caught)
    assert caught.calls.total() <= 0.2 * caught.backlog
