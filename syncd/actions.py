"""Taking in what a person asks of records: checked against what is known, written down, and left to the next turn.

Everything enters by the one door: the action's row and a hint to look at the record stand in one transaction, so it
survives a restart, and several of one record are carried out in the order they were asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncd.core.actions import removal, risk, why_not
from syncd.core.content import compared_rows
from syncd.core.decision import Case, Context
from syncd.core.facts import Facts, SideFacts
from syncd.core.plan import plan
from syncd.core.rules import FlowRules, SyncRules
from syncd.errors import BadArguments, Inapplicable, KeyReused, NoRecord, Unconfirmed, UsageError
from syncd.model.action import Action, ActionName
from syncd.model.record import Change, Priority, Record
from syncd.model.references import EntityRef, Side
from syncd.store.store import Tx

_AS_SEEN = frozenset({ActionName.EXCLUDE, ActionName.UNLINK, ActionName.ACCEPT})
"""Carried out on what the person saw: no vendor is asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An action as it is told, before anything is looked up.

    Attributes:
        by: who asks: `cli <user>`, `token <name>` or `page`.
        take, fields: sides, as `left`, `right` or a connection's name.
        entity: for a link the vendor's id; other: or the id of the record that holds it.
    """

    name: ActionName
    by: str
    take: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    entity: str | None = None
    other: str | None = None
    confirmed: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a wish: the actions that were written down, and the records it does not fit, with why."""

    actions: list[Action] = field(default_factory=list)
    refused: dict[str, UsageError] = field(default_factory=dict)


def ask(
    tx: Tx, syncs: Sequence[SyncRules], ids: Sequence[str], wish: Wish, now: datetime, new_id: Callable[[], str]
) -> Told:
    """Ask the same of some records. A wish under a key that was told before is not told again.

    Raises:
        KeyReused: the key stands for something else.
    """
    told, known = Told(), {} if wish.key is None else _told_before(tx, wish, wish.key, ids)
    records, queued = tx.records(ids), tx.open_actions(ids)
    hints: list[Change] = []
    for id in dict.fromkeys(ids):
        if id in known:
            told.actions.append(known[id])
            continue
        try:
            record, sync = _find(records.get(id), syncs, id)
            action = _action(tx, sync, record, wish, now, new_id)
            if id not in queued:  # else what it stands like when its turn comes cannot be known yet
                _check(tx, sync, record, action)
        except UsageError as error:
            told.refused[id] = error
            continue
        tx.add_actions([action])
        told.actions.append(action)
        hints += _hints(sync, record, action, now)
        if record.left is None and record.right is None:
            tx.bring_forward([id], now)
    tx.put_changes(hints)
    return told


def _told_before(tx: Tx, wish: Wish, key: str, ids: Sequence[str]) -> dict[str, Action]:
    known = {action.record: action for action in tx.actions_with_key(wish.by, key)}
    if any(action.name is not wish.name for action in known.values()) or not (known.keys() <= set(ids)):
        raise KeyReused("this idempotency key was told for another action or another record; use a new one")
    return known


def _find(record: Record | None, syncs: Sequence[SyncRules], id: str) -> tuple[Record, SyncRules]:
    for sync in syncs:
        if record is not None and record.sync == sync.name and any(flow.name == record.flow for flow in sync.flows):
            return record, sync
    raise NoRecord(f"no record of a configured flow has the id {id!r}")


def _action(tx: Tx, sync: SyncRules, record: Record, wish: Wish, now: datetime, new_id: Callable[[], str]) -> Action:
    """The wish with its words looked up.

    Raises:
        UsageError: they mean nothing here.
    """
    take = None if wish.take is None else _side(sync, wish.take)
    fields = {name: _side(sync, text) for name, text in wish.fields.items()}
    if wish.name is ActionName.FORCE and take is None:
        raise BadArguments("from: say whose values go over, left or right")
    if wish.name is ActionName.RESOLVE:
        _check_chosen(record, sync.flow(record.flow), take, fields)
    return Action(
        id=new_id(),
        record=record.id,
        name=wish.name,
        by=wish.by,
        at=now,
        confirmed=wish.confirmed,
        take=take,
        fields=fields,
        entity=_entity(tx, sync, record, wish) if wish.name is ActionName.LINK else None,
        key=wish.key,
    )


