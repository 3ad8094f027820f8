"""The look after a write: what was overwritten without anybody having seen it.

HubSpot has no optimistic lock. Each property keeps its history, though: a value that came in after we looked and before
we wrote stands right behind ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from syncd.connectors.base import Order
from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.parts import Part
from syncd.connectors.hubspot.values import agree, field_of, value_of
from syncd.connectors.hubspot.wire import Past, Record
from syncd.model.values import Value


def lost_values(order: Order, part: Part, record: Record, zone: ZoneInfo) -> dict[str, Value]:
    """Fields whose value a person had changed between our look and our write, with the values that were lost."""
    if order.seen is None or order.seen.modified is None:
        return {}
    made: dict[str, Value] = {}
    histories: Mapping[str, Sequence[Past]] = record.properties_with_history or {}
    for name, sent in part.properties.items():
        lost = _overwritten(histories.get(name, ()), sent, order.seen.modified)
        if lost is not None:
            field = field_of(order.kind, name)
            made[field] = value_of(order.kind, field, _text(lost), zone)
    return made


def _overwritten(history: Sequence[Past], sent: str, seen: datetime) -> Past | None:
    newest_first = sorted(history, key=lambda past: moments.stamped(past.timestamp), reverse=True)
    ours = next((place for place, past in enumerate(newest_first) if agree(sent, _text(past))), None)
    if ours is None or ours + 1 == len(newest_first):
        return None
    before = newest_first[ours + 1]
    if moments.stamped(before.timestamp) <= seen or agree(sent, _text(before)):
        return None
    return before


def _text(past: Past) -> str | None:
    return None if past.value is None else str(past.value)
