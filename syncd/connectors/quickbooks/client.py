"""Calls one QuickBooks company: its addresses, pace, tokens and envelopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from syncd.clock import Clock
from syncd.connectors.base import Condition, ConnectionTrouble, Send
from syncd.connectors.http import Caller, HttpReply, HttpRequest
from syncd.connectors.oauth import Tokens
from syncd.connectors.quickbooks.errors import Effect, Fault, fault_in, fault_of, judged
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.wire import Raw, encode, instant, moment_text

LIMITS = MANIFEST.limits
BATCH = "/batch"
ITEM_ATTEMPTS = 4  # a question that was throttled inside a batch is asked again this often


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question brought: whole objects, and the server's clock when it answered."""

    rows: Sequence[Raw]
    time: datetime


class Client:
    """One company. Reads are repeated until they work or the connection is in trouble; writes are sent once.

    Every method raises `ConnectionTrouble`.
    """

    def __init__(self, *, caller: Caller, tokens: Tokens) -> None:
        self._caller = caller
        self._tokens = tokens

    @property
    def realm(self) -> str:
        """The company's id; it may be known only once a first call has asked for a token."""
        return self._tokens.account

    @property
    def skew(self) -> float | None:
        """By how many seconds Intuit's clock is ahead of ours, as far as is known."""
        return self._caller.skew

    @property
    def clock(self) -> Clock:
        return self._caller.clock

    def path(self, route: str, **parameters: str) -> str:
        """The path of a call in this company, e.g. `/invoice`."""
        query = urlencode({**parameters, "minorversion": str(MANIFEST.minor_version)}, quote_via=quote)
        return f"/v3/company/{self.realm}{route}?{query}"

    async def get(self, route: str, **parameters: str) -> Raw:
        """One read."""
        return await self._read("GET", route, parameters)

    async def ask(self, statement: str) -> Answer:
        """One query for objects of one entity."""
        (answer,) = await self.ask_all([statement])
        return answer

    async def ask_all(self, statements: Sequence[str]) -> list[Answer]:
        """Several queries, in as few calls as possible; answers in the order of the statements."""
        if len(statements) == 1 and len(self.path("/query", query=statements[0])) <= LIMITS.address_length:
            body = await self.get("/query", query=statements[0])
            return [Answer(_rows(body.get("QueryResponse")), server_time(body))]
        answers: list[Answer] = []
        for start in range(0, len(statements), LIMITS.batch_items):
            answers += await self._ask_batch(statements[start : start + LIMITS.batch_items])
        return answers

    async def changes(self, entities: Sequence[str], since: datetime) -> tuple[Mapping[str, Sequence[Raw]], datetime]:
        """Everything of these entities that changed since then, by entity, and the server's clock."""
        body = await self.get("/cdc", entities=",".join(entities), changedSince=moment_text(since))
        try:
            answered = [part for group in body["CDCResponse"] for part in group["QueryResponse"]]
            found = {entity: objects([row for part in answered for row in part.get(entity, ())]) for entity in entities}
        except (KeyError, TypeError, AttributeError) as error:
            raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "a change data answer without its parts") from error
        return found, server_time(body)

    async def post(self, send: Send) -> HttpReply:
        """Send a write once, exactly as it was composed; a refused access token is renewed first.

        Raises:
            NotSent, AnswerLost: as their names say.
        """
        route = "/" + send.path.partition("?")[0].rsplit("/", 1)[1]
        token = await self._tokens.access()
        reply = await self._caller.once(self._request(token, send.method, route, send.path, send.body))
        if _login_refused(reply):
            # Refused at the door, so it was not carried out; and the request id would see to that, too.
            token = await self._tokens.renew(token)
            reply = await self._caller.once(self._request(token, send.method, route, send.path, send.body))
        return reply

    def hold(self) -> None:
        """Let nothing leave for a while: an item of a batch was too fast."""
        self._caller.hold(LIMITS.throttle_pause)

    async def _ask_batch(self, statements: Sequence[str]) -> list[Answer]:
        found: dict[int, Answer] = {}
        for _ in range(ITEM_ATTEMPTS):
            open_ones = [number for number in range(len(statements)) if number not in found]
            if not open_ones:
                break
            found |= await self._ask_once({number: statements[number] for number in open_ones})
        if len(found) < len(statements):
            raise ConnectionTrouble(Condition.QUOTA_EXHAUSTED, "questions in a batch stay throttled or unanswered")
        return [found[number] for number in range(len(statements))]

    async def _ask_once(self, questions: Mapping[int, str]) -> dict[int, Answer]:
        items = [{"bId": str(number), "Query": statement} for number, statement in questions.items()]
        payload = encode({"BatchItemRequest": items})
        body = await self._read("POST", BATCH, {}, payload)
        found: dict[int, Answer] = {}
        for item in batch_items(body):
            fault = fault_in(item)
            if fault is None:
                number = _number_of(item, questions)
                found[number] = Answer(_rows(item.get("QueryResponse")), server_time(body))
            elif fault.effect is Effect.THROTTLED:
                self.hold()
            else:
                raise ReadRefused(fault)
        return found

    async def _read(self, method: str, route: str, parameters: Mapping[str, str], payload: bytes | None = None) -> Raw:
        token = await self._tokens.access()
        path = self.path(route, **parameters)
        reply, body = await self._caller.read_json(lambda: self._request(token, method, route, path, payload))
        if _login_refused(reply):
            token = await self._tokens.renew(token)
            reply, body = await self._caller.read_json(lambda: self._request(token, method, route, path, payload))
        if (fault := judged(reply.status, body)) is not None:
            raise ReadRefused(fault)
        if not isinstance(body, dict):
            raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "an answer that is no object")
        return body

    def _request(self, token: str, method: str, route: str, path: str, body: bytes | None = None) -> HttpRequest:
        return HttpRequest(
            method=method,
            url=self._caller.base_url + path,
            route=route,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Content-Type": "application/json",
            },
            body=body,
            # A little more than the vendor gives itself: its own word on a cut-off request is worth waiting for.
            timeout=LIMITS.request_seconds + 5,
            sort="batches" if route == BATCH else "requests",
        )


