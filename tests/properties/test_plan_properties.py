"""Laws of the decision, over random records, edits and vendors that do things to values by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.content import Normalisers, compared_rows, project, same
from syncd.core.facts import SideFacts
from syncd.core.rules import SyncRules
from syncd.model.content import Content
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    Invoice,
    InvoiceStatus,
    Line,
    Party,
    Payment,
    PaymentStatus,
    Product,
)
from syncd.model.record import Record, Status
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from tests.properties.scale import scaled
from tests.unit.core.builders import LEFT, NOW, RIGHT, START, invoice, payment, rules, summed
from tests.unit.core.closed_world import SIDES, World

# -- (a) the decision is total

ids = st.sampled_from(["1", "2", "3"])
texts = st.sampled_from([None, "", "a", "A ", "ab"])
emails = st.sampled_from([None, " ", "a@x", "A@x"])
amounts = st.sampled_from([Decimal(0), Decimal("0.005"), Decimal("33.333"), Decimal(10), Decimal(-5)])
maybe = st.none() | amounts
days = st.none() | st.just(date(2026, 11, 2))
currencies = st.sampled_from(["USD", "EUR", "JPY"])

parties = st.builds(Party, email=emails, first_name=texts, phone=texts, parent=st.none() | ids, active=st.booleans())
products = st.builds(Product, sku=texts, name=texts, active=st.booleans())
any_lines = st.builds(
    Line,
    id=texts,
    product=st.none() | ids,
    name=texts,
    description=texts,
    quantity=maybe,
    unit_price=maybe,
    amount=maybe,
    discount=maybe,
)
adjustments = st.builds(Adjustment, kind=st.sampled_from(AdjustmentKind), amount=amounts)
invoices = st.builds(
    Invoice,
    status=st.sampled_from(InvoiceStatus),
    currency=currencies,
    total=amounts,
    number=texts,
    customer=st.none() | ids,
    due_date=days,
    lines=st.lists(any_lines, max_size=3).map(tuple),
    adjustments=st.lists(adjustments, max_size=2).map(tuple),
    tax_total=amounts,
    amount_paid=amounts,
)
payments = st.builds(
    Payment,
    status=st.sampled_from(PaymentStatus),
    amount=amounts,
    currency=currencies,
    allocations=st.lists(st.builds(Allocation, invoice=ids, amount=maybe), max_size=3).map(tuple),
)
nouns = {Kind.PARTY: parties, Kind.PRODUCT: products, Kind.INVOICE: invoices, Kind.PAYMENT: payments}


@st.composite
def snapshots(draw: st.DrawFn, kind: Kind, id: str) -> Snapshot:
    presence = draw(st.sampled_from([Presence.PRESENT] * 4 + list(Presence)))
    there = presence is Presence.PRESENT or draw(st.booleans())
    return Snapshot(
        kind=kind,
        id=id,
        version="1",
        presence=presence,
        noun=draw(st.none() | nouns[kind]) if there else None,
        created=draw(st.sampled_from([None, START, NOW])),
        native=draw(st.sampled_from([None, True, False])),
        source=draw(st.sampled_from([None, "hubspot", "Stripe"])),
        marker=draw(st.sampled_from([None, "syncd:1", "syncd:" + "0" * 32])),
        merged_into=draw(st.none() | ids) if presence is Presence.MERGED else None,
        torn=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def bases(draw: st.DrawFn, world: World, flow: str, side: Side) -> Content | None:
    """What a side held once: that of some entity, or a part of it."""
    rule = world.sync.flow(flow)
    if draw(st.booleans()):
        return None
    content = project(draw(snapshots(rule.kind, "1")), rule, side)
    content = content.without(draw(st.sets(st.sampled_from(sorted(content.fields) or ["-"]))))
    if content.lines is not None:
        keyed = tuple(replace(one, key=str(place)) for place, one in enumerate(content.lines))
        content = replace(content, lines=draw(st.none() | st.just(keyed)))
    return content


@st.composite
def anything(draw: st.DrawFn) -> World:
    """Entities that may be gone, torn, unreadable or pointing nowhere, and records in any state about them."""
    bent = {"direction": draw(st.sampled_from(["off", "left-to-right", "right-to-left", "both"]))}
    flow_names = ("contacts", "products", "invoices", "payments")
    world = World(sync=rules(**{name: bent for name in flow_names if draw(st.booleans())}))
    for side in Side:
        world.sides[side] = draw(
            st.builds(
                SideFacts,
                multi_currency=st.booleans(),
                writable=st.sets(st.sampled_from(Kind)).map(frozenset),
                service_date_required=st.booleans(),
                books_closed_until=days,
                strong_line_ids=st.booleans(),
                splits_payments=st.booleans(),
            )
        )
        for kind in Kind:
            for id in draw(st.sets(ids)):
                world.vendor(side).entities[kind, id] = draw(snapshots(kind, id))
    for flow in flow_names:
        for number in range(draw(st.integers(0, 2))):
            record = Record(
                id=f"{flow}{number}",
                sync="invoicing",
                flow=flow,
                left=draw(st.none() | ids),
                right=draw(st.none() | ids),
                origin=draw(st.none() | st.sampled_from(Side)),
                left_base=draw(bases(world, flow, LEFT)),
                right_base=draw(bases(world, flow, RIGHT)),
                status=draw(st.sampled_from(Status)),
                notes=draw(st.sampled_from([(), ("counterpart_gone",), ("payment_mirrored",)])),
                wanted=draw(st.booleans()),
                since=NOW,
            )
            world.records[record.id] = record
    return world


@given(anything())
@settings(max_examples=scaled(100), deadline=None)
def test_the_decision_is_total(world: World) -> None:
    """Whatever is shown and remembered, a decision is made, in no more rounds of questions than a turn allows."""
    for record in list(world.records.values()):
        decision = world.planned(world.sync.flow(record.flow), record)
        assert decision.record.id in world.records or decision.folds == record.id
        assert not (decision.commands and decision.record.status is not Status.PENDING)


# -- (b), (c), (d) people edit, and both sides come to agree

FIELDS = ("first_name", "phone", "company", "city")
WORDS = st.sampled_from([None, "", "a", "A", " a ", "a  b", "abcdefgh", "abcdefgX", "x\r\ny"])

Rule = Callable[[Any], Any]
HABITS: Mapping[str, Rule] = {
    "trim": lambda text: text and text.strip(),
    "collapse": lambda text: text and " ".join(text.split()),
    "casefold": lambda text: text and text.casefold(),
    "truncate:5": lambda text: text and text[:5],
    "empty": lambda text: text or None,
}
habits = st.dictionaries(
    st.sampled_from(FIELDS), st.lists(st.sampled_from(sorted(HABITS)), max_size=3, unique=True).map(tuple)
)
conflicts = st.sampled_from(["left", "right", "hold"])
Edit = tuple[Side, str, str | None]
edits = st.lists(st.tuples(st.sampled_from(Side), st.sampled_from(FIELDS), WORDS), max_size=5)


@cache
def ruled(flow: str, conflict: str) -> SyncRules:
    return rules(**{flow: {"conflict": conflict}})


def made_by(wanted: tuple[str, ...]) -> Rule:
    def rule(value: Any) -> Any:
        for name in wanted * 2:
            value = HABITS[name](value)
        return value

    return rule


def world_of_people(left: Normalisers, right: Normalisers, conflict: str) -> tuple[World, dict[Side, str]]:
    """One linked pair, on vendors with these habits, which they declare."""
    w = World(sync=ruled("contacts", conflict))
    for side, wanted in ((LEFT, left), (RIGHT, right)):
        w.sides[side] = replace(SIDES[side], normalisers={Kind.PARTY: wanted})
        w.vendor(side).rules = {Kind.PARTY: {name: made_by(names) for name, names in wanted.items()}}
    ids = {side: w.vendor(side).add(Party(email="a@x.org")) for side in Side}
    w.run()
    return w, ids


def edit(w: World, ids: Mapping[Side, str], change: Edit) -> None:
    side, name, value = change
    w.vendor(side).edit(Kind.PARTY, ids[side], **{name: value})


def agreeing(w: World, ids: Mapping[Side, str], name: str) -> bool:
    shown = [
        project(w.vendor(side).entities[Kind.PARTY, ids[side]], w.sync.flow("contacts"), side).fields[name]
        for side in Side
    ]
    return any(same(name, *shown, w.sides[side].normalisers[Kind.PARTY]) for side in Side)


@given(habits, habits, conflicts, st.lists(edits, max_size=4))
@settings(max_examples=scaled(100), deadline=None)
def test_after_any_edits_both_sides_agree_by_the_rule_and_nothing_echoes(
    left: Normalisers, right: Normalisers, conflict: str, rounds: list[list[Edit]]
) -> None:
    """No edit made on one side only is lost; what both edited ends by the rule, or is held; then there is silence."""
    w, ids = world_of_people(left, right, conflict)
    for changes in rounds:
        before = {side: w.vendor(side).noun(Kind.PARTY, ids[side]) for side in Side}
        agreed = w.record("contacts", ids[LEFT]).status is Status.SYNCED
        for change in changes:
            edit(w, ids, change)
        meant = {side: w.vendor(side).noun(Kind.PARTY, ids[side]) for side in Side}
        w.run()
        assert w.run() == 0
        record = w.record("contacts", ids[LEFT])
        if record.code == "conflict_held":
            assert conflict == "hold"
            continue
        assert record.status is Status.SYNCED
        assert all(agreeing(w, ids, name) for name in FIELDS)
        for name in FIELDS:
            movers = [side for side in Side if getattr(before[side], name) != getattr(meant[side], name)]
            if agreed and len(movers) == 1:
                (side,) = movers
                now, wanted = (getattr(x, name) for x in (w.vendor(side).noun(Kind.PARTY, ids[side]), meant[side]))
                assert now == wanted, "an edit of one side only was undone"


@given(habits, habits, conflicts, edits, edits)
@settings(max_examples=scaled(100), deadline=None)
def test_the_order_of_arrival_plays_no_part(
    left: Normalisers, right: Normalisers, conflict: str, first: list[Edit], second: list[Edit]
) -> None:
    """The same edits of the two sides, planned after the left ones, after the right ones, or all at once."""
    of_left = [change for change in first + second if change[0] is LEFT]
    of_right = [change for change in first + second if change[0] is RIGHT]
    ends = []
    for groups in ((of_left, of_right), (of_right, of_left), ([], of_left + of_right)):
        w, ids = world_of_people(left, right, conflict)
        for group in groups:
            w.intents.clear()  # what has not left is planned anew
            for change in group:
                edit(w, ids, change)
            w.decide_all()
        w.intents.clear()
        w.run()
        record = w.record("contacts", ids[LEFT])
        ends.append(([w.vendor(s).noun(Kind.PARTY, ids[s]) for s in Side], record.status, record.code, record.words))
    assert ends[0] == ends[1] == ends[2]


@given(habits, habits, conflicts, edits)
@settings(max_examples=scaled(100), deadline=None)
def test_deciding_alone_agrees_on_nothing_that_was_not_seen(
    left: Normalisers, right: Normalisers, conflict: str, changes: list[Edit]
) -> None:
    """Bases move only to what a side shows, and only a write or a new look moves them."""
    w, ids = world_of_people(left, right, conflict)
    for change in changes:
        edit(w, ids, change)
    was = w.record("contacts", ids[LEFT])
    w.decide_all()
    record = w.record("contacts", ids[LEFT])
    for side in Side:
        base, now = (
            record.base(side),
            project(w.vendor(side).entities[Kind.PARTY, ids[side]], w.sync.flow("contacts"), side),
        )
        before = was.base(side)
        assert base is not None
        assert before is not None
        assert all(value in (before.fields[name], now.fields[name]) for name, value in base.fields.items())
    w.intents.clear()
    w.decide_all()
    again = w.record("contacts", ids[LEFT])
    assert (again.left_base, again.right_base) == (record.left_base, record.right_base)


# -- (c) and (e) invoices

cents = st.integers(1, 50_000).map(lambda n: Decimal(n) / 100)
quantities = st.sampled_from([Decimal(1), Decimal(3), Decimal("0.5"), Decimal("1.333"), Decimal(7)])
prices = st.sampled_from([Decimal("0.01"), Decimal("9.99"), Decimal("33.333"), Decimal("0.0005"), Decimal(100)])


@st.composite
def sold(draw: st.DrawFn) -> Line:
    """A line as a sales side computes it, in whole cents or not."""
    quantity, price = draw(quantities), draw(prices)
    gross = quantity * price
    discount = draw(st.sampled_from([None, None, Decimal("0.01"), gross / 10]))
    amount = gross - (discount or Decimal(0))
    if draw(st.booleans()):
        amount = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    said = draw(st.booleans())
    return Line(
        name=draw(st.sampled_from([None, "Hours"])),
        description=draw(st.sampled_from([None, "Work", "Travel"])),
        quantity=quantity if said else None,
        unit_price=price if said else None,
        amount=amount,
        discount=discount if said else None,
    )


lists = st.lists(sold(), min_size=1, max_size=5)
whole = st.lists(st.builds(Adjustment, kind=st.sampled_from(AdjustmentKind), amount=cents), max_size=2)
REFUSED = {"amount_mismatch", "order_level_amount"}


@given(lists, whole, st.sampled_from([Decimal(0), Decimal(0), Decimal("0.01"), Decimal("-0.01")]), lists, whole)
@settings(max_examples=scaled(100), deadline=None)
def test_totals_agree_to_the_cent_or_the_record_says_why(
    lines: list[Line], extra: list[Adjustment], off: Decimal, later: list[Line], extra_later: list[Adjustment]
) -> None:
    """At creation and after every change; and what was written comes back as nothing."""
    w = World()
    customer = w.left.add(Party(email="a@x.org"))
    total = summed(lines, extra, "USD") + off
    id = w.left.add(invoice(customer, *lines, adjustments=extra, number="1", total=total, balance=total))
    for step in range(2):
        w.run()
        record = w.record("invoices", id)
        if record.status is Status.SYNCED:
            assert w.twin("invoices", id).total == w.left.noun(Kind.INVOICE, id).total
        else:
            assert record.code in REFUSED
        assert w.run() == 0
        if step == 0:
            w.left.edit(Kind.INVOICE, id, lines=tuple(later), adjustments=tuple(extra_later))


@st.composite
def pushed(draw: st.DrawFn, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """What a person makes of lines: removed, changed, added, moved."""
    kept = [one for one in lines if draw(st.integers(0, 3))]
    changed = [replace(draw(sold()), id=one.id) if draw(st.booleans()) else one for one in kept]
    return tuple(draw(st.permutations([*changed, *draw(st.lists(sold(), max_size=2))])))


@given(lists, st.data(), st.sampled_from(Side))
@settings(max_examples=scaled(100), deadline=None)
def test_edits_of_the_lines_at_the_origin_arrive_whole(lines: list[Line], data: st.DataObject, origin: Side) -> None:
    """The other side shows the same amounts, in one write, from either origin, on strong and on weak line ids."""
    w = World()
    vendor = w.vendor(origin)
    lines = [replace(one, amount=(one.amount or Decimal(0)).quantize(Decimal("0.01"))) for one in lines]
    id = vendor.add(invoice(vendor.add(Party(email="a@x.org")), *lines, number="1"))
    w.run()
    for _ in range(3):
        made = data.draw(pushed(vendor.noun(Kind.INVOICE, id).lines))
        exact = tuple(replace(one, amount=(one.amount or Decimal(0)).quantize(Decimal("0.01"))) for one in made)
        vendor.edit(Kind.INVOICE, id, lines=exact or tuple(lines))
        assert w.run() <= 1
        assert w.run() == 0
        assert w.standing("invoices", id) == ("synced", "")
        here, there = vendor.noun(Kind.INVOICE, id), w.twin("invoices", id)
        assert (here.total, sorted(one.amount for one in here.lines)) == (
            there.total,
            sorted(one.amount for one in there.lines),
        )


moves = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.sampled_from(["due", "po", "comment", "line", "undo", "pay", "unpay", "void"]),
        st.integers(0, 4),
    ),
    max_size=8,
)


@given(st.sampled_from(Side), conflicts, st.booleans(), st.lists(moves, max_size=4))
@settings(max_examples=scaled(100), deadline=None)
def test_a_month_in_the_life_of_an_invoice(origin: Side, conflict: str, records: bool, months: list[Any]) -> None:
    """People edit what they may and what they may not, pay, take payments back and void, on both sides at once.

    After every batch there is silence; a synced invoice has one total, one balance, and everything shared agrees; what
    does not agree is said.
    """
    w = World(sync=ruled("invoices", conflict))
    if not records:
        w.sides[LEFT] = replace(w.sides[LEFT], writable=frozenset(Kind) - {Kind.PAYMENT})
    vendor = w.vendor(origin)
    id = vendor.add(invoice(vendor.add(Party(email="a@x.org")), number="1"))
    w.run()
    record = w.record("invoices", id)
    ids = {LEFT: record.left or "", RIGHT: record.right or ""}
    for batch in months:
        good = {side: w.vendor(side).noun(Kind.INVOICE, ids[side]) for side in Side}
        for side, what, number in batch:
            act(w, origin, side, ids[side], what, number, good[side])
        w.run()
        assert w.run() == 0
        check(w, ids, origin, conflict)


def act(w: World, origin: Side, side: Side, id: str, what: str, number: int, good: Invoice) -> None:
    vendor = w.vendor(side)
    now = vendor.noun(Kind.INVOICE, id)
    if now.status is InvoiceStatus.VOIDED:
        return
    paid = [p for p, noun in vendor.all(Kind.PAYMENT).items() if noun.allocations[0].invoice == id]
    match what:
        case "due":
            vendor.edit(Kind.INVOICE, id, due_date=date(2026, 12, 1 + number))
        case "po":
            vendor.edit(Kind.INVOICE, id, po_number=[None, "", "PO", " PO ", "7"][number])
        case "comment":
            vendor.edit(Kind.INVOICE, id, comment=str(number) if side is origin else good.comment)
        case "line":
            lines = (Line(description="More", amount=Decimal(100 + number)),)
            vendor.edit(Kind.INVOICE, id, lines=lines)
        case "undo":
            vendor.edit(Kind.INVOICE, id, lines=good.lines, comment=good.comment)
        case "pay" if side is RIGHT or origin is LEFT:
            vendor.add(payment(id, f"{number + 1}.00"))
        case "unpay" if paid:
            vendor.mark(Kind.PAYMENT, paid[number % len(paid)], Presence.DELETED)
        case "void" if number == 0:
            vendor.void(id)


def check(w: World, ids: Mapping[Side, str], origin: Side, conflict: str) -> None:
    record, flow = w.record("invoices", ids[LEFT]), w.sync.flow("invoices")
    left, right = (w.vendor(side).noun(Kind.INVOICE, ids[side]) for side in Side)
    if record.status is not Status.SYNCED:
        assert record.code in {"edited_outside_origin", "conflict_held"}
        assert record.code != "conflict_held" or conflict == "hold"
        return
    if InvoiceStatus.VOIDED in (left.status, right.status):
        assert left.status is right.status
        return
    assert left.total == right.total
    for row in compared_rows(flow):
        one, other = (project(w.vendor(s).entities[Kind.INVOICE, ids[s]], flow, s).fields[row.name] for s in Side)
        assert same(row.name, one, other, {}), row.name
    assert sorted(one.amount or 0 for one in left.lines) == sorted(one.amount or 0 for one in right.lines)
    waiting = [r for r in w.records.values() if r.flow == "payments" and r.status is Status.FAILED]
    if not waiting:
        assert left.balance == right.balance
