"""Who may ask what of the status API: doors x routes, forms of ours and of others, wrong tokens, keys told twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from syncd.model.record import Status
from syncd.model.token import Role, Token
from syncd.status.access import PAGE_FIELD, PAGE_HEADER, Access, token_digest
from syncd.status.routes import ROUTES
from syncd.store.store import Store
from tests.status_state import NOW, configuration, filled, record, served

FAILED, SYNCED = f"{2:032x}", f"{1:032x}"
RETRY = f"/api/v1/records/{FAILED}/retry"
PATHS = {"id": FAILED, "sync": "invoicing", "flow": "invoices", "name": "crm"}
LOCAL_ONLY = ("connection", "tokens", "create_token", "revoke_token")


@dataclass
class House:
    """A served state, its page's token, and one token of each sort."""

    address: str
    http: aiohttp.ClientSession
    store: Store
    page_token: str

    async def post(self, path: str = RETRY, **more) -> aiohttp.ClientResponse:
        return await self.http.post(f"{self.address}{path}", allow_redirects=False, **more)

    async def actions(self, id: str = FAILED) -> list:
        return list((await self.store.read(lambda tx: tx.open_actions([id]))).get(id, ()))


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


@pytest.fixture(params=[True])
async def house(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    store = await filled(tmp_path)
    made: list[Access] = []
    begin = Access.__init__
    monkeypatch.setattr(Access, "__init__", lambda self, source: (begin(self, source), made.append(self))[0])
    tokens = [
        Token(name="reader", role=Role.READ, digest=token_digest("reader"), created_at=NOW),
        Token(name="ops", role=Role.OPERATOR, digest=token_digest("ops"), created_at=NOW),
        Token(name="old", role=Role.OPERATOR, digest=token_digest("old"), created_at=NOW, expires_at=NOW),
        Token(name="lost", role=Role.OPERATOR, digest=token_digest("lost"), created_at=NOW, revoked_at=NOW),
    ]
    for token in tokens:
        await store.write(lambda tx, token=token: tx.add_token(token))
    config = configuration(tmp_path, open_on_loopback=request.param)
    async with served(config, store) as address, aiohttp.ClientSession() as http:
        yield House(address, http, store, made[0].page_token)
    await store.close()


def expected(route, door: str) -> int:
    """What a door is answered with: 0 for anything but a refusal."""
    if door == "nobody":
        return 401
    if route.method == "POST" and door != "operator":
        return 403
    return 403 if route.name in LOCAL_ONLY else 0


@pytest.mark.parametrize("house", [False], indirect=True)
async def test_every_route_is_open_to_whom_it_may_be(house: House) -> None:
    """Without a token nothing; a read token reads; an operator token acts; what makes tokens is the socket's alone."""
    doors = {"nobody": {}, "reader": bearer("reader"), "operator": bearer("ops")}
    for route in ROUTES:
        if route.name == "events":
            continue
        path = route.path.format(**PATHS, action=route.choices.get("action", ("",))[0])
        for door, headers in doors.items():
            async with house.http.request(
                route.method, f"{house.address}{path}", headers=headers, json={} if route.method == "POST" else None
            ) as answer:
                wanted = expected(route, door)
                assert (answer.status == wanted) if wanted else (answer.status not in (401, 403)), (path, door)
                if wanted:
                    assert answer.content_type == "application/problem+json"
                    assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (wanted == 401)


async def test_a_program_without_a_token_reads_only(house: House) -> None:
    """Where the listener is open on loopback: acting takes the page's token, or an operator's."""
    async with house.http.get(f"{house.address}/api/v1/status") as answer:
        assert answer.status == 200
    assert (await house.post(json={})).status == 403
    assert (await house.post(json={}, headers=bearer("reader"))).status == 403
    assert (await house.post(json={}, headers={PAGE_HEADER: "guessed"})).status == 403
    assert await house.actions() == []
    async with await house.post(json={}, headers=bearer("ops")) as answer:
        told = await answer.json()
    assert (answer.status, told["by"], told["state"]) == (200, "token ops", "open")
    assert [action.by for action in await house.actions()] == ["token ops"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_a_form_of_our_page_is_told_from_anybody_elses(house: House, headers: dict, status: int) -> None:
    """With the page's token in the form; what another site sends is refused, whatever it knows."""
    form = {PAGE_FIELD: house.page_token, "back": f"/records/{FAILED}"}
    async with await house.post(data=form, headers=headers) as answer:
        assert answer.status == status
    assert [action.by for action in await house.actions()] == (["page"] if status == 303 else [])
    if status == 303:
        assert answer.headers["Location"] == f"/records/{FAILED}"


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_a_form_leads_back_to_us_only(house: House, back: str) -> None:
    """An address elsewhere becomes our first page."""
    async with await house.post(data={PAGE_FIELD: house.page_token, "back": back}) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_a_script_of_our_page_sends_a_header(house: House) -> None:
    """As htmx does; the answer is JSON, or a form's redirect, by what was sent."""
    headers = {PAGE_HEADER: house.page_token, "Sec-Fetch-Site": "same-origin"}
    async with await house.post(json={}, headers=headers) as answer:
        assert (answer.status, (await answer.json())["by"]) == (200, "page")


@pytest.mark.parametrize("token", ["wrong", "old", "lost", ""])
async def test_a_token_that_is_not_accepted_is_not_told_why(house: House, token: str) -> None:
    """Unknown, expired, revoked and none at all look the same, and open no loopback either."""
    async with house.http.get(f"{house.address}/api/v1/status", headers=bearer(token)) as answer:
        assert (answer.status, (await answer.json())["detail"]) == (401, "this token is not accepted")


async def test_wrong_tokens_are_counted(house: House) -> None:
    """After ten within a minute nothing from there is looked at any more, right or wrong."""
    for _ in range(10):
        async with house.http.get(f"{house.address}/api/v1/status", headers=bearer("wrong")) as answer:
            assert answer.status == 401
    for token in ("wrong", "ops"):
        async with house.http.get(f"{house.address}/api/v1/status", headers=bearer(token)) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
            assert (await answer.json())["type"] == "/problems/too_often"


async def test_the_same_key_is_the_same_action(house: House) -> None:
    """Sent again it is answered again and not done again; for anything else it is refused."""
    headers = bearer("ops") | {"Idempotency-Key": "k-1"}
    told = [await (await house.post(json={}, headers=headers)).json() for _ in range(2)]
    assert told[0] == told[1]
    assert len(await house.actions()) == 1
    for path in (f"/api/v1/records/{FAILED}/exclude", f"/api/v1/records/{3:032x}/retry"):
        async with await house.post(path, json={}, headers=headers) as answer:
            assert (answer.status, (await answer.json())["type"]) == (422, "/problems/key_reused")
    async with await house.post(json={}, headers=bearer("ops") | {"Idempotency-Key": "k-2"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (f"/api/v1/records/{9:032x}/retry", {}, 404, "no record"),
        (f"/api/v1/records/{FAILED}/dance", {}, 400, "no action"),
        (RETRY, {"from": "left"}, 400, "from: no such argument"),
        (RETRY, {"confirm": 1}, 400, "confirm: true or false"),
        (f"/api/v1/records/{SYNCED}/retry", {}, 409, "nothing to try again"),
        (f"/api/v1/records/{SYNCED}/force", {}, 400, "from: say whose"),
        (f"/api/v1/records/{SYNCED}/force", {"from": "north"}, 400, "no side: left (crm) or right (books)"),
        (f"/api/v1/records/{SYNCED}/link", {"id": "9"}, 409, "both halves"),
        (f"/api/v1/records/{FAILED}/link", {}, 400, "say either"),
        (f"/api/v1/records/{FAILED}/link", {"id": "145"}, 409, "belongs to INV-1"),
        (f"/api/v1/records/{FAILED}/link", {"record": f"{4:032x}"}, 400, "no record of invoices with a half in books"),
        (f"/api/v1/records/{SYNCED}/resolve", {"fields": {"colour": "left"}}, 400, "there is no colour"),
        ("/api/v1/actions/retry", {}, 400, "say which records"),
        ("/api/v1/actions/retry", {"flow": "quotes"}, 400, "flow: one of"),
        ("/api/v1/actions/force", {"flow": "invoices"}, 400, "asked of one record"),
    ],
)
async def test_what_makes_no_sense_is_said_at_once(
    house: House, path: str, body: dict, status: int, words: str
) -> None:
    """From what is stored; nothing is written down."""
    async with await house.post(path, json=body, headers=bearer("ops")) as answer:
        told = await answer.json()
    assert (answer.status, words in told["detail"]) == (status, True), told
    assert await house.actions() == await house.actions(SYNCED) == []


async def test_sides_may_be_called_by_their_connection(house: House) -> None:
    """As they are printed."""
    async with await house.post(f"/api/v1/records/{SYNCED}/force", json={"from": "books"}, headers=bearer("ops")) as a:
        assert (await a.json())["take"] == "right"


async def test_many_are_asked_at_once(house: House) -> None:
    """All that a filter leaves, or those that are named; whom it does not fit is listed with why."""
    more = [record(n, Status.FAILED, "customer_missing") for n in range(100, 350)]
    await house.store.write(lambda tx: tx.save_records(more))
    body = {"flow": "invoices", "status": "failed", "code": "customer_missing"}
    async with await house.post("/api/v1/actions/retry", json=body, headers=bearer("ops")) as answer:
        assert await answer.json() == {"action": "retry", "asked": 251, "not_taken": 0, "refused": []}
    ids = {"records": [SYNCED, f"{3:032x}", "nobody"]}
    async with await house.post("/api/v1/actions/retry", json=ids, headers=bearer("ops")) as answer:
        told = await answer.json()
    assert (told["asked"], told["not_taken"]) == (1, 2)
    assert {one["record"] for one in told["refused"]} == {SYNCED, "nobody"}


async def test_what_may_be_done_twice_has_to_be_confirmed(house: House) -> None:
    """A write whose outcome nobody knows is sent again on a person's word only."""
    await house.store.write(lambda tx: tx.save_records([record(7, Status.FAILED, "unknown_outcome")]))
    path = f"/api/v1/records/{7:032x}/retry"
    async with await house.post(path, json={}, headers=bearer("ops")) as answer:
        told = await answer.json()
        assert (answer.status, told["type"]) == (409, "/problems/not_confirmed")
        assert "it is there twice" in told["detail"]
    async with await house.post(path, json={"confirm": True}, headers=bearer("ops")) as answer:
        assert (answer.status, (await answer.json())["confirmed"]) == (200, True)


async def test_what_is_asked_is_shown_on_the_record_until_it_is_done(house: House) -> None:
    """With who asked it and when."""
    await house.post(json={}, headers=bearer("ops"))
    async with house.http.get(f"{house.address}/api/v1/records/{FAILED}") as answer:
        (asked,) = (await answer.json())["asked"]
    assert (asked["action"], asked["by"], asked["at"]) == ("retry", "token ops", "2026-11-20T12:00:00Z")


async def test_the_socket_makes_and_revokes_tokens(house: House, tmp_path: Path) -> None:
    """The token itself is told once; afterwards it opens the listener until it is revoked."""
    base = "http://localhost/api/v1/tokens"
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "syncd.sock"))) as local:
        expires = (NOW + timedelta(days=30)).isoformat()
        async with local.post(f"{base}/night", json={"role": "operator", "expires": expires}) as answer:
            made = await answer.json()
        assert made["token"].startswith("syncd_")
        assert (await house.post(json={}, headers=bearer(made["token"]))).status == 200
        async with local.post(f"{base}/night", json={"role": "read"}) as answer:
            assert (answer.status, "already" in (await answer.json())["detail"]) == (409, True)
        for bad in (
            {"role": "king"},
            {"role": "read", "expires": "tomorrow"},
            {"role": "read", "expires": "2020-01-01"},
        ):
            async with local.post(f"{base}/other", json=bad) as answer:
                assert answer.status == 400
        async with local.get(base) as answer:
            listed = {one["name"]: one for one in (await answer.json())["tokens"]}
        assert (listed["night"]["valid"], listed["old"]["valid"], "token" in listed["night"]) == (True, False, False)
        async with local.post(f"{base}/night/revoke") as answer:
            assert (await answer.json())["valid"] is False
        assert (await house.post(json={}, headers=bearer(made["token"]))).status == 401
        async with local.post(f"{base}/nobody/revoke") as answer:
            assert answer.status == 404
        async with local.post(f"http://localhost{RETRY}", json={}) as answer:
            assert (await answer.json())["by"].startswith("cli ")
