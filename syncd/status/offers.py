"""Which actions make sense for a record as it stands; whether they are taken is decided when they are asked."""

from __future__ import annotations

from typing import Any

from syncd.core.actions import risk, why_not
from syncd.core.rules import FlowRules
from syncd.model.action import Action, ActionName
from syncd.model.record import Record
from syncd.model.references import Side

_ORDER = (
    ActionName.RESOLVE,
    ActionName.ACCEPT,
    ActionName.REVERT,
    ActionName.RETRY,
    ActionName.INCLUDE,
    ActionName.LINK,
    ActionName.REFRESH,
    ActionName.FORCE,
    ActionName.EXCLUDE,
    ActionName.UNLINK,
)
"""What decides something first, what only looks or parts last."""
_SIDED = (ActionName.RESOLVE, ActionName.FORCE)

assert set(_ORDER) == set(ActionName)


def offered(record: Record, flow: FlowRules) -> list[dict[str, Any]]:
    """The actions by name, each with the sides it may take and whether it has to be confirmed in any case."""
    found = []
    for name in _ORDER:
        takes = tuple(Side) if name in _SIDED else (None,)
        wishes = [Action(id="", record=record.id, name=name, by="", at=record.since, take=take) for take in takes]
        fitting = [wish for wish in wishes if why_not(record, wish, flow) is None]
        if fitting:
            sides = [wish.take.value for wish in fitting if wish.take is not None]
            found.append({"name": name.value, "sides": sides, "risky": risk(record, fitting[0]) is not None})
    return found
