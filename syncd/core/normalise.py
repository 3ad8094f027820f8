"""Telling a vendor's own silent changes from a person's edits.

A vendor trims, folds, rounds or truncates what it is sent, and its connector declares where. What such a rule explains
is no edit; everything else that differs from what was sent is one, and must be seen as one by the next turn.

The rules: `trim`, `collapse` (runs of white space and line ends become one space), `casefold`, `phone` (only digits
count), `colon` (becomes a space), `number` (of a text that is one only its amount counts), `empty` (an empty text is no
value), `round:N` (decimals), `truncate:N` (characters).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from syncd.core.alignment import FACTS, align, facts
from syncd.model.content import Content
from syncd.model.nouns import Line
from syncd.model.quick import replace
from syncd.model.values import Value, decimal_text

Rules = tuple[str, ...]


def explained(sent: Value, seen: Value, rules: Rules) -> bool:
    """Whether `seen` is what a vendor with these rules makes of `sent`.

    Raises:
        ValueError: there is no such rule.
    """
    parsed = [_parsed(rule) for rule in rules]
    if sent == seen and isinstance(sent, bool) is isinstance(seen, bool):
        return True
    if isinstance(sent, Decimal) and isinstance(seen, Decimal):
        return any(_rounded(sent, seen, digits) for name, digits in parsed if name == "round")
    if not isinstance(sent, str | None) or not isinstance(seen, str | None):
        return False
    cuts = [length for name, length in parsed if name == "truncate"]
    if any(len(seen or "") > length for length in cuts):
        return False
    # A vendor that cuts does so before or after it folds white space; nothing tells which.
    ways = [sent, *((sent.strip() if ("trim", 0) in parsed else sent)[:length] for length in cuts if sent)]
    return _text(seen, parsed) in [_text(way, parsed) for way in ways]


_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")


def _parsed(rule: str) -> tuple[str, int]:
    name, _, number = rule.partition(":")
    if name not in _STEPS or bool(number) is not (name in ("round", "truncate")):
        raise ValueError(f"no such normaliser: {rule!r}")
    return name, int(number or 0)


_STEPS: Mapping[str, Callable[[str, int], str]] = {
    "trim": lambda text, _: text.strip(),
    "collapse": lambda text, _: " ".join(text.split()),
    "colon": lambda text, _: text.replace(":", " "),
    "casefold": lambda text, _: text.casefold(),
    "phone": lambda text, _: "".join(character for character in text if character.isdigit()),
    "truncate": lambda text, length: text[:length],
    "number": lambda text, _: decimal_text(Decimal(text)) if _NUMBER.fullmatch(text) else text,
    "empty": lambda text, _: text,
    "round": lambda text, _: text,
}


def _text(value: str | None, rules: list[tuple[str, int]]) -> str | None:
    """The text with everything taken off that the rules ignore; None when nothing that counts is left."""
    if value is None:
        return None
    # Twice, because one rule can leave work for an earlier one: a text cut after a space is trimmed again.
    for name, number in rules * 2:
        value = _STEPS[name](value, number)
    return None if value == "" and ("empty", 0) in rules else value


def _rounded(sent: Decimal, seen: Decimal, digits: int) -> bool:
    """Whether `seen` is `sent` rounded to so many decimals, whichever way a tie goes."""
    unit = Decimal(1).scaleb(-digits)
    return seen == seen.quantize(unit) and abs(sent - seen) * 2 <= unit


def base_after_write(sent: Content, answered: Content | None, rules: Mapping[str, Rules], created: bool) -> Content:
    """What the written side's base becomes.

    Args:
        sent: what was written: changed fields only, and the whole list of lines if they were.
        answered: what the write's own answer shows; None when it shows nothing.
        rules: normalisers by name of the content field; `lines.<field>` for the fields of lines.
        created: the entity is new, so what was not sent but is there is the vendor's default and no edit.

    Returns:
        Per field the answer's value where it is what was sent, by the rules; else the sent value, so that the next
        turn sees an edit. Of fields that were not sent, the answer's value after a create and nothing else.
    """
    if answered is None:
        return sent
    fields = {
        name: _settled(value, answered.fields.get(name), rules.get(name, ())) for name, value in sent.fields.items()
    }
    if created:
        fields = {**answered.fields, **fields}
    if sent.lines is None or answered.lines is None:
        return Content(fields=fields, lines=answered.lines if created and sent.lines is None else sent.lines)
    return Content(fields=fields, lines=_lines_after_write(sent.lines, answered.lines, rules, created))


def _settled(sent: Value, seen: Value, rules: Rules) -> Value:
    return seen if explained(sent, seen, rules) else sent


def _lines_after_write(
    sent: tuple[Line, ...], answered: tuple[Line, ...], rules: Mapping[str, Rules], created: bool
) -> tuple[Line, ...]:
    """The sent lines in the order of the answer, with its ids; those it does not show stay, at the end.

    Lines that only the answer has are left out: whoever added them, the next turn must see it.
    """
    found = _found(sent, answered, rules, created)
    made = [_line_after_write(sent[found[i]], line, rules, created) for i, line in enumerate(answered) if i in found]
    lost = [line for index, line in enumerate(sent) if index not in found.values()]
    return tuple(made + lost)


def _found(
    sent: tuple[Line, ...], answered: tuple[Line, ...], rules: Mapping[str, Rules], created: bool
) -> dict[int, int]:
    """Index in the answer -> index in what was sent.

    First the lines that came through as the rules allow, rather in their place than elsewhere, and rather as they are
    than with the vendor's defaults; then by likeness, and by place where the rest is as many. Not by id: a vendor
    with weak ids may give one line's id to another one.
    """
    lost, strange = dict.fromkeys(range(len(sent))), dict.fromkeys(range(len(answered)))
    found: dict[int, int] = {}

    def pair(before: int, after: int) -> None:
        found[after] = before
        del lost[before], strange[after]

    for defaults, anywhere in product((False, True), repeat=2):
        for before in tuple(lost):
            places = tuple(strange) if anywhere else (before,) if before in strange else ()
            after = next(
                (n for n in places if _came_through(sent[before], answered[n], rules, created, defaults)), None
            )
            if after is not None:
                pair(before, after)
    olds, news = tuple(lost), tuple(strange)
    rest = align(tuple(sent[i] for i in olds), tuple(answered[i] for i in news), strong_ids=False)
    for old, new in rest.pairs:
        if old is not None and new is not None:
            pair(olds[old], news[new])
    if len(lost) == len(strange):
        found.update(zip(strange, lost, strict=True))
    return found


def _came_through(sent: Line, seen: Line, rules: Mapping[str, Rules], created: bool, defaults: bool) -> bool:
    if facts(sent) == facts(seen):
        return True
    may_default = defaults and (created or sent.id is None)
    pairs = ((name, getattr(sent, name), getattr(seen, name)) for name in FACTS)
    return all(
        (may_default and was is None) or explained(was, now, rules.get(f"lines.{name}", ())) for name, was, now in pairs
    )


def _line_after_write(sent: Line, seen: Line, rules: Mapping[str, Rules], created: bool) -> Line:
    if facts(sent) == facts(seen):
        return replace(sent, id=seen.id)
    new = created or sent.id is None
    values: dict[str, Any] = {}
    for name in FACTS:
        was, now = getattr(sent, name), getattr(seen, name)
        values[name] = now if new and was is None else _settled(was, now, rules.get(f"lines.{name}", ()))
    return replace(sent, id=seen.id, **values)
