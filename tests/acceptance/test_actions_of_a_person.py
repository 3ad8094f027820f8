"""What a person asks of a record: carried out by the daemon on both vendors, each with its line in the account."""

import asyncio
import getpass
import json
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from syncd import app, cli
from syncd.errors import Inapplicable, SyncdError, Unconfirmed
from syncd.status.acting import act, wish_of
from tests.acceptance.processes import ANY_PORT, running
from tests.acceptance.world import Row, Snapshot, World

SYNCED = ("synced", "")
BY_PERSON = ("excluded", "by_person")
FORBIDDEN = ("failed", "edited_outside_origin")
OPS = "token ops"
SOD = [{"item": "Sod", "qty": 20, "price": "16.00"}]


async def asked(w: World, id: str, name: str, key: str | None = None, **given: Any) -> Row:
    """Ask it as the API does, then let one pass carry it out; what the API answers."""
    async with app.opened(w.config, "once", clock=w.clock) as opened:
        told = await act(opened, wish_of(name, given, OPS, key), id)
        await opened.loop.drain(600.0)
        return told


async def told(w: World, *words: str, expected: int = 0) -> str:
    """Ask it with the command, while no daemon runs; what it says."""
    result = await asyncio.to_thread(CliRunner().invoke, cli.app, [*words, "--config", str(w.file)])
    error = result.exception
    code = int(error.exit) if isinstance(error, SyncdError) else result.exit_code
    assert code == expected, (words, result.output, error)
    return str(error) if expected else result.stdout


async def line(w: World, word: str, name: str, flow: str = "invoices") -> tuple[str, str, str]:
    """The line in the account: what was asked, who asked, what came of it."""
    record = await w.record(word, flow)
    entry = next(e for e in record["activity"] if e["event"] in (f"action.{name}", "action.refused"))
    return entry["event"], entry["by"], entry["words"]


async def test_excluded_until_included_and_then_compared_with_the_last_bases(synced: Snapshot) -> None:
    """Nothing crosses while a person keeps a record out; afterwards both sides' edits of the meantime do."""
    async with synced.world() as w:
        before = await w.both("INV-1002")
        id, mark = before.record["id"], await w.mark()
        await asked(w, id, "exclude")
        await w.books("update", "Invoice", before.books["Id"], due="2027-01-15")
        await w.once()
        out = await w.both("INV-1002")
        assert out.state == BY_PERSON
        assert await w.written(mark) == []
        assert await line(w, "INV-1002", "exclude") == ("action.exclude", OPS, "excluded (by_person)")

        await asked(w, id, "include")
        both = await w.both("INV-1002")
        assert both.state == SYNCED
        assert (both.of("hs_due_date") or "")[:10] == "2027-01-15"
        assert (await line(w, "INV-1002", "include"))[:2] == ("action.include", OPS)


async def test_a_retry_tries_again_what_failed(synced: Snapshot) -> None:
    """The cause is gone, nothing has told so: a person's retry reads both sides and the record goes on."""
    async with synced.world() as w:
        failed = (await w.records(flow="invoices", status="failed"))[0]
        await asked(w, failed["id"], "retry")
        assert (await line(w, failed["id"], "retry"))[:2] == ("action.retry", OPS)
        with pytest.raises(Inapplicable, match="nothing to try again"):
            await asked(w, (await w.both("INV-1002")).record["id"], "retry")


async def test_a_refresh_reads_both_sides_now(synced: Snapshot) -> None:
    """Two reads, no write."""
    async with synced.world() as w:
        id = (await w.both("INV-1002")).record["id"]
        mark = await w.mark()
        told = await asked(w, id, "refresh", key="k-1")
        assert (told["state"], told["by"]) == ("open", OPS)
        assert await w.written(mark) == []
        assert (await w.both("INV-1002")).state == SYNCED
        assert (await asked(w, id, "refresh", key="k-1"))["id"] == told["id"]
        lines = [e for e in (await w.record(id))["activity"] if e["event"] == "action.refresh"]
        assert len(lines) == 1


