"""What carrying out a plan costs at a vendor: calls, and the least time its limits allow them in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from syncd.core.pacing import Window, usable
from syncd.core.planned import Entry
from syncd.model.record import Op, Priority

LOOKS = 2  # of each batch of updates where there is no lock: the record before the write, its history after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """How one vendor counts.

    Attributes:
        batch: writes a call takes. windows: the limits that count writes.
        own_lines: lines are written by calls of their own. locked: updates need no look before and after.
    """

    batch: int
    windows: tuple[Window, ...]
    own_lines: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls, and the seconds they take at least."""

    calls: int
    seconds: int


def cost(entries: Iterable[Entry], tariff: Tariff) -> Cost:
    """What these commands, all of one connection, cost."""
    listed = list(entries)
    groups = Counter((entry.op, entry.kind) for entry in listed)
    calls = 0
    for (op, _), count in groups.items():
        requests = ceil(count / tariff.batch)
        calls += requests * (1 + LOOKS) if op == Op.UPDATE and not tariff.locked else requests
    if tariff.own_lines:
        calls += ceil(sum(entry.lines or 0 for entry in listed) / tariff.batch)
    return Cost(calls, _seconds(calls, tariff.windows))


def _seconds(calls: int, windows: Sequence[Window]) -> int:
    paced = [w for w in windows if w.seconds > 0 and calls > w.calls]
    return max((ceil(calls * w.seconds / usable(w.calls, Priority.BACKFILL)) for w in paced), default=0)
