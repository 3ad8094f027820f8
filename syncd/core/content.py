"""From a snapshot to content: what of an entity is compared, in one canonical form for each side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from syncd.core.filter_values import CUSTOM
from syncd.core.normalise import explained
from syncd.core.rules import FlowRules, Group, Row
from syncd.model.content import Content
from syncd.model.money import rounded
from syncd.model.nouns import (
    AdjustmentKind,
    Allocation,
    Invoice,
    Line,
    Noun,
    Party,
    Payment,
    Product,
    field_value,
)
from syncd.model.references import MatchKey, Side
from syncd.model.snapshot import Snapshot
from syncd.model.values import Value, decimal_text

NAME_TAKEN = "Its name is taken: the configured pattern tells it apart."
"""What a record says while it is tried again under another name."""

Normalisers = Mapping[str, tuple[str, ...]]
"""Field of the noun -> the silent changes a vendor makes to it."""

# Whatever a person types, white space around it and its kind of line end are never an edit worth a write.
TEXT_RULES = ("trim", "collapse", "empty")


def project(snapshot: Snapshot, flow: FlowRules, side: Side) -> Content:
    """The mapped content of an entity on its side; empty when the vendor shows nothing of it any more."""
    noun = snapshot.noun
    if noun is None:
        return Content()
    fields = {
        row.name: _canonical(field_value(noun, path))
        for row in compared_rows(flow)
        if seen(noun, path := row.path(side))
    }
    if isinstance(noun, Invoice):
        fields["customer"] = noun.customer
        fields["discount"] = order_discount(noun)
        return Content(fields=fields, lines=tuple(comparable(line) for line in noun.lines))
    if isinstance(noun, Payment):
        fields["allocations"] = allocation_text(noun.allocations, noun.amount)
    return Content(fields=fields)


def seen(noun: Noun, path: str) -> bool:
    """Whether a look at the entity has shown the field: custom ones are asked for only once they are mapped."""
    return not path.startswith(CUSTOM) or path.removeprefix(CUSTOM) in noun.custom


def allocation_text(allocations: tuple[Allocation, ...], amount: Decimal) -> str:
    """Which invoices a payment pays, and how much of each where that is not simply all of it."""
    parts = []
    for allocation in sorted(allocations, key=lambda a: a.invoice):
        whole = allocation.amount is None or allocation.amount == amount
        parts.append(
            allocation.invoice if whole else f"{allocation.invoice}={decimal_text(allocation.amount or Decimal(0))}"
        )
    return ";".join(parts)


def compared_rows(flow: FlowRules) -> tuple[Row, ...]:
    """The rows whose fields are diffed: neither derived ones nor those that only matter at creation."""
    return tuple(row for row in flow.rows if row.group is not Group.DERIVED and not row.on_create)


def money_fields(flow: FlowRules) -> frozenset[str]:
    """Names of content fields that belong to the side of birth (lines do too)."""
    named = {row.name for row in flow.rows if row.group is Group.MONEY}
    return frozenset(named | {"customer", "discount", "allocations"})


def order_discount(invoice: Invoice) -> Decimal | None:
    """What is taken off the whole invoice, None if nothing is."""
    taken = sum((a.amount for a in invoice.adjustments if a.kind is AdjustmentKind.DISCOUNT), Decimal(0))
    return rounded(taken, invoice.currency) or None


def rules_by_row(flow: FlowRules, side: Side, rules: Normalisers) -> Normalisers:
    """A vendor's normalisers by the names content uses: rows, and `lines.<field>` for lines."""
    named = {row.name: rules[row.path(side)] for row in flow.rows if row.path(side) in rules}
    return {**named, **{name: rule for name, rule in rules.items() if name.startswith("lines.")}}


def same(name: str, one: Value, other: Value, rules: Normalisers) -> bool:
    """Whether two values mean the same to a vendor that normalises as `rules` say."""
    if _canonical(one) == _canonical(other):
        return True
    applied = rules.get(name, TEXT_RULES if isinstance(one, str) and isinstance(other, str | None) else ())
    return explained(one, other, applied) or explained(other, one, applied)


