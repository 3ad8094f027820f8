"""Tells one address when a connection or a flow comes into another condition, for those without Prometheus.

Nothing waits for it. What was told is remembered with the state; what could not be told is told later, as it stands
then, so a receiver that was away hears of what is and not of what was. The request is signed as the Standard Webhooks
specification says (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,...`). Figures and names of the
configuration only: no record, no person, no amount.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
import anyio
import msgspec
import structlog

from syncd.config import Notify
from syncd.connectors.base import Condition
from syncd.core import catalogue
from syncd.status.source import StatusSource
from syncd.store.store import Tx

log = structlog.get_logger("syncd.notify")

EVERY = 5.0  # seconds between two looks
SETTLED = 30.0  # seconds a condition must have stood: a hiccup is nobody's concern
TIMEOUT = 10.0
FIRST_WAIT, LONGEST_WAIT = 5.0, 600.0  # seconds until it is tried again; three times as long after each failure
TOLD = "notify:told"
OK, HELD, FAILING = "ok", "held", "failing"
_WORDS = {
    "en": {OK: "All is well again", HELD: "Held until a person has looked", FAILING: "Records have failed"},
    "fr": {OK: "Tout va de nouveau bien", HELD: "Retenu pour un regard humain", FAILING: "Des fiches sont en échec"},
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection or a flow is.

    Attributes:
        type: of the message. facts: what else the message says. words: a title and what to do, for people.
    """

    type: str
    condition: str
    facts: Mapping[str, object]
    words: str


def standings(tx: Tx, source: StatusSource) -> dict[str, Standing]:
    """How every configured connection and flow is, by a name of its own."""
    language, found = source.config.daemon.language, dict[str, Standing]()
    rows = {row.name: row for row in tx.connections()}
    for name, connection in source.config.connections.items():
        condition = rows[name].condition if name in rows else str(Condition.OK)
        label = source.labels[name]
        words = _WORDS[language][OK]
        if condition != Condition.OK:
            texts = catalogue.text(condition, language, left=label, right=label)
            words = f"{texts.title}. {texts.remedy}"
        link: dict[str, object] = {"connection": name, "vendor": connection.vendor}
        found[f"connection:{name}"] = Standing("connection.condition", condition, link, f"{label}: {words}")
    failed, held = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in tx.counts():
        failed[row.sync, row.flow] += row.n * (row.status == "failed")
        held[row.sync, row.flow] += row.n * (row.status == "pending" and row.code == "held")
    for place in ((sync.name, flow.name) for sync in source.syncs for flow in sync.flows):
        condition = HELD if held[place] else FAILING if failed[place] else OK
        facts: dict[str, object] = {"sync": place[0], "flow": place[1], "failed": failed[place], "held": held[place]}
        words = f"{' / '.join(place)}: {_WORDS[language][condition]}."
        found[f"flow:{place[0]}:{place[1]}"] = Standing("flow.condition", condition, facts, words)
    return found


def signature(secret: str, id: str, at: int, body: bytes) -> str:
    """The value of `webhook-signature`. A secret that begins with `whsec_` is base64, any other is taken as it is."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    made = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


@dataclass(slots=True)
class Announcer:
    """Watches the state from outside the engine.

    Attributes:
        seen: since when (steady clock) each condition that was not told yet has stood.
    """

    source: StatusSource
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    failures: int = 0
    resume: float = 0.0

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as http:
            while True:
                try:
                    await self.look(http)
                except Exception:  # whatever it is, syncing goes on
                    log.exception("notify.faulty")
                    self._wait()
                await anyio.sleep(EVERY)

    async def look(self, http: aiohttp.ClientSession) -> None:
        """Tell what has changed and settled since it was last told."""
        now = self.source.clock.monotonic()
        if now < self.resume or (notify := self.source.config.daemon.notify) is None:
            return
        found, told = await self.source.store.read(lambda tx: (standings(tx, self.source), _told(tx)))
        news = {name: one for name, one in found.items() if one.condition != told.get(name, OK)}
        self.seen = {(name, one.condition): self.seen.get((name, one.condition), now) for name, one in news.items()}
        for name, one in news.items():
            if now - self.seen[name, one.condition] < SETTLED:
                continue
            if not await self._tell(http, notify, name, one, told.get(name, OK)):
                return
            told = {known: told[known] for known in told if known in found} | {name: one.condition}
            text = msgspec.json.encode(told).decode()
            await self.source.store.write(lambda tx, text=text: tx.set_meta(TOLD, text))  # type: ignore[misc]

    async def _tell(self, http: aiohttp.ClientSession, notify: Notify, name: str, one: Standing, before: str) -> bool:
        at = self.source.clock.now()
        body = msgspec.json.encode(_message(one, before, at))
        # The same id when it is told once more, so that a receiver can see that it is the same.
        since = self.seen[name, one.condition]
        id = "msg_" + hashlib.blake2b(f"{name} {before} {one.condition} {since}".encode(), digest_size=12).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"syncd/{self.source.version}",
            "webhook-id": id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(notify.secret.get_secret_value(), id, int(at.timestamp()), body),
        }
        try:
            async with http.post(notify.url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return self._failed(type(error).__name__)
        if not 200 <= status < 300:
            return self._failed(str(status))
        self.failures, self.resume = 0, 0.0
        log.info("notify.sent", type=one.type, condition=one.condition)
        return True

    def _failed(self, reason: str) -> bool:
        if self.failures == 0:
            log.warning("notify.failed", reason=reason)
        self._wait()
        return False

    def _wait(self) -> None:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 3**self.failures)
        self.failures += 1
        self.resume = self.source.clock.monotonic() + wait


def _message(one: Standing, before: str, at: datetime) -> dict[str, object]:
    data = {**one.facts, "condition": one.condition, "before": before}
    # `text` is what chat programs show of a message.
    return {"type": one.type, "timestamp": at.isoformat(), "text": f"syncd: {one.words}", "data": data}


def _told(tx: Tx) -> dict[str, str]:
    text = tx.meta(TOLD)
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}
