"""The sandbox's shell over real HTTP: faults as a client meets them, and the control routes."""

import asyncio
import errno
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from syncd.sandbox import server
from syncd.sandbox.base import Journal, Refusal, Request, Response, decode_json, encode_json
from syncd.sandbox.client import Control, ControlError
from syncd.sandbox.server import run, serving
from syncd.sandbox.world import World

PRICE = Decimal("19.90")


class Notebook:
    """A vendor with one kind of record: notes with a text and a price, written alone or in batches."""

    name = "notebook"

    def __init__(self):
        self.reset()

    def reset(self):
        self.journal, self.notes, self.pages = Journal(), [], 100

    def handle(self, request, now):
        if request.path == "/notes" and request.method == "POST":
            return _json(201, self._add(decode_json(request.body), "api:test", now))
        if request.path == "/notes/batch":
            inputs = decode_json(request.body)["inputs"]
            return _json(200, {"results": [self._add(each, "api:test", now) for each in inputs]})
        if request.path == "/notes" or request.path == "/notes/search":
            return _json(200, {"results": self.notes, "asked": request.args().get("q", "")})
        return _json(404, {"message": "Not here: " + request.path})

    def fault(self, name, options, request, now):
        return _json(422, {"message": options["words"]}) if name == "smudged" else None

    def person(self, op, kind, id, fields, now):
        if op == "delete":
            raise Refusal("Notes in ink cannot be deleted.")
        return self._add(fields, "person", now)

    def records(self, kind):
        return {"notes": self.notes}[kind]

    def settings(self, changes):
        if unknown := set(changes) - {"pages"}:
            raise KeyError(unknown.pop())
        self.pages = changes.get("pages", self.pages)
        return {"pages": self.pages}

    def credentials(self):
        return {"token": "notebook-token"}

    def _add(self, fields, caller, now):
        note = {"id": str(len(self.notes) + 1), **fields}
        self.notes.append(note)
        self.journal.add(now, caller, "create", "notes", note["id"], fields)
        return note


def _json(status, value):
    return Response(status, encode_json(value), {"Content-Type": "application/json"})


@dataclass
class Bench:
    """A running sandbox, a client of its vendor and the hand on its controls."""

    vendor: str
    http: aiohttp.ClientSession
    control: Control

    async def write(self, text="milk", **options):
        body = encode_json({"text": text, "price": PRICE})
        async with self.http.post(self.vendor + "/notes", data=body, **options) as response:
            return response, await response.read()

    async def read(self, path="/notes", **options):
        async with self.http.get(self.vendor + path, **options) as response:
            return response, await response.read()

    async def texts(self):
        return [entry["fields"]["text"] for entry in await self.control.journal("notebook")]

    async def arm(self, fault, match=None, **when):
        return await self.control.arm("notebook", fault, match, **when)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with (
        serving(World({"notebook": Notebook()}, time.perf_counter)) as address,
        aiohttp.ClientSession() as http,
        Control(address) as control,
    ):
        yield Bench(address + "/notebook", http, control)


async def test_a_request_reaches_its_vendor_and_the_answer_comes_back_to_the_digit(bench):
    """Method, path, query, body and decimals survive the way in and out."""
    response, body = await bench.write()
    _, listing = await bench.read("/notes?q=a%20b")

    assert response.status == 201
    assert b'"price":19.90' in body
    assert decode_json(listing) == {"results": [{"id": "1", "text": "milk", "price": PRICE}], "asked": "a b"}


async def test_percent_encoded_paths_arrive_decoded(bench):
    """A vendor compares plain text, such as an e-mail address in a path."""
    _, body = await bench.read("/people/ann%40example.com")

    assert b"Not here: /people/ann@example.com" in body


# Faults: the answer does not arrive.


async def test_timeout_after_commit_loses_the_answer_but_not_the_write(bench):
    """The client sees a closed line; the journal shows the write."""
    await bench.arm("timeout_after_commit", {"method": "POST"}, times=1)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bench.write()
    assert await bench.texts() == ["milk"]


async def test_timeout_after_commit_can_hold_the_line_until_the_client_gives_up(bench):
    """With `hold` the client's own deadline ends the wait, and the write stays."""
    await bench.arm("timeout_after_commit", options={"hold": 60})

    with pytest.raises(TimeoutError):
        await bench.write(timeout=aiohttp.ClientTimeout(total=0.05))
    assert await bench.texts() == ["milk"]


