"""How many webhooks came and what became of them; the log hears of it once a minute at most, whoever floods us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import structlog

from syncd.clock import Clock
from syncd.connectors.webhooks import Reason

log = structlog.get_logger("syncd.webhooks")

SELDOM = 60.0  # seconds between two lines about the same


@dataclass(slots=True)
class Received:
    """Since the start, at one connection's door.

    Attributes:
        accepted, duplicate, dropped: events that were stored, were known already, or are about an account or a kind of
            entity that is not synced.
        refused: requests that are not genuine. deferred: requests the vendor was asked to repeat later.
    """

    accepted: int = 0
    duplicate: int = 0
    dropped: int = 0
    refused: int = 0
    deferred: int = 0


class Receipts:
    """Counts by connection."""

    def __init__(self, connections: Iterable[str], clock: Clock) -> None:
        self._of = {name: Received() for name in connections}
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    @property
    def of(self) -> Mapping[str, Received]:
        """The counts of every connection that webhooks are taken for."""
        return self._of

    def count(self, connections: Iterable[str]) -> None:
        """Count for these connections, too; what was counted so far stays."""
        for name in connections:
            self._of.setdefault(name, Received())

    def stored(self, connection: str, *, accepted: int, duplicate: int, dropped: int) -> None:
        """A genuine request was stored as far as it concerns us."""
        counts = self._of[connection]
        counts.accepted += accepted
        counts.duplicate += duplicate
        counts.dropped += dropped
        if self.speaks("webhook.accepted", connection):
            log.info("webhook.accepted", connection=connection, **asdict(counts))

    def refused(self, connection: str, reason: Reason) -> None:
        """A request was not what it should be."""
        self._of[connection].refused += 1
        if self.speaks(f"webhook.rejected {reason}", connection):
            log.warning("webhook.rejected", connection=connection, reason=str(reason), **asdict(self._of[connection]))

    def deferred(self, connection: str) -> None:
        """A request could not be stored in time."""
        self._of[connection].deferred += 1
        if self.speaks("webhook.deferred", connection):
            log.warning("webhook.deferred", connection=connection, **asdict(self._of[connection]))

    def speaks(self, event: str, connection: str = "") -> bool:
        """Whether it is time for another line about this event."""
        now = self._clock.monotonic()
        if now < self._said.get((event, connection), float("-inf")) + SELDOM:
            return False
        self._said[(event, connection)] = now
        return True
