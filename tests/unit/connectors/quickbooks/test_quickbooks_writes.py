"""The exact bodies that go out."""

from dataclasses import replace
from decimal import Decimal
from itertools import count

import pytest

from syncd.connectors.base import Order, Unwritable
from syncd.connectors.quickbooks.lines import overlaid
from syncd.model.nouns import Allocation, Line
from syncd.model.record import Op
from syncd.model.references import Kind
from tests.unit.connectors.quickbooks.quickbooks_doubles import (
    COMPANY,
    SERVER_TIME,
    Company,
    body,
    customer,
    invoice,
    preferences,
    reply,
    sale,
)

LINE = Line(product="6", description="Gardening", quantity=Decimal(3), unit_price=Decimal(30), amount=Decimal(90))
CREATE = Order(
    intent="i", op=Op.CREATE, kind=Kind.INVOICE, values={"customer": "1"}, lines=(LINE,), marker="syncd:" + "0" * 32
)
UPDATE = Order(intent="i", op=Op.UPDATE, kind=Kind.INVOICE, id="1", if_version="0")


def stocked(entity, *rows, country="US", **prefs) -> Company:
    """A company that has these objects."""
    answer = {"QueryResponse": {entity: list(rows)}, "time": SERVER_TIME}
    company = Company(lambda request: reply(answer) if request.route == "/query" else None)
    company.preferences = preferences(**prefs)
    company.company = {"CompanyInfo": COMPANY["CompanyInfo"] | {"Country": country}}
    return company


async def composed(company, *orders, **settings):
    connector = company.connector(**settings)
    await connector.fresh(orders)
    numbers = count(1)
    return connector.compose(orders, lambda: f"{next(numbers):032x}")


async def item(company, order, **settings):
    """The one item of the one batch."""
    (send,) = await composed(company, order, **settings)
    (made,) = body(send)["BatchItemRequest"]
    return made


async def test_new_invoice_in_the_us():
    """Lines are non-taxable, amounts plain numbers, the reference in the private note, no currency named."""
    made = (await item(Company(), CREATE))["Invoice"]

    assert made == {
        "PrivateNote": CREATE.marker,
        "CustomerRef": {"value": "1"},
        "Line": [
            {
                "Description": "Gardening",
                "Amount": 90,
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "TaxCodeRef": {"value": "NON"},
                    "ItemRef": {"value": "6"},
                    "Qty": 3,
                    "UnitPrice": 30,
                },
            }
        ],
    }


async def test_new_invoice_elsewhere_has_no_american_tax_code_and_names_its_currency():
    """TAX and NON are the US's; with several currencies in use the document says which."""
    order = replace(CREATE, values={"customer": "1", "currency": "CAD"})
    made = (await item(stocked("Invoice", country="CA", multi_currency=True), order))["Invoice"]

    assert "TaxCodeRef" not in made["Line"][0]["SalesItemLineDetail"]
    assert made["CurrencyRef"] == {"value": "CAD"}


def test_lines_that_stay_keep_everything():
    """An untouched line goes back as it was read, but for the vendor's own fields; a changed amount takes its price."""
    before = sale(1, Decimal("30.00"), Qty=3, UnitPrice=10, ClassRef={"value": "5"}, ItemAccountRef={"value": "48"})
    before["SalesItemLineDetail"]["DiscountRate"] = 50
    same = replace(LINE, id="1", unit_price=Decimal(10), amount=Decimal(30))
    (kept,) = overlaid([same], [before], "USD", american=False)
    (changed,) = overlaid([replace(same, amount=Decimal("27.50"))], [before], "USD", american=False)

    detail = {k: v for k, v in before["SalesItemLineDetail"].items() if k != "ItemAccountRef"}
    assert kept == before | {"SalesItemLineDetail": detail}
    assert changed["Amount"] == Decimal("27.50")
    assert changed["SalesItemLineDetail"] == {k: detail[k] for k in ("ItemRef", "TaxCodeRef", "ClassRef")}
    assert changed["Description"] == "3 × 10.00 Gardening"


