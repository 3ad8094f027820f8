"""The vendor: one company behind OAuth, its faults, and the controls of the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from syncd.sandbox.base import Journal, Refusal, Request, Response, decode_json, encode_json
from syncd.sandbox.quickbooks.api import answered, json_response, routed
from syncd.sandbox.quickbooks.books import Books, Call, present
from syncd.sandbox.quickbooks.errors import Fault, GatewayFault, wrong_realm
from syncd.sandbox.quickbooks.limits import Limits
from syncd.sandbox.quickbooks.oauth import CLIENT, FIRST_REFRESH_TOKEN, REALM, SECRET, TOKEN, OAuth, invalid_grant
from syncd.sandbox.quickbooks.person import act
from syncd.sandbox.quickbooks.replay import Replay
from syncd.sandbox.quickbooks.schema import KINDS
from syncd.sandbox.quickbooks.seed import seeded
from syncd.sandbox.quickbooks.settings import Settings
from syncd.sandbox.quickbooks.webhooks import VERIFIER, Webhooks
from syncd.sandbox.webhooks import Announcer


class QuickBooks:
    """One QuickBooks Online company; see base.Vendor."""

    name = "quickbooks"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again from the seed data."""
        self.journal = Journal()
        self._books = Books(seeded(), Settings(), self.journal)
        self._oauth, self._limits, self._replay = OAuth(), Limits(), Replay()
        self._tid = 0

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer one request to any of the vendor's hosts."""
        return self._signed(self._answer(request, now, {}), now)

    def fault(self, name: str, options: Mapping[str, Any], request: Request, now: datetime) -> Response | None:
        """The answer under one of this vendor's own faults, None when it does not concern the request.

        `error_code` {code, message?, detail?, http?}: the whole call is refused. `fault_200`: the same with HTTP 200.
        `item_fault` {code, item? or contains?, message?, detail?}: only the batch's item number `item` (from 1) is, or
        those that contain a text. `invalid_grant`: the token endpoint refuses.

        Raises:
            KeyError: there is no such fault, or an option it needs is missing.
        """
        route = routed(request.path)
        if name == "invalid_grant":
            return self._signed(invalid_grant(), now) if request.path == TOKEN else None
        if name not in ("error_code", "fault_200", "item_fault"):
            raise KeyError(f"quickbooks knows no fault {name}")
        http = 200 if name == "fault_200" else options.get("http")
        refusal = Fault(str(options["code"]), options.get("detail"), message=options.get("message"), http=http)
        if route is None or (name == "item_fault" and route.name != "batch"):
            return None
        if name == "item_fault":
            return self._signed(self._answer(request, now, dict.fromkeys(_meant(options, request), refusal)), now)
        return self._signed(json_response(refusal.http, refusal.envelope(now)), now)

    def person(self, op: str, kind: str, id: str | None, fields: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        """What somebody does in the web application; README.md lists the operations and fields."""
        if kind == "Preferences" and op == "update":
            self.settings(fields)
            record = replace(next(iter(self._books.store.every("Preferences"))), updated=now.replace(microsecond=0))
            with self._books.store.atomic():
                self._books.store.put(replace(record, token=record.token + 1))
            return present(self._books, record)
        try:
            return act(self._books, Call(now, "person"), op, kind, id, dict(fields))
        except Fault as fault:
            raise Refusal(f"{fault.code} {fault.message}: {fault.detail}") from fault

    def announcer(self) -> Announcer:
        """What this company's webhooks tell from now on."""
        return Webhooks(self._books)

    def records(self, kind: str) -> list[Mapping[str, Any]]:
        """Every record of a kind; deleted ones keep their fields and carry `status: Deleted`."""
        if kind not in KINDS:
            raise KeyError(kind)
        shown: list[Mapping[str, Any]] = []
        for record in self._books.store.every(kind):
            body = present(self._books, replace(record, deleted=False))
            shown.append({**body, "status": "Deleted"} if record.deleted else body)
        return shown

    def settings(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change settings and return all of them."""
        self._books.settings = self._books.settings.changed(changes)
        return asdict(self._books.settings)

    def credentials(self) -> Mapping[str, str]:
        """What a connection needs."""
        return {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "realm_id": REALM,
            "refresh_token": FIRST_REFRESH_TOKEN,
            "webhook_secret": VERIFIER,
        }

    def _answer(self, request: Request, now: datetime, spoiled: dict[int, Fault]) -> Response:
        connected = self._books.settings.app_connected
        if request.path == TOKEN and not connected:
            return invalid_grant()
        tokens = self._oauth.handle(request, self._books.settings, now)
        if tokens is not None:
            return tokens
        route = routed(request.path)
        if route is None:
            return Response(404, b"<html><body><h1>404 Not Found</h1></body></html>", {"Content-Type": "text/html"})
        try:
            caller = self._oauth.caller(request, route.realm, now)
            if not connected:
                raise wrong_realm()
            self._limits.check(self._books.settings, now, batch=route.name == "batch")
            return answered(self._books, self._replay, route, request, now, caller, spoiled)
        except GatewayFault as refusal:
            return json_response(refusal.status, refusal.envelope(now))
        except Fault as fault:
            return json_response(fault.http, fault.envelope(now))

    def _signed(self, response: Response, now: datetime) -> Response:
        self._tid += 1
        tid = f"1-{int(now.timestamp()):08x}-{self._tid:024x}"
        return replace(response, headers={**response.headers, "intuit_tid": tid})


def _meant(options: Mapping[str, Any], request: Request) -> list[int]:
    """Which items of a batch a fault is about, counted from 1."""
    if (text := options.get("contains")) is None:
        return [int(options.get("item", 1))]
    items = decode_json(request.body)["BatchItemRequest"]
    return [number for number, item in enumerate(items, start=1) if str(text).encode() in encode_json(item)]
