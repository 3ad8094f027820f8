"""Money in all its ways: part payments, too much, one payment for several invoices, taken back, given back, credits.

All scenarios happen in one world, once with a payment processor in HubSpot and once without: first what is done, then
what is done about it. After each round both sides show the same balances to the cent, and when everything is looked at
again, by another daemon, nothing is done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from syncd import app
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef, Kind
from tests.acceptance.world import Pair, Row, Snapshot, World

HOUR = 3600.0
CONTACT, CUSTOMER, PRODUCT, ITEM = "1002", "2", "3003", "4"


@dataclass(slots=True)
class Till:
    """One scenario's invoices of 100.00 each, by the letters it calls them, and its payments."""

    w: World
    invoices: dict[str, str] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)

    async def bill(self, *names: str) -> None:
        """Invoices of 100.00: `n...` born in HubSpot, `m...` in QuickBooks."""
        for name in names:
            if name.startswith("n"):
                lines = [{"product": PRODUCT, "quantity": "1", "price": "100"}]
                made = await self.w.crm("create", "invoices", contact=CONTACT, lines=lines, finalize=True)
                self.invoices[name] = made["id"]
            else:
                lines = [{"item": ITEM, "qty": 1, "price": 100}]
                made = await self.w.books("create", "Invoice", customer=CUSTOMER, lines=lines)
                self.invoices[name] = made["Id"]

    async def both(self, name: str) -> Pair:
        return await self.w.both(self.invoices[name])

    async def booked(self, name: str) -> str:
        """The id in QuickBooks."""
        return str((await self.w.record(self.invoices[name], "invoices"))["right"]["id"])

    async def receive(self, name: str, amount: str, **parts: str) -> None:
        """A payment in QuickBooks, with what it gives to which invoice."""
        lines = [_line(await self.booked(invoice), part) for invoice, part in parts.items()]
        made = await self.w.books("create", "Payment", customer=CUSTOMER, amount=Decimal(amount), Line=lines)
        self.payments[name] = made["Id"]

    async def move(self, name: str, **parts: str) -> None:
        """The same payment gives something else."""
        lines = [_line(await self.booked(invoice), part) for invoice, part in parts.items()]
        await self.w.books("update", "Payment", self.payments[name], Line=lines)

    async def take(self, name: str, amount: str, *invoices: str) -> None:
        """A payment in HubSpot."""
        ids = [self.invoices[invoice] for invoice in invoices]
        values = {"hs_initial_amount": amount, "hs_initiated_date": "2026-11-10T10:00:00Z", "hs_processor_type": "none"}
        values |= {"hs_latest_status": "succeeded"}
        made = await self.w.crm("create", "commerce_payments", contact=CONTACT, invoice=ids, **values)
        self.payments[name] = made["id"]

    async def credit(self, invoice: str, amount: str) -> None:
        """A credit memo in QuickBooks, used up for an invoice."""
        lines = [{"item": ITEM, "qty": 1, "price": Decimal(amount)}]
        memo = await self.w.books("create", "CreditMemo", customer=CUSTOMER, lines=lines)
        parts = [_line(await self.booked(invoice), amount), _line(memo["Id"], amount, "CreditMemo")]
        await self.w.books("create", "Payment", customer=CUSTOMER, amount=Decimal(0), Line=parts)


