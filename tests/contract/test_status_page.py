"""The page over real HTTP, as a browser without script and a parser of HTML see it."""

import csv
import io
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.model.record import Activity, Status
from syncd.status.listing import COLUMNS, harmless
from syncd.status.words import words
from syncd.store.store import Store
from tests.status_state import NOW, configuration, filled, record, served

RECORD = f"/records/{1:032x}"
PATHS = ("/", "/records", f"/records/{2:032x}", "/links", "/decide", "/connections")
SCRIPTS = 2  # ours


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A state with a record of each status."""
    store = await filled(tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def address(tmp_path: Path, store: Store) -> AsyncIterator[str]:
    async with served(configuration(tmp_path), store) as address:
        yield address


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def page(http, address: str, expected: int = 200, **more) -> str:
    async with http.get(address, **more) as response:
        assert response.status == expected, await response.text()
        assert response.content_type == "text/html"
        return await response.text()


def token(text: str) -> str:
    """What the forms of a page carry."""
    return re.search(r'name="page_token" value="([^"]+)"', text)[1]


async def test_the_overview_shows_counts_that_lead_to_their_records(http, address):
    """Counts, categories with what to do, connections in trouble."""
    text = await page(http, f"{address}/")

    assert 'href="/records?sync=invoicing&amp;flow=invoices&amp;status=failed"' in text
    assert 'href="/records?status=failed&amp;code=customer_missing"' in text
    assert "1 record needs a person" in text
    assert "QuickBooks (books): Cannot be reached" in text


async def test_the_list_shows_hostile_text_as_text(http, address):
    """What a customer is called is only a name."""
    text = await page(http, f"{address}/records")

    assert "&lt;script&gt;" in text
    assert text.count("<script") == SCRIPTS


async def test_the_list_keeps_its_filters_from_page_to_page(http, address):
    """The link to the next page repeats the question."""
    text = await page(http, f"{address}/records?flow=invoices&limit=1")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', text)
    second = await page(http, address + following.replace("&amp;", "&"))

    assert "flow=invoices" in following
    assert "limit=1" in following
    assert f'href="/records/{2:032x}"' in second
    assert f'href="/records/{1:032x}"' not in second


async def test_columns_are_chosen_and_kept(http, address):
    """In the browser once chosen there, for one address when it names them."""
    text = await page(http, f"{address}/records")
    assert "c-attempts" not in text
    form = {"page_token": token(text), "back": "/records?flow=invoices", "column": ["attempts"]}
    fields = aiohttp.FormData([("page_token", form["page_token"]), ("back", form["back"]), ("column", "attempts")])
    async with http.post(f"{address}/preferences", data=fields) as response:
        assert response.url.path_qs == "/records?flow=invoices"
        text = await response.text()
    assert "c-attempts" in text
    assert "c-remedy" not in text
    assert "c-key" in await page(http, f"{address}/records?columns=key.status")


async def test_a_list_can_be_taken_away(http, address):
    """All pages of it, all columns, and nothing that a spreadsheet would carry out."""
    async with http.get(f"{address}/records.csv?flow=invoices") as response:
        assert response.content_type == "text/csv"
        rows = list(csv.reader(io.StringIO(await response.text(encoding="utf-8-sig"))))
    assert rows[0][0] == "Record"
    assert len(rows[0]) == 1 + len(COLUMNS)
    assert [row[0] for row in rows[1:]] == ["INV-1", '<script>alert("x")</script>', "INV-3", "INV-4"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "|x", "\tx", "\rx"])
def test_a_formula_is_a_text(text):
    """A customer called like a formula stays a customer."""
    assert harmless(text) == f"'{text}"
    assert harmless("INV-1") == "INV-1"


async def test_the_record_page_shows_both_sides_and_the_account(http, address):
    """What both agreed on, what moved since, lines, and who did what."""
    text = await page(http, address + RECORD)

    assert "<strong>Dec 15, 2026</strong>" in text
    assert "Dec 1, 2026" in text
    assert "Rope" in text
    assert "$10.50" in text
    assert "Written" in text
    assert "t-1" in text


async def test_the_page_speaks_french(http, tmp_path, store):
    """The configured language reaches the page's own words, the catalogue's, numbers and days."""
    async with served(configuration(tmp_path, language="fr"), store) as address:
        text = await page(http, f"{address}/records?status=failed")
        both = await page(http, address + RECORD)

    assert '<html lang="fr"' in text
    assert "Que faire" in text
    assert "15 déc. 2026" in both
    assert "10,50\u00a0$US" in both


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("fr", "fr"),
        ("fr-CA,en;q=0.5", "fr"),
        ("de,en;q=0.9,fr;q=0.8", "en"),
        ("en;q=0.1,fr;q=0.9", "fr"),
        ("fr;q=0,en;q=0.1", "en"),
        ("de", "en"),
        ("fr;q=x", "en"),
    ],
)
async def test_a_browsers_language_is_preferred(http, address, header, lang):
    """As it says, of those there are; else the configured one."""
    assert f'<html lang="{lang}"' in await page(http, f"{address}/", headers={"Accept-Language": header})


async def test_a_choice_stays(http, address):
    """Language and appearance are kept in the browser, and beat what it prefers."""
    for choice in ({"language": "fr"}, {"theme": "dark"}):
        form = {"page_token": token(await page(http, f"{address}/")), "back": "/decide", **choice}
        async with http.post(f"{address}/preferences", data=form) as response:
            assert response.url.path == "/decide"
    assert '<html lang="fr" data-theme="dark">' in await page(http, f"{address}/", headers={"Accept-Language": "en"})


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil", "/\n"])
async def test_a_form_never_leads_to_another_site(http, address, back):
    """Whatever it says where it was."""
    form = {"page_token": token(await page(http, f"{address}/")), "back": back, "theme": "dark"}
    async with http.post(f"{address}/preferences", data=form, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/")


async def test_a_form_that_is_not_ours_does_nothing(http, address):
    """Neither without the page's token, nor from another site."""
    text = await page(http, f"{address}/")
    path = f"{address}/syncs/invoicing/flows/invoices/pause"
    for form, headers in (
        ({}, {}),
        ({"page_token": "wrong"}, {}),
        ({"page_token": token(text)}, {"Sec-Fetch-Site": "cross-site"}),
        ({"page_token": token(text)}, {"Origin": "https://evil.example"}),
    ):
        async with http.post(path, data=form, headers=headers) as response:
            assert response.status == 403
    assert "Paused" not in await page(http, f"{address}/decide")


