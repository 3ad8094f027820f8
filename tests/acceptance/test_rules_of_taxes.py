"""Taxes of lines on a company in the US and on one in France, one row a rule."""

from decimal import Decimal

import pytest

from syncd import checkup
from syncd.connectors.base import Severity
from tests.acceptance.rules import Ends, Rule, assert_ended, bill, play, played
from tests.acceptance.world import Snapshot, World

CALIFORNIA, TUCSON, NORMAL, REDUCED = "7001", "7002", "7003", "7004"
SERVICES = 'options = { custom_line_item_account = "Services"'


def taxed(price: str, rate: str = "", quantity: str = "1", **more: str) -> dict[str, str]:
    taxes = {"hs_tax_rate_group_id": rate} if rate else {}
    return {"name": "Work", "quantity": quantity, "price": price} | taxes | more


def french(*lines: dict[str, str], **fields):
    return bill(*lines, **({"hs_currency": "EUR"} | fields))


FRANCE = (
    Rule("one rate", french(taxed("100", NORMAL)), total="120"),
    Rule("two rates and none", french(taxed("100", NORMAL), taxed("50", REDUCED), taxed("10")), total="182.75"),
    Rule(
        "a discount on the whole comes after the tax",
        french(taxed("100", NORMAL), discounts=[{"hs_type": "FIXED", "hs_value": "10"}]),
        total="110",
    ),
    Rule("a line's discount comes before the tax", french(taxed("100", NORMAL, discount="10")), total="108"),
    Rule("a rate without a code", french(taxed("100", CALIFORNIA)), "failed", "tax_code_required", "the rate 8 %"),
    Rule(
        "cents that round otherwise",
        french(*[taxed("0.12", NORMAL)] * 4),
        "failed",
        "amount_mismatch",
        "The taxes come to 0.08 here and to 0.1 there.",
    ),
)
UNITED_STATES = (
    Rule("not taxed", bill(taxed("100")), total="100"),
    Rule("mapped", bill(taxed("100", CALIFORNIA), taxed("7")), total="115"),
    Rule("several rates in one code", bill(taxed("99.99", TUCSON)), total="109.09"),
    Rule("cents that round otherwise", bill(*[taxed("0.06", CALIFORNIA)] * 4), total="0.24"),
    Rule(
        "two codes", bill(taxed("100", CALIFORNIA), taxed("1", TUCSON)), "failed", "tax_code_required", "One tax code"
    ),
    Rule("a rate without a code", bill(taxed("100", NORMAL)), "failed", "tax_code_required", "the rate 20 %"),
    Rule("a code that is not there", bill(taxed("100", REDUCED)), "failed", "tax_code_required", "“Nowhere”"),
)


async def _france(w: World) -> None:
    await _french_books(w)
    codes = '{ "20" = "TVA 20 %", "5.50" = "tva 5,5 %", 0 = "Exonéré" }'
    w.configure((SERVICES, f"{SERVICES}, tax_codes = {codes}"))


async def _french_books(w: World) -> None:
    await w.control.settings("quickbooks", Country="FR", HomeCurrency="EUR")
    for name, rate in (("TVA 20 %", "20"), ("TVA 5,5 %", "5.5"), ("Exonéré", "0")):
        await w.books("create", "TaxCode", name=name, rate=rate)


async def _united_states(w: World) -> None:
    w.configure((SERVICES, SERVICES + ', tax_codes = { 8 = "California", "9.1" = "3", "5.5" = "Nowhere" }'))


@pytest.fixture(scope="module")
def in_france(synced: Snapshot) -> Ends:
    return play(synced, FRANCE, _france)


@pytest.fixture(scope="module")
def in_the_us(synced: Snapshot) -> Ends:
    return play(synced, UNITED_STATES, _united_states)


@pytest.mark.parametrize("rule", FRANCE, ids=str)
def test_in_france(rule: Rule, in_france: Ends):
    """HQ-10: a tax code on every line, totals equal to the cent or nothing posted."""
    assert_ended(rule, in_france[rule.name])


@pytest.mark.parametrize("rule", UNITED_STATES, ids=str)
def test_in_the_united_states(rule: Rule, in_the_us: Ends):
    """HQ-10: non-taxable unless mapped; the invoice carries the one code there can be."""
    assert_ended(rule, in_the_us[rule.name])


def test_codes_stand_on_the_lines(in_france: Ends):
    """Each rate on its own code, prices without tax."""
    books = in_france["two rates and none"].books
    codes = [line["SalesItemLineDetail"]["TaxCodeRef"]["value"] for line in books["Line"][:3]]
    assert len(set(codes)) == 3
    assert books["GlobalTaxCalculation"] == "TaxExcluded"
    assert books["TxnTaxDetail"]["TotalTax"] == Decimal("22.75")


