"""More that people do: several invoices paid at once, too much paid, money given back, and both sides at one moment."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from syncd.sandbox.base import Refusal
from tests.simulation.house import Row
from tests.simulation.people import BOOKS, CRM, NAMES, People

TOGETHER = 0.2  # of the steps: both sides are edited within a second


class Bookkeepers(People):
    """Everybody, with everything they can do."""

    def act(self) -> None:
        """One thing somebody does, or two people at once."""
        chance = self.draw.random()
        if chance < TOGETHER:
            self._try(self.draw.choice((self.both_edit_a_person, self.both_edit_an_invoice)))
        elif chance < TOGETHER + 0.15:
            self._try(self.draw.choice(self._trades()))
        else:
            super().act()

    def _trades(self) -> Sequence[Callable[[], str]]:
        return (
            self.pay_several_in_books,
            self.pay_several_in_books,
            self.pay_too_much_in_books,
            self.give_back_in_crm,
            self.give_back_in_books,
            self.move_invoice_in_crm,
            self.delete_invoice_in_crm,
            self.delete_invoice_in_books,
            self.restore_customer,
            self.merge_customers,
            self.rename_contact,
        )

    def _try(self, do: Callable[[], str]) -> None:
        try:
            told = do()
        except (Refusal, IndexError):
            self.refused += 1
            told = f"{do.__name__}: not possible"
        self.doings.append(f"{self.house.time.elapsed():9.1f} {told}")

    # --- two people at once ---

    def both_edit_a_person(self) -> str:
        """The same person's first name or telephone number, on both sides within a second."""
        mine = {row["properties"].get("email"): row for row in self._rows(CRM, "contacts")}
        both = [
            (mine[mail], row)
            for row in self._rows(BOOKS, "Customer")
            if (mail := row.get("PrimaryEmailAddr", {}).get("Address")) in mine
        ]
        contact, customer = self.draw.choice(both[-12:])
        names = self.draw.choice((("firstname", "first_name"), ("phone", "phone")))
        values = [self.draw.choice(NAMES) if names[0] == "firstname" else self._phone() for _ in range(2)]
        return self._both(
            lambda: self.house.person(CRM, "update", "contacts", contact["id"], **{names[0]: values[0]}),
            lambda: self.house.person(BOOKS, "update", "Customer", customer["Id"], **{names[1]: values[1]}),
            f"contact {contact['id']} and customer {customer['Id']}: {names[0]} = {values[0]} and {values[1]}",
        )

    def both_edit_an_invoice(self) -> str:
        """The same invoice's due date, on both sides within a second."""
        mine = {row["properties"].get("hs_number"): row for row in self._rows(CRM, "invoices")}
        both = [(mine[row["DocNumber"]], row) for row in self._rows(BOOKS, "Invoice") if row.get("DocNumber") in mine]
        left, right = self.draw.choice(both[-8:])
        days = [self._day(), self._day()]
        return self._both(
            lambda: self.house.person(CRM, "update", "invoices", left["id"], hs_due_date=days[0]),
            lambda: self.house.person(BOOKS, "update", "Invoice", right["Id"], due=days[1]),
            f"invoices {left['id']} and {right['Id']}: due {days[0]} and {days[1]}",
        )

    def _both(self, one: Callable[[], Any], other: Callable[[], Any], told: str) -> str:
        first, second = (one, other) if self.draw.random() < 0.5 else (other, one)
        first()
        self.house.run(self.draw.uniform(0.0, 0.9))
        second()
        return told

    # --- money ---

    def _open_invoices(self) -> list[Row]:
        """The newest open invoices of one customer."""
        found = [row for row in self._rows(BOOKS, "Invoice") if Decimal(str(row["Balance"])) > 0]
        customer = self.draw.choice(found[-8:])["CustomerRef"]["value"]
        return [row for row in found if row["CustomerRef"]["value"] == customer][-3:]

    def _pay(self, invoices: Sequence[Row], parts: Sequence[Decimal], more: str = "0") -> Row:
        lines = [
            {"Amount": part, "LinkedTxn": [{"TxnId": row["Id"], "TxnType": "Invoice"}]}
            for row, part in zip(invoices, parts, strict=True)
        ]
        customer, ref = invoices[0]["CustomerRef"]["value"], f"R{self._number()}"
        total = sum(parts, Decimal(more))
        return self.house.person(BOOKS, "create", "Payment", customer=customer, amount=total, Line=lines, ref=ref)

    def pay_several_in_books(self) -> str:
        """One payment for all of a customer's open invoices, some of them in part."""
        invoices = self._open_invoices()
        parts = [self.draw.choice((Decimal(str(row["Balance"])), Decimal("0.50"))) for row in invoices]
        made = self._pay(invoices, parts)
        return f"books payment {made['Id']} for {[row['Id'] for row in invoices]}: {[str(part) for part in parts]}"

    def pay_too_much_in_books(self) -> str:
        """More than the invoice is worth; the rest stays with the customer."""
        invoice = self._open_invoices()[-1]
        made = self._pay([invoice], [Decimal(str(invoice["Balance"]))], more="7.25")
        return f"books payment {made['Id']} for {invoice['Id']}, and 7.25 too much"

    def give_back_in_crm(self) -> str:
        """A part of a payment, or all of it, is given back."""
        row = self.draw.choice(self._rows(CRM, "commerce_payments")[-5:])
        whole = self.draw.random() < 0.5
        amount = row["properties"]["hs_initial_amount"] if whole else "0.50"
        status = "refunded" if whole else "partially_refunded"
        given = {"hs_refunds_amount": amount, "hs_latest_status": status}
        self.house.person(CRM, "update", "commerce_payments", row["id"], **given)
        return f"crm payment {row['id']}: {amount} given back"

    def give_back_in_books(self) -> str:
        """A credit memo that nobody has used yet."""
        customer, amount = self._customer(), self._amount()
        lines = [{"item": "PEST-CONTROL", "qty": "1", "price": amount}]
        made = self.house.person(BOOKS, "create", "CreditMemo", customer=customer["Id"], lines=lines)
        return f"books credit memo {made['Id']} for {customer['Id']}"

    # --- moves and ends ---

    def move_invoice_in_crm(self) -> str:
        """It was for somebody else."""
        row, contact = self._crm_invoice(), self._contact()
        self.house.person(CRM, "update", "invoices", row["id"], contact=contact["id"])
        return f"crm invoice {row['id']}: for {contact['id']} now"

    def delete_invoice_in_crm(self) -> str:
        row = self._crm_invoice()
        self.house.person(CRM, "delete", "invoices", row["id"])
        return f"crm invoice {row['id']}: deleted"

    def delete_invoice_in_books(self) -> str:
        row = self._books_invoice()
        self.house.person(BOOKS, "delete", "Invoice", row["Id"])
        return f"books invoice {row['Id']}: deleted"

    def restore_customer(self) -> str:
        gone = [row for row in self.house.world.vendors[BOOKS].records("Customer") if not row.get("Active", True)]
        row = self.draw.choice(gone)
        self.house.person(BOOKS, "restore", "Customer", row["Id"])
        return f"customer {row['Id']}: active again"

    def merge_customers(self) -> str:
        one, other = self._customer(), self._customer()
        if one["Id"] == other["Id"]:
            raise IndexError
        self.house.person(BOOKS, "merge", "Customer", one["Id"], other=other["Id"])
        return f"customer {other['Id']} merged into {one['Id']}"

    def rename_contact(self) -> str:
        """Another e-mail address: what it was found by is not what it is."""
        row, email = self._contact(), f"new{self._number()}.{self.house.seed}@crm.example"
        self.house.person(CRM, "update", "contacts", row["id"], email=email)
        return f"contact {row['id']}: {email}"
