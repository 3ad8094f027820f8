"""What the other side has no room for: refused with the limit's name before anything is sent, and never cut."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.facts import SideFacts
from syncd.core.outcome import Settled
from syncd.model.nouns import Line
from syncd.model.references import Kind
from syncd.model.values import Value


def refuse_too_long(kind: Kind, values: Mapping[str, Value], lines: tuple[Line, ...] | None, target: SideFacts) -> None:
    """Whether everything fits.

    Raises:
        Settled: `field_value_invalid`, naming the field, its length and the limit.
    """
    most = target.most.get(kind, {})
    for name, value in values.items():
        if name in most and isinstance(value, str) and len(value) > most[name]:
            raise Settled("field_value_invalid", f"{name} has {len(value)} characters, at most {most[name]} fit there.")
    if lines is not None and "lines" in most and len(lines) > most["lines"]:
        raise Settled("field_value_invalid", f"It has {len(lines)} lines, at most {most['lines']} fit there.")
