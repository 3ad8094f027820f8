"""A vendor is down for a day: people go on working, and when it is back everything is caught up with."""

from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from syncd.connectors.hubspot.manifest import LIMITS as HUBSPOT
from syncd.connectors.quickbooks.manifest import MANIFEST as QUICKBOOKS
from syncd.core.pacing import Window
from tests.simulation import bench, checkers
from tests.simulation.house import DOORS, VENDORS, Beginning, House, beginning
from tests.simulation.story import late_writes, settle

CRM, BOOKS = "hubspot", "quickbooks"
NOTICED = timedelta(minutes=2)  # until then it is asked more and more rarely
WINDOWS = {CRM: HUBSPOT.private, BOOKS: QUICKBOOKS.limits.windows}


@dataclass
class Caught:
    """What became of it.

    Attributes:
        wrong: what the judges found. blamed: records that failed meanwhile. condition: of the connection, as shown.
        probes: the most requests within a minute, once it was known that the vendor is down.
        backlog: writes that were made up for. calls: requests they took, by sort. refused: those over a limit.
        drained: seconds from the first answer to the last of these writes. needed: seconds these calls take at least.
    """

    wrong: dict[str, list[str]]
    blamed: set[str]
    condition: str
    probes: int
    backlog: int
    calls: Counter[str]
    refused: int
    drained: float
    needed: float


def outage(down: str, sales: int, hours: float = 24.0) -> Caught:
    """One vendor's API is away for so long, and so many sales are made at the other meanwhile."""
    house = used_to_much().house(1)
    house.latency = (0.002, 0.02)  # what counts are the vendors' limits
    begun = {vendor: len(house.world.vendors[vendor].journal.entries) for vendor in VENDORS}
    for vendor in house.world.vendors.values():
        vendor.settings({"limits": True})
    house.start()
    house.run(120)
    failed, fell = _failed(house), house.time.true()
    _strike(house, down, "server_error")
    people = _People(house, down)
    for number in range(sales):
        if number == sales // 2:
            _strike(house, down, "reset_before")
        people.sell(number)
        house.run(hours * 3600 / sales)
    blamed, condition = _failed(house) - failed, _condition(house, down)
    house.world.faults.clear()
    _webhooks(house, down, lost=0.0)
    back = house.time.true()
    unsettled = not settle(house)
    asked = [e for e in house.world.exchanges() if e.vendor == down]
    writes = [e.at for e in house.world.vendors[down].journal.entries if e.caller != "person" and e.at > fell]
    made_up = [e for e in asked if back <= e.at <= writes[-1]]
    late = late_writes(house)
    house.kill()
    calls = Counter(_sort(down, e.path) for e in made_up)
    return Caught(
        wrong=bench.judge(checkers.gather(house, begun, late, unsettled)),
        blamed=blamed,
        condition=condition,
        probes=_most_within_a_minute([e.at for e in asked if fell + NOTICED < e.at < back]),
        backlog=len(writes),
        calls=calls,
        refused=sum(e.status == 429 for e in asked),
        drained=(writes[-1] - made_up[0].at).total_seconds(),
        needed=max(_seconds(window, calls) for window in WINDOWS[down] if window.seconds),
    )


@cache
def used_to_much() -> Beginning:
    """As all stories begin, with fewer polls of what is well, and used to many records in an hour.

    Elsewhere a flow that is new to them has them held by a breaker after an outage, until a person has looked.
    """
    begun = beginning(lambda world: None, ('poll = "1m"', 'poll = "5m"'))
    sync = begun.config.syncs["invoicing"]
    guard = sync.guard.model_copy(update={"creates": 9000, "changes": 9000})
    config = replace(begun.config, syncs={"invoicing": sync.model_copy(update={"guard": guard})})
    return replace(begun, config=config)


