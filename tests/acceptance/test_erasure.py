"""Promise 26: a person who asks to be forgotten is gone from every file of ours, and is never made or stored again."""

import json
from dataclasses import replace
from pathlib import Path

from tests.acceptance.people import Sale, crm_sale
from tests.acceptance.test_webhooks import HOURLY, daemon, quiet, subscribed, until
from tests.acceptance.world import Row, Snapshot, World

CANARIES = ("zebulon", "quackenbush", "650-555-7777", "canary lane")


async def _known(w: World) -> Sale:
    """A person who stands on both sides, was edited, and whose invoice once waited for them."""
    sale = await crm_sale(w)
    await w.once()
    person = {"firstname": "Zebulon", "lastname": "Quackenbush", "email": "zebulon@quackenbush.example"}
    await w.crm("update", "contacts", sale.customer, phone="650-555-7777", address="12 Canary Lane", **person)
    await w.once()
    assert await _hits(w)
    return replace(sale, email="zebulon@quackenbush.example")


async def _hits(w: World) -> list[tuple[str, str]]:
    """Which canaries stand in which file of the state, in whatever part of it."""
    files = [file for file in Path(w.config.state_dir).rglob("*") if file.is_file()]
    return [(file.name, c) for file in files for c in CANARIES if c.encode() in file.read_bytes().lower()]


async def _forgotten(w: World, id: str) -> None:
    """Nothing is left, the record stays and says why, and a further pass with an edit makes and stores nothing."""
    assert await _hits(w) == []
    row = await w.record(id)
    assert (row["status"], row["code"], row["label"], row["key"]) == ("excluded", "by_person", "", None)
    assert row["left"]["id"]
    assert row["right"]["id"]
    begin = await w.mark()
    await w.books("update", "Customer", row["right"]["id"], phone="650-555-7777")
    await w.once()
    made = [entry for entry in await w.written(begin) if entry["kind"] in ("contacts", "Customer")]
    assert made == []
    assert await _hits(w) == []


async def _record_of(w: World, sale: Sale) -> Row:
    return await w.record(sale.email, "contacts")


async def test_erase_leaves_nothing_behind(synced: Snapshot) -> None:
    """First it says who is meant; with --yes it is done, and the vendors keep what is theirs."""
    async with synced.world() as w:
        sale = await _known(w)
        id = (await _record_of(w, sale))["id"]
        code, out, _ = await w.command("erase", "--email", sale.email, "--json")
        told = json.loads(out)
        assert (code, told["state"], len(told["people"])) == (0, "preview", 2)
        assert await _hits(w)

        begin = await w.mark()
        code, out, _ = await w.command("erase", "--email", sale.email, "--yes", "--json")
        assert (code, json.loads(out)["state"]) == (0, "done")
        assert await w.written(begin) == []
        await _forgotten(w, id)
        invoice = await w.both(sale.number)
        assert invoice.books["TotalAmt"] == 200
        assert (await w.command("erase", "--email", sale.email, "--yes"))[0] == 2


async def test_a_privacy_deletion_at_the_vendor_erases_our_copies(synced: Snapshot) -> None:
    """Told by webhook: our copies go within the pass, the files are rewritten within the hour."""
    async with synced.world(HOURLY) as w:
        sale = await _known(w)
        id = (await _record_of(w, sale))["id"]
        await subscribed(w)
        async with daemon(w) as here:
            await w.crm("gdpr_delete", "contacts", sale.customer)

            async def erased() -> bool:
                found = await here.store.read(lambda tx: tx.records([id]))
                return found[id].code == "by_person"

            await until(erased)
            await quiet(here)
            await w.advance(3601)
            here.bell.ring()

            async def scrubbed() -> bool:
                return await here.store.read(lambda tx: tx.meta("erasure:scrub")) == ""

            await until(scrubbed)
        await _forgotten(w, id)
