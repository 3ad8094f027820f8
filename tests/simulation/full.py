"""The disk is full from one step of a scene on, and for a while; then there is room again, and nobody has to help."""

import sqlite3
from collections import Counter
from dataclasses import dataclass

from tests.simulation.door import Door
from tests.simulation.house import House
from tests.simulation.trial import Trial

FULL = 45.0  # seconds
SOON = 5.0  # seconds into it somebody does something more
READS = ("SELECT", "WITH", "PRAGMA")


class Filling:
    """A disk on which nothing more can be written from a step on: a statement that changes something, or its commit.

    Attributes:
        steps: how many there were. full_at: the step at which it begins; None for never. since: when it began.
    """

    def __init__(self, house: House, full_at: int | None) -> None:
        self._house, self._changed = house, False
        self.full_at, self.steps, self.since = full_at, 0, 0.0
        house.disk.watches.append(self._statement)

    @property
    def full(self) -> bool:
        """Whether there is no room at this moment."""
        return 0 < self.since <= self._house.time.elapsed() < self.since + FULL

    def _statement(self, statement: str) -> None:
        if statement.startswith("BEGIN"):
            self._changed = False
        elif statement == "COMMIT":
            if self._changed:
                self.step()
        elif not statement.startswith(READS):
            self._changed = True
            self.step()

    def step(self) -> None:
        """Something is about to be written."""
        if self._house.life is None or self._house.life.app is None:
            return  # a daemon that finds no room at its start says so and ends
        if self.steps == self.full_at:
            self.since = self._house.time.elapsed()
        self.steps += 1
        if self.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
            raise error


@dataclass
class Full(Trial):
    """A scene on a disk that fills up."""

    def __post_init__(self) -> None:
        house, door, filling = self._start(None)
        self.lasts = self.undisturbed(house)
        self.steps = filling.steps
        _one_more(house)
        self.judged(house, door, "undisturbed")

    def fill(self, step: int) -> None:
        """Let it be full from that step on."""
        house, door, filling = self._start(step)
        end = house.time.elapsed() + self.lasts
        while not filling.full:
            assert house.time.elapsed() < end, f"there is no step {step}"
            house.run(1.0)
        answered = len(house.world.sent.rows())
        house.run(SOON)
        _one_more(house)
        self._asked(house)
        house.run(FULL - 2 * SOON)
        assert filling.full
        answers = Counter(sent.status for sent in house.world.sent.rows()[answered:])
        house.run(2 * SOON)
        self.figures["steps"] += 1
        self.figures["webhooks put off"] += answers[503] + answers[507]
        point = f"step {step}"
        self.judged(house, door, point)
        wrong = self.wrong.get(point, {})
        if answers.keys() - {0, 200, 503, 507}:  # 200: there is nothing in it that was not stored before
            wrong["answers"] = [f"webhooks were answered {dict(answers)}"]
        if (found := house.disk.inline.driver.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            wrong["integrity"] = [str(found)]
        if house.kills > 1:
            wrong["restarted"] = ["the daemon ended"]
        if wrong:
            self.wrong[point] = wrong

    def _start(self, full_at: int | None) -> tuple[House, Door, Filling]:
        house, door = self.house()
        filling = Filling(house, full_at)
        door.keeping = filling.step
        house.start()
        return house, door, filling

    def _asked(self, house: House) -> None:
        """Reads go on: somebody looks at the records."""
        assert house.life is not None
        assert house.life.app is not None
        looking = house.life.loop.create_task(house.life.app.store.read(lambda tx: tx.counts()))
        house.run(1.0)
        assert looking.result()


def _one_more(house: House) -> None:
    """Somebody new in the books."""
    house.person("quickbooks", "create", "Customer", name="Olga Moss", email="olga@books.example")
