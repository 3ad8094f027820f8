"""Tells a state that is older than what was done: one that was put back, by whatever hand.

Each life of a state has a name. It is in the state and, among the secrets, outside of it, where nothing is ever rolled
back. It changes with every start and now and then while things are written, so an older state has a name that is over.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from syncd.clock import Chance
from syncd.connectors.settings import TokenKeeper
from syncd.store.backups import EPOCH
from syncd.store.store import Store, Tx

log = structlog.get_logger("syncd.state")

OWN = ""
"""Under what the name is kept among the secrets: no connection has an empty name."""
SINCE = "restored"
"""The fact that holds since when an old state is being caught up with; empty once it is."""
RENEW_SECONDS = 60.0


class Incarnation:
    """The name of a state's present life."""

    def __init__(self, store: Store, keeper: TokenKeeper, chance: Chance) -> None:
        self._store = store
        self._keeper = keeper
        self._chance = chance

    async def recognise(self, now: datetime) -> bool:
        """Whether this state is older than what was done; notes it in the state, and gives it a new name either way."""
        said = await self._store.read(lambda tx: tx.meta(EPOCH))
        known = (await self._keeper.get(EPOCH) or "").split()
        old = said not in known if known else said is not None
        if old:
            log.warning("state.restored")
        await self._rename(said, now if old else None)
        return old

    async def renew(self) -> None:
        """From now on a copy made before is an older state."""
        await self._rename(await self._store.read(lambda tx: tx.meta(EPOCH)), None)

    async def _rename(self, said: str | None, restored: datetime | None) -> None:
        # Whenever the process dies, the state has one of the names that are known outside of it; and that it was
        # restored is in the state before its name is.
        new = self._chance.new_id()

        def noted(tx: Tx) -> None:
            if restored is not None:
                tx.doubt_everything(restored)
                tx.set_meta(SINCE, restored.isoformat())
            tx.set_meta(EPOCH, new)

        if restored is None:
            await self._keeper.put(EPOCH, f"{said} {new}" if said else new)
        else:
            known = await self._keeper.get(EPOCH) or ""
            await self._keeper.put(EPOCH, f"{known} {new}")
        await self._store.write(noted)
        await self._keeper.put(EPOCH, new)
