"""What a person tells a flow: pause, resume, release, and a direction that is opened later."""

from tests.acceptance.world import Snapshot

SYNCED = ("synced", "")
DIRECTION = "syncs.invoicing.flows.invoices"


async def test_a_paused_flow_is_watched_and_catches_up(synced: Snapshot) -> None:
    """While paused an edit is seen and waits; resuming writes it, and nothing else."""
    async with synced.world() as w:
        assert (await w.command("pause", "invoicing", "invoices"))[0] == 0
        assert "paused: invoices" in (await w.command("status"))[1]
        await w.books("update", "Invoice", "10", due="2027-01-31")
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []
        assert (await w.both("1002")).state == ("pending", "paused")

        code, said, _ = await w.command("resume", "invoicing", "invoices")
        assert (code, said.strip()) == (0, "invoicing invoices: resumed, 1 records brought forward")
        await w.once()
        both = await w.both("1002")
        assert both.state == SYNCED
        assert (both.of("hs_due_date") or "").startswith("2027-01-31")


async def test_released_voids_go_over(synced: Snapshot) -> None:
    """What a guard holds goes on once a person has released it; before that not one void is sent."""
    async with synced.world() as w:
        listed = await w.records(flow="invoices", status="synced")
        ours = [row for row in listed if row["origin"] == "right"]
        truth = await w.books_rows("Invoice")
        unpaid = [
            r["right"]["id"] for r in ours if truth[r["right"]["id"]]["Balance"] == truth[r["right"]["id"]]["TotalAmt"]
        ]
        w.set("syncs.invoicing", guard="{ removals = 3 }")
        for id in unpaid:
            await w.books("void", "Invoice", id)
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []

        assert (await w.command("release", "invoicing", "invoices"))[0] == 0
        await w.once()
        mirrors = await w.crm_rows("invoices")
        voided = {m["id"] for m in mirrors.values() if m["properties"].get("hs_invoice_status") == "voided"}
        assert {r["left"]["id"] for r in ours if r["right"]["id"] in unpaid} <= voided


async def test_unknown_names_are_told_with_those_there_are(synced: Snapshot) -> None:
    """A flow or sync that is not there: exit 2, and the ones that are."""
    async with synced.world() as w:
        code, _, said = await w.command("pause", "invoicing", "quotes")
        assert (code, said.strip()) == (
            2,
            "syncd: invoicing has no flow “quotes”; it has contacts, products, invoices, payments",
        )


async def test_a_direction_opened_later_starts_at_that_moment(synced: Snapshot) -> None:
    """Records keep their bases through a change of direction; what is older than the opening stays where it is."""
    async with synced.world() as w:
        w.set(DIRECTION, direction='"right-to-left"')
        await w.once()
        old = await w.crm(
            "create", "invoices", contact="1001", lines=[{"product": "3003", "quantity": "1"}], finalize=True
        )
        await w.once()
        assert (await w.both(old["properties"]["hs_number"])).state == ("excluded", "direction_off")

        await w.advance(60)
        w.set(DIRECTION, direction='"both"')
        mark = await w.mark()
        await w.once()
        assert (await w.both(old["properties"]["hs_number"])).state == ("excluded", "before_start")
        assert [e for e in await w.written(mark) if e["operation"] == "create"] == []

        await w.advance(60)
        new = await w.crm(
            "create", "invoices", contact="1001", lines=[{"product": "3003", "quantity": "2"}], finalize=True
        )
        await w.once()
        assert (await w.both(new["properties"]["hs_number"])).state == SYNCED
