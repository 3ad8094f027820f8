"""QuickBooks sandbox: customers, vendors, items and the short lists."""

import pytest


def test_new_customer_is_filled_in(qbo):
    """Names come from the parts, printing name and full name from those; ids go on behind customers and vendors."""
    made = qbo.ok(
        "Customer", {"GivenName": "Ada", "FamilyName": "King", "PrimaryEmailAddr": {"Address": "a@example.com"}}
    )
    assert (made["DisplayName"], made["FullyQualifiedName"], made["PrintOnCheckName"]) == ("Ada King",) * 3
    assert (made["Id"], made["Active"], made["Balance"], made["Job"]) == ("57", True, 0, False)
    assert made["CurrencyRef"]["value"] == "USD"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "2020"),
        ({"DisplayName": "amy's BIRD sanctuary"}, "6240"),
        ({"DisplayName": "Hicks Hardware"}, "6240"),
        ({"DisplayName": "A:B"}, "2040"),
        ({"DisplayName": "A\tB"}, "2040"),
        ({"DisplayName": "X" * 501}, "2050"),
        ({"DisplayName": "X", "Title": "T" * 17}, "2050"),
        ({"DisplayName": "X", "PrimaryEmailAddr": {"Address": "a@b"}}, "2210"),
        ({"DisplayName": "X", "PrimaryEmailAddr": {"Address": "a" * 100 + "@b.c"}}, "2050"),
        ({"DisplayName": "X", "PrimaryPhone": {"FreeFormNumber": "1" * 31}}, "2050"),
        ({"DisplayName": "X", "PrimaryEmailAddr": {"Adress": "a@b.c"}}, "2010"),
        ({"DisplayName": "X", "Email": "a@b.c"}, "2010"),
        ({"DisplayName": "X", "PreferredDeliveryMethod": "Pigeon"}, "2170"),
        ({"DisplayName": "X", "ParentRef": {"value": "999"}, "Job": True}, "2500"),
        ({"DisplayName": "X", "CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"DisplayName": 7}, "2010"),
    ],
)
def test_refused_customers(qbo, body, code):
    """Every rule of names has its code."""
    assert qbo.refused("Customer", body) == code


def test_blank_properties_do_not_exist(qbo):
    """Blanks and nulls clear a property, in the objects of a record too; an object of nothing but blanks goes."""
    made = qbo.ok("Customer", {"DisplayName": "X", "Notes": "n", "BillAddr": {"Line1": "1 Quay", "City": "Cork"}})
    sent = {"Notes": "", "BillAddr": {"Line1": "2 Quay", "City": ""}, "PrimaryPhone": {"FreeFormNumber": ""}}
    qbo.ok("Customer", {"Id": made["Id"], "SyncToken": "0", "sparse": True, **sent})
    shown = qbo.get("Customer", made["Id"])
    assert {"Notes", "PrimaryPhone"}.isdisjoint(shown)
    assert {key: value for key, value in shown["BillAddr"].items() if key != "Id"} == {"Line1": "2 Quay"}


def test_inactive_customer_holds_its_name(qbo):
    """An inactive record reads '<name> (deleted)', keeps its name from others, and gets it back when restored."""
    key = {"Id": "6", "SyncToken": "1", "sparse": True}
    gone = qbo.ok("Customer", {**key, "Active": False})
    assert gone["DisplayName"] == "Dylan Sollfrank (deleted)"
    assert qbo.refused("Customer", {"DisplayName": "dylan sollfrank"}) == "6240"
    assert "Customer" not in qbo.query("select * from Customer where DisplayName = 'Dylan Sollfrank'")
    found = qbo.query("select * from Customer where DisplayName = 'Dylan Sollfrank' and Active IN (true, false)")
    assert found["Customer"][0]["Active"] is False
    back = qbo.ok("Customer", {**gone, "SyncToken": "2", "Active": True})
    assert back["DisplayName"] == "Dylan Sollfrank"