async def test_force_and_the_way_out_of_a_forbidden_edit(synced: Snapshot) -> None:
    """Three invoices born in HubSpot whose lines somebody edited in QuickBooks: reverted, accepted, and forced - and a
    due date, which either side may edit, forced back. What was lost stays in the account."""
    async with synced.world() as w:
        numbers = ("INV-1002", "INV-1003", "INV-1010")
        before = {number: await w.both(number) for number in numbers}
        for number in numbers:
            await w.books("update", "Invoice", before[number].books["Id"], lines=SOD)
        await w.once()
        for number in numbers:
            assert (await w.both(number)).state == FORBIDDEN

        await told(w, "revert", "INV-1002")
        await told(w, "accept", "INV-1003")
        id = before["INV-1010"].record["id"]
        await asked(w, id, "force", **{"from": "books"})
        assert (await w.both("INV-1010")).state == FORBIDDEN
        assert (await line(w, "INV-1010", "force"))[2] == "failed (edited_outside_origin)"
        await asked(w, id, "force", **{"from": "crm"})

        user = f"cli {getpass.getuser()}"
        back = await w.both("INV-1002")
        assert (back.state, back.books["TotalAmt"]) == (SYNCED, before["INV-1002"].books["TotalAmt"])
        assert (await line(w, "INV-1002", "revert"))[:2] == ("action.revert", user)
        planned = next(e for e in back.record["activity"] if e["event"] == "record.planned")
        assert planned["by"] == user
        assert "20 x 16" in next(c["old"] for c in planned["changes"] if c["field"] == "lines")
        kept = await w.both("INV-1003")
        assert (kept.state, kept.notes, kept.books["TotalAmt"]) == (SYNCED, ["variance_accepted"], Decimal(320))
        assert await line(w, "INV-1003", "accept") == ("action.accept", user, "synced")
        forced = await w.both("INV-1010")
        assert (forced.state, forced.books["TotalAmt"]) == (SYNCED, before["INV-1010"].books["TotalAmt"])

        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []
        await w.crm("update", "invoices", kept.crm["id"], hs_due_date="2027-03-01")
        await w.books("update", "Invoice", back.books["Id"], due="2027-05-05")
        await asked(w, back.record["id"], "force", **{"from": "left"})
        kept, back = await w.both("INV-1003"), await w.both("INV-1002")
        assert (kept.books["DueDate"], kept.notes) == ("2027-03-01", ["variance_accepted"])
        assert back.books["DueDate"] == before["INV-1002"].books["DueDate"]
        assert any(c["old"] == "2027-05-05" for e in back.record["activity"] for c in e["changes"])


async def test_a_held_conflict_is_decided_by_a_person(synced: Snapshot) -> None:
    """Field by field with the command, for the whole record over the API; what loses stays in the account."""
    async with synced.world() as w:
        w.set("syncs.invoicing.flows.contacts", conflict='"hold"')
        await w.once()
        linked = [r for r in await w.records(flow="contacts", status="synced") if r["left"]["id"] and r["right"]["id"]]
        for record in linked[:2]:
            await w.crm("update", "contacts", record["left"]["id"], phone="+1 555 0001", firstname="Rosa")
            await w.books("update", "Customer", record["right"]["id"], phone="+1 555 0002", GivenName="Olga")
        await w.once()
        one, other = [(await w.both(record["id"], "contacts")).record for record in linked[:2]]
        for record in (one, other):
            assert (record["status"], record["code"]) == ("failed", "conflict_held")
        held = sorted(one["words"].split(", "))
        assert held == ["first_name", "phone"]

        phone, name = "--field=phone=crm", "--field=first_name=books"
        assert "choose a side" in await told(w, "resolve", one["id"], phone, expected=2)
        await told(w, "resolve", one["id"], phone, name)
        await asked(w, other["id"], "resolve", take="right")
        first, second = await w.both(one["id"], "contacts"), await w.both(other["id"], "contacts")
        assert (first.state, second.state) == (SYNCED, SYNCED)
        assert "0001" in first.books["PrimaryPhone"]["FreeFormNumber"]
        assert "0001" in (first.of("phone") or "")
        assert first.of("firstname") == first.books["GivenName"] == "Olga"
        assert "0002" in second.books["PrimaryPhone"]["FreeFormNumber"]
        assert "0002" in (second.of("phone") or "")
        assert any("0002" in (c["old"] or "") for e in first.record["activity"] for c in e["changes"])


