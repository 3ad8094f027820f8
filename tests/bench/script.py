"""What people write by hand: HubSpot's newest invoices to QuickBooks with the vendors' own client libraries.

`python -m tests.bench.script ADDRESS COUNT`. One call at a time, no state, no second look.
"""

import os
import sys
from decimal import Decimal

from hubspot import HubSpot
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.objects.base import EmailAddress, Ref
from quickbooks.objects.customer import Customer
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail
from quickbooks.objects.invoice import Invoice

ITEM = "1"  # any will do
REALM = "9130000000000001"


def main(address: str, count: int) -> None:
    """Bring over the newest so many."""
    os.environ |= {"OAUTHLIB_INSECURE_TRANSPORT": "1", "NO_PROXY": "127.0.0.1"}
    QuickBooks.api_url_v3 = f"{address}/quickbooks/v3"
    crm = HubSpot(access_token="pat-na1-sandbox-0000-0000", host=f"{address}/hubspot")
    discovery = f"{address}/quickbooks/.well-known/openid_configuration"
    auth = AuthClient("sandbox-client", "sandbox-secret", "http://localhost/back", discovery)
    books = QuickBooks(
        auth_client=auth, refresh_token="RT1-sandbox-seed", company_id=REALM, minorversion=75, use_decimal=True
    )
    properties = ["hs_number", "hs_due_date", "hs_amount_billed"]
    invoices = crm.crm.objects.get_all("invoices", properties=properties, associations=["contacts", "line_items"])
    for invoice in invoices[-count:]:
        _bring(crm, books, invoice)


def _bring(crm: HubSpot, books: QuickBooks, source: object) -> None:
    ends = source.associations  # type: ignore[attr-defined]
    number = source.properties["hs_number"]  # type: ignore[attr-defined]
    if Invoice.filter(DocNumber=number, qb=books):
        return
    made = Invoice()
    made.DocNumber = number
    made.CustomerRef = Ref()
    made.CustomerRef.value = _customer(crm, books, ends["contacts"].results[0].id).Id
    for each in ends["line items"].results:
        read = crm.crm.line_items.basic_api.get_by_id(each.id, properties=["name", "quantity", "price", "amount"])
        made.Line.append(_line(read.properties))
    made.save(qb=books)


def _customer(crm: HubSpot, books: QuickBooks, id: str) -> Customer:
    contact = crm.crm.contacts.basic_api.get_by_id(id, properties=["email", "firstname", "lastname", "company"])
    email = contact.properties["email"]
    found = Customer.where(f"PrimaryEmailAddr = '{email}'", qb=books)
    if found:
        return found[0]
    made = Customer()
    made.DisplayName = contact.properties["company"]
    made.PrimaryEmailAddr = EmailAddress()
    made.PrimaryEmailAddr.Address = email
    return made.save(qb=books)


def _line(read: dict[str, str]) -> SalesItemLine:
    made = SalesItemLine()
    made.Description, made.Amount = read["name"], Decimal(read["amount"])
    made.SalesItemLineDetail = detail = SalesItemLineDetail()
    detail.Qty, detail.UnitPrice = Decimal(read["quantity"]), Decimal(read["price"])
    detail.ItemRef = Ref()
    detail.ItemRef.value = ITEM
    return made


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
