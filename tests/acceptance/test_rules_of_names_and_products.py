"""Names, products, dates of service and currencies, one row a rule; each world is a company with its own settings."""

from decimal import Decimal

import pytest

from tests.acceptance.rules import Ends, Make, Rule, assert_ended, bill, play, played
from tests.acceptance.world import Snapshot, World

SERVICES = 'options = { custom_line_item_account = "Services"'
DAYS = {"name": "Days", "quantity": "2", "price": "50"}


def sold_to(who: dict[str, str], *lines: dict[str, str], **fields: str) -> Make:
    return bill(*lines, who=who, **fields)


def _product(name: str, sku: str) -> Make:
    """An invoice of one line with a HubSpot product that has this SKU."""

    async def make(w: World) -> str:
        product = await w.crm("create", "products", name=name, hs_sku=sku, price="20")
        return await bill({"product": product["id"], "quantity": "1", "price": "20"})(w)

    return make


def _second_of(company: str) -> Make:
    """The second contact of a company is billed; the first is a customer already."""

    async def make(w: World) -> str:
        await bill(who={"company": company})(w)
        await w.once()
        return await bill(who={"company": company})(w)

    return make


def _address(length: int) -> str:
    return "a" * (length - len("@x.example")) + "@x.example"


NAMES = (
    Rule("company names a customer", sold_to({"company": "Acme: Tools\tand More"}), total="100"),
    Rule("a name like a supplier's", sold_to({"company": "Hicks Hardware"}), "failed", "parent_failed", "name already"),
    Rule("a company's second contact", _second_of("Twice Ltd"), "failed", "parent_failed", "name already"),
    Rule("an address of 100 characters", sold_to({"email": _address(100)}), total="100"),
    Rule("an address that is too long", sold_to({"email": _address(101)}), "failed", "parent_failed", "not accepted"),
    Rule("a name with more than fits", sold_to({"firstname": "Z" * 130}), total="100"),
    Rule("two active items with one SKU", _product("Stones", "PAVER-STONE"), "failed", "product_ambiguous", "Stones"),
    Rule("an inactive item", _product("Staining", "FENCE-STAINING"), "failed", "product_inactive", "FENCE-STAINING"),
    Rule("a line of tax", bill(DAYS, {"name": "sales tax", "quantity": "1", "price": "8"}), total="108"),
    Rule("a long description", bill(DAYS | {"description": "long " * 1000}), total="100"),
    Rule("three decimals of a price", bill({"name": "Bits", "quantity": "3", "price": "0.333"}), total="1.00"),
)


async def _names(w: World) -> None:
    w.configure((SERVICES, SERVICES + ', tax_product = "Sales Tax"'))
    await w.books("create", "Item", name="Sales Tax", sku="TAX-LINE", price="0")


@pytest.fixture(scope="module")
def ends(synced: Snapshot) -> Ends:
    return play(synced, NAMES, _names)


@pytest.mark.parametrize("rule", NAMES, ids=str)
def test_rule(rule: Rule, ends: Ends):
    """HQ-08, HQ-09, C-15: its status and category, with a remedy; what went over is the same to the cent."""
    assert_ended(rule, ends[rule.name])


def test_a_tax_line_is_booked_on_its_product(ends: Ends):
    """HQ-10: by name, on the product that is configured; other lines without a product go where they always go."""
    items = [line["SalesItemLineDetail"]["ItemRef"]["name"] for line in ends["a line of tax"].books["Line"][:2]]
    assert items == ["Custom Line Item", "Sales Tax"]


def test_a_description_is_cut_where_quickbooks_would_refuse_it(ends: Ends):
    """Words may be cut, and that is no edit; amounts and numbers never are."""
    (line, *_) = ends["a long description"].books["Line"]
    assert len(line["Description"]) == 4000


async def test_names_that_quickbooks_changes_are_no_edit(synced: Snapshot):
    """HQ-08: what it forbids in names becomes a blank there, stays as it is in HubSpot, and one more pass is silent."""
    async with synced.world() as w:
        rule = Rule("plain", bill(who={"firstname": "Ann:Marie", "lastname": "Lee", "company": "A: B"}))
        pair = (await played(w, [rule]))["plain"]
        customer = (await w.books_rows("Customer"))[pair.books["CustomerRef"]["value"]]
        assert (customer["DisplayName"], customer["GivenName"]) == ("A B", "Ann Marie")
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []
        people = [row["properties"]["firstname"] for row in (await w.crm_rows("contacts")).values()]
        assert "Ann:Marie" in people


@pytest.mark.parametrize("name", ["Hicks Hardware", "Amy's Bird Sanctuary"])
async def test_a_pattern_tells_namesakes_apart(name, synced: Snapshot):
    """HQ-08: a name that is taken, by a supplier or a customer, is tried once more under the configured pattern."""
    async with synced.world() as w:
        w.set("syncs.invoicing.flows.contacts", options='{ display_name_pattern = "{name} ({email})" }')
        rule = Rule("apart", bill(who={"company": name, "email": "other@apart.example"}))
        pair = (await played(w, [rule]))["apart"]
        assert_ended(rule, pair)
        assert pair.books["CustomerRef"]["name"] == f"{name} (other@apart.example)"


async def test_a_name_that_is_taken_names_the_remedy(synced: Snapshot):
    """HQ-08: the contact's own record says it; giving it another company cures contact and invoice by themselves."""
    async with synced.world() as w:
        rule = Rule("taken", bill(who={"company": "Hicks Hardware", "email": "h@taken.example"}), "failed")
        pair = (await played(w, [rule]))["taken"]
        person = await w.record("h@taken.example", "contacts")
        assert (person["code"], bool(person["remedy"])) == ("duplicate_display_name", True)
        await w.crm("update", "contacts", person["left"]["id"], company="Hicks and Sons")
        await w.once()
        assert (await w.both(pair.record["id"])).state == ("synced", "")


