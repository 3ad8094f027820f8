"""What a decision may look at besides the record itself, and how it says what it still needs.

`Facts` answers look-ups from what the turn has brought so far. A look-up of something that was not brought raises
`Missing` with everything the decision needs next, so one decision function serves both questions - what do you need,
and what is to be done - and the two can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from syncd.core.content import Normalisers
from syncd.model.quick import quick
from syncd.model.record import Record
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Snapshot
from syncd.model.tax import TaxCode


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFacts:
    """An account's settings that decide what may be written there; see `connectors.base`, `Account` and `Traits`."""

    currency: str = "USD"
    multi_currency: bool = False
    writable: frozenset[Kind] = frozenset(Kind)
    service_date_required: bool = False
    books_closed_until: date | None = None
    taxes_required: bool = False
    owns_numbers: bool = True
    allows_discount: bool = True
    unique_numbers: bool = False
    tax_codes: tuple[TaxCode, ...] = ()
    one_tax_code: bool = False
    takes_tax_total: bool = False
    amount_digits: int | None = None
    strong_line_ids: bool = False
    splits_payments: bool = True
    merges_leave_inactive: bool = False
    normalisers: Mapping[Kind, Normalisers] = field(default_factory=dict)
    absent: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    most: Mapping[Kind, Mapping[str, int]] = field(default_factory=dict)
    unusable: Mapping[Kind, Mapping[str, tuple[str, str]]] = field(default_factory=dict)  # path -> code, words


T = TypeVar("T")

EntityKey = tuple[Side, Kind, str]
FindKey = tuple[Side, Kind, MatchKey]
PartnerKey = tuple[str, Side, str]  # flow, side, entity id


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the turn must bring: entities as last seen, the vendor's answer to a look-up, records of other entities.

    `reads`: entities as the vendor shows them now.
    """

    snapshots: frozenset[EntityKey] = frozenset()
    finds: frozenset[FindKey] = frozenset()
    known: frozenset[FindKey] = frozenset()
    partners: frozenset[PartnerKey] = frozenset()
    holders: frozenset[PartnerKey] = frozenset()
    reads: frozenset[EntityKey] = frozenset()

    @classmethod
    def union(cls, listed: Sequence[Needs]) -> Needs:
        """All that any of them asks for."""
        return cls(
            snapshots=frozenset().union(*(needs.snapshots for needs in listed)),
            finds=frozenset().union(*(needs.finds for needs in listed)),
            known=frozenset().union(*(needs.known for needs in listed)),
            partners=frozenset().union(*(needs.partners for needs in listed)),
            holders=frozenset().union(*(needs.holders for needs in listed)),
            reads=frozenset().union(*(needs.reads for needs in listed)),
        )

    def __bool__(self) -> bool:
        return any((self.snapshots, self.finds, self.known, self.partners, self.holders, self.reads))


class Missing(Exception):
    """A decision cannot be made yet."""

    def __init__(self, needs: Needs) -> None:
        super().__init__("more facts are needed")
        self.needs = needs


def together(asked: Iterable[Callable[[], T]]) -> list[T]:
    """The answers to several look-ups; what is missing for any of them is asked for at once.

    Raises:
        Missing: one of them could not be answered.
    """
    answers: list[T] = []
    wanted: list[Needs] = []
    for ask in asked:
        try:
            answers.append(ask())
        except Missing as missing:
            wanted.append(missing.needs)
    if wanted:
        raise Missing(Needs.union(wanted))
    return answers


@dataclass(slots=True)
class Facts:
    """What has been brought so far.

    Attributes:
        snapshots: entities; None for one that does not exist.
        found: what a vendor answered to a look-up just now.
        known: what our own index of everything seen answers to a look-up.
        partners: the record of a parent entity, made if it was not there yet; None when the entity itself is not.
        holders: the record that holds an entity so far; None when none does.
        busy: ids of records with a request out: nothing about them may be decided until its outcome is known.
        read: those of `snapshots` that were read from the vendor in this turn.
    """

    sides: Mapping[Side, SideFacts]
    snapshots: dict[EntityKey, Snapshot | None] = field(default_factory=dict)
    found: dict[FindKey, tuple[Snapshot, ...]] = field(default_factory=dict)
    known: dict[FindKey, tuple[Snapshot, ...]] = field(default_factory=dict)
    partners: dict[PartnerKey, Record | None] = field(default_factory=dict)
    holders: dict[PartnerKey, Record | None] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    read: set[EntityKey] = field(default_factory=set)

    def snapshot(self, side: Side, kind: Kind, id: str) -> Snapshot | None:
        """An entity as last seen.

        Raises:
            Missing: it was not brought. So do all look-ups below.
        """
        key = (side, kind, id)
        if key not in self.snapshots:
            raise Missing(Needs(snapshots=frozenset({key})))
        return self.snapshots[key]

    def anew(self, side: Side, kind: Kind, id: str) -> Snapshot | None:
        """An entity as the vendor shows it now."""
        key = (side, kind, id)
        if key not in self.read:
            raise Missing(Needs(reads=frozenset({key})))
        return self.snapshots[key]

    def find(self, side: Side, kind: Kind, key: MatchKey) -> tuple[Snapshot, ...]:
        """What the vendor finds under this key, asked for this decision."""
        wanted = (side, kind, key)
        if wanted not in self.found:
            raise Missing(Needs(finds=frozenset({wanted})))
        return self.found[wanted]

    def index(self, side: Side, kind: Kind, key: MatchKey) -> tuple[Snapshot, ...]:
        """What we ourselves have seen under this key; no vendor is asked."""
        wanted = (side, kind, key)
        if wanted not in self.known:
            raise Missing(Needs(known=frozenset({wanted})))
        return self.known[wanted]

    def partner(self, flow: str, side: Side, id: str) -> Record | None:
        """The record of a parent entity in its flow; the turn makes it if need be."""
        return self.partners_of(flow, side, (id,))[id]

    def partners_of(self, flow: str, side: Side, ids: Iterable[str]) -> dict[str, Record | None]:
        """The same for several entities at once."""
        wanted = [(flow, side, id) for id in ids]
        missing = [key for key in wanted if key not in self.partners]
        if missing:
            raise Missing(Needs(partners=frozenset(missing)))
        return {id: self.partners[(flow, side, id)] for _, _, id in wanted}

    def holder(self, flow: str, side: Side, id: str) -> Record | None:
        """The record that holds an entity so far; none is made for it."""
        key = (flow, side, id)
        if key not in self.holders:
            raise Missing(Needs(holders=frozenset({key})))
        return self.holders[key]
