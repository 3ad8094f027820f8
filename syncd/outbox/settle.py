"""What an outcome does to its intent, its record and the bases: one transaction for the answers of one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from syncd.connectors.base import Advanced, Done, NotDone, Outcome, Refused, Stale, Unknown
from syncd.core.content import project, rules_by_row
from syncd.core.lifecycle import failed, pending, synced
from syncd.core.mirrored import MIRRORED
from syncd.core.normalise import base_after_write
from syncd.core.retry import OutcomeLost, RetryAt, Throttled, decide_retry
from syncd.core.rules import SyncRules
from syncd.engine import Engine, observed
from syncd.model.content import Content, shown
from syncd.model.record import Activity, Change, FieldChange, Intent, IntentState, Op, Record
from syncd.model.references import EntityRef, Kind, Side
from syncd.store.store import Tx

log = structlog.get_logger("syncd.write")

STALE_ROUNDS = 3  # how often a record that moves under our hands is decided again before a person is asked
ADOPT_ROUNDS = 3  # how often a "that exists already" is answered by looking for it
GIVE_UP = 3.0  # an outcome nobody can find out is a person's matter after so many times the vendor's bound


@dataclass(slots=True)
class Settler:
    """Stores outcomes. Its methods run inside a transaction."""

    engine: Engine

    def settle(self, tx: Tx, intents: dict[str, Intent], outcomes: Sequence[Outcome]) -> None:
        """Store what became of these intents (by id)."""
        records = tx.records([intents[outcome.intent].record for outcome in outcomes])
        for outcome in outcomes:
            intent = intents[outcome.intent]
            record = records[intent.record]
            match outcome:
                case Done():
                    records[record.id] = self._done(tx, intent, record, outcome)
                case Advanced():
                    self._advanced(tx, intent, outcome)
                case Refused():
                    records[record.id] = self._refused(tx, intent, record, outcome)
                case Stale():
                    records[record.id] = self._stale(tx, intent, record, outcome)
                case NotDone():
                    self._not_done(tx, intent, outcome)
                case Unknown():
                    records[record.id] = self._unknown(tx, intent, record, outcome)

    def _done(self, tx: Tx, intent: Intent, record: Record, outcome: Done) -> Record:
        now = self.engine.clock.now()
        tx.drop_intents([intent.id])
        if outcome.snapshot is not None:
            tx.observe([observed(intent.connection, outcome.snapshot, "write", self.engine.clock)])
        for side, content in self._bases(intent, outcome).items():
            record = _with_base(record, side, (record.base(side) or Content()).patched(content))
        sync = self._sync(intent)
        own = intent.kind is sync.flow(intent.flow).kind
        if own and intent.op is Op.CREATE:
            record = replace(record, left=outcome.id) if intent.side is Side.LEFT else replace(record, right=outcome.id)
        if not tx.intents_of([record.id]).get(record.id):
            record = synced(record, now, notes=() if own else (MIRRORED,))
        tx.save_records([record])
        tx.add_activity([_entry(intent, record, now, "write.done", request_id=outcome.request_id)])
        if outcome.foreign:
            self._overwrote(tx, intent, record, outcome)
        tx.wake([f"record:{record.id}"], now)
        log.info("write.done", record=record.id, flow=intent.flow, op=str(intent.op), side=str(intent.side))
        return record

    def _bases(self, intent: Intent, outcome: Done) -> dict[Side, Content]:
        """The part of each base this write settles: the source's as decided, the target's as the vendor took it."""
        patch = dict(intent.patch)
        sent = patch.get(intent.side)
        if sent is None:
            return patch
        flow, answered = self._sync(intent).flow(intent.flow), None
        if outcome.snapshot is not None and intent.kind is flow.kind and not outcome.snapshot.torn:
            answered = project(outcome.snapshot, flow, intent.side)
        rules = self.engine.connectors[intent.connection].traits.normalisers.get(intent.kind, {})
        named = rules_by_row(flow, intent.side, rules)
        patch[intent.side] = base_after_write(sent, answered, named, intent.op is Op.CREATE)
        return patch

    def _overwrote(self, tx: Tx, intent: Intent, record: Record, outcome: Done) -> None:
        # A person's value landed between our look and our write and is gone there. It stays in the account; and where
        # the rule would have preferred it, a person decides.
        now = self.engine.clock.now()
        changes = tuple(
            FieldChange(field=name, old=shown(value), new=shown(intent.values.get(name)), side=intent.side)
            for name, value in sorted(outcome.foreign.items())
        )
        overwrote = _entry(intent, record, now, "conflict.overwritten", request_id=outcome.request_id)
        tx.add_activity([replace(overwrote, changes=changes)])
        if str(self._sync(intent).flow(intent.flow).conflict) != str(intent.side.other):
            tx.save_records([failed(record, "conflict_held", ", ".join(sorted(outcome.foreign)), now)])

    def _advanced(self, tx: Tx, intent: Intent, outcome: Advanced) -> None:
        tx.save_intents(
            [
                replace(
                    intent,
                    state=IntentState.OPEN,
                    step=intent.step + 1,
                    carry=outcome.carry,
                    entity=outcome.id,
                    send=None,
                    item=None,
                    not_before=None,
                    attempts=0,
                )
            ]
        )

    def _refused(self, tx: Tx, intent: Intent, record: Record, outcome: Refused) -> Record:
        now = self.engine.clock.now()
        others = tx.intents_of([record.id]).get(record.id, [])
        tx.drop_intents([intent.id, *(i.id for i in others if i.state is IntentState.OPEN)])
        if outcome.existing is not None and intent.kind is Kind.PARTY and record.attempts < ADOPT_ROUNDS:
            # It was there after all: look at it, then match it.
            ref = EntityRef(intent.connection, intent.kind, outcome.existing)
            tx.put_changes([Change(ref=ref, cause="write", due_at=now)])
            record = replace(pending(record, "retry", now, words=outcome.words), next_at=now + timedelta(seconds=1))
        else:
            record = failed(record, outcome.category, outcome.words, now)
        tx.save_records([record])
        refused = _entry(intent, record, now, "write.refused", request_id=outcome.request_id)
        tx.add_activity([replace(refused, code=outcome.category, words=outcome.words)])
        tx.wake([f"record:{record.id}"], now)
        log.info("write.refused", record=record.id, flow=intent.flow, op=str(intent.op), category=outcome.category)
        return record

    def _stale(self, tx: Tx, intent: Intent, record: Record, outcome: Stale) -> Record:
        now = self.engine.clock.now()
        tx.drop_intents([intent.id])
        if intent.entity is not None:
            ref = EntityRef(intent.connection, intent.kind, intent.entity)
            tx.put_changes([Change(ref=ref, cause="retry", due_at=now)])
        if record.attempts >= STALE_ROUNDS:
            record = failed(record, "conflict_held", "It changed again and again while it was being written.", now)
        else:
            record = pending(record, "retry", now, words=outcome.words, next_at=now)
        tx.save_records([record])
        tx.add_activity([_entry(intent, record, now, "write.stale")])
        return record

    def _not_done(self, tx: Tx, intent: Intent, outcome: NotDone) -> None:
        now, fraction = self.engine.clock.now(), self.engine.chance.fraction()
        again = decide_retry(Throttled(), intent.attempts, now, fraction, outcome.after)
        assert isinstance(again, RetryAt)
        tx.save_intents(
            [
                replace(
                    intent,
                    state=IntentState.OPEN,
                    send=None,
                    item=None,
                    attempts=intent.attempts + 1,
                    not_before=again.when,
                )
            ]
        )

    def _unknown(self, tx: Tx, intent: Intent, record: Record, outcome: Unknown) -> Record:
        now, traits = self.engine.clock.now(), self.engine.connectors[intent.connection].traits
        bound = (traits.late_commit + traits.search_lag) * GIVE_UP
        lost = OutcomeLost((intent.sent_at or now) + timedelta(seconds=bound))
        attempts = intent.attempts + 1 if intent.state is IntentState.UNKNOWN else 0
        again = decide_retry(lost, attempts, now, self.engine.chance.fraction())
        when = again.when if isinstance(again, RetryAt) else now + timedelta(hours=1)
        tx.save_intents([replace(intent, state=IntentState.UNKNOWN, attempts=attempts, not_before=when)])
        before = record
        if isinstance(again, RetryAt):
            record = pending(record, "resolving", now, words=outcome.words)
        else:
            record = failed(record, "unknown_outcome", outcome.words, now)
        tx.save_records([record])
        if (before.status, before.code) != (record.status, record.code):
            tx.add_activity([_entry(intent, record, now, "write.unknown")])
            log.warning("write.unknown", record=record.id, flow=intent.flow, op=str(intent.op))
        return record

    def _sync(self, intent: Intent) -> SyncRules:
        return next(sync for sync in self.engine.syncs if sync.name == intent.sync)


def _with_base(record: Record, side: Side, base: Content) -> Record:
    return replace(record, left_base=base) if side is Side.LEFT else replace(record, right_base=base)


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
