"""What circuit breakers count, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, delete, func, select

from syncd.model.breaker import Breaker, Tally
from syncd.model.waiting import held_by
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import TxPart
from syncd.store.many import upserted
from syncd.store.rows import Tripped

_tallies, _breakers = schema.tallies, schema.breakers
_COUNTS = ("removals", "creates", "changes", "ruled", "documents")
_ADD = upserted(_tallies)
_TRIP = upserted(_breakers)
_SINCE = Asked(
    lambda _: select(_tallies).where(
        _tallies.c.sync == bindparam("sync"), _tallies.c.flow == bindparam("flow"), _tallies.c.at >= bindparam("since")
    )
)
_TRIPPED = Asked(lambda _: select(_breakers).order_by(_breakers.c.sync, _breakers.c.flow, _breakers.c.breaker))


class BreakersPart(TxPart):
    """Tables `tallies` and `breakers`."""

    def tallies(self, sync: str, flow: str, since: datetime) -> list[tuple[datetime, Tally]]:
        """What went out of a flow from then on."""
        return [
            (row.at, Tally(**{name: getattr(row, name) for name in _COUNTS}, money=Decimal(row.money)))
            for row in _SINCE.rows(self._connection, sync=sync, flow=flow, since=since)
        ]

    def add_tally(self, sync: str, flow: str, at: datetime, tally: Tally) -> None:
        """Count more under this moment, which several turns may share."""
        query = select(_tallies).where(_tallies.c.sync == sync, _tallies.c.flow == flow, _tallies.c.at == at)
        for row in self._connection.execute(query):
            tally += Tally(**{name: getattr(row, name) for name in _COUNTS}, money=Decimal(row.money))
        _ADD.run(self._connection, [{"sync": sync, "flow": flow, "at": at, **asdict(tally), "money": str(tally.money)}])

    def drop_tallies(self, before: datetime) -> None:
        """Forget what went out before that time."""
        self._connection.execute(delete(_tallies).where(_tallies.c.at < before))

    def tripped(self, sync: str | None = None) -> list[Tripped]:
        """Breakers that hold something or were released, of one sync or of all."""
        return [
            Tripped(row.sync, row.flow, Breaker(row.breaker), row.since, row.figures, row.released_until)
            for row in _TRIPPED.rows(self._connection)
            if sync in (None, row.sync)
        ]

    def trip(self, rows: Sequence[Tripped]) -> None:
        """Remember them, or what is new of them."""
        _TRIP.run(self._connection, [asdict(row) | {"breaker": row.breaker.value} for row in rows])

    def forget_breakers(self, rows: Sequence[Tripped]) -> None:
        """They hold nothing any more."""
        for row in rows:
            same = (_breakers.c.sync == row.sync, _breakers.c.flow == row.flow, _breakers.c.breaker == row.breaker)
            self._connection.execute(delete(_breakers).where(*same))

    def held_records(self, row: Tripped) -> int:
        """How many records a breaker holds."""
        waits_for = held_by(row.sync, row.flow, row.breaker)
        query = select(func.count()).where(schema.records.c.waits_for == waits_for, schema.records.c.code == "held")
        return self._connection.scalar(query) or 0
