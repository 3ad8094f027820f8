"""The guard: asks the circuit breakers before a turn's writes are stored, and remembers what they hold.

What is unusual is nearly always a fault - an outage, a paging bug, a careless bulk edit - and its harm cannot be
undone. What the breakers count and hold is stored with the turn, so that a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import structlog

from syncd.core import breakers
from syncd.core.breakers import Limits, Move, Standing
from syncd.core.rules import FlowRules, SyncRules
from syncd.model.breaker import Breaker, Tally
from syncd.model.nouns import Noun
from syncd.model.record import Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.waiting import held_by
from syncd.store.rows import CountRow, Tripped
from syncd.store.store import Tx

log = structlog.get_logger("syncd.guard")

BUCKET = 10  # minutes that are counted together
SAMPLE = 200  # documents from which the worth of all is estimated
PAST = timedelta(days=35)  # what was usual: a month and its end
SOON = timedelta(minutes=5)  # what a breaker that stands holds may go on by itself
LATER = timedelta(hours=1)  # what others hold waits for a person's word; a net under that
CLOSED = "accounting_period_closed"

Skew = Callable[[str], float | None]
"""By how many seconds a connection's clock is ahead of ours, as last seen."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a record is held: the words for people, what wakes it, and when it is looked at again anyway."""

    words: str
    waits_for: str
    next_at: datetime