async def test_reset_before_leaves_no_trace_at_the_vendor(bench):
    """The connection is reset and nothing was written."""
    await bench.arm("reset_before", times=1)

    with pytest.raises(aiohttp.ClientOSError) as refused:
        await bench.write()
    assert refused.value.errno == errno.ECONNRESET
    assert await bench.texts() == []


async def test_reset_after_breaks_the_body_of_a_done_write(bench):
    """Status and half of the body arrive, then the connection is gone; the write stays."""
    await bench.arm("reset_after", times=1)

    with pytest.raises(aiohttp.ClientError):
        await bench.write()
    assert await bench.texts() == ["milk"]


async def test_late_commit_appears_when_its_time_has_come(bench):
    """Nothing is written while the client waits; it is after the vendors' clock has passed the delay."""
    await bench.arm("late_commit", options={"delay": 90}, times=1)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bench.write()
    before = await bench.texts()
    start = await bench.control.clock()
    await bench.control.advance(91)
    (entry,) = await bench.control.journal("notebook")

    assert before == []
    assert abs(datetime.fromisoformat(entry["at"]) - start - timedelta(seconds=90)) < timedelta(seconds=5)


async def test_late_commit_happens_by_itself_in_real_time(bench):
    """Without any further request the vendor gets the late write; its time in the journal is the promised one."""
    await bench.arm("late_commit", options={"delay": Decimal("0.05")}, times=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bench.write()

    async with asyncio.timeout(60):
        while not await bench.texts():
            await asyncio.sleep(0.01)


# Faults: another answer.


@pytest.mark.parametrize(("value", "seen"), [(7, "7"), (0, "0"), (-1, "-1"), (31536000, "31536000"), (None, None)])
async def test_rate_limited_says_any_retry_after_or_none(bench, value, seen):
    """Seconds travel as they were armed, absurd ones too, and the vendor is spared."""
    await bench.arm("rate_limited", options={"retry_after": value})

    response, _ = await bench.write()

    assert (response.status, response.headers.get("Retry-After")) == (429, seen)
    assert await bench.texts() == []


async def test_rate_limited_says_retry_after_as_a_date(bench):
    """The date counts from the vendor's clock, which the Date header tells."""
    await bench.arm("rate_limited", options={"retry_after_date": 30})

    response, _ = await bench.write()

    date, until = (parsedate_to_datetime(response.headers[name]) for name in ("Date", "Retry-After"))
    assert until - date == timedelta(seconds=30)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_error_may_be_a_page_and_may_come_after_the_write(bench, status):
    """A gateway's HTML page, with the work done or not."""
    await bench.arm("server_error", options={"status": status, "html": True}, times=1)
    await bench.arm("server_error", options={"status": status, "committed": True}, times=1)

    first, page = await bench.write("lost")
    second, _ = await bench.write("done")

    assert (first.status, first.content_type, page[:9]) == (status, "text/html", b"<!DOCTYPE")
    assert (second.status, second.content_type) == (status, "application/json")
    assert await bench.texts() == ["done"]


async def test_unauthorized_can_speak_the_vendors_words(bench):
    """`body` and `headers` take the place of the plain answer."""
    await bench.arm("unauthorized", options={"body": {"category": "EXPIRED"}, "headers": {"X-Trace": "abc"}})

    response, body = await bench.write()

    assert (response.status, response.headers["X-Trace"], json.loads(body)) == (401, "abc", {"category": "EXPIRED"})


async def test_redirect_points_to_another_host(bench):
    """308 with a Location; the vendor sees nothing."""
    await bench.arm("redirect", options={"location": "https://evil.example/"})

    response, _ = await bench.write(allow_redirects=False)

    assert (response.status, response.headers["Location"]) == (308, "https://evil.example/")
    assert await bench.texts() == []


async def test_maintenance_stops_writes_and_lets_reads_through(bench):
    """GET and the POSTs that only read are answered."""
    await bench.arm("maintenance")

    write, _ = await bench.write()
    read, _ = await bench.read()
    async with bench.http.post(bench.vendor + "/notes/search") as search:
        assert (write.status, read.status, search.status) == (503, 200, 200)


@pytest.mark.parametrize(
    ("fault", "body"),
    [("not_json", b"<!DOCTYPE"), ("empty_200", b"")],
)
async def test_a_done_write_may_be_answered_by_no_json(bench, fault, body):
    """200, the write is done, and the body is a page or nothing."""
    await bench.arm(fault)

    response, answer = await bench.write()

    assert response.status == 200
    assert answer[:9] == body
    assert await bench.texts() == ["milk"]


# Faults: a damaged answer, a slow vendor.


async def test_truncated_json_is_a_correct_answer_with_half_a_document(bench):
    """HTTP is satisfied, JSON is not."""
    await bench.arm("truncated_json")

    response, body = await bench.write()

    assert response.content_length == len(body)
    with pytest.raises(ValueError):
        decode_json(body)


async def test_wrong_length_ends_before_the_promised_body(bench):
    """The client notices that bytes are missing."""
    await bench.arm("wrong_length")

    with pytest.raises(aiohttp.ClientPayloadError):
        await bench.write()


async def test_partial_leaves_one_outcome_out_of_a_batch(bench):
    """All inputs are written, one is missing in the answer."""
    await bench.arm("partial", {"path": "/notes/batch"}, options={"index": 1})
    inputs = {"inputs": [{"text": text} for text in ("a", "b", "c")]}

    async with bench.http.post(bench.vendor + "/notes/batch", json=inputs) as response:
        answer = await response.json()

    assert [each["text"] for each in answer["results"]] == ["a", "c"]
    assert await bench.texts() == ["a", "b", "c"]


async def test_mutate_changes_the_answer_and_not_the_record(bench):
    """A price comes back as text for every note, while the record keeps its number."""
    await bench.write()
    await bench.arm("mutate", {"method": "GET"}, options={"path": "results.*.price", "change": "text"})

    _, body = await bench.read()
    (note,) = await bench.control.records("notebook", "notes")

    assert decode_json(body)["results"][0]["price"] == "19.90"
    assert note["price"] == PRICE


async def test_slow_and_latency_add_up(bench):
    """The answer takes at least the fault's delay and the vendor's latency."""
    await bench.control.settings("notebook", latency=Decimal("0.02"))
    await bench.arm("slow", options={"delay": Decimal("0.03")})

    start = time.monotonic()
    await bench.read()
    elapsed = time.monotonic() - start
    (row,) = await bench.control.requests("notebook")

    assert elapsed >= 0.05
    assert row["ms"] >= 50


async def test_drip_delivers_the_whole_body_in_pieces(bench):
    """The answer is complete in the end, and a client with little patience leaves earlier without harm."""
    await bench.arm("drip", options={"piece": 8, "gap": Decimal("0.001")}, times=1)
    await bench.arm("drip", options={"gap": 60})

    _, body = await bench.write()
    with pytest.raises(TimeoutError):
        await bench.read(timeout=aiohttp.ClientTimeout(total=0.05))

    assert decode_json(body)["text"] == "milk"
    assert (await bench.control.index())["vendors"] == ["notebook"]


async def test_endless_goes_on_until_the_client_leaves(bench):
    """A client that reads up to a cap gets more than the vendor's own answer."""
    await bench.arm("endless")

    async with bench.http.get(bench.vendor + "/notes") as response:
        start = await response.content.readexactly(2**20)
        response.close()

    assert start.startswith(b'{"results":[]')


async def test_a_vendor_may_have_faults_of_its_own(bench):
    """Names the catalogue does not know go to the vendor; a name it does not know either changes nothing."""
    await bench.arm("smudged", options={"words": "illegible"}, times=1)
    await bench.arm("unheard_of")

    first, body = await bench.write()
    second, _ = await bench.write()

    assert (first.status, json.loads(body)["message"]) == (422, "illegible")
    assert second.status == 201


# Control routes.


async def test_journal_tells_accepted_writes_after_a_number(bench):
    """Shape as documented: decimals as numbers, UTC times, API and person told apart."""
    await bench.write("by api")
    await bench.control.person("notebook", "create", "notes", fields={"text": "by hand", "price": PRICE})

    first, second = await bench.control.journal("notebook")

    assert first | {"at": ""} == {
        "vendor": "notebook",
        "seq": 1,
        "at": "",
        "caller": "api:test",
        "operation": "create",
        "kind": "notes",
        "id": "1",
        "fields": {"text": "by api", "price": PRICE},
        "key": None,
    }
    assert first["at"].endswith("Z")
    assert second["caller"] == "person"
    assert await bench.control.journal("notebook", after=1) == [second]


async def test_requests_tell_who_asked_what_without_the_query(bench):
    """Queries may carry secrets, so only the path is kept; no answer has status 0."""
    await bench.read("/notes?token=secret")
    await bench.arm("reset_before", {"method": "POST"})
    with pytest.raises(aiohttp.ClientOSError):
        await bench.write()

    first, second = await bench.control.requests()

    assert (first["seq"], first["method"], first["path"], first["status"]) == (1, "GET", "/notes", 200)
    assert first["bytes"] == len(b'{"results":[],"asked":""}')
    assert (second["path"], second["status"]) == ("/notes", 0)
    assert await bench.control.requests("notebook", after=1) == [second]


async def test_a_persons_refusal_is_409_with_the_vendors_words(bench):
    """The control client raises it as the same Refusal a simulation sees."""
    with pytest.raises(Refusal, match="Notes in ink cannot be deleted"):
        await bench.control.person("notebook", "delete", "notes", "1")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("PUT", "/clock", None, 404),
        ("GET", "/journal?vendor=diary", None, 404),
        ("GET", "/journal?after=x", None, 400),
        ("GET", "/records/diary/notes", None, 404),
        ("GET", "/records/notebook/songs", None, 404),
        ("POST", "/person/notebook", {"op": "create"}, 400),
        ("POST", "/person/notebook", {"op": "create", "kind": "notes", "fields": []}, 400),
        ("POST", "/settings/notebook", {"colour": "red"}, 404),
        ("POST", "/settings/notebook", {"latency": -1}, 400),
        ("POST", "/clock", {"advance": "soon"}, 400),
        ("POST", "/clock", {"advance": 1e30}, 400),
        ("POST", "/clock", {"set": "2025-01-01T00:00:00"}, 400),
        ("POST", "/clock", {}, 400),
        ("POST", "/faults", {"fault": "slow"}, 400),
        ("POST", "/faults", {"vendor": "diary", "fault": "slow"}, 404),
        ("POST", "/faults", {"vendor": "notebook"}, 400),
        ("POST", "/faults", {"vendor": "notebook", "fault": "slow", "options": {"colour": 1}}, 400),
        ("POST", "/faults", {"vendor": "notebook", "fault": "slow", "match": {"path": "("}}, 400),
        ("POST", "/faults", {"vendor": "notebook", "fault": "slow", "match": {"host": "x"}}, 400),
        ("POST", "/faults", {"vendor": "notebook", "fault": "slow", "nth": 0}, 400),
        ("POST", "/faults", {"vendor": "notebook", "fault": "slow", "nth": 1, "probability": 1}, 400),
        ("DELETE", "/faults/7", None, 404),
        ("POST", "/reset", [1], 400),
    ],
)
async def test_control_routes_refuse_nonsense_in_json(bench, method, path, body, status):
    """An unknown name is 404, a senseless value 400, always with a message."""
    url = bench.vendor.removesuffix("/notebook") + "/_sandbox" + path
    async with bench.http.request(method, url, json=body) as response:
        answer = await response.json()

    assert response.status == status
    assert answer["message"]


