"""Tokens: static, OAuth of both generations, and the 401 bodies."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from syncd.sandbox.base import Request

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
REDIRECT = "http://127.0.0.1:8301/callback"


def post(hub, path, **form):
    response = hub.vendor.handle(Request("POST", path, "", {}, urlencode(form).encode()), hub.now)
    return response.status, json.loads(response.body) if response.body else None


def refresh(hub, token="na1-sandbox-refresh-0000", version="v3"):
    return post(hub, f"/oauth/{version}/token", grant_type="refresh_token", refresh_token=token, **CLIENT)


def authorize(hub, **more):
    query = urlencode({"client_id": "sandbox-client", "redirect_uri": REDIRECT, "scope": "oauth", "state": "s", **more})
    response = hub.vendor.handle(Request("GET", "/oauth/authorize", query), hub.now)
    assert response.status == 302
    return parse_qs(urlsplit(response.headers["Location"]).query)


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03"])
def test_a_refresh_gives_an_access_token_for_half_an_hour_and_keeps_the_refresh_token(hub, version):
    """Then EXPIRED_AUTHENTICATION with the time of expiry."""
    status, body = refresh(hub, version=version)
    assert (status, body["expires_in"], body["token_type"]) == (200, 1800, "bearer")
    assert body["refresh_token"] == "na1-sandbox-refresh-0000"
    assert ("hub_id" in body) is (version != "v1")
    hub.token = body["access_token"]
    hub.later(1799)
    assert hub("GET", "/crm/v3/objects/contacts/1001")[0] == 200
    hub.later(76)
    status, body = hub("GET", "/crm/v3/objects/contacts/1001")
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body["message"] == "The OAuth token used to make this call expired 75 second(s) ago."
    assert body["context"] == {"expire time": ["2026-11-02T09:30:00.000Z"]}


def test_writes_with_an_oauth_token_are_told_apart_in_journal_and_history(hub):
    """By caller and source id."""
    hub.token = refresh(hub)[1]["access_token"]
    hub.patch("contacts", "1001", city="Aptos")
    assert hub.journal() == [("api:oauth", "update", "contacts")]
    history = hub.get("/crm/v3/objects/contacts/1001?propertiesWithHistory=city")["propertiesWithHistory"]["city"]
    assert history[0]["sourceId"] == "1160452"


def test_an_authorization_code_is_good_once_and_for_a_short_time(hub):
    """With its own redirect address."""
    code = authorize(hub)["code"][0]
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **CLIENT}
    status, body = post(hub, "/oauth/v1/token", **exchange)
    assert status == 200
    assert refresh(hub, body["refresh_token"])[0] == 200
    assert post(hub, "/oauth/v1/token", **exchange)[1]["status"] == "BAD_AUTH_CODE"
    late = authorize(hub)["code"][0]
    hub.later(61)
    assert post(hub, "/oauth/v1/token", **{**exchange, "code": late})[0] == 400
    other = authorize(hub)["code"][0]
    wrong = post(hub, "/oauth/v1/token", **{**exchange, "code": other, "redirect_uri": "http://elsewhere"})
    assert wrong[1]["status"] == "MISMATCH_REDIRECT_URI_AUTH_CODE"


def test_a_code_made_with_a_challenge_needs_its_verifier(hub):
    """PKCE."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")
    for verifier, expected in (("other", 400), ("verifier", 200)):
        code = authorize(hub, code_challenge=challenge)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **CLIENT}
        assert post(hub, "/oauth/v3/token", code_verifier=verifier, **form)[0] == expected


