"""Connecting and disconnecting accounts: a person's consent, what is kept of it, and who goes on with what."""

import asyncio
import json
import os
import socket
from contextlib import asynccontextmanager, suppress
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import aiohttp
import anyio
import pytest

from syncd import app, cli_client, connect
from syncd.connect import Person
from syncd.errors import PermissionRefused, StateBusy, UsageError, VendorUnreachable
from syncd.status.server import serving, socket_path
from tests.acceptance.processes import ANY_PORT, running
from tests.acceptance.world import world

KEYS = 'client_id = "sandbox-client"\nclient_secret = { file = "syncd.secrets/quickbooks_client_secret" }\n'
REALM, PORTAL = "9130000000000001", "40000001"
FLOWS = ["invoicing contacts", "invoicing products", "invoicing invoices", "invoicing payments"]


def visit(address):
    """A browser: follows where it is sent, and shows whatever comes."""
    with suppress(HTTPError):
        urlopen(address, timeout=10).read()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def keys_only(w):
    """Leave the apps' keys in the configuration and nothing else: no token, no account."""
    before, _, rest = w.file.read_text().partition("[connections.crm]")
    _, _, after = rest.partition("[syncs.invoicing]")
    tables = [
        f'[connections.{name}]\nvendor = "{vendor}"\nurl = "{w.url}/{vendor}"\n{KEYS}'
        f'redirect_url = "http://localhost:{free_port()}/callback"\n'
        for name, vendor in (("crm", "hubspot"), ("books", "quickbooks"))
    ]
    w.file.write_text(before + "\n".join(tables) + "\n[syncs.invoicing]" + after)
    w.configure(ANY_PORT)


@pytest.fixture
async def house():
    """A world in which nobody has connected anything yet."""
    async with world() as w:
        keys_only(w)
        yield w


def connected(w, name, show=visit, patience=30.0):
    """`syncd connect` in this process, with a person who does what `show` does."""
    return connect.connect(w.config, name, Person(lambda words: None, show, patience), os.environ, w.clock)


def disconnected(w, name):
    return connect.disconnect(w.config, name, os.environ, w.clock)


async def conditions(w):
    """How each connection is, as it is shown."""
    async with cli_client.answers(w.config, os.environ) as source:
        return {one["name"]: one["state"] for one in (await source.status())["connections"]}


async def looked(w, name):
    """Ask the account for itself, as the daemon's first contact does, with what is kept."""
    async with app.opened(w.config, None, clock=w.clock) as opened:
        return (await opened.engine.connectors[name].account()).id


async def test_connected_with_the_recipes_scopes_everything_can_be_synced(house):
    """The file holds no token and no account, the consent only what the flows need; and that is enough."""
    crm, books = await connected(house, "crm"), await connected(house, "books")
    mark = await house.mark()
    status = await house.once()
    refused = [one for one in await house.requests(mark) if one["status"] in (401, 403)]

    assert (crm["account"], crm["account_name"], crm["state"]) == (PORTAL, f"HubSpot portal {PORTAL}", "ok")
    assert (books["account"], books["account_name"]) == (REALM, "Craig's Design and Landscaping Services")
    assert refused == []
    assert [one["state"] for one in status["connections"]] == ["ok", "ok"]
    assert all(flow["synced"] for flow in status["syncs"][0]["flows"])


async def test_nothing_is_asked_for_that_is_not_needed(house):
    """A flow that only brings things over here does not ask to write there; one that is off does not either."""
    house.configure(
        ('[syncs.invoicing.flows.contacts]\ndirection = "both"', '[syncs.invoicing.flows.contacts]\ndirection = "off"')
    )
    seen = []
    await connected(house, "crm", lambda address: (seen.append(address), visit(address)))
    query = {name: values[0] for name, values in parse_qs(urlsplit(seen[0]).query).items()}
    scopes = query["scope"].split()

    assert "crm.objects.products.write" in scopes
    house.configure(('direction = "right-to-left"', 'direction = "left-to-right"'))
    await connected(house, "crm", lambda address: (seen.append(address), visit(address)))
    fewer = parse_qs(urlsplit(seen[1]).query)["scope"][0].split()
    assert set(scopes) - set(fewer) == {"crm.objects.products.write"}
    assert not any("deals" in scope or "companies" in scope for scope in scopes)
    assert query["code_challenge_method"] == "S256"
    assert parse_qs(urlsplit(seen[1]).query)["state"] != [query["state"]]


