"""An invoice's lines: three-way merge, their total, and how a line is said so that its amount comes out.

Lines are known by our `key`, the same on both sides and in the bases; `alignment` gives it to lines just read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from syncd.core.alignment import Alignment, align, carry_keys, facts
from syncd.core.rules import Conflict
from syncd.model.content import shown
from syncd.model.money import minor_digits, rounded
from syncd.model.nouns import Line
from syncd.model.values import decimal_text

__all__ = ["Alignment", "LineConflict", "LinesMerge", "align", "carry_keys", "expressible", "merge", "total"]

T = TypeVar("T")
HUNDREDTHS = Decimal("0.01")

# Fields that only make sense together: a quantity of one side times a price of the other is nobody's amount.
_GROUPS = (
    ("product", "sku", "name"),
    ("quantity", "unit_price", "amount", "discount", "tax_code", "tax"),
    ("description",),
    ("service_date",),
)


@dataclass(frozen=True, slots=True)
class LineConflict:
    """Both sides changed the same thing differently; texts as people read them, None for a line that is not there.

    `field` is a field of the line, `line` when one side removed what the other changed, `lines` for a whole list.
    """

    key: str
    field: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class LinesMerge:
    """The merged lines (our keys, no vendor ids), what nobody decided, and what the rule let lose."""

    lines: tuple[Line, ...]
    conflicts: tuple[LineConflict, ...] = ()
    overwritten: tuple[LineConflict, ...] = ()


def merge(
    base: tuple[Line, ...],
    left: tuple[Line, ...],
    right: tuple[Line, ...],
    rule: Conflict,
    *,
    atomic: bool = False,
) -> LinesMerge:
    """What both sides' lines become when each may edit them.

    Args:
        base, left, right: lines in the same terms (product ids translated), each with a key of its own.
        rule: who wins where both changed the same; under `hold` the base stays and the conflicts are listed.
        atomic: an alignment was ambiguous, so that the lists are compared as wholes.
    """
    if atomic:
        return _merge_whole(base, left, right, rule)
    merging = _Merging(rule, [])
    was, one, other = (dict(zip(_keys(lines), lines, strict=True)) for lines in (base, left, right))
    order = _order(list(was), list(one), list(other), rule)
    made = (merging.line(was.get(key), one.get(key), other.get(key)) for key in order)
    return merging.result(tuple(line for line in made if line is not None))


def _merge_whole(base: tuple[Line, ...], left: tuple[Line, ...], right: tuple[Line, ...], rule: Conflict) -> LinesMerge:
    merging = _Merging(rule, [])
    was, one, other = ([facts(line) for line in lines] for lines in (base, left, right))
    if other in (was, one):
        return merging.result(left)
    if one == was:
        return merging.result(right)
    left_text, right_text = ("; ".join(_text(line) or "" for line in lines) for lines in (left, right))
    merging.met.append(LineConflict("", "lines", left_text, right_text))
    return merging.result(merging.choice(base, left, right))


@dataclass(frozen=True, slots=True)
class _Merging:
    rule: Conflict
    met: list[LineConflict]

    def result(self, lines: tuple[Line, ...]) -> LinesMerge:
        met = tuple(self.met)
        held = self.rule is Conflict.HOLD
        return LinesMerge(
            tuple(replace(line, id=None) for line in lines),
            conflicts=met if held else (),
            overwritten=() if held else met,
        )

    def choice(self, base: T, left: T, right: T) -> T:
        return {Conflict.LEFT: left, Conflict.RIGHT: right, Conflict.HOLD: base}[self.rule]

    def line(self, base: Line | None, left: Line | None, right: Line | None) -> Line | None:
        if left is not None and right is not None:
            return self._fields(base, left, right)
        there = left or right
        if base is None or there is None:
            return there
        if facts(there) == facts(base):
            return None
        self.met.append(LineConflict(str(base.key), "line", _text(left), _text(right)))
        return self.choice(base, left, right)

    def _fields(self, base: Line | None, left: Line, right: Line) -> Line:
        made = left
        for group in _GROUPS:
            was, one, other = (tuple(getattr(line, name, None) for name in group) for line in (base, left, right))
            kept = other if one == was else one
            if one != was and other not in (was, one):
                differing = [(n, a, b) for n, a, b in zip(group, one, other, strict=True) if a != b]
                self.met.extend(LineConflict(str(left.key), n, shown(a), shown(b)) for n, a, b in differing)
                kept = self.choice(was, one, other)
            made = replace(made, **dict(zip(group, kept, strict=True)))
        return made


def _order(base: list[str], left: list[str], right: list[str], rule: Conflict) -> list[str]:
    """All keys of both sides: in the order of the side that changed it (of the winner if both did).

    What only the other side has stands after the line it follows there.
    """
    left_moved, right_moved = ([key for key in base if key in set(side)] != side for side in (left, right))
    if left_moved is right_moved:
        # Without a winner any order will do that does not depend on which side is called left.
        first = {Conflict.LEFT: left, Conflict.RIGHT: right, Conflict.HOLD: min(left, right)}[rule]
    else:
        first = left if left_moved else right
    second = right if first is left else left
    order = list(first)
    for index, key in enumerate(second):
        if key not in order:
            before = next((order.index(k) + 1 for k in reversed(second[:index]) if k in order), 0)
            order.insert(before, key)
    return order


def _keys(lines: tuple[Line, ...]) -> list[str]:
    keys = [line.key for line in lines if line.key is not None]
    assert len(set(keys)) == len(lines), "lines are merged by key, and some have none of their own"
    return keys


def _text(line: Line | None) -> str | None:
    """A line as the activity shows it: `3 × 10.00 = 30 Consulting`."""
    if line is None:
        return None
    name = line.description or line.name or line.sku or ""
    counted = "" if line.quantity is None else f"{shown(line.quantity)} × {shown(line.unit_price) or '?'} = "
    return f"{counted}{shown(line.amount) or ''} {name}".strip()


def total(lines: Iterable[Line]) -> Decimal:
    """What the lines add up to, before order-level amounts and tax."""
    return sum((line.amount for line in lines if line.amount is not None), Decimal(0))


def expressible(line: Line, currency: str) -> Line:
    """The line said so that a vendor that multiplies and rounds gets its amount.

    Quantity and unit price stay where they multiply to the amount; else, and on a line with a discount of its own, the
    amount alone is sent, and the description says the rest.
    """
    if line.quantity is None or line.unit_price is None or line.amount is None:
        return line
    discount = line.discount or Decimal(0)
    if not discount and _multiplies(line.quantity * line.unit_price, line.amount, currency):
        return line
    said = f"{decimal_text(line.quantity)} × {_price(line.unit_price, currency)}"
    if discount:
        said += f" − {_price(discount, currency)}"
    description = f"{said} {line.description}" if line.description else said
    return replace(line, quantity=None, unit_price=None, discount=None, description=description)


def _multiplies(product: Decimal, amount: Decimal, currency: str) -> bool:
    # Whether a vendor rounds to the currency's own unit or to hundredths, it has to come to the same.
    return rounded(product, currency) == amount == product.quantize(HUNDREDTHS, rounding=ROUND_HALF_UP)


def _price(amount: Decimal, currency: str) -> str:
    digits = minor_digits(currency)
    exact = decimal_text(amount)
    return exact if len(exact.partition(".")[2]) > digits else f"{amount:.{digits}f}"
