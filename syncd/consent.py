"""What connecting and disconnecting a connection means for the syncs that use it, for whoever owns the state.

Disconnecting pauses flows; which ones is remembered with the state, so that connecting again resumes those and no
others: what a person had paused stays paused, and so does what another disconnected connection holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from syncd.connectors.base import Account, Authorization, Condition, ConnectionTrouble
from syncd.controls import control, is_paused
from syncd.core.rules import SyncRules
from syncd.engine import Engine
from syncd.errors import UsageError
from syncd.health import Health
from syncd.store.store import Tx

ACTIONS = ("disconnect", "reconnected")
Flow = tuple[str, str]
"""A sync's and a flow's name."""


async def carry_out(engine: Engine, health: Health, action: str, name: str) -> dict[str, object]:
    """Carry out one of `ACTIONS`; returns the account, which flows were paused or resumed, and how it is.

    Raises:
        UsageError: no such action or connection, or one that a fixed token opens.
        ConnectionTrouble: the vendor cannot be told; its flows are paused, nothing else happened.
    """
    if action not in ACTIONS:
        raise UsageError(f"there is no action “{action}”; possible are {', '.join(ACTIONS)}")
    authorization = _authorization(engine, name)
    account: Account | None = None
    if action == "disconnect":
        flows = await _disconnect(engine, health, authorization, name)
    else:
        flows, account = await _reconnected(engine, health, authorization, name)
    row = health.rows[name]
    return {
        "connection": name,
        "action": action,
        "account_name": account.name if account else None,
        "flows": [f"{sync} {flow}" for sync, flow in flows],
        "state": row.condition,
        "words": row.words,
    }


async def _disconnect(engine: Engine, health: Health, authorization: Authorization, name: str) -> Sequence[Flow]:
    now = engine.clock.now()
    # Paused first: whatever happens to the rest, nothing is written through a connection somebody wants to leave.
    paused = await engine.store.write(lambda tx: pause_all(tx, engine.syncs, name, now))
    await authorization.withdraw()
    await _trouble(health, name, ConnectionTrouble(Condition.AUTHORIZATION_LOST, _disconnected(name)))
    return paused


async def _reconnected(
    engine: Engine, health: Health, authorization: Authorization, name: str
) -> tuple[Sequence[Flow], Account | None]:
    now, account = engine.clock.now(), None
    authorization.reread()
    try:
        account = await engine.connectors[name].account()
    except ConnectionTrouble as trouble:
        await _trouble(health, name, trouble)
    else:
        row = health.rows[name]
        health.rows[name] = replace(row, account_id=row.account_id or account.id, account_name=account.name)
        await health.success(name)
    return await engine.store.write(lambda tx: resume_all(tx, engine.syncs, name, now)), account


async def _trouble(health: Health, name: str, trouble: ConnectionTrouble) -> None:
    trouble.connection = name
    await health.trouble(trouble)


def pause_all(tx: Tx, syncs: Sequence[SyncRules], name: str, now: datetime) -> list[Flow]:
    """Pause every flow that uses the connection; returns all that it holds now."""
    held = {flow for other in _used(syncs) for flow in _remembered(tx, other)}
    own = [
        (sync.name, flow.name)
        for sync in syncs
        if name in (sync.left, sync.right)
        for flow in sync.flows
        if (sync.name, flow.name) in held or not is_paused(tx, sync.name, flow.name)
    ]
    for sync_name, flow_name in own:
        control(tx, "pause", sync_name, flow_name, now)
    _remember(tx, name, own)
    return own


def resume_all(tx: Tx, syncs: Sequence[SyncRules], name: str, now: datetime) -> list[Flow]:
    """Resume what disconnecting has paused; returns it."""
    others = {flow for other in _used(syncs) if other != name for flow in _remembered(tx, other)}
    own = [flow for flow in _remembered(tx, name) if flow not in others]
    for sync_name, flow_name in own:
        control(tx, "resume", sync_name, flow_name, now)
    _remember(tx, name, [])
    return own


def _authorization(engine: Engine, name: str) -> Authorization:
    if name not in engine.connectors:
        raise UsageError(f"there is no connection “{name}”; there is {', '.join(engine.connectors)}")
    authorization = engine.connectors[name].authorization
    if authorization is None:
        raise UsageError(fixed_token(name))
    return authorization


def fixed_token(name: str) -> str:
    """Why a connection with a fixed token is neither connected nor disconnected here."""
    return (
        f"{name} uses a fixed token: end it at the vendor, `syncd pause` stops its flows; to connect it here, take "
        f"token out of [connections.{name}] and give client_id and client_secret"
    )


def _disconnected(name: str) -> str:
    return f"disconnected: run `syncd connect {name}` to go on"


def _used(syncs: Sequence[SyncRules]) -> set[str]:
    return {name for sync in syncs for name in (sync.left, sync.right)}


def _remembered(tx: Tx, name: str) -> list[Flow]:
    return msgspec.json.decode(tx.meta(_key(name)) or "[]", type=list[Flow])


def _remember(tx: Tx, name: str, flows: Sequence[Flow]) -> None:
    tx.set_meta(_key(name), msgspec.json.encode(flows).decode())


def _key(name: str) -> str:
    return f"disconnected:{name}"
