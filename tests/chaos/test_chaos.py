"""Sandbox and daemon as processes, people at work, faults, lost webhooks, SIGSTOP and SIGKILL: in the end all is well.

The seed draws what happens; when it happens is up to the machine, so that a failure may need several runs to be seen
again.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.chaos import chaos

SEEDS = range(100, 110)


Record = Callable[[str, object], None]


async def _survived(seed: int, kills: int, life: float, record_property: Record) -> None:
    figures = await chaos(seed, kills, life)
    record_property("figures", ("chaos", dict(figures.happened)))
    record_property("figures", ("chaos, faults", dict(figures.faults)))
    assert figures.wrong == []
    assert figures.happened["kills"] == kills
    assert figures.happened["duplicates"] == figures.happened["differences"] == 0


async def test_three_kills_amid_faults_leave_no_trace(record_property: Record) -> None:
    """A short stretch, each time."""
    await _survived(1, 3, 2.0, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_dozen_kills_amid_faults_leave_no_trace(seed: int, record_property: Record) -> None:
    """Long stretches, 120 kills in all."""
    await _survived(seed, 12, 4.0, record_property)
