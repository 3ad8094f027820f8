"""Meeting the accounts: is it still the one we know, what does it allow now, and does nobody else do our work there?

An account's settings are read at the first contact of a process, every hour, and soon after a refusal that they, as we
know them, do not explain. When they have changed, what waits for that wakes. A right shows in no setting: of what was
refused for want of one, one record is tried every hour, and where that goes through, so are the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from syncd.connectors.base import Account, Condition, ConnectionTrouble, Connector
from syncd.connectors.errand import Errand, on
from syncd.engine import Engine, account_from_plain, account_to_plain
from syncd.health import Health
from syncd.model.connection import ConnectionRow
from syncd.model.waiting import on_account
from syncd.store.store import Tx

log = structlog.get_logger("syncd.connection")

PREPARED = "2"  # raised when connectors need more on an account than before
EVERY = 3600.0  # seconds between two looks at an account's settings
SOON = 60.0  # the same after a refusal
BARRED = "permission_missing"
OWN = ("prepared", "alone")  # what we remember with an account that is no setting of it


@dataclass(slots=True)
class Accounts:
    """All accounts of an engine.

    Args:
        pinned: the account each connection must open, where the configuration says so.
    """

    engine: Engine
    health: Health
    pinned: Mapping[str, str | None]
    _seen: dict[str, float] = field(default_factory=dict)
    _anew: set[str] = field(default_factory=set)
    _tried: dict[str, float] = field(default_factory=dict)

    def remember(self) -> None:
        """Go by what we knew of the accounts: a vendor that is down at start must not stop us from planning."""
        for name, row in self.health.rows.items():
            if row.account_id is not None and "currency" in row.settings:
                plain = {key: value for key, value in row.settings.items() if key not in OWN}
                self.engine.accounts[name] = account_from_plain(plain)

    def forget(self, name: str) -> None:
        """A person has connected or disconnected it: the next contact compares the account anew."""
        self._seen.pop(name, None)
        self._anew.add(name)

    async def meet(self, name: str) -> None:
        """Look at the account, if it is time.

        Raises:
            ConnectionTrouble: it is another account, somebody else syncs it, or it cannot be reached.
        """
        if not self._due(name):
            return
        with on(Errand(probe=not self.health.fine(name))):
            await self._meet(name)

    async def _meet(self, name: str) -> None:
        connector, row = self.engine.connectors[name], self.health.rows[name]
        self._same(row, self.pinned.get(name), "the configuration names")
        account = await connector.account()
        self._same(row, account.id, "the credentials open")
        settings = {**account_to_plain(account), **{name: row.settings.get(name) for name in OWN}}
        settings["alone"] = await self._alone(connector, row)
        needed = " ".join([PREPARED, *sorted(connector.traits.shows)])
        if settings["prepared"] != needed:
            await connector.prepare(self.engine.kinds(name))
            settings["prepared"] = needed
        await self._keep(replace(row, account_id=account.id, account_name=account.name, settings=settings), account)

    def _tries(self, name: str) -> bool:
        now = self.engine.clock.monotonic()
        if now - self._tried.get(name, -EVERY) < EVERY:
            return False
        self._tried[name] = now
        return True

    def _due(self, name: str) -> bool:
        if name not in self._seen or name not in self.engine.accounts:
            return True
        wait = SOON if name in self.engine.doubted else EVERY
        return self.engine.clock.monotonic() - self._seen[name] >= wait

    async def _alone(self, connector: Connector, row: ConnectionRow) -> str:
        """When we last saw that nobody else syncs the account."""
        before, now = row.settings.get("alone"), self.engine.clock.now()
        known = before and row.condition != Condition.OTHER_SYNC
        if known and (now - datetime.fromisoformat(str(before))).total_seconds() < EVERY:
            return str(before)
        if signs := await connector.other_syncs():
            raise ConnectionTrouble(Condition.OTHER_SYNC, "; ".join(signs))
        return now.isoformat()

    def _same(self, row: ConnectionRow, id: str | None, who: str) -> None:
        if row.account_id is not None and id not in (None, row.account_id):
            raise ConnectionTrouble(Condition.ACCOUNT_CHANGED, f"pinned to {row.account_id}, {who} {id}")

    async def _keep(self, row: ConnectionRow, account: Account) -> None:
        name, now = row.name, self.engine.clock.now()
        # Who connects anew may do so to get a right that no setting shows.
        news = name in self._anew or self.engine.accounts.get(name) != account
        self.health.rows[name] = row
        trying = not news and self._tries(name)

        def keep(tx: Tx) -> int:
            tx.save_connection(row)
            if trying and (first := tx.first_waiting(on_account(name), BARRED)) is not None:
                tx.bring_forward([first], now)
                self.engine.barred.setdefault(name, set()).add(first)
            return tx.wake([on_account(name)], now) if news else 0

        if count := await self.engine.store.write(keep):
            log.info("account.changed", connection=name, woken=count)
        self.engine.accounts[name] = account
        self.engine.doubted.discard(name)
        self._anew.discard(name)
        self._seen[name] = self.engine.clock.monotonic()
