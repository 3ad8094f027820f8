"""Vendors that answer, but not always what they should: the sandbox in this process, and somebody who alters answers.

Nothing waits and nothing is sent: the clock jumps, and requests reach the sandbox's vendors as calls.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from syncd.connectors import hubspot, quickbooks
from syncd.connectors.base import Connector, Order, Outcome, Refused, Send
from syncd.connectors.http import HttpReply, HttpRequest
from syncd.connectors.settings import ConnectionSettings
from syncd.core.catalogue import CATALOGUE, Group
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Snapshot
from syncd.sandbox.base import Request, decode_json, encode_json
from syncd.sandbox.world import World, create_world
from tests.contract.connectors import test_hubspot_contract, test_quickbooks_contract

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
KINDS = (Kind.PARTY, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT)
ENOUGH = 400  # requests of one look; more means that an answer sends us round in circles

Alter = Callable[[HttpReply], HttpReply]
Target = Callable[[int, HttpRequest], bool]


class RoundInCircles(AssertionError):
    """One look asked without an end."""


class Jumping:
    """A clock on which every wait is over at once, the same in every run."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


class Chance:
    """No jitter, and ids in a row."""

    def __init__(self) -> None:
        self.number = 0

    def new_id(self) -> str:
        self.number += 1
        return f"{self.number:032x}"

    def fraction(self) -> float:
        return 0.5


class Drawer:
    """Keeps tokens in memory."""

    def __init__(self, kept: Mapping[str, str] | None = None) -> None:
        self.kept = dict(kept or {})

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        yield

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value


@dataclass
class Wire:
    """Calls the sandbox; the answers to some questions are altered, each time in the same way.

    Attributes:
        known: answers that were given before; nothing changes over there.
        target: whether the answer to a question is altered, by its number and the question.
        asked: the questions in order, each once, with their answers.
    """

    world: World
    known: dict[tuple[str, str, bytes], HttpReply]
    target: Target = lambda number, request: False
    alter: Alter = lambda reply: reply
    asked: dict[tuple[str, str, bytes], HttpReply] = field(default_factory=dict)
    requests: int = 0

    async def send(self, request: HttpRequest) -> HttpReply:
        self.requests += 1
        if self.requests > ENOUGH:
            raise RoundInCircles(request.route)
        key = (request.method, request.url, request.body or b"")
        if key not in self.asked:
            reply = self.known.get(key) or self._answered(request)
            self.known[key] = reply
            self.asked[key] = self.alter(reply) if self.target(len(self.asked), request) else reply
        return self.asked[key]

    def _answered(self, request: HttpRequest) -> HttpReply:
        parts = urlsplit(request.url)
        vendor, _, path = parts.path[1:].partition("/")
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, unquote("/" + path), parts.query, headers, request.body or b"")
        response = self.world.handle(vendor, asked, NOW).response
        assert response is not None
        answer = {name.lower(): value for name, value in response.headers.items()}
        return HttpReply(status=response.status, headers=answer, body=response.body)

    async def close(self) -> None: ...


Look = Callable[[Connector], Awaitable[Any]]


@dataclass(frozen=True)
class House:
    """One vendor, and everything that is ever read of it."""

    vendor: str
    world: World
    known: dict[tuple[str, str, bytes], HttpReply] = field(default_factory=dict)

    def connector(self, wire: Wire) -> Connector:
        keys, clock = self.world.vendors[self.vendor].credentials(), Jumping()
        url = f"http://127.0.0.1:1/{self.vendor}"
        shared: dict[str, Any] = {"name": "it", "vendor": self.vendor, "url": url, "options": {"pace": "off"}}
        settings = ConnectionSettings(
            client_id=keys["client_id"],
            client_secret=keys["client_secret"],
            refresh_token=keys["refresh_token"],
            account=keys.get("realm_id"),
            **shared,
        )
        connect = hubspot.connect if self.vendor == "hubspot" else quickbooks.connect
        return connect(settings, wire, clock, Chance(), Drawer())

    def wire(self, target: Target = lambda number, request: False, alter: Alter = lambda reply: reply) -> Wire:
        return Wire(self.world, self.known, target, alter)

    def found(self, look: Look, wire: Wire) -> Any:
        """What a connector that was just made finds."""

        async def found() -> Any:
            return await look(self.connector(wire))

        return asyncio.run(found())

    def ids(self, kind: Kind) -> list[str]:
        rows = self.world.vendors[self.vendor].records(NAMES[self.vendor][kind])
        return [str(row.get("id") or row.get("Id")) for row in rows][:12]

    @property
    def looks(self) -> dict[str, Look]:
        """Every way in which something is read."""
        made: dict[str, Look] = {"account": _account, "check": _check, "first poll": _poll, "poll": _poll_again}
        for kind in KINDS:
            made[f"read {kind}"] = _reading(kind, [*self.ids(kind), "999999"])
            made[f"history {kind}"] = _history(kind)
        orders = ORDERS[self.vendor]
        made |= {f"write {order.op} {order.kind}": _writing(order) for order in orders}
        made |= {f"resolve {order.op} {order.kind}": _resolving(order) for order in orders}
        for kind, field_name, value in KEYS[self.vendor]:
            made[f"find {kind} by {field_name}"] = _finding(kind, MatchKey(field_name, value))
        return made


