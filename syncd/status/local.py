"""The status read straight from the state, for commands when no daemon runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from syncd import recipes
from syncd.approvals import tell
from syncd.clock import Clock, SystemClock
from syncd.config import DATABASE_FILE, Config
from syncd.connectors.base import Quota
from syncd.core.rules import SyncRules
from syncd.errors import UsageError
from syncd.situation import Situation
from syncd.status.source import StatusSource
from syncd.store.secrets import Secrets
from syncd.store.store import Store

VENDOR_NAMES = {"hubspot": "HubSpot", "quickbooks": "QuickBooks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSource:
    """A `StatusSource` over an open store."""

    store: Store
    config: Config
    clock: Clock
    version: str
    syncs: tuple[SyncRules, ...]
    labels: Mapping[str, str]

    async def control(self, action: str, sync: str, flow: str | None, breaker: str | None = None) -> dict[str, object]:
        rules, now = known(self.syncs, sync, flow), self.clock.now()
        return await self.store.write(lambda tx: tell(tx, action, rules, flow, now, breaker))

    def quotas(self) -> Mapping[str, Quota]:
        return {}  # nobody is asked

    def expiries(self) -> Mapping[str, datetime]:
        return {}

    def condition(self) -> Mapping[str, Any]:
        return Situation().plain()

    def ring(self) -> None:
        """Nobody is there to hear it: it is carried out by the next run."""

    def ready(self) -> tuple[bool, str]:
        return True, ""


@asynccontextmanager
async def opened(config: Config, environ: Mapping[str, str]) -> AsyncIterator[StatusSource]:
    """Open the state for reading while the block runs.

    Raises:
        UsageError: there is no state yet. It is not made here: it would belong to whoever asks.
        StoreError: the state cannot be used.
    """
    if not config.daemon.database and not (config.state_dir / DATABASE_FILE).exists():
        raise UsageError(f"{config.state_dir} holds no state yet; begin with `syncd once` or `syncd run`")
    given = environ.get("CREDENTIALS_DIRECTORY")
    secrets = await Secrets.open(config.state_dir, Path(given) if given else None)
    store = await Store.open(config.database_url, cipher=secrets.cipher)
    try:
        clock = SystemClock()
        starts = await store.read(lambda tx: {name: tx.meta(f"start:{name}") for name in config.syncs})
        yield LocalSource(
            store=store,
            config=config,
            clock=clock,
            version=version("syncd"),
            syncs=tuple(_rules(config, name, starts[name], clock) for name in config.syncs),
            labels=labels(config),
        )
    finally:
        await store.close()


def _rules(config: Config, name: str, remembered: str | None, clock: Clock) -> SyncRules:
    """A sync's rules; without a start in the file it is the remembered moment of the first run."""
    first = datetime.fromisoformat(remembered) if remembered else clock.now()
    return recipes.build(name, config.raw["syncs"][name], config.syncs[name].start or first)


def known(syncs: Sequence[SyncRules], sync: str, flow: str | None) -> SyncRules:
    """The sync of this name, which has the flow if one is named.

    Raises:
        UsageError: says which there are.
    """
    flows = {one.name: [f.name for f in one.flows] for one in syncs}
    if sync not in flows:
        raise UsageError(f"there is no sync “{sync}”; there is {', '.join(flows)}")
    if flow is not None and flow not in flows[sync]:
        raise UsageError(f"{sync} has no flow “{flow}”; it has {', '.join(flows[sync])}")
    return next(one for one in syncs if one.name == sync)


def labels(config: Config) -> dict[str, str]:
    """What people call each connection: the vendor, and the name it has in the file."""
    return {name: f"{VENDOR_NAMES[connection.vendor]} ({name})" for name, connection in config.connections.items()}
