"""QuickBooks Online.

Options of a connection: `overlap` (seconds a poll reads back before its cursor, default 300), `po_field` (label of the
custom field on sales forms that holds the purchase order number), `development` (true for one of Intuit's own sandbox
companies), `pace` (see `ConnectionSettings.paced`). Its `account` is the realm id, which Intuit tells only once, when
the company is connected.
"""

from __future__ import annotations

from datetime import timedelta

from syncd.clock import Chance, Clock
from syncd.connectors.http import Caller, Transport
from syncd.connectors.quickbooks.client import LIMITS, Client, PacedCaller
from syncd.connectors.quickbooks.connector import QuickBooks
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.tokens import App, Tokens
from syncd.connectors.quickbooks.webhooks import verifier
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.core.pacing import Pacer, Window

__all__ = ["connect", "verifier"]

OVERLAP = 300.0
TOKEN_PACE = Window(calls=10, seconds=60)  # refreshes are rare; a loop of them would be our mistake


def connect(
    settings: ConnectionSettings, transport: Transport, clock: Clock, chance: Chance, secrets: TokenKeeper
) -> QuickBooks:
    """A connector for one company.

    Raises:
        ValueError: the settings lack what is needed; names all of it.
    """
    app, realm = _credentials(settings)
    api = MANIFEST.urls.development_api if settings.options.get("development") is True else MANIFEST.urls.api
    caller = PacedCaller(
        connection=settings.name,
        base_url=settings.url or api,
        transport=transport,
        limits=(LIMITS.requests, LIMITS.batches) if settings.paced else ((), ()),
        clock=clock,
        chance=chance,
    )
    token_caller = Caller(
        connection=settings.name,
        base_url=settings.url or MANIFEST.urls.token,
        transport=transport,
        pacer=Pacer([TOKEN_PACE]),
        clock=clock,
        chance=chance,
    )
    tokens = Tokens(name=settings.name, app=app, keeper=secrets, caller=token_caller, clock=clock)
    client = Client(realm=realm, caller=caller, tokens=tokens)
    return QuickBooks(
        client=client,
        reader=Reader(client, str(settings.options.get("po_field") or "")),
        overlap=timedelta(seconds=float(settings.options.get("overlap", OVERLAP))),
        transport=transport,
    )


def _credentials(settings: ConnectionSettings) -> tuple[App, str]:
    needed = {
        "account": settings.account,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "refresh_token": settings.refresh_token,
    }
    found = {name: value for name, value in needed.items() if value}
    if missing := sorted(needed.keys() - found.keys()):
        raise ValueError(f"connection {settings.name}: {', '.join(missing)} missing")
    realm = found.pop("account")
    return App(**found), realm
