"""Who calls next, of all that wait for room at one account.

The most urgent goes first. Within one urgency the syncs that share the account take turns by how much each has had, so
that one sync's backlog holds nobody else's up. And nobody waits for ever: a call that others were preferred to so often
goes next, as if a person had asked for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

from syncd.core.pacing import Pacer
from syncd.model.record import Priority

PASSED_OVER = 16  # how many more urgent calls may go before one that waits

Rank = tuple[Priority, str]
"""A priority and a sort of calls: those who wait in one rank differ in their sync and in how long they have waited."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One call that waits. `share` is the sync it is for."""

    priority: Priority
    share: str
    sort: str


class Queue:
    """Admits calls at a pacer's pace."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._ranks: dict[Rank, dict[str, deque[Waiting]]] = {}
        self._had: dict[str, int] = {}
        self._time = 0  # what the sync that went last had had before
        self._passed: dict[Rank, int] = {}

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._ranks)

    def join(self, priority: Priority, share: str, sort: str) -> Waiting:
        """Wait for a place."""
        if not any(share in lines for lines in self._ranks.values()):
            # A sync that comes back has no claim to what it did not use meanwhile.
            self._had[share] = max(self._had.get(share, 0), self._time)
        one = Waiting(priority, share, sort)
        self._ranks.setdefault((priority, sort), {}).setdefault(share, deque()).append(one)
        return one

    def leave(self, one: Waiting) -> None:
        """Wait no more."""
        rank = (one.priority, one.sort)
        line = self._ranks[rank][one.share]
        line.remove(one)
        if not line:
            del self._ranks[rank][one.share]
        if not self._ranks[rank]:
            del self._ranks[rank]

    def admit(self, now: float) -> tuple[list[Waiting], float]:
        """Those who may leave now (each counts as under way at the pacer), and the seconds until the next might.

        The seconds are infinite when only something that lands, or someone who joins, can change anything.
        """
        admitted: list[Waiting] = []
        while True:
            soonest = inf
            for rank in sorted(self._ranks, key=lambda rank: (not self._due(rank), rank)):
                urgency = Priority.PERSON if self._due(rank) else rank[0]
                wait = self._pacer.reserve(now, urgency, rank[1])
                if wait == 0:
                    admitted.append(self._first(rank))
                    self._went(admitted[-1], now)
                    break
                soonest = min(soonest, wait)
            else:
                return admitted, soonest

    def _due(self, rank: Rank) -> bool:
        return self._passed.get(rank, 0) >= PASSED_OVER

    def _first(self, rank: Rank) -> Waiting:
        lines = self._ranks[rank]
        return lines[min(lines, key=lambda share: self._had[share])][0]

    def _went(self, gone: Waiting, now: float) -> None:
        self.leave(gone)
        self._time = self._had[gone.share]
        self._had[gone.share] += 1
        self._passed.pop((gone.priority, gone.sort), None)
        taken = self._pacer.counting(gone.sort)
        for rank in self._ranks:
            # What another limit holds back was not passed over by this one.
            if rank[0] > gone.priority and self._pacer.in_the_way(now, *rank) <= taken:
                self._passed[rank] = self._passed.get(rank, 0) + 1
