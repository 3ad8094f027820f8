"""Bookkeeping circuit breakers: what is unusual enough in a flow that a person should look before it happens.

Every breaker has a figure below which it never trips, and a measure of what is usual in its flow: an hour in which a
month's invoices go out is usual, one in which every customer changes is not. What a breaker holds is its own kind of
write in its own flow; everything else goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from syncd.core.catalogue import LANGUAGES_OF_BREAKERS
from syncd.core.decision import Case, Command, Decision
from syncd.core.rules import FlowRules
from syncd.model.breaker import Breaker, Tally
from syncd.model.nouns import Invoice, Noun, Payment
from syncd.model.quick import quick
from syncd.model.record import Op, Record, Status
from syncd.model.references import Side
from syncd.model.snapshot import Presence
from syncd.model.waiting import held_by

STANDING = (Breaker.CLOCK, Breaker.CLOSED)
"""These hold for as long as something is so, and let go by themselves."""

NOTHING = Tally()
MINUTE = timedelta(minutes=1)
PASS = timedelta(hours=1)  # what happens within it counts together: one pass may come in many pages
YOUNG = timedelta(hours=24)  # a flow without a past has nothing usual; its first creates are the approval's matter
REMOVED, CHANGED, MADE, EMPTIED, MOVED = Decimal("0.1"), Decimal("0.3"), Decimal("0.5"), Decimal("0.8"), Decimal("0.25")
BUSIER = 3  # times the busiest hour there was is still usual
FEW = 10  # documents whose totals a person may well change in an hour, whatever they are worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The figures below which nothing is ever held; what a configuration may set.

    Attributes:
        removals, creates, changes: records within an hour.
        money: by how much all totals together may change within an hour; None for a quarter of what the flow holds.
        rules: records that other rules may write to. empty: the least a side must have lost.
        clock: how far a vendor's clock and ours may be apart. closed: refusals that stand.
    """

    removals: int = 20
    creates: int = 100
    changes: int = 50
    money: Decimal | None = None
    rules: int = 20
    empty: int = 10
    clock: timedelta = timedelta(minutes=10)
    closed: int = 20


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One record's wanted writes, as far as breakers look at them.

    Attributes:
        lost: it was synced, and one of its sides is gone now, whether or not anything follows from that.
        changes: something both sides agreed on is to be changed, by somebody and not by what we compute.
        ruled: only other rules want it.
        money: by how much its total would change.
        day: the date of the document.
        refused: what it wants was refused before, as lying in a closed period.
        held: by this breaker until now.
    """

    record: str
    removes: bool = False
    lost: bool = False
    creates: bool = False
    changes: bool = False
    ruled: bool = False
    money: Decimal = Decimal(0)
    day: date | None = None
    refused: bool = False
    held: Breaker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a flow stands before a turn's moves.

    Attributes:
        linked: its synced records. recent: what went out within the last hour.
        young: nothing usual is known of it yet, or its history is being let in.
        busiest: the most creates of one hour so far. volume: what its documents are worth together, about.
        skew: how far the clocks of the flow's connections and ours are apart at most.
        refusals: records that stand refused for a closed period. closed: the last day of that period, as far as seen.
        tripped: breakers that hold something already. released: those that a person let go.
    """

    linked: int
    recent: Tally = NOTHING
    young: bool = False
    busiest: int = 0
    volume: Decimal = Decimal(0)
    skew: timedelta = timedelta()
    refusals: int = 0
    closed: date | None = None
    tripped: frozenset[Breaker] = frozenset()
    released: frozenset[Breaker] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a turn's moves come to.

    Attributes:
        held: record to the breaker that holds it. figures: of every breaker that does. passed: what goes out.
        counted: of these the records that change, each of which counts once in an hour.
    """

    held: Mapping[str, Breaker] = field(default_factory=dict)
    figures: Mapping[Breaker, Mapping[str, str]] = field(default_factory=dict)
    passed: Tally = NOTHING
    counted: frozenset[str] = frozenset()


def move_of(case: Case, decision: Decision, flow: FlowRules) -> Move:
    """What breakers look at of a decision that wants to write."""
    record, ops = case.record, {command.op for command in decision.commands}
    agreed = record.left_base is not None and record.right_base is not None
    return Move(
        record=decision.record.id,
        removes=bool(ops & {Op.VOID, Op.DELETE}),
        lost=is_lost(case),
        creates=Op.CREATE in ops,
        changes=agreed and any(command.op is Op.UPDATE and not _computed(command) for command in decision.commands),
        ruled=case.stored and record.rules_digest not in ("", flow.digest),
        money=sum((_difference(case, command) for command in decision.commands), Decimal(0)) if agreed else Decimal(0),
        day=next((day for side in Side if (day := day_of(_noun(case, side))) is not None), None),
        refused=record.status is Status.FAILED and record.code == "accounting_period_closed",
        held=_holder(record),
    )


def is_lost(case: Case) -> bool:
    """Whether a synced record has lost one of its sides."""
    sides = [snapshot for side in Side if (snapshot := case.side(side)) is not None]
    return case.record.status is Status.SYNCED and any(one.presence is not Presence.PRESENT for one in sides)


def _computed(command: Command) -> bool:
    """Whether it only tells a mirror what was worked out: balances follow payments, in any number."""
    settled = command.patch.get(command.side.other)
    return command.lines is None and settled is not None and not settled.fields


def _difference(case: Case, command: Command) -> Decimal:
    if command.op is not Op.UPDATE or _computed(command):
        return Decimal(0)
    left, right = (amount_of(_noun(case, side)) for side in Side)
    return abs(left - right) if left is not None and right is not None else Decimal(0)


def _noun(case: Case, side: Side) -> Noun | None:
    snapshot = case.side(side)
    return None if snapshot is None else snapshot.noun


def amount_of(noun: Noun | None) -> Decimal | None:
    """What a document is worth; None for what is none."""
    if isinstance(noun, Invoice):
        return noun.total
    return noun.amount if isinstance(noun, Payment) else None


def day_of(noun: Noun | None) -> date | None:
    """The date by which the books file a document."""
    if isinstance(noun, Invoice):
        return noun.issue_date
    return noun.date if isinstance(noun, Payment) else None


def _holder(record: Record) -> Breaker | None:
    if record.code != "held" or record.waits_for is None:
        return None
    return next((b for b in Breaker if record.waits_for == held_by(record.sync, record.flow, b)), None)


def suspected(moves: Sequence[Move], recent: Tally, limits: Limits) -> frozenset[Breaker]:
    """Breakers whose least figure is passed, so that what is usual must be known. None, as a rule."""
    found = set()
    if sum(move.creates for move in moves) + recent.creates > limits.creates:
        found.add(Breaker.CREATES)
    moving = [move.money for move in moves if move.money]
    if moving and limits.money is None and len(moving) + recent.documents > FEW:
        found.add(Breaker.MONEY)
    return frozenset(found)


def judge(moves: Sequence[Move], standing: Standing, limits: Limits, counted: frozenset[str] = frozenset()) -> Verdict:
    """Which moves are held, by which breaker and with which figures.

    Args:
        counted: records whose change counts in the last hour already.
    """
    held: dict[str, Breaker] = {}
    figures: dict[Breaker, Mapping[str, str]] = {}
    looked = [move for move in moves if move.held not in standing.released]  # a person has seen what was held
    for breaker in Breaker:
        concerned = [m for m in looked if m.record not in held and _concerns(breaker, m, standing, limits)]
        if not concerned or breaker in standing.released:
            continue
        lost = sum(move.lost and not move.removes for move in looked)
        n, most = _measured(breaker, concerned, lost, standing, limits, counted)
        if breaker in standing.tripped or n > most:
            figures[breaker] = _figures(breaker, n, most, standing)
            held |= dict.fromkeys((move.record for move in concerned), breaker)
    # What a person released is no measure of what is usual.
    usual = [m for m in moves if m.record not in held and not _excused(m, standing)]
    changing = frozenset(move.record for move in usual if move.changes)
    passed = Tally(
        removals=sum(move.removes for move in usual),
        creates=sum(move.creates for move in usual),
        changes=len(changing - counted),
        ruled=sum(move.ruled for move in usual),
        documents=sum(bool(move.money) for move in usual),
        money=sum((move.money for move in usual), Decimal(0)),
    )
    return Verdict(held=held, figures=figures, passed=passed, counted=changing)


def _concerns(breaker: Breaker, move: Move, standing: Standing, limits: Limits) -> bool:
    match breaker:
        case Breaker.CLOCK:
            return move.creates and standing.skew > limits.clock
        case Breaker.CLOSED:
            inside = standing.closed is not None and move.day is not None and move.day <= standing.closed
            return inside and not move.refused and standing.refusals >= limits.closed
        case Breaker.RULES:
            return move.ruled or move.held is Breaker.RULES
        case Breaker.EMPTY | Breaker.REMOVALS:
            return move.removes
        case Breaker.CREATES:
            return move.creates and not standing.young
        case Breaker.MONEY:
            return bool(move.money)
        case Breaker.CHANGES:
            return move.changes


def _measured(
    breaker: Breaker, moves: Sequence[Move], gone: int, standing: Standing, limits: Limits, counted: frozenset[str]
) -> tuple[Decimal, Decimal]:
    """How much it would be, and how much is still usual."""
    recent, linked, n = standing.recent, standing.linked, len(moves)
    match breaker:
        case Breaker.CLOCK:
            return Decimal(round(standing.skew / MINUTE)), Decimal(0)
        case Breaker.CLOSED:
            return Decimal(standing.refusals), Decimal(0)
        case Breaker.RULES:
            return Decimal(n + recent.ruled), max(Decimal(limits.rules), linked * REMOVED // 1)
        case Breaker.EMPTY:
            lost = n + gone + recent.removals
            had = (linked + recent.removals) * EMPTIED
            return Decimal(lost), max(Decimal(limits.empty), had) - 1
        case Breaker.REMOVALS:
            return Decimal(n + recent.removals), max(Decimal(limits.removals), linked * REMOVED // 1)
        case Breaker.CREATES:
            return Decimal(n + recent.creates), max(
                Decimal(limits.creates), linked * MADE // 1, Decimal(standing.busiest * BUSIER)
            )
        case Breaker.MONEY:
            return _money(moves, standing, limits)
        case Breaker.CHANGES:
            new = len({move.record for move in moves} - counted)
            return Decimal(new + recent.changes), max(Decimal(limits.changes), linked * CHANGED // 1)


def _money(moves: Sequence[Move], standing: Standing, limits: Limits) -> tuple[Decimal, Decimal]:
    moved = sum((move.money for move in moves), standing.recent.money)
    if limits.money is not None:
        return moved, limits.money
    few = len(moves) + standing.recent.documents <= FEW
    return moved, moved if few else standing.volume * MOVED


def _excused(move: Move, standing: Standing) -> bool:
    kinds = {
        Breaker.REMOVALS: move.removes,
        Breaker.EMPTY: move.removes,
        Breaker.CREATES: move.creates,
        Breaker.CHANGES: move.changes,
        Breaker.MONEY: bool(move.money),
        Breaker.RULES: move.ruled or move.held is Breaker.RULES,
    }
    return move.held in standing.released or any(kinds.get(breaker, False) for breaker in standing.released)


def _figures(breaker: Breaker, n: Decimal, most: Decimal, standing: Standing) -> dict[str, str]:
    told = {"n": _plain(n), "most": _plain(max(most, Decimal(0))), "linked": str(standing.linked)}
    return told | ({"day": str(standing.closed)} if breaker is Breaker.CLOSED else {})


def _plain(n: Decimal) -> str:
    return f"{n:f}" if n != n.to_integral_value() else str(int(n))


def busiest(hours: Iterable[tuple[datetime, int]]) -> int:
    """The most of one hour of the clock, from what went out at moments."""
    totals: dict[datetime, int] = {}
    for at, n in hours:
        hour = at.replace(minute=0, second=0, microsecond=0)
        totals[hour] = totals.get(hour, 0) + n
    return max(totals.values(), default=0)


def told(breaker: Breaker, figures: Mapping[str, str], language: str) -> tuple[str, str]:
    """A breaker's name and its figures, in words."""
    title, words = LANGUAGES_OF_BREAKERS[language][breaker]
    return title, words.format(**figures)
