"""How each connection is: its trouble is shown on it, never on ten thousand records, and logged when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from syncd.clock import Clock
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.model.connection import ConnectionRow
from syncd.model.waiting import on_account
from syncd.store.store import Store, Tx

log = structlog.get_logger("syncd.connection")

FIRST_WAIT = 2.0  # seconds until an unreachable vendor is tried again; doubled each time
LONGEST_WAIT = 60.0  # a vendor that is down is asked once a minute at most
PERSON_WAIT = 3600.0  # what only a person can cure is looked at once an hour
FINAL = frozenset(
    {
        Condition.AUTHORIZATION_LOST,
        Condition.ACCOUNT_CHANGED,
        Condition.PERMISSION_MISSING,
        Condition.OTHER_SYNC,
    }
)


@dataclass(slots=True)
class Health:
    """The conditions of all connections, kept in the store so that the status page can show them."""

    store: Store
    clock: Clock
    rows: dict[str, ConnectionRow] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)

    async def load(self, vendors: dict[str, str]) -> None:
        """Read what is known of the connections; new ones start as fine. A restart tries everything at once."""
        known = {row.name: row for row in await self.store.read(lambda tx: tx.connections())}
        for name, vendor in vendors.items():
            self.rows[name] = replace(known.get(name, ConnectionRow(name=name, vendor=vendor)), retry_at=None)

    def usable(self, name: str) -> bool:
        """Whether the connection may be called now; if it was in trouble, by a poll, which finds out how it is."""
        row = self.rows[name]
        return row.retry_at is None or row.retry_at <= self.clock.now()

    def known(self, name: str) -> bool:
        """Whether the connection still leads to the account it was pinned to, as far as we know."""
        return self.rows[name].condition != Condition.ACCOUNT_CHANGED

    def fine(self, name: str) -> bool:
        """Whether the connection is in no trouble: the condition for all work but polls."""
        return self.rows[name].condition == Condition.OK

    async def trouble(self, trouble: ConnectionTrouble) -> None:
        """Note that a connection cannot be used, and when it is tried again."""
        name, now = trouble.connection, self.clock.now()
        if trouble.condition in FINAL:
            wait = PERSON_WAIT
        else:
            wait = min(LONGEST_WAIT, self.waits.get(name, FIRST_WAIT / 2) * 2)
            self.waits[name] = wait
        wait = max(wait, trouble.retry_after or 0.0)
        row = self.rows[name]
        changed = row.condition != trouble.condition
        row = replace(
            row, condition=str(trouble.condition), words=trouble.words, retry_at=now + timedelta(seconds=wait)
        )
        if changed:
            row = replace(row, since=now)
            log.warning("connection.unreachable", connection=name, condition=str(trouble.condition))
        await self._save(row)

    async def success(self, name: str) -> None:
        """Note that a connection answered."""
        row, now, woken = self.rows[name], self.clock.now(), list[str]()
        self.waits.pop(name, None)
        if row.condition != Condition.OK:
            down = (now - row.since).total_seconds() if row.since is not None else 0.0
            log.info("connection.back", connection=name, condition=row.condition, down_for=round(down))
            if row.condition in FINAL:
                woken = [on_account(name)]  # somebody has granted a right, or connected it anew
            row = replace(row, condition=str(Condition.OK), words="", since=now, retry_at=None)
        await self._save(replace(row, last_success=now, retry_at=None), woken)

    def shift(self, step: timedelta) -> None:
        """The clock was set: whoever is left alone for a while is so no longer than was meant."""
        for name, row in self.rows.items():
            if row.retry_at is not None:
                self.rows[name] = replace(row, retry_at=row.retry_at + step)

    async def _save(self, row: ConnectionRow, woken: Sequence[str] = ()) -> None:
        self.rows[row.name] = row
        now = self.clock.now()

        def keep(tx: Tx) -> None:
            tx.save_connection(row)
            tx.wake(woken, now)

        await self.store.write(keep)
