"""The token side: discovery, consent, access tokens of an hour, refresh tokens that rotate once a day, revocation.

Life times: Intuit's OAuth client libraries and its notes on token management (2024, 2025).
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from syncd.sandbox.base import Request, Response, decode_json, encode_json
from syncd.sandbox.quickbooks.errors import bad_token, wrong_realm
from syncd.sandbox.quickbooks.settings import Settings

CLIENT, SECRET, REALM = "sandbox-client", "sandbox-secret", "9130000000000001"
FIRST_REFRESH_TOKEN = "RT1-sandbox-seed"  # noqa: S105 - published, for loopback only

SCOPE = "com.intuit.quickbooks.accounting"

ACCESS_LIFE = timedelta(hours=1)
ROTATION = timedelta(hours=24)  # a refresh token gets a successor when it is older than this
GRACE = timedelta(hours=24)  # and stays valid this much longer
IDLE_LIFE = timedelta(seconds=8726400)  # rolling, renewed by use
HARD_LIFE = timedelta(days=5 * 365)
CODE_LIFE = timedelta(minutes=10)

AUTHORIZE, TOKEN, REVOKE = "/connect/oauth2", "/oauth2/v1/tokens/bearer", "/v2/oauth2/tokens/revoke"
DISCOVERY = ("/.well-known/openid_configuration", "/.well-known/openid_sandbox_configuration")


@dataclass(slots=True)
class RefreshToken:
    """A refresh token. Times are None while it was never used, as the seed's before its first use."""

    value: str
    issued: datetime | None = None
    used: datetime | None = None
    ends: datetime | None = None  # set when a successor was issued


class OAuth:
    """All tokens of the one app at the one company."""

    def __init__(self) -> None:
        self._refresh = [RefreshToken(FIRST_REFRESH_TOKEN)]
        self._access: dict[str, datetime] = {}  # token -> when it ends
        self._codes: dict[str, tuple[datetime, str]] = {}  # code -> when it ends, redirect address
        self._made = 1
        self._connected: datetime | None = None

    def handle(self, request: Request, settings: Settings, now: datetime) -> Response | None:
        """The answer if the request is one for tokens, else None."""
        path = request.path.rstrip("/")
        if path in DISCOVERY and request.method == "GET":
            return _json(200, _discovery(request))
        if path == AUTHORIZE and request.method == "GET":
            return self._authorize(request.args(), settings, now)
        if path == TOKEN and request.method == "POST":
            return self._token(request, now)
        if path == REVOKE and request.method == "POST":
            return self._revoke(request)
        return None

    def caller(self, request: Request, realm: str, now: datetime) -> str:
        """Who calls the API, by its access token.

        Raises:
            GatewayFault: 401/3200 without a living token, 403/3100 for another company.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise bad_token("Missing access token")
        ends = self._access.get(token)
        if ends is None or now >= ends:
            raise bad_token("Token expired: <token>" if ends else "Token revoked: <token>")
        if realm != REALM:
            raise wrong_realm()
        return f"api:{CLIENT}"

    def _authorize(self, args: dict[str, str], settings: Settings, now: datetime) -> Response:
        """The consent page; here everybody consents at once, or refuses if the settings say so."""
        target = args.get("redirect_uri", "")
        if args.get("client_id") != CLIENT or args.get("response_type") != "code" or not urlsplit(target).scheme:
            return _json(400, {"error": "invalid_request"})
        if SCOPE not in args.get("scope", "").split():
            return _json(400, {"error": "invalid_scope"})
        if settings.consent:
            code = f"AB-sandbox-{self._number()}"
            self._codes[code] = (now + CODE_LIFE, target)
            answer = {"code": code, "realmId": settings.consent_realm}
        else:
            answer = {"error": "access_denied"}
        answer |= {"state": args.get("state", "")}
        joint = "&" if urlsplit(target).query else "?"
        return Response(302, b"", {"Location": f"{target}{joint}{urlencode(answer)}"})

    def _token(self, request: Request, now: datetime) -> Response:
        if not _is_client(request):
            return _json(401, {"error": "invalid_client"})
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        match form.get("grant_type"):
            case "refresh_token":
                token = self._living(form.get("refresh_token", ""), now)
            case "authorization_code":
                token = self._exchanged(form, now)
            case _:
                return _json(400, {"error": "unsupported_grant_type"})
        if token is None:
            return invalid_grant()
        return self._grant(token, request, now)

    def _living(self, value: str, now: datetime) -> RefreshToken | None:
        token = next((token for token in self._refresh if token.value == value), None)
        if token is None or (token.ends and now >= token.ends) or (token.used and now >= token.used + IDLE_LIFE):
            return None
        token.issued = token.issued or now
        token.used = now
        latest = self._refresh[-1]
        if token is latest and now >= token.issued + ROTATION:
            latest = self._new_refresh_token(now)
            token.ends = now + GRACE
        return latest

    def _exchanged(self, form: dict[str, str], now: datetime) -> RefreshToken | None:
        ends, target = self._codes.pop(form.get("code", ""), (now, ""))
        if now >= ends or form.get("redirect_uri") != target:
            return None
        self._refresh.clear()
        self._connected = now
        return self._new_refresh_token(now)

    def _new_refresh_token(self, now: datetime) -> RefreshToken:
        token = RefreshToken(f"RT{self._number()}-sandbox", now, now)
        self._refresh.append(token)
        return token

    def _grant(self, token: RefreshToken, request: Request, now: datetime) -> Response:
        access = f"AT-sandbox-{self._number()}"
        self._access[access] = now + ACCESS_LIFE
        self._connected = self._connected or now
        body: dict[str, object] = {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": token.value,
            "x_refresh_token_expires_in": int(IDLE_LIFE.total_seconds()),
        }
        if request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true":
            body["x_refresh_token_hard_expires_in"] = int((self._connected + HARD_LIFE - now).total_seconds())
        return _json(200, body)

    def _revoke(self, request: Request) -> Response:
        if not _is_client(request):
            return _json(401, {"error": "invalid_client"})
        try:
            body = decode_json(request.body)
        except ValueError:
            body = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        value = body.get("token") if isinstance(body, dict) else None
        if value not in self._access and value not in [token.value for token in self._refresh]:
            return _json(400, {"error": "invalid_token"})
        self._refresh.clear()
        self._access.clear()
        return Response(200)

    def _number(self) -> int:
        self._made += 1
        return self._made


def invalid_grant() -> Response:
    """The refresh token or code is worth nothing: somebody has to connect the app again."""
    return _json(400, {"error": "invalid_grant", "error_description": "Token invalid"})


def _is_client(request: Request) -> bool:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        return scheme.lower() == "basic" and b64decode(value, validate=True) == f"{CLIENT}:{SECRET}".encode()
    except (NotBase64, ValueError):
        return False


def _discovery(request: Request) -> dict[str, object]:
    """The document, with the OpenID addresses that clients insist on though nothing answers there."""
    base = f"http://{request.headers.get('host', '127.0.0.1:8400')}/quickbooks"
    return {
        "issuer": f"{base}/op/v1",
        "authorization_endpoint": base + AUTHORIZE,
        "token_endpoint": base + TOKEN,
        "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
        "revocation_endpoint": base + REVOKE,
        "jwks_uri": f"{base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "scopes_supported": [SCOPE],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "claims_supported": ["realmid"],
    }


def _json(status: int, body: object) -> Response:
    return Response(status, encode_json(body), {"Content-Type": "application/json;charset=UTF-8"})