async def test_a_flow_is_paused_and_goes_on(http, address):
    """By the buttons of the page; what stands still is on the page of what is to be decided."""
    form = {"page_token": token(await page(http, f"{address}/connections")), "back": "/decide"}
    async with http.post(f"{address}/syncs/invoicing/flows/invoices/pause", data=form) as response:
        text = await response.text()
    assert "The flow is paused." in text
    assert "/syncs/invoicing/flows/invoices/resume" in text
    async with http.post(f"{address}/syncs/invoicing/flows/invoices/resume", data=form) as response:
        assert "There is nothing to decide." in await response.text()


async def test_an_action_is_asked_with_a_button(http, address):
    """It is written down with who asked, and stands in the record's page until it is carried out."""
    path = f"/records/{2:032x}"
    form = {"page_token": token(await page(http, address + path))}
    async with http.post(f"{address}{path}/retry", data=form) as response:
        assert response.url.path == path
        text = await response.text()
    assert "has been asked for" in text
    assert "someone on this page" in text


async def test_an_action_that_does_not_fit_is_refused_with_the_record(http, address):
    """With the reason, on the record's page."""
    path = f"/records/{1:032x}"
    form = {"page_token": token(await page(http, address + path))}
    async with http.post(f"{address}{path}/include", data=form) as response:
        assert response.status == 409
        assert "That was not possible." in await response.text()


