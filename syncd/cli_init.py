"""`syncd init`: writes a configuration that explains itself; against a running sandbox, one that works at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Template
from typing import Any

import aiohttp

from syncd.errors import UsageError, VendorUnreachable

ASK_SECONDS = 10.0

_DAEMON = Template("""\
# Configuration of syncd. `syncd check` looks at all of it and at both accounts.

[daemon]
# Where the status page and its API are served; only this machine can reach it.
listen = "127.0.0.1:8300"
# Everyone on this machine may look at them.
open_on_loopback = true
# Where everything that must be remembered is kept, relative to this file.
state_dir = "$state_dir"
# Of the page and of what it says about records: "en" or "fr".
language = "en"

""")

_SANDBOX_CONNECTIONS = Template("""\
# Both connections lead to a sandbox: an address is all that differs from live accounts.
# Secrets are never written here, only referred to.
[connections.crm]
vendor = "hubspot"
url = "$sandbox/hubspot"
token = { file = "$secrets/hubspot_token" }

[connections.books]
vendor = "quickbooks"
url = "$sandbox/quickbooks"
client_id = $client_id
client_secret = { file = "$secrets/quickbooks_client_secret" }
refresh_token = { file = "$secrets/quickbooks_refresh_token" }
account = $account

""")

_LIVE_CONNECTIONS = """\
# Secrets are never written here, only referred to:
#   { env = "NAME" }          an environment variable
#   { file = "path" }         a file that only the daemon's user can read (mode 0600), relative to this file
#   { credential = "name" }   a credential that systemd hands over (LoadCredential= or LoadCredentialEncrypted=)
#
# Register http://localhost:8411/callback as redirect address with both apps, then let a person agree, once for each:
#   syncd connect crm
#   syncd connect books
# syncd keeps their tokens encrypted in state_dir, renews them, and stays with the accounts that were chosen.
[connections.crm]
vendor = "hubspot"
# The keys of an app with OAuth. Instead of both: token = { env = "HUBSPOT_TOKEN" }, a service key or private app token.
client_id = { env = "HUBSPOT_CLIENT_ID" }
client_secret = { env = "HUBSPOT_CLIENT_SECRET" }

[connections.books]
vendor = "quickbooks"
client_id = { env = "QUICKBOOKS_CLIENT_ID" }
client_secret = { env = "QUICKBOOKS_CLIENT_SECRET" }
# Where the app's keys are for production, Intuit wants an https address: have a proxy forward it to port 8411 here.
# redirect_url = "https://sync.example.com/callback"

# Both vendors can tell at once what changed, instead of being asked every minute. Have a proxy with TLS forward
# public_url to listen, give the vendors' apps the addresses that `syncd check` shows, and take these lines in:
# [webhooks]
# listen = "127.0.0.1:8301"
# public_url = "https://sync.example.com"
# With each connection above: what its app signs webhooks with (HubSpot: client secret, QuickBooks: verifier token).
# webhook_secret = { env = "HUBSPOT_APP_SECRET" }

"""

_SYNC = Template("""\
[syncs.invoicing]
recipe = "$recipe"
left = "crm"
right = "books"
$start
# How often both sides are asked for changes.
poll = "$poll"
# Each record's state can be read inside HubSpot, in properties syncd_invoicing_status, _category, _last_success, _link.
state_properties = true
# What is unusual is held until a person has looked: an hour that would void or delete more than this and more than a
# tenth of a flow. The other circuit breakers: creates, changes, money, rules, empty, clock, closed.
guard = { removals = 20 }
# The first run waits for `syncd apply` or `syncd release` if it would create more than this; "off" to never wait.
approval = $approval

# Who is invoiced: contacts and customers, matched by e-mail.
[syncs.invoicing.flows.contacts]
direction = "both"
conflict = "crm"

# What is invoiced, matched by SKU.
[syncs.invoicing.flows.products]
direction = "right-to-left"

