"""The page: plain HTML that works without script, and follows what happens with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import anyio
from aiohttp import web
from markupsafe import Markup

from syncd.core import catalogue
from syncd.entrance.connection import ANSWER_SECONDS
from syncd.errors import Unconfirmed, UsageError
from syncd.status import alerts, charts, listing, problems
from syncd.status.access import ACCESS, CALLER, SAYS, Refused, form_of
from syncd.status.access import COOKIE as ACCESS_COOKIE
from syncd.status.acting import act, sent, wish_of
from syncd.status.frame import STATUSES, TEMPLATES, Frame
from syncd.status.past import Past
from syncd.status.progress import Progress
from syncd.status.query import asked, number, parameters
from syncd.status.reader import DEFAULT_LIMIT, MAX_LIMIT, Query, Reader, UnknownRecord
from syncd.status.record_view import REFERENCES
from syncd.status.shield import SIGN_IN
from syncd.status.source import Owner
from syncd.status.words import words

WEEK = 7 * 24
DRAWN = 4  # hours between two points of a chart that is a thumb wide
MOST_CONFLICTS = 20  # shown in full on one page
HELD = ("held", "not_approved")
AMBIGUOUS = ("customer_ambiguous", "product_ambiguous")
ASSETS = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "vendor/htmx.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Page:
    """What is shown; `routes` says where."""

    def __init__(self, source: Owner) -> None:
        self._source = source
        self._frame = Frame(source)
        self._progress = Progress(source)
        self._past = Past(source.clock, WEEK, DRAWN)

    def routes(self) -> list[web.RouteDef]:
        """Everything the page serves."""
        return [
            web.get("/", self.overview),
            web.get("/progress", self.progress),
            web.get("/records", self.records),
            web.get("/records.csv", self.export),
            web.get("/records/{id}", self.record),
            web.post("/records/{id}/{action}", self.act),
            web.get("/decide", self.decide),
            web.get("/connections", self.connections),
            web.get("/links", self.links),
            web.get("/problems", self.help),
            web.get("/problems/{code}", self.problem_page),
            web.get("/runbooks/{alert}", self.runbook),
            web.get("/sign-in", self.sign_in),
            web.post("/sign-in", self.signed_in),
            web.post("/sign-out", self.sign_out),
            web.post("/preferences", self.preferences),
            web.post("/syncs/{sync}/flows/{flow}/{action}", self.control),
            web.post("/connections/{name}/{action}", self.control_all),
            *(web.get(f"/{name}", self._asset(name, kind)) for name, kind in ASSETS.items()),
        ]

    def problem(self, request: web.Request, status: HTTPStatus, code: str, detail: str) -> web.Response:
        """What is wrong with a request, for a browser."""
        if status is HTTPStatus.UNAUTHORIZED:
            return self._frame.html(request, "sign_in.html", status, detail="")
        texts = problems.texts_of(code, self._language(request), "", "")
        return self._frame.html(request, "problem.html", status, texts=texts, code=code, detail=detail)

    async def problem_page(self, request: web.Request) -> web.Response:
        """What the `type` of a problem leads to; every row of the catalogue has one too."""
        code = request.match_info["code"]
        sync = self._source.syncs[0]
        texts = problems.texts_of(code, self._language(request), self._label(sync.left), self._label(sync.right))
        if texts is None:
            raise UnknownRecord(f"nothing is called {code!r}")
        return self._frame.html(request, "problem.html", texts=texts, code=code, detail="")

    async def help(self, request: web.Request) -> web.Response:
        """All rows of the catalogue, by what they are about."""
        parameters(request)
        groups = {group.value: [row.code for row in catalogue.entries(group)] for group in catalogue.Group}
        return self._frame.html(request, "help.html", groups=groups, alerts=list(alerts.alerts()))

    async def runbook(self, request: web.Request) -> web.Response:
        """Where the `runbook_url` of an alert leads to."""
        name = alerts.named(request.match_info["alert"])
        if name is None:
            raise UnknownRecord(f"no alert is called {request.match_info['alert']!r}")
        return self._frame.html(request, "runbook.html", name=name, parts=alerts.alerts()[name])

    async def overview(self, request: web.Request) -> web.Response:
        """Counts per flow and how they went, what needs a person, and the connections."""
        given = parameters(request, "told")
        reader = self._reader(request)
        status, history, connections = await reader.overview(self._past)
        return self._frame.html(
            request,
            "overview.html",
            status=status,
            details={one["name"]: one for one in connections["connections"]},
            totals=_totals(status),
            ranked=ranked(status, "categories"),
            waited=ranked(status, "waiting"),
            left_out=ranked(status, "reasons"),
            charts=self._charts(request, history),
            tasks=await self._progress.tasks(),
            told=given.get("told"),
        )

    async def progress(self, request: web.Request) -> web.Response:
        """What is under way, as the overview shows it: what an open page brings up to date in its place."""
        parameters(request)
        return self._frame.html(request, "under_way.html", tasks=await self._progress.tasks())

    async def records(self, request: web.Request) -> web.Response:
        """The records that the filters leave, a page at a time."""
        query = asked(request, "columns")
        reader = self._reader(request)
        status, page = await reader.listed(query)
        columns = listing.chosen(request.query.get("columns") or request.cookies.get(listing.COOKIE))
        return self._frame.html(
            request,
            "records.html",
            status=status,
            flows=_flows(status),
            codes=_codes(status, query),
            matching=None if query.q else _matching(status, query),
            records=page["records"],
            query=query,
            columns=columns,
            headings=listing.headings(words(self._language(request)), self._ends(query)),
            next_page=_address(query, cursor=page["next"]) if page["next"] else None,
            first_page=_address(query, cursor=None) if query.cursor else None,
            csv=_address(replace(query, cursor=None), "/records.csv"),
        )

    async def export(self, request: web.Request) -> web.StreamResponse:
        """The same as a file, all pages of it, each read when the one before has been taken."""
        query = replace(asked(request), limit=MAX_LIMIT)
        reader, said = self._reader(request), words(self._language(request))
        page = await reader.records(query)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="syncd.csv"',
            }
        )
        await response.prepare(request)
        headings = [said["record"], *(said.get(name, name) for name in listing.COLUMNS)]
        text = "\ufeff" + listing.table(headings, page["records"], head=True)
        while True:
            with anyio.fail_after(ANSWER_SECONDS):
                await response.write(text.encode())
            if page["next"] is None:
                return response
            page = await reader.records(replace(query, cursor=page["next"]))
            text = listing.table(headings, page["records"], head=False)

    async def record(self, request: web.Request) -> web.Response:
        """One record: both sides, what they agreed on last, and its account."""
        return await self._record(request)

    async def act(self, request: web.Request) -> web.Response:
        """What a button of a record asks; what is refused, or has to be confirmed, is shown with the record."""
        given, _ = await sent(request)
        back = str(given.pop("back", f"/records/{request.match_info['id']}"))
        name = request.match_info["action"]
        try:
            await act(self._source, wish_of(name, given, request[CALLER].name, None), request.match_info["id"])
        except Unconfirmed as risk:
            return await self._record(request, refused=str(risk), confirm={"name": name, "given": given})
        except UsageError as error:
            return await self._record(request, refused=str(error))
        return _see(_back(back), told=name)

    async def _record(
        self, request: web.Request, refused: str = "", confirm: Mapping[str, Any] | None = None
    ) -> web.Response:
        given = parameters(request, "before", "told")
        id = request.match_info["id"]
        before = number("before", given["before"]) if "before" in given else None
        reader = self._reader(request)
        explained, account = await reader.shown(id, before)
        return self._frame.html(
            request,
            "record.html",
            HTTPStatus.CONFLICT if refused else HTTPStatus.OK,
            record=explained["record"],
            explained=explained,
            activity=account["activity"],
            older=account["next"],
            others={(one["side"], one["kind"], one["id"]): one for one in explained["record"]["others"]},
            kinds={name: kind.value for name, kind in REFERENCES.items()},
            pairs=_line_pairs(explained["record"]["lines"]),
            offered={one["name"]: one for one in explained["record"]["actions"]},
            refused=refused,
            confirm=confirm,
            told=given.get("told"),
        )

    async def decide(self, request: web.Request) -> web.Response:
        """What stands still until a person says how it goes on."""
        given = parameters(request, "told")
        reader = self._reader(request)
        status = await reader.status()
        page = await reader.records(Query(code="conflict_held", limit=MOST_CONFLICTS))
        conflicts = [await reader.record(row["id"]) for row in page["records"]]
        standing = [
            (sync, flow)
            for sync in status["syncs"]
            for flow in sync["flows"]
            if flow["state"] == "paused" or flow["held"] or any(code in flow["waiting"] for code in HELD)
        ]
        return self._frame.html(
            request,
            "decide.html",
            standing=standing,
            conflicts=conflicts,
            more=page["next"] is not None,
            told=given.get("told"),
        )

    async def connections(self, request: web.Request) -> web.Response:
        """Every connection with all that is known of it."""
        given = parameters(request, "told")
        reader = self._reader(request)
        status = await reader.status()
        used = {
            name: [sync for sync in status["syncs"] if name in (sync["left"], sync["right"])]
            for name in self._source.config.connections
        }
        return self._frame.html(
            request,
            "connections.html",
            connections=(await reader.connections())["connections"],
            used=used,
            told=given.get("told"),
        )

    async def links(self, request: web.Request) -> web.Response:
        """Which record here belongs to which there; first those that wait to be told."""
        query = asked(request)
        reader = self._reader(request)
        status, page = await reader.listed(query)
        open_ones = [
            row
            for code in AMBIGUOUS
            for row in (await reader.records(Query(code=code, limit=MOST_CONFLICTS)))["records"]
        ]
        return self._frame.html(
            request,
            "links.html",
            flows=_flows(status),
            records=page["records"],
            ambiguous=[] if query.cursor or query.q else open_ones,
            query=query,
            ends=self._ends(query),
            next_page=_address(query, "/links", cursor=page["next"]) if page["next"] else None,
            first_page=_address(query, "/links", cursor=None) if query.cursor else None,
        )

    async def sign_in(self, request: web.Request) -> web.Response:
        """Where a browser shows its token."""
        return self._frame.html(request, "sign_in.html", detail="")

    async def signed_in(self, request: web.Request) -> web.Response:
        """The browser keeps the token, where no script can read it, and shows it by itself from now on."""
        token = str((await form_of(request)).get("access_token", "")).strip()
        try:
            await request.app[ACCESS].token(request, SAYS + token)
        except Refused as refused:
            status = problems.PROBLEMS[refused.code].status
            return self._frame.html(request, "sign_in.html", status, detail=str(refused))
        response = _see("/")
        response.set_cookie(ACCESS_COOKIE, token, httponly=True, samesite="Strict", path="/")
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """The browser forgets the token."""
        response = _see(SIGN_IN)
        response.del_cookie(ACCESS_COOKIE, path="/")
        return response

    async def preferences(self, request: web.Request) -> web.Response:
        """Language, appearance or columns, kept in the browser."""
        form = await form_of(request)
        response = _see(_back(str(form.get("back", "/"))))
        for name in ("language", "theme"):
            self._frame.prefer(response, name, str(form.get(name, "")))
        if columns := [str(name) for name in form.getall("column", ()) if name in listing.COLUMNS]:
            response.set_cookie(
                listing.COOKIE, ".".join(columns), max_age=365 * 86_400, samesite="Strict", httponly=True
            )
        return response

    async def control(self, request: web.Request) -> web.Response:
        """Pause, resume or release a flow."""
        form = await form_of(request)
        told = request.match_info
        breaker = str(form["breaker"]) if "breaker" in form else None
        try:
            await self._source.control(told["action"], told["sync"], told["flow"], breaker)
        except UsageError as error:
            raise UnknownRecord(str(error)) from error
        return _see(_back(str(form.get("back", "/"))), told=told["action"])

    async def control_all(self, request: web.Request) -> web.Response:
        """Pause or resume every flow that uses a connection."""
        form = await form_of(request)
        name, action = request.match_info["name"], request.match_info["action"]
        for sync in self._source.syncs:
            for flow in sync.flows if name in (sync.left, sync.right) else ():
                await self._source.control(action, sync.name, flow.name)
        return _see(_back(str(form.get("back", "/"))), told=action)

    def _charts(self, request: web.Request, history: Mapping[str, Any]) -> dict[tuple[str, str, str], Markup]:
        said, formats = words(self._language(request)), self._frame.formats(request)
        first = history["series"][0]["points"]
        times = {point["hour"]: datetime.fromisoformat(point["hour"]).timestamp() for point in first}
        drawn = {}
        for series in history["series"]:
            points = tuple((times[point["hour"]], point["n"]) for point in series["points"])
            if any(n for _, n in points):
                text = said["trend"].format(
                    status=said[series["status"]],
                    first=formats.number(points[0][1]),
                    last=formats.number(points[-1][1]),
                )
                if line := charts.line(points, text):
                    drawn[series["sync"], series["flow"], series["status"]] = line
        return drawn

    def _ends(self, query: Query) -> dict[str, str]:
        """What the two sides are called in a list: by name where they are the same in all of it."""
        syncs = [sync for sync in self._source.syncs if query.sync in (None, sync.name)]
        return {side: self._label(getattr(syncs[0], side)) for side in ("left", "right")}

    def _asset(self, name: str, kind: str) -> Any:
        content = (TEMPLATES / name).read_bytes()

        async def serve(request: web.Request) -> web.Response:
            return web.Response(body=content, content_type=kind, charset="utf-8")

        return serve

    def _reader(self, request: web.Request) -> Reader:
        return Reader(self._source, self._language(request))

    def _language(self, request: web.Request) -> str:
        return self._frame.visitor(request).language

    def _label(self, connection: str) -> str:
        return self._source.labels.get(connection, connection)


def ranked(status: Mapping[str, Any], group: str) -> list[dict[str, Any]]:
    """The codes of a group over all flows, those of the most records first, each with its share of the largest."""
    counts: Counter[str] = Counter()
    for sync in status["syncs"]:
        for flow in sync["flows"]:
            counts.update(flow[group])
    most = max(counts.values(), default=1)
    return [{"code": code, "n": n, "share": n / most} for code, n in counts.most_common()]


def _totals(status: Mapping[str, Any]) -> dict[str, int]:
    flows = [flow for sync in status["syncs"] for flow in sync["flows"]]
    return {name: sum(flow[name] for flow in flows) for name in STATUSES}


def _flows(status: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(flow["name"] for sync in status["syncs"] for flow in sync["flows"]))


def _passing(status: Mapping[str, Any], query: Query) -> Iterable[Mapping[str, Any]]:
    for sync in status["syncs"]:
        if query.sync in (None, sync["name"]):
            yield from (flow for flow in sync["flows"] if query.flow in (None, flow["name"]))


def _codes(status: Mapping[str, Any], query: Query) -> dict[str, int]:
    """The categories and reasons there are among what the other filters leave, with how many have them."""
    groups = {"failed": "categories", "pending": "waiting", "excluded": "reasons"}
    counts: Counter[str] = Counter()
    for flow in _passing(status, query):
        for name, group in groups.items():
            if query.status in (None, name):
                counts.update(flow[group])
    return dict(counts.most_common())


def _matching(status: Mapping[str, Any], query: Query) -> int:
    """How many records pass; from the counts that are kept."""
    if query.code is not None:
        return _codes(status, query).get(query.code, 0)
    return sum(flow[name] for flow in _passing(status, query) for name in STATUSES if query.status in (None, name))


def _line_pairs(lines: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Both sides' lines beside each other, by our key where they have one and by their place otherwise."""
    sides = {side: lines[side]["now"] or [] for side in ("left", "right")}
    bases = {side: [_told_apart(line) for line in lines[side]["base"] or []] for side in ("left", "right")}
    pairs = []
    for place in range(max(len(sides["left"]), len(sides["right"]))):
        pair: dict[str, Any] = {}
        for side in ("left", "right"):
            line = sides[side][place] if place < len(sides[side]) else None
            moved = bool(line and lines[side]["base"] is not None and _told_apart(line) not in bases[side])
            pair[side] = {"line": line, "moved": moved}
        pairs.append(pair)
    return pairs


def _told_apart(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("sku", "description", "quantity", "unit_price", "amount"))


def _address(query: Query, path: str = "/records", **changes: str | None) -> str:
    """The list's address for a question, without what is not asked."""
    given = {name: value for name, value in (asdict(query) | changes).items() if value and name != "limit"}
    if query.limit != DEFAULT_LIMIT:
        given["limit"] = str(query.limit)
    return f"{path}?{urlencode(given)}" if given else path


def _back(path: str) -> str:
    """Where a form was; never another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path else "/"


def _see(path: str, **more: str) -> web.Response:
    """Go and look there."""
    if more:
        path = path.partition("?")[0] + "?" + urlencode(more)
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
