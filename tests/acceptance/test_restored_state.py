"""An old state put back, by the command or behind our back: nothing is made twice, and no newer edit is lost."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from syncd.errors import Exit
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.people import crm_sale
from tests.acceptance.processes import ANY_PORT, running
from tests.acceptance.world import FLOWS, KINDS, Row, Snapshot, World

FEW, MANY = 40, 300  # invoices made after the copy


def state(w: World) -> Path:
    return w.folder / "syncd-state" / "syncd.db"


async def copied(w: World) -> Path:
    """A backup of the state as it is now."""
    code, out, err = await w.command("backup")
    assert code == Exit.DONE, err
    return Path(out.removeprefix("wrote ").split(".db,")[0] + ".db")


async def back_by_the_command(w: World, copy: Path) -> None:
    code, _, err = await w.command("restore", str(copy))
    assert code == Exit.DONE, err


async def back_behind_our_back(w: World, copy: Path) -> None:
    for leftover in state(w).parent.glob("syncd.db*"):
        leftover.unlink()
    shutil.copyfile(copy, state(w))


async def back_as_a_whole(w: World, copy: Path) -> None:
    """The directory with its secrets, as a machine's own backup puts it back; then what the handbook says."""
    shutil.rmtree(state(w).parent)
    shutil.copytree(copy, state(w).parent)
    await back_by_the_command(w, await copied(w))


async def invoices(w: World, n: int) -> list[Row]:
    """So many invoices of one new customer in HubSpot, and some payments."""
    sale = await crm_sale(w)
    made = []
    for number in range(n - 1):
        lines = [{"product": "3001", "quantity": str(number + 1), "price": "40"}]
        given = {"hs_currency": "USD", "hs_invoice_date": "2026-11-02", "finalize": True}
        made.append(await w.crm("create", "invoices", contact=sale.customer, lines=lines, **given))
        if number % 10 == 0:
            await w.crm("pay", "invoices", made[-1]["id"], amount="10", reference=f"P-{number}")
    return [*made, (await w.crm_rows("invoices"))[sale.invoice]]


async def pairs(w: World) -> dict[tuple[str, str], str]:
    """Which entities belong together, and how they stand."""
    found = {}
    for flow in FLOWS:
        for row in await w.records(flow=flow):
            if row["left"]["id"] and row["right"]["id"]:
                found[flow, f"{row['left']['id']}={row['right']['id']}"] = row["status"]
    return found


async def truth(w: World) -> dict[tuple[str, str], int]:
    return {
        (flow, vendor): len(await w.rows(vendor, kind))
        for flow in FLOWS
        for vendor, kind in zip(("hubspot", "quickbooks"), KINDS[flow], strict=True)
    }


@pytest.mark.parametrize(
    ("n", "back"),
    [
        (FEW, back_by_the_command),
        (3, back_behind_our_back),
        pytest.param(MANY, back_by_the_command, marks=pytest.mark.slow),
    ],
)
async def test_what_was_made_since_the_copy_is_found_again(synced: Snapshot, n: int, back):
    """Customers, products, invoices and payments made since: all linked again, none made again, nothing written."""
    async with synced.world() as w:
        copy = await copied(w)
        if back is back_behind_our_back:
            copy = Path(shutil.copyfile(state(w), w.folder / "copy.db"))  # as it is, without our mark on it
        await invoices(w, n)
        await w.once()
        linked, there, end = await pairs(w), await truth(w), await w.mark()
        assert sum(flow == "invoices" for flow, _ in linked) > n
        await back(w, copy)
        status = await w.once()
        assert status["daemon"]["state"] == "current"
        assert await truth(w) == there
        assert await pairs(w) == linked
        assert await w.written(end) == []
        await assert_in_order(w.control)