[syncs.invoicing.flows.invoices]
# "both", "left-to-right", "right-to-left" or "off".
direction = "both"
# Who wins when both sides changed the same field: a connection's name, "left", "right", or "hold" to ask a person.
# Amounts always belong to the side where the invoice was born.
conflict = "crm"
# Lines that name no product are booked on a "Custom Line Item" product with this income account. Further options:
# tax_codes = { "20" = "TVA 20 %" } (rates in percent to tax codes of the books), tax_product = "Sales tax" (the product
# for lines that are a tax), service_date = "invoice_date" (or "due_date": of lines that have none of their own).
options = { custom_line_item_account = "Services" }
$filters
# Payments follow invoices by themselves.
""")

_SANDBOX_START = """\
# Nothing last changed in HubSpot before this moment goes over. It lies before the sandbox's data, but for one old
# invoice that shows the rule.
start = 2024-06-01T00:00:00Z"""

_LIVE_START = Template("""\
# Nothing last changed before this moment goes over.
start = ${today}T00:00:00Z""")

_LIVE_FILTER = Template("""\
# Of what is in QuickBooks already only invoices made from today on come over. Remove it to take all of them.
filters.right-to-left = [{ field = "created", operator = ">=", value = "$today" }]
""")


async def write_for_sandbox(recipe: str, sandbox: str, output: Path, *, force: bool) -> list[Path]:
    """Write a configuration for a running sandbox, and its secrets beside it; the first path is the configuration.

    Raises:
        UsageError: there is a file already, and `force` is not given.
        VendorUnreachable: no sandbox answers there.
    """
    sandbox = sandbox.rstrip("/")
    _refuse_existing(output, force=force)
    given = await _credentials(sandbox)
    crm, books = given["hubspot"], given["quickbooks"]
    secrets = output.with_suffix(".secrets")
    values = {
        "hubspot_token": crm["token"],
        "quickbooks_client_secret": books["client_secret"],
        "quickbooks_refresh_token": books["refresh_token"],
    }
    connections = _SANDBOX_CONNECTIONS.substitute(
        sandbox=sandbox,
        secrets=secrets.name,
        client_id=json.dumps(books["client_id"]),
        account=json.dumps(books["realm_id"]),
    )
    sync = _SYNC.substitute(recipe=recipe, start=_SANDBOX_START, poll="2s", approval='"off"', filters="")
    files = [_write_secret(secrets, name, value) for name, value in values.items()]
    return [_write(output, _daemon() + connections + sync), *files]


def write_for_live(recipe: str, output: Path, today: date, *, force: bool) -> Path:
    """Write a configuration for live accounts, whose secrets have still to be provided.

    Raises:
        UsageError: there is a file already, and `force` is not given.
    """
    _refuse_existing(output, force=force)
    start, filters = (text.substitute(today=today.isoformat()) for text in (_LIVE_START, _LIVE_FILTER))
    sync = _SYNC.substitute(recipe=recipe, start=start, poll="1m", approval="20", filters=filters)
    return _write(output, _daemon() + _LIVE_CONNECTIONS + sync)


def _daemon() -> str:
    return _DAEMON.substitute(state_dir="syncd-state")


async def _credentials(sandbox: str) -> Mapping[str, Any]:
    address = f"{sandbox}/_sandbox/credentials"
    try:
        timeout = aiohttp.ClientTimeout(ASK_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as response:
            response.raise_for_status()
            given: Mapping[str, Any] = await response.json()
            return given
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        words = f"no sandbox answers at {sandbox}: {error}; start one with `syncd sandbox`"
        raise VendorUnreachable(words) from error


def _refuse_existing(output: Path, *, force: bool) -> None:
    if output.exists() and not force:
        raise UsageError(f"{output} exists; choose another --output, or overwrite it with --force")
    if not output.parent.is_dir():
        raise UsageError(f"{output.parent} is no directory")


def _write(output: Path, text: str) -> Path:
    output.write_text(text, encoding="utf-8")
    return output


def _write_secret(directory: Path, name: str, value: str) -> Path:
    directory.mkdir(mode=0o700, exist_ok=True)
    path = directory / name
    path.unlink(missing_ok=True)  # an old file might be open to others
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(value + "\n")
    return path
