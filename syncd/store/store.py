"""The store: transactions over everything that is remembered.

A transaction body is a plain synchronous function of a `Tx`. Nothing can be awaited inside one, so a transaction never
lasts longer than its own statements. It runs in a thread beside all other tasks, so a body touches nothing they change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from sqlalchemy import Connection, make_url

from syncd.store import migrate
from syncd.store.copying import copy_state
from syncd.store.database import Database, Inline, Life
from syncd.store.pulse import Pulse
from syncd.store.seal import Cipher, Seal
from syncd.store.tx_actions import ActionsPart
from syncd.store.tx_activity import ActivityPart
from syncd.store.tx_approvals import ApprovalsPart
from syncd.store.tx_audit import AuditPart
from syncd.store.tx_backfills import BackfillsPart
from syncd.store.tx_breakers import BreakersPart
from syncd.store.tx_changes import ChangesPart
from syncd.store.tx_connections import ConnectionsPart
from syncd.store.tx_deliveries import DeliveriesPart
from syncd.store.tx_doubts import DoubtsPart
from syncd.store.tx_entities import EntitiesPart
from syncd.store.tx_erasure import ErasurePart
from syncd.store.tx_intents import IntentsPart
from syncd.store.tx_listing import ListingPart
from syncd.store.tx_shown import ShownPart
from syncd.store.tx_times import TimesPart
from syncd.store.tx_tokens import TokensPart
from syncd.store.tx_watch import WatchPart

T = TypeVar("T")


class Tx(
    ApprovalsPart,
    BackfillsPart,
    BreakersPart,
    ConnectionsPart,
    ChangesPart,
    DeliveriesPart,
    EntitiesPart,
    ListingPart,
    IntentsPart,
    ActivityPart,
    ActionsPart,
    TokensPart,
    TimesPart,
    AuditPart,
    ShownPart,
    ErasurePart,
    DoubtsPart,
    WatchPart,
):
    """One transaction. Its parts are split by table group over the `tx_*` modules."""


class Store:
    """Where the state lives. Made by `open` and given back by `close`."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    @classmethod
    async def open(cls, url: str, *, cipher: Cipher | None = None, inline: bool = False) -> Store:
        """Open a database and bring its schema to this release.

        Args:
            url: `sqlite:////absolute/path` or `postgresql://...`.
            cipher: encrypts field values in the activity and the bodies of requests.
            inline: run everything on the caller's stack on one SQLite connection (`sqlite://` is one in memory); for
                simulations.

        Raises:
            StoreError: the state cannot be used; says why.
        """
        parsed = make_url(url)
        database: Database
        if inline:
            database = Inline(parsed)
            await database.write(migrate.upgrade)
        else:
            await anyio.to_thread.run_sync(migrate.prepare, parsed)
            database = Life(parsed)
        return cls(database, Seal(cipher))

    @property
    def pulse(self) -> Pulse:
        """Whether its writer moves."""
        return self._database.pulse

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a body that only reads; it sees one moment of the state."""
        return await self._database.read(self._body(work))

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a body in the one writing transaction of the moment: all of it is stored durably, or none of it."""
        return await self._database.write(self._body(work))

    async def copy(self, path: Path) -> Store:
        """A state of its own in a new file, as this one is at this moment. Whoever asks closes it and removes it."""
        await self._database.read(lambda connection: copy_state(connection, path))
        await anyio.to_thread.run_sync(migrate.prepare, made := make_url(f"sqlite:///{path}"))
        return Store(Life(made), self._seal)

    async def scrub(self) -> None:
        """Leave nothing of what was deleted in the database's files. Rewrites all of it: seconds for a large state."""
        await self._database.scrub()

    async def close(self) -> None:
        await self._database.close()

    def _body(self, work: Callable[[Tx], T]) -> Callable[[Connection], T]:
        return lambda connection: work(Tx(connection, self._seal))
