"""The plan as people and files have it: JSON with everything it says, and the checks before one is applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from syncd.core.cost import Cost
from syncd.core.planned import Entry, Moved
from syncd.core.rules import SyncRules
from syncd.errors import UsageError
from syncd.model.record import Op
from syncd.model.values import digest
from syncd.rehearsal import Rehearsed
from syncd.store.rows import NOTE

SCHEMA = 1
LASTS = timedelta(hours=24)
_CHECKSUM = "checksum"
_OPS = tuple(op.value for op in Op)
_GROUPS = ("failed", "excluded", "pending")


class PlanRefused(UsageError):
    """The file is no plan that may be applied here and now; the message says why and what to do."""


def document(
    rehearsed: Rehearsed,
    syncs: Sequence[SyncRules],
    flows: Mapping[str, Sequence[str]],
    costs: Mapping[str, Cost],
    warnings: Sequence[str],
    version: str,
) -> dict[str, Any]:
    """The plan of these syncs. `flows` says which of each sync's flows it is about."""
    entries = [e for e in rehearsed.entries if e.flow in flows.get(e.sync, ())]
    used = sorted({name for sync in syncs for name in (sync.left, sync.right)})
    plan = {
        "schema": SCHEMA,
        "version": version,
        "created_at": rehearsed.at.isoformat(),
        "expires_at": (rehearsed.at + LASTS).isoformat(),
        "connections": [
            {
                "name": name,
                "account_id": rehearsed.accounts[name].id,
                "account": rehearsed.accounts[name].name,
                "calls": costs[name].calls,
                "seconds": costs[name].seconds,
            }
            for name in used
        ],
        "syncs": [_sync(rehearsed, sync, flows[sync.name], entries) for sync in syncs],
        "warnings": list(warnings),
        "failed": [
            {"sync": r.sync, "flow": r.flow, "label": r.label, "code": r.code, "words": r.words}
            for r in rehearsed.failed
            if r.flow in flows.get(r.sync, ())
        ],
        "entries": msgspec.to_builtins(entries),
    }
    return {**plan, _CHECKSUM: digest(plan)}


def _sync(rehearsed: Rehearsed, sync: SyncRules, flows: Sequence[str], entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "name": sync.name,
        "recipe": sync.recipe,
        "left": sync.left,
        "right": sync.right,
        "flows": [_flow(rehearsed, sync.name, flow, entries) for flow in flows],
    }


def _flow(rehearsed: Rehearsed, sync: str, flow: str, entries: Sequence[Entry]) -> dict[str, Any]:
    writes = Counter(entry.op for entry in entries if (entry.sync, entry.flow) == (sync, flow))
    codes: dict[str, dict[str, int]] = {group: {} for group in _GROUPS}
    for row in rehearsed.counts:
        # What only waits for one of the plan's own writes is no news.
        if (row.sync, row.flow) == (sync, flow) and row.status in codes and row.code not in ("queued", NOTE):
            codes[row.status][row.code] = row.n
    linked = rehearsed.linked.get((sync, flow), 0)
    return {"name": flow, **{op: writes[op] for op in _OPS}, "linked": linked, **codes}


def read(raw: object, connections: Mapping[str, str], now: datetime) -> list[Entry]:
    """The entries of a plan file, if it may be applied.

    Args:
        connections: the account each configured connection opens now.

    Raises:
        PlanRefused: no plan, of another release, changed, too old, or for other accounts.
    """
    plan = raw if isinstance(raw, dict) else {}
    if "schema" not in plan or _CHECKSUM not in plan:
        raise PlanRefused("this is no plan; make one with `syncd plan --out plan.json`")
    if plan["schema"] != SCHEMA:
        raise PlanRefused(f"the plan has the format {plan['schema']}, this release knows {SCHEMA}; make a new one")
    if _sum({name: value for name, value in plan.items() if name != _CHECKSUM}) != plan[_CHECKSUM]:
        raise PlanRefused("the plan was changed after it was made; make a new one with `syncd plan --out`")
    try:
        made = msgspec.convert(plan, _Plan)
    except msgspec.ValidationError as error:
        raise PlanRefused(f"this is no plan of ours: {error}; make one with `syncd plan --out plan.json`") from error
    if not made.created_at <= now < made.expires_at:
        raise PlanRefused(f"the plan expired at {plan['expires_at']}; make a new one with `syncd plan --out`")
    for one in made.connections:
        if connections.get(one.name) != one.account_id:
            found = connections.get(one.name, "nothing")
            words = f"{one.name} opens {found}, the plan was made for {one.account_id}"
            raise PlanRefused(f"{words}; make a new one with `syncd plan --out`")
    return list(made.entries)


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Account(msgspec.Struct):
    name: str
    account_id: str


class _Plan(msgspec.Struct):
    """As much of a plan as applying it needs."""

    created_at: _Moment
    expires_at: _Moment
    connections: tuple[_Account, ...]
    entries: tuple[Entry, ...]


def _sum(content: object) -> str | None:
    try:
        return digest(content)
    except (TypeError, ValueError, RecursionError):  # with something in it that no plan has
        return None


def moved_entries(moved: Sequence[Moved], syncs: Sequence[SyncRules]) -> list[dict[str, Any]]:
    """What is not carried out, as it is told."""
    sides = {sync.name: {"left": sync.left, "right": sync.right} for sync in syncs}
    return [
        {
            "sync": one.entry.sync,
            "flow": one.entry.flow,
            "label": one.entry.label,
            "op": one.entry.op,
            "connection": one.entry.connection,
            "words": one.words.format(**sides.get(one.entry.sync, {"left": "left", "right": "right"})),
        }
        for one in moved
    ]
