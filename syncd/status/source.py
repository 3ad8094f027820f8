"""What the status side needs from whoever runs it: the daemon, or a command when none is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from syncd.clock import Clock
from syncd.config import Config
from syncd.connectors.base import Quota
from syncd.core.rules import SyncRules
from syncd.meters import Meters
from syncd.store.store import Store


class StatusSource(Protocol):
    """Everything is read, but for what a person tells a flow."""

    @property
    def store(self) -> Store: ...

    @property
    def config(self) -> Config: ...

    @property
    def version(self) -> str: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def syncs(self) -> Sequence[SyncRules]:
        """The syncs with their flows, as they are worked by."""

    @property
    def labels(self) -> Mapping[str, str]:
        """What people call each connection: connection name -> text like `HubSpot (crm)`."""

    async def control(self, action: str, sync: str, flow: str | None, breaker: str | None = None) -> dict[str, object]:
        """Pause, resume or release a flow, or all flows of a sync.

        Raises:
            UsageError: there is no such action, sync or flow.
        """

    def quotas(self) -> Mapping[str, Quota]:
        """What is left of the day's calls, for connections whose vendor has said so."""

    def expiries(self) -> Mapping[str, datetime]:
        """When the access token of each connection that has one ends, as far as that is known."""

    def condition(self) -> Mapping[str, Any]:
        """How the daemon itself is; see `syncd.situation`."""

    def ring(self) -> None:
        """Something was asked of a record: it is to be looked at now."""

    def ready(self) -> tuple[bool, str]:
        """Whether requests can be answered, and why not."""


class Plans(Protocol):
    """What `planning.Planner` does."""

    async def plan(self, sync: str | None, flow: str | None) -> dict[str, Any]: ...

    async def apply(self, raw: object) -> dict[str, Any]: ...

    async def outcome(self) -> dict[str, int]: ...


class Owner(StatusSource, Protocol):
    """Whoever owns the state, and with it the connections' tokens."""

    @property
    def planner(self) -> Plans: ...

    @property
    def meters(self) -> Meters: ...

    async def backfill(self, sync: str, flow: str | None, since: datetime) -> dict[str, object]:
        """Begin to let in the history of a flow, or of all flows that have one, from a moment on.

        Raises:
            UsageError: there is no such sync or flow, or nothing is kept out of it for its age.
        """

    async def backfills(self) -> dict[str, object]:
        """How far the backfills have come."""

    async def connection(self, action: str, name: str) -> dict[str, object]:
        """Disconnect a connection, or take in that a person has connected it anew.

        Raises:
            UsageError: there is no such action or connection, or it has a fixed token.
            ConnectionTrouble: the vendor cannot be told.
        """
