"""A vendor in trouble: too fast, down, cut off, speaking nonsense. The connection says so, no record is to blame."""

from datetime import datetime, timedelta

import pytest

from syncd import app
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.people import Sale, books_sale, crm_sale, ended_well, of_sale
from tests.acceptance.world import Mark, Row, Snapshot, World

CONNECTIONS = {"hubspot": "crm", "quickbooks": "books"}
POLLS = {"hubspot": r"/crm/v3/objects/contacts/search", "quickbooks": r"/v3/company/\d+/cdc"}
CREATES = {
    "hubspot": [{"path": f"/crm/v3/objects/{kind}/batch/create"} for kind in ("contacts", "invoices", "line_items")],
    "quickbooks": [
        {"path": r"/v3/company/\d+/batch", "contains": f'"{k}":{{'} for k in ("Customer", "Invoice", "Payment")
    ],
}
BOTH = pytest.mark.parametrize("vendor", list(CONNECTIONS))
NONSENSE = ("truncated_json", "not_json", "empty_200")


async def _sale_for(w: World, vendor: str) -> Sale:
    """A sale whose records are to be created at this vendor."""
    return await (books_sale(w) if vendor == "hubspot" else crm_sale(w))


async def _state(w: World, vendor: str) -> str:
    status = await w.once(wait=0)
    return next(row["state"] for row in status["connections"] if row["name"] == CONNECTIONS[vendor])


async def _failed(w: World) -> set[str]:
    return {row["id"] for row in await w.records(status="failed")}


async def _cursors(w: World, vendor: str) -> dict[str, str]:
    async with app.opened(w.config, "test", clock=w.clock) as opened:
        return dict(await opened.store.read(lambda tx: tx.cursors(CONNECTIONS[vendor])))


async def _asked(w: World, since: Mark, vendor: str) -> list[Row]:
    return [row for row in await w.requests(since) if row["vendor"] == vendor]


async def _hits(w: World) -> list[int]:
    return [fault["hits"] for fault in await w.control.faults()]


def _within(requests: list[Row], status: int, seconds: float) -> list[Row]:
    """What was asked so long after the answer of this status; what was under way at that moment does not count."""
    struck = next(datetime.fromisoformat(row["at"]) for row in requests if row["status"] == status)
    began, ended = struck + timedelta(seconds=0.5), struck + timedelta(seconds=seconds)
    return [row for row in requests if began < datetime.fromisoformat(row["at"]) < ended]


@BOTH
@pytest.mark.parametrize("what", ["write", "read"])
async def test_too_fast_with_a_time_to_wait_pauses_the_whole_connection_that_long(vendor, what, synced: Snapshot):
    """Nothing at all is asked of the vendor before the time it named; then the work goes on and nothing has failed."""
    async with synced.world() as w:
        sale, before, begin = await _sale_for(w, vendor), await _failed(w), await w.mark()
        match = CREATES[vendor][0] if what == "write" else {"path": POLLS[vendor]}
        await w.control.arm(vendor, "rate_limited", match, nth=1, options={"retry_after": 17})
        await w.once()
        assert _within(await _asked(w, begin, vendor), 429, 17) == []
        assert await _failed(w) == before
        await ended_well(w, sale)


@BOTH
async def test_too_fast_without_a_time_is_waited_out(vendor, synced: Snapshot):
    """Several times in a row, on a read and a write: the pauses are ours, nothing has failed or is done twice."""
    async with synced.world() as w:
        sale, before = await _sale_for(w, vendor), await _failed(w)
        for match in ({"path": POLLS[vendor]}, CREATES[vendor][0]):
            await w.control.arm(vendor, "rate_limited", match, times=3)
        await w.once()
        assert await _hits(w) == [3, 3]
        assert await _failed(w) == before
        await ended_well(w, sale)