def test_text_lines_and_bundles():
    """A text line has no amount; a bundle goes back whole or not at all."""
    bundle = {"Id": "4", "Amount": 7, "DetailType": "GroupLineDetail", "GroupLineDetail": {"Quantity": 1}}
    lines = [Line(description="A word"), Line(id="4", amount=Decimal(7))]

    text, kept = overlaid(lines, [bundle], "USD", american=False)
    assert text == {"DetailType": "DescriptionOnly", "DescriptionLineDetail": {}, "Description": "A word"}
    assert kept == bundle
    with pytest.raises(ValueError, match="bundle"):
        overlaid([replace(lines[1], amount=Decimal(8))], [bundle], "USD", american=False)


def test_amounts_are_rounded_as_their_currency_is():
    """Yen have no decimals; quantity and price stay only where they come out whichever way QuickBooks rounds."""
    odd, even = (
        overlaid(
            [replace(LINE, quantity=Decimal(3), unit_price=Decimal(price), amount=Decimal(amount))],
            [],
            "JPY",
            american=False,
        )
        for price, amount in (("33.4", "100"), ("33", "99"))
    )

    assert (odd[0]["Amount"], "UnitPrice" in odd[0]["SalesItemLineDetail"]) == (100, False)
    assert odd[0]["Description"].startswith("3 × 33.4")
    assert (even[0]["Amount"], even[0]["SalesItemLineDetail"]["UnitPrice"]) == (99, 33)


