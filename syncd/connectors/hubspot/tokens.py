"""The bearer: a fixed token, or an OAuth pair that is renewed before it expires.

HubSpot does not rotate refresh tokens and asks to renew by `expires_in`, not by a 401 (OAuth guide). Still the answer's
refresh token is kept if it is another one. The pair is on disk before it is used.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode

import msgspec

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import Caller, HttpReply, HttpRequest
from syncd.connectors.hubspot import wire
from syncd.connectors.hubspot.errors import problem_of, words_of
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.settings import ConnectionSettings, TokenKeeper

PATH = "/oauth/v3/token"
EARLY = timedelta(seconds=60)  # renewed this long before it expires: a call may take a while to arrive
NEVER = "1970-01-01"  # the expiry that HubSpot prints for a token that is no token


class Pair(msgspec.Struct, frozen=True):
    """What is kept, as one JSON text: an access token without its expiry is of no use."""

    access: str
    expires: datetime
    refresh: str


class Tokens:
    """The credentials of one connection."""

    def __init__(self, settings: ConnectionSettings, caller: Caller, keeper: TokenKeeper) -> None:
        self._settings = settings
        self._caller = caller
        self._keeper = keeper
        self._name = f"{settings.name}.oauth"
        self._pair: Pair | None = None
        self._one_at_a_time = asyncio.Lock()

    async def bearer(self) -> str:
        """A token that is valid now.

        Raises:
            ConnectionTrouble: there is none, or it could not be renewed.
        """
        if self._settings.token:
            return self._settings.token
        async with self._one_at_a_time:
            self._pair = self._pair or await self._kept()
            if self._pair is None or self._pair.expires - EARLY <= self._caller.clock.now():
                self._pair = await self._renewed(self._pair)
            return self._pair.access

    async def expired(self, bearer: str, reply: HttpReply) -> bool:
        """Whether a 401 only says that this token is over its time, so that asking again with a new one makes sense."""
        problem = problem_of(reply)
        over = problem.category == "EXPIRED_AUTHENTICATION" and NEVER not in str(problem.context)
        if self._settings.token or not over:
            return False
        async with self._one_at_a_time:
            if self._pair is not None and self._pair.access == bearer:
                self._pair = msgspec.structs.replace(self._pair, expires=self._caller.clock.now())
        return True

    async def _kept(self) -> Pair | None:
        text = await self._keeper.get(self._name)
        return msgspec.json.decode(text, type=Pair) if text else None

    async def _renewed(self, pair: Pair | None) -> Pair:
        # The configured token is a second try: someone who authorised anew writes it there.
        seeds = dict.fromkeys(seed for seed in (pair and pair.refresh, self._settings.refresh_token) if seed)
        words = "no token and no refresh token is configured"
        for seed in seeds:
            reply = await self._caller.repeat(partial(self._request, seed))
            if reply.status == 200:
                token = wire.to(wire.Token, reply.json())
                expires = self._caller.clock.now() + timedelta(seconds=float(token.expires_in))
                made = Pair(access=token.access_token, expires=expires, refresh=token.refresh_token or seed)
                await self._keeper.put(self._name, msgspec.json.encode(made).decode())
                return made
            words = f"{problem_of(reply).status or reply.status}: {words_of(problem_of(reply))}"
        raise ConnectionTrouble(Condition.AUTHORIZATION_LOST, words)

    def _request(self, seed: str) -> HttpRequest:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._settings.client_id or "",
            "client_secret": self._settings.client_secret or "",
            "refresh_token": seed,
        }
        return HttpRequest(
            method="POST",
            url=self._caller.base_url + PATH,
            route=PATH,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode(form).encode(),
            timeout=LIMITS.request_seconds,
        )
