"""F6: the day's calls are used up. The connection says until when, nobody asks before, what is urgent goes first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from syncd import app
from syncd.announce import SETTLED, Announcer
from syncd.config import Notify
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef, Kind
from syncd.running import App
from syncd.status.reader import Reader
from tests.acceptance.bustle import Bustle
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.world import Row, Snapshot, World

LEFT = 12  # calls of the day when the backlog begins
MIDNIGHT = timedelta(days=1)


@dataclass
class Ear:
    """Hears what is announced of connections."""

    heard: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.heard += [told["data"]["condition"]] if told["type"] == "connection.condition" else []
        return web.Response(status=204)


async def _urgent(here: App, kind: Kind, id: str) -> None:
    """A person asks to look at something now."""
    ref, now = EntityRef("books", kind, id), here.clock.now()
    change = Change(ref=ref, cause="person", priority=Priority.PERSON, due_at=now)
    await here.store.write(lambda tx: tx.put_changes([change]))


async def _crm(here: App) -> Row:
    return next(row for row in (await Reader(here).connections())["connections"] if row["name"] == "crm")


async def test_a_day_without_calls_is_sat_out(synced: Snapshot) -> None:
    """Shown with the hour, announced once, not asked again before midnight; then a person's record goes first."""
    ear = Ear()
    made = web.Application()
    made.router.add_post("/hook", ear.take)
    async with synced.world() as w, TestServer(made) as receiver, aiohttp.ClientSession() as http:
        people = Bustle(w)
        await people.go(8)
        await w.once()
        await people.go(40)
        last = max((await w.books_rows("Invoice")).values(), key=lambda row: int(row["Id"]))
        await w.control.settings("hubspot", limits=True, daily_limit=await _used(w) + LEFT)
        begin = await w.mark()
        async with app.opened(w.config, "once", clock=w.clock) as here:
            notify = Notify.model_construct(url=str(receiver.make_url("/hook")), secret=SecretStr("s"))
            daemon = here.config.daemon.model_copy(update={"notify": notify})
            here.config = replace(here.config, daemon=daemon)
            announcer = Announcer(here)
            failed = await _failed(here)
            await here.loop.drain(60)
            crm = await _crm(here)
            midnight = datetime.combine(w.clock.now().date(), datetime.min.time(), UTC) + MIDNIGHT
            assert crm["state"] == "quota_exhausted"
            assert abs(datetime.fromisoformat(crm["retry_at"]) - midnight) < timedelta(minutes=1)
            assert await _failed(here) == failed
            asked = len([r for r in await w.requests(begin) if r["vendor"] == "hubspot"])
            for _ in range(10):
                await announcer.look(http)
                await w.advance(SETTLED / 2)
                await here.loop.drain(60)
            assert len([r for r in await w.requests(begin) if r["vendor"] == "hubspot"]) == asked <= LEFT + 1
            assert ear.heard == ["quota_exhausted"]

            await _urgent(here, Kind.INVOICE, last["Id"])
            end = await w.mark()
            await w.control.settings("hubspot", daily_limit=100_000)
            await w.advance((midnight - w.clock.now()).total_seconds() + 1)
            await here.loop.drain(600)
            assert (await _crm(here))["state"] == "ok"
            first = next(e for e in await w.written(end, "hubspot") if e["kind"] == "invoices")
            assert first["fields"]["hs_number"] == last["DocNumber"]
            for _ in range(10):
                await announcer.look(http)
                await w.advance(SETTLED / 2)
            assert ear.heard == ["quota_exhausted", "ok"]
        assert await people.missing() == []
        await assert_in_order(w.control)


async def _used(w: World) -> int:
    day = w.clock.now().date()
    seen = await w.control.requests("hubspot")
    return sum(datetime.fromisoformat(row["at"]).date() == day for row in seen)


async def _failed(here: App) -> int:
    status = await Reader(here).status()
    return sum(flow["failed"] for flow in status["syncs"][0]["flows"])
