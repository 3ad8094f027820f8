"""How a line of an invoice is said so that its amount comes out at a vendor that multiplies and rounds."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from syncd.model.money import minor_digits, rounded
from syncd.model.nouns import Line
from syncd.model.quick import replace
from syncd.model.values import decimal_text

HUNDREDTHS = Decimal("0.01")


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
