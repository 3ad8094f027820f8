"""A listener for webhooks over a real state, without a daemon: one portal, one company, one sync between them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncd import recipes
from syncd.clock import SystemChance
from syncd.config import Webhooks
from syncd.config_values import Listen
from syncd.engine import Engine
from syncd.feed.doors import Door
from syncd.feed.intake import Intake
from syncd.feed.listener import listening
from syncd.feed.received import Received
from syncd.health import Health
from syncd.model.connection import ConnectionRow
from syncd.model.record import Change
from syncd.model.references import EntityRef
from syncd.store.store import Store
from tests.webhook_samples import BOOKS_URL, CRM_URL, PORTAL, REALM, SENT, books_verifier, crm_verifier

FAR = timedelta(days=1000)


@dataclass
class MovableClock:
    """Stands still until it is moved."""

    at: datetime = SENT

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("taking webhooks never waits")


@dataclass
class House:
    """What a test can see of it. `url`: where it listens. `woken`: how often the engine was."""

    store: Store
    clock: MovableClock
    intake: Intake
    url: str = ""
    woken: list[datetime] = field(default_factory=list)

    def received(self, connection: str) -> Received:
        return self.intake.receipts.of[connection]

    async def changes(self) -> list[Change]:
        """All hints that are stored, by entity."""
        found = await self.store.read(lambda tx: tx.due_changes(["crm", "books"], SENT + FAR, 1_000_000))
        return sorted(found, key=lambda change: change.ref)

    async def refs(self) -> list[EntityRef]:
        return [change.ref for change in await self.changes()]

    async def post(self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> int:
        """One whole request of its own connection; the status."""
        return status(await self.talk(request(path, body, headers, method)))

    async def talk(self, *pieces: bytes, pause: float = 0.0) -> bytes:
        """Send bytes as they are and read until the other end closes; nothing when it was cut off."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


def request(path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> bytes:
    """The bytes of a request."""
    lines = {"Host": "x", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def status(answer: bytes) -> int:
    """An answer's status; 0 for none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


@asynccontextmanager
async def house(folder: Path, **limits: Any) -> AsyncIterator[House]:
    """Doors `crm` and `books`, listening; `limits` are settings of the table [webhooks]."""
    store = await Store.open(f"sqlite:///{folder}/syncd.db")
    clock = MovableClock()
    rows = [
        ConnectionRow(name="crm", vendor="hubspot", account_id=PORTAL),
        ConnectionRow(name="books", vendor="quickbooks", account_id=REALM),
    ]
    health = Health(store, clock, {row.name: row for row in rows})
    rules = recipes.build("invoicing", {"recipe": "hubspot-quickbooks", "left": "crm", "right": "books"}, SENT)
    connectors: dict[str, Any] = dict.fromkeys(health.rows)
    engine = Engine(store=store, connectors=connectors, syncs=[rules], clock=clock, chance=SystemChance())
    doors = {
        "crm": Door(connection="crm", vendor="hubspot", url=CRM_URL, verify=crm_verifier()),
        "books": Door(connection="books", vendor="quickbooks", url=BOOKS_URL, verify=books_verifier()),
    }
    made = House(store, clock, Intake(engine, health, doors, lambda: made.woken.append(clock.at)))
    settings = Webhooks(public_url="https://syncd.example.com", **limits)
    settings = settings.model_copy(update={"listen": Listen("127.0.0.1", 0)})
    try:
        async with listening(settings, made.intake) as url:
            made.url = url or ""
            yield made
    finally:
        await store.close()


def crm_events(*ids: int, **fields: object) -> bytes:
    """A delivery that creates invoices."""
    event = {"portalId": int(PORTAL), "subscriptionType": "object.creation", "objectTypeId": "0-53", **fields}
    return json.dumps([{**event, "objectId": id, "eventId": id} for id in ids]).encode()


async def until(condition: Any, seconds: float = 60.0) -> None:
    """Wait for a condition, looking often."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.005)
