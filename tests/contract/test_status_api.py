"""The status API and page over real HTTP: on loopback and on the unix socket, with a real SQLite state."""

import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from syncd.config_values import Listen
from syncd.errors import ConfigError, StateBusy
from syncd.store.store import Store
from tests.status_state import HOSTILE, configuration, filled, served

PAGE = f"/records/{2:032x}"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A state with a record of each status."""
    store = await filled(tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def address(tmp_path: Path, store: Store) -> AsyncIterator[str]:
    async with served(configuration(tmp_path), store) as address:
        yield address


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def answer(http: aiohttp.ClientSession, address: str, expected: int = 200, **more):
    async with http.get(address, **more) as response:
        assert response.status == expected, await response.text()
        if expected != 200:
            assert response.content_type == "application/problem+json"
        return await response.json()


async def test_status_has_the_documented_shape(http, address):
    """Totals, categories, reasons, what is waited for and notes per flow; each connection's condition."""
    shown = await answer(http, f"{address}/api/v1/status")

    assert list(shown) == ["schema", "as_of", "version", "syncs", "connections", "storage", "daemon"]
    assert (shown["schema"], shown["as_of"], shown["version"]) == (1, "2026-11-20T12:00:00Z", "0.1")
    (sync,) = shown["syncs"]
    assert {key: sync[key] for key in sync if key != "flows"} == {
        "name": "invoicing",
        "recipe": "hubspot-quickbooks",
        "left": "crm",
        "right": "books",
        "state": "waiting",
        "last_success": None,
    }
    flows = {flow["name"]: flow for flow in sync["flows"]}
    assert list(flows) == ["contacts", "products", "invoices", "payments"]
    assert flows["invoices"] == {
        "name": "invoices",
        "direction": "both",
        "state": "running",
        "synced": 1,
        "pending": 1,
        "failed": 1,
        "excluded": 1,
        "categories": {"customer_missing": 1},
        "reasons": {"draft": 1},
        "waiting": {"waits_parent": 1},
        "notes": {"payment_mirrored": 1},
        "held": [],
    }
    assert shown["connections"] == [
        {"name": "crm", "vendor": "hubspot", "account": "Rope Ltd", "state": "ok", "since": None, "quota": None},
        {
            "name": "books",
            "vendor": "quickbooks",
            "account": None,
            "state": "vendor_unavailable",
            "since": "2026-11-20T12:00:00Z",
            "quota": None,
        },
    ]


async def test_connections_show_their_trouble(http, address):
    """The vendor's words, and when it will be tried again."""
    shown = await answer(http, f"{address}/api/v1/connections")

    assert [(one["name"], one["words"], one["last_success"]) for one in shown["connections"]] == [
        ("crm", "", "2026-11-20T12:00:00Z"),
        ("books", "503", None),
    ]


async def test_records_are_listed_page_by_page(http, address):
    """Following `next` gives every record once, newest first."""
    seen, cursor = [], ""
    while cursor is not None:
        page = await answer(http, f"{address}/api/v1/records", params={"limit": "2", "cursor": cursor})
        seen += [one["label"] for one in page["records"]]
        cursor = page["next"]

    assert seen == ["INV-1", HOSTILE, "INV-3", "INV-4", "INV-5"]


@pytest.mark.parametrize(
    ("filters", "labels"),
    [
        ({"status": "failed"}, [HOSTILE]),
        ({"flow": "contacts"}, ["INV-5"]),
        ({"sync": "invoicing", "code": "draft"}, ["INV-4"]),
        ({"q": "145"}, ["INV-1"]),
        ({"q": "inv-3"}, ["INV-3"]),
        ({"q": "nothing"}, []),
    ],
)
async def test_records_are_filtered_and_found(http, address, filters, labels):
    """By sync, flow, status, code, and by number or a vendor's id."""
    page = await answer(http, f"{address}/api/v1/records", params=filters)

    assert [one["label"] for one in page["records"]] == labels


async def test_a_failed_record_carries_what_to_do(http, address):
    """Category, title, the vendor's words, explanation and remedy, with the connections' names."""
    page = await answer(http, f"{address}/api/v1/records?status=failed")

    (one,) = page["records"]
    assert (one["code"], one["words"]) == ("customer_missing", HOSTILE)
    assert all(one[text] for text in ("title", "explanation", "remedy"))
    assert (one["left"]["label"], one["right"]["label"]) == ("HubSpot (crm)", "QuickBooks (books)")


async def test_one_record_shows_both_sides_and_what_they_agreed_on(http, address):
    """Per field each side's base and present value; lines; amounts as text."""
    shown = await answer(http, f"{address}/api/v1/records/{1:032x}")

    fields = {field["name"]: field for field in shown["fields"]}
    assert fields["due_date"]["left"] == {"base": "2026-12-01", "now": "2026-12-15"}
    assert fields["due_date"]["right"] == {"base": "2026-12-01", "now": "2026-12-01"}
    assert shown["lines"]["left"]["now"][0]["amount"] == "10.5"
    assert shown["left"] == shown["left"] | {"connection": "crm", "id": "hs-1", "presence": "present"}
    assert shown["notes"][0]["code"] == "payment_mirrored"


