"""The sandbox in a process of its own, with invoices a person made: `python -m tests.bench.vendors INVOICES`.

Prints its address when it answers, and ends when its input is closed. A line `touch COUNT` on its input lets a person
give that many invoices another due date; it answers `ok`.
"""

import asyncio
import sys
from datetime import UTC, date, datetime, timedelta
from time import perf_counter

from syncd.sandbox.base import Vendor
from syncd.sandbox.server import serving
from syncd.sandbox.world import create_world

INVOICES_A_CONTACT = 10
LINES = 3
DUE = date(2027, 1, 1)


def fill(crm: Vendor, invoices: int, now: datetime) -> list[str]:
    """Give the portal finalized invoices of three lines, ten to a contact. Returns their ids."""
    customers = [_contact(crm, number, now) for number in range(-(-invoices // INVOICES_A_CONTACT))]
    return [_invoice(crm, customers[number // INVOICES_A_CONTACT], now) for number in range(invoices)]


def touch(crm: Vendor, ids: list[str], round: int, now: datetime) -> None:
    """Give these invoices another due date."""
    due = (DUE + timedelta(days=round)).isoformat()
    for id in ids:
        crm.person("update", "invoices", id, {"hs_due_date": due}, now)


def _contact(crm: Vendor, number: int, now: datetime) -> str:
    fields = {
        "email": f"customer{number}@example.com",
        "firstname": "Alex",
        "lastname": f"Number {number}",
        "company": f"Company {number}",
        "phone": f"+1 555 {number:07}",
        "address": f"{number} Main Street",
        "city": "Springfield",
    }
    return str(crm.person("create", "contacts", None, fields, now)["id"])


def _invoice(crm: Vendor, contact: str, now: datetime) -> str:
    lines = [{"name": f"Service {line}", "quantity": "2", "price": "10.50"} for line in range(LINES)]
    fields = {"hs_currency": "USD", "contact": contact, "lines": lines, "finalize": True}
    return str(crm.person("create", "invoices", None, fields, now)["id"])


async def _main(invoices: int) -> None:
    world = create_world(timer=perf_counter)
    crm = world.vendors["hubspot"]
    ids = fill(crm, invoices, datetime.now(UTC))
    rounds = 0
    async with serving(world) as address:
        print(address, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            touch(crm, ids[: int(line.split()[1])], rounds, world.clock(datetime.now(UTC)))
            rounds += 1
            print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