def _side(sync: SyncRules, text: str) -> Side:
    names = {"left": Side.LEFT, "right": Side.RIGHT, sync.left: Side.LEFT, sync.right: Side.RIGHT}
    if text not in names:
        raise BadArguments(f"{text!r} is no side: left ({sync.left}) or right ({sync.right})")
    return names[text]


def _check_chosen(record: Record, flow: FlowRules, take: Side | None, fields: Mapping[str, Side]) -> None:
    known = {row.name for row in compared_rows(flow)}
    if strange := sorted(fields.keys() - known):
        raise BadArguments(f"fields: there is no {', '.join(strange)}; there is {', '.join(sorted(known))}")
    held = known.intersection(record.words.split(", "))
    if take is None and (not fields or held - fields.keys()):
        missing = ", ".join(sorted(held - fields.keys())) or "the record"
        raise BadArguments(f"take: choose a side, left or right, for {missing} too")


def _entity(tx: Tx, sync: SyncRules, record: Record, wish: Wish) -> str:
    """The vendor id to be joined, free as far as we know."""
    if (wish.entity is None) == (wish.other is None):
        raise BadArguments("say either the id the missing half has at its vendor, or the record that holds it")
    there = Side.LEFT if record.left is None else Side.RIGHT
    if wish.entity is not None:
        entity = wish.entity
    else:
        other = tx.records([wish.other or ""]).get(wish.other or "")
        found = other.entity(there) if other is not None else None
        if other is None or found is None or (other.sync, other.flow) != (record.sync, record.flow):
            raise BadArguments(f"record: {wish.other!r} is no record of {record.flow} with a half in "
                               f"{sync.connection(there)}")  # fmt: skip
        entity = found
    holder = tx.records_of_entities(sync.name, record.flow, there, [entity]).get(entity)
    if holder is not None and holder.id != record.id and holder.entity(there.other) is not None:
        raise Inapplicable(f"{sync.connection(there)} {entity} belongs to {holder.label or holder.id} already")
    return entity


def _check(tx: Tx, sync: SyncRules, record: Record, action: Action) -> None:
    """Refuse at once what is known not to fit, and what cannot be undone unless that is wanted.

    Raises:
        Inapplicable: why. Unconfirmed: what would happen.
    """
    if (no := why_not(record, action, sync.flow(record.flow))) is not None:
        raise Inapplicable(f"{record.label or record.id}: {no}")
    if action.confirmed or action.name in _AS_SEEN:
        return
    if (lost := risk(record, action) or _foreseen(tx, sync, record, action)) is not None:
        raise Unconfirmed(f"{record.label or record.id}: {lost}; this cannot be undone and has to be confirmed")


def _foreseen(tx: Tx, sync: SyncRules, record: Record, action: Action) -> str | None:
    """What would be removed, decided on what is stored; None when it takes a vendor to say that (removals do not)."""
    flow = sync.flow(record.flow)
    refs = {side: EntityRef(sync.connection(side), flow.kind, id) for side in Side if (id := record.entity(side))}
    seen = tx.snapshots(list(refs.values()))
    snapshots = {side: seen.get(ref) for side, ref in refs.items()}
    asked = (replace(action, confirmed=True),)
    case = Case(record=record, left=snapshots.get(Side.LEFT), right=snapshots.get(Side.RIGHT), asked=asked)
    facts = Facts(sides={side: SideFacts() for side in Side})
    try:
        return removal(plan(case, Context(sync=sync, flow=flow, facts=facts, now=action.at)))
    except Exception:  # noqa: BLE001 - facts are missing, or nobody can decide it: open to a person's word all the same
        return None


def _hints(sync: SyncRules, record: Record, action: Action, now: datetime) -> list[Change]:
    kind = sync.flow(record.flow).kind
    cause = "seen" if action.name in _AS_SEEN else "person"
    return [
        Change(ref=EntityRef(sync.connection(side), kind, id), cause=cause, priority=Priority.PERSON, due_at=now)
        for side in Side
        if (id := record.entity(side)) is not None
    ]
