"""`syncd remap`: mappings are not retroactive unless a person asks for it.

The preview looks at what the state knows of both sides, so it asks no vendor for records. To carry it out, the fields
are noted as unmet in both bases and the records are due: the turn then decides as if both values met for the first
time, with the flow's direction and conflict rule, and writes through the outbox as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from syncd.connectors.base import ConnectionTrouble
from syncd.controls import release
from syncd.core.conflict import UNMET, Flowing
from syncd.core.content import project
from syncd.core.decision import Case, Context
from syncd.core.facts import Facts
from syncd.core.outcome import Settled
from syncd.core.reconcile import met_anew
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine
from syncd.model.breaker import Breaker
from syncd.model.content import Content, shown
from syncd.model.record import FieldChange, Record
from syncd.model.references import EntityRef, Side
from syncd.model.snapshot import Presence
from syncd.store.store import Tx

ACTION = "remap"
PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Remapped:
    """One record that a remap would change.

    Attributes:
        names: the mappings concerned. changes: what would be written, on which side.
        problems: words on what cannot be said over there or waits for a person, by mapping.
    """

    record: Record
    names: tuple[str, ...]
    changes: tuple[FieldChange, ...]
    problems: tuple[tuple[str, str], ...]

    def to_plain(self) -> dict[str, object]:
        """For JSON."""
        return {
            "id": self.record.id,
            "flow": self.record.flow,
            "label": self.record.label,
            "changes": [
                {"field": one.field, "side": one.side and str(one.side), "old": one.old, "new": one.new}
                for one in self.changes
            ],
            "problems": [{"field": name, "words": words} for name, words in self.problems],
        }


async def preview(engine: Engine, sync: str, flows: tuple[str, ...]) -> list[Remapped]:
    """What a remap of these flows would change, as far as the state knows both sides."""
    await _learn(engine)
    rules = next(one for one in engine.syncs if one.name == sync)
    return await engine.store.read(lambda tx: [found for name in flows for found in _all(tx, engine, rules, name)])


async def mark(engine: Engine, sync: str, flow: str) -> dict[str, object]:
    """Have it carried out; returns how many records are due for it."""
    rules, now = next(one for one in engine.syncs if one.name == sync), engine.clock.now()

    def marked(tx: Tx) -> int:
        release(tx, sync, flow, (Breaker.CHANGES, Breaker.RULES), now)  # a person has seen what it changes
        found = [replace(_unmet(one), next_at=now) for one in _all(tx, engine, rules, flow)]
        tx.save_records(found)
        return len(found)

    return {"sync": sync, "flow": flow, "action": ACTION, "records": await engine.store.write(marked)}


async def _learn(engine: Engine) -> None:
    # How vendors show mapped fields again is part of what counts as equal; without them it is as they were last told.
    for name, connector in engine.connectors.items():
        try:
            engine.accounts[name] = await connector.account()
        except ConnectionTrouble:
            continue


def _all(tx: Tx, engine: Engine, sync: SyncRules, name: str) -> Iterator[Remapped]:
    flow, after = sync.flow(name), None
    context = Context(sync=sync, flow=flow, facts=Facts(sides=engine.side_facts(sync)), now=engine.clock.now())
    while True:
        page = tx.list_records(sync=sync.name, flow=name, after=after, limit=PAGE)
        for case in _cases(tx, sync, flow, page.rows):
            if (found := _one(case, context)) is not None:
                yield found
        after = page.next
        if after is None:
            return


def _cases(tx: Tx, sync: SyncRules, flow: FlowRules, records: list[Record]) -> Iterator[Case]:
    """The records that were agreed on once and stand on both sides."""
    agreed = [r for r in records if r.left and r.right and r.left_base is not None and r.right_base is not None]
    refs = {(r.id, s): EntityRef(sync.connection(s), flow.kind, r.entity(s) or "") for r in agreed for s in Side}
    known = tx.snapshots(list(refs.values()))
    for record in agreed:
        left, right = (known.get(refs[record.id, side]) for side in Side)
        if all(one is not None and one.noun is not None and one.presence is Presence.PRESENT for one in (left, right)):
            yield Case(record=record, left=left, right=right)


def _one(case: Case, context: Context) -> Remapped | None:
    found = met_anew(case, context)
    flowing = [(name, one) for name, one in found.items() if isinstance(one, Flowing)]
    changes = [
        FieldChange(field=name, old=_now(case, context, name, side), new=shown(values[name]), side=side)
        for name, one in flowing
        for side, values in one.to.items()
        if name in values
    ]
    problems = [(name, f"{one.code}: {one.words}") for name, one in found.items() if isinstance(one, Settled)]
    problems += [(name, "conflict_held") for name, one in flowing if one.held]
    if not found:
        return None
    return Remapped(record=case.record, names=tuple(found), changes=tuple(changes), problems=tuple(problems))


def _now(case: Case, context: Context, name: str, side: Side) -> str | None:
    snapshot = case.side(side)
    assert snapshot is not None
    return shown(project(snapshot, context.flow, side).fields.get(name))


def _unmet(found: Remapped) -> Record:
    record = found.record
    marks = Content(fields={UNMET + name: True for name in found.names})
    left, right = ((record.base(side) or Content()).without(found.names).patched(marks) for side in Side)
    return replace(record, left_base=left, right_base=right)
