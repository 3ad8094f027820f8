"""Free filters: field, operator, value, joined by and / or; what a sync's owner may say about what goes over.

In the configuration a list is AND, and `{ any = [[...], [...]] }` inside it is OR. A value that is missing meets no
condition but `unknown`, `!=` and `not in`. Texts are compared without case; a moment compared with a day is compared
by its day (UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncd.core.filter_values import (
    CUSTOM,
    CUSTOMER,
    SNAPSHOT_FIELDS,
    Field,
    FieldType,
    compare,
    convert,
    field_of,
    fields_of,
    folded,
    ordering_value,
)
from syncd.model.content import shown
from syncd.model.nouns import Noun, Party, field_names, field_value
from syncd.model.snapshot import Snapshot
from syncd.model.values import Value

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One triple. `values` is empty for `known` and `unknown`, several for `in` and `not in`, else one."""

    field: str
    operator: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part must be met."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part must be met."""

    parts: tuple[Filter, ...]


Filter = Condition | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a record meets a filter; if not, the first part of it that is not met."""

    ok: bool
    failed: Filter | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the configuration: where (keys and list positions), and what."""

    path: Path
    message: str


_ORDERINGS: Mapping[str, Callable[[int], bool]] = {
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
}
_LISTS = ("in", "not in")
_VALUELESS = ("known", "unknown")
OPERATORS = ("=", "!=", *_ORDERINGS, *_LISTS, "contains", *_VALUELESS)


def matches(filter: Filter, snapshot: Snapshot, customer: Party | None) -> Verdict:
    """Whether the record meets the filter. `customer` is the associated party, None when there is none."""
    match filter:
        case Condition(field):
            met = _meets(filter, _actual(field, snapshot, customer))
            return Verdict(True) if met else Verdict(False, filter)
        case AllOf(parts):
            verdicts = (matches(part, snapshot, customer) for part in parts)
            return next((verdict for verdict in verdicts if not verdict.ok), Verdict(True))
        case AnyOf(parts):
            met = any(matches(part, snapshot, customer).ok for part in parts)
            return Verdict(True) if met else Verdict(False, filter)


def needs_customer(filter: Filter) -> bool:
    """Whether the filter looks at the associated party."""
    if isinstance(filter, Condition):
        return filter.field.startswith(CUSTOMER)
    return any(needs_customer(part) for part in filter.parts)


def _actual(path: str, snapshot: Snapshot, customer: Party | None) -> Value:
    if path in SNAPSHOT_FIELDS:
        value: Value = getattr(snapshot, path)
        return value
    noun: Noun | None = snapshot.noun
    if path.startswith(CUSTOMER):
        path, noun = path.removeprefix(CUSTOMER), customer
    if noun is None or not (path.startswith(CUSTOM) or path in field_names(type(noun))):
        return None
    return field_value(noun, path)


def _meets(condition: Condition, actual: Value) -> bool:
    missing = actual is None or actual == ""
    match condition.operator:
        case "known":
            return not missing
        case "unknown":
            return missing
        case "=" | "in":
            return not missing and _one_of(actual, condition.values)
        case "!=" | "not in":
            return missing or not _one_of(actual, condition.values)
        case "contains":
            return isinstance(actual, str) and folded(str(condition.values[0])) in folded(actual)
        case ordering:
            sign = None if missing else compare(actual, condition.values[0])
            return sign is not None and _ORDERINGS[ordering](sign)


def _one_of(actual: Value, wanted: tuple[Value, ...]) -> bool:
    return any(compare(actual, value) == 0 for value in wanted)