async def test_a_connection_lives_on_through_expiry_and_rotation(house):
    """Hours end access tokens, days replace QuickBooks' refresh token; every start finds the newest."""
    await connected(house, "crm")
    await connected(house, "books")
    for hours in (2, 25, 25, 25):
        await house.advance(hours * 3600)
        assert (await looked(house, "crm"), await looked(house, "books")) == (PORTAL, REALM)


@pytest.mark.parametrize(("name", "vendor"), [("crm", "hubspot"), ("books", "quickbooks")])
async def test_a_refused_consent_changes_nothing(house, name, vendor):
    """It is said so with the vendor's word; the next attempt works."""
    await house.control.settings(vendor, consent=False)
    with pytest.raises(PermissionRefused, match=r"consent was not given \(.+\); nothing changed"):
        await connected(house, name)
    with pytest.raises(Exception, match=f"authorization_lost: not connected: run `syncd connect {name}`"):
        await looked(house, name)
    await house.control.settings(vendor, consent=True)

    assert (await connected(house, name))["state"] == "ok"


async def test_an_answer_with_another_state_is_turned_away(house):
    """A page elsewhere cannot slip in its own account; the person's own answer is still waited for."""
    statuses = []

    def show(address):
        target = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        for forged in ({"code": "AB-theirs", "realmId": "666", "state": "guess"}, {"code": "AB-theirs"}):
            try:
                urlopen(f"{target}?{urlencode(forged)}", timeout=10)
            except HTTPError as error:
                statuses.append(error.code)
        visit(address)

    told = await connected(house, "books", show)

    assert statuses == [400, 400]
    assert told["account"] == REALM


@pytest.mark.parametrize(
    ("name", "vendor", "own", "other"),
    [("crm", "hubspot", PORTAL, {"consent_portal": 7}), ("books", "quickbooks", REALM, {"consent_realm": "7"})],
)
async def test_another_account_than_the_pinned_one_is_refused(house, name, vendor, own, other):
    """What was connected goes on, and the cure is told."""
    await connected(house, name)
    await house.control.settings(vendor, **other)
    with pytest.raises(PermissionRefused, match=f"account_changed: {name} is pinned to account {own}, and 7 was chos"):
        await connected(house, name)
    await house.advance(2 * 3600)

    assert await looked(house, name) == own


async def test_a_disconnected_connection_stays_pinned(house):
    """Its tokens are gone, its account is not forgotten: the records belong to it."""
    await connected(house, "books")
    await disconnected(house, "books")
    await house.control.settings("quickbooks", consent_realm="7")
    with pytest.raises(PermissionRefused, match="account_changed"):
        await connected(house, "books")


async def test_an_authorisation_that_was_revoked_is_shown_and_connected_again(house):
    """Somebody disconnects the app at the vendor: `authorization_lost`, until a person connects again."""
    await connected(house, "crm")
    await connected(house, "books")
    await house.control.settings("quickbooks", app_connected=False)
    status = await house.once(0)
    assert {one["name"]: one["state"] for one in status["connections"]}["books"] == "authorization_lost"

    await house.control.settings("quickbooks", app_connected=True)
    told = await connected(house, "books")

    assert (told["state"], told["flows"]) == ("ok", [])
    assert (await conditions(house))["books"] == "ok"


async def test_disconnecting_pauses_revokes_and_erases_and_connecting_goes_on(synced):
    """Nothing is written and nobody is called while a connection is left; a person's own pause outlives it."""
    async with synced.world() as w:
        keys_only(w)
        await connected(w, "crm")
        await connected(w, "books")
        async with cli_client.answers(w.config, os.environ) as source:
            await source.control("pause", "invoicing", "products")
        told = await disconnected(w, "books")
        await w.crm("update", "invoices", "5001", hs_due_date="2026-12-24")
        mark = await w.mark()
        await w.once(0)

        assert told["flows"] == [flow for flow in FLOWS if "products" not in flow]
        assert told["state"] == (await conditions(w))["books"] == "authorization_lost"
        assert [one for one in await w.requests(mark) if one["vendor"] == "quickbooks"] == []
        assert await w.written(mark) == []

        await w.books("update", "Item", "10", UnitPrice=36)
        again = await connected(w, "books")
        await w.once()

        assert again["flows"] == told["flows"]
        assert {entry["kind"] for entry in await w.written(mark)} == {"Invoice"}
        assert {row["code"] for row in await w.records(flow="products", status="pending")} == {"paused"}


@pytest.mark.parametrize("first", ["crm", "books"])
async def test_flows_go_on_once_both_of_their_connections_do(house, first):
    """What one disconnected connection holds, the other does not let go."""
    await connected(house, "crm")
    await connected(house, "books")
    assert (await disconnected(house, "crm"))["flows"] == (await disconnected(house, "books"))["flows"] == FLOWS
    second = "books" if first == "crm" else "crm"

    assert (await connected(house, first))["flows"] == []
    assert (await connected(house, second))["flows"] == FLOWS


