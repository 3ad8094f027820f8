"""The money proof: what a document amounts to on both sides, and why where it does not amount to the same.

Pure: two snapshots read afresh, the record, and the payments of both sides in; equal, or a difference with its cause,
out. A difference that nothing explains is the point of the whole thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from sys import intern

from syncd.model.money import minor_unit
from syncd.model.nouns import Invoice, Payment, PaymentStatus
from syncd.model.record import Record, Status
from syncd.model.references import Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.values import decimal_text, digest

AMOUNTS = ("subtotal", "tax", "total", "balance", "paid")


class Cause(StrEnum):
    """Why the two sides differ."""

    ACCEPTED = "accepted"  # a person has said that it may
    PENDING_EDIT = "pending_edit"  # changed at the vendor, or by us, and not carried over yet
    MISSING_DOCUMENT = "missing_document"  # one side does not have it
    WAITS_FOR_PERSON = "waits_for_person"  # the record has failed: its category says why
    CURRENCY = "currency"
    TAX_MODEL = "tax_model"  # one side has the tax apart, or not at all
    ROUNDING = "rounding"  # at most one minor unit a line
    MISSING_PAYMENT = "missing_payment"  # a payment that only one side has
    OTHER_CREDIT = "other_credit"  # a credit, deposit or write-off applied by one side itself
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """One side of a document. `paid` is what payments bring, without credits."""

    currency: str
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    balance: Decimal
    paid: Decimal
    lines: int
    customer: str | None
    day: date | None

    def plain(self) -> dict[str, str]:
        return {"currency": self.currency} | {name: decimal_text(getattr(self, name)) for name in AMOUNTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One side as it was just read, and whether that is what we knew.

    Attributes:
        payments: those that pay it, read just now. news: its version is another than the one we last looked at.
    """

    snapshot: Snapshot | None
    payments: tuple[Payment, ...] = ()
    news: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A document that does not amount to the same on both sides.

    Attributes:
        fields: those that differ. words: the detail behind the cause. digest: of the record and both sides' amounts;
            what a person accepts is this difference and no later one.
    """

    record: str
    label: str
    cause: Cause
    words: str
    fields: tuple[str, ...]
    left: Amounts | None
    right: Amounts | None
    digest: str

    @property
    def explained(self) -> bool:
        return self.cause is not Cause.UNEXPLAINED


def document(snapshot: Snapshot | None) -> Invoice | None:
    """What a side has of a document; None where there is none (any more)."""
    if snapshot is None or snapshot.presence is not Presence.PRESENT or not isinstance(snapshot.noun, Invoice):
        return None
    return snapshot.noun


def amounts(seen: Seen, id: str) -> Amounts | None:
    """What a side's document amounts to; None where there is none. `id`: the document's, on this side."""
    invoice = document(seen.snapshot)
    if invoice is None:
        return None
    return Amounts(
        currency=invoice.currency.upper(),
        subtotal=invoice.total - invoice.tax_total,
        tax=invoice.tax_total,
        total=invoice.total,
        balance=invoice.balance,
        paid=sum((_share(payment, id) for payment in seen.payments), Decimal(0)),
        lines=len(invoice.lines),
        customer=invoice.customer,
        day=invoice.issue_date,
    )


def _share(payment: Payment, invoice: str) -> Decimal:
    """How much of a payment pays this invoice; all of it where nothing is said and it pays nothing else."""
    if payment.status is not PaymentStatus.SUCCEEDED:
        return Decimal(0)
    mine = [a.amount for a in payment.allocations if a.invoice == invoice]
    if mine == [None] and len(payment.allocations) == 1:
        return payment.amount
    return sum((amount for amount in mine if amount is not None), Decimal(0))


def alike(left: Invoice | None, right: Invoice | None) -> bool:
    """Whether nothing has to be explained: most documents need no further look."""
    if left is None or right is None:
        return left is right
    return (
        left.total == right.total
        and left.balance == right.balance
        and left.tax_total == right.tax_total
        and left.currency.upper() == right.currency.upper()
    )


def compared(record: Record, left: Seen, right: Seen, *, accepted: bool = False) -> Difference | None:
    """The difference between the two sides of a linked document; None when they amount to the same.

    `accepted`: a person has accepted exactly what is shown here, not only something once.
    """
    here, there = amounts(left, record.left or ""), amounts(right, record.right or "")
    if here is None and there is None:
        return None
    if here is None or there is None:
        missing = Side.LEFT if here is None else Side.RIGHT
        return _difference(record, here, there, ("document",), *_absent(record, missing, left.news or right.news))
    names = tuple(name for name in ("currency", *AMOUNTS[:-1]) if getattr(here, name) != getattr(there, name))
    if not names:
        return None
    if accepted:
        return _difference(record, here, there, names, Cause.ACCEPTED, "")
    return _difference(record, here, there, names, *_cause(record, here, there, names, news=left.news or right.news))


def _absent(record: Record, missing: Side, news: bool) -> tuple[Cause, str]:
    if record.status is not Status.FAILED and (record.status is Status.PENDING or news):
        return Cause.PENDING_EDIT, record.code or f"changed on the {missing}"
    return Cause.MISSING_DOCUMENT, record.code or ", ".join(record.notes) or f"not on the {missing}"


def _cause(record: Record, left: Amounts, right: Amounts, names: tuple[str, ...], *, news: bool) -> tuple[Cause, str]:
    if record.status is Status.FAILED:
        return Cause.WAITS_FOR_PERSON, record.code
    if record.status is Status.PENDING or news:
        return Cause.PENDING_EDIT, record.code or "changed since we last looked"
    if "currency" in names:
        return Cause.CURRENCY, f"{left.currency} and {right.currency}"
    if left.total != right.total:
        return _other_total(left, right)
    if left.balance != right.balance:
        return _other_balance(left, right)
    return Cause.TAX_MODEL, "the total is the same, the tax in it is not"


def _other_total(left: Amounts, right: Amounts) -> tuple[Cause, str]:
    off = left.total - right.total
    if off == left.tax - right.tax:
        return Cause.TAX_MODEL, f"the tax differs by {decimal_text(off)}"
    lines = max(left.lines, right.lines, 1)
    if abs(off) <= lines * minor_unit(left.currency):
        return Cause.ROUNDING, f"{decimal_text(off)} on {lines} lines"
    return Cause.UNEXPLAINED, f"the total differs by {decimal_text(off)}"


def _other_balance(left: Amounts, right: Amounts) -> tuple[Cause, str]:
    off = left.balance - right.balance
    if off == right.paid - left.paid:
        return Cause.MISSING_PAYMENT, f"{decimal_text(abs(off))} is paid on one side only"
    # What lowers a balance and is no payment: the vendor's own credits, deposits and write-offs.
    credit = {side: one.total - one.balance - one.paid for side, one in ((Side.LEFT, left), (Side.RIGHT, right))}
    applied = [side for side, amount in credit.items() if amount > 0]
    if applied and credit[Side.RIGHT] - credit[Side.LEFT] + right.paid - left.paid == off and len(applied) == 1:
        return Cause.OTHER_CREDIT, f"{decimal_text(credit[applied[0]])} was applied on the {applied[0]}"
    return Cause.UNEXPLAINED, f"the balance differs by {decimal_text(off)}"


def _difference(
    record: Record,
    left: Amounts | None,
    right: Amounts | None,
    fields: tuple[str, ...],
    cause: Cause,
    words: str,
) -> Difference:
    sides = {side: None if one is None else one.plain() for side, one in ((Side.LEFT, left), (Side.RIGHT, right))}
    return Difference(
        record=record.id,
        label=record.label,
        cause=cause,
        words=words,
        fields=fields,
        left=left,
        right=right,
        digest=digest({"record": record.id, "left": sides[Side.LEFT], "right": sides[Side.RIGHT]}),
    )


Month = tuple[str, str, str]
"""Customer, month and currency."""


@dataclass(slots=True)
class Sums:
    """How many documents, and what they come to."""

    documents: int = 0
    total: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)

    def add(self, total: Decimal, balance: Decimal) -> None:
        self.documents += 1
        self.total += total
        self.balance += balance

    def and_(self, other: Sums) -> Sums:
        return Sums(self.documents + other.documents, self.total + other.total, self.balance + other.balance)


@dataclass(slots=True)
class Control:
    """Sums of one customer's documents of one month.

    Attributes:
        alike: of documents that amount to the same on both sides. apart: of all others, by side; as a rule there are
            none. differences, unexplained: how many of those were found to differ, and without a cause.
    """

    alike: Sums = field(default_factory=Sums)
    apart: dict[Side, Sums] | None = None
    differences: int = 0
    unexplained: int = 0

    def of(self, side: Side) -> Sums:
        return self.alike if self.apart is None else self.alike.and_(self.apart[side])

    def put(self, side: Side, one: Amounts) -> None:
        """A document of one side that amounts to something else on the other."""
        if self.apart is None:
            self.apart = {each: Sums() for each in Side}
        self.apart[side].add(one.total, one.balance)

    @property
    def equal(self) -> bool:
        return self.apart is None or self.apart[Side.LEFT] == self.apart[Side.RIGHT]


class Controls:
    """Control totals per customer and month; they grow with customers and months, not with documents."""

    def __init__(self) -> None:
        self._of: dict[Month, Control] = {}

    def agree(self, customer: str, invoice: Invoice) -> None:
        """Count one document that amounts to the same on both sides."""
        month = (customer, _month(invoice.issue_date), intern(invoice.currency.upper()))
        control = self._of.get(month)
        if control is None:
            control = self._of[month] = Control()
        control.alike.add(invoice.total, invoice.balance)

    def add(
        self, customer: str, day: date | None, sides: Mapping[Side, Amounts | None], difference: Difference | None
    ) -> None:
        """Count any other. `customer` and `day` say on both sides where it belongs."""
        touched = set[Month]()
        for side, one in sides.items():
            if one is None:
                continue
            key = (customer, _month(day), intern(one.currency))
            self._of.setdefault(key, Control()).put(side, one)
            touched.add(key)
        if difference is not None:
            for key in touched:
                self._of[key].differences += 1
                self._of[key].unexplained += not difference.explained

    def differing(self) -> Iterable[tuple[Month, Control, bool]]:
        """The totals that differ, in order, and whether the documents' own differences explain that."""
        for month, control in sorted(self._of.items()):
            if not control.equal:
                yield month, control, control.differences > 0 and control.unexplained == 0

    def __len__(self) -> int:
        return len(self._of)


def _month(day: date | None) -> str:
    return intern(f"{day.year:04}-{day.month:02}") if day else ""
