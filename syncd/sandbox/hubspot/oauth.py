"""The OAuth endpoints, first generation (`/oauth/v1/...`) and newer (`/oauth/v3/...`, `/oauth/2026-03/...`)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from syncd.sandbox.base import Request
from syncd.sandbox.hubspot.auth import APP_ID, SCOPES, Code, Grant, Tokens
from syncd.sandbox.hubspot.call import Reply
from syncd.sandbox.hubspot.errors import PORTAL_ID, ApiError, not_found
from syncd.sandbox.hubspot.settings import Settings

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  # fixed on purpose: it opens a server on loopback only
USER_ID = 959199
_EMAIL = "craig@example.com"
_NEWER = ("v3", "2026-03", "2026-09")


def respond(tokens: Tokens, settings: Settings, request: Request, now: datetime) -> Reply:
    """Any request under `/oauth/`.

    Raises:
        ApiError: refused; the token endpoints put their code into `status`.
    """
    match [request.method, *request.path.strip("/").split("/")[1:]]:
        case ["GET", "authorize"]:
            return _authorize(tokens, settings, request.args(), now)
        case ["POST", "v1", "token"]:
            return _token(tokens, {**request.args(), **_form(request)}, now, newer=False)
        case ["POST", version, "token"] if version in _NEWER:
            return _token(tokens, _form(request), now, newer=True)
        case ["GET", "v1", "access-tokens", text]:
            return Reply(200, _described(tokens, text, now))
        case ["GET", "v1", "refresh-tokens", text] if text in tokens.refresh:
            return Reply(200, {"token": text, "token_type": "refresh", "client_id": CLIENT_ID, **_who()})
        case ["DELETE", "v1", "refresh-tokens", text] if text in tokens.refresh:
            del tokens.refresh[text]  # access tokens already issued live on
            return Reply(204)
        case ["POST", version, "token", "introspect"] if version in _NEWER:
            return _introspect(tokens, settings, _client_form(request), now)
        case ["POST", version, "token", "revoke"] if version in _NEWER:
            _revoke(tokens, _client_form(request))
            return Reply(204)  # the status is unconfirmed
    raise not_found()


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def _client_form(request: Request) -> dict[str, str]:
    form = _form(request)
    _check_client(form)
    return form


def _authorize(tokens: Tokens, settings: Settings, args: Mapping[str, str], now: datetime) -> Reply:
    """The consent screen, where the sandbox's person agrees at once, or refuses if the settings say so."""
    redirect, scopes = args.get("redirect_uri", ""), frozenset(args.get("scope", "").split())
    if args.get("client_id") != CLIENT_ID or not redirect:
        raise _refused("BAD_CLIENT_ID", "missing or unknown client id")
    if not scopes or scopes - SCOPES:
        raise _refused("BAD_SCOPE", f"missing or unknown scopes: {' '.join(sorted(scopes - SCOPES))}")
    if settings.consent:
        grant = Grant(settings.consent_portal, scopes)
        query = {"code": tokens.new_code(redirect, args.get("code_challenge"), grant, now)}
    else:
        query = {"error": "access_denied", "error_description": "The user refused"}  # its form is unconfirmed
    query |= {"state": args["state"]} if "state" in args else {}
    return Reply(302, None, {"Location": f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(query)}"})


def _token(tokens: Tokens, form: Mapping[str, str], now: datetime, *, newer: bool) -> Reply:
    _check_client(form)
    grant = form.get("grant_type")
    if grant == "authorization_code":
        refresh = tokens.new_refresh(_checked(tokens.codes.pop(form.get("code", ""), None), form, now))
    elif grant == "refresh_token":
        refresh = form.get("refresh_token", "")
        if refresh not in tokens.refresh:
            raise _refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
    else:
        raise _refused("BAD_GRANT_TYPE", "missing or unknown grant type")
    consent = tokens.refresh[refresh]
    body: dict[str, object] = {
        "token_type": "bearer",
        "refresh_token": refresh,  # never another one on refresh
        "access_token": tokens.new_access(consent, now),
        "expires_in": 1800,
    }
    if newer:
        body |= {"token_use": "access_token", "hub_id": consent.hub_id, "user_id": USER_ID}
        body["scopes"] = sorted(consent.scopes)
    return Reply(200, body)


def _check_client(form: Mapping[str, str]) -> None:
    if form.get("client_id") != CLIENT_ID:
        raise _refused("BAD_CLIENT_ID", "missing or unknown client id")
    if form.get("client_secret") != CLIENT_SECRET:
        raise _refused("BAD_CLIENT_SECRET", "missing or invalid client secret")


def _checked(code: Code | None, form: Mapping[str, str], now: datetime) -> Grant:
    if code is None or code.expires_at <= now:
        raise _refused("BAD_AUTH_CODE", "missing or invalid auth code")
    if form.get("redirect_uri") != code.redirect_uri:
        raise _refused("MISMATCH_REDIRECT_URI_AUTH_CODE", "redirect uri does not match the one the code was made for")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if code.challenge is not None and base64.urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
        raise _refused("BAD_CODE_VERIFIER", "the code verifier does not match")
    return code.grant


def _described(tokens: Tokens, text: str, now: datetime) -> dict[str, object]:
    token = tokens.access.get(text)
    if token is None or token.expires_at is None:
        raise not_found()
    left = max(0, int((token.expires_at - now).total_seconds()))
    return {"token": text, "expires_in": left, "token_type": "access", "app_id": int(APP_ID), **_who()}


def _introspect(tokens: Tokens, settings: Settings, form: Mapping[str, str], now: datetime) -> Reply:
    text = form.get("token", "")
    if text in tokens.refresh:
        return Reply(200, {"active": True, "token_use": "refresh_token", "client_id": CLIENT_ID, **_who()})
    token = tokens.access.get(text)
    if token is None or token.expires_at is None or token.expires_at <= now:
        return Reply(200, {"active": False})
    scopes = sorted(token.scopes - set(settings.missing_scopes))
    return Reply(200, {"active": True, "token_use": "access_token", **_described(tokens, text, now), "scopes": scopes})


def _revoke(tokens: Tokens, form: Mapping[str, str]) -> None:
    text = form.get("token", "")
    tokens.refresh.pop(text, None)
    token = tokens.access.get(text)
    if token is not None and token.expires_at is not None:
        del tokens.access[text]


def _who() -> dict[str, object]:
    return {
        "user": _EMAIL,
        "hub_domain": "craigs-landscaping.example",
        "hub_id": PORTAL_ID,
        "user_id": USER_ID,
        "scopes": sorted(SCOPES),
    }


def _refused(status: str, message: str) -> ApiError:
    return ApiError(400, message, extra={"status": status})
