"""The one transaction in which a turn stores what it has seen and decided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from syncd.approvals import Gate
from syncd.bring import Seen
from syncd.controls import is_paused
from syncd.core.decision import Command
from syncd.core.lifecycle import pending
from syncd.core.rules import SyncRules
from syncd.deciding import KEPT, Work
from syncd.engine import Engine, observed
from syncd.guard import Guard
from syncd.model.quick import replace
from syncd.model.record import Activity, Change, Intent, IntentState, Priority, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Presence
from syncd.store.store import Tx
from syncd.vanishing import newly_doubted

BUSY_AGAIN = 2.0  # seconds until a record with a request out is looked at again
CUSTOMER_AGAIN = timedelta(minutes=10)  # a link that was replaced is seen by reading only
LOOK_AGAIN = timedelta(minutes=5)  # a net under the waking of what waits, should it be missed


class Keeper:
    """Stores turns.

    Attributes:
        hurried: records that are due sooner or later for an urgent cause.
    """

    def __init__(self, engine: Engine, guard: Guard, gate: Gate) -> None:
        self._engine = engine
        self._guard = guard
        self._gate = gate
        self.hurried: dict[str, Priority] = {}

    def store(
        self, tx: Tx, works: list[Work], claimed: list[Change], later: list[tuple[Change, float]], seen: Seen
    ) -> None:
        """The turn's one transaction."""
        clock = self._engine.clock
        tx.put_changes(self._met_by_the_way(tx, works, {c.ref for c in claimed} | {c.ref for c, _ in later}, seen))
        tx.observe([observed(ref.connection, snapshot, "read", clock) for ref, snapshot in seen.fresh.items()])
        again = clock.now() + timedelta(seconds=BUSY_AGAIN)
        waiting: set[EntityRef] = set()
        for work in works:
            self._store_decisions(tx, work)
            tx.save_records([replace(record, next_at=again) for record in work.busy if record.next_at is not None])
            for record in work.busy:
                kind = work.sync.flow(record.flow).kind
                waiting |= {EntityRef(work.sync.connection(s), kind, record.entity(s) or "") for s in Side}
        kept = {ref for work in works for ref in work.kept}
        tx.finish_changes([change for change in claimed if change.ref not in waiting])
        tx.postpone_changes([change for change in claimed if change.ref in waiting], again)
        tx.finish_changes([change for change, _ in later])
        self._doubt(tx, [work.sync for work in works], [change.ref for change, _ in later if newly_doubted(change)])
        tx.put_changes([replace(c, due_at=clock.now() + timedelta(seconds=seconds)) for c, seconds in later])
        tx.put_changes([replace(c, cause=KEPT) for c in claimed if c.ref in kept and c.ref not in waiting])
        for work in works:
            # Only now: a hint that is put before the old one is finished would be due at the old one's time.
            decided = [decision.record for decision in work.decisions.values()]
            tx.put_changes(self._look_again(work.sync, decided, clock.now()))

    def _met_by_the_way(self, tx: Tx, works: list[Work], asked: set[EntityRef], seen: Seen) -> list[Change]:
        """Hints to what was read only because something else depends on it, where that is news.

        Once it is stored, no poll will bring it as news any more.
        """
        decided = {
            EntityRef(work.sync.connection(side), work.sync.flow(decision.record.flow).kind, id)
            for work in works
            for decision in work.decisions.values()
            for side in Side
            if (id := decision.record.entity(side)) is not None
        }
        places: dict[tuple[str, Kind], list[str]] = {}
        for ref in seen.fresh.keys() - asked - decided:
            places.setdefault((ref.connection, ref.kind), []).append(ref.id)
        found = []
        for (connection, kind), ids in sorted(places.items()):
            known = tx.entity_versions(connection, kind, ids)
            for ref in (EntityRef(connection, kind, id) for id in sorted(ids)):
                shown = seen.fresh[ref]
                if known.get(ref.id) != (shown.version, shown.presence):
                    found.append(Change(ref=ref, cause="seen", due_at=self._engine.clock.now()))
        return found

    def _store_decisions(self, tx: Tx, work: Work) -> None:
        now = self._engine.clock.now()
        self._fold(tx, work)
        looked = self._gate.look(tx, work.sync, work.decisions.values(), now)
        paused = {flow.name for flow in work.sync.flows if is_paused(tx, work.sync.name, flow.name)}
        guarded = [
            (decision.record, work.moves[id])
            for id, decision in work.decisions.items()
            if id in work.moves
            and id not in looked.allowed
            and id not in looked.waiting
            and decision.record.flow not in paused
        ]
        held = self._guard.held(tx, work.sync, guarded, now)
        intents: list[Intent] = []
        records: dict[str, Record] = {}
        for id, decision in work.decisions.items():
            record = decision.record
            if decision.commands and record.flow in paused:
                record = pending(record, "paused", now)
            elif id in looked.waiting:
                record = pending(record, "not_approved", now, words=looked.waiting[id])
            elif id in held:
                hold = held[id]
                record = pending(record, "held", now, words=hold.words, waits_for=hold.waits_for, next_at=hold.next_at)
            else:
                intents += [self._intent(work, record, command) for command in decision.commands]
            if record.code == "waits_parent":
                self._hurry(id, work.priority)
                record = replace(record, next_at=now + self._patience(tx, record))
            records[id] = record
        tx.trust(work.met)
        tx.drop_intents(work.dropped)
        self._want(tx, work, records)
        splits = [half for decision in work.decisions.values() for half in decision.splits]
        tx.save_records([*records.values(), *splits])
        self._guard.clear(tx, work.sync, now)
        tx.end_actions([ended for decision in work.decisions.values() for ended in decision.ended], now)
        self._add_intents(tx, intents, records)
        tx.add_activity([entry for d in work.decisions.values() for entry in d.activity])
        tx.add_activity(_unsaid(work, records, now))
        self._merge(tx, work)
        tx.wake([f"record:{id}" for id in work.decisions if _moved(work.before.get(id), records[id])], now)

    def _patience(self, tx: Tx, record: Record) -> timedelta:
        """How long until a record that waits is looked at again, should its waking be missed.

        What it waits for may have moved since it was looked at: the outcome of a write is stored meanwhile.
        """
        awaited = (record.waits_for or "").removeprefix("record:")
        parent = tx.records([awaited]).get(awaited) if awaited else None
        moved = bool(awaited) and (parent is None or parent.status is not Status.PENDING)
        return timedelta(seconds=BUSY_AGAIN) if moved else LOOK_AGAIN

    def _doubt(self, tx: Tx, syncs: list[SyncRules], missing: list[EntityRef]) -> None:
        """Their records stay as they are until it is proven; the account says that something was missed."""
        for sync in syncs:
            for ref in missing:
                flow = sync.flow_of(ref.kind)
                if flow is None or ref.connection not in (sync.left, sync.right):
                    continue
                side = sync.side(ref.connection)
                held = tx.records_of_entities(sync.name, flow.name, side, [ref.id]).values()
                now = self._engine.clock.now()
                tx.add_activity(
                    [Activity(record=r.id, at=now, event="record.missed", by="daemon", side=side) for r in held]
                )

    def _merge(self, tx: Tx, work: Work) -> None:
        """Note where entities have gone that no vendor told us of; their records are decided anew."""
        clock, sync = self._engine.clock, work.sync
        merges = {
            EntityRef(sync.connection(merge.side), merge.kind, merge.gone): merge.into
            for decision in work.decisions.values()
            for merge in decision.merges
        }
        known = tx.snapshots(list(merges))
        moved = {ref: replace(s, presence=Presence.MERGED, merged_into=merges[ref]) for ref, s in known.items()}
        tx.observe([observed(ref.connection, snapshot, "merge", clock) for ref, snapshot in moved.items()])
        looks = {look for decision in work.decisions.values() for look in decision.looks}
        refs = [*known, *(EntityRef(sync.connection(side), kind, id) for side, kind, id in sorted(looks))]
        tx.put_changes([Change(ref=ref, cause="seen", due_at=clock.now()) for ref in refs])

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
            if record is not None and not (id in records and record.wanted):
                records[id] = replace(record, wanted=True, next_at=now)
                self._hurry(id, work.priority)

    def _hurry(self, record: str, priority: Priority) -> None:
        """What an urgent record waits for, and the record itself once that is there, are as urgent."""
        if priority < Priority.POLL:
            self.hurried[record] = min(priority, self.hurried.get(record, priority))

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


def _unsaid(work: Work, records: dict[str, Record], now: datetime) -> list[Activity]:
    """Where a record came to stand elsewhere without anything being done to it: a cure that was seen."""
    return [
        Activity(record=id, at=now, event=f"record.{record.status}", by="daemon", code=record.code or None)
        for id, record in records.items()
        if id in work.decisions
        and not work.decisions[id].activity
        and (before := work.before.get(id)) is not None
        and (before.status, before.code) != (record.status, record.code)
    ]


def _moved(before: Record | None, after: Record) -> bool:
    if before is None:
        return True
    return _standing(before) != _standing(after)


def _standing(record: Record) -> tuple[object, ...]:
    return record.status, record.code, record.notes, record.left, record.right
