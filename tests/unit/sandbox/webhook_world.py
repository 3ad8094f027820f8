"""Both vendors in one world that sends webhooks to nobody: tests look at what would go out, at times they choose."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.sandbox.base import Request, encode_json
from syncd.sandbox.control import control
from syncd.sandbox.outgoing import Attempt
from syncd.sandbox.world import create_world

TARGET = "http://127.0.0.1:8500/webhooks/here"


class Ringing:
    """A world of one vendor; `now` moves only by `later`."""

    def __init__(self, vendor: str, **settings: Any) -> None:
        self.vendor = vendor
        self.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
        self.world = create_world([vendor])
        self.settings(webhook_url=TARGET, **settings)

    def control(self, method: str, path: str, body: Any = None, query: str = "") -> Any:
        request = Request(method, "/_sandbox" + path, query, {}, b"" if body is None else encode_json(body))
        response = control(self.world, request, self.now)
        answer = json.loads(response.body)
        assert response.status == 200, answer
        return answer

    def settings(self, **changes: Any) -> Any:
        return self.control("POST", f"/settings/{self.vendor}", changes)["settings"]

    def person(self, op: str, kind: str, id: str | None = None, **fields: Any) -> Any:
        order = {"op": op, "kind": kind, "id": id, "fields": fields}
        return self.control("POST", f"/person/{self.vendor}", order)["record"]

    def call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        return self.raw(method, path, encode_json(body), headers)

    def raw(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        request = Request(method, path, "", headers, body)
        response = self.world.handle(self.vendor, request, self.now).response
        assert response is not None
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def due(self) -> list[Attempt]:
        return self.world.due(self.now)

    def answer(self, attempt: Attempt, status: int = 200, error: str = "") -> None:
        self.world.answered(attempt, status, error, self.now)

    def out(self) -> list[Any]:
        """The bodies due now, each acknowledged."""
        bodies = []
        for attempt in self.due():
            bodies.append(json.loads(attempt.body))
            self.answer(attempt)
        return bodies

    def wait(self) -> float | None:
        """Seconds until something is due."""
        self.world.settle(self.now)
        due = self.world.next_settling()
        return None if due is None else (due - self.now).total_seconds()

    def log(self, **query: Any) -> list[Any]:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return self.control("GET", "/webhooks", query=words)["webhooks"]
