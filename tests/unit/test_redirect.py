"""The address a vendor sends a person back to: open for one answer, on this machine only."""

import asyncio
import socket

import aiohttp
import pytest

from syncd.errors import StateBusy
from syncd.redirect import landing


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def fetch(address):
    async with aiohttp.ClientSession() as session, session.get(address, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_the_answer_with_our_state_is_taken_once(port):
    """All else is turned away: a foreign state, none, another path, and the same answer again."""
    address = f"http://localhost:{port}/callback"
    async with landing(address, 1, "ours") as arrival:
        assert (await fetch(f"{address}?code=a&state=theirs"))[0] == 400
        assert (await fetch(f"{address}?code=a"))[0] == 400
        assert (await fetch(f"http://localhost:{port}/other?code=a&state=ours"))[0] == 404
        status, page, headers = await fetch(f"{address}?code=mine&state=ours&realmId=1")
        assert (await fetch(f"{address}?code=later&state=ours"))[0] == 400

        assert (status, await arrival.answer()) == (200, {"code": "mine", "state": "ours", "realmId": "1"})
    assert "mine" not in page
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_an_https_address_belongs_to_a_proxy_which_hands_on(port):
    """It is listened for on loopback, at the port the manifest names, under the address's own path."""
    async with landing("https://sync.example.com/hubspot/back", port, "s") as arrival:
        assert (await fetch(f"http://127.0.0.1:{port}/hubspot/back?code=a&state=s"))[0] == 200
        assert (await arrival.answer())["code"] == "a"


async def test_an_address_in_use_is_said_so(port):
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StateBusy, match="register another redirect_url"):
        async with landing(f"http://127.0.0.1:{port}/", 1, "s"):
            pass


async def test_what_is_no_request_is_repeated_to_nobody(port, caplog):
    """An address may hold a code: neither the answer nor a log tells what could not be read."""
    async with landing(f"http://127.0.0.1:{port}/", 1, "s"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /?code=canary-code&state=s HTTP/canary-version\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert answer.split(b" ")[1] == b"400"
    assert b"canary" not in answer
    assert "canary" not in caplog.text