@dataclass
class _People:
    """Who goes on working: most of them at the vendor whose API answers, some at the other one's screen."""

    house: House
    down: str
    last: str = ""

    def sell(self, number: int) -> None:
        """A new customer buys; one in four pays a part, and of one in three the due date is moved the next time."""
        due = (self.house.time.true() + timedelta(days=30)).date().isoformat()
        if self.down == BOOKS:
            self._sell_in_crm(number, due)
        else:
            self._sell_in_books(number, due)

    def _sell_in_crm(self, number: int, due: str) -> None:
        do = self.house.person
        if number % 3 == 1:
            do(CRM, "update", "invoices", self.last, hs_due_date="2027-03-01")
        name = {"firstname": "Late", "lastname": f"Comer {number}"}
        contact = do(CRM, "create", "contacts", email=f"late{number}@backlog.example", **name)["id"]
        lines = [{"name": "Work", "quantity": "2", "price": "20.50"}, {"name": "Travel", "quantity": "1", "price": "9"}]
        sold = {"contact": contact, "lines": lines, "hs_currency": "USD", "hs_due_date": due}
        self.last = do(CRM, "create", "invoices", **sold, finalize=True)["id"]
        if number % 4 == 0:
            do(CRM, "pay", "invoices", self.last, amount="10.00", reference=f"L-{number}")
        if number % 10 == 0:
            do(BOOKS, "update", "Customer", str(1 + number // 10 % 3), phone=f"555 {number:04}")

    def _sell_in_books(self, number: int, due: str) -> None:
        do = self.house.person
        if number % 3 == 1:
            do(BOOKS, "update", "Invoice", self.last, due="2027-03-01")
        name = {"name": f"Late Comer {number}", "email": f"late{number}@backlog.example"}
        customer = do(BOOKS, "create", "Customer", **name)["Id"]
        lines = [{"item": "PEST-CONTROL", "qty": "2", "price": "35"}, {"item": "DESIGN", "qty": "1", "price": "75.5"}]
        sold = {"customer": customer, "lines": lines, "number": f"L-{number}", "due": due}
        self.last = do(BOOKS, "create", "Invoice", **sold)["Id"]
        if number % 4 == 0:
            do(BOOKS, "pay", "Invoice", self.last, amount="10.00", ref=f"L-{number}")
        if number % 10 == 0:
            do(CRM, "update", "contacts", str(1001 + number // 10 % 3), phone=f"555 {number:04}")


def _strike(house: House, vendor: str, fault: str) -> None:
    """Nobody reaches the vendor's API, and its webhooks get lost; its own screens work."""
    options = {"status": 503, "html": True} if fault == "server_error" else {}
    house.world.faults.clear()
    house.world.faults.arm(house.world.vendors[vendor], {"fault": fault, "options": options})
    _webhooks(house, vendor, lost=1.0)


def _webhooks(house: House, vendor: str, *, lost: float) -> None:
    outgoing = house.world.outgoing[vendor]
    outgoing.configure(outgoing.settings.changed({"webhook_drop": lost}), reseed=False)


def _failed(house: House) -> set[str]:
    records = house.ask(lambda store: store.read(lambda tx: tx.list_records(limit=100_000).rows))
    return {record.id for record in records if record.status == "failed"}


def _condition(house: House, vendor: str) -> str:
    rows = house.ask(lambda store: store.read(lambda tx: tx.connections()))
    return next(row.condition for row in rows if row.name == DOORS[vendor])


def _sort(vendor: str, path: str) -> str:
    if vendor == BOOKS:
        return "batches" if path.endswith("/batch") else ""
    return "searches" if path.endswith("/search") else "associations" if "/associations/" in path else "requests"


def _seconds(window: Window, calls: Counter[str]) -> float:
    return (
        sum(n for sort, n in calls.items() if not window.sorts or sort in window.sorts) * window.seconds / window.calls
    )


def _most_within_a_minute(times: list[datetime]) -> int:
    recent, most = deque[datetime](), 0
    for at in times:
        recent.append(at)
        while recent[0] <= at - timedelta(seconds=59.9):
            recent.popleft()
        most = max(most, len(recent))
    return most
