"""The state table's row and what hangs from it: intents, changes and activity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from syncd.model.content import Content
from syncd.model.nouns import Allocation, Line
from syncd.model.quick import quick
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.values import Value


class Status(StrEnum):
    """Every record has exactly one."""

    SYNCED = "synced"
    PENDING = "pending"  # the daemon or time will act
    FAILED = "failed"  # a person must act
    EXCLUDED = "excluded"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A left and a right entity of a flow that belong together; one may still be missing.

    Attributes:
        id: ours, 32 hex digits; our reference at vendors is `syncd:<id>`.
        left, right: the vendors' ids.
        origin: the side where it was born, once known.
        key: what it is found by (an e-mail, a SKU, a number), or `fallback:<name>` for what a flow makes for itself.
        label: what people call it.
        code: a row of the catalogue; empty for a plain `synced`.
        words: what the vendor said, or the detail behind the code. Shown to people, never logged.
        waits_for: what wakes it besides time, as `model.waiting` says it.
        wanted: another record needs this one on the other side, so that a creation on demand may happen.
        rules_digest: the rules it was last planned by.
        revision: counts its stored changes.
    """

    id: str
    sync: str
    flow: str
    left: str | None = None
    right: str | None = None
    origin: Side | None = None
    key: str | None = None
    label: str = ""
    left_base: Content | None = None
    right_base: Content | None = None
    status: Status = Status.PENDING
    code: str = "queued"
    notes: tuple[str, ...] = ()
    words: str = ""
    waits_for: str | None = None
    since: datetime
    attempts: int = 0
    next_at: datetime | None = None
    wanted: bool = False
    rules_digest: str = ""
    revision: int = 0

    def entity(self, side: Side) -> str | None:
        return self.left if side is Side.LEFT else self.right

    def base(self, side: Side) -> Content | None:
        return self.left_base if side is Side.LEFT else self.right_base

    @property
    def marker(self) -> str:
        """Our reference, as it stands on what we create at vendors."""
        return f"syncd:{self.id}"


class Priority(IntEnum):
    """Who goes first when calls are scarce."""

    PERSON = 0
    WEBHOOK = 1
    RETRY = 2
    POLL = 3
    BACKFILL = 4


class Op(StrEnum):
    """What a write does."""

    CREATE = "create"
    UPDATE = "update"
    VOID = "void"
    DELETE = "delete"


class IntentState(StrEnum):
    """How far a write has come."""

    OPEN = "open"  # written down, nothing has left
    SENT = "sent"  # a request is out; its outcome is not known yet
    UNKNOWN = "unknown"  # the answer never came; being resolved


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One write, stored before it is sent. It disappears when its outcome is stored.

    Attributes:
        entity: the vendor id it changes; None for a create.
        natural_key: for creates: no two open creates of a connection and kind may share it.
        expected: digest of the target side's content the decision saw; the write is dropped if that has moved.
        patch: what becomes of each side's base when it is done (only the fields it settles).
        send, item: the request it went out in and its key in there.
        not_before: wait until then (throttled, being resolved).
        priority: of what caused it.
    """

    id: str
    record: str
    sync: str
    flow: str
    connection: str
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
    state: IntentState = IntentState.OPEN
    step: int = 0
    carry: str | None = None
    send: str | None = None
    item: str | None = None
    created_at: datetime
    sent_at: datetime | None = None
    not_before: datetime | None = None
    attempts: int = 0
    priority: Priority = Priority.POLL


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSend:
    """One request that went out, with its exact bytes: a replay sends these and never a re-planned batch."""

    id: str
    connection: str
    method: str
    path: str
    content_type: str
    body: bytes
    replayable: bool
    items: Mapping[str, str]
    sent_at: datetime


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A hint to look at an entity soon. `generation` counts hints: a turn deletes only the one it claimed."""

    ref: EntityRef
    cause: str  # poll, webhook, person, retry, write
    priority: Priority = Priority.POLL
    due_at: datetime
    generation: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field in an activity entry, as people read it. `side` is where it changed."""

    field: str
    old: str | None
    new: str | None
    side: Side


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One line of a record's append-only account.

    Attributes:
        event: a stable dotted name (`record.linked`, `write.done`, `write.refused`, `conflict.resolved` ...).
        by: poll, webhook, person, retry, automation or daemon.
        side: the side it is about, if one.
        request_id: the vendor's trace id.
    """

    record: str
    at: datetime
    event: str
    by: str
    side: Side | None = None
    code: str | None = None
    words: str = ""
    changes: tuple[FieldChange, ...] = ()
    request_id: str | None = None