async def test_without_any_mapping_the_region_is_not_supported_until_there_is_one(synced: Snapshot):
    """HQ-10: excluded, not failed; a mapping that comes later brings it over without a retry."""
    async with synced.world() as w:
        await _french_books(w)
        plain = Rule("plain", french(taxed("100", NORMAL)), "excluded", "unsupported_region")
        pair = (await played(w, [plain]))["plain"]
        assert_ended(plain, pair)
        w.configure((SERVICES, SERVICES + ', tax_codes = { "20" = "TVA 20 %" }'))
        await w.once()
        pair = await w.both(pair.record["id"])
        assert (pair.state, pair.books["TotalAmt"]) == (("synced", ""), 120)


async def test_a_tax_that_changes_goes_over(synced: Snapshot):
    """Another rate on a line, and none at all: QuickBooks follows to the cent, and one more pass writes nothing."""
    async with synced.world() as w:
        await _france(w)
        await w.control.settings("hubspot", lock_open_invoices=False)
        pair = (await played(w, [Rule("moving", french(taxed("100", NORMAL)))]))["moving"]
        for rate, total in ((REDUCED, Decimal("105.5")), ("", 100)):
            lines = [r for r in (await w.crm_rows("line_items")).values() if r["properties"].get("price") == "100"]
            line = max(lines, key=lambda row: int(row["id"]))
            await w.crm("update", "invoices", pair.crm["id"], lines=[{"id": line["id"], "hs_tax_rate_group_id": rate}])
            await w.once()
            pair = await w.both(pair.record["id"])
            assert (pair.state, pair.books["TotalAmt"]) == (("synced", ""), total)
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []


async def test_check_looks_at_what_the_options_name(synced: Snapshot):
    """Codes that are not there, or stand for another rate, and the product for taxes: before an invoice fails."""
    async with synced.world() as w:
        await _french_books(w)
        assert "configured" in (await _found(w))["unsupported_region"]
        wrong = '{ "20" = "TVA 5,5 %", 7 = "Nothing", "5.5" = "TVA 5,5 %" }'
        w.configure((SERVICES, f'{SERVICES}, tax_product = "Sales Tax", tax_codes = {wrong}'))
        errors = [f.title for f in await checkup.check(w.config) if f.severity is Severity.ERROR]
        assert [title.partition(": ")[2] for title in errors] == [
            "books takes 5.5 % with “TVA 5,5 %”, which is configured for 20 %",
            "books has no active tax code “Nothing”",
            "books has no active product “Sales Tax” for taxes",
        ]
        await w.books("create", "Item", name="Sales Tax", price="0")
        assert "do not reach the tax reports" in (await _found(w))["Sales Tax"]


async def _found(w: World) -> dict[str, str]:
    """What `check` says, by code, or by the name in quotation marks."""
    findings = await checkup.check(w.config)
    return {f.code or f.title.partition("“")[2].partition("”")[0]: f.title for f in findings}


@pytest.mark.parametrize("mode", ["TaxExcluded", "TaxInclusive"])
async def test_taxes_of_quickbooks_come_in_as_shown_amounts(mode, synced: Snapshot):
    """HQ-10: whatever computes them, the mirror shows total, tax and balance of QuickBooks."""
    async with synced.world() as w:
        await _france(w)
        lines = [{"item": "PEST-CONTROL", "price": "33.33", "tax": "TVA 20 %"}]
        made = await w.books("create", "Invoice", customer="1", lines=lines, number="B-1", GlobalTaxCalculation=mode)
        await w.once()
        pair = await w.both("B-1")
        assert pair.state == ("synced", "")
        assert pair.amount("hs_amount_billed") == made["TotalAmt"] == Decimal("40.00")
        assert pair.amount("syncd_tax_total") == Decimal("6.67")


async def test_a_tax_code_taken_away_in_quickbooks_is_an_edit_on_the_wrong_side(synced: Snapshot):
    """HQ-05: taxes of a HubSpot invoice belong to HubSpot."""
    async with synced.world() as w:
        await _united_states(w)
        pair = (await played(w, [Rule("mapped", bill(taxed("100", CALIFORNIA)))]))["mapped"]
        (line,) = (line for line in pair.books["Line"] if line["DetailType"] == "SalesItemLineDetail")
        line["SalesItemLineDetail"]["TaxCodeRef"] = {"value": "NON"}
        await w.books("update", "Invoice", pair.books["Id"], Line=[line], TxnTaxDetail={"TotalTax": 0})
        await w.once()
        assert (await w.both(pair.record["id"])).state == ("failed", "edited_outside_origin")


async def test_a_rate_that_may_not_be_read_is_said_so(synced: Snapshot):
    """Without the right to the tax library the invoice waits, and everything else goes on; the right cures it."""
    async with synced.world() as w:
        await _united_states(w)
        await w.control.settings("hubspot", missing_scopes=["tax_rates.read"])
        hidden = Rule("hidden", bill(taxed("100", CALIFORNIA)), "failed", "tax_code_required", "cannot be read")
        plain = Rule("plain", bill(taxed("100")))
        ends = await played(w, [hidden, plain])
        assert_ended(hidden, ends["hidden"])
        assert_ended(plain, ends["plain"])
        await w.control.settings("hubspot", missing_scopes=[])
        await w.crm("update", "invoices", ends["hidden"].crm["id"], hs_comments="Now")
        await w.once()
        assert (await w.both(ends["hidden"].record["id"])).state == ("synced", "")
