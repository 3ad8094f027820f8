"""QuickBooks sandbox: invoices, how they are computed, numbered, changed, voided and deleted."""

from decimal import Decimal

import pytest

TEXT = {"DetailType": "DescriptionOnly", "Description": "Installed by the north fence", "DescriptionLineDetail": {}}


def discount(percent):
    return {
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": percent},
    }


def test_minimal_invoice_is_filled_in(qbo):
    """A create fills number, dates, addresses, e-mail, line ids, SubTotal and custom field slot; it answers 200."""
    made = qbo.invoice(customer="1")
    assert (made["DocNumber"], made["TxnDate"], made["DueDate"]) == ("1038", "2026-11-02", "2026-12-02")
    assert [line["DetailType"] for line in made["Line"]] == ["SalesItemLineDetail", "SubTotalLineDetail"]
    assert (made["Line"][0]["Id"], made["Line"][0]["LineNum"]) == ("1", 1)
    assert made["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
    assert (made["TotalAmt"], made["Balance"], made["SyncToken"]) == (100, 100, "0")
    assert made["BillEmail"] == {"Address": "Birds@Intuit.com"}
    assert made["BillAddr"]["Line1"] == "4581 Finch St."
    assert made["CustomField"] == [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"}]
    assert made["MetaData"]["CreateTime"] == "2026-11-02T04:00:00-08:00"


def test_tax_discount_and_text_lines(qbo, line):
    """Total = item lines - discount + tax; the discount stands behind the SubTotal, tax comes from the code's rates."""
    made = qbo.invoice(
        line(90, "6", Qty=3, UnitPrice=30),
        TEXT,
        discount(10),
        line(275, "5", Qty=1, UnitPrice=275, TaxCodeRef={"value": "TAX"}),
        TxnTaxDetail={"TxnTaxCodeRef": {"value": "2"}},
        ApplyTaxAfterDiscount=True,
    )
    kinds = [
        "SalesItemLineDetail",
        "DescriptionOnly",
        "SalesItemLineDetail",
        "SubTotalLineDetail",
        "DiscountLineDetail",
    ]
    assert [each["DetailType"] for each in made["Line"]] == kinds
    assert made["Line"][4]["Amount"] == Decimal("36.50")
    assert made["TxnTaxDetail"]["TotalTax"] == Decimal("19.80")  # 8 % of 275 less its share of the discount
    assert made["TotalAmt"] == Decimal("348.30")


def test_tax_before_discount_and_two_rates(qbo, line):
    """Without ApplyTaxAfterDiscount the discount does not touch the tax; each rate is rounded by itself."""
    taxed = line(422, "5", TaxCodeRef={"value": "TAX"})
    made = qbo.invoice(taxed, discount(50), TxnTaxDetail={"TxnTaxCodeRef": {"value": "3"}})
    amounts = [each["Amount"] for each in made["TxnTaxDetail"]["TaxLine"]]
    assert amounts == [Decimal("29.96"), Decimal("8.44")]
    assert made["TotalAmt"] == Decimal("249.40")


def test_total_tax_of_the_caller_is_honoured(qbo, line):
    """An explicit TotalTax is kept and spread over the rates."""
    taxed = line(100, "5", TaxCodeRef={"value": "TAX"})
    made = qbo.invoice(taxed, TxnTaxDetail={"TxnTaxCodeRef": {"value": "3"}, "TotalTax": Decimal("9.00")})
    assert made["TotalAmt"] == 109
    assert sum(each["Amount"] for each in made["TxnTaxDetail"]["TaxLine"]) == 9


@pytest.mark.parametrize(
    ("amount", "qty", "price", "code"),
    [
        ("10.01", "2", "5", "6070"),
        ("3.33", "3", "1.111", None),
        ("0.13", "0.5", "0.25", None),
        ("0.125", "0.5", "0.25", None),
    ],
)
def test_amount_must_be_quantity_times_price(qbo, line, amount, qty, price, code):
    """The product itself and the product rounded half up to the cent are accepted, nothing else."""
    body = {"CustomerRef": {"value": "2"}, "Line": [line(Decimal(amount), Qty=Decimal(qty), UnitPrice=Decimal(price))]}
    if code:
        assert qbo.refused("Invoice", body) == code
    else:
        assert qbo.ok("Invoice", body)["TotalAmt"] == Decimal(amount).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_line_without_item_is_a_text(qbo, line):
    """A sales line without ItemRef loses its amount silently."""
    made = qbo.invoice(line(100), {"Amount": 7, "DetailType": "SalesItemLineDetail", "Description": "mystery"})
    assert made["TotalAmt"] == 100
    assert made["Line"][1]["DetailType"] == "DescriptionOnly"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"CustomerRef": None}, "2020"),
        ({"CustomerRef": {"value": "999"}}, "2500"),
        ({"Line": []}, "2020"),
        ({"Foo": 1}, "2010"),
        ({"DocNumber": "1" * 22}, "2050"),
        ({"DocNumber": "1037"}, "6140"),
        ({"BillEmail": {"Address": "nobody"}}, "2210"),
        ({"EmailStatus": "NeedToSend", "CustomerRef": {"value": "6"}}, "6420"),
        ({"EmailStatus": "HAS_BEEN_SENT"}, "2170"),
        ({"TxnDate": "2018-12-31"}, "6200"),
        ({"TxnDate": "yesterday"}, "6000"),
        ({"CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"SalesTermRef": {"value": "99"}}, "2500"),
        ({"LinkedTxn": [{"TxnId": "41", "TxnType": "Estimate"}]}, "620"),
    ],
)
def test_refusals_of_a_create(qbo, line, change, code):
    """Each broken rule has its code, and nothing of the invoice stays."""
    body = {"CustomerRef": {"value": "2"}, "Line": [line(100)], **change}
    assert qbo.refused("Invoice", {key: value for key, value in body.items() if value is not None}) == code
    assert len(qbo.vendor.records("Invoice")) == 31
    assert qbo.vendor.journal.entries == []


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ({"TaxCodeRef": {"value": "2"}}, "6100"),
        ({"ItemRef": {"value": "22"}}, "610"),
        ({"ItemRef": {"value": "999"}}, "2500"),
        ({"ItemRef": {"value": "SHIPPING_ITEM_ID"}}, "6000"),
        ({"Colour": "red"}, "2010"),
        ({"Qty": "many", "UnitPrice": 1}, "2090"),
    ],
)
def test_refusals_of_a_line(qbo, line, detail, code):
    """Tax code, inactive or unknown item, unknown property and nonsense numbers of a line have their codes."""
    assert qbo.refused("Invoice", {"CustomerRef": {"value": "2"}, "Line": [line(100, **detail)]}) == code


