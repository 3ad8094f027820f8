"""From HubSpot's text to nouns, and back."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from syncd.connectors.base import Order
from syncd.connectors.hubspot import mapping, moments
from syncd.connectors.hubspot.history import lost_values
from syncd.connectors.hubspot.mapping import Parts, ReadLine
from syncd.connectors.hubspot.options import Options, read_options
from syncd.connectors.hubspot.parts import Part, Verb
from syncd.connectors.hubspot.values import agree, line_properties_of, properties_of
from syncd.connectors.hubspot.wire import Past, Record
from syncd.model.nouns import InvoiceStatus, Line, PaymentStatus
from syncd.model.record import Op
from syncd.model.references import Kind
from syncd.model.snapshot import Snapshot

UTC, NEW_YORK, AUCKLAND = ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")


def invoice_record(**properties) -> Record:
    """A billable open invoice of 100 dollars."""
    shown = {
        "hs_currency": "USD",
        "hs_invoice_status": "open",
        "hs_amount_billed": "100.00",
        "hs_lastmodifieddate": "2026-10-05T14:02:11.908Z",
    }
    return Record(id="7", properties=shown | properties)


def invoice(*amounts, tax="0", **properties):
    """That invoice, with lines of these amounts."""
    lines = tuple(
        ReadLine(line=Line(id=str(n), amount=Decimal(amount)), tax=Decimal(tax), modified="2026-10-01T00:00:00.000Z")
        for n, amount in enumerate(amounts)
    )
    return mapping.invoice(invoice_record(**properties), Parts(lines=lines), UTC, Options())


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-10-02", NEW_YORK, date(2026, 10, 2)),
        ("2026-10-02T00:00:00Z", NEW_YORK, date(2026, 10, 2)),
        ("2026-10-02T00:00:00.000Z", AUCKLAND, date(2026, 10, 2)),
        ("1790899200000", NEW_YORK, date(2026, 10, 2)),
        ("2026-10-02T04:00:00Z", NEW_YORK, date(2026, 10, 2)),
        ("2026-10-02T03:59:59Z", NEW_YORK, date(2026, 10, 1)),
        ("2026-10-01T11:00:00Z", AUCKLAND, date(2026, 10, 2)),
    ],
)
def test_days_do_not_slide(text, zone, day):
    """Midnight UTC means that day anywhere; a moment means the day it is in the account's zone."""
    assert day == moments.day(text, zone)


def test_times_have_one_form():
    """So that versions compare as texts, however HubSpot prints them."""
    forms = ("2026-10-02T08:15:30Z", "2026-10-02T08:15:30.000Z", "2026-10-02T10:15:30+02:00", "1790928930000")

    assert {"2026-10-02T08:15:30.000Z"} == {moments.printed(moments.parse(form)) for form in forms}


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({"hs_invoice_status": "draft"}, InvoiceStatus.DRAFT),
        ({}, InvoiceStatus.OPEN),
        ({"hs_amount_paid": "30", "hs_balance_due": "70"}, InvoiceStatus.PARTIALLY_PAID),
        ({"hs_invoice_status": "Paid", "hs_amount_paid": "100", "hs_balance_due": "0"}, InvoiceStatus.PAID),
        ({"syncd_amount_paid": "100", "syncd_balance_due": "0", "hs_balance_due": "100"}, InvoiceStatus.PAID),
        ({"hs_invoice_status": "voided", "hs_balance_due": "0"}, InvoiceStatus.VOIDED),
    ],
)
def test_status(properties, status):
    """Four words of HubSpot's and two amounts make five of ours."""
    assert status is invoice("100", **properties).noun.status


def test_a_total_that_lines_do_not_make_is_torn():
    """Only where HubSpot computes it: of a mirror the total is imposed."""
    assert not invoice("60", "40").torn
    assert invoice("60").torn
    assert not invoice("60", hs_invoice_billable="false").torn
    assert not invoice("90", "2.5", tax="3.75").torn
    assert not invoice("33.333", "33.333", "33.334").torn
    assert not invoice("60", hs_amount_billed=None).torn


