"""One stretch of chaos: what happens is drawn from a seed, when it happens is up to the machine."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syncd import app, cli_init
from syncd.config import Config, load
from syncd.sandbox.base import Refusal
from syncd.sandbox.client import Control
from syncd.status.reader import MAX_LIMIT, Query, Reader
from tests import overheard
from tests.acceptance import checkers
from tests.acceptance.processes import PROGRAM
from tests.chaos.far import FarClock, FarHouse
from tests.simulation.people import People

VENDORS = {"hubspot": "crm", "quickbooks": "books"}
START = "2024-06-01T00:00:00Z"
LATENCY = 0.01  # seconds a vendor takes, so that several requests are under way at any moment
AWAKE = 60.0  # real seconds until a daemon asks something
PATIENCE = 120.0  # real seconds for the closing pass, in which nobody waits
FAULTS: dict[str, dict[str, Any]] = {
    "timeout_after_commit": {"hold": 0.3},
    "late_commit": {"delay": 0.7, "hold": 0.2},
    "reset_before": {},
    "reset_after": {},
    "rate_limited": {"retry_after": 1},
    "server_error": {"status": 502, "html": True, "committed": True},
    "maintenance": {},
    "not_json": {},
    "empty_200": {},
    "truncated_json": {},
    "wrong_length": {},
    "partial": {},
    "slow": {"delay": 0.5},
    "redirect": {},
}
FLOOD = 30  # edits on either side
LIKELY = 0.2  # of the requests an armed fault meets


@dataclass
class Figures:
    """What happened and what came of it.

    Attributes:
        excused: numbers of invoices that a person has been told about. unpaid: vendors' ids of payments, the same.
    """

    happened: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)
    unpaid: set[str] = field(default_factory=set)


@dataclass
class Scene:
    """A sandbox and a state, and the daemon as long as it lives."""

    folder: Path
    url: str
    control: Control
    daemon: Process | None = None

    @property
    def config(self) -> Config:
        return load(self.folder / "syncd.toml", os.environ)

    async def start(self) -> None:
        """A daemon, which lives until it is killed; it has begun to work when this returns."""
        last = (await self.control.requests())[-1:]
        log = (self.folder / "daemon.log").open("ab")
        self.daemon = await asyncio.create_subprocess_exec(PROGRAM, "run", cwd=self.folder, stdout=DEVNULL, stderr=log)
        log.close()
        async with asyncio.timeout(AWAKE):
            while not await self.control.requests(after=last[0]["seq"] if last else 0):
                await asyncio.sleep(0.05)

    def signal(self, what: signal.Signals) -> None:
        """To the daemon, if it lives."""
        if self.daemon is not None and self.daemon.returncode is None:
            self.daemon.send_signal(what)

    async def kill(self) -> int:
        """`kill -9`, and wait for it."""
        assert self.daemon is not None
        self.signal(signal.SIGKILL)
        return await self.daemon.wait()


async def chaos(seed: int, kills: int, life: float) -> Figures:
    """So many lives of a daemon, each some seconds long; then peace, and the judges."""
    figures, draw = Figures(), random.Random(seed)
    async with _scene() as scene:
        people = People(FarHouse(scene.url, seed), random.Random(seed + 1), rarely=0.0)
        for _ in range(kills):
            await scene.start()
            await _lived(scene, people, draw, figures, life * draw.uniform(0.6, 1.4))
            code = await scene.kill()
            figures.happened["kills"] += code == -signal.SIGKILL
            if code != -signal.SIGKILL:
                figures.wrong.append(f"the daemon ended by itself, with {code}")
        await _peace(scene, figures)
        figures.happened["acts"] += len(people.doings)
        await _closed(scene, figures)
        overheard.listen((scene.folder / "daemon.log").read_text())
    return figures


async def _lived(scene: Scene, people: People, draw: random.Random, figures: Figures, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        for _ in range(draw.randint(1, 4)):
            await asyncio.to_thread(people.act)
        match draw.randrange(6):
            case 0 | 1:
                await _armed(scene, draw)
            case 2:
                await _carried(scene, draw)
            case 3:
                scene.signal(signal.SIGSTOP)
                await asyncio.sleep(draw.uniform(0.05, 0.8))
                scene.signal(signal.SIGCONT)
                figures.happened["stops"] += 1
            case 4:
                await _flooded(scene, people)
                figures.happened["floods"] += 1
            case _:
                await _disarmed(scene, figures)
        await asyncio.sleep(draw.uniform(0.05, 0.4))


async def _armed(scene: Scene, draw: random.Random) -> None:
    name = draw.choice(list(FAULTS))
    times, seed = draw.choice((1, 2, 5)), draw.randrange(1000)
    await scene.control.arm(
        draw.choice(list(VENDORS)), name, probability=LIKELY, times=times, seed=seed, options=FAULTS[name]
    )


async def _carried(scene: Scene, draw: random.Random) -> None:
    """How badly webhooks are carried from now on."""
    await scene.control.settings(
        draw.choice(list(VENDORS)),
        webhook_drop=draw.choice((0.0, 0.5, 1.0)),
        webhook_duplicate=draw.choice((0.0, 0.5)),
        webhook_reorder=draw.random() < 0.5,
    )


async def _flooded(scene: Scene, people: People) -> None:
    """Many edits at once, and each webhook twice and out of order."""
    for vendor in VENDORS:
        await scene.control.settings(vendor, webhook_drop=0.0, webhook_duplicate=1.0, webhook_reorder=True)
    for _ in range(FLOOD):
        for edit in (people.edit_contact, people.edit_customer):
            with suppress(Refusal):
                await asyncio.to_thread(edit)


async def _disarmed(scene: Scene, figures: Figures) -> None:
    for fault in await scene.control.faults():
        figures.faults[fault["fault"]] += fault["hits"]
    await scene.control.disarm()


async def _peace(scene: Scene, figures: Figures) -> None:
    """Nothing goes wrong any more, and everything that waits is done: without waiting, in this process."""
    await _disarmed(scene, figures)
    for row in await scene.control.webhooks():
        figures.happened["webhooks lost" if row["error"] else "webhooks"] += 1
    for vendor in VENDORS:
        await scene.control.settings(vendor, webhook_url="", latency=0)
    clock = FarClock(scene.control)
    await clock.sleep(3600)
    journals = []
    for _ in range(3):
        async with asyncio.timeout(PATIENCE), app.opened(scene.config, "once", clock=clock) as opened:
            await opened.loop.drain(600.0)
            await _judged_by_its_own_word(Reader(opened), figures, last=len(journals) == 2)
        journals.append({vendor: len(await scene.control.journal(vendor)) for vendor in VENDORS})
    if journals[-1] != journals[-2]:
        figures.wrong.append(f"a pass with nothing new wrote something: {journals}")


async def _judged_by_its_own_word(reader: Reader, figures: Figures, *, last: bool) -> None:
    """Every record stands in one place, the sums are right, and nothing is left to be done."""
    if not last:
        return
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await reader.records(Query(cursor=cursor, limit=MAX_LIMIT))
        rows += page["records"]
        if (cursor := page["next"]) is None:
            break
    figures.happened["records"] = len(rows)
    status = await reader.status()
    for flow in status["syncs"][0]["flows"]:
        counted = Counter(row["status"] for row in rows if row["flow"] == flow["name"])
        said = {name: flow[name] for name in ("synced", "pending", "failed", "excluded")}
        if said != {name: counted[name] for name in said}:
            figures.wrong.append(f"sums of {flow['name']}: {said} of {dict(counted)}")
    figures.wrong += [f"left: {row['flow']} {row['label']} {row['code']}" for row in rows if row["status"] == "pending"]
    figures.happened["told to a person"] = sum(row["status"] == "failed" for row in rows)
    figures.wrong += [
        f"connection {row['name']}: {row['state']}" for row in status["connections"] if row["state"] != "ok"
    ]
    figures.excused = {row["label"] for row in rows if row["flow"] == "invoices" and row["status"] != "synced"}
    failed = [row for row in rows if row["flow"] == "payments" and row["status"] == "failed"]
    figures.unpaid = {row[side]["id"] for row in failed for side in ("left", "right") if row[side]["id"]}


async def _closed(scene: Scene, figures: Figures) -> None:
    """The vendors' own books."""
    figures.excused |= await _paid_by(scene.control, figures.unpaid)
    doubled = await checkers.duplicates(scene.control)
    differing = [
        words
        for words in await checkers.differences(scene.control)
        if words.split()[1].strip(":") not in figures.excused
    ]
    figures.happened["duplicates"], figures.happened["differences"] = len(doubled), len(differing)
    figures.wrong += doubled + differing


