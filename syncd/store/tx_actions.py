"""What people asked of records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from syncd.model.action import Action, ActionName, ActionState
from syncd.model.references import Side
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import TxPart, chunks

_table = schema.actions
_OPEN = Asked(lambda within: select(_table).where(within(_table.c.record), schema.IS_OPEN).order_by(_table.c.number))


class ActionsPart(TxPart):
    """Table `actions`."""

    def add_actions(self, actions: Sequence[Action]) -> None:
        """Write down, in this order.

        Raises:
            sqlalchemy.exc.IntegrityError: the same person's key for the same record a second time.
        """
        if actions:
            self._connection.execute(insert(_table), [_row_of(action) for action in actions])

    def open_actions(self, records: Sequence[str]) -> dict[str, tuple[Action, ...]]:
        """What is asked of these records and not carried out yet, by record, in the order it was asked."""
        found: dict[str, list[Action]] = defaultdict(list)
        for chunk in chunks(records):
            for row in _OPEN.rows(self._connection, listed=chunk):
                found[row.record].append(_action_of(row))
        return {record: tuple(listed) for record, listed in found.items()}

    def actions_with_key(self, by: str, key: str) -> list[Action]:
        """What this person has asked under this idempotency key."""
        query = select(_table).where(_table.c.by == by, _table.c.key == key).order_by(_table.c.number)
        return [_action_of(row) for row in self._connection.execute(query)]

    def end_actions(self, ended: Sequence[tuple[str, ActionState, str]], at: datetime) -> None:
        """Note what came of actions, as id, state and words."""
        rows = [{"key_id": id, "state": state.value, "outcome": outcome} for id, state, outcome in ended]
        if rows:
            statement = update(_table).where(_table.c.id == bindparam("key_id"))
            self._connection.execute(statement.values(ended_at=at), rows)

    def drop_actions(self, until: datetime) -> None:
        """Forget those that ended before this."""
        self._connection.execute(delete(_table).where(_table.c.ended_at < until))


def _row_of(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "record": action.record,
        "name": action.name.value,
        "by": action.by,
        "at": action.at,
        "confirmed": action.confirmed,
        "arguments": {
            "take": action.take,
            "fields": dict(action.fields),
            "entity": action.entity,
        },
        "key": action.key,
        "state": action.state.value,
        "outcome": action.outcome,
        "ended_at": None,
    }


def _action_of(row: Any) -> Action:
    told = row.arguments
    return Action(
        id=row.id,
        record=row.record,
        name=ActionName(row.name),
        by=row.by,
        at=row.at,
        confirmed=row.confirmed,
        take=None if told["take"] is None else Side(told["take"]),
        fields={name: Side(side) for name, side in told["fields"].items()},
        entity=told["entity"],
        key=row.key,
        state=ActionState(row.state),
        outcome=row.outcome,
    )
