"""What the person of the demonstration does on both sides: scenes, each a few steps, for round after round.

A scene is a generator: it yields a `Step` or a `Find` and is handed the vendor's record as it is afterwards (None for a
`Find` that found nothing, and for a step that was to be refused). So it does no I/O itself and can be played anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

Row = Mapping[str, Any]

HUBSPOT, QUICKBOOKS = "hubspot", "quickbooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the person does on a vendor's screen.

    Attributes:
        words: one line about it; `{name}` and `{name[inner]}` are values of the record as it is afterwards.
        wrong: the person makes a mistake here, and the line says so.
        refused: the vendor's own rules forbid it.
        at_once: the next step follows without a pause.
    """

    vendor: str
    op: str
    kind: str
    words: str
    id: str | None = None
    fields: Row = field(default_factory=dict)
    wrong: bool = False
    refused: bool = False
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """The person looks for a record, and waits a while until it is there."""

    vendor: str
    kind: str
    field: str
    value: str


Scene = Generator[Step | Find, Row | None, None]

# HubSpot's contacts and QuickBooks' customers of the sandbox that are the same firms.
FIRMS = (
    ("1001", "Amy's Bird Sanctuary"),
    ("1005", "Dukes Basketball Camp"),
    ("1008", "Gevelber Photography"),
    ("1009", "Jeff's Jalopies"),
    ("1012", "Pye's Cakes"),
    ("1014", "Rago Travel Agency"),
)
# Suppliers in QuickBooks: a customer there cannot have one of these names.
SUPPLIERS = ("Hicks Hardware", "Ellis Equipment Rental", "Books by Bessie", "Tim Philip Masonry")
DESIGN, INSTALLATION, GARDENING = "3003", "3004", "3002"


def scenes(first: int = 1) -> Iterator[Scene]:
    """All scenes, for ever; a round differs from the one before in names, amounts and who it is about."""
    for number in count(first):
        yield from (scene(number) for scene in SCENES)


def sold_in_hubspot(number: int) -> Scene:
    """An invoice is drafted, finalized and paid in part in HubSpot; its due date is moved in QuickBooks."""
    contact, name = FIRMS[number % len(FIRMS)]
    lines = [{"product": DESIGN, "quantity": 1 + number % 3}, {"product": GARDENING, "quantity": 2}]
    draft = yield _hubspot("create", "invoices", f"invoice drafted for {name}", {"contact": contact, "lines": lines})
    assert draft is not None
    made = yield _hubspot("finalize", "invoices", _finalizing(name), id=draft["id"])
    assert made is not None
    invoice = made["properties"]["hs_number"]
    booked = yield Find(vendor=QUICKBOOKS, kind="Invoice", field="DocNumber", value=invoice)
    if booked is None:
        return
    words = "due date of invoice {DocNumber} moved to {DueDate}"
    yield _quickbooks("update", "Invoice", words, {"due": f"2027-02-{1 + number % 28:02d}"}, id=booked["Id"])
    words = f"payment of {{properties[hs_initial_amount]}} recorded on invoice {invoice}"
    yield _hubspot("pay", "invoices", words, {"amount": f"{40 + number % 10}.00"}, id=draft["id"])


def booked_in_quickbooks(number: int) -> Scene:
    """An invoice is made in QuickBooks and paid there in two parts."""
    name = FIRMS[(number + 1) % len(FIRMS)][1]
    lines = [{"item": "INSTALLATION", "qty": 2 + number % 3}, {"item": "PUMP", "qty": 2}]
    made = yield _booked(name, lines, number=2 * number)
    assert made is not None
    yield _paid(made, amount=Decimal("60.00"))
    yield _paid(made)


