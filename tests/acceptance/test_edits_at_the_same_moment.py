"""A person saves at the very moment we write: their edit is neither lost nor taken for our own."""

import pytest

from syncd.sandbox.base import Request
from tests.acceptance.world import Snapshot, World

SYNCED = ("synced", "")
CONTACTS = "syncs.invoicing.flows.contacts"


def updates_contacts(request: Request) -> bool:
    return request.path.endswith("/contacts/batch/update")


def updates_customers(request: Request) -> bool:
    return request.method == "POST" and b'"DisplayName"' not in request.body and b'"SyncToken"' in request.body


def address(city: str) -> dict[str, object]:
    """The billing address of customer 1, in another city."""
    return {"Line1": "4581 Finch St.", "City": city, "CountrySubDivisionCode": "CA", "PostalCode": "94326"}


async def cities(w: World) -> tuple[str | None, str]:
    both = await w.both("birds@intuit.com", "contacts")
    assert both.state == SYNCED
    return both.of("city"), both.books["BillAddr"]["City"]


async def test_an_edit_between_our_write_and_our_reading_it_back_is_an_edit(synced: Snapshot) -> None:
    """QuickBooks' city goes to HubSpot; right after, somebody there corrects it. The correction goes back."""
    async with synced.world() as w:
        await w.books("update", "Customer", "1", BillAddr=address("Carmel"))
        w.interrupt(updates_contacts, "hubspot", "update", "contacts", "1001", {"city": "Monterey"}, before=False)
        await w.once()
        await w.once()
        assert await cities(w) == ("Monterey", "Monterey")


@pytest.mark.parametrize(("rule", "city"), [("crm", "Monterey"), ("books", "Carmel")])
async def test_an_edit_that_our_write_overwrote_goes_through_the_rule(synced: Snapshot, rule: str, city: str) -> None:
    """HubSpot has no lock: a city saved between our last look and our write is overwritten, and found in the
    history of the property. It is told, and has the last word if the rule says so."""
    async with synced.world() as w:
        w.set(CONTACTS, conflict=f'"{rule}"')
        await w.books("update", "Customer", "1", BillAddr=address("Carmel"))
        w.interrupt(updates_contacts, "hubspot", "update", "contacts", "1001", {"city": "Monterey"}, before=True)
        await w.once()
        await w.once()
        assert await cities(w) == (city, city)
        told = (await w.both("birds@intuit.com", "contacts")).record["activity"]
        assert any("Monterey" in (change["old"] or "", change["new"] or "") for e in told for change in e["changes"])


async def test_an_edit_that_quickbooks_lock_saw_is_decided_anew(synced: Snapshot) -> None:
    """QuickBooks refuses a write on an older version: both edits, of different fields, are there in the end."""
    async with synced.world() as w:
        await w.crm("update", "contacts", "1001", phone="(650) 555-0001")
        deed = ("update", "Customer", "1", {"BillAddr": address("Monterey")})
        w.interrupt(updates_customers, "quickbooks", *deed, before=True)
        await w.once()
        both = await w.both("birds@intuit.com", "contacts")
        assert await cities(w) == ("Monterey", "Monterey")
        assert both.of("phone") == both.books["PrimaryPhone"]["FreeFormNumber"] == "(650) 555-0001"
