"""HubSpot as a vendor of the sandbox: joins authentication, limits, routes, faults and the person's hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from syncd.sandbox.base import Journal, Refusal, Request, Response
from syncd.sandbox.hubspot import faults, oauth, routes, seed, view
from syncd.sandbox.hubspot.auth import SEED_REFRESH_TOKEN, STATIC_TOKEN, Tokens
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import PORTAL_ID, ApiError
from syncd.sandbox.hubspot.kinds import KINDS, find
from syncd.sandbox.hubspot.limits import Meter
from syncd.sandbox.hubspot.person import Person
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand
from syncd.sandbox.hubspot.times import milliseconds
from syncd.sandbox.hubspot.webhooks import APP_SECRET, Webhooks
from syncd.sandbox.hubspot.writes import Writes
from syncd.sandbox.webhooks import Announcer


class HubSpot:
    """One portal (id 40000001) with its API, its screen and its control calls."""

    name = "hubspot"

    def __init__(self) -> None:
        self._requests = 0
        self.reset()

    def reset(self) -> None:
        self._portal = Portal()
        self.journal: Journal = self._portal.journal
        self._writes = Writes(self._portal)
        self._person = Person(self._portal, self._writes)
        self._tokens = Tokens()
        self._meter = Meter()
        seed.fill(self._portal, self._person)

    def handle(self, request: Request, now: datetime) -> Response:
        headers: Mapping[str, str] = {}
        try:
            if request.path.startswith("/oauth/"):
                reply = oauth.respond(self._tokens, self._portal.settings, request, now)
            else:
                token = self._tokens.check(request.headers.get("authorization"), now)
                bucket = routes.bucket(request.path)
                rates = partial(self._meter.headers, bucket, self._portal.settings, now, oauth=token.name == "oauth")
                try:
                    self._meter.count(bucket, self._portal.settings, now)
                finally:
                    headers = rates()
                hand = Hand(milliseconds(now), f"api:{token.name}", "INTEGRATION", token.app_id)
                reply = routes.dispatch(self._call(request, hand, token.scopes), self._writes, self._meter)
        except ApiError as error:
            return self._refuse(error, headers)
        return self._respond(reply, headers)

    def _call(self, request: Request, hand: Hand, granted: frozenset[str]) -> Call:
        scopes = granted - set(self._portal.settings.missing_scopes)
        return Call(self._portal, request, hand, scopes, request.args())

    def _refuse(self, error: ApiError, headers: Mapping[str, str]) -> Response:
        reply = Reply(error.status, error.body(self._correlation()), error.headers)
        return self._respond(reply, headers)

    def _respond(self, reply: Reply, headers: Mapping[str, str]) -> Response:
        self._requests += 1
        body = b"" if reply.body is None else json.dumps(reply.body, ensure_ascii=False).encode()
        content = {"Content-Type": "application/json;charset=utf-8"} if body else {}
        own = {"X-HubSpot-Correlation-Id": self._correlation()}
        if reply.body is not None and "correlationId" in reply.body:
            own = {"X-HubSpot-Correlation-Id": str(reply.body["correlationId"])}
        return Response(reply.status, body, {**content, **own, **headers, **reply.headers})

    def _correlation(self) -> str:
        return f"00000000-0000-4000-8000-{self._requests:012x}"

    def fault(self, name: str, options: Mapping[str, Any], request: Request, now: datetime) -> Response | None:
        """The answer under one of HubSpot's own faults, or None when it does not apply to this request.

        Raises:
            KeyError: no such fault.
        """
        pass_on = partial(self.handle, now=now)
        if name == "partial_batch":
            return faults.partial_batch(options, request, pass_on)
        if name == "short_batch":
            return faults.short_batch(options, request, pass_on)
        error = faults.refusal(name, options, now)
        if error is None:
            raise KeyError(f"hubspot knows no fault {name}")
        return self._refuse(error, {})

    def person(self, op: str, kind: str, id: str | None, fields: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        try:
            record = self._person.act(op, find(kind), id, fields, now)
        except ApiError as error:
            raise Refusal(error.message) from error
        return view.truth(self._portal, record)

    def announcer(self) -> Announcer:
        return Webhooks(self._portal)

    def records(self, kind: str) -> list[Mapping[str, Any]]:
        table = self._portal.table(KINDS[kind])
        return [view.truth(self._portal, record) for record in table.after(0)]

    def settings(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._portal.settings.change(changes)

    def credentials(self) -> Mapping[str, str]:
        return {
            "token": STATIC_TOKEN,
            "client_id": oauth.CLIENT_ID,
            "client_secret": oauth.CLIENT_SECRET,
            "refresh_token": SEED_REFRESH_TOKEN,
            "webhook_secret": APP_SECRET,
            "portal_id": str(PORTAL_ID),
        }
