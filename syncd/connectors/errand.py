"""What the calls of a piece of work are for: how urgent it is, for which sync, and how long they may wait for room.

Whoever begins a piece of work says so, and everything it calls carries it along, into tasks it starts, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf

import anyio

from syncd.model.record import Priority


@dataclass(slots=True, kw_only=True)
class Errand:
    """A piece of work.

    Attributes:
        sync: whose share its calls come out of; empty for what is for all.
        patience: seconds a call waits for room at most before it is given up unsent.
        gives_way: when this happens, calls that still wait for room are given up unsent at once.
        probe: the vendor was in trouble when it was last asked; until it answers, a question is put only once.
        left: whether a call that may be given up was sent. gave_up: whether one was given up.
    """

    priority: Priority = Priority.POLL
    sync: str = ""
    patience: float = inf
    gives_way: anyio.Event | None = None
    probe: bool = False
    left: bool = False
    gave_up: bool = False


_present: ContextVar[Errand | None] = ContextVar("errand", default=None)


def present() -> Errand:
    """The errand of the running task."""
    return _present.get() or Errand()


@contextmanager
def on(errand: Errand) -> Iterator[Errand]:
    """Run the block on this errand."""
    token = _present.set(errand)
    try:
        yield errand
    finally:
        _present.reset(token)
