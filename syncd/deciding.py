"""Deciding one sync's part of a turn: find the records, bring what their decisions ask for, decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

import structlog

from syncd.bring import Bringer, Seen
from syncd.core.actions import refused_all, vouched
from syncd.core.breakers import Move, is_lost, move_of
from syncd.core.decision import Case, Context, Decision
from syncd.core.facts import Missing, Needs, PartnerKey
from syncd.core.foresee import foreseen
from syncd.core.outcome import Settled
from syncd.core.plan import plan, settled
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine
from syncd.model.action import Action
from syncd.model.quick import replace
from syncd.model.record import Change, IntentState, Priority, Record, Status
from syncd.model.references import EntityRef, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.waiting import on_record

log = structlog.get_logger("syncd.turn")

KEPT = "kept"  # the cause of a hint that was worked on already, but for what had to be made first
ROUNDS = 64  # look-ups a decision may ask for one after the other; the longest chain of questions is far shorter


@dataclass(slots=True)
class Work:
    """What one turn has gathered for one sync, on its way to the store.

    Attributes:
        priority: of what all this is about.
        before: decided records as they were. folded: dropped halves and the records that swallow them.
        dropped: intents that never left and are planned anew. busy: records with a request out.
        met: records that have met anew since an old state was put back.
        kept: entities whose hints are kept until their parents, made in this turn, are there.
        moves: what circuit breakers look at of decisions that want to write, and of records that lost a side.
    """

    sync: SyncRules
    priority: Priority
    decisions: dict[str, Decision] = field(default_factory=dict)
    before: dict[str, Record] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    busy: list[Record] = field(default_factory=list)
    kept: set[EntityRef] = field(default_factory=set)
    moves: dict[str, Move] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)


class Decider:
    """Fills one sync's `Work` of one turn."""

    def __init__(self, engine: Engine, work: Work, seen: Seen) -> None:
        self._engine = engine
        self._work = work
        self._sync = work.sync
        self._bringer = Bringer(engine, work.sync, seen)
        self._asked: dict[str, tuple[Action, ...]] = {}
        self._claimed: set[EntityRef] = set()
        self._awaited: set[str] = set()
        self._put_off: list[tuple[str, Case, set[str]]] = []
        self._puts_off = True

    async def decide(self, claimed: list[Change], due: list[Record]) -> Work:
        """Decide what these hints and due records stand for, flow by flow."""
        sync = self._sync
        refs = [c.ref for c in claimed if c.ref.connection in (sync.left, sync.right)]
        self._claimed = {change.ref for change in claimed if change.cause != KEPT}
        for flow in sync.flows:
            records = await self._records(flow, refs, [r for r in due if r.flow == flow.name])
            free, busy = await self._free(records)
            self._work.busy += busy
            await self._decide(flow, await self._cases(flow, free))
        await self._decide_wanted()
        await self._keep_children()
        return self._work

    async def _decide_wanted(self) -> None:
        """Parents that are made only because somebody wants them: now somebody does."""
        decisions = self._work.decisions
        ids = sorted({id for decision in decisions.values() for id in decision.wants})
        stored = await self._engine.store.read(lambda tx: tx.records(ids)) if ids else {}
        now = {
            id: decisions[id].record if id in decisions else stored[id] for id in ids if id in {**stored, **decisions}
        }
        free, _ = await self._free([(replace(record, wanted=True), id in stored) for id, record in now.items()])
        for flow in self._sync.flows:
            await self._decide(flow, await self._cases(flow, [one for one in free if one[0].flow == flow.name]))

    async def _keep_children(self) -> None:
        """New records whose parents are only just being made are not worth storing: they are decided after them.

        Only once: who still waits then is stored, and seen to wait.
        """
        decisions, coming = self._work.decisions, self._coming()
        self._puts_off = False  # what is decided now waits as it is: put off once more, it would never be decided
        for flow in self._sync.flows:
            await self._decide(
                flow, [case for name, case, on in self._put_off if name == flow.name and not on & coming]
            )
        for _, case, on in self._put_off:
            if on & coming:
                self._work.kept |= self._refs(case.record) & self._claimed
        for id, made in list(decisions.items()):
            record = made.record
            if id in self._work.before or record.code != "waits_parent" or record.waits_for not in coming:
                continue
            if refs := self._refs(record) & self._claimed:
                self._work.kept |= refs
                del decisions[id]

    def _coming(self) -> set[str]:
        """Those that are made with this turn, as children wait for them."""
        made = self._work.decisions.items()
        return {on_record(id) for id, one in made if one.commands or one.record.status is Status.SYNCED}

    def _refs(self, record: Record) -> set[EntityRef]:
        kind = self._sync.flow(record.flow).kind
        return {EntityRef(self._sync.connection(s), kind, id) for s in Side if (id := record.entity(s)) is not None}

    def _waits_too(self, case: Case, flow: FlowRules, parents: Iterable[PartnerKey]) -> bool:
        """Whether a new record has a parent that a sibling waits for already: then it is put off unseen.

        It would be decided to wait as well, and once more when its parent is there. Products are not waited for by all.
        """
        needed = [key for key in parents if key[0] in (flow.customers, flow.invoices)]
        known = (self._bringer.facts.partners.get(key) for key in needed)
        awaited = {on_record(parent.id) for parent in known if parent is not None} & self._awaited
        if not awaited or case.stored or not self._puts_off or not self._refs(case.record) & self._claimed:
            return False
        self._put_off.append((flow.name, case, awaited))
        return True

    async def _records(self, flow: FlowRules, refs: list[EntityRef], due: list[Record]) -> list[tuple[Record, bool]]:
        """The flow's records these entities and due rows stand for; each with whether it is stored or new."""
        sync, bringer, work = self._sync, self._bringer, self._work
        found = {record.id: (record, True) for record in due if record.id not in work.decisions}
        for side in Side:
            ids = [r.id for r in refs if r.kind is flow.kind and r.connection == sync.connection(side)]
            if not ids:
                continue
            held = await bringer.records(flow.name, side, ids)
            found |= {record.id: (record, True) for record in held.values() if record.id not in work.decisions}
            known = {(r.entity(side)) for r, _ in found.values()} | _decided(work, flow, side)
            lone = [id for id in ids if id not in held and id not in known]
            entities = await bringer.entities(sync.connection(side), flow.kind, lone)
            ours = await self._by_marker(entities.values(), flow)
            taken = await self._taken(flow, side, entities)
            for id, snapshot in entities.items():
                if snapshot.presence is not Presence.PRESENT or id in ours:
                    continue
                stub = self._stub(flow, side, id, taken)
                found[stub.id] = (stub, False)
        return list(found.values())

    async def _by_marker(self, entities: Iterable[Snapshot], flow: FlowRules) -> set[str]:
        """Entities that carry the reference of a record whose own create is still out: its outcome will claim them."""
        marked = {s.id: s.marker.removeprefix("syncd:") for s in entities if s.marker}
        if not marked:
            return set()
        wanted = list(marked.values())
        records, intents = await self._engine.store.read(lambda tx: (tx.records(wanted), tx.under_way(wanted)))
        return {
            id
            for id, record in marked.items()
            if record in records
            and (records[record].sync, records[record].flow) == (self._sync.name, flow.name)
            and intents.get(record)
        }

    async def _taken(self, flow: FlowRules, side: Side, ids: Iterable[str]) -> set[str]:
        """Of the ids that stubs of these entities would have, those of records that have moved on to other ones."""
        wanted = [stub_id(self._sync.name, flow.name, side, id) for id in ids]
        stored = await self._engine.store.read(lambda tx: set(tx.records(wanted))) if wanted else set()
        return stored | self._work.decisions.keys()

    def _stub(self, flow: FlowRules, side: Side, entity: str, taken: set[str]) -> Record:
        id, own = stub_id(self._sync.name, flow.name, side, entity), entity.startswith("fallback:")
        return Record(
            id=self._engine.chance.new_id() if id in taken else id,
            sync=self._sync.name,
            flow=flow.name,
            left=entity if side is Side.LEFT and not own else None,
            right=entity if side is Side.RIGHT and not own else None,
            key=entity if own else None,
            label=entity.removeprefix("fallback:") if own else "",
            origin=Side.RIGHT if own else None,
            since=self._engine.clock.now(),
            rules_digest=flow.digest,
        )

    async def _free(self, records: list[tuple[Record, bool]]) -> tuple[list[tuple[Record, bool]], list[Record]]:
        """Records that may be planned, and those that may not.

        A write that has not left is planned anew; one that has is waited for.
        """
        ids = [record.id for record, stored in records if stored]
        if not ids:
            return records, []
        intents, asked = await self._engine.store.read(lambda tx: (tx.under_way(ids), tx.open_actions(ids)))
        self._asked |= asked
        free, busy = [], []
        for record, stored in records:
            listed = intents.get(record.id, [])
            given_up = record.code == "unknown_outcome" and any(vouched(one) for one in asked.get(record.id, ()))
            if not given_up and any(i.state is not IntentState.OPEN or i.step > 0 for i in listed):
                busy.append(record)
            else:
                self._work.dropped += [intent.id for intent in listed]
                free.append((record, stored))
        return free, busy

    async def _cases(self, flow: FlowRules, records: list[tuple[Record, bool]]) -> list[Case]:
        entities: dict[Side, dict[str, Snapshot]] = {}
        for side in Side:
            ids = [id for record, _ in records if (id := record.entity(side)) is not None]
            entities[side] = await self._bringer.entities(self._sync.connection(side), flow.kind, ids) if ids else {}
            entities[side] |= await self._bringer.completed(flow, side, entities[side].values())
        ids = [record.id for record, stored in records if stored]
        restored = self._engine.restored and ids
        doubted = await self._engine.store.read(lambda tx: tx.doubted(ids)) if restored else set()
        return [
            Case(
                record=record,
                left=entities[Side.LEFT].get(record.left or ""),
                right=entities[Side.RIGHT].get(record.right or ""),
                stored=stored,
                doubted=record.id in doubted,
                asked=self._asked.get(record.id, ()),
            )
            for record, stored in records
        ]

    async def _decide(self, flow: FlowRules, cases: list[Case]) -> None:
        """Decide each case as soon as everything it asks for is there; bring what is asked for, round by round."""
        facts, now = self._bringer.facts, self._engine.clock.now()
        context = Context(sync=self._sync, flow=flow, facts=facts, now=now, restored=self._engine.restored)
        for case in cases:
            self._known(case.record, flow)
        ahead = {case.record.id: foreseen(case, context) for case in cases}
        await self._bringer.foresee(Needs.union(list(ahead.values())))
        for last in (*[False] * ROUNDS, True):
            lacking: list[Case] = []
            wanted: list[Needs] = []
            for case in cases:
                if case.record.id in self._work.folded:
                    continue
                if self._waits_too(case, flow, ahead[case.record.id].partners):
                    continue
                try:
                    self._take(case, self._planned(case, context, last=last), flow)
                except Missing as missing:
                    lacking.append(case)
                    wanted.append(missing.needs)
            if not lacking:
                return
            cases = lacking
            for partner in sorted(await self._bringer.bring(Needs.union(wanted))):
                await self._parent(partner)

    def _planned(self, case: Case, context: Context, *, last: bool) -> Decision:
        try:
            return plan(case, context)
        except Exception as error:
            if isinstance(error, Missing) and not last:
                raise
            # One record that we cannot decide must never hold up the others.
            if not isinstance(error, Missing):
                self._engine.meters.violations["decision"] += 1
            log.exception("turn.record_failed", record=case.record.id, flow=context.flow.name)
            words = "more and more was asked for" if isinstance(error, Missing) else type(error).__name__
            decision = settled(case, context, Settled("internal_error", words))
            return replace(decision, ended=refused_all(case, "internal_error"))

    def _known(self, record: Record, flow: FlowRules) -> None:
        facts = self._bringer.facts
        for side in Side:
            if (id := record.entity(side)) is not None:
                facts.holders[(flow.name, side, id)] = record
                facts.partners[(flow.name, side, id)] = record
        if record.key is not None and record.key.startswith("fallback:"):
            facts.partners[(flow.name, Side.RIGHT, record.key)] = record

    def _take(self, case: Case, decision: Decision, flow: FlowRules) -> None:
        work = self._work
        if case.stored:
            work.before.setdefault(case.record.id, case.record)
        if case.doubted and (decision.commands or decision.record.status is Status.SYNCED):
            work.met.append(case.record.id)
        if (other := decision.folds) is not None:
            work.folded[other] = decision.record.id
            work.decisions.pop(other, None)
        work.moves.pop(decision.record.id, None)
        if decision.commands or is_lost(case):
            work.moves[decision.record.id] = move_of(case, decision, flow)
        if decision.record.rules_digest != flow.digest:
            decision = replace(decision, record=replace(decision.record, rules_digest=flow.digest))
        work.decisions[decision.record.id] = decision
        if decision.record.code == "waits_parent" and decision.record.waits_for is not None and not case.stored:
            self._awaited.add(decision.record.waits_for)
        for record in (decision.record, *decision.splits):
            self._known(record, flow)

    async def _parent(self, partner: PartnerKey) -> None:
        """Make and decide the record of a parent that no hint has named yet."""
        flow_name, side, id = partner
        flow = self._sync.flow(flow_name)
        taken = await self._taken(flow, side, [id])
        if id.startswith("fallback:"):
            case = Case(record=self._stub(flow, side, id, taken), left=None, right=None, stored=False)
        else:
            entity = (await self._bringer.entities(self._sync.connection(side), flow.kind, [id])).get(id)
            if entity is None or entity.presence is not Presence.PRESENT:
                self._bringer.facts.partners[partner] = None
                return
            case = Case(record=self._stub(flow, side, id, taken), left=None, right=None, stored=False)
            case = case.with_side(side, entity)
        await self._decide(flow, [case])


def stub_id(sync: str, flow: str, side: Side, entity: str) -> str:
    """The id of the record that an entity is the first half of: 32 hex digits, the same whenever it is seen first.

    So what was made of an entity still tells which one that was if our memory of it is lost.
    """
    return blake2b("\0".join((sync, flow, side.value, entity)).encode(), digest_size=16).hexdigest()


def _decided(work: Work, flow: FlowRules, side: Side) -> set[str | None]:
    return {d.record.entity(side) for d in work.decisions.values() if d.record.flow == flow.name}
