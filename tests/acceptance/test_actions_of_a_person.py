"""What a person asks of a record: carried out by the daemon on both vendors, each with its line in the account."""

from typing import Any

import pytest

from syncd import app
from syncd.actions import Inapplicable
from syncd.status.acting import act, wish_of
from tests.acceptance.world import Row, Snapshot, World

SYNCED = ("synced", "")
BY_PERSON = ("excluded", "by_person")
OPS = "token ops"


async def asked(w: World, id: str, name: str, key: str | None = None, **given: Any) -> Row:
    """Ask it while no daemon runs, then let one pass carry it out; what the API answers."""
    async with app.opened(w.config, "once", clock=w.clock) as opened:
        told = await act(opened, wish_of(name, given, OPS, key), id)
        await opened.drain(600.0)
        return told


async def done(w: World, word: str, name: str, flow: str = "invoices") -> Row:
    """The line in the account that says what came of it."""
    record = await w.record(word, flow)
    return next(e for e in record["activity"] if e["event"] in (f"action.{name}", "action.refused"))


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
        line = await done(w, "INV-1002", "exclude")
        assert (line["event"], line["by"], line["words"]) == ("action.exclude", OPS, "excluded (by_person)")

        await asked(w, id, "include")
        both = await w.both("INV-1002")
        assert both.state == SYNCED
        assert (both.of("hs_due_date") or "")[:10] == "2027-01-15"
        assert (await done(w, "INV-1002", "include"))["by"] == OPS


async def test_a_retry_tries_again_what_failed(synced: Snapshot) -> None:
    """The cause is gone, nothing has told so: a person's retry reads both sides and the record goes on."""
    async with synced.world() as w:
        failed = (await w.records(flow="invoices", status="failed"))[0]
        await asked(w, failed["id"], "retry")
        line = await done(w, failed["id"], "retry")
        assert (line["event"], line["by"]) == ("action.retry", OPS)
        assert line["words"].startswith(("failed", "pending"))
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
