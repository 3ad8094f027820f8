"""What a person asks of a record, from the moment it is asked until something came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.model.references import Side


class ActionName(StrEnum):
    """What can be asked; the names stand in the API, the command line and the account of a record."""

    RETRY = "retry"
    REFRESH = "refresh"
    EXCLUDE = "exclude"
    INCLUDE = "include"
    FORCE = "force"
    RESOLVE = "resolve"
    ACCEPT = "accept"
    REVERT = "revert"
    LINK = "link"
    UNLINK = "unlink"


class ActionState(StrEnum):
    """How far it has come."""

    OPEN = "open"  # written down; the record's next turn takes it up
    DONE = "done"
    REFUSED = "refused"  # it did not apply any more when its turn came


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One person's word on one record.

    Attributes:
        id: ours, 32 hex digits. A half that an `unlink` sets free becomes a record of this id.
        by: who asked: `cli <user>`, `token <name>` or `page`.
        confirmed: they were told that it cannot be undone, and want it.
        take: the side a `force` or `resolve` takes. fields: the same for single fields of a `resolve`.
        entity: the vendor id a `link` joins on the side that is missing.
        key: told by whoever asks: the same key twice is one action.
        outcome: what came of it, in words.
    """

    id: str
    record: str
    name: ActionName
    by: str
    at: datetime
    confirmed: bool = False
    take: Side | None = None
    fields: Mapping[str, Side] = field(default_factory=dict)
    entity: str | None = None
    key: str | None = None
    state: ActionState = ActionState.OPEN
    outcome: str = ""
