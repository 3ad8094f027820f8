"""A little closed world for decisions: two vendors in memory, the real recipe, the real core and the real settling.

Nothing is timed and nothing is asked over a wire: a pass decides every record there is and carries the commands out at
once, until a pass changes nothing. What a test says about the daemon's loop is left to the tests of turn and outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from syncd.connectors.base import Done, Outcome, Refused
from syncd.core.content import match_keys
from syncd.core.decision import Case, Command, Context, Decision
from syncd.core.facts import Facts, FindKey, Missing, Needs, SideFacts
from syncd.core.lifecycle import pending
from syncd.core.plan import plan
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine
from syncd.model.money import rounded
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    Invoice,
    InvoiceStatus,
    Line,
    Noun,
    Party,
    Payment,
    PaymentStatus,
    Product,
)
from syncd.model.record import Activity, Intent, Op, Record, Status
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.outbox.settle import Settler
from syncd.recipes import build
from syncd.store.store import Tx

LEFT, RIGHT = Side.LEFT, Side.RIGHT
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)
ROUNDS = 8  # as many look-ups one after the other as a turn allows
PASSES = 25

NOUNS: dict[Kind, type[Noun]] = {
    Kind.PARTY: Party,
    Kind.PRODUCT: Product,
    Kind.INVOICE: Invoice,
    Kind.PAYMENT: Payment,
}
Rule = Callable[[Any], Any]


def rules(**flows: Mapping[str, Any]) -> SyncRules:
    """The rules of HubSpot (left, `crm`) and QuickBooks (right, `books`), each flow bent as a configuration would."""
    told = {"invoices": {"options": {"custom_line_item_account": "Services"}}} | {
        name: {"options": {"custom_line_item_account": "Services"}, **bent} if name == "invoices" else dict(bent)
        for name, bent in flows.items()
    }
    section = {"recipe": "hubspot-quickbooks", "left": "crm", "right": "books", "flows": told}
    return build("invoicing", section, START)


def line(amount: str | Decimal = "100.00", **more: Any) -> Line:
    """One piece at this amount, unless it is said otherwise."""
    sum_ = Decimal(amount)
    return Line(**{"description": "Work", "quantity": Decimal(1), "unit_price": sum_, "amount": sum_} | more)


def invoice(customer: str, *lines: Line, adjustments: Sequence[Adjustment] = (), **more: Any) -> Invoice:
    """An open invoice over 100.00 USD, unless it is said otherwise; the total is what its parts add up to."""
    lines = lines or (line(),)
    values: dict[str, Any] = {
        "status": InvoiceStatus.OPEN,
        "currency": "USD",
        "total": summed(lines, adjustments, more.get("currency", "USD")),
        "customer": customer,
        "issue_date": date(2026, 11, 2),
    }
    values["balance"] = values["total"]
    return Invoice(**values | more, lines=lines, adjustments=tuple(adjustments))


def summed(lines: Iterable[Line], adjustments: Iterable[Adjustment], currency: str) -> Decimal:
    """What lines and order-level amounts come to."""
    off = {AdjustmentKind.DISCOUNT: -1}
    taken = sum((a.amount * off.get(a.kind, 1) for a in adjustments), Decimal(0))
    return rounded(sum((one.amount or Decimal(0) for one in lines), Decimal(0)) + taken, currency)


def payment(of: str, amount: str = "100.00", **more: Any) -> Payment:
    """Money that came in for one invoice."""
    values: dict[str, Any] = {
        "status": PaymentStatus.SUCCEEDED,
        "amount": Decimal(amount),
        "currency": "USD",
        "date": date(2026, 11, 2),
        "allocations": (Allocation(invoice=of, amount=Decimal(amount)),),
    }
    return Payment(**values | more)


@dataclass(slots=True)
class Vendor:
    """One side's entities, kept as the vendor would.

    Attributes:
        strong: lines keep their ids; else they are numbered anew at each write.
        rules: what it does to values it is sent, by kind and field of the noun.
        defaults: what it fills in by itself when something is created without it.
        denies: a category with which it refuses every write, None while it takes them.
    """

    side: Side
    strong: bool
    entities: dict[tuple[Kind, str], Snapshot] = field(default_factory=dict)
    rules: Mapping[Kind, Mapping[str, Rule]] = field(default_factory=dict)
    defaults: Mapping[Kind, Mapping[str, Any]] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    denies: str | None = None
    writes: int = 0
    _ids: Any = field(default_factory=lambda: count(1))

    def add(self, noun: Noun, **more: Any) -> str:
        """A person makes something here; returns its id."""
        kind = next(kind for kind, made in NOUNS.items() if isinstance(noun, made))
        id = f"{self.side[0]}{next(self._ids)}"
        if kind is Kind.INVOICE and self.side is LEFT:
            more = {"native": True, "source": "hubspot"} | more
        self._put(kind, id, noun, **{"created": NOW} | more)
        return id

    def noun(self, kind: Kind, id: str) -> Any:
        """What an entity shows."""
        return self.entities[kind, id].noun

    def all(self, kind: Kind) -> dict[str, Any]:
        """Everything of a kind that is there, by id."""
        return {id: s.noun for (k, id), s in self.entities.items() if k is kind and s.presence is Presence.PRESENT}

    def only(self, kind: Kind) -> Any:
        """The one entity of a kind."""
        (noun,) = self.all(kind).values()
        return noun

    def edit(self, kind: Kind, id: str, **changes: Any) -> None:
        """A person changes something here."""
        noun = replace(self.noun(kind, id), **changes)
        if isinstance(noun, Invoice) and changes.keys() & {"lines", "adjustments"} and "total" not in changes:
            total = summed(noun.lines, noun.adjustments, noun.currency)
            noun = replace(noun, total=total, balance=total - noun.amount_paid)
        self._put(kind, id, noun)

    def mark(self, kind: Kind, id: str, presence: Presence, **more: Any) -> None:
        """Something is archived, deleted, merged away or restored."""
        self.entities[kind, id] = replace(self.entities[kind, id], presence=presence, **more)
        for paid in self.all(Kind.INVOICE):
            self._recount(paid)

    def void(self, id: str) -> None:
        """A person, or we, void an invoice."""
        was = self.noun(Kind.INVOICE, id)
        nothing = {"total": Decimal(0), "balance": Decimal(0)} if self.side is RIGHT else {}
        self._put(Kind.INVOICE, id, replace(was, status=InvoiceStatus.VOIDED, **nothing))

    def apply(self, command: Command, marker: str) -> str:
        """Carry out one write exactly as it is told; returns the entity's id."""
        self.writes += 1
        if command.op is Op.CREATE:
            id = f"{self.side[0]}{next(self._ids)}"
            default = self.defaults.get(command.kind, {})
            empty: dict[str, Any] = {
                Kind.INVOICE: {"status": InvoiceStatus.OPEN, "currency": "USD", "total": Decimal(0)},
                Kind.PAYMENT: {"status": PaymentStatus.SUCCEEDED, "amount": Decimal(0), "currency": "USD"},
            }.get(command.kind, {})
            noun = NOUNS[command.kind](**empty | dict(default))
            more: dict[str, Any] = {"created": NOW, "marker": marker}
            if command.kind is Kind.INVOICE and self.side is LEFT:
                more |= {"native": False, "source": "integration"}
            self._put(command.kind, id, self._written(noun, id, command), **more)
            return id
        id = command.entity or ""
        if command.op is Op.UPDATE:
            self._put(command.kind, id, self._written(self.noun(command.kind, id), id, command))
        elif command.kind is Kind.INVOICE:
            self.void(id)
        else:
            self.mark(command.kind, id, Presence.DELETED)
        return id

    def _written(self, noun: Any, id: str, command: Command) -> Any:
        values = dict(command.values)
        names = {f.name for f in fields(noun)}
        for name in values.keys() & self.rules.get(command.kind, {}).keys():
            values[name] = self.rules[command.kind][name](values[name])
        if isinstance(noun, Invoice):
            if "discount" in values:
                off = values.pop("discount")
                taken = () if off is None else (Adjustment(kind=AdjustmentKind.DISCOUNT, amount=off),)
                noun = replace(noun, adjustments=taken)
            if command.lines is not None:
                noun = replace(noun, lines=tuple(self._line(one) for one in command.lines))
            if self.side is RIGHT:
                assert not values.keys() & {"total", "status", "balance"}, "the books compute these themselves"
                total = summed(noun.lines, noun.adjustments, noun.currency)
                values |= {"total": total, "balance": total - noun.amount_paid}
            elif told := {name: values[name] for name in ("amount_paid", "balance") if name in values}:
                self.told[id] = self.told.get(id, {}) | told
        if isinstance(noun, Payment) and command.allocations is not None:
            noun = replace(noun, allocations=command.allocations)
        custom = {n.removeprefix("custom."): values.pop(n) for n in list(values) if n.startswith("custom.")}
        if custom:
            values["custom"] = {**noun.custom, **custom}
        values = {n: InvoiceStatus(v) if n == "status" and isinstance(noun, Invoice) else v for n, v in values.items()}
        values.pop("income_account" if "income_account" not in names else "", None)
        return replace(noun, **values)

    def _line(self, one: Line) -> Line:
        amount = rounded(one.amount or Decimal(0), "USD")
        if one.quantity is not None and one.unit_price is not None and self.side is RIGHT:
            assert rounded(one.quantity * one.unit_price, "USD") == amount, "the books would compute another amount"
        name = one.name
        if one.product is not None:
            name = self.noun(Kind.PRODUCT, one.product).name  # both vendors show a product's own name
        return replace(one, key=None, name=name, amount=amount)

    def _put(self, kind: Kind, id: str, noun: Any, **more: Any) -> None:
        before = self.entities.get((kind, id))
        if isinstance(noun, Invoice):
            noun = replace(noun, lines=self._numbered(noun.lines))
        base = before or Snapshot(kind=kind, id=id, version="0")
        self.entities[kind, id] = replace(base, version=str(int(base.version) + 1), noun=noun, modified=NOW, **more)
        if isinstance(noun, Payment):
            for paid in self.all(Kind.INVOICE):
                self._recount(paid)
        if isinstance(noun, Invoice):
            self._recount(id)

    def _numbered(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        if not self.strong:
            return tuple(replace(one, id=str(place)) for place, one in enumerate(lines, start=1))
        return tuple(one if one.id else replace(one, id=f"line{next(self._ids)}") for one in lines)

    def _recount(self, id: str) -> None:
        """What an invoice says of its payments."""
        snapshot = self.entities[Kind.INVOICE, id]
        assert isinstance(snapshot.noun, Invoice)
        if snapshot.noun.status is InvoiceStatus.VOIDED:
            return
        got = [p for p in self.all(Kind.PAYMENT).values() if p.status is PaymentStatus.SUCCEEDED]
        paid = sum(
            ((a.amount if a.amount is not None else p.amount) for p in got for a in p.allocations if a.invoice == id),
            Decimal(0),
        )
        balance = snapshot.noun.total - paid
        status = InvoiceStatus.OPEN if not paid else InvoiceStatus.PARTIALLY_PAID if balance > 0 else InvoiceStatus.PAID
        shown: dict[str, Any] = {"amount_paid": paid, "balance": balance, "status": status} | self.told.get(id, {})
        if snapshot.native is False or snapshot.noun.status is InvoiceStatus.DRAFT:
            shown["status"] = snapshot.noun.status
        self.entities[Kind.INVOICE, id] = replace(snapshot, noun=replace(snapshot.noun, **shown))


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
        case = Case(record=record, left=sides[0], right=sides[1], stored=stored)
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
        """Send every intent and settle what came of it."""
        for intent in list(self.intents.values()):
            if intent.id not in self.intents:
                continue
            vendor = self.vendor(intent.side)
            outcome: Outcome
            if vendor.denies is not None:
                outcome = Refused(intent=intent.id, category=vendor.denies, words="no")
            else:
                id = vendor.apply(_command(intent), self.records[intent.record].marker)
                shown = vendor.entities[intent.kind, id]
                outcome = Done(intent=intent.id, id=id, snapshot=None if shown.noun is None else shown)
            Settler(self._engine()).settle(cast(Tx, _State(self)), {intent.id: intent}, [outcome])

    def _engine(self) -> Engine:
        def connector(side: Side) -> SimpleNamespace:
            return SimpleNamespace(traits=SimpleNamespace(normalisers=self.sides[side].normalisers))

        made = SimpleNamespace(
            syncs=(self.sync,),
            connectors={self.sync.left: connector(LEFT), self.sync.right: connector(RIGHT)},
            clock=SimpleNamespace(now=lambda: self.now),
        )
        return cast(Engine, made)

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


@dataclass(slots=True)
class _State:
    """As much of a transaction as settling needs, over a world's dictionaries."""

    world: World

    def records(self, ids: Iterable[str]) -> dict[str, Record]:
        return {id: self.world.records[id] for id in ids}

    def records_of_entities(self, sync: str, flow: str, side: Side, ids: Iterable[str]) -> dict[str, Record]:
        held = {id: self.world._holder(flow, side, id) for id in ids}
        return {id: record for id, record in held.items() if record is not None}

    def intents_of(self, ids: Iterable[str]) -> dict[str, list[Intent]]:
        return {id: [i for i in self.world.intents.values() if i.record == id] for id in ids}

    def drop_intents(self, ids: Iterable[str]) -> None:
        for id in ids:
            self.world.intents.pop(id, None)

    def save_intents(self, intents: Iterable[Intent]) -> None:
        self.world.intents |= {intent.id: intent for intent in intents}

    def save_records(self, records: Iterable[Record]) -> None:
        self.world.records |= {record.id: record for record in records}

    def delete_record(self, id: str, into: str) -> None:
        self.world.records.pop(id, None)

    def add_activity(self, entries: Iterable[Activity]) -> None:
        self.world.activity.extend(entries)

    def observe(self, looks: object) -> None:
        """The world is looked at as it is."""

    def put_changes(self, changes: object) -> None:
        """Every record is decided in every pass."""

    def wake(self, waits_for: object, now: datetime) -> None:
        """The same."""


def _command(intent: Intent) -> Command:
    return Command(**{f.name: getattr(intent, f.name) for f in fields(Command)})


FAILED, SYNCED, PENDING, EXCLUDED = (
    status.value for status in (Status.FAILED, Status.SYNCED, Status.PENDING, Status.EXCLUDED)
)
