"""QuickBooks sandbox: tokens, consent, and what the gateway says without them."""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

REALM = "9130000000000001"


def refresh(qbo, token="RT1-sandbox-seed"):
    status, body = qbo.tokens(grant_type="refresh_token", refresh_token=token)
    return status, body


def test_access_token_ends_after_an_hour(qbo):
    """An access token works for one hour, then the gateway answers 401/3200 in its own shape."""
    qbo.later(minutes=59)
    assert qbo.call("GET", "preferences")[0] == 200
    qbo.later(minutes=1)
    status, body = qbo.call("GET", "preferences")
    assert status == 401
    assert body["fault"]["error"][0]["code"] == "3200"
    assert body["fault"]["type"] == "AUTHENTICATION"
    assert body["time"] == int(qbo.now.timestamp() * 1000)


def test_refresh_token_rotates_once_a_day(qbo):
    """Within a day the same refresh token comes back; after it a new one, the old being good for another day."""
    assert refresh(qbo)[1]["refresh_token"] == "RT1-sandbox-seed"
    qbo.later(hours=24)
    second = refresh(qbo)[1]["refresh_token"]
    assert second != "RT1-sandbox-seed"
    qbo.later(hours=23)
    assert refresh(qbo)[1]["refresh_token"] == second
    qbo.later(hours=1)
    assert refresh(qbo) == (400, {"error": "invalid_grant", "error_description": "Token invalid"})
    assert refresh(qbo, second)[0] == 200


def test_unused_refresh_token_dies_after_101_days(qbo):
    """A refresh token lives 8726400 seconds after its last use."""
    qbo.later(days=100)
    status, body = refresh(qbo)
    assert status == 200
    qbo.later(days=101)
    assert refresh(qbo, body["refresh_token"])[0] == 400


def test_hard_expiry_is_told_on_request(qbo):
    """Only the documented header brings the five-year limit into the answer."""
    assert "x_refresh_token_hard_expires_in" not in refresh(qbo)[1]
    head = {"x-include-refresh-token-hard-expires-in": "true"}
    _, body = qbo.tokens(head, grant_type="refresh_token", refresh_token="RT1-sandbox-seed")
    assert body["x_refresh_token_hard_expires_in"] == 5 * 365 * 86400


def test_wrong_client_is_invalid_client(qbo):
    """The token endpoint asks for the client's id and secret as Basic authentication."""
    status, body = qbo.tokens(secret="no", grant_type="refresh_token", refresh_token="RT1-sandbox-seed")
    assert (status, body) == (401, {"error": "invalid_client"})


def test_consent_code_brings_tokens_and_the_realm(qbo):
    """Discovery leads to consent, consent to a code with the realm id, the code once to tokens; older tokens end."""
    discovery = json.loads(
        qbo.raw("GET", "/.well-known/openid_sandbox_configuration/", headers={"host": "127.0.0.1:9"}).body
    )
    assert discovery["token_endpoint"] == "http://127.0.0.1:9/quickbooks/oauth2/v1/tokens/bearer"
    back = "http://127.0.0.1:1/back?x=1"
    args = {"client_id": "sandbox-client", "response_type": "code", "redirect_uri": back, "state": "s"}
    assert qbo.raw("GET", "/connect/oauth2", urlencode(args)).status == 400
    args["scope"] = "com.intuit.quickbooks.accounting"
    answer = qbo.raw("GET", "/connect/oauth2", urlencode(args))
    assert answer.status == 302
    given = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert (given["state"], given["realmId"], given["x"]) == ("s", REALM, "1")
    form = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": back}
    status, body = qbo.tokens(**form)
    assert status == 200
    assert qbo.tokens(**form)[0] == 400
    assert refresh(qbo)[0] == 400
    assert refresh(qbo, body["refresh_token"])[0] == 200


def test_a_person_may_refuse_or_choose_another_company(qbo):
    """The consent page sends both back with the state that came."""
    args = {
        "client_id": "sandbox-client",
        "response_type": "code",
        "redirect_uri": "http://127.0.0.1:1/back",
        "state": "s",
        "scope": "com.intuit.quickbooks.accounting",
    }

    def sent():
        target = qbo.raw("GET", "/connect/oauth2", urlencode(args)).headers["Location"]
        return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}

    qbo.set(consent_realm="9")
    assert (sent()["realmId"], sent()["state"]) == ("9", "s")
    qbo.set(consent=False)
    assert sent() == {"error": "access_denied", "state": "s"}


def test_revoke_ends_every_token(qbo):
    """After revocation neither the access token nor the refresh token is good for anything."""
    basic = {"authorization": "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ="}
    body = b'{"token": "RT1-sandbox-seed"}'
    assert qbo.raw("POST", "/v2/oauth2/tokens/revoke", "", body, basic).status == 200
    assert qbo.call("GET", "preferences")[0] == 401
    assert refresh(qbo)[0] == 400


def test_other_company_is_403(qbo):
    """A token is bound to one company; another realm answers 403/3100 in the gateway's shape."""
    head = {"authorization": f"Bearer {qbo.token}"}
    response = qbo.raw("GET", "/v3/company/1/preferences", headers=head)
    assert response.status == 403
    assert json.loads(response.body)["fault"]["error"][0]["code"] == "3100"


def test_disconnected_app_is_403_and_cannot_refresh(qbo):
    """When somebody disconnects the app at the vendor, calls answer 3100 and refreshing invalid_grant."""
    qbo.set(app_connected=False)
    assert qbo.call("GET", "preferences")[0] == 403
    assert refresh(qbo)[0] == 400


def test_every_answer_carries_intuit_tid(qbo):
    """Successes, refusals and unknown paths all have the vendor's call id, a different one each."""
    answers = [qbo.raw("GET", "/nowhere"), qbo.raw("GET", f"/v3/company/{REALM}/preferences")]
    answers.append(qbo.raw("POST", "/oauth2/v1/tokens/bearer"))
    assert [answer.status for answer in answers] == [404, 401, 401]
    assert len({answer.headers["intuit_tid"] for answer in answers}) == 3