async def test_a_body_that_is_no_json_is_refused(bench):
    """Bad JSON answers 400."""
    url = bench.vendor.removesuffix("/notebook") + "/_sandbox/clock"
    async with bench.http.post(url, data=b"{") as response:
        assert response.status == 400


async def test_an_unknown_vendor_is_404_in_json(bench):
    """The first segment of a path names the vendor."""
    async with bench.http.get(bench.vendor.replace("notebook", "diary") + "/notes") as response:
        assert response.status == 404
        assert "diary" in (await response.json())["message"]


async def test_the_client_raises_the_sandboxes_words(bench):
    """A ControlError carries the status and the message."""
    with pytest.raises(ControlError, match="no vendor diary") as error:
        await bench.control.records("diary", "notes")

    assert error.value.status == 404


async def test_faults_are_listed_with_counts_and_removed_one_by_one_or_all(bench):
    """`met` counts matching requests, `hits` those the fault struck."""
    first = await bench.arm("server_error", {"path": "/notes"}, nth=2)
    await bench.arm("slow", {"path": "/elsewhere"})
    statuses = [(await bench.read())[0].status for _ in range(3)]
    rows = await bench.control.faults()
    await bench.control.disarm(first)
    remaining = await bench.control.faults()
    await bench.control.disarm()

    assert statuses == [200, 503, 200]
    assert [(row["fault"], row["met"], row["hits"]) for row in rows] == [("server_error", 3, 1), ("slow", 0, 0)]
    assert [row["fault"] for row in remaining] == ["slow"]
    assert await bench.control.faults() == []


