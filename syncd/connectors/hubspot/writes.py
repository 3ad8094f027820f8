"""Composing requests, sending them, and reading what the answers say of each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.connectors.base import ConnectionTrouble, NewId, NotDone, Order, Outcome, Send, Unknown, Unwritable
from syncd.connectors.http import AnswerLost, HttpReply, Malformed, NotSent, retry_after
from syncd.connectors.hubspot import payments, wire
from syncd.connectors.hubspot.answers import Accepted, Answer, Denied, Later, Silent, Word, denial
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.compose import composed
from syncd.connectors.hubspot.errors import UNEXPLAINED, pause_after, problem_of
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.parts import Part, Verb, next_parts
from syncd.connectors.hubspot.payments import Recording
from syncd.connectors.hubspot.settle import Settler
from syncd.model.record import Op
from syncd.model.references import Kind

Sent = Mapping[str, tuple[Part, ...]]
"""The parts of each intent in a request."""

CORRELATION = "x-hubspot-correlation-id"


class Writer:
    """Carries out orders."""

    def __init__(self, client: Client, settler: Settler, options: Options, recording: Recording) -> None:
        self._client = client
        self._settler = settler
        self._options = options
        self._recording = recording
        self._alone: set[str] = set()  # forgotten at a restart: then HubSpot refuses their batch once more

    def compose(self, orders: Sequence[Order], new_id: NewId) -> list[Send]:
        """As `Connector.compose` promises."""
        for order in orders:
            if _records_payment(order) and not self._recording.possible:
                raise Unwritable(order.intent, payments.NOT_HERE, payments.WORDS)
        return composed(orders, new_id, self._client.paths, self._options, self._alone)

    async def transmit(self, send: Send, orders: Mapping[str, Order]) -> list[Outcome]:
        """As `Connector.transmit` promises."""
        sent = {intent: next_parts(orders[intent], self._options) for intent in send.items}
        try:
            reply = await self._client.write(send)
        except NotSent as error:
            return [NotDone(intent=intent, words=str(error)) for intent in send.items]
        except AnswerLost as error:
            return [Unknown(intent=intent, words=str(error)) for intent in send.items]
        said = self._said(send, reply, sent)
        self._learn(orders, said)
        return await self._settler.outcomes(send, orders, said, reply.headers.get(CORRELATION))

    def _said(self, send: Send, reply: HttpReply, sent: Sent) -> dict[str, dict[str, Word]]:
        if reply.status in (423, 429):
            after = pause_after(reply, retry_after(reply, self._client.clock))
            return _all(sent, Later(f"HTTP {reply.status}", after))
        if reply.status >= 500:
            return _all(sent, Silent(f"HTTP {reply.status}"))
        if reply.status >= 400:
            return self._refused(send, reply, sent)
        return _accepted(send, reply, sent)

    def _refused(self, send: Send, reply: HttpReply, sent: Sent) -> dict[str, dict[str, Word]]:
        """The whole request was refused: nothing of it is done, and somebody in it is to blame.

        Where the error names nobody and there are several, each goes alone next time and shows its own face.
        """
        problem = problem_of(reply)
        first = next(iter(sent.values()))[0]
        if len(sent) == 1:
            return {
                intent: {part.name: denial(problem, reply.status, part.type, part) for part in parts}
                for intent, parts in sent.items()
            }
        answer = Answer([], [problem], first.type, reply.status)
        said = {
            intent: {
                part.name: answer.refusal(part, send.items[intent]) or Later("refused with others") for part in parts
            }
            for intent, parts in sent.items()
        }
        if all(isinstance(word, Later) for words in said.values() for word in words.values()):
            self._alone.update(sent)
        return said

    def _learn(self, orders: Mapping[str, Order], said: dict[str, dict[str, Word]]) -> None:
        """Whether payments can be recorded here, from how the first one went; and who need not go alone any more."""
        if len(said) == 1:
            self._alone -= said.keys()
        for intent, words in said.items():
            if not _records_payment(orders[intent]):
                continue
            match words["create"]:
                case Accepted():
                    self._recording.succeeded()
                case Denied(category=category, words=spoken) if category == UNEXPLAINED:
                    self._recording.refused(spoken)
                    if not self._recording.possible:
                        words["create"] = Denied(payments.NOT_HERE, spoken)


def _accepted(send: Send, reply: HttpReply, sent: Sent) -> dict[str, dict[str, Word]]:
    first = next(iter(sent.values()))[0]
    try:
        if first.verb in (Verb.CREATE, Verb.UPDATE):
            page = wire.to(wire.Records, reply.json())
            answer = Answer(page.results, page.errors, first.type, reply.status)
            return {
                intent: {part.name: answer.word_on(part, send.items[intent]) for part in parts}
                for intent, parts in sent.items()
            }
        if reply.status != 207:
            return _all(sent, Accepted())
        errors = wire.to(wire.Errors, reply.json()).errors
    except (Malformed, ConnectionTrouble) as error:
        return _all(sent, Silent(f"unreadable answer: {error}"))
    answer = Answer([], errors, first.type, reply.status)
    return {
        intent: {part.name: answer.refusal(part, send.items[intent]) or Silent() for part in parts}
        for intent, parts in sent.items()
    }


def _all(sent: Sent, word: Word) -> dict[str, dict[str, Word]]:
    return {intent: {part.name: word for part in parts} for intent, parts in sent.items()}


def _records_payment(order: Order) -> bool:
    return order.kind is Kind.PAYMENT and order.op is Op.CREATE