def test_numbers_go_on_from_the_last_one_used(qbo):
    """The company numbers on from the last number, prefix and all; a preference leaves the number to the caller."""
    assert qbo.invoice(DocNumber="HS-2026-0099")["DocNumber"] == "HS-2026-0099"
    assert qbo.invoice()["DocNumber"] == "HS-2026-0100"
    qbo.set(numbering_follows_last=False)
    assert qbo.invoice()["DocNumber"] == "1038"
    qbo.set(CustomTxnNumbers=True)
    assert "DocNumber" not in qbo.invoice()
    assert qbo.invoice(DocNumber="AUTO_GENERATE")["DocNumber"] == "1039"


def test_duplicate_numbers(qbo, line):
    """A taken number is named with its invoice; the user's switch or an option lets it through."""
    body = {"CustomerRef": {"value": "2"}, "Line": [line(1)], "DocNumber": "1024"}
    _, answer = qbo.call("POST", "invoice", body)
    detail = answer["Fault"]["Error"][0]["Detail"]
    assert "DocNumber=1024 is assigned to TxnType=Invoice with TxnId=70" in detail
    qbo.ok("Invoice", body, include="allowduplicatedocnum")
    qbo.set(WarnDuplicateNumber=False)
    qbo.ok("Invoice", body)


