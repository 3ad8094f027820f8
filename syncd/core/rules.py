"""What a sync is told to do, as values: from a recipe and a configuration, digested so that a change is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.core.filter_values import FieldType
from syncd.core.filters import Filter
from syncd.model.references import Kind, Side
from syncd.model.values import Value


class Direction(StrEnum):
    """Which way a flow may carry things."""

    OFF = "off"
    LEFT_TO_RIGHT = "left-to-right"
    RIGHT_TO_LEFT = "right-to-left"
    BOTH = "both"

    def allows(self, source: Side) -> bool:
        """Whether something of `source` may go over to the other side."""
        if self is Direction.BOTH:
            return True
        return self is (Direction.LEFT_TO_RIGHT if source is Side.LEFT else Direction.RIGHT_TO_LEFT)


class Conflict(StrEnum):
    """Who wins when both sides changed the same field differently."""

    LEFT = "left"
    RIGHT = "right"
    HOLD = "hold"


class Group(StrEnum):
    """Who may edit a field."""

    MONEY = "money"  # only the side where the record was born
    SHARED = "shared"  # both sides, merged
    DERIVED = "derived"  # nobody: computed, shown on mirrors


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mapping: a field of the left noun equals a field of the right one.

    Attributes:
        name: how content names it.
        left, right: paths as `model.nouns.field_value` reads them.
        constant: what is written when the source is empty.
        values: left option -> right option; empty where values go over as they are.
        types: what the two fields hold, where that may differ.
        on_create: written when the entity is made, never compared afterwards.
        custom: it was mapped by the configuration, not by the recipe.
        fixed: why it cannot be switched off or changed; empty where it can.
        enabled: off, it is not worked by at all, only shown.
        yields: a mapping of the configuration that uses one of its fields takes its place.
        option: the flow's option that names the custom field on its left; without it the row is off.
    """

    name: str
    left: str
    right: str
    group: Group = Group.SHARED
    direction: Direction = Direction.BOTH
    constant: Value = None
    values: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[Side, FieldType] = field(default_factory=dict)
    on_create: bool = False
    custom: bool = False
    fixed: str = ""
    enabled: bool = True
    yields: bool = False
    option: str = ""

    def path(self, side: Side) -> str:
        return self.left if side is Side.LEFT else self.right

    def options(self, source: Side) -> Mapping[str, str]:
        """The value map as `source` reads it."""
        return self.values if source is Side.LEFT else {right: left for left, right in self.values.items()}

    def type(self, side: Side) -> FieldType | None:
        """What the field holds on this side; None where values go over as they are."""
        return self.types.get(side)


class Creation(StrEnum):
    """When a flow makes a missing counterpart."""

    ALWAYS = "always"
    WHEN_WANTED = "when-wanted"  # only once another record needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A fixed filter of the recipe: shown, never editable. `test` names the check, `code` the reason it gives."""

    test: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRules:
    """How one kind of record flows.

    Attributes:
        match: fields of the noun a counterpart is found by.
        requires: fixed filters per source side, in the order they are asked.
        filters: free filters per source side.
        creation: per source side, when a missing counterpart is made.
        origin_rule: money fields belong to the side of birth; without it every field is shared.
        customers, products, invoices: names of the flows this one's references point into, None where it has none.
        opened: per source side, the moment its direction was opened after the sync was already running.
        since: what was last changed at this moment or later is let in by a backfill, however old it is.
        fallback_product: name of the product that lines without one are booked on, with its income account.
        income_account: the account of products made on the books side.
        tax_product: name of the books' product for lines that are a tax.
        tax_codes: rate in percent on the sales side -> name or id of the books' tax code.
        service_date: field of the invoice that dates its lines where they say no date of service themselves.
        name_pattern: the name of somebody new whose own name is taken, e.g. `{name} ({email})`.
    """

    name: str
    kind: Kind
    direction: Direction
    conflict: Conflict
    rows: tuple[Row, ...]
    match: tuple[str, ...]
    requires: Mapping[Side, tuple[Requirement, ...]] = field(default_factory=dict)
    filters: Mapping[Side, Filter] = field(default_factory=dict)
    creation: Mapping[Side, Creation] = field(default_factory=dict)
    origin_rule: bool = False
    customers: str | None = None
    products: str | None = None
    invoices: str | None = None
    fallback_product: str | None = None
    fallback_account: str | None = None
    income_account: str | None = None
    tax_product: str | None = None
    tax_codes: Mapping[str, str] = field(default_factory=dict)
    service_date: str | None = None
    name_pattern: str | None = None
    native_sources: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    opened: Mapping[Side, datetime] = field(default_factory=dict)
    since: datetime | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRules:
    """One sync: two connections joined by a recipe. `flows` stand in the order parents before children."""

    name: str
    recipe: str
    left: str
    right: str
    start: datetime
    flows: tuple[FlowRules, ...]

    def connection(self, side: Side) -> str:
        return self.left if side is Side.LEFT else self.right

    def side(self, connection: str) -> Side:
        return Side.LEFT if connection == self.left else Side.RIGHT

    def flow(self, name: str) -> FlowRules:
        return next(flow for flow in self.flows if flow.name == name)

    def flow_of(self, kind: Kind) -> FlowRules | None:
        return next((flow for flow in self.flows if flow.kind is kind), None)
