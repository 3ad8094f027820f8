"""C-18: where the vendor's own sync carries the invoices already, nothing is booked a second time."""

import json
from datetime import timedelta

from tests.acceptance.world import Snapshot, World

ALLOWED = "{ allow_other_sync = true }"


async def _foreign(w: World) -> None:
    """The vendor's own data sync has just brought an invoice."""
    await w.control.settings("hubspot", invoice_source_person="data_sync")
    await w.crm("create", "invoices", contact="1001", lines=[{"product": "3003", "quantity": "1"}])
    await w.control.settings("hubspot", invoice_source_person="hubspot")


async def test_a_sync_beside_another_one_does_not_start(synced: Snapshot) -> None:
    """`check` says the sign and the cure, `once` exits 78 and writes nothing; when it is over, everything goes on."""
    async with synced.world() as w:
        await w.advance(3601)
        await _foreign(w)
        await w.books("update", "Invoice", "10", due="2027-01-31")
        begin = await w.mark()

        code, out, _ = await w.command("check", "--json")
        (found,) = [one for one in json.loads(out)["findings"] if one["code"] == "other_sync"]
        assert (code, found["severity"]) == (78, "error")
        assert "1 invoices of the last 7 days were made by HubSpot's own data sync" in found["title"]
        assert "turn off HubSpot's own sync" in found["cure"]

        status = await w.once()
        assert await w.written(begin) == []
        (sync,) = status["syncs"]
        (crm,) = [one for one in status["connections"] if one["name"] == "crm"]
        assert (sync["state"], crm["state"]) == ("stopped", "other_sync")
        assert (await w.command("once"))[0] == 78

        await w.advance(timedelta(days=8).total_seconds())
        status = await w.once()
        assert status["syncs"][0]["state"] == "running"
        assert [e["id"] for e in await w.written(begin, "hubspot")] == [(await w.both("1002")).crm["id"]]


async def test_a_person_may_allow_it(synced: Snapshot) -> None:
    """With the option it is a warning."""
    async with synced.world() as w:
        await w.advance(3601)
        await _foreign(w)
        w.set("connections.crm", options=ALLOWED)
        code, out, _ = await w.command("check", "--json")
        (found,) = [one for one in json.loads(out)["findings"] if one["code"] == "other_sync"]
        assert (code, found["severity"]) == (0, "warning")
        assert (await w.once())["syncs"][0]["state"] == "running"