async def _paid_by(control: Control, payments: set[str]) -> set[str]:
    """The numbers of the invoices that these payments pay: their balances differ until a person has acted."""
    crm = {row["id"]: row["properties"].get("hs_number") for row in await control.records("hubspot", "invoices")}
    books = {row["Id"]: row.get("DocNumber") for row in await control.records("quickbooks", "Invoice")}
    found = [
        crm.get(invoice)
        for row in await control.records("hubspot", "commerce_payments")
        if row["id"] in payments
        for invoice in row["associations"].get("invoices", ())
    ]
    found += [
        books.get(link["TxnId"])
        for row in await control.records("quickbooks", "Payment")
        if row["Id"] in payments
        for line in row["Line"]
        for link in line.get("LinkedTxn", ())
    ]
    return {number for number in found if number}


@asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="syncd-chaos-")))
        sandbox = await asyncio.create_subprocess_exec(
            PROGRAM, "sandbox", "--port", "0", cwd=folder, stdout=PIPE, stderr=DEVNULL
        )
        stack.push_async_callback(_gone, sandbox)
        assert sandbox.stdout is not None
        found = re.search(r"http://[\d.:]+", (await sandbox.stdout.readline()).decode())
        assert found is not None
        control = await stack.enter_async_context(Control(found[0]))
        scene = Scene(folder, found[0], control)
        await _configured(scene)
        stack.push_async_callback(_no_daemon, scene)
        yield scene


