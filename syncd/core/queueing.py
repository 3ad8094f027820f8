"""Who calls next, of all that wait for room at one account.

The most urgent goes first. Within one urgency the syncs that share the account take turns by how much each has had, so
that one sync's backlog holds nobody else's up. And nobody waits for ever: a call that others were preferred to so often
goes next, as if a person had asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from syncd.core.pacing import Pacer
from syncd.model.record import Priority

PASSED_OVER = 16  # how many more urgent calls may go before one that waits


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One call that waits. `share` is the sync it is for, `number` counts up as they join."""

    priority: Priority
    share: str
    sort: str
    number: int


class Queue:
    """Admits calls at a pacer's pace."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._waiting: list[Waiting] = []
        self._joined = 0
        self._had: dict[str, int] = {}
        self._time = 0  # what the one who went last had had before
        self._passed: dict[tuple[Priority, str], int] = {}

    def join(self, priority: Priority, share: str, sort: str) -> Waiting:
        """Wait for a place."""
        self._joined += 1
        if all(one.share != share for one in self._waiting):
            # A sync that comes back has no claim to what it did not use meanwhile.
            self._had[share] = max(self._had.get(share, 0), self._time)
        one = Waiting(priority, share, sort, self._joined)
        self._waiting.append(one)
        return one

    def leave(self, one: Waiting) -> None:
        """Give up waiting."""
        self._waiting.remove(one)

    def admit(self, now: float) -> tuple[list[Waiting], float]:
        """Those who may leave now (each counts as under way at the pacer), and the seconds until the next might.

        The seconds are infinite when only something that lands, or someone who joins, can change anything.
        """
        admitted: list[Waiting] = []
        while True:
            soonest = inf
            for one in self._heads():
                urgency = Priority.PERSON if self._due(one) else one.priority
                wait = self._pacer.reserve(now, urgency, one.sort)
                if wait == 0:
                    self._went(one, now)
                    admitted.append(one)
                    break
                soonest = min(soonest, wait)
            else:
                return admitted, soonest

    def _heads(self) -> Iterable[Waiting]:
        """The first of each sort and priority, the most urgent first."""
        heads: dict[tuple[Priority, str], Waiting] = {}
        for one in sorted(self._waiting, key=lambda one: (self._had[one.share], one.number)):
            heads.setdefault((one.priority, one.sort), one)
        return sorted(
            heads.values(), key=lambda one: (not self._due(one), one.priority, self._had[one.share], one.number)
        )

    def _due(self, one: Waiting) -> bool:
        return self._passed.get((one.priority, one.sort), 0) >= PASSED_OVER

    def _went(self, gone: Waiting, now: float) -> None:
        self._waiting.remove(gone)
        self._time = self._had[gone.share]
        self._had[gone.share] += 1
        self._passed.pop((gone.priority, gone.sort), None)
        taken = self._pacer.counting(gone.sort)
        for priority, sort in {(one.priority, one.sort) for one in self._waiting if one.priority > gone.priority}:
            # What another limit holds back was not passed over by this one.
            if self._pacer.in_the_way(now, priority, sort) <= taken:
                self._passed[priority, sort] = self._passed.get((priority, sort), 0) + 1