def test_sparse_update_keeps_full_update_clears(qbo):
    """A sparse update changes what it names; a full one clears what it leaves out; both raise the SyncToken."""
    made = qbo.invoice(PrivateNote="mine", TrackingNum="T1")
    key = {"Id": made["Id"], "SyncToken": "0", "sparse": True}
    sparse = qbo.ok("Invoice", {**key, "DueDate": "2026-12-24"})
    assert (sparse["DueDate"], sparse["PrivateNote"], sparse["SyncToken"]) == ("2026-12-24", "mine", "1")
    assert sparse["Line"] == made["Line"]
    full = {
        "Id": made["Id"],
        "SyncToken": "1",
        "CustomerRef": {"value": "2"},
        "Line": made["Line"],
        "TrackingNum": "T2",
    }
    after = qbo.ok("Invoice", full)
    assert "PrivateNote" not in after
    assert (after["TrackingNum"], after["DocNumber"], after["DueDate"]) == ("T2", made["DocNumber"], "2026-12-02")
    assert qbo.refused("Invoice", {**key, "DueDate": "2026-12-25"}) == "5010"


def test_line_list_is_replaced_and_renumbered(qbo, line):
    """The sent list is the new list; its lines are numbered from 1 whatever ids they came with."""
    made = qbo.invoice(line(10), line(20, "6"))
    kept = made["Line"][1]
    after = qbo.ok("Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Line": [kept, line(5)]})
    assert [(each.get("Id"), each["Amount"]) for each in after["Line"]] == [("1", 20), ("2", 5), (None, 25)]
    assert after["TotalAmt"] == 25


def test_tax_is_computed_again_for_new_lines(qbo, line):
    """A sparse update of the lines keeps the tax code and computes its amount anew."""
    taxed = {"TaxCodeRef": {"value": "TAX"}}
    made = qbo.invoice(line(100, "5", **taxed), TxnTaxDetail={"TxnTaxCodeRef": {"value": "2"}})
    assert made["TotalAmt"] == 108
    after = qbo.ok("Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Line": [line(200, "5", **taxed)]})
    assert after["TotalAmt"] == 216


def test_statement_charge_keeps_its_total(qbo):
    """Invoice 42 has no item line; a sparse update of its note leaves the stored total alone."""
    after = qbo.ok("Invoice", {"Id": "42", "SyncToken": "2", "sparse": True, "PrivateNote": "x"})
    assert (after["TotalAmt"], after["Balance"]) == (81, 0)


def test_inactive_item_stays_on_its_old_invoice(qbo, line):
    """An inactive item is refused on new lines, in either code, but not on the invoice that had it already."""
    made = qbo.invoice(line(10, "18"))
    qbo.ok("Item", {"Id": "18", "SyncToken": "0", "sparse": True, "Active": False})
    change = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Line": [line(12, "18")]}
    assert qbo.ok("Invoice", change)["TotalAmt"] == 12
    qbo.set(inactive_code="2500")
    assert qbo.refused("Invoice", {"CustomerRef": {"value": "2"}, "Line": [line(10, "18")]}) == "2500"


def test_inactive_customer_is_refused(qbo, line):
    """No new invoice for an inactive customer."""
    qbo.vendor.person("archive", "Customer", "6", {}, qbo.now)
    assert qbo.refused("Invoice", {"CustomerRef": {"value": "6"}, "Line": [line(1)]}) == "610"


