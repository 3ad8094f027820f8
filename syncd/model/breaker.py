"""Circuit breakers by name, and what is counted for them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Breaker(StrEnum):
    """What can be unusual, in the order in which it is asked: who is held by one is not counted by the next."""

    CLOCK = "clock"  # a vendor's clock and ours are apart: what is created would be dated wrongly
    CLOSED = "closed"  # a vendor keeps refusing writes into a period of its books
    RULES = "rules"  # another filter or mapping wants to write to many records
    EMPTY = "empty"  # one side lost all or nearly all it had
    REMOVALS = "removals"
    CREATES = "creates"
    MONEY = "money"
    CHANGES = "changes"  # much of the flow changes at once, as when a vendor changes a format


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much went out of one flow; adds up."""

    removals: int = 0
    creates: int = 0
    changes: int = 0
    ruled: int = 0
    documents: int = 0
    money: Decimal = Decimal(0)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            removals=self.removals + other.removals,
            creates=self.creates + other.creates,
            changes=self.changes + other.changes,
            ruled=self.ruled + other.ruled,
            documents=self.documents + other.documents,
            money=self.money + other.money,
        )
