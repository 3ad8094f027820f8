"""From a configuration to the parts of the engine: rules, connectors, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from syncd import recipes
from syncd.clock import Chance, Clock
from syncd.config import Config, Connection, secret
from syncd.connectors import hubspot, quickbooks
from syncd.connectors.base import Connector, MappedField
from syncd.connectors.http import Transport
from syncd.connectors.oauth import Issuer
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.connectors.webhooks import Verify
from syncd.core.rules import FlowRules, Row, SyncRules
from syncd.errors import ConfigError, Problem
from syncd.meters import Metered, Meters
from syncd.model.references import Side
from syncd.model.values import digest
from syncd.store.store import Store, Tx

CONNECTORS: Mapping[str, Callable[..., Connector]] = {"hubspot": hubspot.connect, "quickbooks": quickbooks.connect}
WEBHOOKS: Mapping[str, Callable[[ConnectionSettings], Verify]] = {
    "hubspot": hubspot.verifier,
    "quickbooks": quickbooks.verifier,
}
ISSUERS: Mapping[str, Callable[..., Issuer]] = {"hubspot": hubspot.issuer, "quickbooks": quickbooks.issuer}
CLOSED = "closed"  # a direction that is off; opened again, it starts at that moment: to catch up, pause instead


async def rules_of(config: Config, name: str, store: Store, clock: Clock, *, owner: bool) -> SyncRules:
    """One sync's rules. Its start, and when its directions were opened, are remembered by whoever owns the state."""
    section = config.raw["syncs"][name]
    if not owner:
        return recipes.build(name, section, config.syncs[name].start or clock.now())
    start = config.syncs[name].start or await _first_start(name, store, clock)
    sync = recipes.build(name, section, start)
    opened = await store.write(lambda tx: _directions(tx, sync, clock.now()))
    return replace(sync, flows=tuple(replace(flow, opened=opened[flow.name]) for flow in sync.flows))


async def _first_start(name: str, store: Store, clock: Clock) -> datetime:
    # Without a date of its own a sync starts at the moment of its first run, and that never moves.
    key, now = f"start:{name}", clock.now()

    def remembered(tx: Tx) -> str:
        known = tx.meta(key)
        if known is None:
            known = now.isoformat()
            tx.set_meta(key, known)
        return known

    return datetime.fromisoformat(await store.write(remembered))


def _directions(tx: Tx, sync: SyncRules, now: datetime) -> dict[str, dict[Side, datetime]]:
    """When each direction was opened, if that was after the sync's first run; noted the first time it is seen open."""
    begun = f"begun:{sync.name}"
    first_run = tx.meta(begun) is None
    opened: dict[str, dict[Side, datetime]] = {flow.name: {} for flow in sync.flows}
    for flow in sync.flows:
        for side in Side:
            key = f"opened:{sync.name}:{flow.name}:{side}"
            moment = tx.meta(key)
            if not flow.direction.allows(side):
                tx.set_meta(key, CLOSED)
                continue
            if moment is None or moment == CLOSED:
                moment = "" if first_run else now.isoformat()
                tx.set_meta(key, moment)
            if moment:
                opened[flow.name][side] = datetime.fromisoformat(moment)
    tx.set_meta(begun, "1")
    return opened


def fitted(sync: SyncRules, connectors: Mapping[str, Connector]) -> SyncRules:
    """The rules without mappings to fields a connection has no place for."""

    def kept(flow: FlowRules, row: Row) -> bool:
        absent = {side: connectors[sync.connection(side)].traits.absent for side in Side}
        return all(row.path(side) not in absent[side].get(flow.kind, ()) for side in Side)

    return replace(sync, flows=tuple(_with_rows(f, tuple(r for r in f.rows if kept(f, r))) for f in sync.flows))


def _with_rows(flow: FlowRules, rows: tuple[Row, ...]) -> FlowRules:
    # A field that gets a place later is a change of rules, and is noticed as one.
    names = [row.name for row in rows]
    return replace(flow, rows=rows, digest=digest({"rules": flow.digest, "rows": names}))


def connectors_of(
    config: Config,
    settings: Mapping[str, ConnectionSettings],
    keeper: Callable[[str], TokenKeeper],
    clock: Clock,
    chance: Chance,
    network: Callable[[], Transport],
    meters: Meters,
) -> dict[str, Connector]:
    """A connector for each connection.

    Raises:
        ConfigError: a connection lacks what its vendor needs; all of them at once.
    """
    made: dict[str, Connector] = {}
    problems: list[Problem] = []
    for name, own in settings.items():
        try:
            made[name] = CONNECTORS[own.vendor](
                own, Metered(network(), name, meters, clock), clock, chance, keeper(name)
            )
        except ValueError as error:
            problems.append(config.problem(("connections", name), str(error), "add what is missing"))
    if problems:
        raise ConfigError(problems)
    return made


def settings_of(
    name: str, connection: Connection, fields: tuple[MappedField, ...] = (), shown: tuple[str, ...] = ()
) -> ConnectionSettings:
    """A connection as its connector is given it, with the custom fields that mappings use and the syncs it shows."""
    return ConnectionSettings(
        name=name,
        vendor=connection.vendor,
        url=connection.url,
        token=secret(connection.token),
        client_id=connection.client_id,
        client_secret=secret(connection.client_secret),
        refresh_token=secret(connection.refresh_token),
        webhook_secrets=tuple(each.get_secret_value() for each in connection.webhook_secrets),
        account=connection.account,
        options=connection.options,
        fields=fields,
        shown=shown,
    )
