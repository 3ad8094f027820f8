"""The disk is full for a while, from any step on: nothing is lost or doubled, and it goes on by itself."""

from collections.abc import Callable

import pytest

from tests.simulation.full import Full
from tests.simulation.scenes import SCENES

Report = Callable[[str, object], None]

SHARE = 70  # the short form fills it at every so-manieth step
PARTS = 5  # of a scene's steps, each a test that ends within the time a test may take
LONG = ("sale_in_crm", "sale_in_books", "due_in_crm", "pay_in_books", "void_in_crm", "removal_in_books")


def _filled(name: str, first: int, stride: int, record_property: Report) -> None:
    full = Full(SCENES[name])
    for step in range(first, full.steps, stride):
        full.fill(step)
    record_property("figures", ("disk full", dict(full.figures)))
    assert full.wrong == {}


def test_a_full_disk_is_waited_out(record_property: Report) -> None:
    """Webhooks are put off, nothing is sent that was not written down, reads go on; with room again all is done."""
    _filled("sale_in_crm", SHARE // 2, SHARE, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", [*LONG, "rotation_for_books"])
def test_a_disk_full_at_any_step_is_waited_out(name: str, part: int, record_property: Report) -> None:
    """At every statement that changes something, at every commit, and at the keeping of a token."""
    _filled(name, part, PARTS, record_property)
