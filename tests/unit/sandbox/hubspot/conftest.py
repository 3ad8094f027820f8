"""A client for the HubSpot sandbox that calls the vendor in process, at a time the test decides."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.sandbox import hubspot
from syncd.sandbox.base import Request, Response, Vendor

TOKEN = "pat-na1-sandbox-0000-0000"


@dataclass
class Client:
    """`now` moves only when a test moves it."""

    vendor: Vendor = field(default_factory=hubspot.create)
    now: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    token: str | None = TOKEN

    def raw(self, method: str, path: str, body: Any = None, *, data: bytes | None = None) -> Response:
        path, _, query = path.partition("?")
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        content = data if data is not None else b"" if body is None else json.dumps(body).encode()
        return self.vendor.handle(Request(method, path, query, headers, content), self.now)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self.raw(method, path, body)
        return response.status, json.loads(response.body) if response.body else None

    def get(self, path: str) -> Any:
        status, body = self("GET", path)
        assert status == 200, body
        return body

    def create(self, kind: str, links: dict[str, int] | None = None, **properties: Any) -> str:
        """The id of a new record; `links` are record ids with the association type to use."""
        types = [
            {"to": {"id": id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]}
            for id, type_id in (links or {}).items()
        ]
        status, body = self("POST", f"/crm/v3/objects/{kind}", {"properties": properties, "associations": types})
        assert status == 201, body
        return str(body["id"])

    def patch(self, kind: str, id: str, **properties: Any) -> tuple[int, Any]:
        return self("PATCH", f"/crm/v3/objects/{kind}/{id}", {"properties": properties})

    def properties(self, kind: str, id: str, *names: str) -> dict[str, str | None]:
        found = self.get(f"/crm/v3/objects/{kind}/{id}?properties={','.join(names)}")["properties"]
        return {name: found[name] for name in names}

    def search(self, kind: str, *filters: dict[str, Any], **more: Any) -> list[str]:
        """Ids found by filters that all have to hold."""
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], "limit": 200, **more}
        status, answer = self("POST", f"/crm/v3/objects/{kind}/search", body)
        assert status == 200, answer
        return [each["id"] for each in answer["results"]]

    def person(self, op: str, kind: str, id: str | None = None, **fields: Any) -> Any:
        return self.vendor.person(op, kind, id, fields, self.now)

    def later(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)

    def journal(self) -> list[tuple[str, str, str]]:
        return [(entry.caller, entry.operation, entry.kind) for entry in self.vendor.journal.entries]


@pytest.fixture
def hub() -> Client:
    """A fresh portal with its seed data."""
    return Client()
