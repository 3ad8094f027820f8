"""Changes: hints to look at an entity soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import Dialect, Select, bindparam, case, delete, func, literal, or_, select, union_all, update

from syncd.model.record import Change, IntentState, Priority
from syncd.model.references import EntityRef, Kind
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import TxPart, unindexed
from syncd.store.columns import UtcDateTime
from syncd.store.many import Row, each, same, upserted

_table = schema.changes
_KEY = ("connection", "kind", "id", "generation")
_URGENT = _table.c.priority < Priority.POLL.value
_AT_HAND = [literal("seen"), literal("kept")]
_PUT = upserted(
    _table,
    lambda new: {
        "generation": _table.c.generation + 1,
        "cause": case(
            (or_(new.cause.in_(_AT_HAND), _table.c.cause == literal("erase")), _table.c.cause), else_=new.cause
        ),
        "priority": case((new.priority < _table.c.priority, new.priority), else_=_table.c.priority),
        "due_at": case((new.due_at < _table.c.due_at, new.due_at), else_=_table.c.due_at),
    },
)
_FINISH = each(delete(_table).where(*same(_table, _KEY)))
# Asked first: most of the time there is nothing to do.
_ANY_DUE = Asked(lambda _: select(_table.c.id).where(_table.c.due_at <= bindparam("now")).limit(1))
_DUE = {
    urgent: Asked(
        lambda within, urgent=urgent: (
            select(_table)  # type: ignore[misc]
            .where(_table.c.kind == bindparam("kind"), within(unindexed(_table.c.connection), "connections"))
            .where(_URGENT if urgent else ~_URGENT, _table.c.due_at <= bindparam("now"))
            .order_by(_table.c.priority, _table.c.due_at, _table.c.connection, _table.c.id)
            .limit(bindparam("most"))
        )
    )
    for urgent in (True, False)
}
_POSTPONE = each(update(_table).where(*same(_table, _KEY)).values(due_at=bindparam("later")))


class ChangesPart(TxPart):
    """Table `changes`."""

    def put_changes(self, changes: Sequence[Change]) -> None:
        """Add hints. One that is there already counts up and keeps the most urgent priority and the earliest time.

        The last cause stays, but for `seen` and `kept`: what is at hand may be older than what another hint is about.
        An `erase` always stays.
        """
        _PUT.run(self._connection, [_row_of(change) for change in changes])

    def due_changes(self, connections: Sequence[str], now: datetime, limit: int) -> list[Change]:
        """What is due: urgent hints first, then parents before children, the oldest first.

        A child decided before its parents are known would be decided on less than there is, e.g. an invoice line on
        the fallback product because the product stood further down.
        """
        found: list[Change] = []
        if not connections or not _ANY_DUE.rows(self._connection, now=now):
            return found
        for urgent in (True, False):
            for kind in Kind:
                found += self._due(connections, now, kind, urgent=urgent, limit=limit - len(found))
        return found

    def _due(self, connections: Sequence[str], now: datetime, kind: Kind, *, urgent: bool, limit: int) -> list[Change]:
        rows = _DUE[urgent].rows(self._connection, kind=kind.value, connections=list(connections), now=now, most=limit)
        return [
            Change(
                ref=EntityRef(row.connection, kind, row.id),
                cause=row.cause,
                priority=Priority(row.priority),
                due_at=row.due_at,
                generation=row.generation,
            )
            for row in rows
        ]

    def finish_changes(self, changes: Sequence[Change]) -> None:
        """Remove hints that were followed, unless a newer hint has arrived since they were claimed."""
        _FINISH.run(self._connection, [_claim(change) for change in changes])

    def postpone_changes(self, changes: Sequence[Change], due_at: datetime) -> None:
        """Look again later, unless a newer hint has arrived since they were claimed."""
        _POSTPONE.run(self._connection, [{**_claim(change), "later": due_at} for change in changes])

    def next_due(self, connections: Sequence[str]) -> datetime | None:
        """When something has to be done next; may lie in the past.

        Counts changes and intents of these connections, and records of all syncs. An intent that is out counts only
        with a time of its own.
        """
        dialect = self._connection.dialect
        found = self._connection.exec_driver_sql(_next_due(dialect, tuple(connections))).scalar()
        moment: datetime | None = UtcDateTime().process_result_value(found, dialect)
        return moment


@lru_cache(maxsize=16)
def _next_due(dialect: Dialect, connections: tuple[str, ...]) -> str:
    """The statement, as text: SQLAlchemy's own work on two dozen parts would cost far more than the database does."""
    changes, intents, records = schema.changes, schema.intents, schema.records
    queries: list[Select[Any]] = [select(func.min(records.c.next_at)).where(records.c.next_at.is_not(None))]
    # One step into the index each; a minimum over all of them would read the table.
    for kind, priority in product(Kind, Priority):
        first = (
            select(changes.c.due_at)
            .where(changes.c.kind == kind.value, changes.c.priority == priority.value)
            .where(unindexed(changes.c.connection).in_(connections))
            .order_by(changes.c.due_at)
            .limit(1)
        )
        queries.append(select(first.subquery().c.due_at))
    queries.append(
        select(func.min(func.coalesce(intents.c.not_before, intents.c.created_at)))
        .where(intents.c.connection.in_(connections))
        .where(or_(intents.c.state == IntentState.OPEN.value, intents.c.not_before.is_not(None)))
    )
    every = union_all(*(select(query.subquery().columns.values()[0].label("due")) for query in queries)).subquery()
    earliest = select(func.min(every.c.due))
    return str(earliest.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _key(change: Change) -> Row:
    ref = change.ref
    return {"connection": ref.connection, "kind": ref.kind.value, "id": ref.id, "generation": change.generation}


def _row_of(change: Change) -> Row:
    return {**_key(change), "cause": change.cause, "priority": change.priority.value, "due_at": change.due_at}


def _claim(change: Change) -> Row:
    return {f"key_{name}": value for name, value in _key(change).items()}
