"""A story: so many steps of people, bad luck and time, then peace, then the judges."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from tests.simulation import bench, checkers
from tests.simulation.bookkeepers import Bookkeepers
from tests.simulation.house import EPOCH, VENDORS, Beginning, House, beginning
from tests.simulation.nemesis import Nemesis
from tests.simulation.people import People
from tests.simulation.plagues import Plagues

PEACE = 2 * 3600.0  # virtual seconds within which everything must have come to an end
AN_HOUR = 3700.0
AHEAD = 3600.0  # seconds that the daemon's clock may have been ahead when it last looked
QUIET = 400.0  # this long without a write means that nothing more will come
LATE = 300.0  # and so much longer it is watched: with `QUIET` longer than anything is put off


@dataclass
class Ended:
    """What became of a story.

    Attributes:
        wrong: what the judges found. digest: of both journals; the same seed has the same.
        told: everything that was done, for whoever has to find out why.
    """

    seed: int
    steps: int
    wrong: dict[str, list[str]]
    digest: str
    told: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    requests: int = 0
    writes: int = 0
    early: bool = False

    def words(self) -> str:
        """For a failing test: what is wrong, and how to see it again."""
        found = "\n".join(f"  {name}: {each}" for name, listed in self.wrong.items() for each in listed[:5])
        how = f"{self.seed} --steps {self.steps}{' --early' if self.early else ''}"
        return f"seed {self.seed}: {found}\nreplay: .venv/bin/python -m tests.simulation {how}"


@cache
def plain() -> Beginning:
    """The beginning of most stories: the sandbox's own data, looked at once."""
    return beginning(lambda world: None)


@cache
def bare() -> Beginning:
    """The same data, and a daemon that has never run."""
    return beginning(lambda world: None, looked=False)


def beginning_of(seed: int) -> Beginning:
    """Every tenth story tells of a first sync."""
    return bare() if seed % 10 == 7 else plain()


def tell(
    seed: int,
    steps: int,
    *,
    start: Beginning | None = None,
    calm: bool = False,
    early: bool = False,
    **house: object,
) -> Ended:
    """Play one story to its end, with somebody who looks on.

    Args:
        early: only what people did and what befell them in the first stories: their seeds tell the same again.
        calm: nothing goes wrong.
        house: attributes of the house to be set, such as another `work`.
    """
    made = (start or beginning_of(seed)).house(seed)
    with made.watch.listening():
        return _told(made, steps, calm=calm, early=early, **house)


def _told(made: House, steps: int, *, calm: bool, early: bool, **house: object) -> Ended:
    seed = made.seed
    for name, value in house.items():
        setattr(made, name, value)
    begun = {vendor: len(made.world.vendors[vendor].journal.entries) for vendor in VENDORS}
    draw = random.Random(seed)
    people = (People if early else Bookkeepers)(made, random.Random(seed + 2))
    nemesis = (Nemesis if early else Plagues)(made, random.Random(seed + 3))
    made.start()
    for _ in range(steps):
        nemesis.tick()
        if not calm and draw.random() < 0.2:
            people.doings.append(f"{made.time.elapsed():9.1f} * {nemesis.strike()}")
        else:
            people.act()
        if made.life is None and draw.random() < 0.3:
            made.start()
        made.run(draw.choice((0.05, 0.3, 0.3, 1.0, 1.0, 3.0, 3.0, 10.0, 40.0)))
    nemesis.recover()
    made.kill()
    made.run(
        AN_HOUR + AHEAD
    )  # what is found once an hour only, such as what was deleted unheard, is found at once then
    made.start()
    nemesis.heal()
    unsettled = not settle(made)
    late = late_writes(made)
    kills, status = made.kills, made.shown()
    made.kill()
    evidence = checkers.gather(made, begun, late, unsettled, status)
    return Ended(
        seed=seed,
        steps=steps,
        wrong=bench.judge(evidence),
        digest=_digest(made),
        told=people.doings,
        struck=nemesis.struck,
        kills=kills,
        requests=made.requests,
        writes=sum(_ours(made, begun).values()),
        early=early,
    )


def settle(house: House, peace: float = PEACE) -> bool:
    """Peace, until nothing has been written for a while and nothing is due."""
    end, last, since = house.time.elapsed() + peace, _written(house), house.time.elapsed()
    while house.time.elapsed() < end:
        house.run(60)
        house.watch.look()
        if _written(house) != last:
            last, since = _written(house), house.time.elapsed()
        elif house.time.elapsed() - since > QUIET and not _waits(house):
            return True
    return False


def _waits(house: House) -> bool:
    """Whether the daemon has something on its mind that time alone will bring."""
    pending = ("queued", "retry", "resolving", "waits_parent", "waits_connection")
    counts = house.ask(lambda store: store.read(lambda tx: tx.counts()))
    return any(row.status == "pending" and row.code in pending and row.n > 0 for row in counts)


def late_writes(house: House) -> list[str]:
    """What is written while nobody does anything, poll after poll."""
    before = {vendor: len(house.world.vendors[vendor].journal.entries) for vendor in VENDORS}
    house.run(LATE)
    return [
        f"{vendor} {entry.operation} {entry.kind} {entry.id} {dict(entry.fields)}"
        for vendor in VENDORS
        for entry in house.world.vendors[vendor].journal.entries[before[vendor] :]
    ]


def _written(house: House) -> int:
    return sum(len(vendor.journal.entries) for vendor in house.world.vendors.values())


def _ours(house: House, begun: dict[str, int]) -> dict[str, int]:
    return {
        vendor: sum(e.caller != "person" for e in house.world.vendors[vendor].journal.entries[begun[vendor] :])
        for vendor in VENDORS
    }


def _digest(house: House) -> str:
    made = hashlib.sha256()
    for vendor in VENDORS:
        for entry in house.world.vendors[vendor].journal.entries:
            moment = (entry.at - EPOCH).total_seconds()
            made.update(repr((vendor, moment, entry.caller, entry.operation, entry.kind, entry.id)).encode())
            made.update(repr(sorted(entry.fields.items())).encode())
    return made.hexdigest()
