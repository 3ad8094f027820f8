"""Whether the parts that must not stand still get anywhere, told by what they really got done."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.engine import Engine
from syncd.store.pulse import Pulse

WRITER_SECONDS = 90.0  # more than it waits for a database that another process has locked
WORK_SECONDS = 300.0  # between two steps of the work; the longest single one is what a turn reads of a slow vendor


@dataclass(slots=True)
class Marks:
    """Looked at every now and then; the loop itself is alive as long as somebody does.

    Attributes:
        engine: counts the steps of the work. pulse: of the store's writer.
    """

    engine: Engine
    pulse: Pulse
    _steps: int = -1
    _moved: float = field(default=0.0)

    def stuck(self) -> list[str]:
        """The parts that have not moved for longer than they may."""
        now = self.engine.clock.monotonic()
        if self.engine.steps != self._steps:
            self._steps, self._moved = self.engine.steps, now
        silent = {
            "writer": self.pulse.silent() > WRITER_SECONDS,
            "scheduler": now - self._moved > WORK_SECONDS,
        }
        return [part for part, stands in silent.items() if stands]
