"""Writing to HubSpot: mirrors and their lines, payments, what is refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncd.connectors.base import Advanced, Done, NotDone, Order, Refused, Stale, Unwritable
from syncd.model.nouns import Allocation, InvoiceStatus
from syncd.model.record import Op
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.contract.connectors.hubspot.conftest import MARKER, contact, create, line, mirror
from tests.contract.connectors.suite import advanced, change


def payment(*invoices, intent="m1", **values) -> Order:
    """An order to record a payment."""
    fields = {
        "customer": "1001",
        "amount": Decimal(35),
        "currency": "USD",
        "date": date(2026, 11, 3),
        "status": "succeeded",
    }
    allocations = tuple(Allocation(invoice=id) for id in invoices)
    return create(intent, Kind.PAYMENT, fields | values, allocations=allocations)


# Mirrors


async def test_a_mirror_is_made_in_two_steps_with_every_line_marked(portal):
    """First the record, which is not billable, then its lines; all carry our reference, and the answers show it all."""
    order = mirror(tax_total=Decimal("7.5"), discount=Decimal("2.5"), amount_paid=Decimal(40), balance=Decimal(60))
    first = (await portal.send([order]))[order.intent]
    done = (await portal.send([advanced(order, first)]))[order.intent]
    read = await portal.one(Kind.INVOICE, done.id)
    lines = {r["properties"]["syncd_ref"] for r in await portal.control.records("hubspot", "line_items") if _ours(r)}

    assert isinstance(first, Advanced)
    assert isinstance(done, Done)
    assert read.noun == done.snapshot.noun
    assert (Decimal(100), Decimal("7.5"), Decimal(40), Decimal(60)) == (
        read.noun.total,
        read.noun.tax_total,
        read.noun.amount_paid,
        read.noun.balance,
    )
    assert [str(a.amount) for a in read.noun.adjustments] == ["2.5"]
    assert InvoiceStatus.PARTIALLY_PAID is read.noun.status
    assert not read.torn
    assert {f"{MARKER}:a", f"{MARKER}:b"} == lines


def _ours(record):
    return (record["properties"].get("syncd_ref") or "").startswith(MARKER)


async def test_many_mirrors_share_their_requests(portal):
    """Fifty invoices of two lines are one request for the records and one for the lines."""
    orders = [mirror(intent=f"i{n}", marker=f"syncd:{n:032x}", number=str(n)) for n in range(50)]
    first = await portal.send(orders)
    before = await portal.calls()
    sends = await portal.compose([advanced(order, first[order.intent]) for order in orders])

    assert len(sends) == 1
    assert await portal.calls() == before
    assert all(isinstance(outcome, Advanced) for outcome in first.values())


async def test_an_invoice_of_many_lines_takes_further_steps(portal):
    """Two hundred and five lines are created a hundred at a time, and keep their order."""
    lines = [line(f"k{n}", str(n + 1)) for n in range(205)]
    done = await portal.write(mirror(*lines, total=Decimal(21115)))
    noun = (await portal.one(Kind.INVOICE, done.id)).noun

    assert [f"Line k{n}" for n in range(205)] == [read.name for read in noun.lines]


async def test_lines_are_changed_one_by_one(portal):
    """Of a new list, new lines are created, changed ones changed, missing ones taken away, the others left alone."""
    made = await portal.one(Kind.INVOICE, (await portal.write(mirror(*(line(k, "10") for k in "abcd")))).id)
    a, b, c, _ = made.noun.lines
    wanted = (
        replace(a, key="a"),
        line("e", "7", name="New"),
        replace(b, key="b", description="Changed"),
        replace(c, key="c"),
    )
    order = change(made, values={"total": Decimal(37)}, lines=wanted, mirror=True)
    done = await portal.write(order)
    noun = (await portal.one(Kind.INVOICE, made.id)).noun

    assert isinstance(done, Done)
    assert [read.name for read in noun.lines] == ["Line a", "New", "Line b", "Line c"]
    assert [a.id, b.id, c.id] == [noun.lines[0].id, noun.lines[2].id, noun.lines[3].id]
    assert noun.lines[2].description == "Changed"
    assert Decimal(37) == noun.total
    assert len([r for r in await portal.control.records("hubspot", "line_items") if _live_of(r, MARKER)]) == 4


def _live_of(record, marker):
    return not record.get("archived") and (record["properties"].get("syncd_ref") or "").startswith(marker)


async def test_a_mirror_can_get_another_customer_and_currency_stays(portal):
    """The contact is replaced, not added."""
    made = await portal.one(Kind.INVOICE, (await portal.write(mirror())).id)
    done = await portal.write(change(made, values={"customer": "1002"}, mirror=True))
    read = await portal.one(Kind.INVOICE, made.id)

    assert isinstance(done, Done)
    assert replace(made.noun, customer="1002") == read.noun


async def test_clearing_a_field(portal):
    """None takes a value away."""
    made = await portal.one(Kind.INVOICE, (await portal.write(mirror(po_number="7", comment="Hello"))).id)
    await portal.write(change(made, values={"po_number": None}))
    noun = (await portal.one(Kind.INVOICE, made.id)).noun

    assert (noun.po_number, noun.comment) == (None, "Hello")


async def test_dates_do_not_slide(portal):
    """A day written is the day read, in the account's zone and whatever the hour."""
    made = await portal.one(Kind.INVOICE, (await portal.write(mirror(due_date=date(2027, 1, 1)))).id)

    assert (date(2026, 11, 2), date(2027, 1, 1)) == (made.noun.issue_date, made.noun.due_date)