def describe(filter: Filter) -> str:
    """The filter as people read it: `created >= 2026-11-01 and (customer.country = FR or total > 100)`."""
    match filter:
        case Condition(field, operator, ()):
            return f"{field} is {operator}"
        case Condition(field, operator, values):
            listed = ", ".join(shown(value) or "" for value in values)
            return f"{field} {operator} [{listed}]" if operator in _LISTS else f"{field} {operator} {listed}"
        case AllOf(parts):
            return " and ".join(_bracketed(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_bracketed(part) for part in parts)


def _bracketed(part: Filter) -> str:
    return describe(part) if isinstance(part, Condition) else f"({describe(part)})"


def parse(raw: object, noun: type[Noun], path: Path) -> tuple[Filter | None, list[Problem]]:
    """A filter from the configuration, with everything that is wrong in it at once.

    Args:
        raw: the list (or the single table) as it stands in the file.
        path: where in the file it stands.

    Returns:
        The filter, or None when it is empty or there are problems; and the problems.
    """
    reading = _Reading(noun, [])
    parts = reading.all_of(raw if isinstance(raw, list) else [raw], path)
    if reading.problems or not parts:
        return None, reading.problems
    return _joined(parts), []


def _joined(parts: list[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


@dataclass(frozen=True, slots=True)
class _Reading:
    noun: type[Noun]
    problems: list[Problem]

    def all_of(self, raw: list[object], path: Path) -> list[Filter]:
        read = (self._item(item, (*path, index)) for index, item in enumerate(raw))
        return [part for part in read if part is not None]

    def _item(self, raw: object, path: Path) -> Filter | None:
        if not isinstance(raw, Mapping):
            self._wrong(path, "needs a table of field, operator and value, or of any")
            return None
        return self._any_of(raw, path) if "any" in raw else self._condition(raw, path)

    def _any_of(self, raw: Mapping[str, object], path: Path) -> Filter | None:
        for key in raw.keys() - {"any"}:
            self._wrong((*path, key), "cannot stand beside any")
        groups = raw["any"]
        if not isinstance(groups, list) or not groups:
            self._wrong((*path, "any"), "needs a list of lists, one of which must be met")
            return None
        read = [self._group(group, (*path, "any", index)) for index, group in enumerate(groups)]
        return AnyOf(tuple(part for part in read if part is not None))

    def _group(self, raw: object, path: Path) -> Filter | None:
        if not isinstance(raw, list) or not raw:
            self._wrong(path, "needs a list of conditions")
            return None
        parts = self.all_of(raw, path)
        return _joined(parts) if parts else None

    def _condition(self, raw: Mapping[str, object], path: Path) -> Filter | None:
        before = len(self.problems)
        for key in sorted(raw.keys() - {"field", "operator", "value"}):
            self._wrong((*path, key), "is not known here; a condition has field, operator and value")
        name, operator = raw.get("field"), raw.get("operator")
        field = field_of(self.noun, name) if isinstance(name, str) else None
        if field is None:
            known = ", ".join([*fields_of(self.noun), "custom.<name>"])
            self._wrong((*path, "field"), f"there is no field {name!r}; there are {known}")
        if operator not in OPERATORS:
            self._wrong((*path, "operator"), f"there is no operator {operator!r}; there are {' '.join(OPERATORS)}")
        if field is None or operator not in OPERATORS:
            return None
        assert isinstance(name, str)
        assert isinstance(operator, str)
        if not _fits(operator, field):
            self._wrong((*path, "operator"), f"{operator} does not fit {name}, which holds {field.type}")
            return None
        values = self._values(raw, operator, field, (*path, "value"))
        return Condition(name, operator, values) if len(self.problems) == before else None

    def _values(self, raw: Mapping[str, object], operator: str, field: Field, path: Path) -> tuple[Value, ...]:
        if operator in _VALUELESS:
            if "value" in raw:
                self._wrong(path, f"{operator} takes no value")
            return ()
        if "value" not in raw:
            self._wrong(path, "is missing")
            return ()
        given = raw["value"]
        if operator not in _LISTS:
            return (self._value(given, operator, field, path),)
        if not isinstance(given, list) or not given:
            self._wrong(path, f"{operator} needs a list of values")
            return ()
        return tuple(self._value(item, operator, field, (*path, index)) for index, item in enumerate(given))

    def _value(self, raw: object, operator: str, field: Field, path: Path) -> Value:
        try:
            if operator == "contains":
                return convert(raw, Field(FieldType.TEXT))
            if operator in _ORDERINGS and field.type is FieldType.CUSTOM:
                return ordering_value(raw)
            return convert(raw, field)
        except ValueError as error:
            self._wrong(path, f"needs {error}, not {raw!r}")
            return None

    def _wrong(self, path: Path, message: str) -> None:
        self.problems.append(Problem(path, message))


def _fits(operator: str, field: Field) -> bool:
    if operator in _ORDERINGS:
        return field.type not in (FieldType.TEXT, FieldType.SWITCH)
    if operator in _LISTS:
        return field.type is not FieldType.SWITCH
    if operator == "contains":
        return field.type in (FieldType.TEXT, FieldType.CUSTOM) and not field.choices
    return True
