"""What the overview says about the daemon itself, and about what is under way, in a real Chromium."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from syncd.disk import Room
from syncd.situation import Situation
from syncd.status import reader
from syncd.status.server import serving
from syncd.store.store import Store
from tests.browser.house import DESK, PHONE, barriers, chromium, shot
from tests.status_state import NOW, Owner, configuration, filled, source


class TickingClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("status never waits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy(Owner):
    """A daemon in every trouble there is, with a backfill and a plan under way; `told` is what a test changes."""

    told: dict[str, Any] = field(default_factory=dict)

    def condition(self) -> dict[str, Any]:
        return self.told["situation"].plain() | {"database": "waiting"}

    async def backfills(self) -> dict[str, object]:
        done = self.told["brought"]
        return {
            "backfills": [
                {
                    "sync": "invoicing",
                    "flow": "invoices",
                    "phase": "done" if done == 5000 else "deciding",
                    "looked": 9000,
                    "let_in": 5000,
                    "waiting": 5000 - done,
                    "per_minute": 240,
                    "seconds_left": None if done == 5000 else (5000 - done) // 4,
                    "ended_at": self.clock.now().isoformat() if done == 5000 else None,
                }
            ]
        }

    async def outcome(self) -> dict[str, int]:
        return {"done": self.told["brought"] // 100, "failed": 2, "waiting": 50 - self.told["brought"] // 100}


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await filled(tmp_path)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def _opened(browser: Browser, address: str, locale: str) -> Page:
    context = await browser.new_context(viewport=DESK, locale=locale)
    page = await context.new_page()
    await page.goto(address)
    return page


async def test_trouble_and_progress_are_seen_at_a_glance(tmp_path, store, browser, monkeypatch):
    """Each condition of the daemon with its cure; progress that moves in its place and ends there."""
    clock = TickingClock()
    situation = Situation(restart=["daemon.listen"], restored=NOW, ahead={"books": 300.0, "crm": 1.0})
    told = {"situation": situation, "brought": 1200}
    base = source(configuration(tmp_path), store)
    names = ("store", "config", "version", "syncs", "labels")
    busy = Busy(**{name: getattr(base, name) for name in names}, clock=clock, told=told)
    monkeypatch.setattr(reader.disk, "room", lambda config: Room(free=1, needed=200_000_000))
    async with serving(busy, tmp_path / "syncd.sock") as address:
        page = await _opened(browser, address, "en-GB")
        banners = page.locator(".banner")
        await expect(banners).to_have_count(6)  # of the daemon, and the connection's own
        for words in ("nearly full", "Waiting for the database", "restored from a copy", "daemon.listen", "5 minutes"):
            await expect(banners.filter(has_text=words)).to_have_count(1)
        bars = page.get_by_role("progressbar")
        await expect(bars).to_have_count(2)
        await expect(page.locator("#progress")).to_contain_text("1,200 of 5,000")
        await expect(page.locator("#progress")).to_contain_text("240 a minute")
        await shot(page, "light-daemon")
        assert await barriers(page) == []
        place = await page.locator("table.counts").bounding_box()
        clock.seconds, told["brought"] = 60.0, 3000
        await expect(page.locator("#progress")).to_contain_text("3,000 of 5,000")
        await expect(page.locator("#progress")).to_contain_text("18 a minute")  # the plan's, from two looks
        clock.seconds, told["brought"] = 120.0, 5000
        await expect(page.locator("#progress")).to_contain_text("done")
        assert await page.locator("table.counts").bounding_box() == place
        told["brought"], clock.seconds = 3000, 180.0
        french = await _opened(browser, address, "fr-FR")
        await expect(french.locator("#progress")).to_contain_text("Reprise de l’historique")
        await french.emulate_media(color_scheme="dark")
        await french.set_viewport_size(PHONE)
        await shot(french, "phone-daemon-french")
        assert await barriers(french, "color-contrast", "target-size") == []
        assert await french.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
