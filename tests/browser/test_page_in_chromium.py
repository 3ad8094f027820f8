"""The page in a real Chromium: what somebody comes for, by mouse, by keyboard, with a reader, on a phone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.house import HELD, OURS, PHONE, THEIRS, House, barriers, house, shot

pytestmark = pytest.mark.asyncio(loop_scope="module")
FAILED = ("haru.tanaka@example.com", "contacts")
PATHS = {
    "overview": "/",
    "records": "/records?status=failed",
    "decide": "/decide",
    "connections": "/connections",
    "links": "/links?flow=contacts&limit=5",
    "help": "/problems",
    "problem": "/problems/customer_missing",
    "nothing": "/records/nope",
    "sign-in": "/sign-in",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here() -> AsyncIterator[House]:
    async with house() as made:
        yield made


@pytest.mark.parametrize("name", [*PATHS, "failed-record", "synced-record", "held-record"])
async def test_nothing_keeps_anybody_out(here: House, name: str) -> None:
    """axe finds no violation on any page, light or dark, wide or narrow; and nothing has to be moved sideways."""
    records = {"failed-record": FAILED, "synced-record": ("INV-1016", "invoices"), "held-record": HELD}
    path = PATHS[name] if name in PATHS else await here.record(*records[name])
    async with here.page(path, color_scheme="light") as page:
        await shot(page, f"light-{name}")
        assert await barriers(page) == []
        await page.emulate_media(color_scheme="dark")
        await shot(page, f"dark-{name}")
        assert await barriers(page, "color-contrast") == []
        await page.set_viewport_size(PHONE)
        await page.emulate_media(color_scheme="light")
        await shot(page, f"phone-{name}")
        assert await barriers(page, "color-contrast", "target-size", "scrollable-region-focusable") == []
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_a_held_conflict_is_decided(here: House) -> None:
    """Both values stand beside each other; the one that is chosen goes over, and the page says so without a reload."""
    async with here.page("/decide") as page:
        duel = page.get_by_role("listitem").filter(has_text="Café Été")
        await expect(duel).to_contain_text(OURS)
        await expect(duel).to_contain_text(THEIRS)
        await duel.get_by_role("link").first.click()
        await page.evaluate("window.same = true")
        await page.get_by_role("button", name="Decide").click()
        dialog = page.get_by_role("dialog")
        await shot(page, "light-asking")
        assert await barriers(page) == []
        await dialog.get_by_role("button", name="Keep QuickBooks (books)").click()
        await expect(page.locator("#state")).to_have_text("Synced")
        assert await page.evaluate("window.same") is True
    assert (await here.w.crm_rows("contacts"))["1026"]["properties"]["phone"] == THEIRS


async def test_a_failed_record_is_found_cured_and_tried_again(here: House) -> None:
    """From the overview to the record, its remedy, the retry; it turns synced before one's eyes."""
    async with here.page() as page:
        await expect(page.get_by_role("heading", level=1)).to_contain_text("need a person")
        count = page.locator('[data-count="invoicing/contacts/failed"]')
        before = int(await count.inner_text())
        async with here.page() as other:  # somebody else who looks on
            await page.get_by_role("link", name="Name already taken").click()
            await page.get_by_role("link", name="Sushi by Katsuyuki").click()
            await expect(page.locator(".remedy")).to_contain_text("rename the other entry in QuickBooks (books)")
            await here.w.crm("update", "contacts", "1025", company="Sushi by Haru")
            await page.evaluate("window.same = true")
            await page.get_by_role("button", name="Try again").click()
            await expect(page.locator("#flash")).to_contain_text("has been asked for")
            await expect(page.locator("#state")).to_have_text("Synced")
            assert await page.evaluate("window.same") is True
            watched = other.locator('[data-count="invoicing/contacts/failed"]')
            await expect(watched).to_have_text(str(before - 1))
            news = other.get_by_role("status").filter(has_text="update")
            await expect(news).to_be_visible()  # the rest of it waits for a word
            await shot(other, "light-news")
            await news.get_by_role("button", name="Show").click()
            await expect(news).to_be_hidden()


async def test_the_language_is_switched(here: House) -> None:
    """By a button; it stays, and so does the look."""
    async with here.page("/records") as page:
        await page.get_by_role("button", name="Français").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Enregistrements")
        await page.get_by_role("button", name="Sombre").click()
        await page.goto(here.address)
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await shot(page, "dark-overview-french")
        assert await barriers(page) == []


async def test_a_browsers_own_language_is_spoken(here: House) -> None:
    """Without being asked."""
    async with here.page("/", locale="fr-FR") as page:
        await expect(page.get_by_role("link", name="Vue d’ensemble")).to_be_visible()


async def test_the_keyboard_is_enough(here: House) -> None:
    """To skip the menu, filter a list, open a record, and open and leave a question."""
    async with here.page("/records") as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.locator("#f-flow")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.type("Fail")
        await expect(page).to_have_url(f"{here.address}/records?flow=&status=failed&code=&q=")
        await expect(page.locator("#f-status")).to_be_focused()
        await expect(page.locator("tbody .pill:not(.failed)")).to_have_count(0)
        await page.locator("tbody th a").first.focus()
        await page.keyboard.press("Enter")
        leave = page.get_by_role("button", name="Leave out …")
        await leave.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(leave).to_be_focused()


async def test_it_works_without_script(here: House) -> None:
    """Filters, pages, questions and actions are links and forms."""
    async with here.page("/records?status=failed&flow=invoices", java_script_enabled=False) as page:
        await page.locator("#f-code").select_option("customer_missing")
        await page.get_by_role("button", name="Show").first.click()
        await page.locator("tbody th a").first.click()
        await page.get_by_role("button", name="Leave out …").click()
        await page.get_by_role("dialog").get_by_role("button", name="Leave out", exact=True).click()
        await expect(page.locator("#flash")).to_contain_text("Leave out")


async def test_nothing_is_loaded_from_elsewhere(here: House) -> None:
    """All that a page asks for comes from the daemon."""
    asked: set[str] = set()
    async with here.page("/sign-in") as page:
        page.on("request", lambda request: asked.add(request.url))
        for path in PATHS.values():
            await page.goto(here.address + path)
    assert asked
    assert all(url.startswith(here.address) for url in asked)
