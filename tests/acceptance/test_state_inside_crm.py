"""The state of each record, read inside HubSpot (HQ-17): properties, links, and what it costs."""

from __future__ import annotations

from syncd import app
from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Delivery
from tests.acceptance.processes import Proceed, intercept
from tests.acceptance.test_mappings import SYNCED
from tests.acceptance.world import Row, world

ON = ("state_properties = false", "state_properties = true")


def shown(row: Row, part: str) -> str | None:
    return row["properties"].get(f"syncd_invoicing_{part}")


async def test_the_state_can_be_read_inside_hubspot() -> None:
    """Synced, failed and excluded records show status, category, last success and the counterpart; nothing echoes, a
    change is shown with the next pass, and a hundred records cost one update."""
    async with world(changes=[ON]) as w:
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == SYNCED
        assert (shown(both.crm, "status"), shown(both.crm, "category")) == ("synced", None)
        assert (shown(both.crm, "last_success") or "").startswith("2026-")
        assert f"txnId={both.books['Id']}&" in (shown(both.crm, "link") or "")
        failed = [row for row in await w.records(status="failed", flow="invoices") if row["left"]["id"]]
        rows = await w.crm_rows("invoices")
        assert failed
        for record in failed:
            row = rows[record["left"]["id"]]
            assert (shown(row, "status"), shown(row, "category")) == ("failed", record["code"])
        contact = (await w.both("birds@intuit.com", "contacts")).crm
        assert shown(contact, "status") == "synced"

        await w.once()
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []
        assert not [r for r in await w.requests(mark) if r["path"].endswith("/batch/update")]

        await w.crm("update", "invoices", "5001", hs_due_date="2026-12-30")
        await w.once()
        calls = [r for r in await w.requests(mark) if r["path"].endswith("invoices/batch/update")]
        assert len(calls) == 1  # the only thing written to HubSpot is the state
        after = (await w.both("INV-1001")).crm
        assert shown(after, "status") == "synced"
        assert shown(after, "last_success") != shown(both.crm, "last_success")


async def test_what_is_only_shown_on_is_not_decided_again() -> None:
    """HubSpot calls it changed; no refused write is sent again for that, while an edit made at the same time counts."""
    async with world(changes=[ON]) as w:
        edited = False

        def between(vendor: str, request: Request, proceed: Proceed) -> Delivery:
            """A person edits two records right before their states are shown."""
            nonlocal edited
            if not edited and b"syncd_invoicing_status" in request.body and request.path.endswith("/batch/update"):
                edited, crm = True, w.sandbox.vendors["hubspot"]
                crm.person("update", "contacts", "1001", {"phone": "555-0001"}, w.clock.now())
                crm.person("update", "invoices", "5001", {"hs_due_date": "2026-12-24"}, w.clock.now())
            return proceed()

        intercept(w, between)
        async with app.opened(w.config, "once", clock=w.clock) as opened:
            await opened.loop.drain(600)  # at its end the states are shown
            await opened.loop.drain(600)
        assert edited
        refused = (await w.record("haru.tanaka@example.com", "contacts"))["activity"]
        assert len([entry for entry in refused if entry["event"] == "write.refused"]) == 1
        assert (await w.both("INV-1001")).books["DueDate"] == "2026-12-24"
        assert "0001" in (await w.both("1001", "contacts")).books["PrimaryPhone"]["FreeFormNumber"]


async def test_showing_states_lets_no_history_in() -> None:
    """What is kept out for its age stays out: our own writing on it would make it look as if it had just changed."""
    async with world(changes=[ON]) as w:
        await w.once()
        old = {row["id"] for row in await w.records(code="before_start")}
        before = await w.mark()
        assert old
        await w.once()
        assert {row["id"] for row in await w.records(code="before_start")} == old
        assert [entry for entry in await w.written(before) if entry["operation"] == "create"] == []


async def test_a_failing_display_fails_no_record() -> None:
    """What HubSpot does not take is not the record's trouble, and is shown later."""
    async with world(changes=[ON]) as w:
        await w.once()
        match = {"path": ".*/batch/update", "contains": "syncd_invoicing_status"}
        await w.control.arm("hubspot", "server_error", match, probability=1.0, times=100)
        await w.crm("update", "invoices", "5001", hs_due_date="2026-12-30")
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == SYNCED
        assert both.books["DueDate"] == "2026-12-30"
        before = shown(both.crm, "last_success")

        await w.control.disarm()
        await w.once()
        assert shown((await w.both("INV-1001")).crm, "last_success") != before
