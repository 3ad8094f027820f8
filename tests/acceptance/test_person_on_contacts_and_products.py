"""What people do to contacts, customers and products, and what both sides hold after the next poll."""

import pytest

from tests.acceptance.world import Snapshot, World

SYNCED = ("synced", "")
CONTACTS = "syncs.invoicing.flows.contacts"
HOUR = 3600.0


def address(city: str) -> dict[str, str]:
    """The billing address of customer 1, in another city."""
    return {"Line1": "4581 Finch St.", "City": city, "CountrySubDivisionCode": "CA", "PostalCode": "94326"}


async def customers(w: World) -> dict[str, str]:
    """Names of all customers, by id."""
    return {id: row["DisplayName"] for id, row in (await w.books_rows("Customer")).items()}


async def test_edits_of_different_fields_both_survive(synced: Snapshot) -> None:
    """A phone number changed in HubSpot, a city in QuickBooks, between two polls."""
    async with synced.world() as w:
        await w.crm("update", "contacts", "1001", phone="(650) 555-0001")
        await w.books("update", "Customer", "1", BillAddr=address("Carmel"))
        await w.once()
        both = await w.both("birds@intuit.com", "contacts")
        assert both.state == SYNCED
        assert both.of("phone") == both.books["PrimaryPhone"]["FreeFormNumber"] == "(650) 555-0001"
        assert both.of("city") == both.books["BillAddr"]["City"] == "Carmel"


@pytest.mark.parametrize(("rule", "winner"), [("left", "(650) 555-0001"), ("books", "(650) 555-0002")])
async def test_the_same_field_edited_on_both_sides_follows_the_rule(synced: Snapshot, rule: str, winner: str) -> None:
    """A side or a connection's name; the value that lost is kept in the account."""
    async with synced.world() as w:
        w.set(CONTACTS, conflict=f'"{rule}"')
        await _edit_both_phones(w)
        await w.once()
        both = await w.both("birds@intuit.com", "contacts")
        assert both.state == SYNCED
        assert both.of("phone") == both.books["PrimaryPhone"]["FreeFormNumber"] == winner
        (lost,) = next(e["changes"] for e in both.record["activity"] if e["event"] == "conflict.resolved")
        assert {lost["old"], lost["new"]} == {"(650) 555-0001", "(650) 555-0002"}


async def test_a_held_conflict_names_the_field_and_overwrites_nothing(synced: Snapshot) -> None:
    """With the rule hold a person decides; what else was edited waits with it."""
    async with synced.world() as w:
        w.set(CONTACTS, conflict='"hold"')
        await w.once()
        mark = await w.mark()
        await _edit_both_phones(w)
        await w.crm("update", "contacts", "1001", city="Carmel")
        await w.once()
        both = await w.both("birds@intuit.com", "contacts")
        assert both.state == ("failed", "conflict_held")
        assert "phone" in both.record["words"]
        assert await w.written(mark) == []


async def test_an_address_for_a_contact_cures_its_invoice(synced: Snapshot) -> None:
    """The invoice failed because its contact had no e-mail address; nobody has to retry it."""
    async with synced.world() as w:
        assert (await w.both("INV-1024")).state == ("failed", "customer_missing")
        await w.crm("update", "contacts", "1022", email="tom@baker.example.com")
        await w.once()
        both = await w.both("INV-1024")
        assert both.state == SYNCED
        assert both.books["TotalAmt"] == 125
        assert (await customers(w))[both.books["CustomerRef"]["value"]] == "Baker Orchards"
        assert (await w.both("tom@baker.example.com", "contacts")).state == SYNCED


async def test_another_contact_on_the_invoice_cures_it_too(synced: Snapshot) -> None:
    """Replacing the contact in HubSpot, instead of completing it, where an association shows on its invoice."""
    async with synced.world() as w:
        await w.control.settings("hubspot", association_bumps=True)
        invoice = (await w.both("INV-1024")).crm["id"]
        await w.crm("update", "invoices", invoice, contact="1001")
        await w.once()
        both = await w.both("INV-1024")
        assert both.state == SYNCED
        assert both.books["CustomerRef"]["value"] == "1"


