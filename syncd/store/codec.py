"""Nouns and snapshots as JSON values and back.

Fields without a value and empty lists are left out; what is missing comes back as the noun's default, and what a later
release has added is passed over. Decimals come back equal, though without trailing zeros (see `model.values`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec

from syncd.model.content import content_from_plain, content_to_plain, lines_from_plain, lines_to_plain
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    Invoice,
    InvoiceStatus,
    Noun,
    Party,
    Payment,
    PaymentStatus,
    Product,
)
from syncd.model.record import FieldChange, Intent
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.values import CANONICAL_VERSION, Value, from_plain, plain
from syncd.store.errors import DamagedStore

Plain = dict[str, Any]
"""A JSON object."""

_NOUNS: Mapping[Kind, type[Noun]] = {
    Kind.PARTY: Party,
    Kind.PRODUCT: Product,
    Kind.INVOICE: Invoice,
    Kind.PAYMENT: Payment,
}
_FIELDS = {noun: tuple(f.name for f in fields(noun)) for noun in _NOUNS.values()}
_STATUS: Mapping[Kind, type[StrEnum]] = {Kind.INVOICE: InvoiceStatus, Kind.PAYMENT: PaymentStatus}


def snapshot_to_plain(snapshot: Snapshot) -> Plain:
    """Everything of a snapshot but its kind and id, which are columns wherever it is stored."""
    made: Plain = {"version": snapshot.version, "presence": snapshot.presence.value}
    for name in ("marker", "native", "source", "merged_into"):
        if (value := getattr(snapshot, name)) is not None:
            made[name] = value
    for name in ("created", "modified"):
        if (time := getattr(snapshot, name)) is not None:
            made[name] = time.isoformat()
    if snapshot.torn:
        made["torn"] = True
    if snapshot.noun is not None:
        made["noun"] = noun_to_plain(snapshot.noun)
    return made


def snapshot_from_plain(kind: Kind, id: str, raw: Mapping[str, Any]) -> Snapshot:
    """The inverse of `snapshot_to_plain`.

    Raises:
        DamagedStore: it is nothing of ours.
    """
    with Reading(kind, id):
        return Snapshot(
            kind=kind,
            id=id,
            version=raw["version"],
            presence=Presence(raw["presence"]),
            noun=noun_from_plain(kind, raw["noun"]) if "noun" in raw else None,
            created=_time(raw.get("created")),
            modified=_time(raw.get("modified")),
            marker=raw.get("marker"),
            native=raw.get("native"),
            source=raw.get("source"),
            merged_into=raw.get("merged_into"),
            torn=raw.get("torn", False),
        )


class Reading:
    """Whatever cannot be read in the block is told as a damage, by what it is: not by what stands there."""

    __slots__ = ("_id", "_what")

    def __init__(self, what: str, id: str) -> None:
        self._what, self._id = what, id

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _UNREADABLE):
            words = f"the stored {self._what} {self._id} is nothing this release can read"
            raise DamagedStore(f"{words}; use the release that wrote it, or restore a backup") from error


_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, AssertionError)


def content_digest(body: Mapping[str, Any]) -> str:
    """A hash of what counts of a stored snapshot: what the entity holds and whether it is there.

    The vendor's version and times are left out: vendors touch entities without changing anything.
    """
    counting = [body.get(name) for name in ("noun", "presence", "merged_into", "marker")]
    text = msgspec.json.encode(counting, order="sorted")
    return f"{CANONICAL_VERSION}:{blake2b(text, digest_size=16).hexdigest()}"


def same_content(one: Snapshot, other: Snapshot) -> bool:
    """Whether two looks show the same, whatever their versions and times."""
    return content_digest(snapshot_to_plain(one)) == content_digest(snapshot_to_plain(other))


def noun_to_plain(noun: Noun) -> Plain:
    """One noun; its type is the kind of whatever holds it."""
    made: Plain = {}
    for name in _FIELDS[type(noun)]:
        value = getattr(noun, name)
        if value is None or value == () or value == {}:
            continue
        if name == "lines":
            made[name] = lines_to_plain(value)
        elif name == "adjustments":
            made[name] = [_adjustment_to_plain(item) for item in value]
        elif name == "allocations":
            made[name] = allocations_to_plain(value)
        elif name == "payments":
            made[name] = list(value)
        elif name == "custom":
            made[name] = values_to_plain(value)
        else:
            made[name] = plain(value)
    return made


def noun_from_plain(kind: Kind, raw: Mapping[str, Any]) -> Noun:
    """The inverse of `noun_to_plain`."""
    made: Plain = {}
    known = _FIELDS[_NOUNS[kind]]
    for name, value in raw.items():
        if name not in known:
            continue
        if name == "lines":
            made[name] = lines_from_plain(value)
        elif name == "adjustments":
            made[name] = tuple(_adjustment_from_plain(item) for item in value)
        elif name == "allocations":
            made[name] = allocations_from_plain(value)
        elif name == "payments":
            made[name] = tuple(value)
        elif name == "custom":
            made[name] = values_from_plain(value)
        elif name == "status":
            made[name] = _STATUS[kind](value)
        else:
            made[name] = from_plain(value)
    return _NOUNS[kind](**made)


def values_to_plain(values: Mapping[str, Value]) -> Plain:
    return {name: plain(value) for name, value in values.items()}


def values_from_plain(raw: Mapping[str, object]) -> dict[str, Value]:
    return {name: from_plain(value) for name, value in raw.items()}


def allocations_to_plain(allocations: Sequence[Allocation]) -> list[Plain]:
    return [{"invoice": item.invoice, "amount": plain(item.amount)} for item in allocations]


def allocations_from_plain(raw: Sequence[Mapping[str, Any]]) -> tuple[Allocation, ...]:
    return tuple(Allocation(invoice=item["invoice"], amount=_value(item["amount"])) for item in raw)


def intent_body(intent: Intent) -> Plain:
    """What an intent wants written and what its done write settles."""
    made: Plain = {"values": values_to_plain(intent.values)}
    if intent.lines is not None:
        made["lines"] = lines_to_plain(intent.lines)
    if intent.allocations is not None:
        made["allocations"] = allocations_to_plain(intent.allocations)
    if intent.patch:
        made["patch"] = {side.value: content_to_plain(content) for side, content in intent.patch.items()}
    return made


def intent_body_fields(raw: Mapping[str, Any]) -> Plain:
    """The inverse of `intent_body`: keyword arguments of an intent."""
    lines, allocations = raw.get("lines"), raw.get("allocations")
    return {
        "values": values_from_plain(raw["values"]),
        "lines": None if lines is None else lines_from_plain(lines),
        "allocations": None if allocations is None else allocations_from_plain(allocations),
        "patch": {Side(side): content_from_plain(content) for side, content in raw.get("patch", {}).items()},
    }


def changes_to_plain(changes: Sequence[FieldChange]) -> list[list[str | None]]:
    return [[change.field, change.old, change.new, change.side.value] for change in changes]


def changes_from_plain(raw: Sequence[Sequence[Any]]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(field=name, old=old, new=new, side=Side(side)) for name, old, new, side in raw)


def _adjustment_to_plain(adjustment: Adjustment) -> Plain:
    return {"kind": adjustment.kind.value, "amount": plain(adjustment.amount), "label": adjustment.label}


def _adjustment_from_plain(raw: Mapping[str, Any]) -> Adjustment:
    return Adjustment(kind=AdjustmentKind(raw["kind"]), amount=_value(raw["amount"]), label=raw["label"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _value(raw: object) -> Any:
    return from_plain(raw)