async def test_the_clock_moves_and_vendors_live_by_it(bench):
    """Writes, the Date header and the clock call agree on the moved time."""
    await bench.control.set_clock(datetime(2031, 5, 1, tzinfo=UTC))
    moved = await bench.control.advance(86400)
    response, _ = await bench.write()
    (entry,) = await bench.control.journal("notebook")

    assert moved.date() == datetime(2031, 5, 2).date()
    assert entry["at"].startswith("2031-05-02T00:0")
    assert parsedate_to_datetime(response.headers["Date"]).date() == moved.date()


async def test_reset_starts_again(bench):
    """Records, journal, requests, faults, latency and clock are as at the start."""
    await bench.control.settings("notebook", latency=Decimal("0.001"), pages=5)
    await bench.arm("slow", options={"delay": 0})
    await bench.arm("late_commit", options={"delay": 60}, nth=2)
    await bench.write()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bench.write("late")
    await bench.control.advance(30)

    await bench.control.reset()
    await bench.control.advance(3600)

    assert await bench.control.journal("notebook") == []
    assert await bench.control.requests() == []
    assert await bench.control.faults() == []
    assert await bench.control.settings("notebook") == {"latency": 0, "pages": 100}


async def test_index_health_and_credentials_tell_how_to_begin(bench):
    """What a newcomer asks first."""
    root = bench.vendor.removesuffix("/notebook")
    async with bench.http.get(root + "/_sandbox/health") as response:
        health = await response.json()

    assert health == {"status": "ok"}
    assert "POST /_sandbox/reset" in (await bench.control.index())["calls"]
    assert await bench.control.credentials() == {"notebook": {"token": "notebook-token"}}


