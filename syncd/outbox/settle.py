"""What an outcome does to its intent, its record and the bases: one transaction for the answers of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from syncd.connectors.base import Advanced, Done, NotDone, Outcome, Refused, Stale, Unknown
from syncd.core.commands import DERIVED
from syncd.core.content import NAME_TAKEN, project, rules_by_row
from syncd.core.identity import with_entity
from syncd.core.lifecycle import failed, pending, synced
from syncd.core.normalise import base_after_write
from syncd.core.retry import OutcomeLost, RetryAt, Throttled, Transient, decide_retry
from syncd.core.rules import SyncRules
from syncd.core.waking import woken_by
from syncd.engine import Engine, observed
from syncd.model.content import Content, shown
from syncd.model.nouns import Payment
from syncd.model.quick import replace
from syncd.model.record import Activity, Change, FieldChange, Intent, IntentState, Op, Record, Status
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Snapshot
from syncd.model.waiting import on_account
from syncd.store.rows import Observed, UnderWay
from syncd.store.store import Tx
from syncd.vanishing import TOLD_GONE

log = structlog.get_logger("syncd.write")

STALE_ROUNDS = 3  # how often a record that moves under our hands is decided again before a person is asked
ADOPT_ROUNDS = 3  # how often a "that exists already" is answered by looking for it
GIVE_UP = 3.0  # an outcome nobody can find out is a person's matter after so many times the vendor's bound


@dataclass(slots=True)
class Ledger:
    """What the outcomes of one request come to; stored in a handful of statements, however many they are.

    Attributes:
        holders: records that a poll made of what we created, before the outcome of its creation was known.
        before: what the written entities were when last seen before the write.
        folded: dropped halves and the records that swallow them.
    """

    records: dict[str, Record]
    waiting: dict[str, set[str]]
    holders: dict[tuple[str, str, Side, str], Record]
    before: dict[EntityRef, Snapshot]
    folded: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    looks: list[Observed] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)

    def drop(self, intent: Intent | UnderWay) -> None:
        """The intent is over."""
        self.dropped.append(intent.id)
        self.waiting[intent.record].discard(intent.id)

    def store(self, tx: Tx, now: datetime) -> None:
        """Write everything down."""
        for intents in tx.under_way(list(self.folded)).values():
            tx.drop_intents([intent.id for intent in intents])
        for half, whole in self.folded.items():
            tx.delete_record(half, whole)
        tx.drop_intents(self.dropped)
        tx.save_intents(self.intents)
        tx.observe(self.looks)
        tx.put_changes(self.changes)
        tx.save_records(list(self.records.values()))
        tx.add_activity(self.activity)
        tx.wake(self.woken, now)


@dataclass(slots=True)
class Settler:
    """Turns outcomes into what is stored."""

    engine: Engine

    def settle(self, tx: Tx, intents: dict[str, Intent], outcomes: Sequence[Outcome]) -> None:
        """Store what became of these intents (by id), inside a transaction."""
        ids = list({intents[outcome.intent].record for outcome in outcomes})
        open_intents = tx.under_way(ids)
        waiting = {id: {i.id for i in open_intents.get(id, ())} for id in ids}
        before = tx.snapshots([ref for o in outcomes if (ref := _ref(intents[o.intent])) and isinstance(o, Done)])
        ledger = Ledger(tx.records(ids), waiting, _holders(tx, intents, outcomes), before)
        ledger.changes += self._beside(tx, intents, outcomes, before)
        for outcome in outcomes:
            self._one(ledger, intents[outcome.intent], outcome, open_intents)
        ledger.store(tx, self.engine.clock.now())

    def _beside(
        self, tx: Tx, intents: dict[str, Intent], outcomes: Sequence[Outcome], before: Mapping[EntityRef, Snapshot]
    ) -> list[Change]:
        """Payments beside one that was taken away or changed: its invoices may have room for more of theirs."""
        now, made = self.engine.clock.now(), list[Change]()
        for outcome in outcomes:
            ref = _ref(intents[outcome.intent])
            noun = before[ref].noun if ref is not None and ref in before else None
            if ref is None or not isinstance(outcome, Done) or not isinstance(noun, Payment):
                continue
            keys = [MatchKey("invoice", part.invoice) for part in noun.allocations]
            found = tx.find_entities(ref.connection, Kind.PAYMENT, keys) if keys else {}
            ids = {one.id for listed in found.values() for one in listed} - {ref.id}
            made += [
                Change(ref=EntityRef(ref.connection, ref.kind, id), cause="seen", due_at=now) for id in sorted(ids)
            ]
        return made

    def _one(self, ledger: Ledger, intent: Intent, outcome: Outcome, open_intents: dict[str, list[UnderWay]]) -> None:
        record = ledger.records[intent.record]
        match outcome:
            case Done():
                record = self._done(ledger, intent, record, outcome)
            case Advanced():
                self._advanced(ledger, intent, outcome)
            case Refused():
                unsent = [i for i in open_intents.get(record.id, ()) if i.state is IntentState.OPEN]
                record = self._refused(ledger, intent, record, outcome, unsent)
            case Stale():
                record = self._stale(ledger, intent, record, outcome)
            case NotDone():
                record = self._not_done(ledger, intent, record, outcome)
            case Unknown():
                record = self._unknown(ledger, intent, record, outcome)
        ledger.records[record.id] = record

    def _done(self, ledger: Ledger, intent: Intent, record: Record, outcome: Done) -> Record:
        now = self.engine.clock.now()
        ledger.drop(intent)
        if outcome.snapshot is not None:
            ledger.looks.append(observed(intent.connection, outcome.snapshot, "write", self.engine.clock))
        elif intent.op in (Op.VOID, Op.DELETE):
            # The answer does not show what is left of it, and polls may tell only later.
            ref = EntityRef(intent.connection, intent.kind, outcome.id)
            ledger.changes.append(Change(ref=ref, cause=TOLD_GONE, due_at=now))
        answered = self._content(intent, outcome.snapshot)
        bases = self._bases(intent, answered)
        record = _with_bases(record, bases)
        if answered is not None and self._other_hand(ledger, intent, answered, bases.get(intent.side, Content())):
            # We have seen that version now, so no poll will bring it as news.
            ref = EntityRef(intent.connection, intent.kind, outcome.id)
            ledger.changes.append(Change(ref=ref, cause="seen", due_at=now))
        if intent.op is Op.CREATE:
            holder = ledger.holders.get((intent.sync, intent.flow, intent.side, outcome.id), record)
            if holder.id != record.id and holder.entity(intent.side.other) is not None:
                words = f"What was made for it belongs to {holder.label} already."
                return failed(record, "internal_error", words, now)
            record = with_entity(record, intent.side, outcome.id)
            if holder.id != record.id:
                ledger.folded[holder.id] = record.id
        if not ledger.waiting[record.id] and not _refused_elsewhere(record) and record.code != "retry":
            record = synced(record, now, notes=record.notes)  # they were decided together with the write
        ledger.activity.append(_entry(intent, record, now, "write.done", request_id=outcome.request_id))
        if outcome.foreign:
            record = self._overwrote(ledger, intent, record, outcome)
        ledger.woken.append(f"record:{record.id}")
        if record.id in self.engine.barred.get(intent.connection, ()):
            del self.engine.barred[intent.connection]
            ledger.woken.append(on_account(intent.connection))
        log.info("write.done", record=record.id, flow=intent.flow, op=str(intent.op), side=str(intent.side))
        return record

    def _content(self, intent: Intent, snapshot: Snapshot | None) -> Content | None:
        """A look at the written entity in the words of its flow; None when there is nothing to see."""
        flow = self._sync(intent).flow(intent.flow)
        if snapshot is None or snapshot.noun is None or snapshot.torn or intent.kind is not flow.kind:
            return None
        return project(snapshot, flow, intent.side)

    def _other_hand(self, ledger: Ledger, intent: Intent, answered: Content, written: Content) -> bool:
        """Whether the answer shows something that neither was there before nor was written by us."""
        ref = _ref(intent)
        if intent.op is Op.CREATE or ref is None:
            earlier: Content | None = Content()
        else:
            earlier = self._content(intent, ledger.before.get(ref))
        # What a mirror was told is remembered in its base but stands in no content.
        told = [name for name in written.fields if name.startswith(DERIVED)]
        return earlier is None or not answered.alike(earlier.patched(written.without(told)))

    def _bases(self, intent: Intent, answered: Content | None) -> dict[Side, Content]:
        """The part of each base this write settles: the source's as decided, the target's as the vendor took it."""
        patch = dict(intent.patch)
        sent = patch.get(intent.side)
        if sent is None:
            return patch
        rules = self.engine.connectors[intent.connection].traits.normalisers.get(intent.kind, {})
        named = rules_by_row(self._sync(intent).flow(intent.flow), intent.side, rules)
        patch[intent.side] = base_after_write(sent, answered, named, intent.op is Op.CREATE)
        return patch

    def _overwrote(self, ledger: Ledger, intent: Intent, record: Record, outcome: Done) -> Record:
        # A person's value landed between our look and our write and is gone there. It stays in the account; and where
        # the rule would have preferred it, a person decides.
        now = self.engine.clock.now()
        changes = tuple(
            FieldChange(field=name, old=shown(value), new=shown(intent.values.get(name)), side=intent.side)
            for name, value in sorted(outcome.foreign.items())
        )
        overwrote = _entry(intent, record, now, "conflict.overwritten", request_id=outcome.request_id)
        ledger.activity.append(replace(overwrote, changes=changes))
        if str(self._sync(intent).flow(intent.flow).conflict) == str(intent.side.other):
            return record
        return failed(record, "conflict_held", ", ".join(sorted(outcome.foreign)), now)

    def _advanced(self, ledger: Ledger, intent: Intent, outcome: Advanced) -> None:
        again = replace(intent, state=IntentState.OPEN, send=None, item=None, not_before=None, attempts=0)
        ledger.intents.append(replace(again, step=intent.step + 1, carry=outcome.carry, entity=outcome.id))

    def _refused(
        self, ledger: Ledger, intent: Intent, record: Record, outcome: Refused, unsent: Sequence[UnderWay]
    ) -> Record:
        now = self.engine.clock.now()
        ledger.drop(intent)
        for other in unsent:
            ledger.drop(other)
        if outcome.existing is not None and intent.kind is Kind.PARTY and record.attempts < ADOPT_ROUNDS:
            # It was there after all: look at it, then match it.
            ref = EntityRef(intent.connection, intent.kind, outcome.existing)
            ledger.changes.append(Change(ref=ref, cause="write", due_at=now))
            record = pending(record, "retry", now, words=outcome.words, next_at=now + timedelta(seconds=1))
        elif self._has_another_name(intent, record, outcome):
            record = pending(record, "retry", now, words=NAME_TAKEN, next_at=now)
        else:
            cure = woken_by(outcome.category, intent.connection, intent.kind, intent.values)
            if cure == on_account(intent.connection):
                self.engine.doubted.add(intent.connection)
            if outcome.category == "permission_missing":
                self.engine.barred.setdefault(intent.connection, set()).add(record.id)
            record = failed(record, outcome.category, outcome.words, now, waits_for=cure)
        refused = _entry(intent, record, now, "write.refused", request_id=outcome.request_id)
        ledger.activity.append(replace(refused, code=outcome.category, words=outcome.words))
        ledger.woken.append(f"record:{record.id}")
        log.info("write.refused", record=record.id, flow=intent.flow, op=str(intent.op), category=outcome.category)
        return record

    def _has_another_name(self, intent: Intent, record: Record, outcome: Refused) -> bool:
        """Whether somebody new whose name is taken is to be tried once more, under the configured pattern."""
        taken = outcome.category == "duplicate_display_name" and intent.kind is Kind.PARTY and intent.op is Op.CREATE
        return taken and record.attempts == 0 and self._sync(intent).flow(intent.flow).name_pattern is not None

    def _stale(self, ledger: Ledger, intent: Intent, record: Record, outcome: Stale) -> Record:
        now = self.engine.clock.now()
        ledger.drop(intent)
        if record.attempts >= STALE_ROUNDS:
            record = failed(record, "conflict_held", "It changed again and again while it was being written.", now)
        else:
            record = pending(record, "retry", now, words=outcome.words, next_at=now)
            if intent.entity is not None:
                ref = EntityRef(intent.connection, intent.kind, intent.entity)
                ledger.changes.append(Change(ref=ref, cause="retry", due_at=now))
        ledger.activity.append(_entry(intent, record, now, "write.stale"))
        return record

    def _not_done(self, ledger: Ledger, intent: Intent, record: Record, outcome: NotDone) -> Record:
        now, fraction = self.engine.clock.now(), self.engine.chance.fraction()
        faulty = outcome.fault or (intent.state is IntentState.UNKNOWN and record.attempts > 0)
        if faulty and intent.step == 0 and not _refused_elsewhere(record):
            return self._failed_once_more(ledger, intent, record, outcome)
        again = decide_retry(Throttled(), intent.attempts, now, fraction, outcome.after)
        assert isinstance(again, RetryAt)
        back = replace(intent, state=IntentState.OPEN, send=None, item=None, not_before=again.when)
        ledger.intents.append(replace(back, attempts=intent.attempts + 1))
        return record

    def _failed_once_more(self, ledger: Ledger, intent: Intent, record: Record, outcome: NotDone) -> Record:
        """The vendor tries this one and cannot: more and more rarely, as it costs others their calls; then a person."""
        now, words = self.engine.clock.now(), outcome.words or record.words
        ledger.drop(intent)
        again = decide_retry(Transient(), record.attempts, now, self.engine.chance.fraction(), outcome.after)
        ledger.activity.append(replace(_entry(intent, record, now, "write.postponed"), words=words))
        if isinstance(again, RetryAt):
            return pending(record, "retry", now, words=words, next_at=again.when)
        return failed(record, again.category, words, now)

    def _unknown(self, ledger: Ledger, intent: Intent, record: Record, outcome: Unknown) -> Record:
        now, traits = self.engine.clock.now(), self.engine.connectors[intent.connection].traits
        bound = (traits.late_commit + traits.search_lag) * GIVE_UP
        lost = OutcomeLost((intent.sent_at or now) + timedelta(seconds=bound))
        attempts = intent.attempts + 1 if intent.state is IntentState.UNKNOWN else 0
        again = decide_retry(lost, attempts, now, self.engine.chance.fraction())
        when = again.when if isinstance(again, RetryAt) else now + timedelta(hours=1)
        if outcome.fault:
            # An early look would learn nothing: it was answered, and may at most be carried out late all the same.
            when = max(when, (intent.sent_at or now) + timedelta(seconds=traits.late_commit + traits.search_lag + 1))
            record = replace(record, attempts=max(record.attempts, 1))
        ledger.intents.append(replace(intent, state=IntentState.UNKNOWN, attempts=attempts, not_before=when))
        before = (record.status, record.code)
        if _refused_elsewhere(record):
            pass  # a person has to act, whatever becomes of this one
        elif isinstance(again, RetryAt):
            record = pending(record, "resolving", now, words=outcome.words)
        else:
            record = failed(record, "unknown_outcome", outcome.words, now)
        if before != (record.status, record.code):
            ledger.activity.append(_entry(intent, record, now, "write.unknown"))
            log.warning("write.unknown", record=record.id, flow=intent.flow, op=str(intent.op))
        return record

    def _sync(self, intent: Intent) -> SyncRules:
        return next(sync for sync in self.engine.syncs if sync.name == intent.sync)


def _ref(intent: Intent) -> EntityRef | None:
    return None if intent.entity is None else EntityRef(intent.connection, intent.kind, intent.entity)


def _refused_elsewhere(record: Record) -> bool:
    """Whether another write of the same decision has failed: what comes of the others must not hide it."""
    return record.status is Status.FAILED and record.code != "unknown_outcome"


def _holders(
    tx: Tx, intents: dict[str, Intent], outcomes: Sequence[Outcome]
) -> dict[tuple[str, str, Side, str], Record]:
    made: dict[tuple[str, str, Side], list[str]] = {}
    for outcome in outcomes:
        intent = intents[outcome.intent]
        if isinstance(outcome, Done) and intent.op is Op.CREATE:
            made.setdefault((intent.sync, intent.flow, intent.side), []).append(outcome.id)
    return {
        (*place, id): record
        for place, ids in made.items()
        for id, record in tx.records_of_entities(*place, ids).items()
    }


def _with_bases(record: Record, patch: dict[Side, Content]) -> Record:
    made = {side: (record.base(side) or Content()).patched(content) for side, content in patch.items()}
    left, right = made.get(Side.LEFT, record.left_base), made.get(Side.RIGHT, record.right_base)
    return replace(record, left_base=left, right_base=right)


def _entry(intent: Intent, record: Record, at: datetime, event: str, *, request_id: str | None = None) -> Activity:
    return Activity(
        record=record.id,
        at=at,
        event=event,
        by="daemon",
        side=intent.side,
        words=str(intent.op),
        request_id=request_id,
    )
