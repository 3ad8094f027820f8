"""The page: an overview and a view of one record, as plain HTML that works without script."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from syncd.core import catalogue
from syncd.status import problems
from syncd.status.query import asked, parameters
from syncd.status.reader import DEFAULT_LIMIT, Query, Reader, UnknownRecord
from syncd.status.source import StatusSource
from syncd.status.words import words

TEMPLATES = Path(__file__).parent / "page"
REFRESH_SECONDS = 5
STATUSES = ("synced", "pending", "failed", "excluded")


class Page:
    """Renders what the reader answers; every text a vendor or person wrote is escaped by the templates."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source
        self._reader = Reader(source)
        self._language = source.config.daemon.language
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "w": words(self._language),
            "lang": self._language,
            "label": lambda name: source.labels.get(name, name),
            "condition": self._condition,
            "title_of": self._title,
            "statuses": STATUSES,
        }

    def routes(self) -> list[web.RouteDef]:
        """Everything the page serves."""
        return [
            web.get("/", self.overview),
            web.get("/records/{id}", self.record),
            web.get("/problems/{code}", self.problem_page),
            web.get("/style.css", self.style),
        ]

    def problem(self, request: web.Request, status: HTTPStatus, code: str, detail: str) -> web.Response:
        """What is wrong with a request, for a browser."""
        texts = problems.texts_of(code, self._language, "", "")
        response = self._html("problem.html", texts=texts, code=code, detail=detail, refresh=None)
        response.set_status(status)
        return response

    async def problem_page(self, request: web.Request) -> web.Response:
        """What the `type` of a problem leads to; every row of the catalogue has one too."""
        code = request.match_info["code"]
        texts = problems.texts_of(code, self._language, "", "")
        if texts is None:
            raise UnknownRecord(f"nothing is called {code!r}")
        return self._html("problem.html", texts=texts, code=code, detail="", refresh=None)

    async def overview(self, request: web.Request) -> web.Response:
        """Counts per flow, connections, and the records that a filter leaves."""
        query = asked(request, "live")
        live = request.query.get("live") == "1"
        status, page = await self._reader.status(), await self._reader.records(query)
        return self._html(
            "overview.html",
            status=status,
            flows=dict.fromkeys(flow["name"] for sync in status["syncs"] for flow in sync["flows"]),
            records=page["records"],
            query=query,
            refresh=REFRESH_SECONDS if live else None,
            next_page=_address(query, live, cursor=page["next"]) if page["next"] else None,
            first_page=_address(query, live, cursor=None) if query.cursor else None,
            live_page=_address(query, not live),
            link=lambda **filters: _address(Query(**filters), live),
        )

    async def record(self, request: web.Request) -> web.Response:
        """One record: both sides, what they agreed on last, and its account."""
        parameters(request)
        id = request.match_info["id"]
        explained = await self._reader.explain(id)
        return self._html(
            "record.html",
            record=explained["record"],
            explained=explained,
            activity=(await self._reader.activity(id))["activity"],
            refresh=None,
        )

    async def style(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(TEMPLATES / "style.css")

    def _html(self, template: str, **values: Any) -> web.Response:
        text = self._templates.get_template(template).render(**values, version=self._source.version)
        return web.Response(text=text, content_type="text/html")

    def _title(self, code: str) -> str:
        """A code in words; a code in the address that nobody knows is shown as it is."""
        if code not in catalogue.CATALOGUE:
            return code
        return catalogue.text(code, self._language, left="", right="").title

    def _condition(self, state: str) -> dict[str, str]:
        """A connection's state in words: its title and what to do."""
        known = words(self._language)
        if state in known:
            return {"title": known[state], "remedy": ""}
        texts = catalogue.text(state, self._language, left="", right="")
        return {"title": texts.title, "remedy": texts.remedy}


def _address(query: Query, live: bool, **changes: str | None) -> str:
    """The overview's address for a question, without what is not asked."""
    given = {name: value for name, value in (asdict(query) | changes).items() if value and name != "limit"}
    if query.limit != DEFAULT_LIMIT:
        given["limit"] = str(query.limit)
    if live:
        given["live"] = "1"
    return "/?" + urlencode(given) if given else "/"