def edited_on_the_wrong_side(number: int) -> Scene:
    """Somebody changes in QuickBooks what an invoice born in HubSpot costs, and undoes it later."""
    contact, name = FIRMS[(number + 2) % len(FIRMS)]
    lines = [{"product": INSTALLATION, "quantity": 1 + number % 4}]
    made = yield _finalized(contact, name, lines)
    assert made is not None
    booked = yield Find(vendor=QUICKBOOKS, kind="Invoice", field="DocNumber", value=made["properties"]["hs_number"])
    if booked is None:
        return
    words = "a line of invoice {DocNumber} made dearer, total {TotalAmt}"
    dearer = [_dearer(line) for line in booked["Line"]]
    yield _quickbooks("update", "Invoice", words, {"Line": dearer}, id=booked["Id"], wrong=True)
    words = "that change undone, total of invoice {DocNumber} {TotalAmt} again"
    yield _quickbooks("update", "Invoice", words, {"Line": booked["Line"]}, id=booked["Id"])


def contact_without_email(number: int) -> Scene:
    """A new customer is invoiced before anybody asked for an e-mail address."""
    company = f"Harbor Bakery {number}"
    fields: Row = {"firstname": "Nora", "lastname": f"Quist {number}", "company": company}
    words = "contact {properties[company]} made, without an e-mail address"
    contact = yield _hubspot("create", "contacts", words, fields, wrong=True)
    assert contact is not None
    yield _finalized(contact["id"], company, [{"product": DESIGN, "quantity": 1}])
    words = "e-mail address of {properties[company]} filled in: {properties[email]}"
    yield _hubspot("update", "contacts", words, {"email": f"harbor-{number}@example.com"}, id=contact["id"])


def name_already_taken(number: int) -> Scene:
    """QuickBooks wants names to be unique across customers and suppliers."""
    taken = SUPPLIERS[number % len(SUPPLIERS)]
    words = f"a customer {taken} is to be made, though a supplier has that name"
    yield _quickbooks("create", "Customer", words, {"name": taken}, wrong=True, refused=True)
    fields: Row = {
        "firstname": "Ida",
        "lastname": f"Brandt {number}",
        "company": taken,
        "email": f"ida-{number}@example.com",
    }
    words = "contact {properties[company]} made, named like a supplier in QuickBooks"
    contact = yield _hubspot("create", "contacts", words, fields, wrong=True)
    assert contact is not None
    yield _finalized(contact["id"], taken, [{"product": GARDENING, "quantity": 4}])
    words = f"company of {taken} renamed to {{properties[company]}}"
    yield _hubspot("update", "contacts", words, {"company": f"{taken} Retail {number}"}, id=contact["id"])


def tax_on_the_whole_order(number: int) -> Scene:
    """A tax on the invoice as a whole has no place in the books; as a line of its own it has."""
    contact, name = FIRMS[(number + 3) % len(FIRMS)]
    work = {"product": INSTALLATION, "quantity": 1 + number % 4}
    tax = {"hs_label": "Tax 8 %", "hs_type": "PERCENT", "hs_value": "8"}
    fields: Row = {"contact": contact, "lines": [work], "taxes": [tax], "finalize": True}
    words = _finalizing(name) + ", with a tax on the whole order"
    made = yield _hubspot("create", "invoices", words, fields, wrong=True)
    assert made is not None
    own_line = {"name": "Tax 8 %", "price": str(4 * (1 + number % 4)), "quantity": 1}
    words = "tax of invoice {properties[hs_number]} turned into a line, total {properties[hs_amount_billed]}"
    yield _hubspot("update", "invoices", words, {"taxes": [], "lines": [work, own_line]}, id=made["id"])


def same_sku_twice(number: int) -> Scene:
    """Two active items with one SKU: which one is meant?"""
    words = "item {Name} made with the SKU {Sku}, which another item has"
    fields: Row = {"name": f"Sod, premium {number}", "sku": "SOD", "price": "19.00"}
    item = yield _quickbooks("create", "Item", words, fields, wrong=True)
    assert item is not None
    words = "item {Name} given the SKU {Sku}"
    yield _quickbooks("update", "Item", words, {"sku": f"SOD-PREMIUM-{number}"}, id=item["Id"])


