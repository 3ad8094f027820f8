"""The QuickBooks connector against the sandbox's QuickBooks, over real HTTP."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from syncd.clock import SystemChance
from syncd.connectors.base import (
    Condition,
    ConnectionTrouble,
    Done,
    MappedField,
    NotDone,
    Order,
    Refused,
    Severity,
    Stale,
    Unknown,
    Unwritable,
)
from syncd.connectors.http import AioTransport
from syncd.connectors.quickbooks import connect
from syncd.connectors.quickbooks.connector import QuickBooks
from syncd.connectors.settings import ConnectionSettings
from syncd.core.filter_values import FieldType
from syncd.model.nouns import Allocation, InvoiceStatus, Line, PaymentStatus
from syncd.model.record import Op
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Presence
from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import create_world
from tests.contract.connectors.suite import Drawer, SkippingClock

KINDS = (Kind.PARTY, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT)
MARKER = "syncd:" + "5a" * 16
AMY, JOB, JOBS_PARENT = "1", "8", "7"
GARDENING, PUMP = "6", "11"
NOW = datetime.now(UTC)
TODAY = date(2026, 11, 2)


@dataclass
class Bench:
    """A sandbox, a hand on it, and a connector to its company."""

    url: str
    control: Control
    drawer: Drawer
    settings: ConnectionSettings
    books: QuickBooks

    def another(self, **changes) -> QuickBooks:
        """A connector as after a restart."""
        settings = replace(self.settings, **changes)
        return connect(settings, AioTransport(), SkippingClock(), SystemChance(), self.drawer)

    async def calls(self, after: int = 0) -> list[str]:
        """`METHOD last-part-of-path` of the requests since."""
        seen = await self.control.requests("quickbooks", after)
        return [f"{r['method']} {r['path'].rsplit('/', 1)[1]}" for r in seen]

    async def seq(self) -> int:
        requests = await self.control.requests("quickbooks")
        return requests[-1]["seq"] if requests else 0

    async def written(self, kind: str) -> list:
        return [e for e in await self.control.journal("quickbooks") if e["kind"] == kind and e["caller"] != "person"]

    async def write(self, *orders: Order):
        """Compose and send; outcomes by intent."""
        (send,) = await self.composed(*orders)
        outcomes = await self.books.transmit(send, {o.intent: o for o in orders})
        return outcomes[0] if len(orders) == 1 else {o.intent: o for o in outcomes}

    async def composed(self, *orders: Order):
        await self.books.fresh(orders)
        numbers = count(int(time.time_ns()))
        return self.books.compose(orders, lambda: f"{next(numbers):032x}")

    async def one(self, kind: Kind, id: str):
        return (await self.books.read(kind, [id]))[id]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with serving(create_world()) as url, Control(url) as control:
        keys = (await control.credentials())["quickbooks"]
        settings = ConnectionSettings(
            name="books",
            vendor="quickbooks",
            url=f"{url}/quickbooks",
            client_id=keys["client_id"],
            client_secret=keys["client_secret"],
            refresh_token=keys["refresh_token"],
            account=keys["realm_id"],
            options={"po_field": "Crew #"},
        )
        drawer = Drawer()
        books = connect(settings, AioTransport(), SkippingClock(), SystemChance(), drawer)
        yield Bench(url, control, drawer, settings, books)
        await books.close()


def line(amount: str, quantity: str | None = None, price: str | None = None, **more) -> Line:
    fields = {"product": GARDENING, "description": "Gardening", **more}
    return Line(
        amount=Decimal(amount),
        quantity=None if quantity is None else Decimal(quantity),
        unit_price=None if price is None else Decimal(price),
        **fields,
    )


def new_invoice(intent: str = "i1", number: str = "HS-1", marker: str = MARKER, **values) -> Order:
    return Order(
        intent=intent,
        op=Op.CREATE,
        kind=Kind.INVOICE,
        values={"customer": AMY, "number": number, "issue_date": TODAY, "due_date": date(2026, 12, 2)} | values,
        lines=(line("90", "3", "30"),),
        marker=marker,
    )


def new_party(intent: str = "p1", **values) -> Order:
    fields = {"name": "Zoe Zander", "email": "zoe@example.com"} | values
    return Order(intent=intent, op=Op.CREATE, kind=Kind.PARTY, values=fields, marker=MARKER)


def change(seen, intent: str = "u1", **parts) -> Order:
    return Order(intent=intent, op=Op.UPDATE, kind=seen.kind, id=seen.id, if_version=seen.version, seen=seen, **parts)


async def everything(books: QuickBooks, cursors=None, kinds=KINDS):
    """All sightings of a poll, and the cursors after it."""
    seen, after = [], dict(cursors or {})
    async for page in books.changes_since(cursors or {}, kinds, NOW):
        seen += page.sightings
        after |= page.cursors
    return seen, after


# Reading


async def test_account_says_currency_country_and_rules(bench):
    """The account tells what may be written: currency, country, numbers, closing date."""
    account = await bench.books.account()

    assert bench.settings.account == account.id
    assert (
        account.currency,
        account.country,
        account.multi_currency,
        account.taxes_required,
    ) == ("USD", "US", False, False)
    assert date(2018, 12, 31) == account.books_closed_until


async def test_first_poll_lists_everything_and_the_next_is_one_call(bench):
    """Without cursors all kinds are listed with full snapshots; with them an unchanged company costs one call."""
    seen, cursors = await everything(bench.books)
    kinds = {kind: [s for s in seen if s.kind is kind] for kind in KINDS}
    before = await bench.seq()
    again, _ = await everything(bench.books, cursors)

    assert len(kinds[Kind.INVOICE]) == 31
    assert all(kinds.values())
    assert all(s.snapshot is not None and not s.snapshot.torn for s in seen)
    assert set(KINDS) == set(cursors)
    assert again == []
    assert await bench.calls(before) == ["GET cdc"]


async def test_poll_brings_edits_voids_and_tombstones(bench):
    """One poll shows what people edited, voided and deleted, whole."""
    (open_one,) = [s for s in (await everything(bench.books))[0] if s.kind is Kind.INVOICE and s.id == "49"]
    _, cursors = await everything(bench.books)
    await bench.control.person("quickbooks", "update", "Invoice", "49", {"DueDate": "2027-01-31"})
    await bench.control.person("quickbooks", "void", "Invoice", "129")
    made = await bench.control.person("quickbooks", "create", "Payment", fields={"customer": AMY, "amount": 5})
    await bench.control.person("quickbooks", "delete", "Payment", made["Id"])
    seen = {(s.kind, s.id): s for s in (await everything(bench.books, cursors))[0]}

    edited = seen[Kind.INVOICE, "49"]
    assert open_one.version != edited.version
    assert date(2027, 1, 31) == edited.snapshot.noun.due_date
    assert InvoiceStatus.VOIDED is seen[Kind.INVOICE, "129"].snapshot.noun.status
    assert Presence.DELETED is seen[Kind.PAYMENT, made["Id"]].presence


async def test_inactive_entities_are_listed_with_the_name_they_had(bench):
    """A customer made inactive stays, under the name without the vendor's suffix."""
    made = await bench.control.person("quickbooks", "create", "Customer", fields={"DisplayName": "Old Friend"})
    await bench.control.person("quickbooks", "update", "Customer", made["Id"], {"Active": False})
    seen = {s.id: s for s in (await everything(bench.books, kinds=(Kind.PARTY,)))[0]}

    assert (seen[made["Id"]].snapshot.noun.name, seen[made["Id"]].snapshot.noun.active) == ("Old Friend", False)