# The server itself.


def test_control_routes_are_for_this_machine_only():
    """When the sandbox listens to a network, vendors answer it and the control routes do not."""
    shell = server.Shell(World({"notebook": Notebook()}))

    def status(path, peer):
        return shell.deliver(Request("GET", path), peer).response.status

    assert status("/_sandbox/journal", "192.0.2.7") == 403
    assert status("/_sandbox/journal", "127.0.0.1") == 200
    assert status("/_sandbox/journal", "::1") == 200
    assert status("/notebook/notes", "192.0.2.7") == 200


async def test_bodies_above_the_cap_are_refused(bench):
    """64 MiB and one byte are too many; the vendor sees nothing."""

    async def chunks():
        for _ in range(65):
            yield bytes(2**20)

    async with bench.http.post(bench.vendor + "/notes", data=chunks()) as response:
        assert response.status == 413


async def test_a_thousand_calls_take_little_time(bench):
    """The shell must not be what a test waits for (about 0.3 s here; the bound only catches a disaster)."""
    start = time.process_time()
    for _ in range(1000):
        await bench.read()

    assert time.process_time() - start < 5
    assert len(await bench.control.requests()) == 1000


async def test_stopping_does_not_wait_for_answers_that_hang():
    """A held line is cut when the sandbox ends."""
    async with aiohttp.ClientSession() as http:
        async with serving(World({"notebook": Notebook()})) as address, Control(address) as control:
            await control.arm("notebook", "slow", options={"delay": 600})
            hanging = asyncio.create_task(http.get(address + "/notebook/notes"))
            async with asyncio.timeout(60):
                while not await control.requests():
                    await asyncio.sleep(0.01)
            start = time.monotonic()

        assert time.monotonic() - start < 60
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_the_command_serves_until_it_is_told_to_end(monkeypatch):
    """`run` announces its address once it answers, and SIGTERM ends it cleanly."""
    monkeypatch.setattr(server, "create_world", lambda timer: World({"notebook": Notebook()}, timer))
    announced = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run(0, announce=announced.set_result))
    async with asyncio.timeout(60), Control(await announced) as control:
        assert (await control.index())["vendors"] == ["notebook"]

        os.kill(os.getpid(), signal.SIGTERM)
        await running
