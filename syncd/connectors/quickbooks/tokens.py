"""Intuit's token addresses: an access token for an hour, a refresh token that changes about once a day."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlencode, urlsplit

import msgspec

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import Caller, HttpReply, HttpRequest, Malformed
from syncd.connectors.oauth import Grant, GrantRefused
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.settings import ConnectionSettings


class Answer(msgspec.Struct, frozen=True):
    """A token answer; `error` on refusal."""

    access_token: str = ""
    refresh_token: str = ""
    expires_in: float = 3600
    error: str = ""
    error_description: str = ""

    @property
    def words(self) -> str:
        return f"{self.error} {self.error_description}".strip() or "no access token in the answer"


class Issuer:
    """Intuit's side of OAuth, see `connectors.oauth.Issuer`. Token and revocation have hosts of their own."""

    consent = MANIFEST.oauth

    def __init__(self, settings: ConnectionSettings, caller: Caller) -> None:
        self.authorize = _address(settings, self.consent.authorize)
        self._token = _address(settings, MANIFEST.urls.token)
        self._revoke = _address(settings, MANIFEST.urls.revoke)
        self._caller = caller
        self._basic = b64encode(f"{settings.client_id}:{settings.client_secret}".encode()).decode()

    async def exchange(self, code: str, redirect: str, verifier: str) -> Grant:
        return await self._granted({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect})

    async def renew(self, refresh_token: str) -> Grant:
        return await self._granted({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def revoke(self, refresh_token: str) -> None:
        body = msgspec.json.encode({"token": refresh_token})
        reply = await self._sent(self._revoke, "application/json", body)
        if reply.status not in (200, 400):  # 400: that token is worth nothing already
            raise _unreadable(reply)

    async def _granted(self, form: dict[str, str]) -> Grant:
        reply = await self._sent(self._token, "application/x-www-form-urlencoded", urlencode(form).encode())
        try:
            answer = msgspec.convert(reply.json(), Answer)
        except (Malformed, msgspec.ValidationError) as error:
            raise _unreadable(reply) from error
        if answer.error == "invalid_grant":
            raise GrantRefused(answer.words)
        if reply.status != 200 and not answer.error:
            raise _unreadable(reply)
        if answer.error or not answer.access_token:
            raise ConnectionTrouble(Condition.AUTHORIZATION_LOST, answer.words)
        return Grant(access_token=answer.access_token, seconds=answer.expires_in, refresh_token=answer.refresh_token)

    async def _sent(self, url: str, content_type: str, body: bytes) -> HttpReply:
        headers = {"Authorization": f"Basic {self._basic}", "Accept": "application/json", "Content-Type": content_type}
        request = HttpRequest(method="POST", url=url, route=urlsplit(url).path, headers=headers, body=body)
        return await self._caller.repeat(lambda: request)


def _address(settings: ConnectionSettings, live: str) -> str:
    """One of Intuit's addresses as this connection reaches it: a stand-in has all of them on one host."""
    return settings.url + urlsplit(live).path if settings.url else live


def _unreadable(reply: HttpReply) -> ConnectionTrouble:
    if reply.status in (400, 401, 403):
        return ConnectionTrouble(Condition.AUTHORIZATION_LOST, f"HTTP {reply.status} from the token address")
    return ConnectionTrouble(Condition.MALFORMED_ANSWER, f"HTTP {reply.status} from the token address")