def both_at_once(number: int) -> Scene:
    """The same customer is edited on both sides: other fields both stay, for the same field the rule decides."""
    contact, name = FIRMS[(number + 4) % len(FIRMS)]
    customer = yield Find(vendor=QUICKBOOKS, kind="Customer", field="DisplayName", value=name)
    if customer is None:
        return
    words = f"phone of {name} changed to {{properties[phone]}}"
    yield _hubspot("update", "contacts", words, {"phone": f"(650) 555-{1000 + number}"}, id=contact, at_once=True)
    words = "first name at {DisplayName} changed to {GivenName}"
    yield _quickbooks("update", "Customer", words, {"first_name": f"Robin {number}"}, id=customer["Id"])
    words = f"last name at {name} changed to {{properties[lastname]}}"
    yield _hubspot("update", "contacts", words, {"lastname": f"Marsh {number}"}, id=contact, at_once=True)
    words = "last name at {DisplayName} changed to {FamilyName}"
    yield _quickbooks("update", "Customer", words, {"last_name": f"Marsch {number}"}, id=customer["Id"])


def voided(number: int) -> Scene:
    """One invoice is voided on each side, before anything was paid."""
    contact, name = FIRMS[(number + 5) % len(FIRMS)]
    made = yield _finalized(contact, name, [{"product": DESIGN, "quantity": 2}])
    assert made is not None
    booked = yield _booked(name, [{"item": "DESIGN", "qty": 1 + number % 5}], number=2 * number + 1)
    assert booked is not None
    yield _hubspot("void", "invoices", "invoice {properties[hs_number]} voided", id=made["id"])
    yield _quickbooks("void", "Invoice", "invoice {DocNumber} voided", id=booked["Id"])


SCENES: tuple[Callable[[int], Scene], ...] = (
    sold_in_hubspot,
    booked_in_quickbooks,
    edited_on_the_wrong_side,
    contact_without_email,
    name_already_taken,
    tax_on_the_whole_order,
    voided,
    same_sku_twice,
    both_at_once,
)


def _hubspot(op: str, kind: str, words: str, fields: Row | None = None, **more: Any) -> Step:
    return Step(vendor=HUBSPOT, op=op, kind=kind, words=words, fields=fields or {}, **more)


def _quickbooks(op: str, kind: str, words: str, fields: Row | None = None, **more: Any) -> Step:
    return Step(vendor=QUICKBOOKS, op=op, kind=kind, words=words, fields=fields or {}, **more)


def _finalized(contact: str, name: str, lines: Sequence[Row]) -> Step:
    fields: Row = {"contact": contact, "lines": lines, "finalize": True}
    return _hubspot("create", "invoices", _finalizing(name), fields)


def _finalizing(name: str) -> str:
    return f"invoice {{properties[hs_number]}} finalized for {name}, " + (
        "{properties[hs_amount_billed]} {properties[hs_currency]}"
    )


def _booked(customer: str, lines: Sequence[Row], number: int) -> Step:
    # QuickBooks would go on from HubSpot's last number, and HubSpot counts for itself: so the person gives one.
    fields = {"customer": customer, "lines": lines, "number": str(2000 + number)}
    words = "invoice {DocNumber} made for {CustomerRef[name]}, {TotalAmt} {CurrencyRef[value]}"
    return _quickbooks("create", "Invoice", words, fields)


def _paid(invoice: Row, amount: Decimal | None = None) -> Step:
    """A payment received in QuickBooks, of all that is open without an amount."""
    received = f"payment of {amount}" if amount else "the rest"
    words = f"{received} received for invoice {{DocNumber}}, {{Balance}} still open"
    return _quickbooks("pay", "Invoice", words, {"amount": amount} if amount else {}, id=invoice["Id"])


def _dearer(line: Row) -> Row:
    """A line of an invoice in QuickBooks as it is after somebody has raised its price by a tenth."""
    detail = line.get("SalesItemLineDetail")
    if detail is None:
        return line
    price = (detail["UnitPrice"] * Decimal("1.1")).quantize(Decimal("0.01"))
    return {**line, "Amount": price * detail["Qty"], "SalesItemLineDetail": {**detail, "UnitPrice": price}}
