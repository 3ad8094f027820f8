"""What concerns the daemon as a whole and a person should know, in the words of its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from syncd.store.pulse import Pulse

APART = 120.0
"""Seconds a vendor's clock and ours may be apart before anybody is told: less is the way of an answer."""


@dataclass(slots=True)
class Situation:
    """How the daemon itself is.

    Attributes:
        pulse: of the store's writer; None where nobody else can hold the database.
        problems: of a configuration that was refused; the one before it is in use. restart: keys of the configuration
            that wait for a restart. restored: since when what an old state missed is being caught up with.
        ahead: by how many seconds each connection's clock was ahead of ours in its last answer.
    """

    pulse: Pulse | None = None
    problems: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    restored: datetime | None = None
    ahead: Mapping[str, float] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Whether another process holds the database."""
        return self.pulse is not None and self.pulse.waiting

    @property
    def apart(self) -> dict[str, int]:
        """The connections whose clock is not ours, by how many seconds it is ahead."""
        return {name: round(seconds) for name, seconds in self.ahead.items() if abs(seconds) > APART}

    def told(self) -> list[str]:
        """The lines that are worth saying; none when all is as it should be."""
        lines = ["waiting for database"] if self.waiting else []
        if self.problems:
            lines.append(f"the configuration has {len(self.problems)} mistakes; the one before is in use")
        if self.restart:
            lines.append(f"a restart is needed for {', '.join(self.restart)}")
        if self.restored is not None:
            lines.append("the state is older than what was done: looking for what it misses before anything is created")
        lines += [f"the clock of {name} is {seconds:+} seconds from ours" for name, seconds in self.apart.items()]
        return lines

    def plain(self) -> dict[str, Any]:
        """As the status shows it."""
        return {
            "database": "waiting" if self.waiting else "ok",
            "configuration": "refused" if self.problems else "restart_needed" if self.restart else "current",
            "problems": [*self.problems, *self.restart],
            "state": "current" if self.restored is None else "restored",
            "clocks": self.apart,
            "told": self.told(),
        }
