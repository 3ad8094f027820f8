"""The OAuth pair of one connection: an access token for an hour, a refresh token that changes about once a day.

A rotated refresh token is written down before the access token that came with it is used: whoever loses it is locked
out. The one before it goes on working for a day (intuit/oauth-jsclient README), which is what a refresh whose answer
was lost lives on.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlencode

import anyio
import msgspec

from syncd.clock import Clock
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import Caller, HttpReply, HttpRequest, Malformed
from syncd.connectors.settings import TokenKeeper

TOKEN_PATH = "/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
EARLY = timedelta(seconds=120)  # renewed this long before it ends: a request may wait for its turn


class Pair(msgspec.Struct, frozen=True):
    """What is kept. `seed` tells which configured refresh token the pair descends from (a digest, not the token)."""

    seed: str
    refresh_token: str
    access_token: str = ""
    expires_at: datetime | None = None


class Answer(msgspec.Struct, frozen=True):
    """A token answer; `error` on refusal."""

    access_token: str = ""
    refresh_token: str = ""
    expires_in: float = 3600
    error: str = ""
    error_description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What the configuration says: the app's keys and the refresh token to begin with."""

    client_id: str
    client_secret: str
    refresh_token: str

    @property
    def seed(self) -> str:
        return blake2b(f"{self.client_id}\n{self.refresh_token}".encode(), digest_size=16).hexdigest()


class Tokens:
    """Hands out access tokens that work.

    Args:
        name: the connection's; its pair is kept under `<name>.oauth`.
        caller: calls the token host.
    """

    def __init__(self, *, name: str, app: App, keeper: TokenKeeper, caller: Caller, clock: Clock) -> None:
        self._name = f"{name}.oauth"
        self._app = app
        self._keeper = keeper
        self._caller = caller
        self._clock = clock
        self._pair: Pair | None = None
        self._renewing = anyio.Lock()

    async def access(self) -> str:
        """An access token with some minutes left.

        Raises:
            ConnectionTrouble: `authorization_lost`, or the token host cannot be reached.
        """
        pair = self._pair
        if pair is None or not self._lasts(pair):
            async with self._renewing:
                pair = self._pair or await self._kept()
                if not self._lasts(pair):
                    pair = await self._renewed(pair)
                self._pair = pair
        return pair.access_token

    async def renew(self, refused: str) -> str:
        """Another access token than the one that was just refused; many who ask together cause one refresh."""
        async with self._renewing:
            pair = self._pair or await self._kept()
            if pair.access_token == refused:
                pair = await self._renewed(pair)
            self._pair = pair
        return pair.access_token

    async def _kept(self) -> Pair:
        text = await self._keeper.get(self._name)
        if text is not None:
            pair = msgspec.json.decode(text, type=Pair)
            if pair.seed == self._app.seed:
                return pair
        # Nothing kept, or a person has connected anew: the configured token is the latest.
        return Pair(self._app.seed, self._app.refresh_token)

    async def _renewed(self, pair: Pair) -> Pair:
        answer = await self._ask(pair.refresh_token)
        if answer.error == "invalid_grant":
            # Somebody else may have renewed it and written it down.
            kept = await self._kept()
            if kept.refresh_token != pair.refresh_token:
                answer = await self._ask(kept.refresh_token)
        if answer.error or not answer.access_token:
            words = f"{answer.error} {answer.error_description}".strip() or "no access token in the answer"
            raise ConnectionTrouble(Condition.AUTHORIZATION_LOST, words)
        made = Pair(
            seed=self._app.seed,
            refresh_token=answer.refresh_token or pair.refresh_token,
            access_token=answer.access_token,
            expires_at=self._clock.now() + timedelta(seconds=answer.expires_in),
        )
        await self._keeper.put(self._name, msgspec.json.encode(made).decode())
        return made

    async def _ask(self, refresh_token: str) -> Answer:
        reply = await self._caller.repeat(lambda: self._request(refresh_token))
        try:
            answer = msgspec.convert(reply.json(), Answer)
        except (Malformed, msgspec.ValidationError) as error:
            raise _unreadable(reply) from error
        if reply.status != 200 and not answer.error:
            raise _unreadable(reply)
        return answer

    def _request(self, refresh_token: str) -> HttpRequest:
        basic = b64encode(f"{self._app.client_id}:{self._app.client_secret}".encode()).decode()
        return HttpRequest(
            method="POST",
            url=self._caller.base_url + TOKEN_PATH,
            route=TOKEN_PATH,
            headers={
                "Authorization": f"Basic {basic}",
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token}).encode(),
        )

    def _lasts(self, pair: Pair) -> bool:
        return pair.expires_at is not None and self._clock.now() + EARLY < pair.expires_at


def _unreadable(reply: HttpReply) -> ConnectionTrouble:
    if reply.status in (400, 401, 403):
        return ConnectionTrouble(Condition.AUTHORIZATION_LOST, f"HTTP {reply.status} from the token address")
    return ConnectionTrouble(Condition.MALFORMED_ANSWER, f"HTTP {reply.status} from the token address")
