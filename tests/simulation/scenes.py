"""Short scenes: one thing somebody does, and everything that follows from it, with a kill anywhere in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.simulation import checkers
from tests.simulation.house import VENDORS, House
from tests.simulation.story import late_writes, plain, settle

CRM, BOOKS = "hubspot", "quickbooks"
SHORTLY = 1800.0  # seconds: a scene is simple
Scene = Callable[[House], None]


def sale_in_crm(house: House) -> None:
    """A new contact buys something: customer and invoice are to be made in the books."""
    contact = house.person(CRM, "create", "contacts", email="nora@crm.example", firstname="Nora", lastname="Quill")
    lines = [{"name": "Travel", "quantity": "2", "price": "19.90"}]
    fields = {"contact": contact["id"], "lines": lines, "hs_currency": "USD", "hs_due_date": "2026-12-24"}
    house.person(CRM, "create", "invoices", **fields, finalize=True)


def sale_in_books(house: House) -> None:
    """A new customer buys something: contact and mirrored invoice with its lines are to be made in the CRM."""
    given = {"first_name": "Otto", "last_name": "Fern", "email": "otto@books.example"}
    customer = house.person(BOOKS, "create", "Customer", name="Otto Fern", **given)
    lines = [{"item": "PEST-CONTROL", "qty": "2", "price": "80"}]
    house.person(BOOKS, "create", "Invoice", customer=customer["Id"], lines=lines, number="K-1", due="2026-12-24")


def _invoice(house: House) -> tuple[str, str]:
    """An invoice that was born in the CRM and is the same on both sides: its two ids."""
    sale_in_crm(house)
    house.start()
    house.run(300)
    house.kill()
    crm = house.world.vendors[CRM].records("invoices")[-1]["id"]
    return str(crm), str(house.world.vendors[BOOKS].records("Invoice")[-1]["Id"])


def update(house: House) -> None:
    """Another due date in the CRM."""
    crm, _ = _invoice(house)
    house.person(CRM, "update", "invoices", crm, hs_due_date="2027-01-15")


def payment(house: House) -> None:
    """A part is paid in the books."""
    _, books = _invoice(house)
    house.person(BOOKS, "pay", "Invoice", books, amount="10.00", ref="R-1")


def void(house: House) -> None:
    """The invoice is cancelled in the CRM."""
    crm, _ = _invoice(house)
    house.person(CRM, "void", "invoices", crm)


def removal(house: House) -> None:
    """A payment is made in the CRM, and taken back there."""
    crm, _ = _invoice(house)
    house.person(CRM, "pay", "invoices", crm, amount="10.00", reference="R-2")
    house.start()
    house.run(300)
    house.kill()
    made = house.world.vendors[CRM].records("commerce_payments")[-1]["id"]
    house.person(CRM, "delete", "commerce_payments", str(made))


SCENES: Mapping[str, Scene] = {
    scene.__name__: scene for scene in (sale_in_crm, sale_in_books, update, payment, void, removal)
}


@dataclass
class Played:
    """What became of a scene. `died`: the kill came before everything was done."""

    died: bool
    wrong: dict[str, list[str]]


def play(
    scene: Scene, *, callbacks: int | None = None, statements: int | None = None, before: Scene = lambda house: None
) -> Played:
    """Play a scene; the daemon dies at that await or statement after its start, and another one takes over.

    Args:
        before: what else is arranged, such as a fault.
    """
    house = plain().house(1)
    begun = {vendor: len(house.world.vendors[vendor].journal.entries) for vendor in VENDORS}
    scene(house)
    before(house)
    house.start()
    house.kill_after(callbacks=callbacks, statements=statements)
    house.run(60)
    died = house.life is None
    house.world.faults.clear()
    if died:
        house.start()
    else:
        house.kill_after(None, None)
    unsettled = not settle(house, SHORTLY)
    late = late_writes(house)
    house.kill()
    return Played(died, checkers.judge(checkers.gather(house, begun, late, unsettled)))
