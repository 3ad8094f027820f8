"""What the API says about itself is what it does: `openapi.json` against the routes and against real answers."""

import asyncio
import json

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from syncd.model.record import Activity, Status
from syncd.model.token import Role, Token
from syncd.status import problems
from syncd.status.access import token_digest
from syncd.status.api import create_app
from syncd.status.openapi import document
from syncd.status.routes import ALWAYS, API, ROUTES
from syncd.store.store import Store
from tests.status_state import NOW, configuration, filled, record, served, source

STREAM = f"{API}/events"
load_all_checks()
# A sync that does not exist is text like any other to the document; and nobody is let in without a token here.
NOT_HELD = CHECKS.get_by_names(["positive_data_acceptance", "ignored_auth"])


@pytest.fixture
async def house(tmp_path):
    """A state with a record of each status, served."""
    store = await filled(tmp_path)
    async with served(configuration(tmp_path), store) as address, aiohttp.ClientSession(address) as http:
        yield address, http, store
    await store.close()


async def test_every_route_of_the_api_is_described_and_no_other(tmp_path):
    """The document is put together from the table that serves, so neither can be forgotten."""
    store = await filled(tmp_path)
    app = create_app(source(configuration(tmp_path), store))
    await store.close()
    found = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource.canonical.startswith("/api/") and route.method != "HEAD"
    }
    described = {(method.upper(), path) for path, ways in document("1")["paths"].items() for method in ways}
    assert found == described


async def test_the_description_is_served(house):
    """Also to a program that only asks whether it has changed."""
    _, http, _ = house
    async with http.get(f"{API}/openapi.json") as answer:
        assert await answer.json() == document("0.1")
        tag = answer.headers["ETag"]
    async with http.get(f"{API}/openapi.json", headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize("path", ["status", "connections", "records", f"records/{1:032x}", "history", "catalogue"])
async def test_what_has_not_changed_is_not_sent_again(house, path):
    """An answer's tag stands for what it says, not for when it was asked; another answer has another tag."""
    _, http, store = house
    async with http.get(f"{API}/{path}") as answer:
        tag = answer.headers["ETag"]
    async with http.get(f"{API}/{path}", headers={"If-None-Match": tag}) as again:
        assert again.status == 304
    await store.write(lambda tx: tx.save_records([record(1, Status.FAILED, "record_gone", right="145")]))
    async with http.get(f"{API}/{path}", headers={"If-None-Match": tag}) as moved:
        assert moved.status == (304 if path in ("connections", "catalogue") else 200)


async def test_every_problem_leads_to_words(house):
    """The `type` of an error is the address of a page that says what to do; so is every row of the catalogue."""
    _, http, _ = house
    async with http.get(f"{API}/records/nope") as answer:
        told = await answer.json()
    async with http.get(told["type"]) as page:
        assert page.status == 200
        assert told["title"] in await page.text()
    async with http.get(f"{API}/catalogue") as answer:
        codes = [row["code"] for row in (await answer.json())["entries"]]
    for code in (*codes, *problems.PROBLEMS):
        async with http.get(f"/problems/{code}") as page:
            assert page.status == 200, code


def test_every_status_that_may_be_answered_has_words():
    """What the table of routes names as a problem is one of `problems.py`, and its statuses are told apart."""
    named = {status for route in ROUTES for status in (*ALWAYS, *route.problems)}
    assert named <= {kind.status for kind in problems.PROBLEMS.values()}
    told = [kind.status for code, kind in problems.PROBLEMS.items() if code != "not_confirmed"]
    assert len(set(told)) == len(told)
    assert problems.code_of(problems.PROBLEMS["not_confirmed"].status) == "not_possible_now"


async def test_what_moves_is_told_as_it_moves(house):
    """A changed total and the record behind it, each once; nothing while nothing happens."""
    _, http, store = house
    moved = record(3, Status.SYNCED)
    note = Activity(record=moved.id, at=NOW, event="record.planned", by="poll")
    async with asyncio.timeout(60), http.get(STREAM) as stream:
        assert stream.content_type == "text/event-stream"
        assert await told(stream) == ("hello", {})
        await asyncio.sleep(1.1)  # it has looked once: there is nothing to tell
        await store.write(lambda tx: (tx.save_records([moved]), tx.add_activity([note, note])))
        assert await told(stream) == (
            "counts",
            [
                {"sync": "invoicing", "flow": "invoices", "status": "pending", "n": 0},
                {"sync": "invoicing", "flow": "invoices", "status": "synced", "n": 2},
            ],
        )
        assert await told(stream) == ("records", {"ids": [moved.id], "n": 1})


async def told(stream):
    """The next event of a stream, with its data."""
    event = ""
    async for line in stream.content:
        name, _, value = line.decode().strip().partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            return event, json.loads(value)
    raise AssertionError("the stream ended")


async def explored(address: str, most: int, store: Store) -> None:
    """What an operator may ask, made from the document, each answer held against it; in a thread, one by one."""
    token = Token(name="explorer", role=Role.OPERATOR, digest=token_digest("explorer"), created_at=NOW)
    await store.write(lambda tx: tx.add_token(token))

    def run() -> None:
        schema = schemathesis.openapi.from_url(f"{address}{API}/openapi.json").exclude(path=STREAM)
        for found in schema.get_all_operations():

            @given(case=found.ok().as_strategy())
            @settings(
                max_examples=most,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case) -> None:
                headers = {"Authorization": "Bearer explorer"}
                case.call_and_validate(headers=headers, excluded_checks=NOT_HELD)

            ask()

    await asyncio.to_thread(run)


async def test_every_answer_is_one_that_is_described(house):
    """No fault, and no status, content type or shape that the document does not name."""
    address, _, store = house
    await explored(address, 5, store)


@pytest.mark.slow
async def test_a_long_look_for_an_answer_that_is_not_described(house):
    """The same with many more requests."""
    address, _, store = house
    await explored(address, 300, store)