async def test_native_invoices_are_not_ours_to_make_or_bill(portal):
    """Creating one, or writing what HubSpot computes, is refused before anything is sent."""
    seen = await portal.one(Kind.INVOICE, "5001")
    before = await portal.calls()
    for order in (
        replace(mirror(), mirror=False),
        change(seen, values={"total": Decimal(1)}),
        change(seen, lines=seen.noun.lines),
        change(seen, values={"no_such_field": "x"}),
        Order(intent="d", op=Op.DELETE, kind=Kind.PARTY, id="1001"),
    ):
        with pytest.raises(Unwritable) as caught:
            portal.connector.compose([order], lambda: "0")
        assert caught.value.intent == order.intent

    assert before == await portal.calls()


async def test_shared_fields_of_native_invoices_are_written(portal):
    """Due date and PO number are everybody's."""
    seen = await portal.one(Kind.INVOICE, "5001")
    done = await portal.write(change(seen, values={"due_date": date(2026, 12, 24), "po_number": "PO-9"}))
    read = await portal.one(Kind.INVOICE, "5001")

    assert done.snapshot == read
    assert (date(2026, 12, 24), "PO-9") == (read.noun.due_date, read.noun.po_number)


async def test_an_overwritten_value_is_named(portal):
    """What a person set between our look and our write is told with its field; the same value twice is no loss."""
    seen = await portal.one(Kind.INVOICE, "5001")
    await portal.person("update", "invoices", "5001", hs_due_date="2027-02-03T00:00:00Z", hs_comments="Same")
    values = {"due_date": date(2026, 12, 24), "comment": "Same", "po_number": "PO-9"}
    done = (await portal.send([change(seen, values=values)]))["u1"]

    assert {"due_date": date(2027, 2, 3)} == dict(done.foreign)


async def test_an_edit_after_ours_is_in_the_snapshot(portal):
    """The look after the write shows what is there then, which may be a person's newer value."""
    await portal.control.settings("hubspot", normalise={"truncate": {"hs_comments": 5}})
    seen = await portal.one(Kind.INVOICE, "5001")
    done = await portal.write(change(seen, values={"comment": "Thank you"}))

    assert done.snapshot.noun.comment == "Thank"
    assert dict(done.foreign) == {}


async def test_changing_what_is_gone_is_stale(portal):
    """An entity that was archived meanwhile is read and decided again."""
    seen = await portal.one(Kind.PARTY, "1021")
    await portal.person("archive", "contacts", "1021")
    other = await portal.one(Kind.PARTY, "1001")
    made = await portal.send([change(seen, values={"city": "X"}), change(other, intent="u2", values={"city": "Y"})])

    assert isinstance(made["u1"], Stale)
    assert isinstance(made["u2"], Done)


async def test_one_record_is_not_changed_twice_in_a_batch(portal):
    """Two orders about one contact go in two requests."""
    seen = await portal.one(Kind.PARTY, "1001")
    orders = [change(seen, values={"city": "X"}), change(seen, intent="u2", values={"phone": "1"})]

    assert len(await portal.compose(orders)) == 2


# Contacts


async def test_a_known_address_names_its_contact(portal):
    """HubSpot refuses a second contact of one address; the refusal says which one has it."""
    outcome = (await portal.send([contact(email="birds@intuit.com")]))["p1"]

    assert isinstance(outcome, Refused)
    assert (outcome.category, outcome.existing) == ("customer_ambiguous", "1001")


