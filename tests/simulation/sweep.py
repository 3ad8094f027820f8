"""The kill sweep: a daemon dies at one point of a scene after the other, and a fresh one goes on from what is left."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.door import Door, Fate, mark
from tests.simulation.house import House
from tests.simulation.trial import Trial

DOWN = 5.0  # seconds between a death and the next life, as systemd has it


@dataclass(frozen=True)
class Point:
    """Where a life ends: after so many callbacks of its loop, or statements, or at a request."""

    awaits: int | None = None
    statements: int | None = None
    request: tuple[int, Fate] | None = None

    def __str__(self) -> str:
        if self.request is not None:
            return f"request {self.request[0]} {self.request[1].value}"
        return f"await {self.awaits}" if self.statements is None else f"statement {self.statements}"


@dataclass(frozen=True)
class Points:
    """All points of a scene.

    Attributes:
        awaits, statements: how many it has.
        changes: the awaits by which something has changed that outlives the daemon. writes: numbers of requests.
    """

    awaits: int
    statements: int
    changes: tuple[int, ...]
    writes: tuple[int, ...]

    def between(self) -> Iterator[Point]:
        """Every await and every statement, one by one."""
        yield from (Point(awaits=n) for n in range(self.awaits))
        yield from (Point(statements=n) for n in range(self.statements))

    def telling(self) -> list[Point]:
        """One for each state that a death can leave behind: between two changes it is the same wherever it comes."""
        return [*(Point(awaits=n) for n in sorted({0, *self.changes})), *self._outcomes()]

    def _outcomes(self) -> Iterator[Point]:
        return (Point(request=(number, fate)) for number in self.writes for fate in Fate)


@dataclass
class Sweep(Trial):
    """Kills in one scene.

    Attributes:
        known: what deaths left behind that was recovered from already.
    """

    known: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        house, door = self.house()
        house.start()
        assert house.life is not None
        loop, ran = house.life.loop, house.disk.ran
        self.lasts = self.undisturbed(house)
        self.points = Points(loop.ran, house.disk.ran - ran, tuple(door.changed), tuple(door.writes))
        self.judged(house, door, "undisturbed")

    def kill(self, point: Point) -> None:
        """Let the daemon die there, and another one go on, unless one did from the same before."""
        house, door = self._killed(point)
        self.figures["points"] += 1
        if house.life is None:
            left = _left(house, door)
            if left in self.known and point.request is None:
                return
            self.known.add(left)
            house.run(DOWN)
            house.start()
        house.kill_after(None, None)
        self.figures["recoveries"] += 1
        self.judged(house, door, point)

    def know(self) -> None:
        """Take it that every state a death can leave behind is recovered from elsewhere."""
        deaths = (self._killed(point) for point in self.points.telling() if point.request is None)
        self.known |= {_left(house, door) for house, door in deaths}

    def _killed(self, point: Point) -> tuple[House, Door]:
        house, door = self.house()
        door.fate = point.request
        house.start()
        house.disk.on_kill = partial(mark, house)
        house.kill_after(point.awaits, point.statements)
        end = house.time.elapsed() + self.lasts
        while house.life is not None and house.time.elapsed() < end:
            house.run(1.0)
        lives_on = point.request is not None and point.request[1] is Fate.LOST
        assert (house.life is not None) == lives_on, f"nothing happened at {point}"
        return house, door


def _left(house: House, door: Door) -> bytes:
    """What the dead daemon has left behind, here and at the vendors."""
    made = hashlib.sha256(house.disk.picture())
    made.update(repr((sorted(house.safe.kept.items()), len(door.writes))).encode())
    return made.digest()