async def test_what_cannot_be_undone_is_asked_again(http, address, store):
    """With what would happen; only then it is written down, with who wanted it."""
    unknown = record(2, Status.FAILED, "unknown_outcome")
    await store.write(lambda tx: tx.save_records([unknown]))
    path = f"{address}/records/{unknown.id}"
    form = {"page_token": token(await page(http, path))}
    async with http.post(f"{path}/retry", data=form) as response:
        assert response.status == 409
        text = await response.text()
    assert "This cannot be undone." in text
    assert "it is there twice" in text
    assert not await store.read(lambda tx: tx.open_actions([unknown.id]))
    assert 'name="confirm" value="true"' in text
    async with http.post(f"{path}/retry", data={**form, "confirm": "true"}) as response:
        assert response.status == 200
    (asked,) = (await store.read(lambda tx: tx.open_actions([unknown.id])))[unknown.id]
    assert (asked.name, asked.by, asked.confirmed) == ("retry", "page", True)


async def test_a_browser_is_told_what_is_wrong_with_a_page(http, address):
    """In its language; a program gets the same as JSON."""
    text = await page(http, f"{address}/records/nope", 404, headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert "Cela n’existe pas" in text
    async with http.get(f"{address}/records/nope") as response:
        assert response.content_type == "application/problem+json"


async def test_somebody_signs_in_where_the_page_is_closed(http, tmp_path, store):
    """With an access token, which the browser keeps from scripts; a wrong one opens nothing."""
    async with served(configuration(tmp_path, open_on_loopback=False), store) as address:
        html = {"Accept": "text/html"}
        assert "Access token" in await page(http, f"{address}/", 401, headers=html)
        async with http.post(f"{address}/sign-in", data={"access_token": "wrong"}) as response:
            assert response.status == 401
        path = str(tmp_path / "syncd.sock")
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as local,
            local.post("http://syncd/api/v1/tokens/office", json={"role": "operator"}) as made,
        ):
            given = await made.json()
            assert made.status == 200, given
            given = given["token"]
        async with http.post(f"{address}/sign-in", data={"access_token": given}) as response:
            assert "1 record needs a person" in await response.text()
            kept = response.history[0].headers["Set-Cookie"]
        assert "HttpOnly" in kept
        assert "SameSite=Strict" in kept
        form = {"page_token": token(await page(http, f"{address}/", headers=html))}
        async with http.post(f"{address}/sign-out", data={}, headers=html) as response:
            assert response.status == 403  # a cookie alone is no word of a person
        async with http.post(f"{address}/sign-out", data=form, headers=html):
            pass
        await page(http, f"{address}/", 401, headers=html)


def test_every_word_is_there_in_both_languages():
    """With the same places to fill in."""
    english, french = words("en"), words("fr")
    assert all(french.values())
    places = re.compile(r"{\w+}")
    for name, text in english.items():
        assert set(places.findall(french[name])) <= set(places.findall(text)), name


class _Tags(HTMLParser):
    """Collects what is markup in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(text=st.text(st.one_of(st.sampled_from("<>&\"'/=` {}%"), st.characters(codec="utf-8")), min_size=1, max_size=30))
async def test_no_text_of_a_vendor_becomes_markup(http, address, store, text):
    """Whatever a customer is called, the page has the same tags and attributes as for a harmless name."""
    tags = []
    for name in ("harmless", text):
        hostile = record(2, Status.FAILED, "customer_missing", label=name, key=name, words=name, left=name)
        note = Activity(record=hostile.id, at=NOW, event="write.refused", by="poll", words=name, request_id=name)

        def save(tx, hostile=hostile, note=note) -> None:
            tx.save_records([hostile])
            tx.add_activity([note])

        await store.write(save)
        tags.append({tag for path in PATHS for tag in _Tags(await page(http, address + path)).found})

    assert tags[0] == tags[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(q=st.text(max_size=20))
async def test_no_search_text_breaks_the_answer(http, address, q):
    """Whatever is searched for is a value: an answer or a refusal, never a fault, and never markup."""
    async with http.get(f"{address}/records", params={"q": q}) as response:
        assert response.status in (200, 400)
        assert (await response.text()).count("<script") <= SCRIPTS
