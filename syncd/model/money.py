"""Amounts are exact decimals; each currency knows how many digits its smallest unit has (ISO 4217)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_MINOR_DIGITS = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


LARGEST = 20  # integral digits: sums have 28 digits, and those of larger amounts would lose cents
FINEST = -30  # exponent: numbers that were computed in binary have some 20 digits, none has a thousand


def sensible(amount: Decimal) -> bool:
    """Whether an amount, price or quantity that was read is a number to calculate with."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= FINEST and amount.adjusted() < LARGEST


def minor_digits(currency: str) -> int:
    """How many decimals the currency's smallest unit has: 2 unless ISO 4217 says otherwise."""
    return _MINOR_DIGITS.get(currency.upper(), 2)


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount there is in a currency."""
    return Decimal(1).scaleb(-minor_digits(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half away from zero, as invoices are rounded."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)
