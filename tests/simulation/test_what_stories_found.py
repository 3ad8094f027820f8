"""What long stories found, each as the short scene it comes down to."""

from pathlib import Path

import pytest

from syncd.backups import Place, backup, restore
from tests.simulation import bench, checkers, scenes
from tests.simulation.house import VENDORS, House
from tests.simulation.scenes import BOOKS, CRM, plain
from tests.simulation.story import late_writes, settle


def judged(house: House) -> dict[str, list[str]]:
    """What the judges find once all has come to its end."""
    before = plain().house(1).world.vendors
    begun = {vendor: len(before[vendor].journal.entries) for vendor in VENDORS}
    unsettled = not settle(house)
    late, status = late_writes(house), house.shown()
    house.kill()
    return bench.judge(checkers.gather(house, begun, late, unsettled, status))


def made(house: House, kind: str) -> int:
    """How many of a kind we created in the CRM."""
    entries = house.world.vendors[CRM].journal.entries
    return sum((e.operation, e.kind) == ("create", kind) and e.caller != "person" for e in entries)


@pytest.mark.parametrize("which", [0, -1])
def test_a_state_from_the_middle_of_a_write_takes_no_step_twice(which: int) -> None:
    """A copy made between an invoice and its lines is put back when the lines are there: they are not made again."""
    house, copies = plain().house(1), list[Path]()
    invoices, lines = made(house, "invoices"), made(house, "line_items")
    scenes.sale_in_books(house)
    house.start()
    while made(house, "line_items") == lines:
        house.run(0.02)
        if made(house, "invoices") > invoices and made(house, "line_items") == lines:
            copies.append(house.disk.folder / f"copy-{len(copies)}.db")
            backup(Place(house.disk.folder), copies[-1], 1, house.time.now())
    house.run(30)
    house.kill()
    house.disk.inline.leave()
    restore(Place(house.disk.folder), copies[which], house.time.now())
    house.disk.open()
    house.watch.replaced()
    house.start()
    assert judged(house) == {}
    assert made(house, "line_items") == lines + 1


@pytest.mark.parametrize("several", [False, True])
def test_a_payment_of_an_invoice_that_is_gone_over_there_waits_for_nobody(several: bool) -> None:
    """It is left out, with the reason, also where it would only have been shown on the invoice."""
    house = plain().house(1)
    scenes.sale_in_books(house)
    house.start()
    house.run(120)
    mirror = house.world.vendors[CRM].records("invoices")[-1]["id"]
    house.person(CRM, "archive", "invoices", mirror)
    house.run(3700)
    invoice = house.world.vendors[BOOKS].records("Invoice")[-1]
    line = {"Amount": "10.00", "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    amount = "12.00" if several else "10.00"  # what is left over cannot be recorded in the CRM
    customer = invoice["CustomerRef"]["value"]
    house.person(BOOKS, "create", "Payment", customer=customer, amount=amount, Line=[line], ref="R-9")
    assert judged(house) == {}
    records = house.ask(lambda store: store.read(lambda tx: tx.list_records(flow="payments", limit=999).rows))
    paid = house.world.vendors[BOOKS].records("Payment")[-1]["Id"]
    assert [(r.status, r.words) for r in records if r.right == paid] == [
        ("excluded", "Its invoice is gone on the other side.")
    ]


def test_what_was_told_after_the_copy_was_made_is_told_anew() -> None:
    """A copy knows of no payment; the mirror was told of one since, which is gone by the time the copy is put back."""
    house = plain().house(1)
    scenes.sale_in_books(house)
    house.start()
    house.run(120)
    copy = house.disk.folder / "copy.db"
    backup(Place(house.disk.folder), copy, 1, house.time.now())
    invoice = house.world.vendors[BOOKS].records("Invoice")[-1]["Id"]
    house.person(BOOKS, "pay", "Invoice", invoice, amount="160.00", ref="R-1")
    house.run(120)
    mirror = house.world.vendors[CRM].records("invoices")[-1]
    assert mirror["properties"]["syncd_balance_due"] == "0"
    house.kill()
    scenes.removal_in_books(house)
    payment = house.world.vendors[CRM].records("commerce_payments")[-1]["id"]
    house.person(CRM, "delete", "commerce_payments", payment)
    house.disk.inline.leave()
    restore(Place(house.disk.folder), copy, house.time.now())
    house.disk.open()
    house.watch.replaced()
    house.start()
    assert judged(house) == {}


def test_many_new_documents_of_one_customer_who_is_not_there_yet_are_stored_as_waiting() -> None:
    """The customer's own write is being looked into: the documents wait, and daemon and customer go on."""
    house = plain().house(1)
    house.start()
    house.run(30)
    refused = {"fault": "server_error", "match": {"path": "/crm/v3/objects/contacts/batch/(create|upsert)"}}
    house.world.faults.arm(house.world.vendors[CRM], {**refused, "times": 40})
    given = {"first_name": "Otto", "last_name": "Fern", "email": "otto@books.example"}
    customer = house.person(BOOKS, "create", "Customer", name="Otto Fern", **given)["Id"]
    house.run(70)
    lines = [{"item": "PEST-CONTROL", "qty": "2", "price": "80"}]
    for number in ("K-1", "K-2", "K-3", "K-4"):
        house.person(BOOKS, "create", "Invoice", customer=customer, lines=lines, number=number, due="2026-12-24")
    house.run(90)
    records = house.ask(lambda store: store.read(lambda tx: tx.list_records(flow="invoices", limit=999).rows))
    assert [(r.status, r.code) for r in records if r.label.startswith("K-")] == [("pending", "waits_parent")] * 4
    house.world.faults.clear()
    assert judged(house) == {}