def test_tokens_may_do_what_was_agreed_to_and_no_more(hub):
    """The scopes asked for are those of the tokens, also after a refresh; unknown ones are refused."""
    code = authorize(hub, scope="oauth crm.objects.contacts.read")["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **CLIENT}
    first = post(hub, "/oauth/v3/token", **form)[1]
    body = refresh(hub, first["refresh_token"])[1]
    assert body["scopes"] == ["crm.objects.contacts.read", "oauth"]
    hub.token = body["access_token"]
    assert hub("GET", "/crm/v3/objects/contacts/1001")[0] == 200
    assert hub("GET", "/crm/v3/objects/invoices/5001")[0] == 403
    query = urlencode({"client_id": "sandbox-client", "redirect_uri": REDIRECT, "scope": "crm.everything"})
    assert hub.vendor.handle(Request("GET", "/oauth/authorize", query), hub.now).status == 400


def test_a_person_may_refuse_or_choose_another_portal(hub):
    """A refusal comes back with the state; the portal shows in the tokens."""
    hub.vendor.settings({"consent": False})
    assert authorize(hub) == {"error": ["access_denied"], "error_description": ["The user refused"], "state": ["s"]}
    hub.vendor.settings({"consent": True, "consent_portal": 7})
    form = {"grant_type": "authorization_code", "code": authorize(hub)["code"][0], "redirect_uri": REDIRECT, **CLIENT}
    assert post(hub, "/oauth/v3/token", **form)[1]["hub_id"] == 7


def test_token_failures_have_their_code_in_status(hub):
    """Not in an `error` field."""
    assert refresh(hub, "revoked")[1]["status"] == "BAD_REFRESH_TOKEN"
    wrong = {"grant_type": "refresh_token", "client_id": "sandbox-client", "client_secret": "x"}
    assert post(hub, "/oauth/v1/token", **wrong)[1]["status"] == "BAD_CLIENT_SECRET"
    assert post(hub, "/oauth/v1/token", **{**wrong, "client_id": "x"})[1]["status"] == "BAD_CLIENT_ID"
    assert post(hub, "/oauth/v1/token", grant_type="password", **CLIENT)[1]["status"] == "BAD_GRANT_TYPE"


def test_only_the_first_generation_takes_parameters_from_the_query(hub):
    """From v3 on they have to be in the body."""
    query = urlencode({"grant_type": "refresh_token", "refresh_token": "na1-sandbox-refresh-0000", **CLIENT})
    answers = [hub.vendor.handle(Request("POST", f"/oauth/{v}/token", query), hub.now).status for v in ("v1", "v3")]
    assert answers == [200, 400]


def test_introspection(hub):
    """Both generations."""
    access = refresh(hub)[1]["access_token"]
    hub.token = None
    hub.later(46)
    old = hub("GET", f"/oauth/v1/access-tokens/{access}")[1]
    assert (old["expires_in"], old["hub_id"], old["token_type"]) == (1754, 40000001, "access")
    assert hub("GET", "/oauth/v1/refresh-tokens/na1-sandbox-refresh-0000")[0] == 200
    assert post(hub, "/oauth/v3/token/introspect", token=access, **CLIENT)[1]["active"] is True
    hub.later(1800)
    assert post(hub, "/oauth/v3/token/introspect", token=access, **CLIENT)[1] == {"active": False}


@pytest.mark.parametrize("newer", [True, False])
def test_revoking_the_refresh_token_leaves_access_tokens_alive(hub, newer):
    """Until they expire."""
    hub.token = refresh(hub)[1]["access_token"]
    if newer:
        assert post(hub, "/oauth/v3/token/revoke", token="na1-sandbox-refresh-0000", **CLIENT)[0] == 204
    else:
        assert hub("DELETE", "/oauth/v1/refresh-tokens/na1-sandbox-refresh-0000")[0] == 204
    assert refresh(hub)[1]["status"] == "BAD_REFRESH_TOKEN"
    assert hub("GET", "/crm/v3/objects/contacts/1001")[0] == 200


def test_missing_and_malformed_credentials(hub):
    """None, a private app token nobody knows, and text that was never a token: expired in 1970."""
    for token in (None, "pat-na1-other"):
        hub.token = token
        status, body = hub("GET", "/crm/v3/objects/contacts/1001")
        assert (status, body["category"]) == (401, "INVALID_AUTHENTICATION")
    hub.token = "nonsense"
    status, body = hub("GET", "/crm/v3/objects/contacts/1001")
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body["context"] == {"expire time": ["1970-01-01T00:00:00.000Z"]}