async def test_sub_customers_name_their_topmost_parent(bench):
    """A job of a job points at the customer at the top, however it is read."""
    deep = await bench.control.person(
        "quickbooks",
        "create",
        "Customer",
        fields={"DisplayName": "Shed", "ParentRef": {"value": JOB}, "Job": True},
    )
    listed = {s.id: s.snapshot for s in (await everything(bench.books, kinds=(Kind.PARTY,)))[0]}
    read = await bench.one(Kind.PARTY, deep["Id"])

    assert JOBS_PARENT == listed[deep["Id"]].noun.parent == read.noun.parent
    assert listed[JOB].noun.parent == JOBS_PARENT
    assert listed[JOBS_PARENT].noun.parent is None


async def test_read_tells_what_is_gone(bench):
    """Ids that exist are whole, the others deleted, which one more question has to prove."""
    await bench.books.account()
    before = await bench.seq()
    read = await bench.books.read(Kind.INVOICE, ["49", "999999"])

    assert Decimal("954.75") == read["49"].noun.total
    assert Presence.DELETED is read["999999"].presence
    assert await bench.calls(before) == ["GET query", "GET 999999"]


async def test_find_by_every_key(bench):
    """E-mail without case, name, SKU and number find their entities; unknown keys and markers nothing; one call."""
    await bench.books.account()
    emails = [MatchKey("email", "sporting_goods@intuit.com"), MatchKey("email", "nobody@example.com")]
    before = await bench.seq()
    parties = await bench.books.find(Kind.PARTY, [*emails, MatchKey("name", "Amy's Bird Sanctuary")])
    calls = await bench.calls(before)
    numbers = await bench.books.find(Kind.INVOICE, [MatchKey("number", "1015"), MatchKey("marker", MARKER)])
    skus = await bench.books.find(Kind.PRODUCT, [MatchKey("sku", "PAVER-STONE")])

    assert {"7", "8", "9"} == {s.id for s in parties[emails[0]]}
    assert parties[emails[1]] == ()
    assert [s.id for s in parties[MatchKey("name", "Amy's Bird Sanctuary")]] == [AMY]
    assert calls == ["POST batch"]
    assert [s.id for s in numbers[MatchKey("number", "1015")]] == ["49"]
    assert numbers[MatchKey("marker", MARKER)] == ()
    assert len(skus[MatchKey("sku", "PAVER-STONE")]) == 2


