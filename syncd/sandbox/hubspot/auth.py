"""Bearer tokens: one static token, and OAuth access tokens that live 1800 seconds on the vendor's clock."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncd.sandbox.hubspot.errors import PORTAL_ID, ApiError
from syncd.sandbox.hubspot.kinds import KINDS
from syncd.sandbox.hubspot.times import iso

STATIC_TOKEN = "pat-na1-sandbox-0000-0000"  # noqa: S105  # fixed on purpose: it opens a server on loopback only
SEED_REFRESH_TOKEN = "na1-sandbox-refresh-0000"  # noqa: S105
LIFETIME = timedelta(seconds=1800)
CODE_LIFETIME = timedelta(seconds=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SCOPES = frozenset(
    {
        f"crm.{level}.{kind.scope}.{access}"
        for kind in KINDS.values()
        for level in ("objects", "schemas")
        for access in ("read", "write")
    }
    | {"oauth", "crm.objects.owners.read", "tax_rates.read", "settings.currencies.read"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `name` is what the journal calls its user, `app_id` what property history shows."""

    name: str
    app_id: str
    expires_at: datetime | None = None
    scopes: frozenset[str] = SCOPES


STATIC = Token("static", "1160001")
APP_ID = "1160452"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person agreed to: for which portal, and what may be done there."""

    hub_id: int = PORTAL_ID
    scopes: frozenset[str] = SCOPES


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, good for one exchange."""

    redirect_uri: str
    expires_at: datetime
    challenge: str | None
    grant: Grant


class Tokens:
    """Every credential of the portal."""

    def __init__(self) -> None:
        self.access: dict[str, Token] = {STATIC_TOKEN: STATIC}
        self.refresh: dict[str, Grant] = {SEED_REFRESH_TOKEN: Grant()}
        self.codes: dict[str, Code] = {}
        self._made = 0

    def check(self, authorization: str | None, now: datetime) -> Token:
        """The token of a request's Authorization header.

        Raises:
            ApiError: 401; for text that was never a token with the epoch as its expiry, as observed.
        """
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text or (text.startswith("pat-") and text not in self.access):
            raise missing()
        token = self.access.get(text)
        if token is None:
            raise expired(_EPOCH, now)
        if token.expires_at is not None and token.expires_at <= now:
            raise expired(token.expires_at, now)
        return token

    def new_access(self, grant: Grant, now: datetime) -> str:
        text = "CK" + self._secret("access")
        self.access[text] = Token("oauth", APP_ID, now + LIFETIME, grant.scopes)
        return text

    def new_refresh(self, grant: Grant) -> str:
        text = "na1-" + self._secret("refresh")
        self.refresh[text] = grant
        return text

    def new_code(self, redirect_uri: str, challenge: str | None, grant: Grant, now: datetime) -> str:
        text = "na1-" + self._secret("code")[:32]
        self.codes[text] = Code(redirect_uri, now + CODE_LIFETIME, challenge, grant)
        return text

    def _secret(self, use: str) -> str:
        # Random would not be repeatable, and nobody is kept out of a sandbox.
        self._made += 1
        return hashlib.sha256(f"{use} {self._made}".encode()).hexdigest()


def missing() -> ApiError:
    return ApiError(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def expired(at: datetime, now: datetime) -> ApiError:
    seconds = int((now - at).total_seconds())
    return ApiError(
        401,
        f"The OAuth token used to make this call expired {seconds} second(s) ago.",
        "EXPIRED_AUTHENTICATION",
        context={"expire time": [iso(at)]},
    )
