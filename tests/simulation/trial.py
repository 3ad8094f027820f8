"""A scene played again and again, each time disturbed at another point, and held against how it ends undisturbed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from tests.simulation import bench, checkers
from tests.simulation.door import Door
from tests.simulation.house import VENDORS, House
from tests.simulation.scenes import Staged
from tests.simulation.story import _waits, plain

LAG = 10  # seconds HubSpot's search is behind
SEEN = 75.0  # seconds after the last write by which the next poll has seen it
SHORTLY = 1800.0  # seconds within which a scene must have come to its end
CALM = 130.0  # seconds without a write: two polls
ECHOES = 190.0  # three polls

Standings = Counter[tuple[object, ...]]


@dataclass
class Trial:
    """One scene, and what was found so far.

    Attributes:
        wrong: what the judges found, by point. figures: how much was tried.
    """

    scene: Staged
    wrong: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    figures: Counter[str] = field(default_factory=Counter)
    wanted: Standings | None = None

    def house(self) -> tuple[House, Door]:
        """What was there before, and what somebody has just done."""
        house = self.scene.start().house(1)
        house.world.vendors["hubspot"].settings({"index_lag": LAG})
        door = Door(house)
        self.scene.act(house)
        return house, door

    def undisturbed(self, house: House) -> float:
        """Let everything be done and seen; returns how many seconds that takes."""
        begun, last, writes = house.time.elapsed(), house.time.elapsed(), written(house)
        while house.time.elapsed() - last < SEEN:
            house.run(1.0)
            if written(house) != writes:
                writes, last = written(house), house.time.elapsed()
        return house.time.elapsed() - begun

    def judged(self, house: House, door: Door, point: object) -> None:
        """Let it come to its end, and judge it. The first time it is how it ends undisturbed."""
        unsettled = not _settled(house)
        before = _journals(house)
        house.run(ECHOES)
        late = [f"{each} more" for each in (_journals(house) - before).elements()]
        house.kill()
        wrong = bench.judge(checkers.gather(house, _begun(), late, unsettled))
        if door.breaches:
            wrong["promised"] = door.breaches
        found = _standings(house)
        if self.wanted is None:
            assert not wrong, wrong
            self.wanted = found
        elif odd := found.keys() ^ self.wanted.keys() or {what for what in found if found[what] != self.wanted[what]}:
            wrong["as if nothing had happened"] = [f"{what}: {found[what]}, not {self.wanted[what]}" for what in odd]
        if wrong:
            self.wrong[str(point)] = wrong


@cache
def _begun() -> Mapping[str, int]:
    """How long both vendors' journals were before everything."""
    vendors = plain().house(0).world.vendors
    return {vendor: len(vendors[vendor].journal.entries) for vendor in VENDORS}


def written(house: House) -> int:
    """How many entries both vendors' journals have."""
    return sum(len(vendor.journal.entries) for vendor in house.world.vendors.values())


def _settled(house: House) -> bool:
    end, last, writes = house.time.elapsed() + SHORTLY, house.time.elapsed(), written(house)
    while house.time.elapsed() < end:
        house.run(60)
        if written(house) != writes:
            writes, last = written(house), house.time.elapsed()
        elif house.time.elapsed() - last > CALM and not _waits(house):
            return True
    return False


def _journals(house: House) -> Counter[str]:
    return Counter(
        f"{name} {entry.operation} {entry.kind} {entry.id}"
        for name, vendor in house.world.vendors.items()
        for entry in vendor.journal.entries
    )


def _standings(house: House) -> Standings:
    """How many records stand how, and how many of each kind both vendors hold."""
    records = house.ask(lambda store: store.read(lambda tx: tx.list_records(limit=100_000).rows))
    found: Standings = Counter((r.flow, str(r.status), r.code, r.left is None, r.right is None) for r in records)
    for kinds in checkers.KINDS.values():
        for vendor, kind in zip(VENDORS, kinds, strict=True):
            rows = house.world.vendors[vendor].records(kind)
            found[vendor, kind] = sum(checkers._live(vendor, row) for row in rows)
    return found