def test_one_cent_is_a_difference():
    """To the cent, and to the yen where there are none."""
    assert invoice("99.99").torn
    assert not invoice("99.996").torn
    assert not invoice("100.4", hs_currency="JPY").torn


def test_the_version_is_the_newest_change():
    """Of the invoice or of one of its lines."""
    later = ReadLine(line=Line(id="1", amount=Decimal(100)), tax=Decimal(0), modified="2026-10-06T00:00:00.000Z")

    assert invoice("100").version == "2026-10-05T14:02:11.908Z"
    assert later.modified == mapping.invoice(invoice_record(), Parts(lines=(later,)), UTC, Options()).version


@pytest.mark.parametrize(
    ("properties", "native"),
    [
        ({"hs_invoice_source": "HubSpot"}, True),
        ({}, True),
        ({"hs_invoice_source": "data_sync"}, None),
        ({"hs_invoice_source": "hubspot", "hs_invoice_billable": "false"}, False),
        ({"hs_invoice_billable": False}, False),
    ],
)
def test_native(properties, native):
    """The billable mark decides against, the source may put it in doubt."""
    assert native is invoice("100", **properties).native


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"price": "400.00", "quantity": "2", "amount": "720.00", "hs_total_discount": "80.00"}, ("720", "80")),
        ({"price": "400.00", "quantity": "2", "amount": "720.00"}, ("720", "80")),
        ({"price": "400.00", "quantity": "2"}, ("800", None)),
        ({"price": "12.5", "quantity": None}, ("12.5", None)),
        ({"price": None, "quantity": "7", "amount": "55"}, ("55", None)),
        ({"price": None, "quantity": None}, (None, None)),
        ({"price": "22.555", "quantity": "3", "amount": "67.67"}, ("67.67", None)),
    ],
)
def test_amounts_of_a_line(properties, expected):
    """HubSpot's own amount counts; what it leaves out is worked out."""
    line = mapping.line(Record(id="1", properties=properties), None, UTC, Options()).line
    amount, discount = (None if value is None else Decimal(value) for value in expected)

    assert (amount, discount) == (line.amount, line.discount)


def test_amounts_are_exact():
    """More digits than a float has come through."""
    shown = invoice("123456789012345678.91", hs_amount_billed="123456789012345678.91")

    assert Decimal("123456789012345678.91") == shown.noun.total
    assert not shown.torn


@pytest.mark.parametrize("value", ["NaN", "Infinity", "abc"])
def test_what_is_no_number_is_refused(value):
    """Never counted as zero."""
    with pytest.raises(ValueError, match="no number"):
        invoice("100", hs_amount_billed=value)


def test_every_payment_status_has_a_meaning():
    """Money on its way is pending, money that came and is still here has succeeded."""
    record = Record(id="1", properties={"hs_initial_amount": "5", "hs_latest_status": "partially_refunded"})
    without = Record(id="1", properties={"hs_initial_amount": "5"})

    assert PaymentStatus.SUCCEEDED is mapping.payment(record, None, (), UTC, Options()).noun.status
    assert PaymentStatus.PENDING is mapping.payment(without, None, (), UTC, Options()).noun.status


async def test_one_unreadable_record_does_not_stop_the_others(tiny, connector):
    """A status from the future makes its record torn; the rest is read."""
    tiny.rows["commerce_payments"] = {
        "1": {"hs_initial_amount": "5", "hs_latest_status": "beamed_up", "hs_lastmodifieddate": "2026-10-01T00:00:00Z"},
        "2": {"hs_initial_amount": "7", "hs_latest_status": "succeeded", "hs_lastmodifieddate": "2026-10-01T00:00:00Z"},
    }
    read = await connector.read(Kind.PAYMENT, ["1", "2"])

    assert (read["1"].torn, read["1"].noun) == (True, None)
    assert (False, Decimal(7)) == (read["2"].torn, read["2"].noun.amount)


async def test_a_line_that_cannot_be_read_tears_its_invoice(tiny, connector):
    """A line that vanished between two calls: the invoice is read again, not planned on."""
    tiny.rows["invoices"] = {"7": invoice_record().properties}
    tiny.rows["line_items"] = {}
    tiny.links["invoices", "line_items"] = {"7": ["71"]}

    assert (await connector.read(Kind.INVOICE, ["7"]))["7"].torn


