"""What a decision is made from and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncd.core.facts import Facts
from syncd.core.rules import FlowRules, SyncRules
from syncd.model.action import Action, ActionState
from syncd.model.content import Content
from syncd.model.nouns import Allocation, Line
from syncd.model.quick import quick
from syncd.model.record import Activity, FieldChange, Op, Record
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Snapshot
from syncd.model.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What a person wants of one decision beyond what the rules say; as a rule nothing.

    Attributes:
        force: this side's values go over, moved or not.
        take: what wins where both sides moved. fields: the same for single fields.
        revert: what was edited outside the side of birth goes back to what it was.
    """

    force: Side | None = None
    take: Side | None = None
    fields: Mapping[str, Side] = field(default_factory=dict)
    revert: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One record with what both sides show now. A side that was never seen is None.

    Attributes:
        asked: what people asked of it, in the order they did. will: what is left of that for the rules.
        doubted: its bases are older than what was done: both sides may have moved together since.
    """

    record: Record
    left: Snapshot | None
    right: Snapshot | None
    stored: bool = True
    doubted: bool = False
    asked: tuple[Action, ...] = ()
    will: Will = field(default_factory=Will)

    def side(self, side: Side) -> Snapshot | None:
        return self.left if side is Side.LEFT else self.right

    def with_side(self, side: Side, snapshot: Snapshot | None) -> Case:
        return replace(self, left=snapshot) if side is Side.LEFT else replace(self, right=snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all cases of one flow share while they are decided.

    Attributes:
        restored: what we made and do not remember may be there, with our reference.
    """

    sync: SyncRules
    flow: FlowRules
    facts: Facts
    now: datetime
    cause: str = "poll"
    restored: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One write that is wanted; the turn stores it as an intent before anything leaves.

    Attributes:
        kind, entity: what it changes; always an entity of the record's own.
        natural_key: for creates: two open creates may not share it.
        expected: digest of the content it was decided on, for the look right before the write.
        patch: the part of each side's base that this write settles.
    """

    side: Side
    op: Op
    kind: Kind
    entity: str | None = None
    natural_key: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    lines: tuple[Line, ...] | None = None
    allocations: tuple[Allocation, ...] | None = None
    mirror: bool = False
    if_version: str | None = None
    expected: str | None = None
    patch: Mapping[Side, Content] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merge:
    """`gone` went into `into`, both of one side and kind."""

    side: Side
    kind: Kind
    gone: str
    into: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one record.

    Attributes:
        wants: records of parents that must exist on the other side first.
        folds: another record that this one swallows: the two halves belong together.
        merges: entities of its side that turned out to live on as others.
        looks: other entities that are to be decided on again, as they are known.
        splits: records made of halves that were set free. ended: actions with what came of them, as id, state, words.
    """

    record: Record
    commands: tuple[Command, ...] = ()
    activity: tuple[Activity, ...] = ()
    wants: tuple[str, ...] = ()
    folds: str | None = None
    merges: tuple[Merge, ...] = ()
    looks: tuple[tuple[Side, Kind, str], ...] = ()
    splits: tuple[Record, ...] = ()
    ended: tuple[tuple[str, ActionState, str], ...] = ()


def noted(
    context: Context,
    record: Record,
    event: str,
    *,
    side: Side | None = None,
    code: str | None = None,
    words: str = "",
    changes: tuple[FieldChange, ...] = (),
) -> Activity:
    """One line of the record's account, at this decision's time."""
    return Activity(
        record=record.id,
        at=context.now,
        event=event,
        by=context.cause,
        side=side,
        code=code,
        words=words,
        changes=changes,
    )