async def test_find_when_the_vendor_minds_case_and_leaves_out_skus(bench):
    """Where case counts and `*` has no SKU, an address is found in the form given, and SKUs all the same."""
    await bench.control.settings("quickbooks", query_case_sensitive=True, select_star_omits_sku=True)
    email, sku = MatchKey("email", "Sporting_goods@intuit.com"), MatchKey("sku", "PAVER-STONE")

    assert len((await bench.books.find(Kind.PARTY, [email]))[email]) == 3
    assert len((await bench.books.find(Kind.PRODUCT, [sku]))[sku]) == 2


async def test_poll_after_a_long_pause_lists_everything(bench):
    """A cursor the change feed cannot reach back to brings the whole list, and a usable cursor."""
    _, cursors = await everything(bench.books)
    long_ago = dict.fromkeys(cursors, (NOW - timedelta(days=40)).isoformat())
    listed, after = await everything(bench.books, long_ago)
    await bench.control.advance(35 * 86400)
    relisted, _ = await everything(bench.books, cursors)

    assert len(listed) == len(relisted) == 98
    assert long_ago.keys() == after.keys()
    assert long_ago != after


async def test_many_keys_are_asked_in_one_batch(bench):
    """Six hundred names, quotes among them, are one call."""
    await bench.books.account()
    keys = [MatchKey("name", f"Somebody's {n:04}") for n in range(600)]
    before = await bench.seq()
    found = await bench.books.find(Kind.PARTY, [*keys, MatchKey("name", "Amy's Bird Sanctuary")])

    assert len(found) == 601
    assert [s.id for s in found[MatchKey("name", "Amy's Bird Sanctuary")]] == [AMY]
    assert await bench.calls(before) == ["POST batch"]


# Writing


async def test_create_of_each_kind(bench):
    """Customer, item, invoice and payment are created as ordered, with our reference, and come back as snapshots."""
    party = await bench.write(
        new_party(
            name="Acme: Paris", first_name="Zoe", phone="555 1", street="1 Rue\nBack", city="Paris", company="Acme"
        )
    )
    item = await bench.write(
        Order(
            intent="t1",
            op=Op.CREATE,
            kind=Kind.PRODUCT,
            values={
                "name": "Custom Line Item",
                "sku": "CLI",
                "unit_price": Decimal("1.5"),
                "income_account": "Sales of Product Income",
            },
        )
    )
    invoice = await bench.write(
        replace(
            new_invoice(customer=party.id, comment="Thanks", po_number="PO-7", discount=Decimal("10")),
            lines=(line("90", "3", "30", product=item.id), line("33.33", "3", "11.11"), Line(description="A word")),
        )
    )
    payment = await bench.write(
        Order(
            intent="y1",
            op=Op.CREATE,
            kind=Kind.PAYMENT,
            values={"customer": party.id, "amount": Decimal("50"), "date": TODAY, "reference": "ch_1"},
            allocations=(Allocation(invoice=invoice.id),),
            marker=MARKER,
        )
    )
    after = await bench.one(Kind.INVOICE, invoice.id)

    assert (
        party.snapshot.noun.name,
        party.snapshot.noun.street,
        party.snapshot.noun.city,
    ) == ("Acme Paris", "1 Rue\nBack", "Paris")
    assert ("CLI", Decimal("1.5")) == (item.snapshot.noun.sku, item.snapshot.noun.unit_price)
    noun = invoice.snapshot.noun
    assert ("HS-1", Decimal("113.33"), "Thanks", "PO-7") == (noun.number, noun.total, noun.comment, noun.po_number)
    assert [Decimal("90"), Decimal("33.33"), None] == [each.amount for each in noun.lines]
    assert [Decimal("10")] == [a.amount for a in noun.adjustments]
    assert MARKER == party.snapshot.marker == invoice.snapshot.marker == payment.snapshot.marker
    assert (Allocation(invoice=invoice.id, amount=Decimal("50")),) == payment.snapshot.noun.allocations
    assert (InvoiceStatus.PARTIALLY_PAID, Decimal("63.33")) == (after.noun.status, after.noun.balance)
    assert payment.request_id


