"""What wakes a record that was refused, besides a change of its own entities: the catalogue's word for it, applied."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.catalogue import Wakes, entry
from syncd.model.references import Kind, MatchKey
from syncd.model.values import Value
from syncd.model.waiting import on_account, on_key

_TAKEN = {"duplicate_display_name": "name", "duplicate_document_number": "number"}
"""Which of the refused values somebody else has."""


def woken_by(code: str, connection: str, kind: Kind, values: Mapping[str, Value]) -> str | None:
    """The event that cures a refusal, as `Record.waits_for`; None where only its own entities or a person can.

    Args:
        connection: where it was refused. values: what was to be written there.
    """
    match entry(code).wakes:
        case Wakes.SETTINGS:
            return on_account(connection)
        case Wakes.KEY:
            field = _TAKEN.get(code, "")
            value = values.get(field)
            return on_key(connection, kind, MatchKey(field, str(value))) if value else None
    return None
