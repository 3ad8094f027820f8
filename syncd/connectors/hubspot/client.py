"""HubSpot's HTTP: paths of every API generation, sorts of calls, credentials, and answers as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from syncd.connectors.base import Condition, ConnectionTrouble, Quota, Send
from syncd.connectors.http import Caller, HttpReply, HttpRequest, http_date, retry_after
from syncd.connectors.hubspot import wire
from syncd.connectors.hubspot.allowance import Allowance
from syncd.connectors.hubspot.errors import Rejected, is_daily, problem_of, trouble_of
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.tokens import Bearer
from syncd.connectors.onward import Onward
from syncd.connectors.together import together

ACCOUNT = "/account-info/v3/details"


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths of one API generation: `v3` has its own layout, dated ones put the date last."""

    version: str

    def objects(self, object_type: str) -> str:
        return f"/crm/v3/objects/{object_type}" if self._classic else f"/crm/objects/{self.version}/{object_type}"

    def associations(self, source: str, target: str) -> str:
        base = "/crm/v4/associations" if self._classic else f"/crm/associations/{self.version}"
        return f"{base}/{source}/{target}"

    def linked(self, source: str, id: str, target: str) -> str:
        base = "/crm/v4/objects" if self._classic else f"/crm/objects/{self.version}"
        return f"{base}/{source}/{id}/associations/{target}"

    def properties(self, object_type: str) -> str:
        base = "/crm/v3/properties" if self._classic else f"/crm/properties/{self.version}"
        return f"{base}/{object_type}"

    @property
    def _classic(self) -> bool:
        return self.version == "v3"


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a search; `values` for IN, whose text values HubSpot wants in lower case."""

    name: str
    operator: str
    value: str | None = None
    values: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        made: dict[str, Any] = {"propertyName": self.name, "operator": self.operator}
        if self.value is not None:
            made["value"] = self.value
        if self.values:
            made["values"] = list(self.values)
        return made


@dataclass(frozen=True, slots=True)
class Found:
    """A page of search results. `at` is HubSpot's own time of the answer, None when it did not say."""

    records: list[wire.Record]
    total: int
    more: bool
    at: datetime | None


