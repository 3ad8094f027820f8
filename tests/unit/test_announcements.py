"""`[daemon.notify]`: one signed POST when a condition changes and stays, whatever the receiver does."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from syncd.announce import SETTLED, Announcer, signature
from syncd.config import Notify, load
from syncd.errors import ConfigError
from syncd.model.connection import ConnectionRow
from syncd.model.record import Status
from syncd.store.store import Store
from tests.status_state import HOSTILE, NOW, configuration, filled, record, source

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


@dataclass
class Clock:
    """Stands until it is moved."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Receiver:
    """Keeps what it is sent; answers with the next status, 204 when it was given none."""

    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 204, headers={"Location": "/elsewhere"})

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Who, before, now."""
        data = [json.loads(body)["data"] for _, body in self.got]
        return [(one.get("connection") or one["flow"], one["before"], one["condition"]) for one in data]


@dataclass
class Watch:
    """An announcer over a state, its clock and its receiver."""

    store: Store
    clock: Clock
    receiver: Receiver
    announcer: Announcer
    http: aiohttp.ClientSession

    async def after(self, seconds: float) -> list[tuple[str, str, str]]:
        """What has been told once so much time has passed, looking every few seconds."""
        for _ in range(int(seconds // 5)):
            await self.announcer.look(self.http)
            self.clock.seconds += 5
        return self.receiver.told

    async def set(self, condition: str) -> None:
        row = ConnectionRow(name="crm", vendor="hubspot", account_name=HOSTILE, words=HOSTILE, condition=condition)
        await self.store.write(lambda tx: tx.save_connection(row))


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    """All is well at the beginning."""
    store, receiver, clock = await filled(tmp_path), Receiver(), Clock()
    fine = [
        replace(one, status=Status.SYNCED, code="") for one in (await store.read(lambda tx: tx.list_records())).rows
    ]
    await store.write(lambda tx: tx.save_records(fine))
    await store.write(lambda tx: tx.save_connection(ConnectionRow(name="books", vendor="quickbooks")))
    made = web.Application()
    made.router.add_post("/hook", receiver.take)
    async with TestServer(made) as server, aiohttp.ClientSession() as http:
        config = Notify.model_construct(url=str(server.make_url("/hook")), secret=SecretStr(SECRET))
        told = replace(source(configuration(tmp_path, notify=config), store), clock=clock)
        yield Watch(store, clock, receiver, Announcer(told), http)
    await store.close()


async def test_a_connection_that_waits_for_a_person_and_one_that_is_back(watch: Watch) -> None:
    """Told once when it has stood for half a minute, and once when all is well again."""
    assert await watch.after(60) == []
    await watch.set("authorization_lost")
    assert await watch.after(SETTLED - 5) == []
    assert await watch.after(60) == [("crm", "ok", "authorization_lost")]
    await watch.set("ok")
    assert await watch.after(60) == [("crm", "ok", "authorization_lost"), ("crm", "authorization_lost", "ok")]


async def test_a_hiccup_is_not_told(watch: Watch) -> None:
    """A vendor that was away for ten seconds is nobody's concern."""
    for condition in ("vendor_unavailable", "ok") * 5:
        await watch.set(condition)
        assert await watch.after(10) == []


async def test_a_flow_that_is_held_released_and_fails(watch: Watch) -> None:
    """The worst condition of a flow, with figures; zero failed is the line."""
    await watch.store.write(
        lambda tx: tx.save_records([record(9, Status.PENDING, "held"), record(8, Status.FAILED, "customer_missing")])
    )
    await watch.after(60)
    await watch.store.write(lambda tx: tx.save_records([record(9)]))
    await watch.after(60)
    await watch.store.write(lambda tx: tx.save_records([record(8)]))
    told = await watch.after(60)

    assert told == [("invoices", "ok", "held"), ("invoices", "held", "failing"), ("invoices", "failing", "ok")]
    first = json.loads(watch.receiver.got[0][1])
    assert (first["type"], first["data"]["failed"], first["data"]["held"]) == ("flow.condition", 1, 1)


async def test_the_request_is_signed_as_standard_webhooks_says(watch: Watch) -> None:
    """HMAC-SHA256 over id, timestamp and body, with the secret's bytes."""
    await watch.set("authorization_lost")
    await watch.after(60)
    ((headers, body),) = watch.receiver.got

    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - watch.clock.now().timestamp()) < 60
    assert signature("a plain secret of some length", "i", 1, b"{}") != signature(SECRET, "i", 1, b"{}")


async def test_nothing_of_a_person_is_told(watch: Watch) -> None:
    """Names of the configuration and figures; no label, account, or word of a vendor."""
    await watch.set("vendor_unavailable")
    await watch.after(60)
    ((_, body),) = watch.receiver.got

    assert HOSTILE.encode() not in body
    assert set(json.loads(body)) == {"type", "timestamp", "text", "data"}
    assert set(json.loads(body)["data"]) == {"connection", "vendor", "condition", "before"}


@pytest.mark.parametrize("answer", [500, 404, 302])
async def test_a_receiver_that_refuses_is_asked_again_more_and_more_slowly(watch: Watch, answer: int) -> None:
    """With the same id; a redirect is a refusal; and then never again."""
    watch.receiver.answers = [answer] * 3
    await watch.set("authorization_lost")
    await watch.after(600)

    assert len(watch.receiver.got) == 4
    assert len({headers["webhook-id"] for headers, _ in watch.receiver.got}) == 1


async def test_what_is_over_before_it_could_be_told_is_not_told(watch: Watch) -> None:
    """A receiver that was away hears of what is, not of what was."""
    watch.receiver.answers = [503]
    await watch.set("authorization_lost")
    await watch.after(35)
    await watch.set("ok")

    assert await watch.after(600) == [("crm", "ok", "authorization_lost")]  # the refused one


async def test_a_restart_neither_forgets_nor_repeats(watch: Watch) -> None:
    """What was told stands in the state."""
    await watch.set("authorization_lost")
    await watch.after(60)
    watch.announcer = Announcer(watch.announcer.source)
    assert await watch.after(60) == [("crm", "ok", "authorization_lost")]
    await watch.set("ok")
    assert len(await watch.after(60)) == 2


@pytest.mark.parametrize(
    ("notify", "words"),
    [
        ('url = "ftp://x", secret = { env = "S" }', "is no web address"),
        ('url = "http://alerts.example.com", secret = { env = "S" }', "is not https"),
        ('url = "https://me:pw@alerts.example.com", secret = { env = "S" }', "carries credentials"),
        ('url = "https://alerts.example.com", secret = { env = "SHORT" }', "too short to sign with"),
        ('url = "https://alerts.example.com", secret = { env = "BROKEN" }', "not base64"),
        ('url = "https://alerts.example.com", secret = "in the file"', "only referred to"),
        ('url = "https://alerts.example.com"', "is missing"),
    ],
)
def test_a_wrong_setting_is_told_with_its_cure(tmp_path: Path, notify: str, words: str) -> None:
    """At the start, with file and line."""
    file = tmp_path / "syncd.toml"
    file.write_text(f"[daemon]\nnotify = {{ {notify} }}\n")
    environ = {"S": SECRET, "SHORT": "short", "BROKEN": "whsec_" + "?" * 30}
    with pytest.raises(ConfigError) as refused:
        load(file, environ)

    (problem,) = [p for p in refused.value.problems if p.key.startswith("daemon.notify")]
    assert words in problem.message
    assert problem.cure
    assert SECRET not in str(refused.value)