async def test_batch_is_one_call_and_every_item_has_its_own_outcome(bench):
    """Thirty-one orders make two sends; one refused item does not touch the others."""
    orders = [new_party(f"p{n}", name=f"Customer {n}", email=f"c{n}@example.com") for n in range(30)]
    sends = await bench.composed(*orders, new_party("p30", name="Customer 30"))
    taken = [*orders[:3], new_party("taken", name="Amy's Bird Sanctuary")]
    outcomes = await bench.write(*taken)

    assert [len(send.items) for send in sends] == [30, 1]
    assert all(len(key) <= 10 for send in sends for key in send.items.values())
    assert all(send.replayable and f"requestid={send.id}" in send.path for send in sends)
    assert all(isinstance(outcomes[f"p{n}"], Done) for n in range(3))
    refused = outcomes["taken"]
    assert isinstance(refused, Refused)
    assert refused.category == "duplicate_display_name"


async def test_taken_number_names_its_holder(bench):
    """A number that is used already is refused with the id of the invoice that has it."""
    await bench.write(new_invoice("first"))
    refused = await bench.write(new_invoice("second"))

    (holder,) = (await bench.books.find(Kind.INVOICE, [MatchKey("number", "HS-1")]))[MatchKey("number", "HS-1")]
    assert refused.category == "duplicate_document_number"
    assert holder.id == refused.existing


async def test_amount_that_is_no_product_of_quantity_and_price_is_still_posted_to_the_cent(bench):
    """Three at 33.33 for 100.00 goes over as an amount, with the count in words."""
    done = await bench.write(replace(new_invoice(), lines=(line("100.00", "3", "33.33"),)))

    (made,) = done.snapshot.noun.lines
    assert (Decimal("100.00"), Decimal("100.00")) == (made.amount, done.snapshot.noun.total)
    assert made.quantity is None
    assert "33.33" in made.description


async def test_line_without_product_and_unknown_fields_are_unwritable(bench):
    """What the vendor would drop in silence is refused before it is sent."""
    for order, category in (
        (replace(new_invoice(), lines=(line("5", product=None),)), "field_required"),
        (new_invoice(**{"custom.Nowhere": "x"}), "field_not_writable"),
        (new_invoice(sales_rep="x"), "field_not_writable"),
        (Order(intent="t", op=Op.CREATE, kind=Kind.PRODUCT, values={"name": "X"}), "field_required"),
        (
            Order(intent="t", op=Op.CREATE, kind=Kind.PRODUCT, values={"name": "X", "income_account": "No"}),
            "field_value_invalid",
        ),
    ):
        with pytest.raises(Unwritable) as refused:
            await bench.composed(order)

        assert category == refused.value.category


async def test_update_changes_what_is_named_and_stale_ones_are_told(bench):
    """A sparse update leaves the rest; the same version a second time is stale."""
    seen = await bench.one(Kind.PARTY, AMY)
    before = await bench.seq()
    done = await bench.write(change(seen, values={"phone": "555 9"}))
    stale = await bench.write(change(seen, values={"phone": "555 8"}))

    assert replace(seen.noun, phone="555 9") == done.snapshot.noun
    assert isinstance(stale, Stale)
    assert await bench.calls(before) == ["POST batch", "POST batch"]


async def test_address_parts_we_do_not_write_survive(bench):
    """A new city keeps the street."""
    seen = await bench.one(Kind.PARTY, AMY)
    done = await bench.write(change(seen, values={"city": "Elsewhere"}))

    assert (seen.noun.street, "Elsewhere", seen.noun.postal_code) == (
        done.snapshot.noun.street,
        done.snapshot.noun.city,
        done.snapshot.noun.postal_code,
    )