async def _configured(scene: Scene) -> None:
    """A configuration that works at once, polls often and listens."""
    file = scene.folder / "syncd.toml"
    await cli_init.write_for_sandbox("hubspot-quickbooks", scene.url, file, force=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = re.sub(r"(?m)^start = .*$", f"start = {START}", file.read_text())
    text = text.replace('listen = "127.0.0.1:8300"', 'listen = "127.0.0.1:0"')
    text = text.replace("state_properties = true", "state_properties = false")
    text = text.replace("guard = { removals = 20 }", "guard = { changes = 10000 }")  # floods are usual here
    assert "changes = 10000" in text
    text += f'\n[webhooks]\nlisten = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\n'
    credentials = await scene.control.credentials()
    for vendor, connection in VENDORS.items():
        secret = scene.folder / f"{connection}_webhooks"
        secret.write_text(credentials[vendor]["webhook_secret"])
        secret.chmod(0o600)
        bounds = "options = { late_commit = 1.0, search_lag = 0.5 }\n" if connection == "crm" else ""
        head = f"[connections.{connection}]\n"
        text = text.replace(head, f'{head}{bounds}webhook_secret = {{ file = "{secret.name}" }}\n')
        url = f"http://127.0.0.1:{port}/webhooks/{connection}"
        await scene.control.settings(vendor, webhook_url=url, webhook_retry_scale=0.01, latency=LATENCY)
    file.write_text(text)


async def _gone(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _no_daemon(scene: Scene) -> None:
    if scene.daemon is not None:
        await _gone(scene.daemon)
