"""Promise 25: told to stop at any moment, with work under way: over in 20 seconds, and nothing is lost or doubled."""

import random
from collections.abc import Callable

import pytest

from tests.simulation import bench, checkers
from tests.simulation.house import VENDORS, House
from tests.simulation.people import People
from tests.simulation.story import late_writes, plain, settle

LONGEST = 20.0  # seconds a stop may take
SLOW = {"slow": {"delay": 40}, "timeout_after_commit": {"hold": 40}, "late_commit": {"delay": 30, "hold": 40}}
"""What keeps a daemon waiting that would like to stop."""


def _stopped(house: House) -> float:
    """SIGTERM, now; the seconds until the daemon is over."""
    life, begun = house.life, house.time.elapsed()
    assert life is not None
    if life.until is None:
        house.kill()  # it has not even begun
        return 0.0
    life.loop.call_soon(life.until.set)
    assert life.over is not None
    while not life.over.done():
        life.loop.run_for(0.05)
        assert house.time.elapsed() - begun <= LONGEST
    life.over.result()
    seconds = house.time.elapsed() - begun
    house.kill()
    return seconds


def _stops(seed: int, stops: int) -> tuple[dict[str, list[str]], float]:
    """So many lives of a daemon that end by a stop; what the judges found, and the longest stop."""
    house, draw = plain().house(seed), random.Random(seed)
    begun = {vendor: len(house.world.vendors[vendor].journal.entries) for vendor in VENDORS}
    people, longest = People(house, random.Random(seed + 2)), 0.0
    for _ in range(stops):
        for _ in range(draw.randint(1, 4)):
            people.act()
            house.run(0.05)  # nobody does two things at the very same moment
        if draw.random() < 0.1:
            fault = draw.choice(list(SLOW))
            order = {"fault": fault, "options": SLOW[fault], "times": 1, "nth": draw.randint(1, 8)}
            house.world.faults.arm(house.world.vendors[draw.choice(VENDORS)], order)
        house.start()
        house.run(draw.choice((0.3, 1.0, 2.0, 2.0, 3.0, 5.0, 8.0)) * draw.random())
        longest = max(longest, _stopped(house))
        house.run(draw.choice((1.0, 10.0)))
    house.world.faults.clear()
    house.run(3700)
    house.start()
    unsettled = not settle(house)
    late = late_writes(house)
    house.kill()
    return bench.judge(checkers.gather(house, begun, late, unsettled)), longest


def test_stops_at_random_moments_do_no_harm() -> None:
    """A few lives after one another; a vendor that keeps silent holds no stop up."""
    wrong, _ = _stops(1, 20)
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_thousand_stops_do_no_harm(seed: int, record_property: Callable[[str, object], None]) -> None:
    """A hundred lives of each seed."""
    wrong, longest = _stops(seed, 100)
    record_property("figures", ("stops, virtual", {"stops": 100, "longest s, summed": round(longest, 1)}))
    assert wrong == {}
