"""What `check` says of a company."""

import pytest

from syncd.connectors.base import Severity
from syncd.model.references import Kind
from tests.unit.connectors.quickbooks.quickbooks_doubles import COMPANY, SERVER_TIME, Company, reply


async def findings(company, kinds=(Kind.PRODUCT, Kind.INVOICE)):
    return {f.code: f for f in await company.connector().check(kinds) if f.severity is not Severity.OK}


async def test_sound_company_has_nothing_to_warn_of():
    """Own numbers, closed books, discounts, one currency: no finding but the company itself."""
    company = Company()
    prefs = company.preferences["Preferences"]
    prefs["SalesFormsPrefs"]["CustomTxnNumbers"] = True
    prefs["AccountingInfoPrefs"] = {"BookCloseDate": "2025-12-31"}

    assert await findings(company) == {}


async def test_every_setting_that_hurts_is_named_with_its_cure():
    """Each finding carries the category it leads to, and what to do."""
    company = Company()
    company.company = {"CompanyInfo": COMPANY["CompanyInfo"] | {"Country": "CA"}}
    prefs = company.preferences["Preferences"]
    prefs["CurrencyPrefs"]["MultiCurrencyEnabled"] = True
    prefs["SalesFormsPrefs"] |= {"AllowDiscount": False, "AutoApplyCredit": True}
    prefs["ProductAndServicesPrefs"]["RevenueRecognition"] = True
    prefs["TaxPrefs"]["UsingSalesTax"] = True
    found = await findings(company)

    assert set(found) == {
        "currency_mismatch",
        "duplicate_document_number",
        "accounting_period_closed",
        "service_date_required",
        "tax_code_required",
        "order_level_amount",
        None,
    }
    assert all(finding.cure for finding in found.values())


@pytest.mark.parametrize(
    ("skus", "title"),
    [
        (["A", "A", "B"], "1 SKUs stand on several active items, such as A."),
        (["A", "", None], "2 active items have no SKU"),
    ],
)
async def test_items_that_cannot_be_matched_are_counted(skus, title):
    """Items without SKU, and SKUs that stand twice; inactive items do not count."""
    rows = [{"Id": str(n), "SyncToken": "0", "Name": f"I{n}", "Sku": sku} for n, sku in enumerate(skus)]
    rows += [row | {"Id": "9" + row["Id"], "Active": False} for row in rows]
    answer = reply({"QueryResponse": {"Item": rows}, "time": SERVER_TIME})
    company = Company(lambda request: answer if request.route == "/query" else None)

    assert any(title in finding.title for finding in (await company.connector().check([Kind.PRODUCT])))