@pytest.mark.parametrize("back", [back_by_the_command, back_as_a_whole])
async def test_no_newer_edit_is_overwritten(synced: Snapshot, back):
    """Edits since the copy, synced and not yet synced, on both sides: what is newest stays, or a person decides."""
    async with synced.world() as w:
        whole = back is back_as_a_whole
        copy = Path(shutil.copytree(state(w).parent, w.folder / "copy")) if whole else await copied(w)
        a, b, c = (await w.records(flow="contacts", status="synced"))[:3]
        for row in (a, b, c):
            await w.crm("update", "contacts", row["left"]["id"], phone="111 1111")
        bill = next(row for row in await w.records(flow="invoices", status="synced") if row["origin"] == "left")
        await w.crm("update", "invoices", bill["left"]["id"], hs_due_date="2026-12-20")
        await w.once()
        # Since the daemon was stopped:
        await w.books("update", "Customer", b["right"]["id"], PrimaryPhone={"FreeFormNumber": "222 2222"})
        await w.crm("update", "contacts", c["left"]["id"], phone="333 3333")
        end = await w.mark()
        await back(w, copy)
        await w.once()
        left, right = await w.crm_rows("contacts"), await w.books_rows("Customer")

        def phones(row: Row) -> tuple[str, str]:
            return left[row["left"]["id"]]["properties"]["phone"], right[row["right"]["id"]]["PrimaryPhone"][
                "FreeFormNumber"
            ]

        assert phones(a) == ("111 1111", "111 1111")
        assert phones(b) == ("111 1111", "222 2222")
        assert phones(c) == ("333 3333", "111 1111")
        assert (await w.record(b["id"]))["code"] == (await w.record(c["id"]))["code"] == "conflict_held"
        assert (await w.record(a["id"]))["status"] == (await w.record(bill["id"]))["status"] == "synced"
        assert (await w.books_rows("Invoice"))[bill["right"]["id"]]["DueDate"] == "2026-12-20"
        assert await w.written(end) == []


async def test_an_edit_of_one_side_alone_still_flows(synced: Snapshot):
    """What only one side changed is no doubt, also right after a restore."""
    async with synced.world() as w:
        copy = await copied(w)
        (row,) = (await w.records(flow="contacts", status="synced"))[:1]
        await back_by_the_command(w, copy)
        await w.crm("update", "contacts", row["left"]["id"], phone="444 4444")
        await w.once()
        there = (await w.books_rows("Customer"))[row["right"]["id"]]
        assert there["PrimaryPhone"]["FreeFormNumber"] == "444 4444"


async def test_copies_and_what_they_refuse(synced: Snapshot, tmp_path: Path):
    """Private, checked, pruned, made while a daemon runs; not put back under one, nor if it is no state."""
    async with synced.world(ANY_PORT) as w:
        for _ in range(3):
            code, _, err = await w.command("backup", "--keep", "2")
            assert code == Exit.DONE, err
        copies = sorted((state(w).parent / "backups").iterdir())
        assert [path.stat().st_mode & 0o777 for path in copies] == [0o600, 0o600]
        async with running(w, "run") as daemon:
            lock = state(w).with_name("syncd.lock")
            async with asyncio.timeout(30):
                while f"process {daemon.pid}" not in lock.read_text():
                    await asyncio.sleep(0.02)
            code, _, err = await w.command("backup", "--to", str(tmp_path / "elsewhere.db"))
            assert code == Exit.DONE, err
            code, _, err = await w.command("restore", str(copies[0]))
            assert (code, f"process {daemon.pid}" in err) == (Exit.BUSY, True)
            daemon.terminate()
            assert await daemon.wait() == Exit.DONE
        code, _, err = await w.command("backup", "--to", str(tmp_path / "elsewhere.db"))
        assert (code, "nothing is overwritten" in err) == (Exit.USAGE, True)
        (tmp_path / "other.db").write_text("something else")
        before = state(w).read_bytes()
        code, _, err = await w.command("restore", str(tmp_path / "other.db"))
        assert (code, "holds no state" in err) == (Exit.CONFIGURATION, True)
        assert state(w).read_bytes() == before


async def test_a_state_of_a_newer_release_is_refused(synced: Snapshot):
    """Exit 78 with a plain text, by the daemon and by a restore; the state stays as it is."""
    async with synced.world(ANY_PORT) as w:
        copy = await copied(w)
        for file in (copy, state(w)):
            database = sqlite3.connect(file)
            database.execute("UPDATE alembic_version SET version_num = '9999'")
            database.commit()
            database.close()
        before = state(w).read_bytes()
        for words in (["run"], ["once"], ["restore", str(copy)]):
            code, _, err = await w.command(*words)
            assert (code, "the state is at schema 9999" in err) == (Exit.CONFIGURATION, True)
            assert "Install the release that wrote it" in err
        assert state(w).read_bytes() == before


async def test_our_reference_tells_what_nothing_else_would(synced: Snapshot):
    """An invoice made since, to which somebody has given another number there: it is known by our reference on it."""
    async with synced.world() as w:
        copy = await copied(w)
        sale = await crm_sale(w)
        await w.once()
        pair = await w.both(sale.number)
        await w.books("update", "Invoice", pair.books["Id"], DocNumber="OTHER-1")
        there = await truth(w)
        await back_by_the_command(w, copy)
        await w.once()
        assert await truth(w) == there
        again = await w.record(sale.number, "invoices")
        assert (again["id"], again["right"]["id"]) == (pair.record["id"], pair.books["Id"])