NAMES = {
    "hubspot": {
        Kind.PARTY: "contacts",
        Kind.PRODUCT: "products",
        Kind.INVOICE: "invoices",
        Kind.PAYMENT: "commerce_payments",
    },
    "quickbooks": {
        Kind.PARTY: "Customer",
        Kind.PRODUCT: "Item",
        Kind.INVOICE: "Invoice",
        Kind.PAYMENT: "Payment",
    },
}
_CRM, _BOOKS = test_hubspot_contract.TestHubSpot(), test_quickbooks_contract.TestQuickBooks()
ORDERS = {
    "hubspot": [_CRM.new_party(), _CRM.new_product(), _CRM.new_invoice(), _CRM.new_payment("5001")],
    "quickbooks": [_BOOKS.new_party(), _BOOKS.new_product(), _BOOKS.new_invoice(), _BOOKS.new_payment("130")],
}
KEYS = {
    "hubspot": [
        (Kind.PARTY, "email", "birds@intuit.com"),
        (Kind.PRODUCT, "sku", "PEST-CONTROL"),
        (Kind.INVOICE, "number", "INV-1001"),
    ],
    "quickbooks": [
        (Kind.PARTY, "email", "Birds@Intuit.com"),
        (Kind.PRODUCT, "sku", "PEST-CONTROL"),
        (Kind.INVOICE, "number", "1001"),
    ],
}


def house(vendor: str) -> House:
    """A vendor on its seed data, with the place for our reference."""
    made = House(vendor, create_world([vendor]))
    asyncio.run(made.connector(Wire(made.world, {})).prepare(KINDS))
    return made


async def _account(it: Connector) -> Any:
    return [await it.account(), await it.other_syncs()]


async def _check(it: Connector) -> Any:
    return await it.check(KINDS)


async def _poll(it: Connector) -> Any:
    return await _seen(it, {})


async def _poll_again(it: Connector) -> Any:
    since = (NOW - timedelta(days=7)).isoformat()
    archived = {f"{kind}:archived": f"{since}|{since}" for kind in KINDS}
    return await _seen(it, {**{str(kind): since for kind in KINDS}, **archived})


async def _seen(it: Connector, cursors: Mapping[str, str]) -> Any:
    return [page async for page in it.changes_since(cursors, KINDS, NOW)]


def _reading(kind: Kind, ids: list[str]) -> Look:
    async def look(it: Connector) -> Any:
        return await it.read(kind, ids)

    return look


def _history(kind: Kind) -> Look:
    async def look(it: Connector) -> Any:
        return [page async for page in it.history(kind, NOW - timedelta(days=4000), None, NOW)]

    return look


def _finding(kind: Kind, key: MatchKey) -> Look:
    async def look(it: Connector) -> Any:
        return await it.find(kind, [key])

    return look


def _writing(order: Order) -> Look:
    async def look(it: Connector) -> Any:
        await it.fresh([order])
        (send,) = it.compose([order], lambda: "0" * 32)
        return _each(send, await it.transmit(send, {order.intent: order}))

    return look


def _resolving(order: Order) -> Look:
    async def look(it: Connector) -> Any:
        await it.fresh([order])
        (send,) = it.compose([order], lambda: "0" * 32)
        return _each(send, await it.resolve(send, {order.intent: order}, 10_000.0))

    return look


