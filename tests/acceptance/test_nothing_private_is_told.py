"""Canaries: what a real daemon says of people, money and secrets while everything goes wrong. Nothing.

People, amounts, an IBAN, tokens and hostile words of vendors are looked for in its log, its metrics and its answers to
bad questions. That they are there to be found is shown by the records it serves.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from syncd.sandbox.base import Request, Response
from syncd.sandbox.delivery import Delivery
from syncd.sandbox.faults import changes_something
from tests.acceptance.processes import ANY_PORT, PROGRAM, Proceed, intercept
from tests.acceptance.world import Snapshot, World

FIRST, LAST, PHONE, IBAN = "Zanzibarella", "Vermicelli", "+33698765432", "FR7630006000011234567890189"
EMAIL, AMOUNT, COMPANY = "z.vermicelli@canary.example", "13579.24", "Vermicelli Freres"
PRIVATE = (FIRST, LAST, PHONE, IBAN, EMAIL, AMOUNT, COMPANY, "canary.example")
WRONG_TOKEN = "canary-token-nobody-gave"
NOTIFY_URL = "http://127.0.0.1:9/canary-path"
NOTIFY_SECRET = "canary-notify-secret-0123456789"
JSON = {"content-type": "application/json"}


@dataclass
class Gossip:
    """Stands before both vendors: spoils some answers with private words, and remembers the tokens it sees."""

    spoil: dict[str, Callable[[Request, Response], Response | None]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def __call__(self, vendor: str, request: Request, proceed: Proceed) -> Delivery:
        self.tokens |= {word for word in request.headers.get("authorization", "").split()[1:] if len(word) > 8}
        delivery = proceed()
        for name, how in self.spoil.items():
            if self.left[name] > 0 and name.startswith(vendor) and delivery.response is not None:
                spoilt = how(request, delivery.response)
                if spoilt is not None:
                    self.left[name] -= 1
                    return replace(delivery, response=spoilt)
        return delivery

    def arm(self, name: str, times: int, how: Callable[[Request, Response], Response | None]) -> None:
        self.spoil[name], self.left[name] = how, times

    def over(self) -> bool:
        return not any(self.left.values())


@dataclass
class Voice:
    """What a daemon has said so far on stderr, and where its page is."""

    file: Path
    process: int = 0

    @property
    def known(self) -> str:
        """What every user of the machine may see of the process, and its environment."""
        place = Path("/proc") / str(self.process)
        return f"{(place / 'cmdline').read_text()} {(place / 'environ').read_text()}"

    @property
    def lines(self) -> list[str]:
        return self.file.read_text().splitlines()

    def events(self) -> set[str]:
        return {json.loads(line)["event"] for line in self.lines}

    @property
    def page(self) -> str:
        return next(json.loads(line)["page"] for line in self.lines if '"daemon.started"' in line)


async def until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"waited in vain for {what()}")


def unreadable(near: str, old: str, new: str) -> Callable[[Request, Response], Response | None]:
    """Something else than its field holds, in the vendor's own shape."""

    def spoilt(_: Request, answer: Response) -> Response | None:
        text = answer.body.decode()
        return replace(answer, body=text.replace(old, new).encode()) if near in text and old in text else None

    return spoilt


def refused(request: Request, answer: Response) -> Response | None:
    """A refusal of a write that quotes the customer."""
    if not changes_something(request) or "batch" not in request.path or b"CustomerRef" not in request.body:
        return None
    items = json.loads(request.body)["BatchItemRequest"]
    error = {"Message": f"{FIRST} {LAST} {EMAIL}", "Detail": f"{IBAN} {AMOUNT}", "code": "2500"}
    faults = [{"bId": item["bId"], "Fault": {"type": "ValidationFault", "Error": [error]}} for item in items]
    return Response(200, json.dumps({"BatchItemResponse": faults, "time": "2026-11-01T00:00:00Z"}).encode(), JSON)


def nonsense(request: Request, answer: Response) -> Response | None:
    """No JSON where JSON was due, or half of it, full of names."""
    return Response(200, f'{{"customer": "{FIRST} {LAST} <{EMAIL}>", {AMOUNT}'.encode(), JSON)


def unwell(request: Request, answer: Response) -> Response | None:
    """A token that is refused, with the person it belonged to."""
    return Response(401, json.dumps({"message": f"{EMAIL} {FIRST} has left", "status": "error"}).encode(), JSON)