async def test_an_inactive_item_that_is_used_again_brings_the_invoice_over(synced: Snapshot):
    """HQ-09: the remedy is to reactivate it; nobody has to retry."""
    async with synced.world() as w:
        rule = Rule("inactive", _product("Staining", "FENCE-STAINING"), "failed", "product_inactive")
        pair = (await played(w, [rule]))["inactive"]
        assert_ended(rule, pair)
        await w.books("restore", "Item", "22")
        await w.once()
        pair = await w.both(pair.record["id"])
        assert (pair.state, pair.books["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"]) == (("synced", ""), "22")


@pytest.mark.parametrize("account", ["", "Services"])
async def test_products_towards_quickbooks_need_an_income_account(account, synced: Snapshot):
    """HQ-09: without the option they say so; with it they are made."""
    async with synced.world(('direction = "right-to-left"', 'direction = "both"')) as w:
        if account:
            w.set("syncs.invoicing.flows.products", options=f'{{ income_account = "{account}" }}')
        await w.once()  # a direction that is opened later starts at that moment
        await w.crm("create", "products", name="New Thing", hs_sku="NEW-1", price="5")
        await w.once()
        record = await w.record("New Thing", "products")
        expected = ("synced", "") if account else ("failed", "field_required")
        assert (record["status"], record["code"]) == expected, record["words"]


@pytest.mark.parametrize("option", ["", "invoice_date", "due_date"])
async def test_a_date_of_service(option, synced: Snapshot):
    """HQ-12: required with revenue recognition; a configured date of the invoice stands on every line."""
    async with synced.world() as w:
        await w.control.settings("quickbooks", RevenueRecognition=True)
        if option:
            w.configure((SERVICES, f'{SERVICES}, service_date = "{option}"'))
        make = bill(DAYS, DAYS, hs_due_date="2026-12-02")
        rule = Rule("served", make) if option else Rule("served", make, "failed", "service_date_required")
        pair = (await played(w, [rule]))["served"]
        assert_ended(rule, pair)
        days = {line["SalesItemLineDetail"]["ServiceDate"] for line in pair.books.get("Line", [])[:2]}
        assert days == ({"invoice_date": {"2026-11-02"}, "due_date": {"2026-12-02"}}.get(option, set()))


def _euros_for(customer_currency: str) -> Make:
    """An invoice in euros for a customer that QuickBooks keeps in some currency already."""

    async def make(w: World) -> str:
        email = f"{customer_currency}@kept.example".lower()
        kept = {"value": customer_currency}
        await w.books("create", "Customer", name=f"Kept in {customer_currency}", email=email, CurrencyRef=kept)
        await w.once()
        people = (await w.crm_rows("contacts")).items()
        (person,) = (id for id, row in people if row["properties"].get("email") == email)
        return await bill(DAYS, contact=person, hs_currency="EUR")(w)

    return make


CURRENCIES = (
    Rule("the account's own", bill(DAYS), total="100"),
    Rule("a new customer in euros", bill(DAYS, hs_currency="EUR"), total="100"),
    Rule("a customer kept in euros", _euros_for("EUR"), total="100"),
    Rule("a customer kept in dollars", _euros_for("USD"), "failed", "currency_mismatch", "kept in USD"),
    Rule("yen", bill(DAYS | {"price": "333"}, hs_currency="JPY"), total="666"),
)


async def _currencies(w: World) -> None:
    await w.control.settings("quickbooks", MultiCurrency=True)


@pytest.fixture(scope="module")
def abroad(synced: Snapshot) -> Ends:
    return play(synced, CURRENCIES, _currencies)


@pytest.mark.parametrize("rule", CURRENCIES, ids=str)
def test_in_several_currencies(rule: Rule, abroad: Ends):
    """A customer keeps the currency of the first invoice; one in another is refused with the reason."""
    assert_ended(rule, abroad[rule.name])


def test_no_exchange_rate_is_made_up(abroad: Ends):
    """It is left to the company's own rate."""
    books = abroad["a new customer in euros"].books
    assert (books["CurrencyRef"]["value"], books["ExchangeRate"]) == ("EUR", Decimal("1.08"))


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland", "Europe/Paris"])
async def test_dates_never_slide_by_a_day(zone, synced: Snapshot):
    """Days stay days in every time zone; a moment means the day it was in the portal, also when clocks change."""
    async with synced.world() as w:
        await w.control.settings("hubspot", time_zone=zone)
        moments = {  # the moment in UTC that is 23:30 on 1 November 2026 there: the night of a change in America
            "America/Los_Angeles": "2026-11-02T07:30:00Z",
            "Pacific/Auckland": "2026-11-01T10:30:00Z",
            "Europe/Paris": "2026-11-01T22:30:00Z",
        }
        make = bill(DAYS, hs_invoice_date="2026-11-01", hs_due_date=moments[zone])
        pair = (await played(w, [Rule("dated", make)]))["dated"]
        assert (pair.books["TxnDate"], pair.books["DueDate"]) == ("2026-11-01", "2026-11-01")
        await w.crm("pay", "invoices", pair.crm["id"], amount="5", date=moments[zone])
        await w.books("update", "Invoice", pair.books["Id"], due="2027-03-28")
        await w.once()
        pair = await w.both(pair.record["id"])
        paid = [row for row in (await w.books_rows("Payment")).values() if row["TotalAmt"] == 5]
        assert [row["TxnDate"] for row in paid] == ["2026-11-01"]
        assert (pair.state, (pair.of("hs_due_date") or "")[:10]) == (("synced", ""), "2027-03-28")