def _login_refused(reply: HttpReply) -> bool:
    fault = fault_of(reply) if reply.status == 401 else None
    return fault is not None and fault.effect is Effect.LOGIN


class ReadRefused(ConnectionTrouble):
    """A read the vendor will not answer. `fault` is what it said."""

    def __init__(self, fault: Fault) -> None:
        trouble = fault.trouble()
        super().__init__(trouble.condition, trouble.words, trouble.retry_after)
        self.fault = fault


def batch_items(body: Raw) -> list[Raw]:
    """The items of a batch answer.

    Raises:
        ConnectionTrouble: there are none.
    """
    items = body.get("BatchItemResponse")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "a batch answer without items")
    return items


def objects(rows: Sequence[object]) -> list[Raw]:
    """What was answered, as objects with an id.

    Raises:
        ConnectionTrouble: something among it is none.
    """
    found = [row for row in rows if isinstance(row, dict) and isinstance(row.get("Id"), str) and row["Id"]]
    if len(found) < len(rows):
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "an answer with something in it that has no id")
    return found


def server_time(body: Raw) -> datetime:
    """The server's clock in an answer.

    Raises:
        ConnectionTrouble: it does not say.
    """
    try:
        return instant(body.get("time"))
    except ValueError as error:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, f"an answer without its time: {error}") from error


def _rows(response: object) -> Sequence[Raw]:
    # One list under the entity's name, beside startPosition and maxResults; an empty object when nothing matches.
    if not isinstance(response, Mapping):
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "a query answer without its response")
    lists = [value for value in response.values() if isinstance(value, list)]
    return objects(lists[0]) if lists else []


def _number_of(item: Raw, questions: Mapping[int, str]) -> int:
    for number in questions:
        if item.get("bId") == str(number):
            return number
    raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "an answer in a batch to a question that was not asked")
