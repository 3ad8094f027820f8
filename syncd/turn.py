"""One turn: for a batch of due records read what is needed, let the core decide, store the decision.

The one place where the core meets I/O. Everything a turn learned and decided is stored in one transaction, and only
then are the hints it worked from deleted - each only in the generation it was claimed in, so that what came in
meanwhile is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from syncd.bring import Bringer, Seen, naming
from syncd.connectors.base import ConnectionTrouble
from syncd.connectors.errand import Errand, on
from syncd.controls import is_paused
from syncd.core.decision import Case, Command, Context, Decision
from syncd.core.facts import Missing, Needs, PartnerKey
from syncd.core.lifecycle import pending
from syncd.core.outcome import Settled
from syncd.core.plan import plan, settled
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine, observed
from syncd.guard import Guard
from syncd.health import Health
from syncd.model.record import Change, Intent, IntentState, Priority, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.store.store import Tx

log = structlog.get_logger("syncd.turn")

BATCH = 500  # records a turn: enough for full vendor batches, small enough that a transaction stays short
ROUNDS = 8  # look-ups a decision may ask for one after the other; more means that it can never be made
TORN_AGAIN = (2.0, 5.0, 15.0)  # seconds until a composite that does not add up is read again; then it is taken as it is
BUSY_AGAIN = 2.0  # seconds until a record with a request out is looked at again
CUSTOMER_AGAIN = timedelta(minutes=10)  # a link that was replaced is seen by reading only
_LEVELS = {Kind.PARTY: 0, Kind.PRODUCT: 0, Kind.INVOICE: 1, Kind.PAYMENT: 2}
LOOK_AGAIN = timedelta(minutes=5)  # a net under the waking of what waits, should it be missed


@dataclass(slots=True)
class Work:
    """What one turn has gathered for one sync, on its way to the store.

    Attributes:
        priority: of what all this is about.
        before: decided records as they were. folded: dropped halves and the records that swallow them.
        dropped: intents that never left and are planned anew. busy: records with a request out.
    """

    sync: SyncRules
    priority: Priority
    decisions: dict[str, Decision] = field(default_factory=dict)
    before: dict[str, Record] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    busy: list[Record] = field(default_factory=list)


class Turn:
    """Works through what is due for all syncs of an engine."""

    def __init__(self, engine: Engine, health: Health, guard: Guard) -> None:
        self._engine = engine
        self._health = health
        self._guard = guard
        self._hurried: dict[str, Priority] = {}  # records that are due sooner or later for an urgent cause
        self._was_urgent = False

    async def run(self) -> int:
        """One batch of about equal urgency. Returns how many hints and records it took on; 0 when nothing was due."""
        engine, now = self._engine, self._engine.clock.now()
        usable = [name for name in engine.connectors if self._health.usable(name)]
        ready = [s for s in engine.syncs if s.left in usable and s.right in usable]
        used = sorted({name for sync in ready for name in (sync.left, sync.right)})
        names = [sync.name for sync in ready]
        changes, records = await engine.store.read(
            lambda tx: (tx.due_changes(used, now, BATCH), tx.due_records(names, now, BATCH))
        )
        if not changes and not records:
            return 0
        priority, changes, records = self._group(changes, records)
        seen = Seen()
        try:
            with on(Errand(priority=priority)):
                claimed, later = await self._look(changes, seen)
            works = []
            for sync in ready:
                with on(Errand(priority=priority, sync=sync.name)):
                    mine = [record for record in records if record.sync == sync.name]
                    works.append(await self._sync(Work(sync, priority), claimed, mine, seen))
        except ConnectionTrouble as trouble:
            # Nothing was decided; the hints stay and are taken up when the connection is back.
            await self._health.trouble(trouble)
            return 0
        await engine.store.write(lambda tx: self._store(tx, works, claimed, later, seen))
        for work in works:
            log.info("turn.decided", sync=work.sync.name, records=len(work.decisions), **_tally(work))
        return len(changes) + len(records)

    def _group(self, changes: list[Change], records: list[Record]) -> tuple[Priority, list[Change], list[Record]]:
        """The most urgent of what is due, or all that is not urgent: whose turn it is, by turns if there is both."""
        urgency = {record.id: self._hurried.get(record.id, Priority.POLL) for record in records}
        first = min([*(change.priority for change in changes), *urgency.values()])
        last = max([*(change.priority for change in changes), *urgency.values()])
        self._was_urgent = first < Priority.POLL and not (self._was_urgent and last >= Priority.POLL)
        if self._was_urgent:
            changes = [change for change in changes if change.priority is first]
            records = [record for record in records if urgency[record.id] is first]
        else:
            changes = _parents_first([change for change in changes if change.priority >= Priority.POLL])
            records = [record for record in records if urgency[record.id] >= Priority.POLL]
            first = min([*(change.priority for change in changes), *(Priority.POLL for _ in records[:1])])
        for record in records:
            self._hurried.pop(record.id, None)
        return first, changes, records

    async def _look(self, changes: list[Change], seen: Seen) -> tuple[list[Change], list[tuple[Change, float]]]:
        """Read what the hints name, unless the poll that left them brought the whole entity.

        Returns:
            The hints to be worked on, and those to come back to, with the seconds until then.
        """
        groups: dict[tuple[str, Kind], list[Change]] = {}
        for change in changes:
            if change.cause != "seen":
                groups.setdefault((change.ref.connection, change.ref.kind), []).append(change)
        later: list[tuple[Change, float]] = []
        for (connection, kind), group in groups.items():
            with naming(connection):
                found = await self._engine.connectors[connection].read(kind, [c.ref.id for c in group])
            for change in group:
                snapshot = found.get(change.ref.id)
                again = _torn_before(change)
                if snapshot is not None and snapshot.torn and again < len(TORN_AGAIN):
                    later.append((replace(change, cause=f"torn:{again + 1}"), TORN_AGAIN[again]))
                elif snapshot is not None:
                    seen.add(connection, [snapshot])
        skipped = {change.ref for change, _ in later}
        return [change for change in changes if change.ref not in skipped], later

    async def _sync(self, work: Work, claimed: list[Change], due: list[Record], seen: Seen) -> Work:
        sync = work.sync
        bringer = Bringer(self._engine, sync, seen)
        refs = [c.ref for c in claimed if c.ref.connection in (sync.left, sync.right)]
        for flow in sync.flows:
            records = await self._records(sync, flow, refs, [r for r in due if r.flow == flow.name], bringer, work)
            free = await self._free(records, work)
            cases = await self._cases(sync, flow, free, bringer)
            await self._decide(sync, flow, cases, bringer, work)
        return work

    async def _records(
        self, sync: SyncRules, flow: FlowRules, refs: list[EntityRef], due: list[Record], bringer: Bringer, work: Work
    ) -> list[tuple[Record, bool]]:
        """The flow's records these entities and due rows stand for; each with whether it is stored or new."""
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
            ours = await self._by_marker(entities.values(), sync, flow)
            for id, snapshot in entities.items():
                if snapshot.presence is not Presence.PRESENT or id in ours:
                    continue
                stub = self._stub(sync, flow, side, id)
                found[stub.id] = (stub, False)
        return list(found.values())

    async def _by_marker(self, entities: Iterable[Snapshot], sync: SyncRules, flow: FlowRules) -> set[str]:
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
            and (records[record].sync, records[record].flow) == (sync.name, flow.name)
            and intents.get(record)
        }

    def _stub(self, sync: SyncRules, flow: FlowRules, side: Side, id: str) -> Record:
        made = Record(id=self._engine.chance.new_id(), sync=sync.name, flow=flow.name, since=self._engine.clock.now())
        if id.startswith("fallback:"):
            return replace(made, key=id, label=id.removeprefix("fallback:"), origin=Side.RIGHT)
        return replace(made, left=id) if side is Side.LEFT else replace(made, right=id)

    async def _free(self, records: list[tuple[Record, bool]], work: Work) -> list[tuple[Record, bool]]:
        """Records that may be planned. A write that has not left is planned anew; one that has is waited for."""
        ids = [record.id for record, stored in records if stored]
        intents = await self._engine.store.read(lambda tx: tx.under_way(ids)) if ids else {}
        free = []
        for record, stored in records:
            listed = intents.get(record.id, [])
            if any(i.state is not IntentState.OPEN or i.step > 0 for i in listed):
                work.busy.append(record)
            else:
                work.dropped += [intent.id for intent in listed]
                free.append((record, stored))
        return free

    async def _cases(
        self, sync: SyncRules, flow: FlowRules, records: list[tuple[Record, bool]], bringer: Bringer
    ) -> list[Case]:
        entities: dict[Side, dict[str, Snapshot]] = {}
        for side in Side:
            ids = [id for record, _ in records if (id := record.entity(side)) is not None]
            entities[side] = await bringer.entities(sync.connection(side), flow.kind, ids) if ids else {}
        return [
            Case(
                record=record,
                left=entities[Side.LEFT].get(record.left or ""),
                right=entities[Side.RIGHT].get(record.right or ""),
                stored=stored,
            )
            for record, stored in records
        ]

    async def _decide(self, sync: SyncRules, flow: FlowRules, cases: list[Case], bringer: Bringer, work: Work) -> None:
        """Decide each case as soon as everything it asks for is there; bring what is asked for, round by round."""
        context = Context(sync=sync, flow=flow, facts=bringer.facts, now=self._engine.clock.now())
        for case in cases:
            self._known(case.record, flow, bringer)
        for last in (*[False] * ROUNDS, True):
            lacking: list[Case] = []
            wanted: list[Needs] = []
            for case in cases:
                if case.record.id in work.folded:
                    continue
                try:
                    self._take(case, self._planned(case, context, last=last), flow, bringer, work)
                except Missing as missing:
                    lacking.append(case)
                    wanted.append(missing.needs)
            if not lacking:
                return
            cases = lacking
            for partner in sorted(await bringer.bring(Needs.union(wanted))):
                await self._parent(sync, partner, bringer, work)

    def _planned(self, case: Case, context: Context, *, last: bool) -> Decision:
        try:
            return plan(case, context)
        except Exception as error:
            if isinstance(error, Missing) and not last:
                raise
            # One record that we cannot decide must never hold up the others.
            log.exception("turn.record_failed", record=case.record.id, flow=context.flow.name)
            words = "more and more was asked for" if isinstance(error, Missing) else type(error).__name__
            return settled(case, context, Settled("internal_error", words))

    def _known(self, record: Record, flow: FlowRules, bringer: Bringer) -> None:
        for side in Side:
            if (id := record.entity(side)) is not None:
                bringer.facts.holders[(flow.name, side, id)] = record
                bringer.facts.partners[(flow.name, side, id)] = record
        if record.key is not None and record.key.startswith("fallback:"):
            bringer.facts.partners[(flow.name, Side.RIGHT, record.key)] = record

    def _take(self, case: Case, decision: Decision, flow: FlowRules, bringer: Bringer, work: Work) -> None:
        if case.stored:
            work.before.setdefault(case.record.id, case.record)
        if (other := decision.folds) is not None:
            work.folded[other] = decision.record.id
            work.decisions.pop(other, None)
        decision = replace(decision, record=replace(decision.record, rules_digest=flow.digest))
        work.decisions[decision.record.id] = decision
        self._known(decision.record, flow, bringer)

    async def _parent(self, sync: SyncRules, partner: PartnerKey, bringer: Bringer, work: Work) -> None:
        """Make and decide the record of a parent that no hint has named yet."""
        flow_name, side, id = partner
        flow = sync.flow(flow_name)
        if id.startswith("fallback:"):
            case = Case(record=self._stub(sync, flow, side, id), left=None, right=None, stored=False)
        else:
            entity = (await bringer.entities(sync.connection(side), flow.kind, [id])).get(id)
            if entity is None or entity.presence is not Presence.PRESENT:
                bringer.facts.partners[partner] = None
                return
            case = Case(record=self._stub(sync, flow, side, id), left=None, right=None, stored=False)
            case = case.with_side(side, entity)
        await self._decide(sync, flow, [case], bringer, work)

    def _store(
        self, tx: Tx, works: list[Work], claimed: list[Change], later: list[tuple[Change, float]], seen: Seen
    ) -> None:
        """The turn's one transaction."""
        clock = self._engine.clock
        tx.observe([observed(ref.connection, snapshot, "read", clock) for ref, snapshot in seen.fresh.items()])
        again = clock.now() + timedelta(seconds=BUSY_AGAIN)
        waiting: set[EntityRef] = set()
        for work in works:
            self._store_decisions(tx, work)
            tx.save_records([replace(record, next_at=again) for record in work.busy if record.next_at is not None])
            for record in work.busy:
                kind = work.sync.flow(record.flow).kind
                waiting |= {EntityRef(work.sync.connection(s), kind, record.entity(s) or "") for s in Side}
        tx.finish_changes([change for change in claimed if change.ref not in waiting])
        tx.postpone_changes([change for change in claimed if change.ref in waiting], again)
        tx.finish_changes([change for change, _ in later])
        tx.put_changes([replace(c, due_at=clock.now() + timedelta(seconds=seconds)) for c, seconds in later])
        for work in works:
            # Only now: a hint that is put before the old one is finished would be due at the old one's time.
            decided = [decision.record for decision in work.decisions.values()]
            tx.put_changes(self._look_again(work.sync, decided, clock.now()))

    def _store_decisions(self, tx: Tx, work: Work) -> None:
        now = self._engine.clock.now()
        self._fold(tx, work)
        held = self._guard.held(tx, work.sync, work.decisions.values(), now)
        paused = {flow.name for flow in work.sync.flows if is_paused(tx, work.sync.name, flow.name)}
        intents: list[Intent] = []
        records: dict[str, Record] = {}
        for id, decision in work.decisions.items():
            record = decision.record
            if decision.commands and record.flow in paused:
                record = pending(record, "paused", now)
            elif id in held:
                record = pending(record, "held", now, words=held[id], next_at=now + LOOK_AGAIN)
            else:
                intents += [self._intent(work, record, command) for command in decision.commands]
            if record.code == "waits_parent":
                self._hurry(id, work.priority)
                record = replace(record, next_at=now + LOOK_AGAIN)
            records[id] = record
        tx.drop_intents(work.dropped)
        self._want(tx, work, records)
        tx.save_records(list(records.values()))
        self._add_intents(tx, intents, records)
        tx.add_activity([entry for d in work.decisions.values() for entry in d.activity])
        tx.wake([f"record:{id}" for id in work.decisions if _moved(work.before.get(id), records[id])], now)

    def _look_again(self, sync: SyncRules, records: Iterable[Record], now: datetime) -> list[Change]:
        """Entities whose cure no poll may show: another contact on an invoice need not change the invoice itself."""
        return [
            Change(
                ref=EntityRef(sync.connection(record.origin), sync.flow(record.flow).kind, id),
                cause="retry",
                priority=Priority.RETRY,
                due_at=now + CUSTOMER_AGAIN,
            )
            for record in records
            if record.code == "customer_missing"
            and record.origin is not None
            and (id := record.entity(record.origin)) is not None
        ]

    def _add_intents(self, tx: Tx, intents: list[Intent], records: dict[str, Record]) -> None:
        now = self._engine.clock.now()
        for refused in tx.add_intents(intents):
            # Somebody else is creating the same thing this moment: wait for it, then match.
            waits = pending(records[refused.record], "waits_parent", now, words="The same is being created already.")
            tx.save_records([replace(waits, next_at=now + timedelta(seconds=BUSY_AGAIN))])

    def _fold(self, tx: Tx, work: Work) -> None:
        stored = tx.records(list(work.folded))
        for dropped, kept in work.folded.items():
            if dropped in stored:
                tx.drop_intents([i.id for i in tx.under_way([dropped]).get(dropped, [])])
                tx.delete_record(dropped, kept)
        # The half that is kept may have had a write of its own in mind that is no longer wanted.
        kept_ids = list(set(work.folded.values()))
        for listed in tx.under_way(kept_ids).values():
            tx.drop_intents([i.id for i in listed if i.state is IntentState.OPEN])

    def _want(self, tx: Tx, work: Work, records: dict[str, Record]) -> None:
        wanted = {id for decision in work.decisions.values() for id in decision.wants}
        stored = tx.records([id for id in wanted if id not in records])
        now = self._engine.clock.now()
        for id in sorted(wanted):
            record = records.get(id) or stored.get(id)
            if record is not None:
                records[id] = replace(record, wanted=True, next_at=now)
                self._hurry(id, work.priority)

    def _hurry(self, record: str, priority: Priority) -> None:
        """What an urgent record waits for, and the record itself once that is there, are as urgent."""
        if priority < Priority.POLL:
            self._hurried[record] = min(priority, self._hurried.get(record, priority))

    def _intent(self, work: Work, record: Record, command: Command) -> Intent:
        return Intent(
            id=self._engine.chance.new_id(),
            record=record.id,
            sync=work.sync.name,
            flow=record.flow,
            connection=work.sync.connection(command.side),
            side=command.side,
            op=command.op,
            kind=command.kind,
            entity=command.entity,
            natural_key=command.natural_key,
            values=command.values,
            lines=command.lines,
            allocations=command.allocations,
            mirror=command.mirror,
            if_version=command.if_version,
            expected=command.expected,
            patch=command.patch,
            created_at=self._engine.clock.now(),
            priority=work.priority,
        )


def _parents_first(changes: list[Change]) -> list[Change]:
    """Without what depends on others in the batch: once their counterparts are made it is decided once, not twice."""
    level = min((_LEVELS[change.ref.kind] for change in changes), default=0)
    return [change for change in changes if _LEVELS[change.ref.kind] == level]


def _torn_before(change: Change) -> int:
    return int(change.cause.removeprefix("torn:")) if change.cause.startswith("torn:") else 0


def _decided(work: Work, flow: FlowRules, side: Side) -> set[str | None]:
    return {d.record.entity(side) for d in work.decisions.values() if d.record.flow == flow.name}


def _moved(before: Record | None, after: Record) -> bool:
    if before is None:
        return True
    return (before.status, before.code, before.left, before.right) != (
        after.status,
        after.code,
        after.left,
        after.right,
    )


def _tally(work: Work) -> dict[str, int]:
    statuses = [decision.record.status for decision in work.decisions.values()]
    return {str(status): statuses.count(status) for status in Status if status in statuses}