@asynccontextmanager
async def daemon(w: World) -> AsyncIterator[Voice]:
    """A real one, stopped in good order at the end of the block."""
    voice = Voice(w.folder / "log")
    with voice.file.open("w") as log:
        process = await asyncio.create_subprocess_exec(PROGRAM, "run", cwd=w.folder, stderr=log, stdout=log)
    voice.process = process.pid
    try:
        await until(lambda: "daemon.started" in voice.events(), lambda: "the start")
        yield voice
    finally:
        process.terminate()
        await process.wait()


async def sold(w: World) -> None:
    """A sale full of private things; and somebody in the books."""
    person = {"firstname": FIRST, "lastname": LAST, "email": EMAIL, "phone": PHONE, "company": COMPANY}
    contact = await w.crm("create", "contacts", **person)
    lines = [{"product": "3001", "quantity": "1", "price": AMOUNT}]
    more = {"hs_currency": "USD", "hs_invoice_date": "2026-11-02", "hs_comments": IBAN, "finalize": True}
    await w.crm("create", "invoices", contact=contact["id"], lines=lines, **more)
    await w.books("create", "Customer", name=f"{FIRST} {LAST} II", email=f"ii.{EMAIL}")


async def bad_questions(page: str) -> list[str]:
    """Whatever is answered to questions that cannot be: whole, with headers. And the metrics."""
    questions = (
        "records?status=no",
        "records?cursor=no",
        "records?nothing=1",
        "records/no",
        "records/no/explain",
        "no",
    )
    said = []
    async with aiohttp.ClientSession() as http:
        for question in questions:
            async with http.get(f"{page}/api/v1/{question}") as answer:
                assert answer.status >= 400, question
                said.append(f"{answer.headers} {await answer.text()}")
        async with http.get(f"{page}/api/v1/status", headers={"Authorization": f"Bearer {WRONG_TOKEN}"}) as answer:
            assert answer.status == 401
            said.append(f"{answer.headers} {await answer.text()}")
        async with http.post(f"{page}/api/v1/records/no/retry", data=b"\xff{") as answer:
            said.append(f"{answer.headers} {await answer.text()}")
        async with http.get(f"{page}/metrics") as answer:
            assert answer.status == 200
            said.append(await answer.text())
    return said


async def test_nothing_private_is_told(synced: Snapshot) -> None:
    """A sale, unreadable figures and switches, a refusal that quotes, nonsense, a lost consent, bad questions."""
    gossip = Gossip()
    async with synced.world(ANY_PORT) as w:
        secret = w.folder / "notify_secret"
        secret.write_text(NOTIFY_SECRET)
        secret.chmod(0o600)
        w.set("daemon", notify=f'{{ url = "{NOTIFY_URL}", secret = {{ file = "{secret}" }} }}')
        intercept(w, gossip)
        gossip.arm("hubspot figure", 2, unreadable(AMOUNT, AMOUNT, f"{AMOUNT} {FIRST}"))
        gossip.arm("quickbooks switch", 1, unreadable(LAST, '"Active":true', f'"Active":"{EMAIL} {IBAN}"'))
        gossip.arm("quickbooks refusal", 1, refused)
        async with daemon(w) as voice:
            await sold(w)
            await until(gossip.over, lambda: f"all that goes wrong: {gossip.left}")
            await until(lambda: "write.refused" in voice.events(), lambda: "the refusal")
            gossip.arm("hubspot nonsense", 3, nonsense)
            await until(lambda: "connection.unreachable" in voice.events(), lambda: "malformed answers")
            gossip.arm("hubspot consent", 1, unwell)
            await until(gossip.over, lambda: "the lost consent")
            said = await bad_questions(voice.page)
            async with aiohttp.ClientSession() as http, http.get(f"{voice.page}/api/v1/records?q={EMAIL}") as answer:
                assert COMPANY in await answer.text()  # people are shown to those who may see them
            known = voice.known
        log, events = voice.file.read_text(), voice.events()
        secrets = {path.read_text().strip() for path in w.folder.rglob("*") if path.parent.name.endswith("secrets")}

    assert {"http.malformed", "write.refused", "quickbooks.unreadable"} <= events
    assert {"hubspot.unreadable_record", "hubspot.unreadable_line"} & events
    forbidden = {*PRIVATE, *secrets, *gossip.tokens, WRONG_TOKEN, NOTIFY_SECRET, "canary-path"}
    assert len(secrets) >= 3
    assert gossip.tokens
    for where, text in {"the log": log, "an answer": "\n".join(said), "the process table": known}.items():
        assert [word for word in forbidden if word in text] == [], f"in {where}"
