"""The arithmetic of an invoice: lines, then discounts, fees and taxes, each in its sort order (invoices guide).

Pure functions on the text values of records. Rounding to the cent, half up, at every line and every step, is ours: the
guide gives the order only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from syncd.sandbox.hubspot.values import number, rounded

Values = Mapping[str, str | None]
ZERO = Decimal(0)


def line(values: Values, tax_rate: Decimal) -> dict[str, str | None]:
    """The calculated properties of a line item; empty as long as price or quantity is."""
    price, quantity = number(values.get("price")), number(values.get("quantity"))
    if price is None or quantity is None:
        names = ("hs_pre_discount_amount", "hs_total_discount", "amount", "hs_tax_amount", "hs_post_tax_amount")
        return dict.fromkeys(names)
    gross = _cents(price * quantity)
    percent = number(values.get("hs_discount_percentage"))
    off_each = number(values.get("discount")) or ZERO  # an amount per unit
    discount = _cents(gross * percent / 100 if percent else off_each * quantity)
    net = gross - discount
    tax = _cents(net * tax_rate / 100)
    return {
        "hs_pre_discount_amount": rounded(gross),
        "hs_total_discount": rounded(discount),
        "amount": rounded(net),
        "hs_tax_amount": rounded(tax),
        "hs_post_tax_amount": rounded(net + tax),
    }


def invoice(
    lines: Iterable[Values], discounts: Iterable[Values], fees: Iterable[Values], taxes: Iterable[Values]
) -> Decimal:
    """The total to bill, never below zero."""
    lines = list(lines)
    total = sum((amount(each, "amount") for each in lines), ZERO)
    for discount in _sorted(discounts):
        total -= _adjustment(discount, total)
    for fee in _sorted(fees):
        total += _adjustment(fee, total)
    taxable = total
    total += sum((amount(each, "hs_tax_amount") for each in lines), ZERO)
    for tax in _sorted(taxes):
        total += _adjustment(tax, taxable)
    return max(total, ZERO)


def amount(values: Values, name: str) -> Decimal:
    return number(values.get(name)) or ZERO


def _adjustment(values: Values, base: Decimal) -> Decimal:
    value = amount(values, "hs_value")
    return _cents(base * value / 100 if values.get("hs_type") == "PERCENT" else value)


def _sorted(adjustments: Iterable[Values]) -> list[Values]:
    return sorted(adjustments, key=lambda each: amount(each, "hs_sort_order"))


def _cents(value: Decimal) -> Decimal:
    return Decimal(rounded(value))
