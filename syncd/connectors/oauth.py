"""OAuth, the same for every vendor: what is asked of whoever gives out tokens, and the keeper of one connection's pair.

A new refresh token is on disk before the access token that came with it is used: whoever loses it is locked out. The
one before it is kept beside it until its successor has worked, which is what a refresh whose answer was lost lives on
where the vendor lets the old one live for a while (Intuit: a day, intuit/oauth-jsclient README).

Error tree::

    ConnectionTrouble     of the contract: `authorization_lost`, or the token address cannot be reached
    GrantRefused          this token or code is worth nothing; another one may be
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from typing import Literal, Protocol
from urllib.parse import urlencode, urlsplit

import anyio
import msgspec

from syncd.clock import Clock
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.model.references import Kind

LONGEST = 366 * 86400.0  # seconds an access token is believed to last, whatever is said of it
EARLY = timedelta(seconds=120)  # renewed this long before its end: a request may have to wait for its turn


class GrantRefused(Exception):
    """A refresh token or a code is not accepted. The words are the vendor's, without the token."""


class Consent(msgspec.Struct, frozen=True):
    """What a manifest says of the way to a person's consent.

    Attributes:
        authorize: the page where a person agrees. redirect: where it leads back to unless the configuration says so.
        pkce: the vendor checks a code verifier. account: the redirect's parameter with the account's id, if any.
        always, scopes: what is asked for whatever is synced, and besides for reading or writing a kind.
    """

    authorize: str
    redirect: str
    pkce: bool
    always: tuple[str, ...]
    account: str = ""
    scopes: Mapping[Kind, Mapping[Literal["read", "write"], tuple[str, ...]]] = {}

    @property
    def port(self) -> int:
        """Where the answer is waited for unless the redirect address says so itself."""
        port = urlsplit(self.redirect).port
        assert port is not None
        return port

    def asked(self, reads: Iterable[Kind], writes: Iterable[Kind]) -> tuple[str, ...]:
        """The scopes needed to read and write these kinds, each once."""
        read = (scope for kind in reads for scope in self.scopes.get(kind, {}).get("read", ()))
        write = (scope for kind in writes for scope in self.scopes.get(kind, {}).get("write", ()))
        return tuple(dict.fromkeys((*self.always, *read, *write)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token answer. `refresh_token` is empty when the one that was shown goes on; `account` when it is not told."""

    access_token: str
    seconds: float
    refresh_token: str = ""
    account: str = ""


class Issuer(Protocol):
    """The vendor's addresses for tokens, called with the app's keys. All raise `ConnectionTrouble`."""

    consent: Consent
    authorize: str
    """The page where a person agrees, as this connection reaches it."""

    async def exchange(self, code: str, redirect: str, verifier: str) -> Grant:
        """The first tokens for a person's consent. Raises `GrantRefused`."""

    async def renew(self, refresh_token: str) -> Grant:
        """New tokens. Raises `GrantRefused`."""

    async def revoke(self, refresh_token: str) -> None:
        """End a consent. One that has ended already is fine."""


class Pair(msgspec.Struct, frozen=True):
    """What is kept, as one JSON text.

    Attributes:
        seed: a digest of the app and the configured refresh token that were current, not the token.
        refresh_token: empty once the connection was disconnected. previous: the one before, until this one has worked.
        account: the account that was connected; empty for a pair that began with a configured token.
    """

    seed: str
    refresh_token: str
    access_token: str = ""
    expires_at: datetime | None = None
    previous: str = ""
    account: str = ""


class Tokens:
    """Hands out access tokens that work; the only one who renews, keeps and forgets them.

    The pair is kept under `<connection>.oauth`. Many who ask together cause one refresh, in this process and in others
    on the same state.
    """

    def __init__(self, *, settings: ConnectionSettings, issuer: Issuer, keeper: TokenKeeper, clock: Clock) -> None:
        self._connection = settings.name
        self._name = f"{settings.name}.oauth"
        self._configured = settings.refresh_token or ""
        self._account = settings.account or ""
        self._seed = blake2b(f"{settings.client_id}\n{self._configured}".encode(), digest_size=16).hexdigest()
        self._issuer = issuer
        self._keeper = keeper
        self._clock = clock
        self._pair: Pair | None = None
        self._unkept: Pair | None = None
        self._one_at_a_time = anyio.Lock()

    @property
    def account(self) -> str:
        """The account's id: the configured one, else the one that was connected; empty before `access` was called."""
        return self._account or (self._pair.account if self._pair else "")

    @property
    def expires_at(self) -> datetime | None:
        """When the access token in use ends; None before there is one."""
        return self._pair.expires_at if self._pair else None

    async def access(self) -> str:
        """An access token with some minutes left.

        Raises:
            ConnectionTrouble: `authorization_lost`, or the token address cannot be reached.
        """
        if self._pair is None or not self._lasts(self._pair):
            async with self._one_at_a_time:
                if self._pair is None or not self._lasts(self._pair):
                    self._pair = await self._latest(refused="")
        return self._pair.access_token

    async def renew(self, refused: str) -> str:
        """Another access token than the one that was just refused."""
        async with self._one_at_a_time:
            if self._pair is None or self._pair.access_token == refused or not self._lasts(self._pair):
                self._pair = await self._latest(refused)
        return self._pair.access_token

    async def connected(self) -> str:
        """The account these tokens must belong to, as far as is known here; empty when any may be connected."""
        return self._account or (await self._kept()).account

    async def adopt(self, grant: Grant, account: str) -> None:
        """Take what a person has just agreed to in the place of whatever there was. On disk when this returns."""
        async with self._one_at_a_time, self._keeper.alone():
            made = self._made(grant, "", account)
            await self._keep(made)
            self._pair, self._unkept = made, None

    async def withdraw(self) -> None:
        """End the consent at the vendor, then forget the tokens; a configured one is not used again either.

        Raises:
            ConnectionTrouble: the vendor cannot be told; nothing is forgotten.
        """
        async with self._one_at_a_time, self._keeper.alone():
            pair = await self._kept()
            for token in self._worth_trying(pair):
                await self._issuer.revoke(token)
            self._pair = Pair(self._seed, "", account=pair.account)
            await self._keep(self._pair)

    def reread(self) -> None:
        """What is kept may have been replaced by somebody else."""
        self._pair = None

    async def _latest(self, refused: str) -> Pair:
        """The kept pair if it is good, else a renewed one; somebody else may have renewed it meanwhile."""
        async with self._keeper.alone():
            if self._unkept is not None:
                await self._keep(self._unkept)
                self._unkept = None
            pair = await self._kept()
            if not self._lasts(pair) or pair.access_token == refused:
                pair = await self._renewed(pair)
        return pair

    async def _renewed(self, pair: Pair) -> Pair:
        words = f"not connected: run `syncd connect {self._connection}`"
        for token in self._worth_trying(pair):
            try:
                made = self._made(await self._issuer.renew(token), token, pair.account)
            except GrantRefused as refusal:
                words = str(refusal)
                continue
            self._unkept = made  # a disk that is full for a moment must not cost the token: see `_latest`
            await self._keep(made)
            self._unkept = None
            return made
        raise ConnectionTrouble(Condition.AUTHORIZATION_LOST, words)

    def _worth_trying(self, pair: Pair) -> tuple[str, ...]:
        if not pair.refresh_token:
            return ()
        tokens = (pair.refresh_token, pair.previous, self._configured)
        return tuple(dict.fromkeys(token for token in tokens if token))

    def _made(self, grant: Grant, shown: str, account: str) -> Pair:
        refresh_token = grant.refresh_token or shown
        return Pair(
            seed=self._seed,
            refresh_token=refresh_token,
            access_token=grant.access_token,
            expires_at=self._clock.now() + timedelta(seconds=max(0.0, min(LONGEST, grant.seconds))),
            previous="" if shown in (refresh_token, self._configured) else shown,
            account=account,
        )

    async def _kept(self) -> Pair:
        text = await self._keeper.get(self._name)
        try:
            pair = msgspec.json.decode(text or "null", type=Pair | None)
        except msgspec.MsgspecError:
            pair = None  # written by something else: no pair we could use
        if pair is not None and (pair.seed == self._seed or not self._configured):
            return pair
        # Nothing kept, or a person has put another token into the configuration: that one is the latest.
        return Pair(self._seed, self._configured)

    async def _keep(self, pair: Pair) -> None:
        await self._keeper.put(self._name, msgspec.json.encode(pair).decode())

    def _lasts(self, pair: Pair) -> bool:
        return pair.expires_at is not None and self._clock.now() + EARLY < pair.expires_at


def consent_address(
    issuer: Issuer, client_id: str, scopes: Iterable[str], redirect: str, state: str, verifier: str
) -> str:
    """The page a person opens to agree (RFC 6749, section 4.1.1; with PKCE RFC 7636)."""
    query = {
        "client_id": client_id,
        "response_type": "code",
        "scope": " ".join(scopes),
        "redirect_uri": redirect,
        "state": state,
    }
    if issuer.consent.pkce:
        digest = sha256(verifier.encode()).digest()
        query |= {
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
    return f"{issuer.authorize}?{urlencode(query)}"
