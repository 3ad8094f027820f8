"""Whatever the page shows or does, a program can do too: every form and list of the page is in `openapi.json`."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from syncd.model.record import Status
from syncd.status.html import Page
from tests.status_state import configuration, filled, record, served, source

RECORDS = [f"/records/{n:032x}" for n in range(1, 7)]
PATHS = ("/", "/records", "/records?status=failed", "/links", "/decide", "/connections", "/progress", *RECORDS)
OF_THE_BROWSER = frozenset({"/preferences", "/sign-in", "/sign-out"})  # what it looks like, and who looks
CARRIED = frozenset({"page_token", "back"})
# A page's path with what the API offers for it. A connection's flows are paused one by one there.
SAME = {
    r"/records/\w+/(?P<action>\w+)": "/api/v1/records/{id}/{action}",
    r"/syncs/[^/]+/flows/[^/]+/(?P<action>\w+)": "/api/v1/syncs/{sync}/flows/{flow}/{action}",
    r"/connections/[^/]+/(?P<action>\w+)": "/api/v1/syncs/{sync}/flows/{flow}/{action}",
}
SHOWN = {
    "/": ("/api/v1/status", "/api/v1/history", "/api/v1/connections", "/api/v1/events"),
    "/progress": ("/api/v1/backfills", "/api/v1/apply"),
    "/records": ("/api/v1/records",),
    "/records.csv": ("/api/v1/records",),
    "/records/{id}": ("/api/v1/records/{id}", "/api/v1/records/{id}/explain", "/api/v1/records/{id}/activity"),
    "/decide": ("/api/v1/status", "/api/v1/records"),
    "/connections": ("/api/v1/connections",),
    "/links": ("/api/v1/records",),
    "/problems": ("/api/v1/catalogue",),
    "/problems/{code}": ("/api/v1/catalogue",),
}
FILES = frozenset({"/style.css", "/page.js", "/vendor/htmx.min.js", "/icon.svg", "/sign-in", "/runbooks/{alert}"})


@dataclass
class Form:
    """A form with the names it sends."""

    method: str
    action: str
    names: set[str] = field(default_factory=set)


class Forms(HTMLParser):
    """All forms and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("method", "get"), given["action"]))
        elif tag in ("input", "select", "button") and "name" in given and self.forms:
            self.forms[-1].names.add(given["name"])
        elif tag == "a":
            self.links.append(given["href"])


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[tuple[dict[str, Any], list[Forms]]]:
    """The description, and every page of a state that has a record for every button."""
    store = await filled(tmp_path)
    held = record(6, Status.FAILED, "conflict_held", left="hs-6", right="qb-6")
    await store.write(lambda tx: tx.save_records([held]))
    async with served(configuration(tmp_path), store) as address, aiohttp.ClientSession(address) as http:
        pages = [Forms(await (await http.get(path)).text()) for path in PATHS]
        yield await (await http.get("/api/v1/openapi.json")).json(), pages
    await store.close()


def _operation(document: dict[str, Any], form: Form) -> tuple[dict[str, Any], str]:
    for pattern, path in SAME.items():
        if found := re.fullmatch(pattern, form.action):
            return document["paths"][path]["post"], found["action"]
    raise AssertionError(f"{form.action} is nothing of the API")


def _known(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """What may be sent along: parameters of the query, and of the body."""
    known = {part["name"] for part in operation["parameters"] if part["in"] == "query"}
    for body in operation.get("requestBody", {}).get("content", {}).values():
        known |= set(document["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]["properties"])
    return known


async def test_every_button_is_an_operation(seen):
    """With its action among those that are described, and nothing sent along that is not."""
    document, pages = seen
    forms = [form for page in pages for form in page.forms if form.method == "post"]
    acting = [form for form in forms if form.action not in OF_THE_BROWSER]
    actions = set()
    for form in acting:
        operation, action = _operation(document, form)
        (choices,) = (part["schema"]["enum"] for part in operation["parameters"] if part["name"] == "action")
        assert action in choices
        assert form.names - CARRIED <= _known(document, operation), form
        actions.add(action)
    assert actions >= {"retry", "refresh", "exclude", "resolve", "force", "unlink", "link", "pause"}


async def test_every_filter_is_a_parameter(seen):
    """Of lists that are asked for by a form or a link."""
    document, pages = seen
    known = {part["name"] for part in document["paths"]["/api/v1/records"]["get"]["parameters"]}
    forms = [form for page in pages for form in page.forms if form.method == "get"]
    assert {form.action for form in forms} == {"/records", "/links"}
    assert {name for form in forms for name in form.names} <= known
    asked = [urlsplit(link) for page in pages for link in page.links if link.startswith(("/records?", "/links?"))]
    assert asked
    assert {name for link in asked for name, _ in parse_qsl(link.query)} <= known


async def test_every_page_is_described(seen, tmp_path):
    """What a page shows is read where the table says; a page that is added has to be added there."""
    document, _ = seen
    (tmp_path / "another").mkdir()
    store = await filled(tmp_path / "another")
    routes = Page(source(configuration(tmp_path), store)).routes()
    await store.close()
    shown = {route.path for route in routes if route.method == "GET"} - FILES
    assert shown == SHOWN.keys()
    assert {path for paths in SHOWN.values() for path in paths} <= document["paths"].keys()