def test_customer_with_a_balance_stays_active(qbo):
    """A customer that owes something cannot be made inactive, unless the settings allow it."""
    change = {"Id": "20", "SyncToken": "1", "sparse": True, "Active": False}
    assert qbo.refused("Customer", change) == "6220"
    qbo.set(deactivate_with_balance=True)
    qbo.ok("Customer", change)


def test_jobs_follow_their_parent(qbo):
    """Sub-customers have level and full name of their place; renaming the parent renames them silently."""
    job = qbo.ok("Customer", {"DisplayName": "Roof", "ParentRef": {"value": "8"}, "Job": True})
    assert (job["Level"], job["FullyQualifiedName"]) == (2, "Freeman Sporting Goods:0969 Ocean View Road:Roof")
    qbo.ok("Customer", {"Id": "7", "SyncToken": "1", "sparse": True, "DisplayName": "Freeman"})
    after = qbo.get("Customer", job["Id"])
    assert (after["FullyQualifiedName"], after["SyncToken"]) == ("Freeman:0969 Ocean View Road:Roof", "0")
    loop = {"Id": "7", "SyncToken": "2", "sparse": True, "ParentRef": {"value": job["Id"]}}
    assert qbo.refused("Customer", loop) == "6000"


def test_customer_cannot_be_deleted(qbo):
    """Names are never deleted through the API."""
    assert qbo.refused("Customer", {"Id": "6", "SyncToken": "1"}, operation="delete") == "500"


def test_new_item(qbo):
    """A service needs a name, a type and an income account; the same SKU twice is accepted."""
    body = {"Name": "Custom Line Item", "Sku": "PUMP", "Type": "Service", "IncomeAccountRef": {"value": "79"}}
    made = qbo.ok("Item", body)
    assert (made["Id"], made["UnitPrice"], made["Taxable"]) == ("23", 0, False)
    assert made["IncomeAccountRef"] == {"value": "79", "name": "Sales of Product Income"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Name": ""}, "2020"),
        ({"Name": "rock fountain"}, "6240"),
        ({"Name": "A:B"}, "2040"),
        ({"Name": "N" * 101}, "2050"),
        ({"Sku": "S" * 101}, "2050"),
        ({"Type": ""}, "2020"),
        ({"Type": "Gadget"}, "2170"),
        ({"Type": "Inventory"}, "2020"),
        ({"IncomeAccountRef": {}}, "2020"),
        ({"IncomeAccountRef": {"value": "999"}}, "2500"),
        ({"UnitPrice": "cheap"}, "2090"),
    ],
)
def test_refused_items(qbo, change, code):
    """Every rule of items has its code."""
    body = {"Name": "New", "Type": "Service", "IncomeAccountRef": {"value": "79"}}
    assert qbo.refused("Item", {**body, **change}) == code


def test_item_type_is_fixed(qbo):
    """The type of an item cannot change; other fields can."""
    key = {"Id": "10", "SyncToken": "0", "sparse": True}
    assert qbo.refused("Item", {**key, "Type": "NonInventory"}) == "6000"
    assert qbo.ok("Item", {**key, "UnitPrice": 36})["UnitPrice"] == 36


def test_short_lists(qbo):
    """Accounts, terms and payment methods can be made; tax codes and rates cannot."""
    account = qbo.ok("Account", {"Name": "Online sales", "AccountType": "Income", "ParentRef": {"value": "79"}})
    assert account["FullyQualifiedName"] == "Sales of Product Income:Online sales"
    assert account["Classification"] == "Revenue"
    term = qbo.ok("Term", {"Name": "Net 45", "DueDays": 45})
    assert qbo.invoice(SalesTermRef={"value": term["Id"]})["DueDate"] == "2026-12-17"
    assert qbo.refused("Term", {"Name": "net 30"}) == "6240"
    assert qbo.refused("TaxCode", {"Name": "X"}) == "500"
