"""What becomes of one request: the answer, and how it travels. Values only, so that no socket is needed to use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from syncd.sandbox.base import Request, Response, Vendor


class Ending(Enum):
    """How the exchange ends for the client. Whether the vendor acted is told by its journal alone."""

    ANSWERED = "the whole answer arrives"
    DROPPED = "the connection is closed without a byte"
    RESET = "the connection is reset without a byte"
    CUT = "half of the promised body, then the connection is closed"
    BROKEN = "half of the promised body, then the connection is reset"
    DRIPPED = "the body arrives in small pieces with pauses"
    ENDLESS = "the body is followed by blanks until the client hangs up"


@dataclass(frozen=True, slots=True)
class Late:
    """The second half of a delivery: the vendor gets the request at `at`, when nobody waits for the answer any more."""

    at: datetime
    commit: Callable[[datetime], Delivery]


@dataclass(frozen=True, slots=True)
class Delivery:
    """`wait` seconds pass before the first byte or the ending; `piece` bytes and `gap` seconds belong to DRIPPED.

    `late` is for the world, which carries it out when its time has come; whoever gets the delivery only reads it.
    """

    response: Response | None = None
    wait: float = 0.0
    ending: Ending = Ending.ANSWERED
    piece: int = 1
    gap: float = 0.0
    late: Late | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way to its vendor, as a fault sees it. `pass_on` is the rest of the way."""

    vendor: Vendor
    request: Request
    now: datetime
    pass_on: Callable[[datetime], Delivery]

    def proceed(self) -> Delivery:
        """Let the request through now."""
        return self.pass_on(self.now)