def test_void_zeroes_everything_and_frees_the_estimate(qbo):
    """A void keeps the invoice with amounts and quantities 0 and the word in front of the note."""
    made = qbo.invoice(PrivateNote="ours", Deposit=10)
    assert (made["TotalAmt"], made["Balance"]) == (100, 90)
    gone = qbo.ok("Invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="void")
    assert (gone["TotalAmt"], gone["Balance"], gone["Deposit"]) == (0, 0, 0)
    assert gone["PrivateNote"] == "Voided - ours"
    assert gone["Line"][0]["SalesItemLineDetail"]["Qty"] == 0
    assert "UnitPrice" not in gone["Line"][0]["SalesItemLineDetail"]
    qbo.ok("Invoice", {"Id": "49", "SyncToken": "0"}, operation="void")
    assert qbo.get("Estimate", "48")["TxnStatus"] == "Pending"


def test_void_and_delete_are_refused_with_payments(qbo):
    """Payments must go first: void 6000, delete 6000 or 800 as the setting says."""
    key = {"Id": "67", "SyncToken": "2"}
    assert qbo.refused("Invoice", key, operation="void") == "6000"
    assert qbo.refused("Invoice", key, operation="delete") == "6000"
    qbo.set(delete_refused_code="800")
    assert qbo.refused("Invoice", key, operation="delete") == "800"


def test_deleted_invoice_is_610(qbo):
    """A delete answers with a stub; afterwards reads and writes answer 610 and its number is free."""
    stub = qbo.ok("Invoice", {"Id": "70", "SyncToken": "0"}, operation="delete")
    assert stub == {"status": "Deleted", "domain": "QBO", "Id": "70"}
    status, answer = qbo.call("GET", "invoice/70")
    assert (status, answer["Fault"]["Error"][0]["code"]) == (400, "610")
    assert qbo.refused("Invoice", {"Id": "70", "SyncToken": "1", "sparse": True, "PrivateNote": "x"}) == "610"
    assert qbo.invoice(DocNumber="1024")["DocNumber"] == "1024"
    assert next(each for each in qbo.vendor.records("Invoice") if each["Id"] == "70")["status"] == "Deleted"


def test_closed_books_close_old_and_new_dates(qbo, line):
    """A write is refused when the transaction's old or new date is closed; 6210 with a password; 'void' counts too."""
    qbo.set(BookCloseDate="2024-11-30")
    assert qbo.refused("Invoice", {"Id": "70", "SyncToken": "0"}, operation="void") == "6200"
    assert qbo.refused("Invoice", {"Id": "70", "SyncToken": "0", "sparse": True, "TxnDate": "2025-01-01"}) == "6200"
    qbo.set(BookClosePassword=True)
    assert qbo.refused("Invoice", {"Id": "70", "SyncToken": "0"}, operation="delete") == "6210"
    qbo.set(BookCloseDate="")
    qbo.ok("Invoice", {"Id": "70", "SyncToken": "0"}, operation="delete")


def test_service_date_under_revenue_recognition(qbo, line):
    """With the preference on, a line of a deferred-revenue item needs a service date."""
    body = {"CustomerRef": {"value": "2"}, "Line": [line(600, "21")]}
    qbo.ok("Invoice", body)
    qbo.set(RevenueRecognition=True)
    assert qbo.refused("Invoice", body) == "6000"
    qbo.ok("Invoice", {**body, "Line": [line(600, "21", ServiceDate="2026-11-01")]})
    qbo.ok("Invoice", {**body, "Line": [line(600, "1")]})


def test_custom_field_slots(qbo):
    """Values go by DefinitionId into slots that are on; others are dropped; a sparse update keeps the rest."""
    qbo.set(SalesCustomFields=["Crew #", "", "PO Number"])
    values = [{"DefinitionId": n, "StringValue": f"v{n}"} for n in "123"]
    made = qbo.invoice(CustomField=values)
    assert [(each["DefinitionId"], each.get("StringValue")) for each in made["CustomField"]] == [
        ("1", "v1"),
        ("3", "v3"),
    ]
    key = {"Id": made["Id"], "SyncToken": "0", "sparse": True}
    after = qbo.ok("Invoice", {**key, "CustomField": [{"DefinitionId": "3", "StringValue": "new"}]})
    assert [each.get("StringValue") for each in after["CustomField"]] == ["v1", "new"]
    prefs = qbo.get("Preferences", "1")["SalesFormsPrefs"]["CustomField"][1]["CustomField"]
    assert [each["StringValue"] for each in prefs] == ["Crew #", "PO Number"]


def test_silent_normalising(qbo, line):
    """Switched on, the vendor trims, truncates and rounds without a word; switched off, it refuses what is too long."""
    body = {"CustomerRef": {"value": "2"}, "DocNumber": "N" * 30, "PrivateNote": " a "}
    body["Line"] = [line(Decimal("3.33"), Qty=3, UnitPrice=Decimal("1.111"))]
    assert qbo.refused("Invoice", body) == "2050"
    qbo.set(normalise=["trim", "truncate", "round"])
    made = qbo.ok("Invoice", body)
    assert (made["DocNumber"], made["PrivateNote"]) == ("N" * 21, "a")
    assert made["Line"][0]["SalesItemLineDetail"]["UnitPrice"] == Decimal("1.11")
    assert made["Line"][0]["Amount"] == Decimal("3.33")


def test_foreign_company_needs_tax_codes(qbo, line):
    """Outside the US each line needs a real tax code and the document its tax mode."""
    qbo.set(Country="CA")
    assert qbo.call("GET", "companyinfo/9130000000000001")[1]["CompanyInfo"]["Country"] == "CA"
    body = {"CustomerRef": {"value": "2"}, "Line": [line(100)], "GlobalTaxCalculation": "TaxExcluded"}
    _, answer = qbo.call("POST", "invoice", body)
    assert "GST/HST" in answer["Fault"]["Error"][0]["Detail"]
    coded = [line(100, TaxCodeRef={"value": "2"})]
    assert qbo.ok("Invoice", {**body, "Line": coded})["TotalAmt"] == 108
    assert qbo.refused("Invoice", {"CustomerRef": {"value": "2"}, "Line": coded}) == "2020"


def test_prices_with_tax_inside(qbo, line):
    """Amount is without tax, TaxInclusiveAmt with it; what is inside is the tax, to the cent. Else it is on top."""
    qbo.set(Country="CA")
    body = {"CustomerRef": {"value": "2"}, "GlobalTaxCalculation": "TaxInclusive"}
    coded = {"TaxCodeRef": {"value": "2"}}
    made = qbo.ok("Invoice", {**body, "Line": [line(Decimal("92.59"), TaxInclusiveAmt=100, **coded)]})
    assert (made["TxnTaxDetail"]["TotalTax"], made["TotalAmt"]) == (Decimal("7.41"), 100)
    made = qbo.ok("Invoice", {**body, "Line": [line(Decimal("92.59"), **coded)]})
    assert made["TotalAmt"] == 100


def test_multicurrency(qbo, line):
    """With several currencies the invoice names its customer's; home amounts are added, by the invoice's own rate or by
    the company's."""
    qbo.set(MultiCurrency=True)
    euro = qbo.ok("Customer", {"DisplayName": "Atelier", "CurrencyRef": {"value": "EUR"}})
    body = {"CustomerRef": {"value": euro["Id"]}, "Line": [line(100)]}
    assert qbo.refused("Invoice", body) == "2020"
    assert qbo.refused("Invoice", {**body, "CurrencyRef": {"value": "USD"}}) == "6000"
    own = qbo.ok("Invoice", {**body, "CurrencyRef": {"value": "EUR"}})
    assert (own["ExchangeRate"], own["HomeTotalAmt"]) == (Decimal("1.08"), 108)
    qbo.set(exchange_rates={})
    assert qbo.refused("Invoice", {**body, "CurrencyRef": {"value": "EUR"}}) == "2020"
    made = qbo.ok("Invoice", {**body, "CurrencyRef": {"value": "EUR"}, "ExchangeRate": Decimal("1.0832")})
    assert (made["TotalAmt"], made["HomeTotalAmt"], made["HomeBalance"]) == (100, Decimal("108.32"), Decimal("108.32"))


def test_invoice_from_an_estimate_closes_it(qbo, line):
    """Linking an estimate closes it without a new SyncToken, and links back."""
    estimate = qbo.ok("Estimate", {"CustomerRef": {"value": "2"}, "Line": [line(50)]})
    link = [{"TxnId": estimate["Id"], "TxnType": "Estimate"}]
    made = qbo.invoice(line(50), LinkedTxn=link)
    after = qbo.get("Estimate", estimate["Id"])
    assert (after["TxnStatus"], after["SyncToken"]) == ("Closed", "0")
    assert after["LinkedTxn"] == [{"TxnId": made["Id"], "TxnType": "Invoice"}]
