"""Looks for stories that end badly, in several processes, for so long."""

import logging
import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial

import structlog

from tests.simulation.figures import Figures
from tests.simulation.story import Ended, tell

AHEAD = 3  # stories given to each process beforehand


def hunt(
    seeds: Iterable[int], steps: int, seconds: float, jobs: int, say: Callable[[str], None], **how: bool
) -> Figures:
    """Tell stories until the time is over; those that have begun by then are told to their end.

    Args:
        say: hears of each that ended badly. how: as `tell` takes it.
    """
    begun, figures, pending, rest = time.monotonic(), Figures(), set[Future[Ended]](), iter(seeds)
    tale = partial(told, steps=steps, **how)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), initializer=quiet) as pool:
        while True:
            while len(pending) < jobs * AHEAD and time.monotonic() - begun < seconds:
                pending.add(pool.submit(tale, next(rest)))
            if not pending:
                break
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for each in done:
                figures.add(ended := each.result())
                if ended.wrong:
                    say(ended.words())
    figures.seconds = time.monotonic() - begun
    return figures


def told(seed: int, steps: int, **how: bool) -> Ended:
    """A story; one that cannot be told to its end is a finding too. Without what was done: the seed tells it again."""
    try:
        ended = tell(seed, steps, **how)
    except Exception:
        return Ended(
            seed=seed, steps=steps, wrong={"broken": [traceback.format_exc()]}, digest="", early=how.get("early", False)
        )
    ended.told.clear()
    return ended


def quiet() -> None:
    """The simulation says what it found; the engine's own log would drown it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
