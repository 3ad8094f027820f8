"""A vendor in memory: it keeps what it is told, with its own habits, and computes what vendors compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from itertools import count
from typing import Any

from syncd.core.decision import Command
from syncd.model.money import rounded
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Invoice,
    InvoiceStatus,
    Line,
    Noun,
    Party,
    Payment,
    PaymentStatus,
    Product,
)
from syncd.model.record import Op
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from tests.unit.core.builders import LEFT, NOW, RIGHT, summed

NOUNS: dict[Kind, type[Noun]] = {
    Kind.PARTY: Party,
    Kind.PRODUCT: Product,
    Kind.INVOICE: Invoice,
    Kind.PAYMENT: Payment,
}
Rule = Callable[[Any], Any]


@dataclass(slots=True)
class Vendor:
    """One side's entities, kept as the vendor would.

    Attributes:
        strong: lines keep their ids; else they are numbered anew at each write.
        rules: what it does to values it is sent, by kind and field of the noun.
        defaults: what it fills in by itself when something is created without it.
        customs: its custom fields by kind: shown on every entity, empty or not.
        denies: a category with which it refuses every write, None while it takes them.
    """

    side: Side
    strong: bool
    entities: dict[tuple[Kind, str], Snapshot] = field(default_factory=dict)
    rules: Mapping[Kind, Mapping[str, Rule]] = field(default_factory=dict)
    defaults: Mapping[Kind, Mapping[str, Any]] = field(default_factory=dict)
    customs: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    denies: str | None = None
    writes: int = 0
    _ids: Any = field(default_factory=lambda: count(1))

    def add(self, noun: Noun, **more: Any) -> str:
        """A person makes something here; returns its id."""
        kind = next(kind for kind, made in NOUNS.items() if isinstance(noun, made))
        id = f"{self.side[0]}{next(self._ids)}"
        if kind is Kind.INVOICE and self.side is LEFT:
            more = {"native": True, "source": "hubspot"} | more
        self._put(kind, id, noun, **{"created": NOW} | more)
        return id

    def noun(self, kind: Kind, id: str) -> Any:
        """What an entity shows."""
        return self.entities[kind, id].noun

    def all(self, kind: Kind) -> dict[str, Any]:
        """Everything of a kind that is there, by id."""
        return {id: s.noun for (k, id), s in self.entities.items() if k is kind and s.presence is Presence.PRESENT}

    def only(self, kind: Kind) -> Any:
        """The one entity of a kind."""
        (noun,) = self.all(kind).values()
        return noun

    def edit(self, kind: Kind, id: str, **changes: Any) -> None:
        """A person changes something here."""
        noun = replace(self.noun(kind, id), **changes)
        if isinstance(noun, Invoice) and changes.keys() & {"lines", "adjustments"} and "total" not in changes:
            total = summed(noun.lines, noun.adjustments, noun.currency)
            noun = replace(noun, total=total, balance=total - noun.amount_paid)
        self._put(kind, id, noun)

    def mark(self, kind: Kind, id: str, presence: Presence, **more: Any) -> None:
        """Something is archived, deleted, merged away or restored."""
        self.entities[kind, id] = replace(self.entities[kind, id], presence=presence, **more)
        for paid in self.all(Kind.INVOICE):
            self._recount(paid)

    def void(self, id: str) -> None:
        """A person, or we, void an invoice."""
        was = self.noun(Kind.INVOICE, id)
        nothing = {"total": Decimal(0), "balance": Decimal(0)} if self.side is RIGHT else {}
        self._put(Kind.INVOICE, id, replace(was, status=InvoiceStatus.VOIDED, **nothing))

    def apply(self, command: Command, marker: str) -> str:
        """Carry out one write exactly as it is told; returns the entity's id."""
        self.writes += 1
        if command.op is Op.CREATE:
            id = f"{self.side[0]}{next(self._ids)}"
            default = self.defaults.get(command.kind, {})
            empty: dict[str, Any] = {
                Kind.INVOICE: {"status": InvoiceStatus.OPEN, "currency": "USD", "total": Decimal(0)},
                Kind.PAYMENT: {"status": PaymentStatus.SUCCEEDED, "amount": Decimal(0), "currency": "USD"},
            }.get(command.kind, {})
            noun = NOUNS[command.kind](**empty | dict(default))
            more: dict[str, Any] = {"created": NOW, "marker": marker}
            if command.kind is Kind.INVOICE and self.side is LEFT:
                more |= {"native": False, "source": "integration"}
            self._put(command.kind, id, self._written(noun, id, command), **more)
            return id
        id = command.entity or ""
        if command.op is Op.UPDATE:
            self._put(command.kind, id, self._written(self.noun(command.kind, id), id, command))
        elif command.kind is Kind.INVOICE:
            self.void(id)
        else:
            self.mark(command.kind, id, Presence.DELETED)
        return id

    def _written(self, noun: Any, id: str, command: Command) -> Any:
        values = dict(command.values)
        names = {f.name for f in fields(noun)}
        for name in values.keys() & self.rules.get(command.kind, {}).keys():
            values[name] = self.rules[command.kind][name](values[name])
        if isinstance(noun, Invoice):
            if "discount" in values:
                off = values.pop("discount")
                taken = () if off is None else (Adjustment(kind=AdjustmentKind.DISCOUNT, amount=off),)
                noun = replace(noun, adjustments=taken)
            if command.lines is not None:
                noun = replace(noun, lines=tuple(self._line(one) for one in command.lines))
            if self.side is RIGHT:
                assert not values.keys() & {"total", "status", "balance"}, "the books compute these themselves"
                total = summed(noun.lines, noun.adjustments, noun.currency)
                values |= {"total": total, "balance": total - noun.amount_paid}
            elif told := {name: values[name] for name in ("amount_paid", "balance") if name in values}:
                self.told[id] = self.told.get(id, {}) | told
        if isinstance(noun, Payment) and command.allocations is not None:
            noun = replace(noun, allocations=command.allocations)
        custom = {n.removeprefix("custom."): values.pop(n) for n in list(values) if n.startswith("custom.")}
        if custom:
            values["custom"] = {**noun.custom, **custom}
        values = {n: InvoiceStatus(v) if n == "status" and isinstance(noun, Invoice) else v for n, v in values.items()}
        values.pop("income_account" if "income_account" not in names else "", None)
        return replace(noun, **values)

    def _line(self, one: Line) -> Line:
        amount = rounded(one.amount or Decimal(0), "USD")
        if one.quantity is not None and one.unit_price is not None and self.side is RIGHT:
            assert rounded(one.quantity * one.unit_price, "USD") == amount, "the books would compute another amount"
        name = one.name
        if one.product is not None:
            name = self.noun(Kind.PRODUCT, one.product).name  # both vendors show a product's own name
        return replace(one, key=None, name=name, amount=amount)

    def _put(self, kind: Kind, id: str, noun: Any, **more: Any) -> None:
        before = self.entities.get((kind, id))
        if isinstance(noun, Invoice):
            noun = replace(noun, lines=self._numbered(noun.lines))
        noun = replace(noun, custom=dict.fromkeys(self.customs.get(kind, ())) | noun.custom)
        base = before or Snapshot(kind=kind, id=id, version="0")
        self.entities[kind, id] = replace(
            base, version=str(int(base.version) + 1), noun=noun, **{"modified": NOW} | more
        )
        if isinstance(noun, Payment):
            for paid in self.all(Kind.INVOICE):
                self._recount(paid)
        if isinstance(noun, Invoice):
            self._recount(id)

    def _numbered(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        if not self.strong:
            return tuple(replace(one, id=str(place)) for place, one in enumerate(lines, start=1))
        return tuple(one if one.id else replace(one, id=f"line{next(self._ids)}") for one in lines)

    def _recount(self, id: str) -> None:
        """What an invoice says of its payments."""
        snapshot = self.entities[Kind.INVOICE, id]
        assert isinstance(snapshot.noun, Invoice)
        if snapshot.noun.status is InvoiceStatus.VOIDED:
            return
        got = [p for p in self.all(Kind.PAYMENT).values() if p.status is PaymentStatus.SUCCEEDED]
        paid = sum(
            ((a.amount if a.amount is not None else p.amount) for p in got for a in p.allocations if a.invoice == id),
            Decimal(0),
        )
        balance = snapshot.noun.total - paid
        status = InvoiceStatus.OPEN if not paid else InvoiceStatus.PARTIALLY_PAID if balance > 0 else InvoiceStatus.PAID
        shown: dict[str, Any] = {"amount_paid": paid, "balance": balance, "status": status} | self.told.get(id, {})
        if snapshot.native is False or snapshot.noun.status is InvoiceStatus.DRAFT:
            shown["status"] = snapshot.noun.status
        self.entities[Kind.INVOICE, id] = replace(snapshot, noun=replace(snapshot.noun, **shown))
