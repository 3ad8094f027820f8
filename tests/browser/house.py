"""A real daemon on a sandbox, and a real Chromium before its page: one of each for all tests of the browser."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from syncd import runs
from syncd.errors import SyncdError
from syncd.status.server import SOCKET
from tests.acceptance.world import World, world

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
OURS, THEIRS = "+33 1 11 11 11 11", "+33 2 22 22 22 22"  # one contact's number, as either side has it
HELD = ("zoe@example.com", "contacts")
PATIENCE = 30_000  # milliseconds for anything to appear


def chromium() -> str:
    """Where Chromium is. Without one the tests are skipped, but for where nobody would notice that.

    A test run in CI that skips its browser says nothing about the page.
    """
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium here: apt-get install chromium")
    if found is None:
        pytest.skip("no Chromium here (Debian: apt-get install chromium): the page was not looked at")
    return found


@dataclass(slots=True)
class House:
    """Attributes: address: of the page. w: the vendors and a person on each side."""

    address: str
    w: World
    browser: Browser

    @asynccontextmanager
    async def page(self, path: str = "/", **options: Any) -> AsyncIterator[Page]:
        """A browser of somebody who comes for the first time; what it complains about fails the test."""
        context = await self.browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE)
        complaints: list[str] = []
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        try:
            await page.goto(self.address + path)
            yield page
        finally:
            await _close(context)
        assert not [said for said in complaints if "404 (Not Found)" not in said], complaints

    async def record(self, word: str, flow: str) -> str:
        """The address of a record's page."""
        return f"/records/{(await self.w.record(word, flow))['id']}"


async def _close(context: BrowserContext) -> None:
    await context.close()


async def shot(page: Page, name: str) -> None:
    """Keep what it looks like, for people."""
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


async def barriers(page: Page, *rules: str) -> list[str]:
    """What keeps somebody out who sees or moves differently, as axe finds it; by its rule and place."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = (await Axe().run(page, options=options)).response["violations"]
    return [f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}" for rule in found]


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """The default data, synced; then a contact that both sides changed, and a daemon that finds it so."""
    path = chromium()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept, held = 'conflict = "crm"\n\n# What is invoiced', 'conflict = "hold"\n\n# What is invoiced'
    listen = ('listen = "127.0.0.1:8300"', f'listen = "127.0.0.1:{port}"')
    async with world(changes=((kept, held), listen)) as w, async_playwright() as playwright:
        w.set("syncs.invoicing", poll='"1h"')  # what is cured is noticed when somebody asks
        until = anyio.Event()
        daemon = asyncio.create_task(runs.run(w.config, until=until))
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            await _settled(w)
            await _conflict(w)
            yield House(f"http://127.0.0.1:{port}", w, browser)
        finally:
            await browser.close()
            until.set()
            await daemon


async def _settled(w: World) -> None:
    """Until the daemon has met everything and nothing is on its way."""
    async with asyncio.timeout(60):
        while True:
            with suppress(SyncdError, OSError):
                flows = (await w.status())["syncs"][0]["flows"]
                if sum(flow["synced"] for flow in flows) > 100 and not any(flow["pending"] for flow in flows):
                    return
            await asyncio.sleep(0.1)


async def _conflict(w: World) -> None:
    """Two people give one contact two numbers, and somebody has it looked at."""
    record = await w.record(*HELD)
    await w.crm("update", "contacts", record["left"]["id"], phone=OURS)
    await w.books("update", "Customer", record["right"]["id"], PrimaryPhone={"FreeFormNumber": THEIRS})
    socket = aiohttp.UnixConnector(str(w.config.state_dir / SOCKET))
    async with (
        aiohttp.ClientSession(connector=socket) as local,
        local.post(f"http://syncd/api/v1/records/{record['id']}/refresh") as answer,
    ):
        assert answer.status == 200, await answer.text()
    async with asyncio.timeout(60):
        while (await w.record(*HELD))["code"] != "conflict_held":
            await asyncio.sleep(0.1)
