"""The webhook listener against whatever a stranger may send, on raw sockets."""

import asyncio
import gzip
import itertools
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from syncd.config import Webhooks
from syncd.config_values import Listen
from syncd.entrance import connection
from syncd.errors import StateBusy
from syncd.feed import listener
from syncd.feed.listener import MAX_BODY, listening
from tests.webhook_house import House, crm_events, house, request, status, until
from tests.webhook_samples import GENERIC, hubspot_signed

FLOOD_SECONDS = 2.0
LONG = 9.0  # seconds: less than the deadline of bodies where a test leaves it alone
HEAD = b"POST /webhooks/crm HTTP/1.1\r\nHost: x\r\n"
GOOD = request("/webhooks/crm", GENERIC, hubspot_signed(GENERIC))


@pytest.fixture
async def here(tmp_path):
    async with house(tmp_path, connections=20) as made:
        yield made


async def opened(here: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(here.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def serves(here: House) -> None:
    """It still takes what is genuine, and has forgotten all connections but that one."""
    await until(lambda: not here.gate_count())
    assert status(await here.talk(GOOD)) == 200


@pytest.fixture(autouse=True)
def _count_connections(monkeypatch):
    """Lets a test see how many connections the gate counts."""
    gates = []

    class Gate(listener.Gate):
        def __init__(self, *args):
            super().__init__(*args)
            gates.append(self)

    monkeypatch.setattr(listener, "Gate", Gate)
    monkeypatch.setattr(House, "gate_count", lambda self: gates[-1]._by_address.total(), raising=False)
    monkeypatch.setattr(House, "gate_bytes", lambda self: gates[-1]._bytes, raising=False)


async def test_an_answer_is_short_and_closes_the_connection(here):
    """A second request in the same breath is not looked at; nothing says what software answers."""
    answer = await here.talk(GOOD + GOOD)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert (status(answer), body, answer.count(b"HTTP/1.1")) == (200, b"OK\n", 1)
    assert b"Connection: close" in head
    assert b"aiohttp" not in head


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "HEAD", "PATCH"])
async def test_other_methods_are_not_allowed(here, method):
    """The one that is, is named."""
    answer = await here.talk(request("/webhooks/crm", b"", {}, method))
    assert status(answer) == 405
    assert b"Allow: POST" in answer


async def test_a_body_that_is_too_long_is_refused(here):
    """Whether it says so, or only turns out to be; the limit itself is allowed."""
    for size, expected in ((MAX_BODY, 401), (MAX_BODY + 1, 413)):
        assert status(await here.talk(request("/webhooks/crm", bytes(size), {}))) == expected
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    assert status(await here.talk(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 33)) in (413, 0)
    await serves(here)


async def test_a_declared_length_is_enough_to_be_refused(here):
    """Nobody waits for ten gigabytes of which ten bytes came."""
    async with asyncio.timeout(LONG):
        assert status(await here.talk(HEAD + b"Content-Length: 10000000000\r\n\r\n0123456789")) == 413
    await serves(here)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
async def test_encoded_bodies_are_refused(here, encoding):
    """So 200 MB of zeros never come out of 199 KB."""
    bomb = gzip.compress(bytes(2_000_000))
    answer = await here.talk(request("/webhooks/crm", bomb, {"Content-Encoding": encoding}))
    assert status(answer) == 415


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"POST /webhooks/crm\r\n\r\n",
        b"POST  /webhooks/crm HTTP/1.1\r\n\r\n",
        b"POST /webhooks/crm HTTP/9.9\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Content-Length: 0x10\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nsecret-in-a-chunk\r\n",
        HEAD + b"X-Bad\x00Name: secret-in-a-header\r\n\r\n",
        HEAD + b"X-Bad: secret\x00value\r\n\r\n",
        HEAD + b"X-Long: " + b"s" * 16_384 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + b"\r\n",
        HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 1\n\nx\n\n",
    ],
    ids=range(15),
)
async def test_what_is_no_http_is_refused_without_a_word(here, capsys, caplog, sent):
    """No byte of it goes into the answer or the log, where it could carry a secret or break a line."""
    async with asyncio.timeout(LONG):
        answer = await here.talk(sent)
    assert status(answer) in (400, 401, 404, 0)
    said = capsys.readouterr()
    for text in (answer, said.out.encode(), said.err.encode(), caplog.text.encode()):
        assert not any(piece in text for piece in (b"secret", b"ssss"))
    assert "Traceback" not in said.out + said.err + caplog.text
    await serves(here)
    assert len(await here.refs()) == 2


async def test_headers_have_a_deadline(here, monkeypatch):
    """Half-open connections are closed, dripping ones too, and meanwhile others are served."""
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.3)
    streams = [await opened(here) for _ in range(15)]

    async def drip(writer):
        for byte in HEAD * 3:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    dripping = [asyncio.create_task(drip(writer)) for _, writer in streams[:5]]
    assert status(await here.talk(GOOD)) == 200
    async with asyncio.timeout(LONG):
        for reader, writer in streams:
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
    for task in dripping:
        task.cancel()
    await serves(here)


