"""One record in a hundred fails at the vendor whatever is done: what that costs all the others."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.sandbox.base import Request, decode_json
from syncd.sandbox.delivery import Delivery
from tests.simulation.house import House, Row
from tests.simulation.outage import used_to_much

CRM, BOOKS = "hubspot", "quickbooks"
ONE_IN = 100
POISON, GOOD, CURED = "2027-12-31", "2027-02-15", "2027-03-15"
"""Due dates: the books cannot take the first."""


@dataclass
class Ward:
    """A house with many sales in the CRM, some of whose invoices the books cannot take.

    Attributes:
        sold: the invoices. bad: those of them that fail. tries: when each of these was sent to the books, by its number
            or id there.
    """

    house: House
    sold: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    tries: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def sell(self, sales: int, *, poisoned: bool) -> None:
        """A new contact and an invoice each."""
        for number in range(sales):
            name = {"firstname": "Buyer", "lastname": f"Number {number}"}
            contact = self.house.person(CRM, "create", "contacts", email=f"b{number}@ward.example", **name)["id"]
            bad = poisoned and _bad(number)
            lines = [{"name": "Work", "quantity": "1", "price": "20.50"}]
            given = {"contact": contact, "lines": lines, "hs_currency": "USD", "hs_due_date": POISON if bad else GOOD}
            self.sold.append(self.house.person(CRM, "create", "invoices", **given, finalize=True)["id"])
            self.bad += self.sold[-1:] if bad else []

    def put_off(self, *, poisoned: bool) -> None:
        """All of them get another due date."""
        for number, id in enumerate(self.sold):
            bad = poisoned and _bad(number)
            self.house.person(CRM, "update", "invoices", id, hs_due_date=POISON if bad else CURED)
            self.bad += [id] if bad else []

    def fall_ill(self, fault: Mapping[str, str]) -> None:
        """From now on the books cannot take that date; and we watch how often it is tried."""
        world = self.house.world
        alone = {"path": r"/v3/company/\d+/invoice$", "contains": POISON}
        world.faults.arm(world.vendors[BOOKS], {"fault": "error_code", "match": alone, "options": {**fault}})
        within = {**fault, "contains": POISON}
        world.faults.arm(world.vendors[BOOKS], {"fault": "item_fault", "options": within})
        handle = world.handle

        def watched(vendor: str, request: Request, now: datetime) -> Delivery:
            if vendor == BOOKS and POISON.encode() in request.body:
                for bill in _bills(decode_json(request.body)):
                    self.tries[bill.get("Id") or bill["DocNumber"]].append(now)
            return handle(vendor, request, now)

        world.handle = watched  # type: ignore[method-assign]

    def until_done(self, n: int) -> int:
        """Let the daemon work until so many invoices were written to the books; how many calls that took."""
        calls, written = len(self.house.world.exchanges()), self._written()
        if self.house.life is None:
            self.house.start()
        while self._written() - written < n:
            self.house.run(1)
            assert self.house.time.elapsed() < 10 * 86_400
        return len(self.house.world.exchanges()) - calls

    def cure(self) -> None:
        """Somebody sets another date on the bad ones."""
        for id in self.bad:
            self.house.person(CRM, "update", "invoices", id, hs_due_date=CURED)

    def states(self) -> set[tuple[str, str]]:
        """How the bad ones stand."""
        records = self.house.ask(lambda store: store.read(lambda tx: tx.list_records(limit=100_000).rows))
        return {(str(r.status), r.code) for r in records if r.flow == "invoices" and r.left in self.bad}

    def _written(self) -> int:
        entries = self.house.world.vendors[BOOKS].journal.entries
        return sum(e.kind == "Invoice" and e.caller != "person" for e in entries)


def ward() -> Ward:
    """One with the vendors' limits on, whose calls take next to no time."""
    house = used_to_much().house(1)
    house.latency = (0.002, 0.02)
    for vendor in house.world.vendors.values():
        vendor.settings({"limits": True})
    return Ward(house)


def _bad(number: int) -> bool:
    return number % ONE_IN == ONE_IN // 2


def _bills(body: Row) -> list[Row]:
    items = body.get("BatchItemRequest", [{"Invoice": body}])
    return [bill for item in items if (bill := item.get("Invoice")) is not None and bill.get("DueDate") == POISON]
