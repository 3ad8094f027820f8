"""How much may come through a listener at once: connections, connections of one address, bytes held in memory."""

from __future__ import annotations

from collections import Counter
from enum import Enum, auto


class Entry(Enum):
    """What becomes of a connection."""

    ADMITTED = auto()
    EXCESS = auto()  # answered that it should come later
    REFUSED = auto()  # more than can be answered: closed at once


class Gate:
    """Counts what is inside.

    Args:
        most: connections, and as many again to be turned away politely. per_address: of them from one address.
        most_bytes: of bodies that are being read.
    """

    def __init__(self, most: int, per_address: int, most_bytes: int) -> None:
        self._most = most
        self._per_address = per_address
        self._most_bytes = most_bytes
        self._by_address: Counter[str] = Counter()
        self._bytes = 0

    def enter(self, address: str) -> Entry:
        """A connection opened; `leave` has to be called when it is closed, whatever became of it."""
        self._by_address[address] += 1
        inside, own = self._by_address.total(), self._by_address[address]
        if inside > 2 * self._most or own > 2 * self._per_address:
            return Entry.REFUSED
        return Entry.EXCESS if inside > self._most or own > self._per_address else Entry.ADMITTED

    def leave(self, address: str) -> None:
        """A connection is closed."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def hold(self, size: int) -> bool:
        """Take bytes into memory; whether there is room. `release` them in either case."""
        self._bytes += size
        return self._bytes <= self._most_bytes

    def release(self, size: int) -> None:
        """Bytes are out of memory again."""
        self._bytes -= size