async def test_bodies_have_a_deadline(here, monkeypatch):
    """Whoever stops in the middle is told, and gone."""
    monkeypatch.setattr(listener, "BODY_SECONDS", 0.2)
    async with asyncio.timeout(LONG):
        assert status(await here.talk(GOOD[:-10])) == 408
    assert await here.refs() == []
    await serves(here)


async def test_the_whole_exchange_has_a_deadline(here, monkeypatch):
    """Whatever else holds it up."""
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(connection, "REST_SECONDS", 0.1)
    async with asyncio.timeout(LONG):
        assert await here.talk(GOOD[:-10]) == b""
    await serves(here)


async def test_who_leaves_in_the_middle_leaves_nothing(here, capsys, caplog):
    """No hint, no counted connection, no error in the log."""
    for cut in (0, 10, len(GOOD) - len(GENERIC), len(GOOD) - 1):
        _, writer = await opened(here)
        writer.write(GOOD[:cut])
        await writer.drain()
        writer.transport.abort()
    await until(lambda: not here.gate_count())
    assert await here.refs() == []
    assert here.gate_bytes() == 0
    assert "failed" not in capsys.readouterr().out + caplog.text
    await serves(here)


async def test_connections_over_the_limit_are_turned_away(here):
    """Politely as long as there are not twice as many, and at once beyond that; afterwards there is room again."""
    streams = [await opened(here) for _ in range(20)]
    await until(lambda: here.gate_count() == 20)
    answer = await here.talk(GOOD)
    assert status(answer) == 503
    assert b"Retry-After: 30" in answer
    streams += [await opened(here) for _ in range(20)]
    await until(lambda: here.gate_count() == 40)
    assert await here.talk(GOOD) == b""
    for _, writer in streams:
        writer.transport.abort()
    await serves(here)


async def test_one_address_cannot_take_all_connections(tmp_path):
    """By default on a public address; on loopback, where the proxy is everybody, only when it is set."""
    async with house(tmp_path, per_address=3) as here:
        streams = [await opened(here) for _ in range(3)]
        await until(lambda: here.gate_count() == 3)
        assert status(await here.talk(GOOD)) == 503
        for _, writer in streams:
            writer.transport.abort()
        await serves(here)


async def test_bodies_together_have_a_limit(here, monkeypatch):
    """Beyond it, whoever sends more is asked to come again."""
    monkeypatch.setattr(listener.Gate, "hold", lambda self, size: False)
    assert status(await here.talk(GOOD)) == 503
    assert await here.refs() == []


async def test_a_fault_of_ours_is_told_by_its_type_and_place(here, monkeypatch, capsys):
    """An exception's text could hold what was sent."""

    def broken(*_):
        raise KeyError("secret-in-an-exception")

    monkeypatch.setattr(here.intake, "receive", broken)
    answer = await here.talk(GOOD)
    said = capsys.readouterr()
    assert status(answer) == 500
    assert "KeyError" in said.out
    assert "secret" not in answer.decode() + said.out + said.err


async def test_ten_times_what_vendors_send_is_stored_when_acknowledged(tmp_path):
    """A hundred at once, where HubSpot sends ten: every acknowledged id is there, the others are asked to come again.

    How long the answers took is shown and not judged: it is the machine's.
    """
    answers: dict[int, int] = {}
    took: list[float] = []
    numbers, end = itertools.count(1), time.monotonic() + FLOOD_SECONDS
    async with house(tmp_path, connections=64) as here:

        async def send() -> None:
            while time.monotonic() < end or sum(code == 200 for code in answers.values()) <= 100:
                id, begin = next(numbers), time.monotonic()
                body = crm_events(id)
                answers[id] = await here.post("/webhooks/crm", body, hubspot_signed(body))
                took.append(time.monotonic() - begin)

        await asyncio.gather(*(send() for _ in range(100)))
        acknowledged = {str(id) for id, code in answers.items() if code == 200}
        print(f"{len(took)} answers, {len(acknowledged)} stored, p99 {sorted(took)[len(took) * 99 // 100]:.3f} s")
        assert set(answers.values()) <= {200, 503, 0}
        assert len(acknowledged) > 100
        assert acknowledged == {ref.id for ref in await here.refs()}
        assert here.received("crm").accepted == len(acknowledged)


async def test_a_taken_address_is_told(here):
    """As the other things are that stand in the way of a start."""
    taken = Listen("127.0.0.1", urlsplit(here.url).port)
    settings = Webhooks(public_url="https://x.example").model_copy(update={"listen": taken})
    with pytest.raises(StateBusy, match=rf"webhooks\.listen: 127\.0\.0\.1:{taken.port} cannot be listened on"):
        async with listening(settings, here.intake):
            pass
