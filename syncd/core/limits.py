"""What the other side has no room for: refused with the limit's name before anything is sent, and never cut.

And mapped custom fields that are not as the mapping needs them: never silently left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.decision import Context
from syncd.core.facts import SideFacts
from syncd.core.outcome import Settled
from syncd.model.nouns import Line
from syncd.model.references import Kind, Side
from syncd.model.values import Value
from syncd.model.waiting import on_account


def refuse_too_long(kind: Kind, values: Mapping[str, Value], lines: tuple[Line, ...] | None, target: SideFacts) -> None:
    """Whether everything fits.

    Raises:
        Settled: `field_value_invalid`, naming the field, its length and the limit; `field_not_writable`.
    """
    unusable = target.unusable.get(kind, {})
    for name in values:
        if name in unusable:
            raise Settled(*unusable[name])
    most = target.most.get(kind, {})
    for name, value in values.items():
        if name in most and isinstance(value, str) and len(value) > most[name]:
            raise Settled("field_value_invalid", f"{name} has {len(value)} characters, at most {most[name]} fit there.")
    if lines is not None and "lines" in most and len(lines) > most["lines"]:
        raise Settled("field_value_invalid", f"It has {len(lines)} lines, at most {most['lines']} fit there.")


def refuse_unknown_fields(context: Context) -> None:
    """Whether every mapped field is there at all.

    Raises:
        Settled: `mapping_invalid`; it waits for the account's own definitions to change.
    """
    for side in Side:
        unusable = context.facts.sides[side].unusable.get(context.flow.kind, {})
        for row in context.flow.rows if unusable else ():
            code, words = unusable.get(row.path(side), ("", ""))
            if code == "mapping_invalid":
                raise Settled(code, words, waits_for=on_account(context.sync.connection(side)))
