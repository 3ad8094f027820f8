"""Where webhooks come in: one door a connection that has a secret to tell genuine ones by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from syncd.config import Config
from syncd.connectors.base import Finding, Severity
from syncd.connectors.settings import ConnectionSettings
from syncd.connectors.webhooks import Verify

PREFIX = "/webhooks/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`url` is the address the vendor was given."""

    connection: str
    vendor: str
    url: str
    verify: Verify


def build(
    config: Config,
    settings: Mapping[str, ConnectionSettings],
    verifiers: Mapping[str, Callable[[ConnectionSettings], Verify]],
) -> dict[str, Door]:
    """The doors by their connections' names; none unless the configuration has a table [webhooks]."""
    if config.webhooks is None:
        return {}
    return {
        name: Door(
            connection=name,
            vendor=own.vendor,
            url=address(config.webhooks.public_url, name),
            verify=verifiers[own.vendor](own),
        )
        for name, own in settings.items()
        if own.webhook_secrets
    }


def address(public_url: str, connection: str) -> str:
    """What is to be entered at the vendor as the target of its webhooks."""
    return f"{public_url}{PREFIX}{quote(connection, safe='')}"


def look(config: Config) -> list[Finding]:
    """What `check` says of webhooks. Without any, changes are found by polling alone."""
    return [_look(config, name, has_secret=bool(own.webhook_secrets)) for name, own in config.connections.items()]


def _look(config: Config, name: str, *, has_secret: bool) -> Finding:
    if config.webhooks is not None and has_secret:
        target = address(config.webhooks.public_url, name)
        return Finding(severity=Severity.OK, title=f"{name}: webhooks are taken at {target}")
    if config.webhooks is not None:
        cure = f"set connections.{name}.webhook_secret to what the vendor's app signs webhooks with"
        return Finding(severity=Severity.WARNING, title=f"{name}: polled only: it has no webhook secret", cure=cure)
    if has_secret:
        cure = "add a table [webhooks] with listen and public_url"
        return Finding(severity=Severity.WARNING, title=f"{name}: polled only: nothing listens to webhooks", cure=cure)
    return Finding(severity=Severity.OK, title=f"{name}: polled only: no webhooks are set up")
