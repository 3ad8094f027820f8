"""History on demand: each document once on the other side, nothing made that is there already, live edits first."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from syncd import app
from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery
from tests.acceptance.processes import ANY_PORT, Killer, Proceed, intercept, running, until
from tests.acceptance.world import Row, World, world
from tests.bench.vendors import fill

SINCE = "2020-01-01"
INVOICES = "syncs.invoicing.flows.invoices"


async def begun_today(w: World) -> None:
    """Everything there is is older than the sync, and HubSpot's invoices alone go over."""
    await w.advance(3600)
    w.set("syncs.invoicing", start=w.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    w.set(INVOICES, direction='"left-to-right"')
    w.set("syncs.invoicing", guard='{ clock = "1d" }')  # a daemon in a process of its own is an hour behind


async def backfill(w: World) -> Row:
    """`syncd backfill` in this process, without waiting."""
    async with app.opened(w.config, "backfill", clock=w.clock) as opened:
        await opened.backfill("invoicing", "invoices", datetime(2020, 1, 1, tzinfo=UTC))
        await opened.loop.drain(600)
        (told,) = (await opened.backfills())["backfills"]
        return told


async def _person(w: World, name: str) -> tuple[str, str]:
    """Somebody whom both sides know: the contact's id and the customer's."""
    email = f"{name.lower()}@old.example"
    contact = await w.crm("create", "contacts", email=email, firstname=name, lastname="Old")
    customer = await w.books("create", "Customer", name=f"{name} Old", first_name=name, last_name="Old", email=email)
    return contact["id"], customer["Id"]


async def _sold(w: World, name: str, *, number: str | None = None, day: str = "2026-05-04", price: str = "70") -> Row:
    """An old invoice in HubSpot, and by hand the same in QuickBooks under this number and with this date."""
    contact, customer = await _person(w, name)
    lines = [{"name": "Work", "quantity": "1", "price": "70"}]
    sold = await w.crm(
        "create",
        "invoices",
        contact=contact,
        lines=lines,
        hs_currency="USD",
        hs_invoice_date="2026-05-04",
        finalize=True,
    )
    if number is not None:
        number = number.format(sold["properties"]["hs_number"])
        line = {"item": "PEST-CONTROL", "qty": "1", "price": price}
        await w.books("create", "Invoice", customer=customer, lines=[line], number=number, date=day)
    return sold


async def _of(w: World, sold: Sequence[Row]) -> list[Row]:
    """The records of these HubSpot invoices."""
    rows = {row["left"]["id"]: row for row in await w.records(flow="invoices")}
    return [rows[one["id"]] for one in sold]


async def test_what_is_there_is_linked_and_what_is_nearly_there_is_listed() -> None:
    """Number, customer, total, date agree: linked. Another number or date: a person's. Nothing like it: made, once."""
    async with world() as w:
        same = await _sold(w, "Same", number="{}")
        renumbered = await _sold(w, "Renumbered", number="OLD-7")
        redated = await _sold(w, "Redated", number="{}", day="2026-05-05")
        cheaper = await _sold(w, "Cheaper", number="OLD-8", price="69")
        alone = await _sold(w, "Alone")
        await begun_today(w)
        await w.once()
        sold = (same, renumbered, redated, cheaper, alone)
        numbers = [one["properties"]["hs_number"] for one in sold]
        assert [row["code"] for row in await _of(w, sold)] == ["before_start"] * 5

        mark = await w.mark()
        told = await backfill(w)
        assert (told["phase"], told["waiting"]) == ("done", 0)
        assert told["let_in"] >= len(numbers)
        linked, doubtful, redone, *made_anew = await _of(w, sold)
        assert (linked["status"], linked["right"]["id"] is not None) == ("synced", True)
        assert [row["code"] for row in (doubtful, redone)] == ["document_ambiguous"] * 2
        assert "OLD-7" in doubtful["words"]
        assert "ink" in doubtful["remedy"]
        assert [row["status"] for row in made_anew] == ["synced"] * 2
        created = [
            e for e in await w.written(mark, "quickbooks") if (e["kind"], e["operation"]) == ("Invoice", "create")
        ]
        books = await w.books_rows("Invoice")
        made = [books[e["id"]]["DocNumber"] for e in created]
        assert set(numbers) & set(made) == {numbers[3], numbers[4]}
        assert not [number for number, times in Counter(made).items() if times > 1]

        # A person says what it is: one of its own.
        code, _, errors = await w.command("include", doubtful["id"])
        assert code == 0, errors
        await w.once()
        assert (await _of(w, sold))[1]["status"] == "synced"
        again = await w.mark()
        await backfill(w)
        await w.once()
        assert await w.written(again) == []


async def _each_once(w: World, labels: set[str]) -> None:
    books = await w.books_rows("Invoice")
    times = Counter(row.get("DocNumber") for row in books.values())
    assert {label: times[label] for label in labels} == dict.fromkeys(labels, 1)
    assert {row["code"] for row in await w.records(flow="invoices") if row["label"] in labels} == {""}


@pytest.mark.parametrize(("invoices", "kills"), [(300, 3), pytest.param(5000, 10, marks=pytest.mark.slow)])
async def test_a_backfill_that_is_killed_again_and_again(invoices: int, kills: int) -> None:
    """Killed while it reads and while it writes: it goes on where it was, and each invoice is there once."""
    async with world(changes=[ANY_PORT]) as w:
        ids = fill(w.sandbox.vendors["hubspot"], invoices, w.clock.now())
        rows = await w.crm_rows("invoices")
        labels = {rows[id]["properties"]["hs_number"] for id in ids}
        await begun_today(w)
        w.set("connections.crm", options="{ late_commit = 1.0, search_lag = 0.5, pace = 'off' }")
        w.set("connections.books", options="{ pace = 'off' }")
        await w.once()
        assert not labels & {row.get("DocNumber") for row in (await w.books_rows("Invoice")).values()}
        killer = Killer(random.Random(invoices))
        intercept(w, killer)
        deaths = 0
        for attempt in range(kills):
            words = ("once",) if attempt else ("backfill", "invoicing", "--since", SINCE)
            async with running(w, *words) as process:
                killer.aim(process)
                deaths += await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
        assert deaths == kills
        killer.victim = None
        await w.once()
        await _each_once(w, labels)
        end = await w.mark()
        await w.once()
        assert await w.written(end) == []


async def test_a_live_edit_goes_before_the_backlog() -> None:
    """While a daemon brings history over somebody changes a synced invoice: that goes first, and progress is told."""
    async with world(changes=[ANY_PORT]) as w:
        await w.once()
        record = await w.record("INV-1001", "invoices")
        ids = fill(w.sandbox.vendors["hubspot"], 200, w.clock.now())
        await begun_today(w)
        edited: list[str] = []

        def between(vendor: str, request: Request, proceed: Proceed) -> Delivery:
            crm = w.sandbox.vendors["hubspot"]
            if vendor == "quickbooks" and request.path.endswith("/batch") and not edited:
                edited.append(record["left"]["id"])
                crm.person("update", "invoices", edited[0], {"hs_due_date": "2026-12-24"}, w.clock.now())
            return proceed()

        async with running(w, "run"):
            await until((w.config.state_dir / "syncd.sock").exists)
            intercept(w, between)
            code, said, errors = await w.command("backfill", "invoicing", "--since", SINCE, "--json")
            assert code == 0, errors
        progress = [json.loads(line) for line in said.splitlines() if line.startswith('{"backfills"')]
        assert progress
        assert all("seconds_left" in one for told in progress for one in told["backfills"])
        rows = await w.crm_rows("invoices")
        await _each_once(w, {rows[id]["properties"]["hs_number"] for id in ids})
        journal = [
            e for e in await w.control.journal("quickbooks") if e["caller"] != "person" and e["kind"] == "Invoice"
        ]
        place = next(
            i for i, e in enumerate(journal) if e["id"] == record["right"]["id"] and e["operation"] == "update"
        )
        assert place < len(journal) - 100  # most of the backlog came after it
