"""HubSpot: contacts, products, invoices with their line items, and payments. Complete on polling alone."""

from __future__ import annotations

from syncd.clock import Chance, Clock
from syncd.connectors.base import Connector
from syncd.connectors.http import Caller, Transport
from syncd.connectors.hubspot.client import Client, throttled
from syncd.connectors.hubspot.connector import HubSpot
from syncd.connectors.hubspot.manifest import MANIFEST
from syncd.connectors.hubspot.options import read_options
from syncd.connectors.hubspot.tokens import Tokens
from syncd.connectors.hubspot.webhooks import verifier
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.core.pacing import Pacer, Window

__all__ = ["connect", "verifier"]


def connect(
    settings: ConnectionSettings, transport: Transport, clock: Clock, chance: Chance, secrets: TokenKeeper
) -> Connector:
    """A connector for one portal. Nothing is called yet.

    Raises:
        ValueError: an option is unknown or makes no sense.
    """
    options = read_options(settings.options)
    limits = MANIFEST.limits
    usual = limits.requests if settings.token else limits.requests_oauth
    windows = (Window(options.burst, 10.0),) if options.burst else usual

    def caller(*paces: Window) -> Caller:
        return Caller(
            connection=settings.name,
            base_url=settings.url or MANIFEST.urls.api,
            transport=transport,
            pacer=Pacer(paces if settings.paced else ()),
            clock=clock,
            chance=chance,
            throttled=throttled,
        )

    calls = caller(*windows)
    client = Client(calls, caller(*limits.searches), Tokens(settings, calls, secrets), options.api_version)
    return HubSpot(client, transport, options)
