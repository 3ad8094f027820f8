"""A little closed world for decisions: two vendors in memory, the real recipe and core, writes settled as they are.

Nothing is timed and nothing is asked over a wire: a pass decides every record there is and carries the commands out at
once, until a pass changes nothing. What a test says about the daemon's loop is left to the tests of turn and outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from syncd.core.content import match_keys, project, rules_by_row
from syncd.core.decision import Case, Command, Context, Decision
from syncd.core.facts import Facts, FindKey, Missing, Needs, SideFacts
from syncd.core.lifecycle import failed, pending, synced
from syncd.core.normalise import base_after_write
from syncd.core.plan import plan
from syncd.core.rules import FlowRules, SyncRules
from syncd.core.variance import ACCEPTED
from syncd.model.action import Action, ActionName, ActionState
from syncd.model.content import Content
from syncd.model.nouns import Party
from syncd.model.record import Activity, Intent, Op, Record
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from tests.unit.core.builders import LEFT, NOW, RIGHT, invoice, rules
from tests.unit.core.vendor_double import Vendor

ANN = Party(email="ann@example.com", first_name="Ann", last_name="Lee")
ROUNDS = 16  # look-ups one after the other: a quarter of what a turn allows
PASSES = 25
USUAL = rules()
SIDES = {
    LEFT: SideFacts(strong_line_ids=True, splits_payments=False),
    RIGHT: SideFacts(strong_line_ids=False),
}


@dataclass(slots=True)
class World:
    """Two vendors and the state between them."""

    sync: SyncRules = USUAL
    sides: dict[Side, SideFacts] = field(default_factory=lambda: dict(SIDES))
    left: Vendor = field(default_factory=lambda: Vendor(LEFT, strong=True))
    right: Vendor = field(default_factory=lambda: Vendor(RIGHT, strong=False))
    records: dict[str, Record] = field(default_factory=dict)
    activity: list[Activity] = field(default_factory=list)
    asked: dict[str, tuple[Action, ...]] = field(default_factory=dict)
    ended: dict[str, tuple[ActionState, str]] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    now: datetime = NOW
    most_rounds: int = 0
    _ids: Any = field(default_factory=lambda: count(1))

    @property
    def writes(self) -> int:
        return self.left.writes + self.right.writes

    def vendor(self, side: Side) -> Vendor:
        return self.left if side is LEFT else self.right

    # -- what a test looks at

    def record(self, flow: str, id: str) -> Record:
        """The record that holds an entity, by the entity's id."""
        (found,) = (r for r in self.records.values() if r.flow == flow and id in (r.left, r.right))
        return found

    def standing(self, flow: str, id: str) -> tuple[str, str]:
        """Its status and code."""
        record = self.record(flow, id)
        return record.status.value, record.code

    def twin(self, flow: str, id: str) -> Any:
        """What the counterpart of an entity shows."""
        record = self.record(flow, id)
        side = RIGHT if record.left == id else LEFT
        return self.vendor(side).noun(self.sync.flow(flow).kind, record.entity(side) or "")

    def words(self, event: str) -> list[Activity]:
        return [entry for entry in self.activity if entry.event == event]

    def ask(self, record: Record, name: str, **told: Any) -> tuple[ActionState, str]:
        """A person asks something of a record and everything follows; what came of it."""
        given = {"by": "cli ann", "at": self.now} | told
        action = Action(id=f"{next(self._ids):032x}", record=record.id, name=ActionName(name), **given)
        self.asked[record.id] = (*self.asked.get(record.id, ()), action)
        self.intents = {id: i for id, i in self.intents.items() if i.record != record.id}
        self.run()
        return self.ended[action.id]

    # -- the loop

    def run(self) -> int:
        """Pass after pass until nothing changes; returns the number of writes."""
        before = self.writes
        for _ in range(PASSES):
            was, written = dict(self.records), self.writes
            self.decide_all()
            self.carry_out()
            if self.writes == written and self._same(was):
                return self.writes - before
        raise AssertionError(f"never quiet: {[(r.flow, r.label, r.code, r.words) for r in self.records.values()]}")

    def _same(self, was: Mapping[str, Record]) -> bool:
        return {id: replace(r, since=NOW) for id, r in was.items()} == {
            id: replace(r, since=NOW) for id, r in self.records.items()
        }

    def decide_all(self) -> None:
        """Decide every record there is, and one for every entity that has none yet, parents first."""
        self.now += timedelta(minutes=1)
        for flow in self.sync.flows:
            for record in [r for r in self.records.values() if r.flow == flow.name]:
                if record.id in self.records:
                    self.decide(flow, self.records[record.id], stored=True)
            for side in Side:
                for id in list(self.vendor(side).all(flow.kind)):
                    if self._holder(flow.name, side, id) is None:
                        self.decide(flow, self._stub(flow, side, id), stored=False)

    def decide(self, flow: FlowRules, record: Record, *, stored: bool = True) -> Decision:
        """Decide one record, bringing what is asked for, and store what was decided."""
        decision = self.planned(flow, record, stored=stored)
        made = replace(decision.record, rules_digest=flow.digest)
        if decision.folds is not None:
            self.records.pop(decision.folds, None)
            self.intents = {id: i for id, i in self.intents.items() if i.record not in (decision.folds, made.id)}
        self.records[made.id] = made
        self.records |= {half.id: half for half in decision.splits}
        self.asked.pop(record.id, None)
        self.ended |= {id: (state, words) for id, state, words in decision.ended}
        self.activity.extend(decision.activity)
        for wanted in decision.wants:
            self.records[wanted] = replace(self.records[wanted], wanted=True)
        for command in decision.commands:
            self._intend(made, command)
        return decision

    def planned(self, flow: FlowRules, record: Record, *, stored: bool = True) -> Decision:
        """What would be decided, with every fact that is asked for."""
        facts = Facts(sides=self.sides)
        context = Context(sync=self.sync, flow=flow, facts=facts, now=self.now)
        sides = [self.vendor(s).entities.get((flow.kind, record.entity(s) or "")) for s in Side]
        asked = self.asked.get(record.id, ())
        case = Case(record=record, left=sides[0], right=sides[1], stored=stored, asked=asked)
        for rounds in range(ROUNDS + 1):
            try:
                decision = plan(case, context)
            except Missing as missing:
                self._bring(missing.needs, facts)
            else:
                self.most_rounds = max(self.most_rounds, rounds)
                return decision
        raise AssertionError(f"more than {ROUNDS} rounds of questions")

    def carry_out(self) -> None:
        """Carry out every intent, and settle what came of it as the outbox does."""
        for intent in list(self.intents.values()):
            if intent.id in self.intents:
                self._settle(intent)

    def _settle(self, intent: Intent) -> None:
        vendor, record = self.vendor(intent.side), self.records[intent.record]
        del self.intents[intent.id]
        if vendor.denies is not None:
            self.intents = {id: other for id, other in self.intents.items() if other.record != record.id}
            self.records[record.id] = failed(record, vendor.denies, "no", self.now)
            return
        id = vendor.apply(_command(intent), record.marker)
        for side, content in self._bases(intent, vendor.entities[intent.kind, id]).items():
            record = replace(record, **{f"{side}_base": (record.base(side) or Content()).patched(content)})
        if intent.op is Op.CREATE:
            record = replace(record, **{intent.side.value: id})
        if not any(other.record == record.id for other in self.intents.values()):
            record = synced(record, self.now, notes=[note for note in record.notes if note == ACCEPTED])
        self.records[record.id] = record

    def _bases(self, intent: Intent, answered: Snapshot) -> dict[Side, Content]:
        patch, flow = dict(intent.patch), self.sync.flow(intent.flow)
        if intent.side in patch:
            shown = None if answered.noun is None else project(answered, flow, intent.side)
            named = rules_by_row(flow, intent.side, self.sides[intent.side].normalisers.get(intent.kind, {}))
            patch[intent.side] = base_after_write(patch[intent.side], shown, named, intent.op is Op.CREATE)
        return patch

    def _intend(self, record: Record, command: Command) -> None:
        taken = {(i.side, i.kind, i.natural_key) for i in self.intents.values() if i.op is Op.CREATE}
        if command.op is Op.CREATE and (command.side, command.kind, command.natural_key) in taken:
            self.records[record.id] = pending(record, "waits_parent", self.now)
            return
        id = f"intent{next(self._ids)}"
        self.intents[id] = Intent(
            id=id,
            record=record.id,
            sync=self.sync.name,
            flow=record.flow,
            connection=self.sync.connection(command.side),
            created_at=self.now,
            **{f.name: getattr(command, f.name) for f in fields(command)},
        )

    def _stub(self, flow: FlowRules, side: Side, id: str) -> Record:
        record = Record(id=f"{next(self._ids):032x}", sync=self.sync.name, flow=flow.name, since=self.now)
        if id.startswith("fallback:"):
            return replace(record, key=id, origin=RIGHT)
        return replace(record, left=id) if side is LEFT else replace(record, right=id)

    def _holder(self, flow: str, side: Side, id: str) -> Record | None:
        return next((r for r in self.records.values() if r.flow == flow and r.entity(side) == id), None)

    # -- facts

    def _bring(self, needs: Needs, facts: Facts) -> None:
        assert needs, "asked for nothing"
        for side, kind, id in needs.snapshots:
            facts.snapshots[side, kind, id] = self.vendor(side).entities.get((kind, id))
        for side, kind, id in needs.reads:
            facts.snapshots[side, kind, id] = self.vendor(side).entities.get((kind, id))
            facts.read.add((side, kind, id))
        for key in needs.known:
            facts.known[key] = self._found(key)
        for key in needs.finds:
            facts.found[key] = self._found(key)
        for flow, side, id in needs.holders:
            facts.holders[flow, side, id] = self._holder(flow, side, id)
        for flow, side, id in needs.partners:
            facts.partners[flow, side, id] = self._partner(self.sync.flow(flow), side, id)

    def _found(self, key: FindKey) -> tuple[Snapshot, ...]:
        side, kind, wanted = key
        entities = self.vendor(side).entities.values()
        return tuple(s for s in entities if s.kind is kind and wanted in match_keys(s.noun))

    def _partner(self, flow: FlowRules, side: Side, id: str) -> Record | None:
        if id.startswith("fallback:"):
            known = next((r for r in self.records.values() if r.flow == flow.name and r.key == id), None)
        else:
            known = self._holder(flow.name, side, id)
            snapshot = self.vendor(side).entities.get((flow.kind, id))
            if known is None and (snapshot is None or snapshot.presence is not Presence.PRESENT):
                return None
        if known is not None:
            return known
        decision = self.decide(flow, self._stub(flow, side, id), stored=False)
        return self.records[decision.record.id]


def _command(intent: Intent) -> Command:
    return Command(**{f.name: getattr(intent, f.name) for f in fields(Command)})


def outbound(*lines: Any, world: World | None = None, **more: Any) -> tuple[World, str]:
    """A world with one invoice born on the left, after everything went over."""
    w = world or World()
    id = w.left.add(invoice(w.left.add(ANN), *lines, **{"number": "INV-1"} | more))
    w.run()
    return w, id


def inbound(*lines: Any, world: World | None = None, **more: Any) -> tuple[World, str]:
    """A world with one invoice born on the right, after everything came over."""
    w = world or World()
    id = w.right.add(invoice(w.right.add(ANN), *lines, **{"number": "1001"} | more))
    w.run()
    return w, id


def refused(w: World, id: str) -> tuple[str, str]:
    """Code and words of a record that failed, and nothing of it stands on the other side."""
    assert not w.right.all(Kind.INVOICE)
    record = w.record("invoices", id)
    assert record.status.value == "failed"
    return record.code, record.words