async def test_halves_are_separated_and_joined_again(synced: Snapshot) -> None:
    """Unlinked they stay apart whatever happens; a link joins them, and refuses what belongs to somebody else."""
    async with synced.world() as w:
        before, another = await w.both("INV-1002"), await w.both("INV-1003")
        await told(w, "unlink", "INV-1002")
        await w.once()
        await w.crm("update", "invoices", before.crm["id"], hs_due_date="2027-06-01")
        mark = await w.mark()
        await w.once()
        halves = {"left" if r["left"]["id"] else "right": r for r in await w.records(q="INV-1002", flow="invoices")}
        assert {side: (r["status"], r["code"]) for side, r in halves.items()} == {"left": BY_PERSON, "right": BY_PERSON}
        assert await w.written(mark) == []

        refused = await told(w, "link", halves["left"]["id"], "--id", another.books["Id"], expected=2)
        assert "belongs to INV-1003 already" in refused
        await told(w, "link", halves["left"]["id"], "--record", halves["right"]["id"])
        await w.once()
        assert len(await w.records(q="INV-1002", flow="invoices")) == 1
        both = await w.both("INV-1002")
        assert (both.state, both.books["Id"]) == (SYNCED, before.books["Id"])
        assert both.books["DueDate"] == "2027-06-01"
        assert "record.unlinked" in both.events
        assert len([i for i in (await w.books_rows("Invoice")).values() if i["DocNumber"] == "INV-1002"]) == 1


async def test_what_another_integration_made_can_be_linked_and_no_more(synced: Snapshot) -> None:
    """As its remedy says: it is never made anew over there (HQ-02), but joined with what a person says it is."""
    async with synced.world() as w:
        record = await w.record("INV-1028", "invoices")
        assert (record["status"], record["code"]) == ("excluded", "other_source")
        assert "link the two by hand" in record["remedy"]
        assert "other_source" in await told(w, "include", record["id"], expected=2)

        line = {"item": "4", "qty": 1, "price": "50"}
        twin = await w.books("create", "Invoice", customer="2", lines=[line], date="2026-10-26", number="INV-1028")
        await told(w, "link", record["id"], "--id", twin["Id"])
        await w.once()
        both = await w.both(record["id"])
        assert (both.state, both.books["Id"]) == (SYNCED, twin["Id"])


async def test_what_cannot_be_undone_is_asked_about(synced: Snapshot) -> None:
    """A void that was made while a person kept the record out: without `--yes` and over the API without a confirmation
    nothing is done, and it is said what would be."""
    async with synced.world() as w:
        before = await w.both("1010")
        id = before.record["id"]
        await told(w, "exclude", id)
        await w.once()
        await w.books("void", "Invoice", before.books["Id"])
        await w.once()
        assert (await w.both("1010")).state == BY_PERSON
        with pytest.raises(Unconfirmed, match="is voided; this cannot be undone"):
            await asked(w, id, "include")
        assert "cannot be undone" in await told(w, "include", id, expected=2)
        assert (await w.both("1010")).of("hs_invoice_status") != "voided"
        answer = json.loads(await told(w, "include", id, "--yes", "--json"))
        assert (answer["confirmed"], answer["daemon"], answer["state"]) == (True, False, "open")
        await w.once()
        assert (await w.both("1010")).of("hs_invoice_status") == "voided"


async def test_the_commands_go_through_a_running_daemon(synced: Snapshot) -> None:
    """It is carried out at once, by whom the socket says; many at a time too; a token opens the API to others."""
    async with synced.world(ANY_PORT) as w, running(w, "run") as daemon:
        assert daemon.stdout is not None
        while w.config.state_dir.joinpath("syncd.sock").exists() is False:
            await w.clock.sleep(0.05)
        answer = json.loads(await told(w, "exclude", "INV-1002", "--json"))
        user = f"cli {getpass.getuser()}"
        assert (answer["by"], answer["daemon"]) == (user, True)
        while (await w.both("INV-1002")).state != BY_PERSON:
            await w.clock.sleep(0.05)
        assert await line(w, "INV-1002", "exclude") == ("action.exclude", user, "excluded (by_person)")
        failed = await w.records(flow="invoices", status="failed")
        said = await told(w, "retry", "--flow", "invoices")
        assert said.startswith(f"retry: asked of {len(failed)} records, carried out within moments")
        token = (await told(w, "token", "create", "night", "--role", "read")).strip()
        assert token.startswith("syncd_")
        assert json.loads(await told(w, "token", "revoke", "night", "--json"))["valid"] is False
        listed = json.loads(await told(w, "token", "list", "--json"))
        assert [one["name"] for one in listed["tokens"]] == ["night"]
