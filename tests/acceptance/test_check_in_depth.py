"""`syncd check`: each thing that will hurt is named with its cure before it does; the exit code says how bad it is."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncd import app, checkup, disk
from syncd.connectors.base import Finding
from syncd.model.record import Change
from syncd.model.references import EntityRef, Kind
from syncd.status.server import SOCKET
from tests.acceptance.processes import running, until
from tests.acceptance.test_webhooks import subscribed
from tests.acceptance.world import Snapshot, World

Cause = Callable[[World], Awaitable[object]]


@dataclass(frozen=True)
class Expected:
    """Severity, and words that stand in the title and in the cure."""

    severity: str
    title: str
    cure: str = ""
    code: str | None = None


async def _nothing(w: World) -> None: ...


async def _scope(w: World) -> None:
    await w.control.settings("hubspot", missing_scopes=["crm.objects.invoices.read"])


async def _flows_off(w: World) -> None:
    w.set("syncs.invoicing.flows.products", direction='"off"')


async def _reserve(w: World) -> None:
    w.set("daemon", disk_reserve="{ megabytes = 0, percent = 100 }")


async def _open_directory(w: World) -> None:
    w.config.state_dir.chmod(0o755)


async def _late_clock(w: World) -> None:
    await w.advance(120)


async def _revenue(w: World) -> None:
    await w.control.settings("quickbooks", RevenueRecognition=True, BookCloseDate="")


async def _cut_off(w: World) -> None:
    await w.control.settings("quickbooks", app_connected=False)


ROWS: Sequence[tuple[Cause, Expected]] = (
    (_nothing, Expected("ok", "The clocks agree")),
    (_nothing, Expected("ok", "The database can be written")),
    (_nothing, Expected("warning", "products have no SKU", "fall back", "no_sku")),
    (_nothing, Expected("warning", "line items name no product", "custom line item product")),
    (_nothing, Expected("ok", "No sign of HubSpot's own sync")),
    (_scope, Expected("error", "crm.objects.invoices.read", "grant crm.objects.invoices.read", "permission_missing")),
    (_flows_off, Expected("warning", "the products flow is off", "set a direction")),
    (_reserve, Expected("error", "nothing is taken in or sent", "make room", "configuration")),
    (_open_directory, Expected("warning", "is open to every user", "chmod 700")),
    (_late_clock, Expected("warning", "seconds behind", "NTP")),
    (_revenue, Expected("warning", "No closing date", "Close the books", "accounting_period_closed")),
    (_revenue, Expected("warning", "Revenue recognition is on", "service date", "service_date_required")),
    (_cut_off, Expected("error", "books: ", "syncd connect", "authorization_lost")),
)


@pytest.mark.parametrize("cause", dict.fromkeys(cause for cause, _ in ROWS), ids=lambda each: each.__name__.strip("_"))
async def test_what_will_hurt_is_named_with_its_cure(cause: Cause, synced: Snapshot) -> None:
    """Every finding of a row's cause is there."""
    async with synced.world() as w:
        await cause(w)
        found = await checkup.check(w.config)
        for expected in (expected for each, expected in ROWS if each is cause):
            fitting = [one for one in found if _fits(one, expected)]
            assert fitting, [(one.severity.value, one.title, one.cure, one.code) for one in found]


def _fits(one: Finding, expected: Expected) -> bool:
    return (
        one.severity.value == expected.severity
        and expected.title in one.title
        and expected.cure in one.cure
        and (expected.code is None or one.code == expected.code)
    )


async def test_it_is_all_said_as_json_and_as_a_table(synced: Snapshot) -> None:
    """Exit 0 with warnings alone; every finding has the same five keys."""
    async with synced.world() as w:
        code, out, _ = await w.command("check", "--json")
        findings = json.loads(out)["findings"]
        assert code == 0
        assert all(one.keys() == {"severity", "title", "cure", "code"} for one in findings)
        assert all(one["cure"] for one in findings if one["severity"] != "ok")
        code, out, _ = await w.command("check")
        assert (code, out.splitlines()[0].split()) == (0, ["found", "cure"])


async def test_whether_webhooks_arrive(synced: Snapshot) -> None:
    """Unknown while no daemon runs; it leads here while one does; something else is named."""
    async with synced.world() as w:
        await subscribed(w)
        assert "unknown: the daemon is not running" in await _arrival(w)
        async with running(w, "run"):
            await until((w.config.state_dir / SOCKET).exists)
            async with asyncio.timeout(60):  # the listener for webhooks opens a moment after the socket
                while "leads here" not in await _arrival(w):
                    await asyncio.sleep(0.05)
            port = w.url.rpartition(":")[2]
            w.set("webhooks", public_url=f'"http://127.0.0.1:{port}"')
            assert "something else answers" in await _arrival(w)
            w.set("webhooks", public_url='"http://127.0.0.1:9"')
            assert "cannot be reached from this machine" in await _arrival(w)


async def _arrival(w: World) -> str:
    titles = [one.title for one in await checkup.check(w.config)]
    return next(
        title for title in titles if title.startswith("crm: ") and "/webhooks/crm" in title and "taken" not in title
    )


async def test_a_disk_without_room_stops_work_and_not_the_reading(
    synced: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is polled or sent, the status says why; with room again it goes on without a restart."""
    full = {"now": True}
    usage = shutil.disk_usage

    def told(path: Path) -> Any:
        return usage(path)._replace(free=1_000_000) if full["now"] else usage(path)

    monkeypatch.setattr(disk.shutil, "disk_usage", told)
    async with synced.world() as w:
        await w.books("update", "Invoice", "10", due="2027-01-31")
        async with app.opened(w.config, "once", clock=w.clock) as opened:
            due = Change(ref=EntityRef("books", Kind.INVOICE, "10"), cause="webhook", due_at=w.clock.now())
            await opened.store.write(lambda tx: tx.put_changes([due]))
        begin, offset = await w.mark(), w.sandbox.offset
        status = await w.once()
        assert status["storage"]["state"] == "low"
        assert await w.requests(begin) == []
        assert w.sandbox.offset == offset  # though something is due, waiting would not make room
        full["now"] = False
        status = await w.once()
        assert status["storage"]["state"] == "ok"
        assert (await w.both("1002")).state == ("synced", "")
        assert len(await w.written(begin, "hubspot")) == 1