async def test_new_lines_are_laid_over_the_old_ones(bench):
    """What stands on a line and its invoice beside what we map survives an edit of the lines."""
    seen = await bench.one(Kind.INVOICE, "49")
    (before,) = [r for r in await bench.control.records("quickbooks", "Invoice") if r["Id"] == "49"]
    lines = (
        replace(seen.noun.lines[0], quantity=Decimal(5), amount=Decimal(375)),
        *seen.noun.lines[2:],
        line("20", "1", "20"),
    )
    done = await bench.write(change(seen, lines=lines))
    (after,) = [r for r in await bench.control.records("quickbooks", "Invoice") if r["Id"] == "49"]

    assert [Decimal(375), Decimal(275), Decimal(180), Decimal(20)] == [each.amount for each in done.snapshot.noun.lines]
    assert before["Line"][0]["LinkedTxn"] == after["Line"][0]["LinkedTxn"]
    (discount,) = [each for each in after["Line"] if each["DetailType"] == "DiscountLineDetail"]
    assert (
        discount["DiscountLineDetail"]["PercentBased"],
        discount["DiscountLineDetail"]["DiscountAccountRef"]["value"],
    ) == (True, "86")
    assert after["Line"][3]["SalesItemLineDetail"]["TaxCodeRef"]["value"] == "NON"


async def test_purchase_order_number_and_discount_can_be_changed_alone(bench):
    """The custom field and the invoice's discount are replaced, the lines are not."""
    made = (await bench.write(new_invoice())).snapshot
    done = await bench.write(change(made, values={"po_number": "PO-9", "discount": Decimal("5.50")}))
    again = await bench.write(change(done.snapshot, values={"discount": None}))

    assert ("PO-9", Decimal("84.50")) == (done.snapshot.noun.po_number, done.snapshot.noun.total)
    assert ("PO-9", Decimal("90")) == (again.snapshot.noun.po_number, again.snapshot.noun.total)


async def test_void_and_delete(bench):
    """An invoice and a payment are voided one by one, a payment deleted, a customer made inactive."""
    invoice = (await bench.write(new_invoice())).snapshot
    pay = Order(
        intent="y",
        op=Op.CREATE,
        kind=Kind.PAYMENT,
        values={"customer": AMY, "amount": Decimal("10")},
        allocations=(Allocation(invoice=invoice.id, amount=Decimal("10")),),
        marker=MARKER,
    )
    first, second = (await bench.write(pay)).snapshot, (await bench.write(pay)).snapshot
    voided = await bench.write(Order(intent="v", op=Op.VOID, kind=Kind.PAYMENT, id=first.id, if_version=first.version))
    deleted = await bench.write(
        Order(intent="d", op=Op.DELETE, kind=Kind.PAYMENT, id=second.id, if_version=second.version)
    )
    now = await bench.one(Kind.INVOICE, invoice.id)
    gone = await bench.write(Order(intent="i", op=Op.VOID, kind=Kind.INVOICE, id=now.id, if_version=now.version))
    person = (await bench.write(new_party())).snapshot
    retired = await bench.write(
        Order(intent="r", op=Op.DELETE, kind=Kind.PARTY, id=person.id, if_version=person.version)
    )

    assert (voided.snapshot.noun.status, voided.snapshot.marker) == (PaymentStatus.VOIDED, MARKER)
    assert Presence.DELETED is deleted.snapshot.presence
    assert (gone.snapshot.noun.status, gone.snapshot.marker) == (InvoiceStatus.VOIDED, MARKER)
    assert not retired.snapshot.noun.active


async def test_payment_can_be_spread_anew(bench):
    """The allocations of a payment are replaced as a whole."""
    made = await bench.write(new_invoice("a", "HS-1"), new_invoice("b", "HS-2", "syncd:" + "6b" * 16))
    one, two = made["a"].id, made["b"].id
    paid = await bench.write(
        Order(
            intent="y",
            op=Op.CREATE,
            kind=Kind.PAYMENT,
            values={"customer": AMY, "amount": Decimal("60")},
            allocations=(Allocation(invoice=one, amount=Decimal("60")),),
        )
    )
    parts = (Allocation(invoice=one, amount=Decimal("20")), Allocation(invoice=two, amount=Decimal("40")))
    done = await bench.write(change(paid.snapshot, allocations=parts))

    assert parts == done.snapshot.noun.allocations
    assert Decimal("70") == (await bench.one(Kind.INVOICE, one)).noun.balance


