"""Many people at work on both sides for a while, and what has to be found on both sides once all is carried over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.acceptance.world import Row, World

CRM, BOOKS = "crm", "books"
FIRST_DAY = date(2027, 1, 1)


@dataclass
class Bustle:
    """What was done so far; each doing is a sale to somebody new, or an edit of what an earlier one made.

    Attributes:
        phones: the last word on each customer, by e-mail address. dues: on each invoice, by number.
        made: how much was done. sold: how many sales were made.
    """

    w: World
    phones: dict[str, str] = field(default_factory=dict)
    dues: dict[str, str] = field(default_factory=dict)
    made: int = 0
    sold: int = 0

    async def go(self, n: int) -> None:
        """So many doings: half of them sales, the others edits, each on either side by turns."""
        people, bills = await self._people(), await self._bills()
        emails, numbers = sorted(people), sorted(bills)
        for _ in range(n):
            self.made += 1
            which, side = self.made % 4, (CRM, BOOKS)[self.made // 4 % 2]
            # A customer, or an invoice, is edited on one side only before all is carried over.
            if which == 2 and (mine := emails[side == BOOKS :: 2]):
                email = mine[self.made // 8 % len(mine)]
                await self._ring_up(side, people[email][side], email)
            elif which == 3 and (mine := numbers[side == BOOKS :: 2]):
                number = mine[self.made // 8 % len(mine)]
                await self._put_off(side, bills[number][side], number)
            else:
                await self._sell(side)

    async def missing(self) -> list[str]:
        """What is not on both sides as it was said last."""
        people, bills, found = await self._people(), await self._bills(), []
        crm, books = await self.w.crm_rows("contacts"), await self.w.books_rows("Customer")
        for email, phone in self.phones.items():
            ids = people.get(email, {})
            there = _phones(crm.get(ids.get(CRM, "")), books.get(ids.get(BOOKS, "")))
            found += [f"{email}: {phone} is {there}"] if there != (phone, phone) else []
        crm, books = await self.w.crm_rows("invoices"), await self.w.books_rows("Invoice")
        for number, due in self.dues.items():
            ids = bills.get(number, {})
            there = _dues(crm.get(ids.get(CRM, "")), books.get(ids.get(BOOKS, "")))
            found += [f"{number}: {due} is {there}"] if there != (due, due) else []
        return found

    async def edit_here_and_there(self, n: int) -> dict[tuple[str, str], str]:
        """So many customers get another phone number, each on one side; which side's customer got which."""
        people = await self._people()
        edits = {}
        for number, email in enumerate(sorted(people)[:n]):
            side = (CRM, BOOKS)[number % 2]
            self.made += 1
            await self._ring_up(side, people[email][side], email)
            edits[side, people[email][side]] = self.phones[email]
        return edits

    async def overwritten(self, edits: Mapping[tuple[str, str], str]) -> list[str]:
        """Those of these edits that are not in force where they were made."""
        rows = {CRM: await self.w.crm_rows("contacts"), BOOKS: await self.w.books_rows("Customer")}
        now = {
            (side, id): _phones(rows[CRM].get(id) if side == CRM else None, rows[BOOKS].get(id))[side == BOOKS]
            for side, id in edits
        }
        return [
            f"{side} {id}: {phone} is {now[side, id]}" for (side, id), phone in edits.items() if now[side, id] != phone
        ]

    async def _sell(self, side: str) -> None:
        self.sold += 1
        n, email, due = self.sold, f"buyer{self.sold}@bustle.example", self._day()
        self.phones[email] = f"100 {n:05}"
        if side == CRM:
            name = {"firstname": "Buyer", "lastname": f"Number {n}", "phone": self.phones[email]}
            contact = (await self.w.crm("create", "contacts", email=email, **name))["id"]
            lines = [{"product": "3001", "quantity": str(n % 9 + 1), "price": "40"}]
            sold = {"hs_currency": "USD", "hs_invoice_date": "2026-11-02", "hs_due_date": due, "finalize": True}
            made = await self.w.crm("create", "invoices", contact=contact, lines=lines, **sold)
            self.dues[made["properties"]["hs_number"]] = due
            if n % 5 == 0:
                await self.w.crm("pay", "invoices", made["id"], amount="10", reference=f"P-{n}")
            return
        customer = await self.w.books("create", "Customer", name=f"Buyer Number {n}", email=email)
        await self.w.books("update", "Customer", customer["Id"], phone=self.phones[email])
        lines = [{"item": "PEST-CONTROL", "qty": str(n % 9 + 1), "price": "40"}]
        made = await self.w.books(
            "create", "Invoice", customer=customer["Id"], lines=lines, number=f"B-{n}", due=due, date="2026-11-02"
        )
        self.dues[f"B-{n}"] = due
        if n % 5 == 0:
            await self.w.books("pay", "Invoice", made["Id"], amount="10", ref=f"P-{n}")

    async def _ring_up(self, side: str, id: str, email: str) -> None:
        phone = self.phones[email] = f"200 {self.made:05}"
        if side == CRM:
            await self.w.crm("update", "contacts", id, phone=phone)
        else:
            await self.w.books("update", "Customer", id, phone=phone)

    async def _put_off(self, side: str, id: str, number: str) -> None:
        due = self.dues[number] = self._day()
        if side == CRM:
            await self.w.crm("update", "invoices", id, hs_due_date=due)
        else:
            await self.w.books("update", "Invoice", id, due=due)

    def _day(self) -> str:
        return (FIRST_DAY + timedelta(days=self.made % 700)).isoformat()

    async def _people(self) -> dict[str, dict[str, str]]:
        """Our customers that are on both sides, by e-mail address."""
        crm = {row["properties"].get("email"): id for id, row in (await self.w.crm_rows("contacts")).items()}
        mailed = (await self.w.books_rows("Customer")).items()
        books = {row.get("PrimaryEmailAddr", {}).get("Address"): id for id, row in mailed}
        return {one: {CRM: crm[one], BOOKS: books[one]} for one in self.phones if one in crm and one in books}

    async def _bills(self) -> dict[str, dict[str, str]]:
        """Our invoices that are on both sides, by number."""
        crm = {row["properties"].get("hs_number"): id for id, row in (await self.w.crm_rows("invoices")).items()}
        books = {row.get("DocNumber"): id for id, row in (await self.w.books_rows("Invoice")).items()}
        return {one: {CRM: crm[one], BOOKS: books[one]} for one in self.dues if one in crm and one in books}


def _phones(crm: Row | None, books: Row | None) -> tuple[str | None, str | None]:
    phone: Mapping[str, str] = (books or {}).get("PrimaryPhone", {})
    return (crm or {}).get("properties", {}).get("phone"), phone.get("FreeFormNumber")


def _dues(crm: Row | None, books: Row | None) -> tuple[str | None, str | None]:
    due = (crm or {}).get("properties", {}).get("hs_due_date")
    return due and due.removesuffix("T00:00:00Z"), (books or {}).get("DueDate")
