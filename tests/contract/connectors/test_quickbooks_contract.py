"""QuickBooks Online keeps the contract."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from syncd.clock import SystemChance
from syncd.connectors.base import Order
from syncd.connectors.quickbooks import connect
from syncd.connectors.settings import ConnectionSettings
from syncd.model.nouns import Allocation, Line
from syncd.model.record import Op
from syncd.model.references import Kind
from tests.contract.connectors.suite import ConnectorContract, Drawer

MARKER = "syncd:" + "5a" * 15
CUSTOMER, GARDENING = "1", "6"


class TestQuickBooks(ConnectorContract):
    """The sample company, with its own numbers."""

    vendor = "quickbooks"
    names: ClassVar = {Kind.PARTY: "Customer", Kind.PRODUCT: "Item", Kind.INVOICE: "Invoice", Kind.PAYMENT: "Payment"}
    write: ClassVar = {"method": "POST", "path": "/v3/company/.*/(customer|batch)", "contains": "new"}
    edit: ClassVar = {"CompanyName": "Elsewhere"}
    edited: ClassVar = {"company": "Elsewhere"}

    def settings(self, url, keys):
        return ConnectionSettings(
            name="books",
            vendor="quickbooks",
            url=url,
            client_id=keys["client_id"],
            client_secret=keys["client_secret"],
            refresh_token=keys["refresh_token"],
            account=keys["realm_id"],
        )

    def connect(self, settings, transport, clock):
        return connect(settings, transport, clock, SystemChance(), Drawer())

    def new_party(self, number=1):
        values = {"name": f"new{number}", "email": f"new{number}@example.com"}
        return create(f"p{number}", Kind.PARTY, values, marker=f"{MARKER}{number:02}")

    def bad_party(self):
        values = {"name": "Amy's Bird Sanctuary", "email": "new@example.com"}
        return create("bad", Kind.PARTY, values, marker=f"{MARKER}99")

    def new_product(self):
        values = {"name": "Trellis", "sku": "TRELLIS", "unit_price": Decimal("49.90"), "income_account": "Services"}
        return create("t1", Kind.PRODUCT, values, marker=f"{MARKER}b1")

    def new_invoice(self):
        values = {
            "customer": CUSTOMER,
            "number": "HS-1047",
            "issue_date": date(2026, 11, 2),
            "due_date": date(2026, 12, 2),
        }
        lines = (line("l1", "90", "3", "30"), line("l2", "25.50", "1", "25.5"))
        return create("i1", Kind.INVOICE, values, marker=f"{MARKER}c1", lines=lines)

    def new_payment(self, invoice):
        values = {"customer": CUSTOMER, "amount": Decimal("15.50"), "date": date(2026, 11, 3), "reference": "4711"}
        allocations = (Allocation(invoice=invoice, amount=Decimal("15.50")),)
        return create("m1", Kind.PAYMENT, values, marker=f"{MARKER}d1", allocations=allocations)


def create(intent, kind, values, **more):
    """An order to create something."""
    return Order(intent=intent, op=Op.CREATE, kind=kind, values=values, **more)


def line(key, amount, quantity, price):
    """One line of an invoice."""
    return Line(
        key=key,
        product=GARDENING,
        description="Gardening",
        amount=Decimal(amount),
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
    )