def _each(send: Send, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Nothing is said of what was not sent, and no refusal has a name that nobody explains."""
    assert {one.intent for one in outcomes} <= set(send.items)
    for one in outcomes:
        if isinstance(one, Refused):
            assert CATALOGUE[one.category].group is Group.FAILED
    return outcomes


# -- altering


STRANGE: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    " ",
    "\x00",
    "²",
    "٣",
    "NaN",
    "sNaN",
    "Infinity",
    "-1e999999999",
    "1e400",
    "9" * 40,
    "2026-13-45",
    "2026-11-02T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    0,
    -1,
    10**30,
    Decimal("1E+400"),
    Decimal("0.1"),
    [],
    {},
    [None],
    [[]],
    [{}],
    {"value": None},
    {"": {}},
)


def altered(draw: Random, reply: HttpReply) -> HttpReply:
    """The answer with something about it that is not right."""
    kind = draw.randrange(10)
    if kind == 0:
        status = draw.choice((200, 200, 204, 207, 301, 400, 401, 403, 404, 409, 418, 429, 500, 503))
        return HttpReply(status=status, headers=reply.headers, body=reply.body)
    if kind == 1:
        name = draw.choice(("content-type", "date", "retry-after", "x-hubspot-ratelimit-daily-remaining"))
        value = draw.choice(
            ("", "application/json", "text/html", "nan", "-5", "1e400", "Thu, 01 Jan 1970 00:00:00 -0000", "²")
        )
        return HttpReply(status=reply.status, headers={**reply.headers, name: value}, body=reply.body)
    return misspelt(draw, reply)


def misspelt(draw: Random, reply: HttpReply) -> HttpReply:
    """The answer with another body."""
    if draw.randrange(9) == 0:
        return _broken(draw, reply)
    try:
        content = decode_json(reply.body)
    except ValueError:
        return _broken(draw, reply)
    content = copy.deepcopy(content)
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        _change(draw, content)
    return HttpReply(status=reply.status, headers=reply.headers, body=encode_json(content))


def _broken(draw: Random, reply: HttpReply) -> HttpReply:
    body = reply.body
    place = draw.randrange(len(body) + 1)
    made = draw.choice(
        (
            b"",
            body[:place],
            body[:place] + draw.randbytes(1) + body[place + 1 :],
            body[:place] + draw.choice((b"\xff", b"\x00", b",", b"}", b'"', b"1e999", b"[" * 2000)) + body[place:],
            b"\xef\xbb\xbf" + body,
            b"[" * 100_000,
            body + body,
            b"null",
            b"[]",
            b"{}",
            b'"x"',
            b"NaN",
        )
    )
    return HttpReply(status=reply.status, headers=reply.headers, body=made)


def _change(draw: Random, holder: Any) -> None:
    """Change one place somewhere below, the deeper ones more likely."""
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            return
        place = draw.choice(places)
        inner = holder[place]
        if isinstance(inner, dict | list) and inner and draw.random() < 0.85:
            holder = inner
            continue
        break
    match draw.randrange(6):
        case 0:
            del holder[place]
        case 1 if isinstance(holder, list):
            holder.append(copy.deepcopy(inner))
        case 2 if isinstance(inner, str) and len(inner) < 40:
            holder[place] = inner + draw.choice((" ", "\x00", "9", "Z", "é"))
        case 3 if isinstance(inner, int | Decimal):
            holder[place] = str(inner)
        case 3 if isinstance(inner, dict | list):
            holder[place] = [inner]
        case _:
            holder[place] = copy.deepcopy(draw.choice(STRANGE))


# -- judging


def unsound(found: Any) -> list[str]:
    """What may never be in what a connector tells: floats, amounts that are no numbers, nouns that are torn open."""
    wrong: list[str] = []
    _walk(found, "", wrong)
    return wrong


def _walk(value: Any, where: str, wrong: list[str]) -> None:
    if isinstance(value, float) and not where.endswith(".after"):  # seconds to wait
        wrong.append(f"{where}: a float")
    elif isinstance(value, Decimal) and not value.is_finite():
        wrong.append(f"{where}: {value}")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _walk(inner, f"{where}.{key}", wrong)
    elif isinstance(value, list | tuple | frozenset):
        for inner in value:
            _walk(inner, where, wrong)
    elif isinstance(value, Snapshot) and value.id in ("", "None"):
        wrong.append(f"{where}: an entity without an id")
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            _walk(getattr(value, one.name), f"{where}.{one.name}", wrong)
