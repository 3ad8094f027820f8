"""From counts and connections to the status people and monitors read. Pure; the shape is public and versioned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from syncd.connectors.base import Quota
from syncd.core.breakers import told as told_of
from syncd.core.rules import SyncRules
from syncd.model.connection import ConnectionRow
from syncd.model.record import Status
from syncd.store.rows import NOTE, CountRow, HourRow, Tripped

SCHEMA = 1

NEEDS_PERSON = frozenset({"authorization_lost", "account_changed", "permission_missing", "other_sync"})
"""Conditions of a connection that time does not cure: a sync on such a connection stands."""

NEVER_MET = "new"
"""The state of a connection that no answer ever came from."""

_BY_CODE = {
    Status.FAILED.value: "categories",
    Status.EXCLUDED.value: "reasons",
    Status.PENDING.value: "waiting",
    NOTE: "notes",
}


def status(
    counts: Iterable[CountRow],
    connections: Mapping[str, ConnectionRow],
    vendors: Mapping[str, str],
    syncs: Sequence[SyncRules],
    version: str,
    now: datetime,
    told: Mapping[tuple[str, str], str] | None = None,
    storage: Mapping[str, object] | None = None,
    quotas: Mapping[str, Quota] | None = None,
    daemon: Mapping[str, Any] | None = None,
    held: Sequence[tuple[Tripped, int]] = (),
    language: str = "en",
) -> dict[str, Any]:
    """The answer of `/api/v1/status`.

    Args:
        vendors: every configured connection, met or not. told: flows that a person paused or released.
        storage: the room on the disk. quotas: what is left of the day's calls, where that is known.
        daemon: how the daemon itself is.
        held: circuit breakers that hold something, each with how many records. language: of their figures.
    """
    rows = list(counts)
    breakers: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row, n in held:
        breakers.setdefault((row.sync, row.flow), []).append(_breaker(row, n, language))
    return {
        "schema": SCHEMA,
        "as_of": moment(now),
        "version": version,
        "syncs": [
            _sync(sync, [row for row in rows if row.sync == sync.name], connections, told or {}, breakers)
            for sync in syncs
        ],
        "connections": [
            connection(name, vendor, connections.get(name), (quotas or {}).get(name))
            for name, vendor in vendors.items()
        ],
        "storage": dict(storage or {}),
        "daemon": dict(daemon or {}),
    }


def connection(name: str, vendor: str, row: ConnectionRow | None, quota: Quota | None = None) -> dict[str, Any]:
    """One connection as the status shows it."""
    return {
        "name": name,
        "vendor": vendor,
        "account": (row.account_name or row.account_id) if row else None,
        "state": _condition(row),
        "since": moment(row.since) if row else None,
        "quota": quota and {"limit": quota.limit, "remaining": quota.remaining, "resets_at": moment(quota.resets_at)},
    }


def connection_details(
    name: str,
    vendor: str,
    row: ConnectionRow | None,
    quota: Quota | None = None,
    *,
    fixed: bool = False,
    expires: datetime | None = None,
) -> dict[str, Any]:
    """One connection with all that is known of it, as `/api/v1/connections` shows it.

    Args:
        fixed: its token was made by hand. expires: when the one it has ends; it is renewed before.
    """
    return {
        **connection(name, vendor, row, quota),
        "account_id": row.account_id if row else None,
        "words": row.words if row else "",
        "retry_at": moment(row.retry_at) if row else None,
        "last_success": moment(row.last_success) if row else None,
        "token": "fixed" if fixed else "granted",
        "token_expires_at": moment(expires),
    }


def history(
    kept: Iterable[HourRow], counts: Iterable[CountRow], syncs: Sequence[SyncRules], since: datetime, now: datetime
) -> dict[str, Any]:
    """The answer of `/api/v1/history`: a series for each flow and status; the last point of each is now."""
    rows = [*kept, *(HourRow(now, row.sync, row.flow, row.status, row.n) for row in counts if row.status != NOTE)]
    hours = sorted({row.hour for row in rows} | {now})
    totals: Counter[tuple[datetime, str, str, str]] = Counter()
    for row in rows:
        totals[row.hour, row.sync, row.flow, row.status] += row.n
    named = [(hour, moment(hour)) for hour in hours]
    return {
        "since": moment(since),
        "series": [
            {
                "sync": sync.name,
                "flow": flow.name,
                "status": status.value,
                "points": [
                    {"hour": name, "n": totals[hour, sync.name, flow.name, status.value]} for hour, name in named
                ],
            }
            for sync in syncs
            for flow in sync.flows
            for status in Status
        ],
    }


def moment(at: datetime | None) -> str | None:
    """A time as everything outside shows it: ISO 8601 in UTC, whole seconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _sync(
    sync: SyncRules,
    counts: Sequence[CountRow],
    connections: Mapping[str, ConnectionRow],
    told: Mapping[tuple[str, str], str],
    breakers: Mapping[tuple[str, str], list[dict[str, Any]]],
) -> dict[str, Any]:
    sides = [connections.get(sync.left), connections.get(sync.right)]
    return {
        "name": sync.name,
        "recipe": sync.recipe,
        "left": sync.left,
        "right": sync.right,
        "state": _state(sides),
        "last_success": moment(_last_success(sides)),
        "flows": [
            _flow(
                flow.name,
                str(flow.direction),
                told.get((sync.name, flow.name), ""),
                [row for row in counts if row.flow == flow.name],
                breakers.get((sync.name, flow.name), []),
            )
            for flow in sync.flows
        ],
    }


def _breaker(row: Tripped, records: int, language: str) -> dict[str, Any]:
    title, figures = told_of(row.breaker, row.figures, language)
    return {
        "breaker": row.breaker.value,
        "title": title,
        "figures": figures,
        "since": moment(row.since),
        "records": records,
    }


def _flow(
    name: str, direction: str, told: str, counts: Sequence[CountRow], held: list[dict[str, Any]]
) -> dict[str, Any]:
    state = "off" if direction == "off" else told or "running"
    totals = {status.value: 0 for status in (Status.SYNCED, Status.PENDING, Status.FAILED, Status.EXCLUDED)}
    codes: dict[str, dict[str, int]] = {group: {} for group in _BY_CODE.values()}
    for row in sorted(counts, key=lambda row: (-row.n, row.code)):
        if row.status in totals:
            totals[row.status] += row.n
        if row.status in _BY_CODE and row.n:
            codes[_BY_CODE[row.status]][row.code] = row.n
    return {"name": name, "direction": direction, "state": state, **totals, **codes, "held": held}


def _state(sides: Sequence[ConnectionRow | None]) -> str:
    """`stopped`: a person must act on a connection; `waiting`: it comes back by itself; `new`: not begun."""
    conditions = {_condition(side) for side in sides}
    if conditions & NEEDS_PERSON:
        return "stopped"
    if conditions <= {"ok", NEVER_MET}:
        return NEVER_MET if NEVER_MET in conditions else "running"
    return "waiting"


def _condition(row: ConnectionRow | None) -> str:
    met = row is not None and (row.condition != "ok" or row.account_id is not None)
    return str(row.condition) if row is not None and met else NEVER_MET


def _last_success(sides: Sequence[ConnectionRow | None]) -> datetime | None:
    """A sync is as fresh as the staler of its two sides."""
    times = [side.last_success for side in sides if side is not None and side.last_success is not None]
    return min(times) if len(times) == len(sides) else None
