"""Whether HubSpot's own data sync keeps this portal's invoices in step as well.

No API tells which apps are connected. What it makes does: invoices whose source is the data sync (the literal is seen
by public clients, not documented), and on line items hidden properties of its own, which alone prove nothing: they stay
when it is switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.client import Client, Filter
from syncd.connectors.hubspot.fields import INVOICES
from syncd.connectors.hubspot.options import Options, names

CURE = (
    "turn off HubSpot's own sync with the accounting system (Settings, Integrations), or set the option "
    "allow_other_sync = true of this connection if it is off or carries other invoices"
)


async def signs(client: Client, options: Options) -> Sequence[str]:
    """What gives it away, in words.

    Raises:
        ConnectionTrouble: it could not be found out.
    """
    sources = tuple(name.casefold() for name in names(options.other_sync_sources))
    if not sources:
        return ()
    since = client.clock.now() - timedelta(days=options.other_sync_days)
    filters = [
        Filter("hs_invoice_source", "IN", values=sources),
        Filter("hs_createdate", "GTE", moments.millis(since)),
    ]
    page = await client.search(INVOICES, filters, ("hs_number",), "hs_createdate", limit=1)
    if not page.total:
        return ()
    days, what = options.other_sync_days, ", ".join(sources)
    return (f"{page.total} invoices of the last {days} days were made by HubSpot's own data sync (source {what})",)
