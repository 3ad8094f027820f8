"""Promise 18: two syncs with backlogs share both accounts, and no window of the vendors' limits is exceeded."""

from collections.abc import Callable

import pytest

from tests.simulation.house import beginning
from tests.simulation.story import settle

CRM, BOOKS = "hubspot", "quickbooks"
FLOWS = '[syncs.invoicing.flows.contacts]\ndirection = "both"\n'
TWO = """[syncs.invoicing.flows.products]
direction = "off"

[syncs.catalogue]
recipe = "hubspot-quickbooks"
left = "crm"
right = "books"
poll = "1m"
approval = "off"

[syncs.catalogue.flows.contacts]
direction = "off"

[syncs.catalogue.flows.invoices]
direction = "off"

[syncs.catalogue.flows.payments]
direction = "off"

"""


@pytest.mark.parametrize("backlog", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_two_syncs_stay_within_the_limits(backlog: int, record_property: Callable[[str, object], None]) -> None:
    """Customers by the one, articles by the other: everything arrives, nothing is refused."""
    house = beginning(lambda world: None, (FLOWS, TWO + FLOWS)).house(1)
    house.latency = (0.002, 0.02)
    for vendor in house.world.vendors.values():
        vendor.settings({"limits": True})
    for number in range(backlog):
        house.person(BOOKS, "create", "Customer", name=f"Shared {number}", email=f"s{number}@shared.example")
        house.person(BOOKS, "create", "Item", name=f"Article {number}", sku=f"ART-{number}", price="5")
    house.start()
    assert settle(house)
    house.kill()
    asked = house.world.exchanges()
    record_property("figures", ("two syncs, one account", {"calls": len(asked), "refused": 0}))
    assert [e.path for e in asked if e.status == 429] == []
    people = [row["properties"].get("email") for row in house.world.vendors[CRM].records("contacts")]
    articles = [row["properties"].get("hs_sku") for row in house.world.vendors[CRM].records("products")]
    for number in range(backlog):
        assert people.count(f"s{number}@shared.example") == articles.count(f"ART-{number}") == 1
