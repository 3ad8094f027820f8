"""The graph of payments and invoices on one side: what pays what, what is left over, and where an invoice stands.

Money is conserved: what a payment gives to invoices and what is left of it are its amount and the credits that were
applied along with it; an invoice's total is what payments gave it, other credit, and its balance. Other credit (credit
memos, deposits, credits a vendor applies by itself) is shown as such and never turned into a payment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from syncd.model.nouns import Allocation, Invoice, InvoiceStatus, Payment, PaymentStatus
from syncd.model.quick import replace

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Share:
    """What of one payment settles one invoice: its own money, and credit that was applied along with it."""

    invoice: str
    money: Decimal
    credit: Decimal


def shares(payment: Payment) -> tuple[Share, ...]:
    """The parts of a payment that says how it is split; a payment for one invoice says it by its amount.

    Credits are used up first, in the order of the invoices.
    """
    left, made = payment.credit, []
    for allocation in payment.allocations:
        given = received(payment) if allocation.amount is None else allocation.amount
        credit = min(left, given)
        left -= credit
        made.append(Share(allocation.invoice, given - credit, credit))
    return tuple(made)


def received(payment: Payment) -> Decimal:
    """The money that is here: nothing before it has arrived, less what was given back."""
    return payment.amount - payment.refunded if payment.status is PaymentStatus.SUCCEEDED else ZERO


def rest(payment: Payment) -> Decimal:
    """What of a payment and its credits settles no invoice."""
    return received(payment) + payment.credit - sum((part.money + part.credit for part in shares(payment)), ZERO)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an invoice stands: `total == paid + credit + balance`. `paid_on`: the day of the last payment."""

    total: Decimal
    paid: Decimal
    credit: Decimal
    balance: Decimal
    paid_on: date | None

    @property
    def status(self) -> InvoiceStatus:
        """Derived, hence it may go back: a payment that was taken away opens the invoice again."""
        if self.balance <= 0:
            return InvoiceStatus.PAID
        return InvoiceStatus.OPEN if self.balance == self.total else InvoiceStatus.PARTIALLY_PAID


def standing(invoice: Invoice, id: str, payments: Iterable[Payment]) -> Standing:
    """From the vendor's own balance and the payments that are known: what they do not explain is other credit."""
    money, days = ZERO, []
    for payment in payments:
        if payment.status is not PaymentStatus.SUCCEEDED:
            continue
        part = sum((share.money for share in shares(payment) if share.invoice == id), ZERO)
        money += part
        if part and payment.date is not None:
            days.append(payment.date)
    return Standing(
        total=invoice.total,
        paid=money,
        credit=invoice.total - invoice.balance - money,
        balance=invoice.balance,
        paid_on=max(days, default=None),
    )


def filled(payments: Mapping[str, Payment], totals: Mapping[str, Decimal]) -> dict[str, Payment]:
    """Payments that do not say how they are split, with amounts: the oldest first, each its invoices as named.

    What an invoice has no room for stays with the payment. The order of arrival plays no part.

    Args:
        payments: all that share an invoice, directly or not, by id. totals: of their invoices.
    """
    room, made = dict(totals), {}
    for id in sorted(payments, key=lambda id: _age(id, payments[id])):
        left, given = received(payments[id]), []
        for allocation in payments[id].allocations:
            part = max(ZERO, min(left, room.get(allocation.invoice, ZERO)))
            left -= part
            room[allocation.invoice] = room.get(allocation.invoice, ZERO) - part
            given.append(Allocation(invoice=allocation.invoice, amount=part))
        made[id] = replace(payments[id], allocations=tuple(given))
    return made


def _age(id: str, payment: Payment) -> tuple[date, int, str]:
    # Ids count up at vendors: of one day the longer id is the younger one.
    return payment.date or date.min, len(id), id


def settles_whole(payment: Payment) -> bool:
    """Whether a side that cannot say how a payment is split can hold this one: all of it, for one invoice at most."""
    parts: Sequence[Share] = shares(payment)
    if not parts:
        return True
    return len(parts) == 1 and parts[0].credit == 0 and parts[0].money == payment.amount
