"""A HubSpot portal in the sandbox, a person's hand on it, and a connector to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncd.clock import SystemChance
from syncd.connectors.base import Order
from syncd.connectors.http import AioTransport
from syncd.connectors.hubspot import connect
from syncd.connectors.settings import ConnectionSettings
from syncd.model.nouns import Line
from syncd.model.record import Op
from syncd.model.references import Kind
from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import create_world
from tests.contract.connectors.suite import KINDS, Drawer, SkippingClock, Stage

MARKER = "syncd:" + "ab" * 16


class Bench(Stage):
    """A stage with what only HubSpot's tests need."""

    drawer: Drawer

    @asynccontextmanager
    async def another(self, **changes) -> AsyncIterator["Bench"]:
        """A connector as after a restart, perhaps configured differently."""
        settings = replace(self.settings, **changes)
        connector = connect(settings, AioTransport(), self.clock, SystemChance(), self.drawer)
        made = Bench(self.vendor, self.control, settings, connector, self.clock, self.numbers)
        made.drawer = self.drawer
        yield made
        await connector.close()

    async def paths(self, after: int = 0) -> list[str]:
        """Paths of the requests after some number, without what all have in common."""
        return [r["path"].replace("/crm/v3/objects/", "") for r in (await self.control.requests("hubspot"))[after:]]

    async def person(self, op, kind, id=None, **fields):
        """A person's hand."""
        return await self.control.person("hubspot", op, kind, id, fields)


@pytest.fixture
async def portal() -> AsyncIterator[Bench]:
    async with serving(create_world(["hubspot"])) as url, Control(url) as control:
        keys = (await control.credentials())["hubspot"]
        settings = ConnectionSettings(
            name="crm", vendor="hubspot", url=f"{url}/hubspot", token=keys["token"], options={"burst": 100_000}
        )
        clock, drawer = SkippingClock(), Drawer()
        connector = connect(settings, AioTransport(), clock, SystemChance(), drawer)
        await connector.prepare(KINDS)
        bench = Bench("hubspot", control, settings, connector, clock)
        bench.drawer = drawer
        yield bench
        await connector.close()


def create(intent, kind, values, **more) -> Order:
    """An order to create something."""
    return Order(intent=intent, op=Op.CREATE, kind=kind, values=values, **({"marker": MARKER} | more))


def line(key, amount, quantity="1", price=None, **more) -> Line:
    """One line of a mirror."""
    amounts = {"amount": Decimal(amount), "quantity": Decimal(quantity), "unit_price": Decimal(price or amount)}
    return Line(key=key, **({"name": f"Line {key}"} | amounts | more))


def mirror(*lines, intent="i1", marker=MARKER, **values) -> Order:
    """An order to create the mirror of an invoice."""
    lines = lines or (line("a", "90", "3", "30", product="3002"), line("b", "10"))
    shown = {
        "customer": "1001",
        "number": "1047",
        "currency": "USD",
        "issue_date": date(2026, 11, 2),
        "due_date": date(2026, 12, 2),
        "status": "open",
        "total": Decimal(100),
    }
    return create(intent, Kind.INVOICE, shown | values, marker=marker, lines=tuple(lines), mirror=True)


def contact(number=1, intent=None, **values) -> Order:
    """An order to create a contact."""
    fields = {"email": f"new{number}@example.com", "first_name": f"New {number}"} | values
    return create(intent or f"p{number}", Kind.PARTY, fields, marker=f"syncd:{number:032x}")
