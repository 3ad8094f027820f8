"""QuickBooks Online.

Options of a connection: `overlap` (seconds a poll reads back before its cursor, default 300), `po_field` (label of the
custom field on sales forms that holds the purchase order number), `custom_field_length` (characters a custom
field takes; that it is 31 is unconfirmed), `tax_total` (true: outside the US, too, the tax of
an invoice is taken as it is sent where rounding makes it differ from what QuickBooks computes; Intuit describes that
for the US only), `development` (true for one of Intuit's own sandbox companies), `merged_customers` ("deleted", the
default, or "inactive": what the books show of a customer that was merged into another one, which Intuit does not
document), `pace` (see `ConnectionSettings.paced`). Its `account` is the realm id, which Intuit tells only once, when
the company is connected: whoever brings a refresh token from elsewhere has to bring the realm id, too.
"""

from __future__ import annotations

from datetime import timedelta

from syncd.clock import Chance, Clock
from syncd.connectors.http import Caller, Transport
from syncd.connectors.oauth import Tokens
from syncd.connectors.quickbooks.client import LIMITS, Client
from syncd.connectors.quickbooks.connector import QuickBooks
from syncd.connectors.quickbooks.errors import complaint
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.tokens import Issuer
from syncd.connectors.quickbooks.webhooks import verifier
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.core.pacing import Pacer, Window

__all__ = ["connect", "issuer", "verifier"]

OVERLAP = 300.0
CUSTOM_LENGTH = 31
TOKEN_PACE = Window(calls=10, seconds=60)  # refreshes are rare; a loop of them would be our mistake


def connect(
    settings: ConnectionSettings, transport: Transport, clock: Clock, chance: Chance, secrets: TokenKeeper
) -> QuickBooks:
    """A connector for one company.

    Raises:
        ValueError: the settings lack what is needed; names all of it.
    """
    _need_credentials(settings)
    merged = settings.options.get("merged_customers", "deleted")
    if merged not in ("deleted", "inactive"):
        raise ValueError(f"connection {settings.name}: merged_customers is deleted or inactive, not {merged!r}")
    api = MANIFEST.urls.development_api if settings.options.get("development") is True else MANIFEST.urls.api
    caller = Caller(
        connection=settings.name,
        base_url=settings.url or api,
        transport=transport,
        pacer=Pacer(LIMITS.windows if settings.paced else ()),
        clock=clock,
        chance=chance,
        complaint=complaint,
    )
    asked = issuer(settings, transport, clock, chance)
    tokens = Tokens(settings=settings, issuer=asked, keeper=secrets, clock=clock)
    client = Client(caller=caller, tokens=tokens)
    return QuickBooks(
        client=client,
        reader=Reader(
            client,
            str(settings.options.get("po_field") or ""),
            settings.fields,
            tax_total=settings.options.get("tax_total") is True,
        ),
        custom_length=int(settings.options.get("custom_field_length", CUSTOM_LENGTH)),
        overlap=timedelta(seconds=float(settings.options.get("overlap", OVERLAP))),
        transport=transport,
        authorization=tokens,
        merges_leave_inactive=merged == "inactive",
    )


def issuer(settings: ConnectionSettings, transport: Transport, clock: Clock, chance: Chance) -> Issuer:
    """Intuit's addresses for tokens."""
    caller = Caller(
        connection=settings.name,
        base_url=settings.url or MANIFEST.urls.api,
        transport=transport,
        pacer=Pacer([TOKEN_PACE]),
        clock=clock,
        chance=chance,
    )
    return Issuer(settings, caller)


def _need_credentials(settings: ConnectionSettings) -> None:
    found = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    if settings.refresh_token:
        found["account"] = settings.account  # a token does not tell which company it opens
    if missing := sorted(name for name, value in found.items() if not value):
        raise ValueError(f"connection {settings.name}: {', '.join(missing)} missing")
