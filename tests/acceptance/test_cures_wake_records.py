"""Whatever blocks a record, its cure wakes it once the cure is seen: nobody retries, and no timer does (U-11).

Each row: how it came about, the record that is blocked and its category, and what a person does then.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from syncd import app
from syncd.status.reader import Reader
from tests.acceptance.world import Snapshot, World

SYNCED = ("synced", "")


@dataclass(frozen=True)
class Blocked:
    """A record: the word to find it by, its flow, and the category it fails with."""

    word: str
    flow: str
    code: str


Cause = Callable[[World], Awaitable[Blocked]]
Cure = Callable[[World], Awaitable[object]]


async def _name_taken(w: World) -> Blocked:
    return Blocked("1025", "contacts", "duplicate_display_name")


async def _name_free(w: World) -> None:
    await w.books("update", "Customer", "25", name="Sushi of Old")


async def _no_address(w: World) -> Blocked:
    return Blocked("INV-1024", "invoices", "customer_missing")


async def _address(w: World) -> None:
    await w.crm("update", "contacts", "1022", email="tom@baker.example.com")


async def _two_customers(w: World) -> Blocked:
    for name in ("Una Post", "Una Poste"):
        await w.books("create", "Customer", name=name, email="una@post.example")
    return Blocked("Una Post", "contacts", "customer_ambiguous")


async def _one_customer(w: World) -> None:
    (other,) = [row for row in (await w.books_rows("Customer")).values() if row["DisplayName"] == "Una Poste"]
    await w.books("update", "Customer", other["Id"], email="poste@post.example")


async def _two_items(w: World) -> Blocked:
    for name in ("Twin Pump", "Twin Pump B"):
        await w.books("create", "Item", name=name, sku="TWIN-1", price="10")
    return Blocked("Twin Pump", "products", "product_ambiguous")


async def _one_item(w: World) -> None:
    (other,) = [row for row in (await w.books_rows("Item")).values() if row["Name"] == "Twin Pump B"]
    await w.books("update", "Item", other["Id"], sku="TWIN-2")


async def _sold(w: World, **more: str) -> str:
    lines = [{"product": "3003", "quantity": "1"}]
    made = await w.crm(
        "create", "invoices", contact="1001", lines=lines, finalize=True, **{"hs_currency": "USD"} | more
    )
    return str(made["properties"]["hs_number"])


async def _number_taken(w: World) -> Blocked:
    number = await _sold(w)
    lines = [{"item": "PEST-CONTROL", "qty": "1", "price": "17"}]
    await w.books("create", "Invoice", customer="2", lines=lines, number=number)
    return Blocked(number, "invoices", "duplicate_document_number")


async def _number_free(w: World) -> None:
    rows = (await w.books_rows("Invoice")).values()
    (taker,) = [row for row in rows if row["CustomerRef"]["value"] == "2" and row["TotalAmt"] == 17]
    await w.books("update", "Invoice", taker["Id"], number="X-1")


async def _closed(w: World) -> Blocked:
    await w.control.settings("quickbooks", BookCloseDate="2026-06-30")
    return Blocked(await _sold(w, hs_invoice_date="2026-06-15"), "invoices", "accounting_period_closed")


async def _reopened(w: World) -> None:
    await w.control.settings("quickbooks", BookCloseDate="2026-05-31")


async def _dates_wanted(w: World) -> Blocked:
    await w.control.settings("quickbooks", RevenueRecognition=True)
    return Blocked(await _sold(w), "invoices", "service_date_required")


async def _dates_not_wanted(w: World) -> None:
    await w.control.settings("quickbooks", RevenueRecognition=False)


async def _one_currency(w: World) -> Blocked:
    return Blocked("INV-1023", "invoices", "currency_mismatch")


async def _currencies(w: World) -> None:
    await w.control.settings("quickbooks", MultiCurrency=True)


ROWS = [
    (_name_taken, _name_free),
    (_no_address, _address),
    (_two_customers, _one_customer),
    (_two_items, _one_item),
    (_number_taken, _number_free),
    (_closed, _reopened),
    (_dates_wanted, _dates_not_wanted),
]


@pytest.mark.parametrize(("cause", "cure"), ROWS, ids=lambda each: each.__name__.strip("_"))
async def test_the_cure_wakes_the_record(cause: Cause, cure: Cure, synced: Snapshot) -> None:
    """Blocked with its category and what it waits for; in order in the pass that sees the cure."""
    async with synced.world() as w:
        blocked = await cause(w)
        await w.once()
        row = await _row(w, blocked)
        assert (row["status"], row["code"]) == ("failed", blocked.code)
        assert row["waits_for"]
        assert row["next_at"] is None
        await cure(w)
        await w.once()
        row = await w.record(str(row["id"]))
        assert (row["status"], row["code"]) == SYNCED, row["words"]


async def _row(w: World, blocked: Blocked) -> dict[str, object]:
    rows = await w.records(flow=blocked.flow, q=blocked.word)
    exact = [row for row in rows if blocked.word in (row["label"], row["left"]["id"])] or rows
    failed = [row for row in exact if row["code"] == blocked.code]
    assert len(failed) == 1, exact
    return dict(failed[0])


async def test_several_currencies_switched_on_wake_what_was_in_another_one(synced: Snapshot) -> None:
    """It is no longer the currency that stands in the way."""
    async with synced.world() as w:
        blocked = await _one_currency(w)
        row = await _row(w, blocked)
        await _currencies(w)
        await w.once()
        assert (await w.record(str(row["id"])))["words"] != "It is in EUR, the other side keeps USD."


async def test_a_running_daemon_reads_the_settings_every_hour(synced: Snapshot) -> None:
    """The books are reopened while it runs: within the hour the record goes on."""
    async with synced.world() as w:
        blocked = await _closed(w)
        async with app.opened(w.config, "run", clock=w.clock) as running:
            await running.loop.drain(600)
            await _reopened(w)
            await running.loop.drain(600)
            assert (await Reader(running).status())["syncs"][0]["flows"][2]["categories"][blocked.code] == 1
            await w.advance(3601)
            await running.loop.drain(600)
        assert (await w.both(blocked.word)).state == SYNCED


async def test_a_refusal_that_the_settings_do_not_explain_makes_us_read_them(synced: Snapshot) -> None:
    """The books are closed while the daemon runs, the vendor refuses, and after a minute the settings are known."""
    async with synced.world() as w:
        async with app.opened(w.config, "run", clock=w.clock) as running:
            await running.loop.drain(600)
            blocked = await _closed(w)
            await running.loop.drain(600)
            await w.advance(61)
            await running.loop.drain(600)
            assert str(running.engine.accounts["books"].books_closed_until) == "2026-06-30"
        row = await _row(w, blocked)
        assert (row["code"], row["waits_for"]) == (blocked.code, "account:books")


async def test_scopes_taken_and_given_back(synced: Snapshot) -> None:
    """A right that is missing stands on the connection, with its name; given back, everything goes on."""
    async with synced.world() as w:
        invoice = await w.books(
            "create", "Invoice", customer="1", lines=[{"item": "PEST-CONTROL", "qty": 1, "price": 9}], number="S-77"
        )
        await w.control.settings("hubspot", missing_scopes=["crm.objects.invoices.write"])
        status = await w.once()
        (crm,) = [one for one in status["connections"] if one["name"] == "crm"]
        assert crm["state"] == "permission_missing"
        await w.control.settings("hubspot", missing_scopes=[])
        await w.advance(3601)
        await w.once()
        assert (await w.both(invoice["DocNumber"])).state == SYNCED


async def test_a_right_that_was_granted_is_found_out_by_one_record(synced: Snapshot) -> None:
    """No setting shows it: one record an hour is tried; once it goes through, all that were refused for it follow."""
    denied = {"code": "5020", "message": "Permission Denied Error"}
    match = {"path": r"/v3/company/\d+/batch", "contains": '"operation":"create"'}
    async with synced.world() as w:

        async def tried(seconds: float) -> int:
            """How many writes are sent in a pass so much later."""
            await w.advance(seconds)
            mark = await w.mark()
            await w.once()
            return len([r for r in await w.requests(mark) if r["path"].endswith("/batch") and r["status"] == 400])

        await w.control.arm("quickbooks", "error_code", match, probability=1.0, options=denied)
        sold = [await _sold(w) for _ in range(3)]
        await w.once()
        for number in sold:
            assert (await w.both(number)).state == ("failed", "permission_missing")
        # Each pass is a process of its own, which looks at the account first.
        assert await tried(3601) == 1
        await w.control.disarm()
        await tried(3601)
        for number in sold:
            assert (await w.both(number)).state == SYNCED
