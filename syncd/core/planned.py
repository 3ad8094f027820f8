"""Entries of a plan: one command each, with what it was decided on; and whether it is still the same later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from syncd.core.decision import Command
from syncd.core.filters import AllOf, AnyOf, Condition, Filter
from syncd.core.rules import FlowRules
from syncd.model.content import line_facts
from syncd.model.nouns import Allocation, Line
from syncd.model.record import Intent
from syncd.model.references import Kind, Side
from syncd.model.values import Value, digest

Names = Mapping[tuple[Kind, str], str]
"""Entities that a plan has made, by what the plan called them: (kind, the vendor's id) -> the plan's name."""

_DATES = frozenset({"created", "modified", "issue_date"})
_REFERENCES = {"customer": Kind.PARTY, "parent": Kind.PARTY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a command, as a person reads it."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command of a plan.

    Attributes:
        place: the record, by where it was born (`core.imagined.place`).
        entity: what is changed; None for a create.
        base, seen: digests of each side at the last success and now; None where there is nothing.
        rules: digest of the rules it was decided by. command: digest of what would be written.
    """

    sync: str
    flow: str
    place: str
    label: str
    connection: str
    side: Side
    op: str
    kind: Kind
    entity: str | None
    fields: tuple[Field, ...] = ()
    lines: int | None = None
    base: Mapping[str, str | None]
    seen: Mapping[str, str | None]
    rules: str
    command: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same entry of two plans, whatever it writes."""
        return self.sync, self.place, self.side, self.op


@dataclass(frozen=True, slots=True)
class Moved:
    """An entry that is not carried out, and why."""

    entry: Entry
    words: str


def command_digest(command: Command | Intent, names: Names) -> str:
    """A hash of everything a command writes.

    It is the same for as long as the same would be written: what was there when it was decided (versions, digests)
    is not part of it, and entities that the plan itself makes go by the plan's names for them.
    """
    return digest(
        {
            "side": command.side,
            "op": command.op,
            "kind": command.kind,
            "entity": command.entity,
            "key": command.natural_key,
            "mirror": command.mirror,
            "values": {name: _named(name, value, names) for name, value in command.values.items()},
            "lines": line_facts(None if command.lines is None else tuple(_line(line, names) for line in command.lines)),
            "allocations": None if command.allocations is None else [_paid(a, names) for a in command.allocations],
        }
    )


def referred(command: Command | Intent) -> Iterable[tuple[Kind, str]]:
    """The entities of the written side that a command refers to."""
    for name, kind in _REFERENCES.items():
        value = command.values.get(name)
        if isinstance(value, str):
            yield kind, value
    for line in command.lines or ():
        if line.product is not None:
            yield Kind.PRODUCT, line.product
    for allocation in command.allocations or ():
        yield Kind.INVOICE, allocation.invoice


def _named(name: str, value: Value, names: Names) -> Value:
    kind = _REFERENCES.get(name)
    return names.get((kind, value), value) if kind is not None and isinstance(value, str) else value


def _line(line: Line, names: Names) -> Line:
    return (
        line if line.product is None else replace(line, product=names.get((Kind.PRODUCT, line.product), line.product))
    )


def _paid(allocation: Allocation, names: Names) -> dict[str, Value]:
    return {**asdict(allocation), "invoice": names.get((Kind.INVOICE, allocation.invoice), allocation.invoice)}


def compared(then: Sequence[Entry], now: Sequence[Entry]) -> tuple[list[Entry], list[Moved]]:
    """The entries of a plan that would be the same now, and those that would not, with the reason."""
    again = {entry.key: entry for entry in now}
    same: list[Entry] = []
    moved: list[Moved] = []
    for entry in then:
        other = again.get(entry.key)
        if other is not None and other.command == entry.command:
            same.append(other)
        else:
            moved.append(Moved(entry, _why(entry, other)))
    return same, moved


def _why(then: Entry, now: Entry | None) -> str:
    if now is None:
        return "There is nothing to write for it any more, or something else is to be written."
    if now.rules != then.rules:
        return "The rules have changed."
    sides = [side for side in ("left", "right") if now.seen.get(side) != then.seen.get(side)]
    if sides:
        return f"It has changed on {' and '.join('{' + side + '}' for side in sides)}."
    if now.base != then.base:
        return "It was synced meanwhile."
    return "What it depends on has changed."


def undated(flow: FlowRules, source: Side) -> bool:
    """Whether everything there ever was on this side would come over: no filter looks at a date."""
    fixed = any(requirement.test == "after_start" for requirement in flow.requires.get(source, ()))
    wanted = flow.filters.get(source)
    return flow.direction.allows(source) and not fixed and not (wanted is not None and _dated(wanted))


def _dated(filter: Filter) -> bool:
    match filter:
        case Condition(field, operator):
            return field in _DATES and operator in (">", ">=", "=", "in")
        case AllOf(parts):
            return any(_dated(part) for part in parts)
        case AnyOf(parts):
            return all(_dated(part) for part in parts)
