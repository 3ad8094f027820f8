"""The doors webhooks come in by, and what `syncd check` says of them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from syncd.config import Config, Connection, Daemon, Webhooks
from syncd.connectors import hubspot, quickbooks
from syncd.connectors.base import Severity
from syncd.connectors.settings import ConnectionSettings
from syncd.connectors.webhooks import Told
from syncd.feed import doors
from tests.webhook_samples import CLASSIC, PORTAL, SENT, hubspot_signed, to_books, to_crm

VERIFIERS = {"hubspot": hubspot.verifier, "quickbooks": quickbooks.verifier}
LISTENING = Webhooks(public_url="https://sync.example.com")


def configuration(webhooks: Webhooks | None, secrets: tuple[str, ...]) -> Config:
    held = tuple(SecretStr(one) for one in secrets)
    return Config(
        file=Path("syncd.toml"),
        state_dir=Path(),
        daemon=Daemon.model_construct(),
        connections={"my crm": Connection.model_construct(vendor="hubspot", webhook_secrets=held)},
        syncs={},
        raw={},
        webhooks=webhooks,
    )


@pytest.mark.parametrize(
    ("webhooks", "secrets", "severity", "words"),
    [
        (LISTENING, ("s",), Severity.OK, "my crm: webhooks are taken at https://sync.example.com/webhooks/my%20crm"),
        (LISTENING, (), Severity.WARNING, "it has no webhook secret"),
        (None, ("s",), Severity.WARNING, "nothing listens to webhooks"),
        (None, (), Severity.OK, "no webhooks are set up"),
    ],
)
def test_check_says_whether_webhooks_are_set_up(webhooks, secrets, severity, words):
    """And where the vendor has to send them; half a configuration is a warning with its cure."""
    (finding,) = doors.look(configuration(webhooks, secrets))
    assert finding.severity is severity
    assert words in finding.title
    assert bool(finding.cure) is (severity is Severity.WARNING)


def test_a_door_knows_the_address_the_vendor_signs(tmp_path):
    """It comes from the configuration; each vendor's own verifier stands behind it, with the connection's secrets."""
    settings = {
        "my crm": ConnectionSettings(name="my crm", vendor="hubspot", webhook_secrets=("a", "b")),
        "books": ConnectionSettings(name="books", vendor="quickbooks"),
    }
    made = doors.build(configuration(LISTENING, ()), settings, VERIFIERS)

    assert list(made) == ["my crm"]  # without a secret there is no door
    door = made["my crm"]
    body = b'[{"portalId":%s,"subscriptionType":"contact.creation","objectId":1}]' % PORTAL.encode()
    request = to_crm(body, hubspot_signed(body, "b", url=door.url), url=door.url)
    assert isinstance(door.verify(request, SENT), Told)
    assert not isinstance(door.verify(to_books(CLASSIC), SENT), Told)
    assert doors.build(configuration(None, ("s",)), settings, VERIFIERS) == {}


def test_an_unknown_option_is_told():
    """As it is for the connection itself."""
    settings = {"crm": ConnectionSettings(name="crm", vendor="hubspot", webhook_secrets=("a",), options={"burs": 1})}
    with pytest.raises(ValueError, match="burs"):
        doors.build(configuration(LISTENING, ()), settings, VERIFIERS)
