"""What goes wrong: the vendors' faults, the network, the clock, the process. Armed at random, all of it curable."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.house import VENDORS, House

# Fault to its options; every one of the sandbox's that a request of ours can meet and survive.
FAULTS: dict[str, dict[str, Any]] = {
    "timeout_after_commit": {"hold": 5},
    "late_commit": {"delay": 60, "hold": 5},
    "reset_before": {},
    "reset_after": {},
    "rate_limited": {"retry_after": 3},
    "server_error": {"status": 503, "html": True},
    "maintenance": {},
    "not_json": {},
    "empty_200": {},
    "truncated_json": {},
    "wrong_length": {},
    "partial": {},
    "slow": {"delay": 20},
    "drip": {"piece": 100, "gap": 0.1},
    "redirect": {},
}
ARMED = 0.25  # of the faults, in one story
FIRED = 0.25  # of the requests an armed fault meets, while it lasts


@dataclass(repr=False, eq=False)
class Nemesis:
    """The story's bad luck.

    Attributes:
        kinds: which faults this story knows. struck: how often each thing befell it.
    """

    house: House
    draw: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    pictures: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kinds = [name for name in FAULTS if self.draw.random() < ARMED]

    def strike(self) -> str:
        """Something goes wrong, or gets well again."""
        do = self.draw.choice(
            (
                self._arm,
                self._arm,
                self._arm,
                self._disarm,
                self._kill_now,
                self._kill_soon,
                self._kill_in_a_transaction,
                self._start,
                self._cut,
                self._mend,
                self._clock,
                self._webhooks,
                self._lag,
                self._disk,
            )
        )
        told = do()
        self.struck[told.split()[0]] += 1
        return told

    def tick(self) -> None:
        """What was to happen by now happens."""

    def heal(self) -> None:
        """People do their part, now that the last daemon runs."""

    def recover(self) -> None:
        """All is well from now on."""
        for fault in self.house.world.faults.rows():
            self.struck[f"hits:{fault['fault']}"] += fault["hits"]
        self.house.world.faults.clear()
        self.house.cut_off.clear()
        self.house.room.full = False
        self.house.time.step = 0.0
        for vendor in VENDORS:
            self._tell(vendor, webhook_drop=0.0, webhook_duplicate=0.0, webhook_reorder=False, webhook_delay=0.0)
        self.house.world.vendors["hubspot"].settings({"index_lag": 0})
        if self.house.life is not None:
            self.house.kill_after(None, None)

    def _arm(self) -> str:
        if not self.kinds:
            return "nothing"
        name, vendor = self.draw.choice(self.kinds), self.draw.choice(VENDORS)
        order = {"fault": name, "probability": FIRED, "seed": self.draw.randrange(1000), "options": FAULTS[name]}
        times = self.draw.choice((1, 2, 5))
        self.house.world.faults.arm(self.house.world.vendors[vendor], {**order, "times": times})
        return f"{name} at {vendor}, {times} times"

    def _disarm(self) -> str:
        for fault in self.house.world.faults.rows():
            self.struck[f"hits:{fault['fault']}"] += fault["hits"]
        self.house.world.faults.clear()
        return "disarm"

    def _kill_now(self) -> str:
        self.house.kill()
        return "kill"

    def _kill_soon(self) -> str:
        self.house.kill_after(callbacks=self.draw.randint(1, 3000))
        return "kill at an await"

    def _kill_in_a_transaction(self) -> str:
        self.house.kill_after(statements=self.draw.randint(1, 400))
        return "kill at a statement"

    def _start(self) -> str:
        if self.house.life is None:
            self.house.start()
        return "start"

    def _cut(self) -> str:
        vendor = self.draw.choice(VENDORS)
        self.house.cut_off.add(vendor)
        return f"cut {vendor}"

    def _mend(self) -> str:
        self.house.cut_off.clear()
        return "mend"

    def _clock(self) -> str:
        self.house.time.step = self.draw.choice((0.0, 0.0, 3600.0, -3600.0, 240.0, -240.0))
        return f"clock {self.house.time.step:+.0f} s"

    def _webhooks(self) -> str:
        vendor = self.draw.choice(VENDORS)
        how = {
            "webhook_drop": self.draw.choice((0.0, 0.5, 1.0)),
            "webhook_duplicate": self.draw.choice((0.0, 0.5)),
            "webhook_reorder": self.draw.random() < 0.5,
            "webhook_delay": self.draw.choice((0.0, 0.0, 30.0)),
        }
        self._tell(vendor, **how)
        return f"webhooks of {vendor}: {how}"

    def _lag(self) -> str:
        lag = self.draw.choice((0, 5, 20))
        self.house.world.vendors["hubspot"].settings({"index_lag": lag})
        return f"search lags {lag} s"

    def _disk(self) -> str:
        self.house.room.full = self.draw.random() < 0.3
        return f"disk {'full' if self.house.room.full else 'has room'}"

    def _tell(self, vendor: str, **how: Any) -> None:
        outgoing = self.house.world.outgoing[vendor]
        outgoing.configure(outgoing.settings.changed(how), reseed=False)
