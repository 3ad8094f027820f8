"""Short scenes: one thing somebody does, and everything that follows from it."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from tests.simulation import bench, checkers
from tests.simulation.house import VENDORS, Beginning, House, beginning
from tests.simulation.story import late_writes, plain, settle

CRM, BOOKS = "hubspot", "quickbooks"
SHORTLY = 1800.0  # seconds: a scene is simple
A_DAY = 25 * 3600.0  # by then both vendors' access tokens have ended, and QuickBooks rotates the refresh token


Scene = Callable[[House], None]


@dataclass(frozen=True)
class Staged:
    """What somebody does, and what is there before."""

    act: Scene
    start: Callable[[], Beginning]


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


def _after(start: Beginning, *acts: Scene) -> Beginning:
    """What is there once all of this has come to its end."""
    house = start.house(1)
    for act in acts:
        act(house)
    house.start()
    house.run(300)
    house.kill()
    return replace(
        start,
        vendors=pickle.dumps(dict(house.world.vendors)),
        picture=house.disk.picture(),
        safe=dict(house.safe.kept),
        elapsed=house.time.elapsed(),
    )


@cache
def sold() -> Beginning:
    """Both sales are the same on both sides."""
    return _after(plain(), sale_in_crm, sale_in_books)


@cache
def sold_by_consent() -> Beginning:
    """The same where HubSpot was connected by a person's consent, so that its access tokens end."""
    token = 'token = { env = "HUBSPOT_TOKEN" }'
    consent = 'client_id = "sandbox-client"\nclient_secret = { env = "HUBSPOT_CLIENT_SECRET" }\n'
    consent += 'refresh_token = { env = "HUBSPOT_REFRESH_TOKEN" }'
    return _after(beginning(lambda world: None, (token, consent)), sale_in_crm, sale_in_books)


@cache
def paid() -> Beginning:
    """A part of both was paid, each where it was sold."""
    return _after(sold(), pay_in_crm, pay_in_books)


def _sale(house: House, vendor: str) -> str:
    """The id of the invoice that was born there."""
    kind, born = ("invoices", "Nora") if vendor == CRM else ("Invoice", "K-1")
    if vendor == CRM:
        native = [
            r for r in house.world.vendors[CRM].records(kind) if r["properties"]["hs_invoice_billable"] != "false"
        ]
        return str(native[-1]["id"])
    return str(next(row["Id"] for row in house.world.vendors[BOOKS].records(kind) if row.get("DocNumber") == born))


def due_in_crm(house: House) -> None:
    """Another due date in the CRM."""
    house.person(CRM, "update", "invoices", _sale(house, CRM), hs_due_date="2027-01-15")


def due_in_books(house: House) -> None:
    """Another due date in the books."""
    house.person(BOOKS, "update", "Invoice", _sale(house, BOOKS), due="2027-01-15")


def pay_in_crm(house: House) -> None:
    """A part is paid in the CRM."""
    house.person(CRM, "pay", "invoices", _sale(house, CRM), amount="10.00", reference="R-2")


def pay_in_books(house: House) -> None:
    """A part is paid in the books."""
    house.person(BOOKS, "pay", "Invoice", _sale(house, BOOKS), amount="10.00", ref="R-1")


def void_in_crm(house: House) -> None:
    """The invoice is cancelled in the CRM."""
    house.person(CRM, "void", "invoices", _sale(house, CRM))


def void_in_books(house: House) -> None:
    """The invoice is cancelled in the books."""
    house.person(BOOKS, "void", "Invoice", _sale(house, BOOKS))


def removal_in_crm(house: House) -> None:
    """The payment is taken back in the CRM."""
    made = house.world.vendors[CRM].records("commerce_payments")
    mine = next(row["id"] for row in made if row["properties"].get("hs_reference_number") == "R-2")
    house.person(CRM, "delete", "commerce_payments", mine)


def removal_in_books(house: House) -> None:
    """The payment is taken back in the books."""
    made = house.world.vendors[BOOKS].records("Payment")
    house.person(BOOKS, "delete", "Payment", next(row["Id"] for row in made if row.get("PaymentRefNum") == "R-1"))


def rotation_for_books(house: House) -> None:
    """A day later a due date has to go to the books."""
    house.run(A_DAY)
    due_in_crm(house)


def rotation_for_crm(house: House) -> None:
    """A day later a due date has to go to the CRM."""
    house.run(A_DAY)
    due_in_books(house)


SCENES: Mapping[str, Staged] = {
    act.__name__: Staged(act, start)
    for act, start in (
        (sale_in_crm, plain),
        (sale_in_books, plain),
        (due_in_crm, sold),
        (due_in_books, sold),
        (pay_in_crm, sold),
        (pay_in_books, sold),
        (void_in_crm, sold),
        (void_in_books, sold),
        (removal_in_crm, paid),
        (removal_in_books, paid),
        (rotation_for_books, sold),
        (rotation_for_crm, sold_by_consent),
    )
}


def _invoice(house: House) -> tuple[str, str]:
    """An invoice that was born in the CRM and is the same on both sides: its two ids."""
    sale_in_crm(house)
    house.start()
    house.run(300)
    house.kill()
    return _sale(house, CRM), str(house.world.vendors[BOOKS].records("Invoice")[-1]["Id"])


def update(house: House) -> None:
    """An invoice is made, and gets another due date in the CRM."""
    _invoice(house)
    due_in_crm(house)


@dataclass
class Played:
    """What became of a scene."""

    wrong: dict[str, list[str]]


def play(scene: Scene) -> Played:
    """Play a scene to its end, undisturbed."""
    house = plain().house(1)
    with house.watch.listening():
        return _played(house, scene)


def _played(house: House, scene: Scene) -> Played:
    begun = {vendor: len(house.world.vendors[vendor].journal.entries) for vendor in VENDORS}
    scene(house)
    house.start()
    unsettled = not settle(house, SHORTLY)
    late, status = late_writes(house), house.shown()
    house.kill()
    return Played(bench.judge(checkers.gather(house, begun, late, unsettled, status)))
