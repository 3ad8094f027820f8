"""What HubSpot's answer to a write says of each part, and what that makes of each order.

Error entries and results come in any order and results may be missing: everything is told apart by trace id, else by
record id, else by our reference on what was created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from syncd.connectors.base import Advanced, NotDone, Order, Outcome, Refused, Stale, Unknown
from syncd.connectors.hubspot.compose import trace_of
from syncd.connectors.hubspot.errors import GONE, RETRYABLE, category_of, existing_of, words_of
from syncd.connectors.hubspot.fields import REFERENCE
from syncd.connectors.hubspot.parts import Carry, Part, Verb, carry_of, carry_text
from syncd.connectors.hubspot.wire import Problem, Record


@dataclass(frozen=True, slots=True)
class Accepted:
    """The part is carried out; `record` as it was answered, if it was."""

    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The vendor said no to this part."""

    category: str
    words: str
    request_id: str | None = None
    existing: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Certainly not carried out; it may go again after some seconds."""

    words: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was said of this part."""

    words: str = "the answer says nothing of it"


Word = Accepted | Denied | Later | Silent


class Answer:
    """A batch answer, to be asked part by part.

    Args:
        object_type: what the batch was about. status: the HTTP status, as a hint for errors without a category.
    """

    def __init__(self, records: Sequence[Record], errors: Sequence[Problem], object_type: str, status: int) -> None:
        self._type = object_type
        self._status = status
        self._by_trace = {r.object_write_trace_id: r for r in records if r.object_write_trace_id}
        self._by_id = {r.id: r for r in records}
        self._by_reference = {ref: r for r in records if (ref := r.text(REFERENCE))}
        self._problems = {name: problem for problem in errors for name in _named(problem)}

    def refusal(self, part: Part, item: str) -> Word | None:
        """What an error says of this part; None when no error names it."""
        problem = self._problems.get(trace_of(item, part)) or self._problems.get(part.id or "")
        return denial(problem, self._status, self._type, part) if problem else None

    def word_on(self, part: Part, item: str) -> Word:
        """What became of one part."""
        if refusal := self.refusal(part, item):
            return refusal
        record = self._by_trace.get(trace_of(item, part))
        if record is None and part.verb is Verb.UPDATE:
            record = self._by_id.get(part.id or "")
        if record is None and part.verb is Verb.CREATE:
            record = self._by_reference.get(part.properties.get(REFERENCE, ""))
        return Silent() if record is None else Accepted(record)


def denial(problem: Problem, status: int, object_type: str, part: Part) -> Word:
    """An error about one part."""
    words = words_of(problem)
    if problem.category in RETRYABLE or problem.error_type in RETRYABLE:
        return Later(words)
    category = category_of(problem, status, object_type)
    if category == GONE and part.verb in (Verb.ARCHIVE, Verb.UNLINK):
        return Accepted()  # it was to go, and it is gone
    return Denied(category, words, problem.correlation_id, existing_of(problem))


def concluded(order: Order, parts: Sequence[Part], todo: Sequence[Part], words: Mapping[str, Word]) -> Outcome | None:
    """What the parts' answers make of the order; None when it is all done.

    Args:
        parts: those that were sent. todo: all that were left before, those included. words: by part name.
    """
    said = [words[part.name] for part in parts]
    for word in said:
        if isinstance(word, Silent):
            return Unknown(intent=order.intent, words=word.words)
    for part, word in zip(parts, said, strict=True):
        if isinstance(word, Denied):
            return _refused(order, part, word)
    done = {part.name for part, word in zip(parts, said, strict=True) if isinstance(word, Accepted)}
    if not done:
        waits = [word for word in said if isinstance(word, Later)]
        return NotDone(
            intent=order.intent, words=waits[0].words, after=max((w.after for w in waits if w.after), default=None)
        )
    left = tuple(part for part in todo if part.name not in done)
    if not left:
        return None
    id, record = created(order, parts, words)
    carry = Carry(id=id, todo=left, record=record)
    return Advanced(intent=order.intent, id=id, carry=carry_text(carry))


def created(order: Order, parts: Sequence[Part], words: Mapping[str, Word]) -> tuple[str, dict[str, object] | None]:
    """The id of the order's entity, known from now on, and the created record's properties."""
    if carry := carry_of(order):
        return carry.id, carry.record
    word = words.get("create")
    if isinstance(word, Accepted) and word.record is not None and parts[0].name == "create":
        return word.record.id, msgspec.to_builtins(word.record)
    assert order.id is not None
    return order.id, None


def _refused(order: Order, part: Part, word: Denied) -> Outcome:
    if word.category == GONE and part.id is not None:
        return Stale(intent=order.intent, words=word.words)
    return Refused(
        intent=order.intent,
        category=word.category,
        words=word.words,
        request_id=word.request_id,
        existing=word.existing,
    )


def _named(problem: Problem) -> Iterator[str]:
    contexts = [problem.context, *(detail.context for detail in problem.errors)]
    for context in contexts:
        for name in ("objectWriteTraceId", "ids", "id", "toObjectId"):
            yield from (str(value) for value in context.get(name, []))
