"""Reading from HubSpot by id and by key."""

from dataclasses import replace
from decimal import Decimal

import pytest

from syncd.model.nouns import AdjustmentKind, InvoiceStatus
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Presence
from tests.contract.connectors.hubspot.conftest import MARKER, contact, mirror
from tests.contract.connectors.suite import change


async def test_a_merged_contact_leads_to_the_survivor(portal):
    """Reading the old id says into whom it was merged."""
    await portal.person("merge", "contacts", "1001", other="1021")
    read = await portal.connector.read(Kind.PARTY, ["1021", "1001", "424242"])

    assert (read["1021"].presence, read["1021"].merged_into) == (Presence.MERGED, "1001")
    assert Presence.PRESENT is read["1001"].presence
    assert Presence.DELETED is read["424242"].presence


@pytest.mark.parametrize(
    ("id", "kind", "amount"),
    [
        ("5019", AdjustmentKind.DISCOUNT, "21"),
        ("5020", AdjustmentKind.TAX, "7.2"),
        ("5021", AdjustmentKind.FEE, "25"),
    ],
)
async def test_amounts_of_the_whole_invoice_are_adjustments(portal, id, kind, amount):
    """Discounts, fees and taxes that belong to no line are read where the lines alone do not make the total."""
    snapshot = await portal.one(Kind.INVOICE, id)
    (adjustment,) = snapshot.noun.adjustments

    assert (kind, Decimal(amount)) == (adjustment.kind, adjustment.amount)
    assert not snapshot.torn


async def test_adjustments_cost_calls_only_where_they_are(portal):
    """An invoice whose lines make its total is whole after four calls."""
    await portal.connector.account()
    before = await portal.calls()
    await portal.connector.read(Kind.INVOICE, ["5001", "5002", "5003"])

    assert await portal.paths(before) == [
        "invoices/batch/read",
        "/crm/v4/associations/invoices/contacts/batch/read",
        "/crm/v4/associations/invoices/line_items/batch/read",
        "line_items/batch/read",
    ]


async def test_statuses_follow_the_amounts(portal):
    """HubSpot knows open and paid; partly paid shows in the amounts."""
    statuses = {
        id: s.noun.status for id, s in (await portal.connector.read(Kind.INVOICE, ["5009", "5010", "5001"])).items()
    }

    assert statuses == {
        "5009": InvoiceStatus.PAID,
        "5010": InvoiceStatus.PARTIALLY_PAID,
        "5001": InvoiceStatus.OPEN,
    }


async def test_our_own_amounts_win(portal):
    """What the other side told us of payments is what the invoice says."""
    seen = await portal.one(Kind.INVOICE, "5001")
    values = {"amount_paid": Decimal(20), "balance": Decimal(15)}
    await portal.write(change(seen, values=values))
    noun = (await portal.one(Kind.INVOICE, "5001")).noun

    assert (Decimal(20), Decimal(15), InvoiceStatus.PARTIALLY_PAID) == (noun.amount_paid, noun.balance, noun.status)
    assert Decimal(35) == noun.total


async def test_where_an_invoice_was_born(portal):
    """Billable and of HubSpot's source: native. Not billable: a mirror. Both signs in conflict: not for us to say."""
    made = await portal.write(mirror())
    ids = {"5001": True, "5033": None, made.id: False}
    read = await portal.connector.read(Kind.INVOICE, list(ids))

    assert ids == {id: snapshot.native for id, snapshot in read.items()}
    assert read["5033"].source == "data_sync"
    assert read[made.id].marker == MARKER


async def test_the_native_literal_can_be_set(portal):
    """Which source HubSpot's own invoices name is not documented."""
    options = {**portal.settings.options, "native_sources": "crm, Data_Sync"}
    async with portal.another(options=options) as other:
        read = await other.connector.read(Kind.INVOICE, ["5001", "5033"])

    assert {id: snapshot.native for id, snapshot in read.items()} == {"5001": None, "5033": True}


async def test_contacts_are_found_by_every_address(portal):
    """By batch and not by search, so that a contact made a second ago is found."""
    await portal.control.settings("hubspot", index_lag=600)
    done = await portal.write(contact(email="Fresh@Example.com"))
    key = MatchKey("email", "FRESH@example.com")
    found = await portal.connector.find(Kind.PARTY, [key, MatchKey("email", "nobody@example.com")])

    assert [done.id] == [snapshot.id for snapshot in found[key]]


async def test_several_products_with_one_sku_are_all_found(portal):
    """SKUs are not unique; who asks must know."""
    await portal.person("create", "products", name="Other sod", hs_sku="sod")
    sku, name = MatchKey("sku", "SOD"), MatchKey("name", "pest control")
    found = await portal.connector.find(Kind.PRODUCT, [sku, name])

    assert len(found[sku]) == 2
    assert [snapshot.id for snapshot in found[name]] == ["3001"]


async def test_many_keys_fit_into_few_searches(portal):
    """A search holds 3,000 characters; a hundred references are a few searches, and one read for what is found."""
    done = await portal.write(contact())
    marker = MatchKey("marker", f"syncd:{1:032x}")
    before = await portal.calls()
    keys = [MatchKey("marker", f"syncd:{number:032x}") for number in range(2, 102)]
    found = await portal.connector.find(Kind.PARTY, [*keys, marker])

    assert [done.id] == [snapshot.id for snapshot in found[marker]]
    assert await portal.calls() - before <= 4


async def test_a_key_of_no_use_is_a_mistake(portal):
    """Asking for what cannot be looked up is not answered with nothing."""
    with pytest.raises(ValueError, match="cannot be found by"):
        await portal.connector.find(Kind.PARTY, [MatchKey("sku", "x")])


async def test_associations_may_be_printed_as_text(portal):
    """The schema says text, portals print numbers."""
    numbers = await portal.one(Kind.INVOICE, "5002")
    await portal.control.settings("hubspot", numeric_to_object_id=False)

    assert numbers == await portal.one(Kind.INVOICE, "5002")


async def test_further_properties_are_custom_fields(portal):
    """Named in the options, they are read with everything else."""
    await portal.person("update", "contacts", "1001", jobtitle="Owner")
    async with portal.another(options={**portal.settings.options, "contact_properties": "jobtitle"}) as other:
        noun = (await other.one(Kind.PARTY, "1001")).noun

    assert noun.custom == {"jobtitle": "Owner"}


async def test_the_look_before_a_write_is_light_where_it_may_be(portal):
    """When lines are left alone and were seen, one call shows the rest; else the invoice is read whole."""
    seen = await portal.one(Kind.INVOICE, "5001")
    await portal.person("update", "invoices", "5001", hs_comments="Thank you")
    before = await portal.calls()
    light = change(seen, values={"po_number": "7"})
    fresh = (await portal.connector.fresh([light]))["u1"]
    calls = await portal.calls() - before
    whole = (await portal.connector.fresh([replace(light, seen=None)]))["u1"]

    assert calls == 1
    assert fresh.noun.comment == "Thank you"
    assert whole == fresh
