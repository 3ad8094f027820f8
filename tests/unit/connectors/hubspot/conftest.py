"""A portal of a few lines: it lists what it is given, and says where the real one would have refused."""

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.clock import SystemChance
from syncd.connectors.http import HttpReply, HttpRequest
from syncd.connectors.hubspot import connect
from syncd.connectors.settings import ConnectionSettings

START = datetime(2026, 11, 1, tzinfo=UTC)
MODIFIED = {"contacts": "lastmodifieddate"}


class StillClock:
    """Time that only sleeping moves."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return START

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds):
        self.passed += seconds


class Drawer:
    """Keeps nothing."""

    @asynccontextmanager
    async def alone(self):
        yield

    async def get(self, name):
        return None

    async def put(self, name, value):
        raise AssertionError("nothing is to be kept")


class TinyPortal:
    """Answers searches and batch reads from `rows`: by object, id to properties. `between` runs after each answer."""

    def __init__(self):
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.links: dict[tuple[str, str], dict[str, list[str]]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.between: Callable[[], None] = lambda: None

    async def send(self, request: HttpRequest) -> HttpReply:
        path = request.url.removeprefix("http://tiny")
        body = json.loads(request.body) if request.body else None
        self.asked.append((path, body))
        answer = self._answer(path, body)
        self.between()
        headers = {"content-type": "application/json;charset=utf-8", "date": "Sun, 01 Nov 2026 00:00:00 GMT"}
        return HttpReply(status=200, headers=headers, body=json.dumps(answer).encode())

    async def close(self) -> None:
        pass

    def _answer(self, path, body):
        if path == "/account-info/v3/details":
            return {"portalId": 1, "companyCurrency": "USD", "timeZone": "America/New_York"}
        if "archived=true" in path:
            return {"results": []}
        parts = path.split("/")
        if "/associations/" in path:
            links = self.links.get((parts[4], parts[5]), {})
            asked = [entry["id"] for entry in body["inputs"]]
            found = [
                {"from": {"id": id}, "to": [{"toObjectId": int(end), "associationTypes": []} for end in links[id]]}
                for id in asked
                if id in links
            ]
            without = [{"context": {"fromObjectId": [id]}} for id in asked if id not in links]
            return {"status": "COMPLETE", "results": found, "errors": without}
        rows = self.rows.get(parts[4], {})
        if path.endswith("/batch/read"):
            assert len(body["inputs"]) <= 100
            return {"results": [record(e["id"], rows[e["id"]]) for e in body["inputs"] if e["id"] in rows]}
        return self._searched(parts[4], rows, body)

    def _searched(self, object_type, rows, body):
        assert body["limit"] <= 200
        assert int(body.get("after", 0)) + body["limit"] <= 10_000
        (group,) = body["filterGroups"]
        found = [id for id, row in rows.items() if all(holds(one, id, row) for one in group["filters"])]
        (sort,) = body["sorts"]
        found.sort(key=lambda id: int(id) if sort["propertyName"] == "hs_object_id" else millis(rows[id]))
        page = found[: body["limit"]]
        paging = {"paging": {"next": {"after": str(len(page))}}} if len(found) > len(page) else {}
        return {"total": len(found), "results": [record(id, rows[id]) for id in page], **paging}


def holds(condition, id, row) -> bool:
    """One filter of a search."""
    here = int(id) if condition["propertyName"] == "hs_object_id" else millis(row)
    value = int(condition["value"])
    return {"GTE": here >= value, "GT": here > value, "EQ": here == value}[condition["operator"]]


def millis(row) -> int:
    """When a row was modified, as searches compare it."""
    text = row.get("hs_lastmodifieddate") or row["lastmodifieddate"]
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def record(id, row):
    """A row as HubSpot prints it."""
    return {"id": id, "properties": row, "createdAt": "2026-01-01T00:00:00Z", "archived": False}


@pytest.fixture
def tiny():
    return TinyPortal()


@pytest.fixture
def connector(tiny):
    settings = ConnectionSettings(
        name="crm", vendor="hubspot", url="http://tiny", token="t", options={"burst": 1_000_000, "overlap": 0}
    )
    return connect(settings, tiny, StillClock(), SystemChance(), Drawer())