# Back


def test_values_become_text():
    """Decimals without exponent, days at midnight UTC, nothing as empty text."""
    values = {
        "total": Decimal("1E+3"),
        "due_date": date(2026, 12, 2),
        "comment": None,
        "status": "partially_paid",
        "custom.flag": True,
        "customer": "1001",
    }

    assert properties_of(Kind.INVOICE, values) == {
        "hs_amount_billed": "1000",
        "hs_due_date": "2026-12-02T00:00:00Z",
        "hs_comments": "",
        "hs_invoice_status": "open",
        "flag": "true",
    }


def test_unknown_fields_and_words():
    """A field without a property is an error; a method HubSpot has no word for is another one."""
    with pytest.raises(KeyError):
        properties_of(Kind.PRODUCT, {"income_account": "Services"})

    assert properties_of(Kind.PAYMENT, {"method": "Barter"}) == {"hs_payment_method_type": "other"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (Line(quantity=Decimal(3), unit_price=Decimal(30), amount=Decimal(90)), ("3", "30", "")),
        (Line(amount=Decimal("12.34")), ("1", "12.34", "")),
        (
            Line(quantity=Decimal(4), unit_price=Decimal(30), amount=Decimal(100), discount=Decimal(20)),
            ("4", "30", "5"),
        ),
        (Line(quantity=Decimal(3), unit_price=Decimal(30), amount=Decimal(80), discount=Decimal(10)), ("1", "80", "")),
    ],
)
def test_lines_say_their_amount_in_hubspots_way(line, expected):
    """Quantity, price, discount a piece; one piece at the amount where these would not make it."""
    made = line_properties_of(line, 0, "")

    assert expected == (made["quantity"], made["price"], made["discount"])


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        ("10.5", "10.50", True),
        ("", None, True),
        ("Ann@Example.com ", "ann@example.com", True),
        ("2026-12-02T00:00:00Z", "2026-12-02T00:00:00.000Z", True),
        ("2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z", False),
        ("10", "10.01", False),
        ("a", None, False),
    ],
)
def test_what_counts_as_the_same(sent, shown, same):
    """However it is printed."""
    assert same is agree(sent, shown)


# History


def lost(*entries, sent="ours", seen="2026-10-05T12:00:00Z"):
    """What was overwritten, from entries of a history (time after noon, value)."""
    past = [Past(timestamp=f"2026-10-05T12:{minute:02}:00Z", value=value) for minute, value in entries]
    record = Record(id="1", properties_with_history={"city": past})
    order = Order(
        intent="u",
        op=Op.UPDATE,
        kind=Kind.PARTY,
        id="1",
        seen=Snapshot(kind=Kind.PARTY, id="1", version="", modified=moments.parse(seen)),
    )
    part = Part(name="update", verb=Verb.UPDATE, type="contacts", id="1", properties={"city": sent})
    return lost_values(order, part, record, UTC)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([(5, "ours"), (0, "seen")], {}),
        ([(5, "ours"), (3, "theirs"), (0, "seen")], {"city": "theirs"}),
        ([(3, "theirs"), (5, "ours"), (0, "seen")], {"city": "theirs"}),
        ([(7, "later"), (5, "ours"), (0, "seen")], {}),
        ([(5, "ours"), (3, None), (0, "seen")], {"city": None}),
        ([(5, "ours"), (4, "second"), (3, "first")], {"city": "second"}),
        ([(3, "ours"), (0, "seen")], {}),
        ([(3, "theirs")], {}),
        ([], {}),
    ],
)
def test_overwritten_values(entries, expected):
    """What came in after our look and before our write, whatever the order of the list."""
    assert expected == lost(*entries)


def test_options_are_checked():
    """Names and types."""
    assert read_options({"invoice_properties": "a, b"}).custom(Kind.INVOICE) == ("a", "b")
    for wrong in ({"payments": "maybe"}, {"overlap": "soon"}, {"nothing": 1}):
        with pytest.raises(ValueError, match="hubspot options"):
            read_options(wrong)
