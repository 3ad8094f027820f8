"""Where a scenario plays: a house, with the handful of things that every scenario does, and how it judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from syncd.gauntlet.house import House, Mark, Pair, Row

REMOVALS = ("void", "delete", "archive")


class Broken(Exception):
    """The scenario does not hold; says what was found."""


class Skipped(Exception):
    """The configuration leaves out what the scenario is about; says why."""


def hold(fine: object, words: str) -> None:
    """Judge.

    Raises:
        Broken: it is not so.
    """
    if not fine:
        raise Broken(words)


@dataclass(slots=True)
class Stage:
    """One house, and how many names were drawn for what is made in it."""

    house: House
    _made: int = field(default=0)

    def fresh(self, word: str = "gauntlet") -> str:
        """A name, address part or text nothing else has."""
        self._made += 1
        return f"{word}{self._made:03}"

    async def once(self, wait: float = 600.0) -> Row:
        return await self.house.once(wait)

    async def contact(self, **fields: Any) -> str:
        """A new contact in HubSpot, with an address of its own unless another is given."""
        name = self.fresh()
        given = {"email": f"{name}@example.com", "firstname": "Gaunt", "lastname": name.capitalize()}
        return str((await self.house.crm("create", "contacts", **{**given, **fields}))["id"])

    async def customer(self, **fields: Any) -> Row:
        """A new customer in QuickBooks, the same way."""
        name = self.fresh()
        return await self.house.books(
            "create", "Customer", **{"name": name.capitalize(), "email": f"{name}@example.com", **fields}
        )

    async def sell(self, contact: str, *, quantity: str = "1", price: str = "40", **fields: Any) -> str:
        """A final invoice in HubSpot; its id."""
        lines = [{"name": "Work", "quantity": quantity, "price": price}]
        made = await self.house.crm("create", "invoices", contact=contact, lines=lines, finalize=True, **fields)
        return str(made["id"])

    async def bill(self, customer: str, *, qty: str = "1", price: str = "40", **fields: Any) -> str:
        """An invoice in QuickBooks; its id."""
        lines = [{"item": "Sod", "qty": qty, "price": price}]
        number = self.fresh("G-")  # the books would go on from the last number, which HubSpot takes next
        made = await self.house.books(
            "create", "Invoice", **{"number": number, **fields}, customer=customer, lines=lines
        )
        return str(made["Id"])

    async def sold(self, **fields: Any) -> Pair:
        """A HubSpot invoice for somebody new, booked."""
        id = await self.sell(await self.contact(), **fields)
        await self.once()
        return await self.synced(id)

    async def billed(self, **fields: Any) -> Pair:
        """A QuickBooks invoice for somebody new, with its mirror."""
        id = await self.bill((await self.customer())["Id"], **fields)
        await self.once()
        return await self.synced(id)

    async def synced(self, id: str, flow: str = "invoices") -> Pair:
        """A record with both its entities.

        Raises:
            Skipped: the configuration leaves it out.
            Broken: it is not in step.
        """
        pair = await self.house.both(id, flow)
        status, code = pair.state
        if status == "excluded":
            raise Skipped(f"the configuration leaves such {flow} out: {code}")
        hold(status == "synced", f"a record of {flow} is {status} ({code}): {pair.record['words']}")
        return pair

    async def failed(self, id: str, flow: str, code: str) -> Row:
        """A record that has to have failed so, with an explanation and a remedy."""
        row = await self.house.record(id, flow)
        if row["status"] == "excluded":
            raise Skipped(f"the configuration leaves such {flow} out: {row['code']}")
        hold((row["status"], row["code"]) == ("failed", code), f"expected {code}, found {row['status']} {row['code']}")
        hold(row["explanation"] and row["remedy"], f"{code} says nothing a person could act on")
        return row

    async def booked(self, **wanted: str) -> list[Row]:
        """QuickBooks' live invoices that hold these values."""
        rows = (await self.house.books_rows("Invoice")).values()
        live = [row for row in rows if row.get("status") != "Deleted"]
        return [row for row in live if all(str(row.get(name)) == value for name, value in wanted.items())]

    async def payments_of(self, invoice: str) -> list[Row]:
        """The live payments of a QuickBooks invoice."""
        rows = (await self.house.books_rows("Payment")).values()
        return [
            row
            for row in rows
            if row.get("status") != "Deleted"
            and any(link["TxnId"] == invoice for line in row.get("Line", []) for link in line.get("LinkedTxn", []))
        ]

    async def contacts_with(self, email: str) -> list[Row]:
        """HubSpot's live contacts with an address."""
        rows = (await self.house.crm_rows("contacts")).values()
        return [
            row
            for row in rows
            if (row["properties"].get("email") or "").casefold() == email.casefold() and not row.get("archived")
        ]

    async def removed(self, since: Mark) -> list[Row]:
        """What was voided, deleted or archived by a program."""
        written = await self.house.written(since)
        return [e for e in written if e["operation"] in REMOVALS or e["fields"].get("Active") is False]

    async def quiet(self, passes: int = 2) -> None:
        """Further passes find nothing to write."""
        mark = await self.house.mark()
        for _ in range(passes):
            await self.once()
        written = [(e["vendor"], e["operation"], e["kind"]) for e in await self.house.written(mark)]
        hold(not written, f"a pass without news wrote {written}")

    def together(self, vendor: str, op: str, kind: str, at: datetime, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Something people do to several records in the very same moment, as a bulk edit is."""
        for id, fields in rows.items():
            self.house.sandbox.vendors[vendor].person(op, kind, id, fields, at)

    def now(self) -> datetime:
        """The vendors' time."""
        return datetime.now(UTC) + self.house.sandbox.offset


def cents(amount: object) -> Decimal:
    """An amount in a vendor's JSON."""
    return Decimal(str(amount or 0))
