"""Eight things that go wrong in someone's books, each stopped by its own circuit breaker before it is written.

What was written is judged by the vendors' journals; a release by one command lets the work go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from syncd import app
from tests.acceptance.world import Row, SkippingClock, Snapshot, World

DAY = 86_400.0


class FastClock(SkippingClock):
    """This machine's clock, twenty minutes ahead of everybody's."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong.

    Attributes:
        guard: limits that fit the size of the sandbox. happens: what goes wrong. harm: the writes that would be it.
        least: how many of them are due once released. cured: what is put right before the release.
    """

    breaker: str
    flow: str
    guard: str
    happens: Callable[[World], Awaitable[None]]
    harm: Callable[[Row], bool]
    least: int
    cured: Callable[[World], Awaitable[None]] | None = None


def _op(operation: str, kind: str) -> Callable[[Row], bool]:
    return lambda entry: (entry["operation"], entry["kind"]) == (operation, kind)


def _removal(entry: Row) -> bool:
    voided = entry["fields"].get("hs_invoice_status") == "voided"
    return voided or entry["operation"] in ("void", "delete", "archive")


async def _mirrored(w: World, *, paid: bool = False) -> list[str]:
    """QuickBooks' invoices with a mirror, by id."""
    rows, truth = await w.records(flow="invoices", status="synced"), await w.books_rows("Invoice")
    ids = [row["right"]["id"] for row in rows if row["origin"] == "right"]
    return [id for id in ids if (truth[id]["Balance"] != truth[id]["TotalAmt"]) is paid]


async def _voids(w: World) -> None:
    for id in await _mirrored(w):
        await w.books("void", "Invoice", id)


async def _many_new(w: World) -> None:
    await w.advance(2 * DAY)  # the flow has a past now
    await _sell(w, 26)


async def _sell(w: World, n: int) -> None:
    for quantity in range(1, n + 1):
        lines = [{"product": "3003", "quantity": str(quantity)}]
        await w.crm("create", "invoices", contact="1001", lines=lines, finalize=True)


async def _prices(w: World) -> None:
    for id in (await _mirrored(w))[:3]:
        await w.books("update", "Invoice", id, lines=[{"item": "Sod", "qty": "1", "price": "987654.00"}])


async def _format(w: World) -> None:
    for row in await w.records(flow="contacts", status="synced"):
        await w.books("update", "Customer", row["right"]["id"], phone=f"+1 (650) 555-0{row['right']['id']:0>3}")


async def _wider_filter(w: World) -> None:
    w.set(
        "syncs.invoicing.flows.contacts",
        **{"filters.right-to-left": '[{ field = "name", operator = "=", value = "x" }]'},
    )
    for n in range(6):
        await w.books("create", "Customer", name=f"Newcomer {n}", email=f"new{n}@example.com")
    await w.once()
    w.set("syncs.invoicing.flows.contacts", **{"filters.right-to-left": "[]"})


async def _emptied(w: World) -> None:
    for id in await w.books_rows("Payment"):
        await w.books("delete", "Payment", id)


async def _fast_clock(w: World) -> None:
    w.clock = FastClock(w.sandbox)
    await _sell(w, 1)


async def _closed(w: World) -> None:
    """The books refuse, and their settings do not say so."""
    await w.control.settings("quickbooks", BookCloseDate="2030-12-31")
    hidden = {"path": "BatchItemResponse.*.QueryResponse.Preferences.*.AccountingInfoPrefs.BookCloseDate"}
    await w.control.arm("quickbooks", "mutate", {"contains": "Preferences"}, options={**hidden, "value": None})
    await _sell(w, 3)
    await w.once()
    await _sell(w, 2)


async def _open_again(w: World) -> None:
    await w.control.settings("quickbooks", BookCloseDate="")


async def _release(w: World, scenario: Scenario) -> None:
    if w.sandbox.offset > timedelta(hours=12):  # a process of its own has the machine's time, which is another one
        async with app.opened(w.config, "release", clock=w.clock) as opened:
            await opened.control("release", "invoicing", scenario.flow, scenario.breaker)
        return
    code, _, said = await w.command("release", "invoicing", scenario.flow, "--breaker", scenario.breaker)
    assert code == 0, said


SCENARIOS = (
    Scenario("removals", "invoices", "{ removals = 3, empty = 100 }", _voids, _removal, 4),
    Scenario("creates", "invoices", "{ creates = 5 }", _many_new, _op("create", "Invoice"), 26),
    Scenario("money", "invoices", "{ money = 10000 }", _prices, lambda e: "987654" in str(e["fields"]), 3),
    Scenario("changes", "contacts", "{ changes = 5 }", _format, lambda e: "555-0" in str(e["fields"]), 9),
    Scenario("rules", "contacts", "{ rules = 3 }", _wider_filter, _op("create", "contacts"), 6),
    Scenario("empty", "payments", "{ empty = 5 }", _emptied, _removal, 5),
    Scenario("clock", "invoices", "{}", _fast_clock, _op("create", "Invoice"), 1),
    Scenario("closed", "invoices", "{ closed = 3 }", _closed, _op("create", "Invoice"), 2, _open_again),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.breaker)
async def test_a_breaker_holds_what_goes_wrong(synced: Snapshot, scenario: Scenario) -> None:
    """Nothing harmful is written, the status names the breaker with figures; one command, and the work goes on."""
    async with synced.world() as w:
        w.set("syncs.invoicing", guard=scenario.guard)
        await scenario.happens(w)
        mark = await w.mark()
        status = await w.once()
        assert [entry for entry in await w.written(mark) if scenario.harm(entry)] == []
        held = {flow["name"]: flow["held"] for flow in status["syncs"][0]["flows"]}
        assert [one["breaker"] for one in held[scenario.flow]] == [scenario.breaker]
        assert any(letter.isdigit() for letter in held[scenario.flow][0]["figures"])
        assert [flow for flow, listed in held.items() if listed] == [scenario.flow]
        listed = await w.records(flow=scenario.flow, code="held")
        assert len(listed) == held[scenario.flow][0]["records"] >= scenario.least
        assert listed[0]["words"] == f"{held[scenario.flow][0]['title']}: {held[scenario.flow][0]['figures']}"

        if scenario.cured is not None:
            await scenario.cured(w)
        await _release(w, scenario)
        status = await w.once()
        assert len([entry for entry in await w.written(mark) if scenario.harm(entry)]) >= scenario.least
        assert [flow["held"] for flow in status["syncs"][0]["flows"]] == [[], [], [], []]
        assert await w.records(code="held") == []