def _canonical(value: Value) -> Value:
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").strip()
        return text or None
    return value


def comparable(line: Line) -> Line:
    """What of a line is compared, said in one way."""
    # Vendors say "one of it at its amount" in several ways, and print a product's own name on the line: what counts is
    # which product, what the line says, how many at what price, and what it adds to the invoice.
    amount = line.amount if line.amount is not None else Decimal(0)
    quantity, price = line.quantity, line.unit_price
    if quantity is None or price is None:
        quantity, price = Decimal(1), amount
    return Line(  # not replace(): this is where a pass spends its time
        id=line.id,
        key=line.key,
        product=line.product,
        name=None if line.product else _text(line.name),
        description=_text(line.description),
        quantity=quantity,
        unit_price=price,
        amount=amount,
        service_date=line.service_date,
        tax_code=line.tax_code,
    )


def _text(value: str | None) -> str | None:
    made = _canonical(value)
    assert made is None or isinstance(made, str)
    return made


def email_key(email: str) -> str:
    """How e-mail addresses are matched: without case, also before the @, as people type them."""
    return email.strip().casefold()


def match_keys(noun: Noun | None) -> tuple[MatchKey, ...]:
    """Every key an entity can be looked up by in our own index."""
    keys: list[MatchKey] = []
    if isinstance(noun, Party) and noun.email and noun.email.strip():
        keys.append(MatchKey("email", email_key(noun.email)))
    if isinstance(noun, Party) and noun.name and noun.name.strip():
        keys.append(MatchKey("name", noun.name.strip()))
    if isinstance(noun, Product):
        if noun.sku and noun.sku.strip():
            keys.append(MatchKey("sku", noun.sku.strip()))
        if noun.name:
            keys.append(MatchKey("name", noun.name.strip()))
    if isinstance(noun, Invoice):
        if noun.number:
            keys.append(MatchKey("number", noun.number.strip()))
        if noun.customer:
            keys += [MatchKey("customer", noun.customer), bill_key(noun.customer, noun)]
    if isinstance(noun, Payment):
        keys.extend(MatchKey("invoice", allocation.invoice) for allocation in noun.allocations)
        if noun.customer:
            keys.append(sum_key(noun.customer, noun.amount))
    return tuple(keys)


def bill_key(customer: str, invoice: Invoice) -> MatchKey:
    """What a customer owes, by which a document is found whose number is another one."""
    return owed_key(customer, invoice.total, invoice.currency)


def owed_key(customer: str, amount: Decimal, currency: str) -> MatchKey:
    """Documents of a customer over an amount."""
    return MatchKey("bill", f"{customer}:{decimal_text(amount)}:{currency.upper()}")


def sum_key(customer: str, amount: Decimal) -> MatchKey:
    """Payments of a customer over an amount."""
    return MatchKey("sum", f"{customer}:{decimal_text(amount)}")


def shown_name(party: Party) -> str | None:
    """The name a list shows for someone new: the company, else the full name, else the e-mail address."""
    full = " ".join(part.strip() for part in (party.first_name, party.last_name) if part and part.strip())
    return _text(party.company) or full or _text(party.name) or _text(party.email)


def named_apart(pattern: str, party: Party, id: str) -> str:
    """The name of somebody whose own name is taken, by the configured pattern: `{name} ({email})`."""
    parts = {name: getattr(party, name) or "" for name in ("email", "first_name", "last_name", "company")}
    return " ".join(pattern.format(**parts, name=shown_name(party) or "", id=id).split())


def label(noun: Noun | None, id: str) -> str:
    """What people call a record."""
    if isinstance(noun, Party):
        return _text(noun.name) or shown_name(noun) or id
    if isinstance(noun, Product):
        return _text(noun.name) or _text(noun.sku) or id
    if isinstance(noun, Invoice):
        return _text(noun.number) or id
    if isinstance(noun, Payment):
        return _text(noun.reference) or id
    return id