async def test_closed_books_and_unknown_customers_are_refused_by_name(bench):
    """The vendor's refusals come back as names of the catalogue."""
    closed = await bench.write(new_invoice(issue_date=date(2018, 6, 1), due_date=date(2018, 7, 1)))
    unknown = await bench.write(new_invoice(customer="424242"))

    assert closed.category == "accounting_period_closed"
    assert unknown.category == "field_value_invalid"
    assert unknown.words


async def test_currencies_taxes_and_applied_payments_are_refused_by_name(bench):
    """Another currency than the customer's, a line without the tax code Canada wants, a void of what is paid."""
    await bench.control.settings("quickbooks", MultiCurrency=True)
    euro = await bench.write(new_invoice(currency="EUR"))
    dollar = await bench.write(new_invoice(currency="USD"))
    await bench.control.settings("quickbooks", MultiCurrency=False, Country="CA")
    account = await bench.books.account()
    untaxed = await bench.write(new_invoice(number="HS-2"))
    paid = await bench.one(Kind.INVOICE, "71")
    void = await bench.write(Order(intent="v", op=Op.VOID, kind=Kind.INVOICE, id="71", if_version=paid.version))

    assert euro.category == "currency_mismatch"
    assert isinstance(dollar, Done)
    assert account.taxes_required
    assert untaxed.category == "tax_code_required"
    assert void.category == "state_not_allowed"


# Lost answers


@pytest.mark.parametrize("age", [5.0, 7200.0])
async def test_answer_lost_after_the_commit_is_proved_not_repeated(bench, age):
    """Whether replayed by its key or looked up in the books, a create whose answer was lost is found, once."""
    orders = (
        new_party(),
        new_invoice(),
        Order(
            intent="t1",
            op=Op.CREATE,
            kind=Kind.PRODUCT,
            values={"name": "Thing", "sku": "TH-1", "income_account": "Sales of Product Income"},
        ),
        Order(
            intent="y1",
            op=Op.CREATE,
            kind=Kind.PAYMENT,
            values={"customer": AMY, "amount": Decimal("5")},
            marker="syncd:" + "7c" * 16,
        ),
    )
    (send,) = await bench.composed(*orders)
    await bench.control.arm("quickbooks", "timeout_after_commit", {"path": ".*/batch"}, times=1)
    by_intent = {order.intent: order for order in orders}
    lost = await bench.books.transmit(send, by_intent)
    found = await bench.books.resolve(send, by_intent, age)

    assert {Unknown} == {type(outcome) for outcome in lost}
    assert {Done} == {type(outcome) for outcome in found}
    assert len(orders) == len({(by_intent[o.intent].kind, o.id) for o in found})
    for kind in ("Customer", "Invoice", "Item", "Payment"):
        assert len(await bench.written(kind)) == 1, kind


async def test_request_that_never_arrived(bench):
    """A create that the books do not show is open until it can no longer be carried out late, then not done."""
    order = new_invoice()
    (send,) = await bench.composed(order)
    await bench.control.arm("quickbooks", "reset_before", {"path": ".*/batch"}, times=1)
    by_intent = {order.intent: order}
    (lost,) = await bench.books.transmit(send, by_intent)
    (not_done,) = await bench.books.resolve(send, by_intent, 7200.0)
    (replayed,) = await bench.books.resolve(send, by_intent, 5.0)

    assert isinstance(lost, Unknown)
    assert isinstance(not_done, NotDone)
    assert isinstance(replayed, Done)
    assert len(await bench.written("Invoice")) == 1


async def test_commit_that_comes_late_is_not_joined_by_a_second_one(bench):
    """A request that the vendor carries out after we have repeated it: its key keeps it single."""
    order = new_invoice()
    (send,) = await bench.composed(order)
    await bench.control.arm("quickbooks", "late_commit", {"path": ".*/batch"}, times=1, options={"delay": 60})
    by_intent = {order.intent: order}
    (lost,) = await bench.books.transmit(send, by_intent)
    (found,) = await bench.books.resolve(send, by_intent, 5.0)
    await bench.control.advance(120)
    await bench.books.account()

    assert isinstance(lost, Unknown)
    assert isinstance(found, Done)
    assert len(await bench.written("Invoice")) == 1


async def test_lost_updates_are_told_by_their_version(bench):
    """An update that was carried out is done; one that was not is not done; one that was overtaken is stale."""
    seen = await bench.one(Kind.PARTY, AMY)
    order = change(seen, values={"phone": "555 7"})
    (send,) = await bench.composed(order)
    by_intent = {order.intent: order}
    (untouched,) = await bench.books.resolve(send, by_intent, 7200.0)
    await bench.books.transmit(send, by_intent)
    (done,) = await bench.books.resolve(send, by_intent, 7200.0)
    await bench.control.person("quickbooks", "update", "Customer", AMY, {"PrimaryPhone": {"FreeFormNumber": "1"}})
    (overtaken,) = await bench.books.resolve(send, by_intent, 7200.0)

    assert isinstance(untouched, NotDone)
    assert isinstance(done, Done)
    assert isinstance(overtaken, Stale)


