"""Plan and apply: what a plan lists is what is written, and what has moved since is left alone."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from syncd import app, runs
from syncd.plan_file import PlanRefused
from syncd.status.server import SOCKET
from tests.acceptance.processes import ANY_PORT, running, until
from tests.acceptance.world import KINDS, Row, Snapshot, World, world

VENDOR = {"crm": "hubspot", "books": "quickbooks"}
OPEN = "INV-1001"  # an invoice born in HubSpot that nobody has paid


async def plan(w: World) -> dict[str, Any]:
    """`syncd plan` in this process, without waiting."""
    async with app.opened(w.config, "plan", clock=w.clock) as opened:
        return await opened.planner.plan()


async def apply(w: World, made: object) -> dict[str, Any]:
    """`syncd apply` in this process, without waiting."""
    async with app.opened(w.config, "apply", clock=w.clock) as opened:
        return await runs.carried_out(opened, made, wait=600)


def writes(made: Row) -> Counter[tuple[str, str, str]]:
    """What a plan lists, in the words of the journals: vendor, kind, operation."""
    side = {"crm": 0, "books": 1}
    return Counter((VENDOR[e["connection"]], KINDS[e["flow"]][side[e["connection"]]], e["op"]) for e in made["entries"])


def journalled(entries: list[Row]) -> Counter[tuple[str, str, str]]:
    """What was written; an invoice's lines belong to it."""
    return Counter((e["vendor"], e["kind"], e["operation"]) for e in entries if e["kind"] != "line_items")


async def test_apply_writes_what_the_plan_lists_and_only_that() -> None:
    """On the default data: planning writes nothing, applying exactly the listed writes, doing it again nothing."""
    async with world() as w:
        mark = await w.mark()
        made = await plan(w)
        assert await w.written(mark) == []
        assert all(request["method"] in ("GET", "POST") for request in await w.requests(mark))
        assert [words for words in made["warnings"] if "books" in words]
        # A customer whose name is taken is known only to the vendor, and so is the invoice that waits for it.
        told = await apply(w, made)
        assert told["moved"] == []
        assert told["waiting"] == 0
        assert (told["allowed"], told["done"]) == (len(made["entries"]), len(made["entries"]) - told["failed"])
        written = await w.written(mark)
        refused = writes(made) - journalled(written)
        assert journalled(written) - writes(made) == Counter()
        assert refused == Counter({("quickbooks", "Customer", "create"): 1, ("quickbooks", "Invoice", "create"): 1})
        changed = {(VENDOR[e["connection"]], e["entity"]) for e in made["entries"] if e["op"] == "update"}
        assert {(e["vendor"], e["id"]) for e in written if e["operation"] == "update"} == changed
        numbers = {e["label"] for e in made["entries"] if e["flow"] == "invoices" and e["op"] == "create"}
        there = await w.books_rows("Invoice")
        made_there = {
            there[e["id"]]["DocNumber"] for e in written if e["kind"] == "Invoice" and e["operation"] == "create"
        }
        assert made_there <= numbers

        after = await w.mark()
        again = await apply(w, made)
        assert len(again["moved"]) == len(made["entries"]) - again["allowed"]
        assert await w.written(after) == []
        await w.once()
        assert await w.written(after) == []  # nothing was left for a usual run either


async def test_only_what_moved_since_is_refused() -> None:
    """One invoice gets another due date between plan and apply: it alone is not written, and apply exits with 1."""
    async with world() as w:
        made = await plan(w)
        (entry,) = [e for e in made["entries"] if e["label"] == OPEN and e["op"] == "create"]
        await w.crm("update", "invoices", entry["place"].split(":")[2], hs_due_date="2026-12-24")
        (w.folder / "plan.json").write_text(json.dumps(made))
        mark = await w.mark()
        code, said, _ = await w.command("apply", "plan.json", "--json")
        told = json.loads(said)
        assert (code, [one["label"] for one in told["moved"]]) == (1, [OPEN])
        assert "crm" in told["moved"][0]["words"]
        assert told["waiting"] == 0
        there = await w.books_rows("Invoice")
        assert OPEN not in {row.get("DocNumber") for row in there.values()}
        assert sum(journalled(await w.written(mark)).values()) == len(made["entries"]) - 1 - told["failed"]


def _tampered(made: dict[str, Any]) -> object:
    return {**made, "entries": made["entries"][:1]}


def _other_account(made: dict[str, Any]) -> object:
    from syncd.model.values import digest

    other = [{**made["connections"][0], "account_id": "1"}, *made["connections"][1:]]
    plain = {name: value for name, value in {**made, "connections": other}.items() if name != "checksum"}
    return {**plain, "checksum": digest(plain)}