async def test_values_are_refused_by_kind_of_mistake(portal):
    """The catalogue's name follows HubSpot's code, and the words are readable."""
    cases = {
        "p1": ("field_value_invalid", {"email": "not an address"}),
        "p2": ("mapping_invalid", {"custom.no_such_property": "x"}),
        "p3": ("field_not_writable", {"custom.hs_object_id": "7"}),
    }
    orders = [contact(n, **fields) for n, (_, fields) in enumerate(cases.values(), 1)]
    made = await portal.send([*orders, contact(9)])

    assert {intent: category for intent, (category, _) in cases.items()} == {
        intent: made[intent].category for intent in cases
    }
    assert all("{" not in made[intent].words for intent in cases)
    assert isinstance(made["p9"], Done)


async def test_a_contact_has_no_name_of_its_own(portal):
    """A list name that comes with a create is left out: contacts show the name's parts."""
    done = await portal.write(contact(name="New Person"))

    assert (done.snapshot.noun.first_name, done.snapshot.noun.name) == ("New 1", None)


# Payments


async def test_a_payment_pays_its_invoice(portal):
    """It is tied to invoice and contact, and HubSpot counts it."""
    done = await portal.write(payment("5001"))
    read, invoice = await portal.one(Kind.PAYMENT, done.id), await portal.one(Kind.INVOICE, "5001")

    assert done.snapshot == read
    assert (("5001",), "1001", date(2026, 11, 3)) == (
        tuple(a.invoice for a in read.noun.allocations),
        read.noun.customer,
        read.noun.date,
    )
    assert InvoiceStatus.PAID is invoice.noun.status


async def test_a_payment_is_changed_moved_and_taken_back(portal):
    """Properties, the invoices it pays, and its end."""
    made = await portal.one(Kind.PAYMENT, (await portal.write(payment("5001"))).id)
    moved = change(made, values={"reference": "X-1"}, allocations=(Allocation(invoice="5002"),))
    await portal.write(moved)
    read = await portal.one(Kind.PAYMENT, made.id)
    gone = await portal.write(Order(intent="d1", op=Op.DELETE, kind=Kind.PAYMENT, id=made.id, seen=read))

    assert (read.noun.reference, [a.invoice for a in read.noun.allocations]) == ("X-1", ["5002"])
    assert isinstance(gone, Done)
    assert Presence.ARCHIVED is (await portal.one(Kind.PAYMENT, made.id)).presence


async def test_without_a_processor_payments_are_refused_once(portal):
    """The first refusal settles it: this account cannot record payments, and no other request is wasted on one."""
    await portal.control.settings("hubspot", processor_connected=False)
    first = (await portal.send([payment("5001")]))["m1"]
    account = await portal.connector.account()
    with pytest.raises(Unwritable) as caught:
        await portal.compose([payment("5001")])

    assert isinstance(first, Refused)
    assert "state_not_allowed" == first.category == caught.value.category
    assert Kind.PAYMENT not in account.writable


async def test_a_bad_payment_says_nothing_about_the_account(portal):
    """A refusal of one value leaves payments possible."""
    outcome = (await portal.send([payment("5001", **{"custom.nothing": "x"})]))["m1"]

    assert outcome.category == "mapping_invalid"
    assert Kind.PAYMENT in (await portal.connector.account()).writable


async def test_payments_can_be_switched_off(portal):
    """Who knows that none can be recorded says so."""
    async with portal.another(options={**portal.settings.options, "payments": "off"}) as other:
        with pytest.raises(Unwritable):
            await other.compose([payment("5001")])

        assert Kind.PAYMENT not in (await other.connector.account()).writable


async def test_a_batch_that_is_refused_as_a_whole_is_tried_one_by_one(portal):
    """Without a word on who is to blame nothing of it is done; alone, each shows its own face."""
    orders = [payment("5001", intent="m1"), payment("99999999", intent="m2", customer=None)]
    orders = [replace(order, marker=f"syncd:{n:032x}") for n, order in enumerate(orders)]
    made = await portal.send(orders)
    if any(isinstance(outcome, NotDone) for outcome in made.values()):
        assert len(await portal.compose(orders)) == 2
        made = await portal.send([order for order in orders if isinstance(made[order.intent], NotDone)]) | {
            intent: outcome for intent, outcome in made.items() if not isinstance(outcome, NotDone)
        }

    assert isinstance(made["m2"], Refused)
    assert made["m2"].category == "record_gone"
    assert isinstance(made["m1"], Done)