class Client:
    """Calls one portal."""

    def __init__(self, calls: Caller, allowance: Allowance, bearer: Bearer, version: str) -> None:
        self._calls = calls
        self._allowance = allowance
        self._bearer = bearer
        self.paths = Paths(version)
        self.clock = calls.clock

    @property
    def skew(self) -> float | None:
        """By how many seconds HubSpot's clock is ahead of ours, as far as is known."""
        return self._calls.skew

    def quota(self) -> Quota | None:
        """What is left of the day's calls, as the answers' headers said."""
        return self._calls.quota()

    async def scopes(self) -> frozenset[str] | None:
        """What may be done here; None where HubSpot does not tell, as of a fixed token."""
        return await self._bearer.scopes()

    async def portal(self) -> wire.Portal:
        """The account."""
        portal = wire.to(wire.Portal, await self.get(ACCOUNT))
        self._allowance.learn_zone(portal.time_zone)
        return portal

    async def records(
        self,
        object_type: str,
        ids: Iterable[str],
        properties: Sequence[str],
        *,
        archived: bool = False,
        key: str | None = None,
        history: Sequence[str] = (),
    ) -> list[wire.Record]:
        """Records by id, or by the unique property `key`; what is not there is not in the answer."""
        body: dict[str, Any] = {"properties": list(properties), "propertiesWithHistory": list(history)}
        if key:
            body["idProperty"] = key
        path = self.paths.objects(object_type) + "/batch/read" + ("?archived=true" if archived else "")
        size = LIMITS.history_batch if history else LIMITS.batch
        chunks = chunked(list(dict.fromkeys(ids)), size)
        pages = await together(*(self._batch(path, body, chunk) for chunk in chunks))
        return [record for page in pages for record in page]

    async def links(self, source: str, target: str, ids: Iterable[str]) -> dict[str, list[str]]:
        """The ids at the other end of each record's associations, in ascending order; every asked id is present."""
        asked = list(dict.fromkeys(ids))
        made: dict[str, list[str]] = {id: [] for id in asked}
        path = self.paths.associations(source, target) + "/batch/read"
        for chunk in chunked(asked, LIMITS.association_reads):
            page = await self._links_page(path, chunk)
            results = page.results
            # Whoever has none is named as such; an answer that merely leaves somebody out is no proof of it.
            told = {str(links.from_.id) for links in results} | page.without
            if silent := [id for id in chunk if id not in told]:
                results = [*results, *(await self._links_page(path, silent)).results]
            for links in results:
                id = str(links.from_.id)
                ends = [str(link.to_object_id) for link in links.to]
                if links.paging and links.paging.next:
                    ends += await self._further_links(source, id, target, str(links.paging.next.after))
                made[id] = sorted(dict.fromkeys(ends), key=by_number)
        return made

    async def _links_page(self, path: str, ids: Sequence[str]) -> wire.LinksPage:
        return wire.to(wire.LinksPage, await self.post(path, {"inputs": [{"id": id} for id in ids]}))

    async def search(
        self, object_type: str, filters: Sequence[Filter], properties: Sequence[str], sort: str, limit: int
    ) -> Found:
        """The first page of a search, ascending by `sort`. Further pages are other searches: offsets shift while
        records change, and end at 10,000."""
        body = {
            "filterGroups": [{"filters": [one.plain() for one in filters]}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": list(properties),
            "limit": limit,
        }
        path = self.paths.objects(object_type) + "/search"
        reply, decoded = await self._ask("POST", path, body)
        page = wire.to(wire.Records, decoded)
        if page.after is not None and not page.results:
            raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "a page without records that is not the last")
        total = len(page.results) if page.total is None else page.total
        return Found(page.results, total, page.after is not None, http_date(reply.headers.get("date", "")))

    async def listed(
        self,
        object_type: str,
        *,
        archived: bool,
        limit: int,
        after: str | None = None,
        properties: Sequence[str] = (),
    ) -> wire.Records:
        """A page of the plain list; of the recycle bin with `archived`."""
        query = {"limit": str(limit), "archived": "true" if archived else "false"}
        query |= {"properties": ",".join(properties)} if properties else {}
        query |= {"after": after} if after else {}
        return wire.to(wire.Records, await self.get(f"{self.paths.objects(object_type)}?{urlencode(query)}"))

    async def get(self, path: str, route: str | None = None) -> Any:
        """Read a path; `route` is the path without ids.

        Raises:
            ConnectionTrouble: as in the contract; `Rejected` when only this question was refused.
        """
        return (await self._ask("GET", path, None, route))[1]

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """A POST that is safe to repeat."""
        return (await self._ask("POST", path, body))[1]

    async def write(self, send: Send) -> HttpReply:
        """Send the bytes once. Only a token that was over its time makes it leave again: then nothing was done.

        Raises:
            NotSent, AnswerLost: nothing left, or no answer came.
            ConnectionTrouble: nothing was done, and nothing can be for now.
        """
        for attempt in range(2):
            bearer = await self._bearer.now()
            reply = await self._calls.once(self._request(send.method, send.path, send.body, bearer))
            if reply.status == 401 and attempt == 0 and await self._bearer.renewed(bearer, reply):
                continue
            break
        if trouble := trouble_of(reply, self._asked(reply)):
            raise trouble
        return reply

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, route: str | None = None
    ) -> tuple[HttpReply, Any]:
        encoded = None if body is None else msgspec.json.encode(body)
        for attempt in range(2):
            bearer = await self._bearer.now()
            make = partial(self._request, method, path, encoded, bearer, route)
            reply, decoded = await self._calls.read_json(make)
            if reply.status == 401 and attempt == 0 and await self._bearer.renewed(bearer, reply):
                continue
            break
        if trouble := trouble_of(reply, self._asked(reply)):
            raise trouble
        if reply.status >= 400:
            raise Rejected(reply.status, problem_of(reply))
        return reply, decoded

    def _request(
        self, method: str, path: str, body: bytes | None, bearer: str, route: str | None = None
    ) -> HttpRequest:
        headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return HttpRequest(
            method=method,
            url=self._calls.base_url + path,
            route=route or path.partition("?")[0],
            headers=headers,
            body=body,
            timeout=LIMITS.request_seconds,
            sort=sort_of(path.partition("?")[0]),
        )

    def _asked(self, reply: HttpReply) -> float | None:
        """The seconds HubSpot asks to wait; those until the day's end where it does not say."""
        asked = retry_after(reply, self.clock)
        return self._allowance.daily_wait() if asked is None and is_daily(reply) else asked

    async def _batch(self, path: str, body: Mapping[str, Any], ids: Sequence[str]) -> list[wire.Record]:
        try:
            page = wire.to(wire.Records, await self.post(path, {**body, "inputs": [{"id": id} for id in ids]}))
        except Rejected as refusal:
            if refusal.status == 404:  # none of them is there
                return []
            raise
        return page.results

    async def _further_links(self, source: str, id: str, target: str, after: str) -> list[str]:
        ends, onward = list[str](), Onward()
        path, route = self.paths.linked(source, id, target), self.paths.linked(source, "{id}", target)
        while True:
            onward.to(after)
            page = wire.to(wire.LinkedPage, await self.get(f"{path}?{urlencode({'after': after})}", route))
            ends += [str(link.to_object_id) for link in page.results]
            if not page.paging or not page.paging.next:
                return ends
            after = str(page.paging.next.after)


def sort_of(path: str) -> str:
    """Which of HubSpot's limits counts a call."""
    if path.endswith("/search"):
        return "searches"
    return "associations" if "/associations/" in path else "requests"


def chunked(items: Sequence[str], size: int) -> list[Sequence[str]]:
    """The items in lists of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def by_number(id: str) -> tuple[int, str]:
    """Sorts ids as they were given out."""
    return (len(id), id) if id.isdigit() else (-1, id)
