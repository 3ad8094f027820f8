"""People on both sides' screens: what they do next is drawn from the story's luck, under the vendors' own rules."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from syncd.sandbox.base import Refusal
from tests.simulation.house import House, Row

CRM, BOOKS = "hubspot", "quickbooks"
CITIES = ("Lyon", "Springfield", "Osaka", "Tunis", "Oslo")
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana")
SKUS = ("PEST-CONTROL", "DESIGN", "HOURS")


@dataclass(repr=False, eq=False)
class People:
    """Whoever works for the company. `doings` tells what they did, `refused` how often a vendor would not let them.

    Attributes:
        rarely: probability of what ends a record's life: voids, deletes, merges.
    """

    house: House
    draw: random.Random
    rarely: float = 0.15
    doings: list[str] = field(default_factory=list)
    refused: int = 0
    made: int = 0

    def act(self) -> None:
        """One thing somebody does."""
        everyday: Sequence[Callable[[], str]] = (
            self.new_contact,
            self.edit_contact,
            self.edit_contact,
            self.edit_customer,
            self.edit_customer,
            self.new_customer,
            self.sell_in_crm,
            self.sell_in_crm,
            self.sell_in_books,
            self.sell_in_books,
            self.new_due_date_in_crm,
            self.new_due_date_in_books,
            self.new_lines_in_crm,
            self.new_lines_in_books,
            self.pay_in_crm,
            self.pay_in_books,
            self.edit_item,
            self.finalize,
            self.save_without_change,
        )
        seldom: Sequence[Callable[[], str]] = (
            self.void_in_crm,
            self.void_in_books,
            self.remove_payment_in_crm,
            self.remove_payment_in_books,
            self.archive_contact,
            self.restore_contact,
            self.merge_contacts,
            self.archive_customer,
        )
        do = self.draw.choice(seldom if self.draw.random() < self.rarely else everyday)
        try:
            told = do()
        except (Refusal, IndexError):
            self.refused += 1
            told = f"{do.__name__}: not possible"
        self.doings.append(f"{self.house.time.elapsed():9.1f} {told}")

    # --- what there is ---

    def _rows(self, vendor: str, kind: str) -> list[Row]:
        rows = self.house.world.vendors[vendor].records(kind)
        if vendor == CRM:
            return [row for row in rows if not row["archived"]]
        return [row for row in rows if row.get("status") != "Deleted" and row.get("Active", True)]

    def _contact(self) -> Row:
        return self.draw.choice([row for row in self._rows(CRM, "contacts") if row["properties"].get("email")][-12:])

    def _customer(self) -> Row:
        mailed = [row for row in self._rows(BOOKS, "Customer") if row.get("PrimaryEmailAddr") and not row.get("Job")]
        return self.draw.choice(mailed[-12:])

    def _crm_invoice(self) -> Row:
        return self.draw.choice(self._rows(CRM, "invoices")[-8:])

    def _books_invoice(self) -> Row:
        return self.draw.choice(self._rows(BOOKS, "Invoice")[-8:])

    def _day(self) -> str:
        return (self.house.time.true() + timedelta(days=self.draw.randint(5, 90))).date().isoformat()

    def _number(self) -> int:
        self.made += 1
        return self.made

    def _amount(self) -> str:
        return f"{self.draw.randint(1, 500)}.{self.draw.choice(('00', '10', '99', '05'))}"

    # --- customers and products ---

    def new_contact(self) -> str:
        name = f"{self.draw.choice(NAMES)} {self.house.seed}x{self._number()}"
        first, last = name.split()
        email = f"{first}.{last}@crm.example".lower()
        self.house.person(CRM, "create", "contacts", email=email, firstname=first, lastname=last)
        return f"contact {email}"

    def edit_contact(self) -> str:
        row, name = self._contact(), self.draw.choice(("city", "firstname", "phone"))
        value = {"city": self.draw.choice(CITIES), "firstname": self.draw.choice(NAMES)}.get(name, self._phone())
        self.house.person(CRM, "update", "contacts", row["id"], **{name: value})
        return f"contact {row['id']}: {name} = {value}"

    def _phone(self) -> str:
        return f"+1 555 {self.draw.randint(1000000, 9999999)}"

    def new_customer(self) -> str:
        name = f"{self.draw.choice(NAMES)} {self.house.seed}y{self._number()}"
        first, last = name.split()
        email = f"{first}.{last}@books.example".lower()
        self.house.person(BOOKS, "create", "Customer", name=name, first_name=first, last_name=last, email=email)
        return f"customer {email}"

    def edit_customer(self) -> str:
        row, name = self._customer(), self.draw.choice(("first_name", "phone"))
        value = self.draw.choice(NAMES) if name == "first_name" else self._phone()
        self.house.person(BOOKS, "update", "Customer", row["Id"], **{name: value})
        return f"customer {row['Id']}: {name} = {value}"

    def edit_item(self) -> str:
        row = self.draw.choice([row for row in self._rows(BOOKS, "Item") if row.get("Sku")])
        price = self._amount()
        self.house.person(BOOKS, "update", "Item", row["Id"], price=price)
        return f"item {row['Id']}: price = {price}"

    def save_without_change(self) -> str:
        row = self._contact()
        self.house.person(CRM, "update", "contacts", row["id"])
        return f"contact {row['id']}: saved"

    # --- invoices ---

    def _crm_lines(self) -> list[Row]:
        return [
            {
                "name": f"Service {self.draw.randint(1, 9)}",
                "quantity": str(self.draw.randint(1, 4)),
                "price": self._amount(),
            }
            for _ in range(self.draw.randint(1, 3))
        ]

    def sell_in_crm(self) -> str:
        contact, finalize = self._contact(), self.draw.random() < 0.8
        made = self.house.person(
            CRM,
            "create",
            "invoices",
            contact=contact["id"],
            lines=self._crm_lines(),
            hs_currency="USD",
            hs_due_date=self._day(),
            finalize=finalize,
        )
        return f"crm invoice {made['id']} for {contact['id']}{'' if finalize else ', a draft'}"

    def finalize(self) -> str:
        row = self.draw.choice(
            [r for r in self._rows(CRM, "invoices") if r["properties"]["hs_invoice_status"] == "draft"]
        )
        self.house.person(CRM, "finalize", "invoices", row["id"])
        return f"crm invoice {row['id']}: finalized"

    def sell_in_books(self) -> str:
        customer = self._customer()
        lines = [
            {"item": self.draw.choice(SKUS), "qty": str(self.draw.randint(1, 4)), "price": self._amount()}
            for _ in range(self.draw.randint(1, 3))
        ]
        number = f"S{self.house.seed}-{self._number()}"
        made = self.house.person(
            BOOKS, "create", "Invoice", customer=customer["Id"], lines=lines, number=number, due=self._day()
        )
        return f"books invoice {made['Id']} ({number}) for {customer['Id']}"

    def new_due_date_in_crm(self) -> str:
        row, day = self._crm_invoice(), self._day()
        self.house.person(CRM, "update", "invoices", row["id"], hs_due_date=day)
        return f"crm invoice {row['id']}: due {day}"

    def new_due_date_in_books(self) -> str:
        row, day = self._books_invoice(), self._day()
        self.house.person(BOOKS, "update", "Invoice", row["Id"], due=day)
        return f"books invoice {row['Id']}: due {day}"

    def new_lines_in_crm(self) -> str:
        row = self._crm_invoice()
        self.house.person(CRM, "update", "invoices", row["id"], lines=self._crm_lines())
        return f"crm invoice {row['id']}: other lines"

    def new_lines_in_books(self) -> str:
        row = self._books_invoice()
        lines = [{"item": self.draw.choice(SKUS), "qty": "1", "price": self._amount()}]
        self.house.person(BOOKS, "update", "Invoice", row["Id"], lines=lines)
        return f"books invoice {row['Id']}: other lines"

    def void_in_crm(self) -> str:
        row = self._crm_invoice()
        self.house.person(CRM, "void", "invoices", row["id"])
        return f"crm invoice {row['id']}: void"

    def void_in_books(self) -> str:
        row = self._books_invoice()
        self.house.person(BOOKS, "void", "Invoice", row["Id"])
        return f"books invoice {row['Id']}: void"

    # --- payments ---

    def pay_in_crm(self) -> str:
        row = self._crm_invoice()
        amount = self.draw.choice((None, "1.00", "2.50"))
        given = {} if amount is None else {"amount": amount}
        self.house.person(CRM, "pay", "invoices", row["id"], reference=f"R{self._number()}", **given)
        return f"crm invoice {row['id']}: paid {amount or 'all'}"

    def pay_in_books(self) -> str:
        row = self._books_invoice()
        amount = self.draw.choice((None, "1.00", "2.50"))
        given = {} if amount is None else {"amount": amount}
        self.house.person(BOOKS, "pay", "Invoice", row["Id"], ref=f"R{self._number()}", **given)
        return f"books invoice {row['Id']}: paid {amount or 'all'}"

    def remove_payment_in_crm(self) -> str:
        row = self.draw.choice(self._rows(CRM, "commerce_payments")[-5:])
        self.house.person(CRM, "delete", "commerce_payments", row["id"])
        return f"crm payment {row['id']}: deleted"

    def remove_payment_in_books(self) -> str:
        row, op = self.draw.choice(self._rows(BOOKS, "Payment")[-5:]), self.draw.choice(("void", "delete"))
        self.house.person(BOOKS, op, "Payment", row["Id"])
        return f"books payment {row['Id']}: {op}"

    # --- ends ---

    def archive_contact(self) -> str:
        row = self._contact()
        self.house.person(CRM, "archive", "contacts", row["id"])
        return f"contact {row['id']}: archived"

    def restore_contact(self) -> str:
        gone = [row for row in self.house.world.vendors[CRM].records("contacts") if row["archived"]]
        row = self.draw.choice(gone)
        self.house.person(CRM, "restore", "contacts", row["id"])
        return f"contact {row['id']}: restored"

    def merge_contacts(self) -> str:
        one, other = self._contact(), self._contact()
        if one["id"] == other["id"]:
            raise IndexError
        self.house.person(CRM, "merge", "contacts", one["id"], other=other["id"])
        return f"contact {other['id']} merged into {one['id']}"

    def archive_customer(self) -> str:
        row = self._customer()
        self.house.person(BOOKS, "archive", "Customer", row["Id"])
        return f"customer {row['Id']}: inactive"