@pytest.mark.parametrize("fault", ["server_error", "not_json", "truncated_json", "empty_200"])
async def test_useless_answers_to_writes_are_unknown(bench, fault):
    """An answer that says nothing leaves a write unknown, never failed and never done."""
    order = new_party()
    (send,) = await bench.composed(order)
    await bench.control.arm("quickbooks", fault, {"path": ".*/batch"}, times=1)
    (outcome,) = await bench.books.transmit(send, {order.intent: order})

    assert isinstance(outcome, Unknown)


async def test_items_the_answer_leaves_out_are_unknown(bench):
    """A batch answered in part: what is missing is unknown, the rest is settled."""
    orders = [new_party(f"p{n}", name=f"Part {n}") for n in range(3)]
    await bench.books.account()  # so that the next batch is the one with the orders
    await bench.control.arm("quickbooks", "partial", {"path": ".*/batch"}, times=1)
    outcomes = await bench.write(*orders)

    kinds = {type(outcome) for outcome in outcomes.values()}
    assert {Done, Unknown} == kinds


async def test_throttled_writes_and_items_are_not_done(bench):
    """Too fast: certainly not carried out, with the time to wait; for one item as for the whole."""
    order = new_party()
    (send,) = await bench.composed(order)
    await bench.control.arm(
        "quickbooks", "error_code", {"path": ".*/batch"}, times=1, options={"code": 3001, "http": 429}
    )
    (whole,) = await bench.books.transmit(send, {order.intent: order})
    await bench.control.arm(
        "quickbooks", "item_fault", {"path": ".*/batch"}, times=1, options={"code": 3001, "item": 2}
    )
    items = await bench.write(new_party("a", name="A"), new_party("b", name="B"))

    assert (NotDone, 60.0) == (type(whole), whole.after)
    assert (Done, NotDone) == (type(items["a"]), type(items["b"]))


async def test_throttled_questions_are_asked_again(bench):
    """A question throttled inside a batch is repeated alone, after a pause."""
    await bench.books.account()
    keys = [MatchKey("name", "Amy's Bird Sanctuary"), MatchKey("email", "birds@intuit.com")]
    await bench.control.arm(
        "quickbooks", "item_fault", {"path": ".*/batch"}, times=1, options={"code": 3001, "item": 1}
    )
    before = await bench.seq()
    found = await bench.books.find(Kind.PARTY, keys)

    assert [AMY] == [s.id for s in found[keys[0]]] == [s.id for s in found[keys[1]]]
    assert len(await bench.calls(before)) == 2


# Credentials


async def test_expired_token_is_renewed_once_and_nothing_is_lost(bench):
    """A token that stopped working is renewed behind a read and behind a write."""
    await bench.books.account()
    await bench.control.advance(2 * 3600)
    await bench.books.account()
    await bench.control.advance(2 * 3600)
    done = await bench.write(new_party())

    assert isinstance(done, Done)
    assert (await bench.calls()).count("POST bearer") == 3


async def test_kept_token_survives_a_restart(bench):
    """A new process uses the kept access token without asking for another."""
    await bench.books.account()
    restarted = bench.another()
    await restarted.account()
    await restarted.close()

    assert (await bench.calls()).count("POST bearer") == 1


async def test_rotated_refresh_token_is_kept(bench):
    """After a day the refresh token changes; the kept one goes on working when the first has died."""
    await bench.books.account()
    for _ in range(3):
        await bench.control.advance(25 * 3600)
        await bench.books.account()
    restarted = bench.another()
    await bench.control.advance(25 * 3600)
    await restarted.account()
    await restarted.close()
    bench.drawer.kept.clear()
    forgetful = bench.another()
    with pytest.raises(ConnectionTrouble):
        await forgetful.account()
    await forgetful.close()


