"""The status listener against whatever a stranger may send, on raw sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from syncd.entrance import connection
from syncd.model.token import Role, Token
from syncd.status.access import token_digest
from tests.status_state import NOW, configuration, filled, served

MANY = 500
GET = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /preferences HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
END = 9.0  # seconds after which nobody slow is there any more; less than the longest deadline
PATIENCE = 60.0  # for a machine that is busy with something else


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    store = await filled(tmp_path)
    async with served(configuration(tmp_path), store) as address:
        yield address
    await store.close()


async def opened(address: str, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(sent)
    return reader, writer


async def talk(address: str, sent: bytes, seconds: float = PATIENCE) -> bytes:
    """Everything that is answered until the other side closes."""
    reader, writer = await opened(address, sent)
    try:
        async with asyncio.timeout(seconds):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /", GET, POST + b"Content-Length: 100\r\n\r\nx", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET],
    ids=["silence", "a beginning", "half a header", "half a body", "half a second request"],
)
async def test_whoever_is_slow_is_let_go(address, monkeypatch, sent):
    """Half a request opens nothing for long, and nobody else waits for it."""
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(connection, name, 0.4)
    monkeypatch.setattr("syncd.status.shield.BODY_SECONDS", 0.4)
    await talk(address, sent, END)


async def test_many_slow_connections_hurt_nobody(address):
    """Five hundred that never end their headers are gone; health is answered meanwhile."""
    assert connection.HEADER_SECONDS < END
    slow = [await opened(address, GET) for _ in range(MANY)]
    async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE):
        open_ones = {asyncio.ensure_future(closed(reader)) for reader, _ in slow}
        meanwhile = 0
        while open_ones:
            async with http.get(f"{address}/livez") as answer:
                assert answer.status == 200
            meanwhile += not all(one.done() for one in open_ones)
            _, open_ones = await asyncio.wait(open_ones, timeout=0.3)
        assert meanwhile
    for _, writer in slow:
        writer.close()


async def closed(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(1000):
            pass


async def test_more_than_there_is_room_for_are_told_to_come_later(address, monkeypatch):
    """With an answer that says so, and the socket file stays open for the owner."""
    monkeypatch.setattr(connection, "HEADER_SECONDS", 5.0)
    room = 512
    kept = [await opened(address, b"") for _ in range(room)]
    answer = await talk(address, GET + b"\r\n")
    assert b"503" in answer.split(b"\r\n")[0]
    assert b"Retry-After" in answer
    for _, writer in kept:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: 10000000000\r\n\r\n0123456789", 413),
        (POST + b"Content-Length: 70000\r\n\r\n" + bytes(70_000), 413),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 16_384 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + b"\r\n", 400),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (b"GET /api/v1/status?limit=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421),
        (b"GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 421),
        (GET + b"Host: evil.example\r\n\r\n", 400),
        (GET.replace(b"\r\n", b"\n") + b"\n", 400),
        (GET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /api/v1/\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (GET + b"Connection: close\r\nAuthorization: Bearer \xff\xfe\r\n\r\n", 401),
        (GET + b"Connection: close\r\nCookie: syncd_access=\xff\r\n\r\n", 401),
        (GET.replace(b"/status", b"/status?access_token=syncd_x") + b"Connection: close\r\n\r\n", 400),
        (GET.replace(b"/api/v1/status", b"/../../etc/passwd") + b"Connection: close\r\n\r\n", 404),
        (GET.replace(b"/api/v1/status", b"/vendor/..%2f..%2fstyle.css") + b"Connection: close\r\n\r\n", 404),
        (GET.replace(b"/api/v1/status", b"/api/v0/status") + b"Connection: close\r\n\r\n", 404),
        (GET.replace(b"GET", b"OPTIONS") + b"Connection: close\r\n\r\n", 405),
        (GET.replace(b"GET", b"PROPFIND") + b"Connection: close\r\n\r\n", 405),
        (GET.replace(b"/status", b"/records?sort=label;--") + b"Connection: close\r\n\r\n", 400),
    ],
    ids=range(23),
)
async def test_what_is_not_taken_is_refused_at_once(address, sent, status):
    """Without a version, and without a byte of it in the answer."""
    answer = await talk(address, sent)
    assert int(answer.split(b" ", 2)[1]) == status
    assert b"aiohttp" not in answer
    assert b"Python" not in answer


BODIES = [
    b'{"q":' + b"[" * 60_000,
    b'{"q":NaN}',
    b'{"q":Infinity}',
    b'{"flow":' + b"9" * 5000 + b"}",
    b'{"q":"\\ud800"}',
    b'{"q":"\xff"}',
    b"\xef\xbb\xbf{}",
    b"{" + b",".join(b'"%d":1' % n for n in range(5000)) + b"}",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("kind", [b"application/json", b"application/json; charset=none"])
async def test_json_that_breaks_readers_is_a_question_nobody_understands(tmp_path, capsys, body, kind):
    """From somebody who may act: depth, endless numbers, what is no number, half a surrogate, thousands of keys."""
    store = await filled(tmp_path)
    token = Token(name="ops", role=Role.OPERATOR, digest=token_digest("syncd_x"), created_at=NOW)
    await store.write(lambda tx: tx.add_token(token))
    head = b"POST /api/v1/actions/retry HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " + kind
    head += b"\r\nAuthorization: Bearer syncd_x\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with served(configuration(tmp_path), store) as address:
        answer = await talk(address, head + body)
    await store.close()
    assert int(answer.split(b" ", 2)[1]) == 400
    assert b"problem+json" in answer
    assert "request_failed" not in capsys.readouterr().out