async def test_a_free_name_cures_the_customer_and_its_invoice(synced: Snapshot) -> None:
    """The display name was taken: another company name in HubSpot makes the customer, then the invoice."""
    async with synced.world() as w:
        assert (await w.both("INV-1025")).state == ("failed", "parent_failed")
        await w.crm("update", "contacts", "1025", company="Sushi by Haru")
        await w.once()
        both = await w.both("INV-1025")
        assert both.state == SYNCED
        assert (await customers(w))[both.books["CustomerRef"]["value"]] == "Sushi by Haru"


async def test_a_sku_makes_an_item_a_product(synced: Snapshot) -> None:
    """An item without SKU stays behind; with one it becomes a product in HubSpot."""
    async with synced.world() as w:
        assert (await w.both("18", "products")).state == ("excluded", "no_sku")
        await w.books("update", "Item", "18", sku="TRIMMING")
        await w.once()
        both = await w.both("18", "products")
        assert both.state == SYNCED
        made = [p for p in (await w.crm_rows("products")).values() if p["properties"].get("hs_sku") == "TRIMMING"]
        assert [p["id"] for p in made] == [both.crm["id"]]
        assert both.of("name") == "Trimming"


async def test_a_merged_contact_leaves_the_customer_with_the_survivor(synced: Snapshot) -> None:
    """HubSpot merges the known contact into another one: the customer stays the same, no second one is made."""
    async with synced.world() as w:
        before = await customers(w)
        new = await w.crm("create", "contacts", email="amy@example.com", firstname="Amy", lastname="Lauterbach")
        await w.once()
        await w.crm("merge", "contacts", new["id"], other="1001")
        await w.once()
        lines = [{"product": "3003", "quantity": "1"}]
        made = await w.crm("create", "invoices", contact=new["id"], lines=lines, finalize=True)
        await w.once()
        both = await w.both(made["id"])
        assert both.state == SYNCED
        assert both.books["CustomerRef"]["value"] == "1"
        assert len(await customers(w)) == len(before)


async def test_a_contact_merged_into_the_known_one_changes_nothing_there(synced: Snapshot) -> None:
    """The other way round: the known contact survives and keeps its customer."""
    async with synced.world() as w:
        await w.crm("merge", "contacts", "1001", other="1021")
        mark = await w.mark()
        await w.once()
        both = await w.both("birds@intuit.com", "contacts")
        assert both.state == SYNCED
        assert (both.crm["id"], both.books["Id"]) == ("1001", "1")
        assert [e for e in await w.written(mark, "quickbooks") if e["operation"] != "update"] == []


async def test_an_archived_contact_takes_nothing_with_it(synced: Snapshot) -> None:
    """Nothing is deleted in QuickBooks: the record is in order, with a note."""
    async with synced.world() as w:
        await w.crm("archive", "contacts", "1013")
        mark = await w.mark()
        await w.advance(HOUR + 1)
        await w.once()
        both = await w.both("17", "contacts")
        assert both.state == SYNCED
        assert both.notes == ["counterpart_gone"]
        assert both.books["Active"] is True
        assert await w.written(mark) == []

        await w.crm("restore", "contacts", "1013")
        await w.crm("update", "contacts", "1013", phone="(650) 555-0003")
        await w.once()
        both = await w.both("17", "contacts")
        assert (both.state, both.notes) == (SYNCED, [])
        assert both.books["PrimaryPhone"]["FreeFormNumber"] == "(650) 555-0003"


async def _edit_both_phones(w: World) -> None:
    await w.crm("update", "contacts", "1001", phone="(650) 555-0001")
    await w.books("update", "Customer", "1", phone="(650) 555-0002")
