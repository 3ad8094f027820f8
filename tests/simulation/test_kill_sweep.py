"""The daemon dies at the n-th await, or at the n-th statement, of one scene after the other, for every n."""

from collections.abc import Iterator

import pytest

from tests.simulation.house import House
from tests.simulation.scenes import SCENES, Scene, play

STRIDE = 401  # between two kills in the short form; a prime, so that the points differ from scene to scene
ALL_POINTS = pytest.mark.slow


def _lost(house: House) -> None:
    """The answers to the first writes never come."""
    for vendor in house.world.vendors.values():
        order = {
            "fault": "timeout_after_commit",
            "nth": 1,
            "match": {"method": "POST", "path": ".*(create|update|batch)$"},
        }
        house.world.faults.arm(vendor, order)


def _sweep(scene: Scene, stride: int, first: int) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Every kill of a scene until it runs through, and what the judges found; by await, by statement, answers lost."""
    for name, before in (("await", None), ("statement", None), ("await, answer lost", _lost)):
        point = first
        while True:
            where = {"statements": point} if name == "statement" else {"callbacks": point}
            played = play(scene, **where, before=before or (lambda house: None))  # type: ignore[arg-type]
            yield f"{name} {point}", played.wrong
            if not played.died:
                break
            point += stride


@pytest.mark.parametrize("name", ["sale_in_crm", "payment", "void"])
def test_a_kill_here_and_there_does_no_harm(name: str) -> None:
    """A handful of points of each scene."""
    wrong = {point: found for point, found in _sweep(SCENES[name], STRIDE, 50) if found}
    assert wrong == {}


@ALL_POINTS
@pytest.mark.parametrize("first", range(0, 40, 5))
@pytest.mark.parametrize("name", SCENES)
def test_a_kill_anywhere_does_no_harm(name: str, first: int) -> None:
    """Every fifth await and statement: the points between are those of the same callback's neighbours."""
    wrong = {point: found for point, found in _sweep(SCENES[name], 40, first) if found}
    assert wrong == {}
