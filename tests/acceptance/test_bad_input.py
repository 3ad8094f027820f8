"""What a wrong configuration, wrong credentials and unreachable vendors get: words, an exit code, and no harm done."""

import json
import re
import socket
from typing import Any

import pytest

from syncd.errors import Exit
from tests.acceptance.people import crm_sale, ended_well
from tests.acceptance.world import Row, Snapshot, World

CONNECTIONS = {"hubspot": "crm", "quickbooks": "books"}


async def _json(w: World, *words: str) -> tuple[int, Any]:
    code, out, err = await w.command(*words, "--json")
    assert out, err
    return code, json.loads(out)


def _states(status: Row) -> dict[str, str]:
    return {row["name"]: row["state"] for row in status["connections"]}


async def _failed(w: World) -> int:
    return len(await w.records(status="failed"))


def _secret(w: World, name: str, value: str) -> None:
    (w.folder / "syncd.secrets" / name).write_text(value)


async def test_three_mistakes_are_told_at_once_each_with_place_and_cure(synced: Snapshot):
    """Exit code 78, before anything is asked of a vendor or written down."""
    mistakes = [
        ('language = "en"', 'language = "klingon"'),
        ('poll = "2s"', 'poll = "soon"'),
        ('direction = "right-to-left"', 'direction = "sideways"'),
    ]
    async with synced.world(*mistakes) as w:
        begin = await w.mark()
        code, answer = await _json(w, "once")
        assert code == Exit.CONFIGURATION
        lines = w.file.read_text().splitlines()
        told = [(problem["line"], problem["file"], bool(problem["cure"])) for problem in answer["problems"]]
        wanted = [number for number, line in enumerate(lines, 1) if any(new in line for _, new in mistakes)]
        assert told == [(number, str(w.file), True) for number in wanted]
        assert len(told) == 3
        assert await w.requests(begin) == []


async def test_an_unknown_command_is_usage(synced: Snapshot):
    """Words that no command knows; the help says which there are."""
    async with synced.world() as w:
        assert (await w.command("synchronise", "everything"))[0] == Exit.USAGE


@pytest.mark.parametrize(
    ("vendor", "secret"), [("hubspot", "hubspot_token"), ("quickbooks", "quickbooks_refresh_token")]
)
async def test_a_wrong_token_is_trouble_of_the_connection_alone(vendor, secret, synced: Snapshot):
    """`check` exits 77; the connection has lost its authorisation, no record is red, and the right token heals it."""
    async with synced.world() as w:
        failed, right = await _failed(w), (w.folder / "syncd.secrets" / secret).read_text()
        (w.folder / "syncd-state" / "secrets.db").unlink()  # the renewed tokens
        _secret(w, secret, "wrong")
        sale, begin = await crm_sale(w), await w.mark()
        code, answer = await _json(w, "check")
        assert code == Exit.PERMISSION
        assert "authorization_lost" in [finding["code"] for finding in answer["findings"]]
        assert _states(await w.once(wait=0))[CONNECTIONS[vendor]] == "authorization_lost"
        assert await _failed(w) == failed
        assert await w.written(begin) == []
        _secret(w, secret, right)
        await ended_well(w, sale)


@pytest.mark.parametrize("vendor", list(CONNECTIONS))
async def test_a_vendor_that_is_down_is_waited_for(vendor, synced: Snapshot):
    """Nobody listens there: `once` exits 69, nothing has failed, and what was missed is caught up with."""
    async with synced.world() as w:
        failed, sale = await _failed(w), await crm_sale(w)
        with socket.socket() as taken:  # bound, but nobody listens
            taken.bind(("127.0.0.1", 0))
            down = f"http://127.0.0.1:{taken.getsockname()[1]}/{vendor}"
            w.configure((f"{w.url}/{vendor}", down))
            code, status = await _json(w, "once", "--wait", "1")
        assert code == Exit.UNREACHABLE
        assert _states(status)[CONNECTIONS[vendor]] == "vendor_unavailable"
        assert await _failed(w) == failed
        w.configure((down, f"{w.url}/{vendor}"))
        await ended_well(w, sale)


async def test_another_portal_stops_the_sync(synced: Snapshot):
    """The token opens another account than the one the connection is pinned to: nothing is written anywhere."""
    async with synced.world() as w:
        failed, sale = await _failed(w), await crm_sale(w)
        other = {"path": "portalId", "value": 777}
        await w.control.arm("hubspot", "mutate", {"path": "/account-info/v3/details"}, options=other)
        begin = await w.mark()
        assert _states(await w.once(wait=0))["crm"] == "account_changed"
        assert await w.written(begin) == []
        assert await _failed(w) == failed
        await w.control.disarm()
        await w.advance(3600)
        await ended_well(w, sale)


async def test_another_company_stops_the_sync(synced: Snapshot):
    """The same for QuickBooks, whose company id is told by the configuration."""
    async with synced.world() as w:
        failed, sale, begin = await _failed(w), await crm_sale(w), await w.mark()
        pinned = re.search(r'(?m)^account = "\d+"', w.file.read_text())
        assert pinned
        w.configure((pinned[0], 'account = "9130000000000002"'))
        code, status = await _json(w, "once", "--wait", "1")
        assert code == Exit.PERMISSION
        assert _states(status)["books"] == "account_changed"
        assert await w.written(begin) == []
        assert await _failed(w) == failed
        w.configure(('account = "9130000000000002"', pinned[0]))
        await ended_well(w, sale)


async def test_what_was_decided_before_the_account_changed_is_not_written_either(synced: Snapshot):
    """Writes that wait for one side stay where they are while the other side's account is another one."""
    async with synced.world() as w:
        await w.control.arm("quickbooks", "rate_limited", {"path": r"/v3/company/\d+/batch", "contains": '"operation"'})
        sale = await crm_sale(w)
        await w.once(wait=0)
        await w.control.disarm()
        other = {"path": "portalId", "value": 777}
        await w.control.arm("hubspot", "mutate", {"path": "/account-info/v3/details"}, options=other)
        await w.advance(120)
        begin = await w.mark()
        await w.once(wait=0)
        assert await w.written(begin) == []
        await w.control.disarm()
        await ended_well(w, sale)