class Guard:
    """Holds what is unusual.

    Args:
        limits: for each sync what is never held; a sync without them is not guarded. language: of the words.
    """

    def __init__(self, limits: Mapping[str, Limits], language: str = "en", skew: Skew = lambda _: None) -> None:
        self._limits = limits
        self._language = language
        self._skew = skew
        self._changed: dict[tuple[str, str], dict[str, datetime]] = {}  # records whose change is counted, and when

    def held(self, tx: Tx, sync: SyncRules, moves: Iterable[tuple[Record, Move]], now: datetime) -> dict[str, Hold]:
        """The records whose writes are held; what the others want is counted."""
        limits = self._limits.get(sync.name)
        flows: dict[str, list[Move]] = {}
        for record, move in moves:
            flows.setdefault(record.flow, []).append(move)
        if limits is None or not flows:
            return {}
        look = _Look(tx, sync, tx.counts(), tx.tripped(sync.name), now)
        found: dict[str, Hold] = {}
        for flow, listed in flows.items():
            found |= self._flow(look, sync.flow(flow), listed, limits)
        return found

    def _flow(self, look: _Look, flow: FlowRules, moves: Sequence[Move], limits: Limits) -> dict[str, Hold]:
        sync, now = look.sync, look.now
        counted = self._counted(sync.name, flow.name, now)
        standing = look.standing(flow, moves, limits)
        skews = [abs(self._skew(name) or 0.0) for name in (sync.left, sync.right)]
        verdict = breakers.judge(
            moves, replace(standing, skew=timedelta(seconds=max(skews))), limits, frozenset(counted)
        )
        if verdict.passed != Tally():
            at = now.replace(minute=now.minute // BUCKET * BUCKET, second=0, microsecond=0)
            look.tx.add_tally(sync.name, flow.name, at, verdict.passed)
            if verdict.passed.creates and look.tx.meta(begun := _begun(sync.name, flow.name)) is None:
                look.tx.set_meta(begun, now.isoformat())
            counted |= dict.fromkeys(verdict.counted - counted.keys(), now)
        since = {row.breaker: row.since for row in look.holding(flow.name)}
        look.tx.trip(
            [Tripped(sync.name, flow.name, b, since.get(b, now), dict(f), None) for b, f in verdict.figures.items()]
        )
        for breaker, figures in verdict.figures.items():
            if breaker not in since:
                told = {name: n for name, n in figures.items() if breaker is not Breaker.MONEY}  # no amounts in logs
                log.warning("flow.held", sync=sync.name, flow=flow.name, breaker=str(breaker), **told)
        words = {b: ": ".join(breakers.told(b, figures, self._language)) for b, figures in verdict.figures.items()}
        return {id: _hold(sync.name, flow.name, breaker, words[breaker], now) for id, breaker in verdict.held.items()}

    def _counted(self, sync: str, flow: str, now: datetime) -> dict[str, datetime]:
        known = self._changed.get((sync, flow), {})
        kept = {id: at for id, at in known.items() if at > now - breakers.PASS}
        self._changed[sync, flow] = kept
        return kept

    def clear(self, tx: Tx, sync: SyncRules, now: datetime) -> None:
        """Forget breakers that hold nothing any more; to be asked once a turn's records are saved."""
        over = [row for row in tx.tripped(sync.name) if not _released(row, now) and not tx.held_records(row)]
        tx.forget_breakers(over)


def _hold(sync: str, flow: str, breaker: Breaker, words: str, now: datetime) -> Hold:
    again = SOON if breaker in breakers.STANDING else LATER
    return Hold(words, held_by(sync, flow, breaker), now + again)


def _begun(sync: str, flow: str) -> str:
    return f"first-creates:{sync}:{flow}"


def _released(row: Tripped, now: datetime) -> bool:
    return row.released_until is not None and now < row.released_until


@dataclass(frozen=True, slots=True)
class _Look:
    """One transaction's view of what is usual in a sync's flows."""

    tx: Tx
    sync: SyncRules
    counts: Sequence[CountRow]
    tripped: Sequence[Tripped]
    now: datetime

    def holding(self, flow: str) -> list[Tripped]:
        """Breakers of a flow that nobody has released."""
        return [row for row in self.tripped if row.flow == flow and row.released_until is None]

    def standing(self, flow: FlowRules, moves: Sequence[Move], limits: Limits) -> Standing:
        """How a flow stands. What takes a longer look is looked at only if it can matter."""
        now, linked = self.now, self._count(flow, status=Status.SYNCED)
        recent = sum(
            (tally for _, tally in self.tx.tallies(self.sync.name, flow.name, now - breakers.PASS)), start=Tally()
        )
        suspected = breakers.suspected(moves, recent, limits)
        refusals = self._count(flow, code=CLOSED)
        return Standing(
            linked=linked,
            recent=recent,
            young=Breaker.CREATES in suspected and self._young(flow),
            busiest=self._busiest(flow) if Breaker.CREATES in suspected else 0,
            volume=self._volume(flow, linked) if Breaker.MONEY in suspected else Decimal(0),
            refusals=refusals,
            closed=self._closed(flow) if refusals >= limits.closed else None,
            tripped=frozenset(row.breaker for row in self.holding(flow.name)),
            released=frozenset(r.breaker for r in self.tripped if r.flow == flow.name and _released(r, now)),
        )

    def _count(self, flow: FlowRules, status: str | None = None, code: str | None = None) -> int:
        rows = [row for row in self.counts if (row.sync, row.flow) == (self.sync.name, flow.name)]
        return sum(row.n for row in rows if status in (None, row.status) and code in (None, row.code))

    def _young(self, flow: FlowRules) -> bool:
        """Whether the flow's first day is not over, or its history is being let in, as a person wished."""
        letting_in = any(
            (row.sync, row.flow) == (self.sync.name, flow.name)
            and (row.ended_at is None or row.ended_at > self.now - breakers.PASS)
            for row in self.tx.backfills()
        )
        grown = self._grown(flow)
        return letting_in or grown is None or grown > self.now

    def _grown(self, flow: FlowRules) -> datetime | None:
        """When the flow's first day was over."""
        begun = self.tx.meta(_begun(self.sync.name, flow.name))
        return None if begun is None else datetime.fromisoformat(begun) + breakers.YOUNG

    def _busiest(self, flow: FlowRules) -> int:
        """The most creates of an hour, but for the first day's and the last hour's."""
        since, until = max(self.now - PAST, self._grown(flow) or self.now), self.now - breakers.PASS
        listed = self.tx.tallies(self.sync.name, flow.name, since)
        return breakers.busiest((at, tally.creates) for at, tally in listed if at <= until)

    def _volume(self, flow: FlowRules, linked: int) -> Decimal:
        """What the flow's documents are worth, from the worth of some of them."""
        known = [worth for noun in self._some(flow, Status.SYNCED, "") if (worth := breakers.amount_of(noun))]
        return (sum(known, Decimal(0)) / len(known) * linked).quantize(Decimal("0.01")) if known else Decimal(0)

    def _closed(self, flow: FlowRules) -> date | None:
        """The latest day that was refused."""
        days = [day for noun in self._some(flow, Status.FAILED, CLOSED) if (day := breakers.day_of(noun))]
        return max(days, default=None)

    def _some(self, flow: FlowRules, status: Status, code: str) -> list[Noun]:
        page = self.tx.list_records(
            sync=self.sync.name, flow=flow.name, status=status, code=code or None, limit=SAMPLE, bases=False
        )
        refs = [ref for record in page.rows if (ref := _born(self.sync, flow.kind, record)) is not None]
        return [snapshot.noun for snapshot in self.tx.snapshots(refs).values() if snapshot.noun is not None]


def _born(sync: SyncRules, kind: Kind, record: Record) -> EntityRef | None:
    side = record.origin or Side.RIGHT
    id = record.entity(side)
    return None if id is None else EntityRef(sync.connection(side), kind, id)