def _line(id: str, amount: str, kind: str = "Invoice") -> Row:
    return {"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}


Act = Callable[[Till], Awaitable[Any]]


async def _nothing(till: Till) -> None:
    pass


@dataclass(frozen=True)
class Scenario:
    """What is done, then what is done about it; the balances after each."""

    name: str
    bills: tuple[str, ...]
    act: Act
    open: dict[str, str]
    then: Act = _nothing
    left: dict[str, str] | None = None
    notes: dict[str, list[str]] = field(default_factory=dict)


async def _half_each(till: Till) -> None:
    await till.take("p", "60", "n")
    await till.receive("q", "40", n="40")


async def _part_then_too_much(till: Till) -> None:
    await till.take("p", "60", "n")
    await till.take("q", "120", "n")


async def _two_credits(till: Till) -> None:
    await till.credit("n", "25.50")
    await till.credit("m", "30.25")


async def _money_and_credit(till: Till) -> None:
    await till.credit("n", "25.50")
    await till.receive("p", "50", n="50")


async def _refund(till: Till) -> None:
    await till.w.crm("update", "commerce_payments", till.payments["p"], hs_latest_status="refunded")


async def _part_refund(till: Till) -> None:
    values = {"hs_latest_status": "partially_refunded", "hs_refunds_amount": "10"}
    await till.w.crm("update", "commerce_payments", till.payments["p"], **values)


def _books(op: str, name: str = "p") -> Act:
    return lambda till: till.w.books(op, "Payment", till.payments[name])


def _crm(op: str, name: str = "p") -> Act:
    return lambda till: till.w.crm(op, "commerce_payments", till.payments[name])


SCENARIOS = [
    Scenario(
        "part of a HubSpot invoice, received in QuickBooks, then the rest",
        ("n",),
        lambda t: t.receive("p", "40.10", n="40.10"),
        {"n": "59.90"},
        lambda t: t.receive("q", "59.90", n="59.90"),
        {"n": "0"},
    ),
    Scenario(
        "part of a HubSpot invoice, taken in HubSpot, then the rest",
        ("n",),
        lambda t: t.take("p", "40.10", "n"),
        {"n": "59.90"},
        lambda t: t.take("q", "59.90", "n"),
        {"n": "0"},
    ),
    Scenario(
        "part of a QuickBooks invoice, then deleted",
        ("m",),
        lambda t: t.receive("p", "40.10", m="40.10"),
        {"m": "59.90"},
        _books("delete"),
        {"m": "100"},
    ),
    Scenario("a part on each side, then one is void", ("n",), _half_each, {"n": "0"}, _books("void", "q"), {"n": "40"}),
    Scenario(
        "a part on each side, then the other is archived", ("n",), _half_each, {"n": "0"}, _crm("archive"), {"n": "60"}
    ),
    Scenario(
        "too much, received in QuickBooks, then the rest is used",
        ("n", "n2"),
        lambda t: t.receive("p", "150", n="100"),
        {"n": "0", "n2": "100"},
        lambda t: t.move("p", n="100", n2="50"),
        {"n": "0", "n2": "50"},
    ),
    Scenario("too much, taken in HubSpot", ("n",), lambda t: t.take("p", "150", "n"), {"n": "0"}),
    Scenario(
        "too much after a part, and the part is taken away",
        ("n",),
        _part_then_too_much,
        {"n": "0"},
        _crm("archive"),
        {"n": "0"},
    ),
    Scenario(
        "one payment in QuickBooks for three invoices, then unapplied",
        ("n", "n2", "m"),
        lambda t: t.receive("p", "180", n="100", n2="50", m="30"),
        {"n": "0", "n2": "50", "m": "70"},
        lambda t: t.move("p"),
        {"n": "100", "n2": "100", "m": "100"},
    ),
    Scenario(
        "one payment in HubSpot for two invoices",
        ("n", "n2"),
        lambda t: t.take("p", "150", "n", "n2"),
        {"n": "0", "n2": "50"},
    ),
    Scenario(
        "a payment is unapplied",
        ("n",),
        lambda t: t.receive("p", "40", n="40"),
        {"n": "60"},
        lambda t: t.move("p"),
        {"n": "100"},
    ),
    Scenario(
        "a payment is moved to another invoice",
        ("n", "n2"),
        lambda t: t.receive("p", "40", n="40"),
        {"n": "60", "n2": "100"},
        lambda t: t.move("p", n2="40"),
        {"n": "100", "n2": "60"},
    ),
    Scenario(
        "a payment is split, and whole again",
        ("n", "n2"),
        lambda t: t.receive("p", "80", n="80"),
        {"n": "20", "n2": "100"},
        lambda t: t.move("p", n="50", n2="30"),
        {"n": "50", "n2": "70"},
    ),
    Scenario(
        "credit memos on both kinds of invoices",
        ("n", "m"),
        _two_credits,
        {"n": "74.50", "m": "69.75"},
        notes={"n": ["other_credit"], "m": ["other_credit"]},
    ),
    Scenario(
        "a credit memo and money, and the money is taken away",
        ("n",),
        _money_and_credit,
        {"n": "24.50"},
        _books("delete"),
        {"n": "74.50"},
        notes={"n": ["other_credit"]},
    ),
    Scenario("all is given back", ("n",), lambda t: t.take("p", "100", "n"), {"n": "0"}, _refund, {"n": "0"}),
    Scenario("a part is given back", ("n",), lambda t: t.take("p", "40", "n"), {"n": "60"}, _part_refund, {"n": "60"}),
]


@dataclass(frozen=True)
class Told:
    """Of one scenario after one round: each invoice as both sides have it, and its payments' records."""

    invoices: dict[str, Pair]
    payments: dict[str, Row]


@pytest.fixture(scope="module", params=[True, False], ids=["processor", "no-processor"])
def report(request: pytest.FixtureRequest, synced: Snapshot) -> tuple[dict[str, tuple[Told, Told]], list[Row]]:
    """Both rounds of all scenarios, and what was written when everything was looked at again."""
    return asyncio.run(_lived(synced, processor=request.param))


async def _lived(synced: Snapshot, *, processor: bool) -> tuple[dict[str, tuple[Told, Told]], list[Row]]:
    async with synced.world() as w:
        await w.control.settings("hubspot", processor_connected=processor)
        tills = {scenario.name: Till(w) for scenario in SCENARIOS}
        for scenario in SCENARIOS:
            await tills[scenario.name].bill(*scenario.bills)
        await w.once()
        told: list[dict[str, Told]] = []
        for act in ("act", "then"):
            for scenario in SCENARIOS:
                await getattr(scenario, act)(tills[scenario.name])
            await w.advance(HOUR + 1)
            await w.once()
            told.append({name: await _told(till) for name, till in tills.items()})
        mark = await w.mark()
        await _look_at_everything(w)
        await w.once()
        return {s.name: (told[0][s.name], told[1][s.name]) for s in SCENARIOS}, await w.written(mark)


async def _told(till: Till) -> Told:
    invoices = {name: await till.both(name) for name in till.invoices}
    return Told(invoices, {name: await till.w.record(id, "payments") for name, id in till.payments.items()})


async def _look_at_everything(w: World) -> None:
    """Every webhook comes again."""
    async with app.opened(w.config, "once", clock=w.clock) as opened:
        now = w.clock.now()
        refs = [
            EntityRef(connection, Kind(kind), id)
            for connection in ("crm", "books")
            for kind in ("invoice", "payment")
            for id in await opened.store.read(lambda tx, c=connection, k=kind: tx.entity_ids(c, Kind(k)))
        ]
        changes = [Change(ref=r, cause="webhook", priority=Priority.WEBHOOK, due_at=now) for r in refs]
        await opened.store.write(lambda tx: tx.put_changes(changes))


Report = tuple[dict[str, tuple[Told, Told]], list[Row]]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_both_sides_show_the_same_balances(report: Report, scenario: Scenario) -> None:
    """U-08: to the cent, after what is done and after what is done about it; every payment is in order."""
    first, second = report[0][scenario.name]
    for told, balances in ((first, scenario.open), (second, scenario.left or scenario.open)):
        for name, balance in balances.items():
            pair = told.invoices[name]
            assert pair.record["status"] == "synced", pair.record["words"]
            assert pair.books["Balance"] == Decimal(balance)
            assert _shown(pair) == Decimal(balance), name
        for name, record in told.payments.items():
            assert record["status"] == "synced" or record["code"] in ("deleted_at_source", "filtered"), (name, record)
    for name, notes in scenario.notes.items():
        assert second.invoices[name].notes == notes


def test_what_comes_again_does_nothing(report: Report) -> None:
    """U-08: webhooks delivered again to another daemon write nothing."""
    assert report[1] == []


def _shown(pair: Pair) -> Decimal:
    ours = pair.of("syncd_balance_due")
    return Decimal(ours) if ours else pair.amount("hs_balance_due")


def test_what_was_given_back_is_said(report: Report) -> None:
    """U-08: the payment is in order, with a note; nothing is taken from the books."""
    for name in ("all is given back", "a part is given back"):
        record = report[0][name][1].payments["p"]
        assert (record["status"], [note["code"] for note in record["notes"]]) == ("synced", ["payment_refunded"])