@pytest.mark.parametrize("how", ["invalid_grant", "app_connected", "keys"])
async def test_lost_authorization_is_the_connections_trouble(bench, how):
    """Refused keys, a refused refresh and a disconnected app all end as `authorization_lost`."""
    books = bench.books
    if how == "invalid_grant":
        await bench.control.arm("quickbooks", "invalid_grant", {"path": ".*/bearer"})
    elif how == "app_connected":
        await bench.control.settings("quickbooks", app_connected=False)
    else:
        books = bench.another(client_secret="wrong")
    with pytest.raises(ConnectionTrouble) as trouble:
        await books.account()
    findings = await books.check(KINDS)
    await books.close()

    assert Condition.AUTHORIZATION_LOST is trouble.value.condition
    assert [f.severity for f in findings if f.severity is not Severity.OK] == [Severity.ERROR]


async def test_write_with_lost_authorization_is_trouble(bench):
    """A write at a door that is closed raises; nothing was written."""
    order = new_party()
    (send,) = await bench.composed(order)
    await bench.control.settings("quickbooks", app_connected=False)
    with pytest.raises(ConnectionTrouble) as trouble:
        await bench.books.transmit(send, {order.intent: order})

    assert Condition.AUTHORIZATION_LOST is trouble.value.condition
    assert await bench.written("Customer") == []


async def test_vendor_that_is_down_is_unavailable(bench):
    """Server errors on reads are repeated a few times, then the connection says so."""
    await bench.control.arm("quickbooks", "server_error")
    with pytest.raises(ConnectionTrouble) as trouble:
        await bench.books.account()

    assert Condition.VENDOR_UNAVAILABLE is trouble.value.condition


# Check


async def test_check_names_what_will_hurt(bench):
    """Numbers, items without SKU and doubled SKUs are found; income accounts are known by name."""
    codes = {finding.code for finding in await bench.books.check(KINDS)}

    assert {"duplicate_document_number", "product_ambiguous"} <= codes
    assert await bench.books.account_exists("sales of product income")
    assert not await bench.books.account_exists("Snake Oil")


async def test_texts_can_be_cleared(bench):
    """A value of None empties a text on the other side."""
    seen = await bench.one(Kind.PARTY, AMY)
    person = await bench.write(change(seen, values={"email": None, "phone": None, "company": None}))
    made = (await bench.write(new_invoice(comment="Thanks", po_number="PO-1"))).snapshot
    emptied = await bench.write(change(made, values={"comment": None, "po_number": None}))

    noun = person.snapshot.noun
    assert (noun.email, noun.phone, noun.company or None) == (None, None, None)
    assert (emptied.snapshot.noun.comment, emptied.snapshot.noun.po_number) == (None, None)


async def test_mapped_custom_fields_go_by_their_definition(bench):
    """Read by name, empty ones too; written into their own slot with the others as they are; unknown ones are told."""
    fields = tuple(
        MappedField(kind=Kind.INVOICE, name=name, written=True, meets=FieldType.CUSTOM)
        for name in ("crew #", "PO Number", "Nowhere")
    )
    await bench.control.settings("quickbooks", SalesCustomFields=["Crew #", "PO Number", "Third"])
    books = bench.another(fields=fields)
    account = await books.account()
    assert [(problem.name, problem.code) for problem in account.problems] == [("Nowhere", "mapping_invalid")]
    assert "crew #, po number, third" in account.problems[0].cure
    assert books.traits.most[Kind.INVOICE]["custom.PO Number"] == 31

    typed = {"DefinitionId": "3", "Name": "Third", "Type": "StringType", "StringValue": "theirs"}
    await bench.control.person("quickbooks", "update", "Invoice", "130", {"CustomField": [typed]})
    (seen,) = (await books.read(Kind.INVOICE, ["130"])).values()
    known = {name: value for name, value in seen.noun.custom.items() if name != "Third"}
    assert known == {"crew #": None, "PO Number": None}

    values = {
        "custom.PO Number": "PO-5",
        "tracking_number": "1Z",
        "shipping_method": "UPS",
        "ship_date": date(2026, 12, 1),
    }
    order = Order(intent="i", op=Op.UPDATE, kind=Kind.INVOICE, id="130", values=values, seen=seen)
    fresh = await books.fresh([order])
    order = replace(order, seen=fresh["i"], if_version=fresh["i"].version)
    (send,) = books.compose([order], SystemChance().new_id)
    (done,) = await books.transmit(send, {"i": order})
    assert isinstance(done, Done)
    noun = (await books.read(Kind.INVOICE, ["130"]))["130"].noun
    assert (noun.custom["PO Number"], noun.custom["Third"]) == ("PO-5", "theirs")
    assert (noun.tracking_number, noun.shipping_method, noun.ship_date) == ("1Z", "UPS", date(2026, 12, 1))
    await books.close()
