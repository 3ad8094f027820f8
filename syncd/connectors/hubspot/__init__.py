"""HubSpot: contacts, products, invoices with their line items, and payments. Complete on polling alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from syncd.clock import Chance, Clock
from syncd.connectors.base import Connector
from syncd.connectors.http import Caller, Transport
from syncd.connectors.hubspot.allowance import Allowance
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.connector import HubSpot
from syncd.connectors.hubspot.errors import complaint
from syncd.connectors.hubspot.manifest import MANIFEST
from syncd.connectors.hubspot.options import read_options
from syncd.connectors.hubspot.tokens import Bearer, Issuer
from syncd.connectors.hubspot.webhooks import verifier
from syncd.connectors.oauth import Tokens
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.core.pacing import Pacer, Window

__all__ = ["connect", "issuer", "verifier"]


def connect(
    settings: ConnectionSettings, transport: Transport, clock: Clock, chance: Chance, secrets: TokenKeeper
) -> Connector:
    """A connector for one portal. Nothing is called yet.

    Raises:
        ValueError: an option is unknown or makes no sense.
    """
    options = read_options(settings.options).asking(settings.fields)
    usual = MANIFEST.limits.private if settings.token else MANIFEST.limits.oauth
    pacer = Pacer(_windows(usual, options.burst) if settings.paced else ())
    allowance = Allowance(pacer, clock)
    calls = _caller(settings, transport, clock, chance, pacer, allowance)
    own = Issuer(settings, calls)
    tokens = Tokens(settings=settings, issuer=own, keeper=secrets, clock=clock)
    client = Client(calls, allowance, Bearer(settings.token, tokens, own), options.api_version)
    return HubSpot(client, transport, options, None if settings.token else tokens, settings.fields, settings.shown)


def issuer(settings: ConnectionSettings, transport: Transport, clock: Clock, chance: Chance) -> Issuer:
    """HubSpot's addresses for tokens."""
    pacer = Pacer(MANIFEST.limits.oauth)
    return Issuer(settings, _caller(settings, transport, clock, chance, pacer, Allowance(pacer, clock)))


def _windows(usual: Sequence[Window], burst: int | None) -> list[Window]:
    """The limits, with as many calls in ten seconds as the account's edition is known to allow."""
    return [replace(each, calls=burst) if burst and "requests" in each.sorts else each for each in usual]


def _caller(
    settings: ConnectionSettings,
    transport: Transport,
    clock: Clock,
    chance: Chance,
    pacer: Pacer,
    allowance: Allowance,
) -> Caller:
    return Caller(
        connection=settings.name,
        base_url=settings.url or MANIFEST.urls.api,
        transport=transport,
        pacer=pacer,
        clock=clock,
        chance=chance,
        complaint=complaint,
        heed=allowance.heed,
    )
