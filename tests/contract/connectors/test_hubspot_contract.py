"""HubSpot keeps the contract."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from syncd.clock import SystemChance
from syncd.connectors.base import Order
from syncd.connectors.hubspot import connect
from syncd.connectors.settings import ConnectionSettings
from syncd.model.nouns import Allocation, Line
from syncd.model.record import Op
from syncd.model.references import Kind
from tests.contract.connectors.suite import ConnectorContract, Drawer

MARKER = "syncd:" + "5a" * 15
CONTACT = "1001"


class TestHubSpot(ConnectorContract):
    """A bearer token, the classic paths."""

    vendor = "hubspot"
    names: ClassVar = {
        Kind.PARTY: "contacts",
        Kind.PRODUCT: "products",
        Kind.INVOICE: "invoices",
        Kind.PAYMENT: "commerce_payments",
    }
    write: ClassVar = {"method": "POST", "path": "/crm/.*/batch/create"}
    edit: ClassVar = {"city": "Elsewhere"}
    edited: ClassVar = {"city": "Elsewhere"}

    def settings(self, url, keys):
        return ConnectionSettings(name="crm", vendor="hubspot", url=url, token=keys["token"], options=self.options())

    def options(self):
        return {"burst": 100_000}

    def connect(self, settings, transport, clock):
        return connect(settings, transport, clock, SystemChance(), Drawer())

    def new_party(self, number=1):
        values = {"email": f"new{number}@example.com", "first_name": "New", "last_name": f"Contact {number}"}
        return create(f"p{number}", Kind.PARTY, values, marker=f"{MARKER}{number:02}")

    def bad_party(self):
        return create("bad", Kind.PARTY, {"email": "not an address"}, marker=f"{MARKER}99")

    def new_product(self):
        values = {"name": "Trellis", "sku": "TRELLIS", "description": "Oak", "unit_price": Decimal("49.90")}
        return create("t1", Kind.PRODUCT, values, marker=f"{MARKER}b1")

    def new_invoice(self):
        values = {
            "customer": CONTACT,
            "number": "1047",
            "currency": "USD",
            "issue_date": date(2026, 11, 2),
            "due_date": date(2026, 12, 2),
            "status": "open",
            "total": Decimal("115.50"),
            "balance": Decimal("115.50"),
            "amount_paid": Decimal(0),
        }
        lines = (
            line("l1", "90", "3", "30", product="3002"),
            line("l2", "25.50", "1", "25.5", name="Custom"),
        )
        return create("i1", Kind.INVOICE, values, marker=f"{MARKER}c1", lines=lines, mirror=True)

    def new_payment(self, invoice):
        values = {
            "customer": CONTACT,
            "amount": Decimal("15.50"),
            "currency": "USD",
            "date": date(2026, 11, 3),
            "status": "succeeded",
            "method": "check",
            "reference": "4711",
        }
        return create("m1", Kind.PAYMENT, values, marker=f"{MARKER}d1", allocations=(Allocation(invoice=invoice),))


class TestHubSpotDated(TestHubSpot):
    """The dated paths, which only spell addresses differently."""

    def options(self):
        return super().options() | {"api_version": "2026-03"}


def create(intent, kind, values, **more):
    """An order to create something."""
    return Order(intent=intent, op=Op.CREATE, kind=kind, values=values, **more)


def line(key, amount, quantity, price, **more):
    """One line of an invoice."""
    return Line(key=key, amount=Decimal(amount), quantity=Decimal(quantity), unit_price=Decimal(price), **more)
