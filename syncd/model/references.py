"""How things are named: sides, kinds and references to a vendor's entities."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """One end of a sync."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Kind(StrEnum):
    """What an entity is, in no vendor's words."""

    PARTY = "party"
    PRODUCT = "product"
    INVOICE = "invoice"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, order=True)
class EntityRef:
    """One vendor's object: the connection's name, its kind, the vendor's own id (always text)."""

    connection: str
    kind: Kind
    id: str


@dataclass(frozen=True, slots=True, order=True)
class MatchKey:
    """A value by which a counterpart is looked up, e.g. `("email", "ann@example.com")`.

    Fields in use: `email`, `sku`, `number`, `name`, and `marker` for our own reference.
    """

    field: str
    value: str