async def test_a_vendor_that_cannot_be_told_keeps_its_tokens(house):
    """Disconnecting ends with its flows paused and can be done again; doing it twice is no mistake."""
    await connected(house, "books")
    fault = await house.control.arm("quickbooks", "reset", {"path": "/v2/.*"}, probability=1.0, times=100)
    with pytest.raises(VendorUnreachable, match="books: vendor_unavailable"):
        await disconnected(house, "books")
    assert await looked(house, "books") == REALM
    await house.control.disarm(fault)

    assert (await disconnected(house, "books"))["flows"] == FLOWS
    assert (await disconnected(house, "books"))["flows"] == FLOWS
    with pytest.raises(Exception, match="not connected"):
        await looked(house, "books")


async def test_what_cannot_be_connected_says_why(house):
    """A name nobody knows, a fixed token, an address that is taken, a person who does not come."""
    with pytest.raises(UsageError, match="there is no connection “shop”; there is crm, books"):
        await connected(house, "shop")
    with pytest.raises(VendorUnreachable, match="nobody has agreed within 0 seconds; nothing changed"):
        await connected(house, "crm", None, 0.01)
    port = urlsplit(house.config.connections["crm"].redirect_url).port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StateBusy, match=f"127.0.0.1:{port} cannot be"):
        await connected(house, "crm")
    house.set("connections.crm", token='{ file = "syncd.secrets/hubspot_token" }')
    with pytest.raises(UsageError, match="crm uses a fixed token"):
        await connected(house, "crm")
    with pytest.raises(UsageError, match="crm uses a fixed token"):
        await disconnected(house, "crm")


async def test_a_running_daemon_takes_over_what_is_connected(synced):
    """`connect` and `disconnect` beside a daemon: it alone owns the tokens, and needs no restart."""
    async with synced.world() as w:
        keys_only(w)
        async with daemon(w):
            crm, books = await _connected_by_command(w, "crm"), await connected(w, "books")
            assert (crm["account_name"], crm["state"], books["state"]) == (f"HubSpot portal {PORTAL}", "ok", "ok")
            told = await disconnected(w, "books")
            assert (told["flows"], (await conditions(w))["books"]) == (FLOWS, "authorization_lost")
            with pytest.raises(UsageError, match="there is no connection “shop”"):
                async with cli_client.daemon(w.config, os.environ) as running_one:
                    await running_one.connection("disconnect", "shop")
            await w.crm("update", "invoices", "5001", hs_due_date="2026-12-24")
            assert (await connected(w, "books"))["flows"] == FLOWS
            async with asyncio.timeout(60):
                while (await w.rows("quickbooks", "Invoice"))[await _number(w)]["DueDate"] != "2026-12-24":
                    await asyncio.sleep(0.05)


async def _number(w):
    """The QuickBooks id of HubSpot's invoice 5001."""
    return (await w.record("INV-1001", "invoices"))["right"]["id"]


@asynccontextmanager
async def daemon(w):
    """`syncd run`, in this process."""
    stop = anyio.Event()
    async with (
        app.opened(w.config, "run", clock=w.clock) as opened,
        serving(opened, socket_path(w.config.state_dir, os.environ)),
        anyio.create_task_group() as group,
    ):
        group.start_soon(opened.loop.work, stop)
        yield
        stop.set()


async def _connected_by_command(w, name):
    """`syncd connect NAME --no-browser --json`, with somebody who opens the printed address."""
    async with running(w, "connect", name, "--no-browser", "--json") as process, aiohttp.ClientSession() as browser:
        while not (line := (await process.stderr.readline()).decode()).startswith("http"):
            assert line, "it ended without an address"
        await process.stderr.readuntil(b"waiting")
        async with browser.get(line.strip()) as page:
            assert "You can close this page" in await page.text()
        out, err = await process.communicate()
        assert process.returncode == 0, err
        return json.loads(out)


async def test_actions_on_connections_are_for_the_socket_only(house):
    """The page's address never disconnects anything."""
    async with app.opened(house.config, "run", clock=house.clock) as opened:
        async with (
            serving(opened, house.folder / "s.sock") as page,
            aiohttp.ClientSession() as session,
            session.post(f"{page}/api/v1/connections/books/disconnect") as answer,
        ):
            assert answer.status == 403
        assert opened.health.rows["books"].condition == "ok"