async def test_the_account_of_a_record_is_paged(http, address):
    """Newest first, with old and new values and the vendor's trace id."""
    path = f"{address}/api/v1/records/{1:032x}/activity"
    first = await answer(http, path, params={"limit": "1"})
    second = await answer(http, path, params={"limit": "1", "before": str(first["next"])})

    assert first["activity"][0]["event"] == "record.linked"
    (entry,) = second["activity"]
    assert (entry["event"], entry["request_id"]) == ("write.done", "t-1")
    assert entry["changes"] == [{"field": "due_date", "old": "2026-11-30", "new": "2026-12-01", "side": "right"}]


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (1, "both sides are watched"),
        (3, f"It goes on when {HOSTILE} does, which is failed now."),
        (4, "Finalize"),
        (5, "as soon as QuickBooks (books) works again"),
    ],
)
async def test_explain_says_what_happens_next(http, address, number, step):
    """The match key, the rules, the last calls and one sentence about the next step."""
    shown = await answer(http, f"{address}/api/v1/records/{number:032x}/explain")

    assert step.lower() in shown["next"].lower()
    assert shown["rules"]["direction"]
    assert shown["match"]["by"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/records/nope", 404),
        ("/api/v1/records/nope/activity", 404),
        ("/api/v1/records/nope/explain", 404),
        ("/api/v1/nope", 404),
        ("/style.css/../../reader.py", 404),
        ("/api/v1/records?limit=201", 400),
        ("/api/v1/records?limit=0", 400),
        ("/api/v1/records?limit=x", 400),
        ("/api/v1/records?status=nope", 400),
        ("/api/v1/records?sync=nope", 400),
        ("/api/v1/records?flow=nope", 400),
        ("/api/v1/records?cursor=nope", 400),
        ("/api/v1/records?statuss=failed", 400),
        ("/api/v1/records?q=a&q=b", 400),
        (f"/api/v1/records/{1:032x}/activity?before=-1", 400),
    ],
)
async def test_every_error_is_a_problem(http, address, path, status):
    """RFC 9457: one shape, no trace, and what would be right."""
    shown = await answer(http, f"{address}{path}", status)

    assert set(shown) == {"type", "title", "status", "detail", "instance"}
    assert shown["status"] == status
    assert "Traceback" not in shown["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
async def test_nothing_can_be_changed(http, address, method):
    """Other methods are refused, and named are those that work."""
    async with http.request(method, f"{address}/api/v1/records") as response:
        assert response.status == 405
        assert response.content_type == "application/problem+json"
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8300", "127.0.0.1.evil.example", "0.0.0.0", "[::1", ""])
async def test_a_foreign_host_is_refused(http, address, host):
    """A web page whose name resolves to this machine reads nothing (DNS rebinding)."""
    await answer(http, f"{address}/api/v1/status", 421, headers={"Host": host})


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8300"])
async def test_this_machines_names_are_served(http, address, host):
    """Whatever a browser on this machine calls it, and whatever port a tunnel uses."""
    await answer(http, f"{address}/api/v1/status", headers={"Host": host})


async def test_every_answer_is_safe_to_show(http, address):
    """No foreign scripts, no frames, no cache, no server version, on answers and errors alike."""
    for path in ("/", "/api/v1/status", "/api/v1/nope", "/style.css"):
        async with http.get(f"{address}{path}") as response:
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Server"] == "syncd"


async def test_a_closed_listener_answers_health_only(http, tmp_path, store):
    """Without `open_on_loopback` other users of the machine read nothing; the socket still works."""
    async with served(configuration(tmp_path, open_on_loopback=False), store) as address:
        shown = await answer(http, f"{address}/api/v1/status", 401)
        assert "open_on_loopback" in shown["detail"]
        async with http.get(f"{address}/livez") as live, http.get(f"{address}/readyz") as ready:
            assert (live.status, ready.status) == (200, 200)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "syncd.sock"))) as local:
            assert (await answer(local, "http://syncd/api/v1/status"))["schema"] == 1


async def test_the_socket_file_is_for_its_owner_and_group(tmp_path, store):
    """Mode 0660 while served, a leftover of a crash is replaced, and it is gone afterwards."""
    (tmp_path / "syncd.sock").write_text("left over")
    async with served(configuration(tmp_path), store):
        assert stat.S_IMODE((tmp_path / "syncd.sock").stat().st_mode) == 0o660

    assert not (tmp_path / "syncd.sock").exists()


async def test_a_socket_elsewhere_is_found_through_the_state(http, tmp_path, store):
    """A service's runtime directory is not known in a shell: the state directory links to it while it is served."""
    runtime = tmp_path / "run"
    runtime.mkdir()
    async with served(configuration(tmp_path), store, runtime):
        path = str(tmp_path / "syncd.sock")
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as local:
            assert (await answer(local, "http://syncd/api/v1/status"))["schema"] == 1

    assert not (tmp_path / "syncd.sock").is_symlink()


async def test_a_path_too_long_for_a_socket_is_a_problem_of_the_configuration(tmp_path, store):
    """Said with the cure, instead of a failure nobody understands."""
    with pytest.raises(ConfigError, match="shorter directory"):
        async with served(configuration(tmp_path), store, tmp_path / ("x" * 100)):
            pass


async def test_a_taken_address_is_named(tmp_path, store):
    """A second listener on the same port is told which address is taken."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StateBusy, match=str(port)):
            async with served(configuration(tmp_path, listen=Listen("127.0.0.1", port)), store):
                pass


async def test_a_fault_of_ours_is_told_without_details(http, address, store, monkeypatch):
    """500 as a problem; the reason is in the log only."""

    async def broken(work):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(store, "read", broken)

    shown = await answer(http, f"{address}/api/v1/status", 500)

    assert "secret detail" not in str(shown)
