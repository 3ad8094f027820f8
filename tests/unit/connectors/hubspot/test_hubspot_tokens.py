"""What is made of a refusal at HubSpot's token address: only one about the token itself costs the token."""

import json

import pytest

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import HttpReply
from syncd.connectors.hubspot.tokens import Issuer
from syncd.connectors.oauth import GrantRefused
from syncd.connectors.settings import ConnectionSettings

BODIES = {
    "not found": b"<html><title>404</title></html>",
    "a portal's own error": json.dumps({"status": "error", "message": "resource not found"}).encode(),
    "an odd shape": json.dumps({"status": ["BAD_REFRESH_TOKEN"]}).encode(),
}


class OneAnswer:
    """Stands for the transport: the same answer to everything."""

    base_url = "http://tiny"

    def __init__(self, status: int, body: bytes) -> None:
        self.reply = HttpReply(status=status, headers={"content-type": "application/json"}, body=body)

    async def repeat(self, make):
        make()
        return self.reply


def issuer(status: int, body: bytes) -> Issuer:
    settings = ConnectionSettings(
        name="crm", vendor="hubspot", url="http://tiny", client_id="app", client_secret="app-secret"
    )
    return Issuer(settings, OneAnswer(status, body))


@pytest.mark.parametrize("said", [{"status": "BAD_REFRESH_TOKEN"}, {"error": "invalid_grant"}])
async def test_a_token_that_is_worth_nothing(said):
    """The next one is tried, and after that the consent is over."""
    with pytest.raises(GrantRefused):
        await issuer(400, json.dumps(said).encode()).renew("na1-old")


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("status", [302, 400, 404, 502])
async def test_an_answer_that_says_nothing_of_the_token(status, what):
    """A gateway's page or another service's error: the connection waits, no token is given up for it."""
    with pytest.raises(ConnectionTrouble) as trouble:
        await issuer(status, BODIES[what]).renew("na1-good")

    assert trouble.value.condition is Condition.MALFORMED_ANSWER


async def test_keys_that_are_refused():
    """Wrong keys are a person's to cure, and no other token is tried with them."""
    with pytest.raises(ConnectionTrouble) as trouble:
        await issuer(400, json.dumps({"status": "BAD_CLIENT_SECRET"}).encode()).renew("na1-good")

    assert trouble.value.condition is Condition.AUTHORIZATION_LOST
    assert "BAD_CLIENT_SECRET" in trouble.value.words
