"""HubSpot's token addresses, and the bearer: a fixed token, or an OAuth pair that is renewed before it expires.

HubSpot does not rotate refresh tokens and asks to renew by `expires_in`, not by a 401 (OAuth guide); an answer's
refresh token is kept all the same if it is another one. Refusals have their code in `status`.
"""

from __future__ import annotations

from functools import partial
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import Caller, HttpReply, HttpRequest, Malformed
from syncd.connectors.hubspot import wire
from syncd.connectors.hubspot.errors import problem_of, words_of
from syncd.connectors.hubspot.manifest import LIMITS, MANIFEST
from syncd.connectors.oauth import Grant, GrantRefused, Tokens
from syncd.connectors.settings import ConnectionSettings

TOKEN = "/oauth/v3/token"  # noqa: S105 - an address
REVOKE = TOKEN + "/revoke"
INTROSPECT = TOKEN + "/introspect"
T = TypeVar("T")
NEVER = "1970-01-01"  # the expiry that HubSpot prints for a token that is no token
# What is said of a token or a code that is worth nothing, the last as OAuth has it (RFC 6749, section 5.2).
WORTHLESS = frozenset(
    {"BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", "MISMATCH_REDIRECT_URI_AUTH_CODE", "BAD_CODE_VERIFIER", "invalid_grant"}
)


class Issuer:
    """HubSpot's side of OAuth, see `connectors.oauth.Issuer`. The app's keys travel in the form."""

    consent = MANIFEST.oauth

    def __init__(self, settings: ConnectionSettings, caller: Caller) -> None:
        page = self.consent.authorize
        self.authorize = settings.url + urlsplit(page).path if settings.url else page
        self._caller = caller
        self._app = {"client_id": settings.client_id or "", "client_secret": settings.client_secret or ""}

    async def exchange(self, code: str, redirect: str, verifier: str) -> Grant:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        return await self._granted(form)

    async def renew(self, refresh_token: str) -> Grant:
        return await self._granted({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def revoke(self, refresh_token: str) -> None:
        reply = await self._sent(REVOKE, {"token": refresh_token, "token_type_hint": "refresh_token"})
        # What is said of a token that has ended already is not documented; wrong keys are.
        if reply.status >= 300 and problem_of(reply).status in ("BAD_CLIENT_ID", "BAD_CLIENT_SECRET"):
            raise ConnectionTrouble(Condition.AUTHORIZATION_LOST, _words(reply))

    async def scopes(self, access_token: str) -> frozenset[str]:
        """What a token may do."""
        reply = await self._sent(INTROSPECT, {"token": access_token, "token_type_hint": "access_token"})
        return frozenset(_answer(wire.Introspection, reply).scopes) if reply.status == 200 else frozenset()

    async def _granted(self, form: dict[str, str]) -> Grant:
        reply = await self._sent(TOKEN, form)
        if reply.status != 200:
            raise _refusal(reply)
        token = _answer(wire.Token, reply)
        return Grant(
            access_token=token.access_token,
            seconds=float(token.expires_in),
            refresh_token=token.refresh_token or "",
            account="" if token.hub_id is None else str(token.hub_id),
        )

    async def _sent(self, path: str, form: dict[str, str]) -> HttpReply:
        return await self._caller.repeat(partial(self._request, path, urlencode(self._app | form).encode()))

    def _request(self, path: str, body: bytes) -> HttpRequest:
        return HttpRequest(
            method="POST",
            url=self._caller.base_url + path,
            route=path,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=body,
            timeout=LIMITS.request_seconds,
        )


class Bearer:
    """The credentials of one connection's calls.

    Args:
        fixed: a token that never changes; then there are no others.
    """

    def __init__(self, fixed: str | None, tokens: Tokens, issuer: Issuer) -> None:
        self._fixed = fixed
        self._tokens = tokens
        self._issuer = issuer

    async def now(self) -> str:
        """A token that is valid now.

        Raises:
            ConnectionTrouble: there is none, or it could not be renewed.
        """
        return self._fixed or await self._tokens.access()

    async def scopes(self) -> frozenset[str] | None:
        """What the token may do; of a fixed one nothing tells."""
        return None if self._fixed else await self._issuer.scopes(await self._tokens.access())

    async def renewed(self, bearer: str, reply: HttpReply) -> bool:
        """Whether a 401 only said that this token is over its time, so that asking again makes sense: there is a new
        one then."""
        problem = problem_of(reply)
        if self._fixed or problem.category != "EXPIRED_AUTHENTICATION" or NEVER in str(problem.context):
            return False
        await self._tokens.renew(bearer)
        return True


def _answer(shape: type[T], reply: HttpReply) -> T:
    try:
        return wire.to(shape, reply.json())
    except Malformed as error:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, f"the token address: {error}") from error


def _refusal(reply: HttpReply) -> GrantRefused | ConnectionTrouble:
    """A gateway's answer says nothing of the token: it must not look like a consent that is over."""
    problem = problem_of(reply)
    codes = {code for code in (problem.status, problem.error) if isinstance(code, str)}
    if codes & WORTHLESS:
        return GrantRefused(_words(reply))
    if any(code.startswith("BAD_") for code in codes):  # our keys, or what we ask for
        return ConnectionTrouble(Condition.AUTHORIZATION_LOST, _words(reply))
    return ConnectionTrouble(Condition.MALFORMED_ANSWER, f"HTTP {reply.status} from the token address")


def _words(reply: HttpReply) -> str:
    problem = problem_of(reply)
    return f"{problem.error or problem.status or reply.status}: {words_of(problem)}"
