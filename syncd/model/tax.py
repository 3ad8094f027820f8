"""Sales tax as the books name it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCode:
    """What a line is taxed with: one rate, or several that are each rounded for themselves (a state's and a city's).

    `rates` are percentages: 20 is 20 %.
    """

    id: str
    name: str
    rates: tuple[Decimal, ...]

    @property
    def rate(self) -> Decimal:
        """All rates together."""
        return sum(self.rates, Decimal(0))
