"""How things are named: sides, kinds and references to a vendor's entities.

References are named tuples and no dataclasses: a pass compares and hashes them some hundred times a record.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


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


class EntityRef(NamedTuple):
    """One vendor's object: the connection's name, its kind, the vendor's own id (always text)."""

    connection: str
    kind: Kind
    id: str


class MatchKey(NamedTuple):
    """A value by which a counterpart is looked up, e.g. `("email", "ann@example.com")`.

    Fields in use: `email`, `sku`, `number`, `name`, and `marker` for our own reference.
    """

    field: str
    value: str