async def test_new_lines_leave_the_discount_and_drop_the_subtotal():
    """An update of the lines sends the whole list: ours, and the discount as it stands."""
    discount = {"Amount": 9, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True}}
    subtotal = {"Amount": 90, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    company = stocked("Invoice", invoice(1, "0", Line=[sale(1, 90), subtotal, discount]))
    made = (await item(company, replace(UPDATE, lines=(replace(LINE, id="1"),))))["Invoice"]

    assert (made["Id"], made["SyncToken"], made["sparse"]) == ("1", "0", True)
    assert [line["DetailType"] for line in made["Line"]] == ["SalesItemLineDetail", "DiscountLineDetail"]
    assert "CustomerRef" not in made


async def test_stale_version_is_sent_as_it_is():
    """The lock is the vendor's: what the decision saw is what is sent, though a newer one was just read."""
    company = stocked("Invoice", invoice(1, "4"))

    assert (await item(company, replace(UPDATE, lines=(LINE,))))["Invoice"]["SyncToken"] == "0"
    assert (await item(company, replace(UPDATE, if_version=None, values={"comment": "x"})))["Invoice"][
        "SyncToken"
    ] == "4"


async def test_custom_fields_are_laid_over_those_there():
    """One field changes, the others go back as they were; ids count, not labels."""
    there = [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": "7"}]
    company = stocked("Invoice", invoice(1, CustomField=there))
    order = replace(UPDATE, values={"po_number": "PO-1"})
    made = (await item(company, order, options={"po_field": "po"}))["Invoice"]

    assert made["CustomField"] == [
        there[0],
        {"DefinitionId": "2", "Type": "StringType", "StringValue": "PO-1"},
    ]


async def test_names_and_long_texts_are_made_to_fit():
    """Colons and tabs leave names, and texts are cut where the manifest says so; nothing else is touched."""
    order = Order(
        intent="p",
        op=Op.CREATE,
        kind=Kind.PARTY,
        values={"name": "Acme: Paris\tWest", "company": "x" * 150, "email": "a:b@example.com"},
    )
    made = (await item(Company(), order))["Customer"]

    assert (made["DisplayName"], len(made["CompanyName"])) == ("Acme Paris West", 100)
    assert made["PrimaryEmailAddr"] == {"Address": "a:b@example.com"}


async def test_address_is_written_over_the_old_one():
    """Parts we do not write stay, the geocode goes, a street of many lines fits into five."""
    old = {"Id": "2", "Line1": "Old", "Line2": "Floor", "PostalCode": "1", "Lat": "3", "Long": "4"}
    company = stocked("Customer", customer(1, BillAddr=old))
    order = Order(
        intent="p",
        op=Op.UPDATE,
        kind=Kind.PARTY,
        id="1",
        if_version="0",
        values={"street": "1\n2\n3\n4\n5\n6", "city": None},
    )
    made = (await item(company, order))["Customer"]["BillAddr"]

    assert made == {
        "PostalCode": "1",
        "City": "",
        "Line1": "1",
        "Line2": "2",
        "Line3": "3",
        "Line4": "4",
        "Line5": "5 6",
    }


async def test_payment_keeps_what_others_applied():
    """Allocations replace the invoice lines; a credit memo stays, the serializer's noise does not."""
    lines = [
        {"Amount": 5, "LinkedTxn": [{"TxnId": "70", "TxnType": "Invoice"}], "LineEx": {"any": []}},
        {"Amount": 2, "LinkedTxn": [{"TxnId": "73", "TxnType": "CreditMemo"}], "LineEx": {"any": []}},
    ]
    company = stocked("Payment", {"Id": "1", "SyncToken": "0", "TotalAmt": 5, "Line": lines})
    order = replace(UPDATE, kind=Kind.PAYMENT, allocations=(Allocation(invoice="71", amount=Decimal(3)),))
    made = (await item(company, order))["Payment"]

    assert made["Line"] == [
        {"Amount": 3, "LinkedTxn": [{"TxnId": "71", "TxnType": "Invoice"}]},
        {"Amount": 2, "LinkedTxn": [{"TxnId": "73", "TxnType": "CreditMemo"}]},
    ]


async def test_payment_of_several_invoices_must_say_how_much_for_which():
    """Nothing is guessed."""
    order = Order(
        intent="y",
        op=Op.CREATE,
        kind=Kind.PAYMENT,
        values={"amount": Decimal(5)},
        allocations=(Allocation(invoice="1"), Allocation(invoice="2")),
    )
    with pytest.raises(Unwritable) as refused:
        await composed(Company(), order)

    assert refused.value.category == "field_required"


@pytest.mark.parametrize(
    ("op", "kind", "route", "query"),
    [
        (Op.VOID, Kind.INVOICE, "/invoice?", "operation=void"),
        (Op.VOID, Kind.PAYMENT, "/payment?", "operation=update&include=void"),
    ],
)
async def test_voids_go_one_by_one(op, kind, route, query):
    """The two forms of voiding, each with a request id of its own."""
    orders = [Order(intent=n, op=op, kind=kind, id=n, if_version="3") for n in "12"]
    sends = await composed(Company(), *orders)

    assert [send.items for send in sends] == [{"1": "1"}, {"2": "1"}]
    assert all(route in send.path and query in send.path and f"requestid={send.id}" in send.path for send in sends)
    assert body(sends[0])["SyncToken"] == "3"


async def test_name_lists_know_no_deletion_and_no_void():
    """A customer is made inactive; voiding one is refused before it is sent."""
    order = Order(intent="r", op=Op.DELETE, kind=Kind.PARTY, id="1", if_version="0")
    made = await item(Company(), order)

    assert (made["operation"], made["Customer"]["Active"]) == ("update", False)
    with pytest.raises(Unwritable):
        await composed(Company(), replace(order, op=Op.VOID))


async def test_accounts_of_items_are_set_once():
    """A new item is bound to the account by name, folded, with or without its parents; later it is the books' own."""
    account = {"Id": "79", "Name": "Services", "FullyQualifiedName": "Sales:Services", "Active": True}
    order = Order(intent="t", op=Op.CREATE, kind=Kind.PRODUCT, values={"name": "X", "income_account": "sales:services"})
    made = (await item(stocked("Account", account), order))["Item"]

    assert made == {"Name": "X", "Type": "Service", "IncomeAccountRef": {"value": "79"}}
    with pytest.raises(Unwritable) as refused:
        await composed(stocked("Account", account), replace(order, op=Op.UPDATE, id="1", if_version="0"))
    assert refused.value.category == "field_not_writable"


async def test_unwritable_order_can_be_left_out():
    """After a refusal the rest is composed, with what was read for it."""
    company = stocked("Invoice", invoice(1))
    good = replace(UPDATE, intent="good", lines=(LINE,))
    bad = replace(CREATE, intent="bad", values={"customer": "1", "nonsense": "x"})
    connector = company.connector()
    await connector.fresh([good, bad])
    with pytest.raises(Unwritable) as refused:
        connector.compose([good, bad], lambda: "0" * 32)
    (send,) = connector.compose([good], lambda: "0" * 32)

    assert refused.value.intent == "bad"
    assert list(send.items) == ["good"]