async def test_files_that_may_not_be_applied(synced: Snapshot) -> None:
    """Changed, for other accounts, of another format, no plan at all, or too old: refused in words, nothing written."""
    async with synced.world() as w:
        await w.crm("update", "contacts", "1001", phone="555-0100")
        made = await plan(w)
        assert [e["flow"] for e in made["entries"]] == ["contacts"]
        (field,) = made["entries"][0]["fields"]
        assert (field["field"], field["new"]) == ("phone", "555-0100")
        assert field["old"]
        mark = await w.mark()
        for raw, words in (
            (_tampered({**made, "entries": []}), "was changed"),
            (_other_account(made), "was made for 1"),
            ({**made, "schema": 7}, "format 7"),
            ({"hello": 1}, "no plan"),
            (3, "no plan"),
        ):
            with pytest.raises(PlanRefused, match=words):
                await apply(w, raw)
        await w.advance(25 * 3600)
        with pytest.raises(PlanRefused, match="expired"):
            await apply(w, made)
        assert await w.written(mark) == []


async def test_what_a_guard_holds_goes_with_a_plan_that_lists_it(synced: Snapshot) -> None:
    """Five voids where three are allowed: held in a usual run, listed in a plan, and carried out with it."""
    async with synced.world() as w:
        w.set("syncs.invoicing", guard="{ removals = 3 }")
        listed = await w.records(flow="invoices", status="synced")
        truth = await w.books_rows("Invoice")
        ours = [row["right"]["id"] for row in listed if row["origin"] == "right"]
        unpaid = [id for id in ours if truth[id]["Balance"] == truth[id]["TotalAmt"]][:5]
        for id in unpaid:
            await w.books("void", "Invoice", id)
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []
        made = await plan(w)
        assert [(e["connection"], e["op"]) for e in made["entries"]] == [("crm", "void")] * 5
        told = await apply(w, made)
        assert (told["done"], told["moved"]) == (5, [])
        assert {e["id"] for e in await w.written(mark)} == {e["entity"] for e in made["entries"]}


async def test_a_new_sync_that_would_create_much_waits() -> None:
    """Over twenty creates: none is made, children wait with their parents, and a release lets all of them go."""
    async with world(changes=[('approval = "off"', "approval = 20")]) as w:
        mark = await w.mark()
        status = await w.once()
        flows = {flow["name"]: flow for flow in status["syncs"][0]["flows"]}
        assert "create" not in {entry["operation"] for entry in await w.written(mark)}
        made = await plan(w)
        for name, flow in flows.items():
            creates = [e for e in made["entries"] if (e["flow"], e["op"]) == (name, "create")]
            assert flow["waiting"] == {"not_approved": len(creates)}, name

        assert (await w.command("release", "invoicing"))[0] == 0
        await w.once()
        created = [e for e in await w.written(mark) if e["operation"] == "create" and e["kind"] != "line_items"]
        creates = [e for e in made["entries"] if e["op"] == "create"]
        assert len(created) == len(creates) - 2  # one name is taken, and an invoice needed it


async def test_a_small_new_sync_runs_at_once() -> None:
    """As many creates as are allowed without asking: nobody is asked, neither now nor later."""
    async with world(changes=[('approval = "off"', "approval = 79")]) as w:
        status = await w.once()
        assert all("not_approved" not in flow["waiting"] for flow in status["syncs"][0]["flows"])
        await w.crm("create", "contacts", email="new@example.com", firstname="New")
        assert all("not_approved" not in flow["waiting"] for flow in (await w.once())["syncs"][0]["flows"])


async def test_a_daemon_plans_and_applies() -> None:
    """Through the socket of a daemon whose sync waits: the plan lists what waits, applying it lets it go."""
    async with world(changes=[ANY_PORT, ('approval = "off"', "approval = 20")]) as w:
        for connection in VENDOR:
            w.set(f"connections.{connection}", options="{ pace = 'off' }")
        async with running(w, "run"):
            await until((w.config.state_dir / SOCKET).exists)
            code, said, _ = await w.command("plan", "--out", "plan.json", "--json")
            made = json.loads(said)
            assert code == 0
            assert len(made["entries"]) > 20
            code, said, errors = await w.command("apply", "plan.json", "--yes", "--json")
            told = json.loads(said)
            assert (told["moved"], told["waiting"]) == ([], 0), errors
            assert (code, told["failed"]) == (1, 2)