@BOTH
async def test_a_burst_of_server_errors_is_trouble_of_the_connection(vendor, synced: Snapshot):
    """Down for everything: the connection is unavailable and asked rarely; back again, it catches up."""
    async with synced.world() as w:
        sale, before, begin = await _sale_for(w, vendor), await _failed(w), await w.mark()
        await w.control.arm(vendor, "server_error", options={"status": 503, "html": True})
        assert await _state(w, vendor) == "vendor_unavailable"
        assert await w.written(begin, vendor) == []
        for _ in range(5):
            await w.advance(61)
            begin = await w.mark()
            assert await _state(w, vendor) == "vendor_unavailable"
            assert len(await _asked(w, begin, vendor)) <= 8
        assert await _failed(w) == before
        await w.control.disarm()
        await ended_well(w, sale)
        assert await _state(w, vendor) == "ok"


@BOTH
async def test_a_server_error_on_a_write_leaves_open_whether_it_was_done(vendor, synced: Snapshot):
    """A gateway that breaks may have let the request through: it is found out, not repeated blindly."""
    async with synced.world() as w:
        sale = await _sale_for(w, vendor)
        for match, committed in zip(CREATES[vendor], (False, True, False), strict=True):
            options = {"status": 502, "html": True, "committed": committed}
            await w.control.arm(vendor, "server_error", match, nth=1, options=options)
        await w.once()
        assert await _hits(w) == [1, 1, 1]
        await ended_well(w, sale)


@BOTH
async def test_broken_lines_lose_and_double_nothing(vendor, synced: Snapshot):
    """Cut off before the vendor saw the request or in the middle of its answer, on reads and writes."""
    async with synced.world() as w:
        sale, before = await _sale_for(w, vendor), await _failed(w)
        for fault, match in zip(("reset_before", "reset_after", "wrong_length"), CREATES[vendor], strict=True):
            await w.control.arm(vendor, fault, {"path": POLLS[vendor]}, nth=1)
            await w.control.arm(vendor, fault, match, nth=1)
        await w.once()
        assert await _hits(w) == [1] * 6
        assert await _failed(w) == before
        await ended_well(w, sale)


@pytest.mark.parametrize(("vendor", "fault"), [("hubspot", "truncated_json"), ("quickbooks", "not_json")])
async def test_a_malformed_answer_is_never_partly_used(vendor, fault, synced: Snapshot):
    """No cursor passes it, nothing of it is stored; the connection says so after three, and catches up afterwards."""
    async with synced.world() as w:
        await w.once()
        cursors, sale = await _cursors(w, vendor), await (crm_sale(w) if vendor == "hubspot" else books_sale(w))
        await w.control.arm(vendor, fault, {"path": POLLS[vendor]})
        begin = await w.mark()
        assert await _state(w, vendor) == "malformed_answer"
        assert len([row for row in await _asked(w, begin, vendor) if row["status"] == 200]) >= 3
        assert (await _cursors(w, vendor))["party"] == cursors["party"]
        assert "contacts" not in await of_sale(w, sale)
        await w.control.disarm()
        await ended_well(w, sale)
        assert await _state(w, vendor) == "ok"


@BOTH
async def test_a_malformed_answer_to_a_write_leaves_open_whether_it_was_done(vendor, synced: Snapshot):
    """The vendor acted and said something unreadable: looked for, not repeated."""
    async with synced.world() as w:
        sale = await _sale_for(w, vendor)
        for fault, match in zip(NONSENSE, CREATES[vendor], strict=True):
            await w.control.arm(vendor, fault, match, nth=1)
        await w.once()
        assert await _hits(w) == [1, 1, 1]
        await ended_well(w, sale)


async def test_a_read_that_leaves_something_out_deletes_nothing(synced: Snapshot):
    """An answer with fewer records than asked for, and no word on the missing ones, is no proof that they are gone."""
    async with synced.world() as w:
        sale = await books_sale(w)
        await w.once()
        await w.control.arm(
            "hubspot", "partial", {"path": r"/crm/v3/objects/(invoices|commerce_payments)/batch/read"}, times=2
        )
        await w.books("update", "Invoice", sale.invoice, due="2027-01-31")
        begin = await w.mark()
        await w.once()
        assert {entry["operation"] for entry in await w.written(begin)} <= {"update"}
        await w.control.disarm()
        await ended_well(w, sale)
        mirror = (await of_sale(w, sale))["invoices"]["left"]["id"]
        assert (await w.crm_rows("invoices"))[mirror]["properties"]["hs_due_date"].startswith("2027-01-31")
        await assert_in_order(w.control)
