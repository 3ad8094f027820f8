"""Mappings of one flow: the recipe's default rows, and what a configuration makes of them and adds to them.

A table `[[...mappings]]` that names the two fields of a default row switches or bends that row; any other one is a row
of its own. Custom fields are written with their vendor's word, `properties.po_number`, or `custom.po_number`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from syncd.core.crossing import as_type
from syncd.core.filter_values import CUSTOM, FieldType, fields_of
from syncd.core.rules import Direction, FlowRules, Group, Row
from syncd.model.nouns import Invoice, Noun, Party, Payment, Product, field_names
from syncd.model.references import Kind, Side
from syncd.model.values import Value
from syncd.recipes.load import Fields

NOUNS: dict[Kind, type[Noun]] = {
    Kind.PARTY: Party,
    Kind.PRODUCT: Product,
    Kind.INVOICE: Invoice,
    Kind.PAYMENT: Payment,
}
KEYS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "left": (str, "a field of the left side"),
    "right": (str, "a field of the right side"),
    "direction": (str, "“both”, “left-to-right”, “right-to-left” or “off”"),
    "enabled": (bool, "true or false"),
    "constant": ((str, bool, int, Decimal, date), "a text, number, date, true or false"),
    "values": (dict, 'a table like { "A" = "B" }, left option = right option'),
}
# What is computed, or names another record: to be read by a mapping, never to be written.
READ_ONLY = frozenset(
    ["customer", "parent", "active", "currency", "status", "total", "tax_total", "amount_paid", "balance"]
)

Found = tuple[tuple[str | int, ...], str, str]
Raw = Mapping[str, Any]


def table(flow: FlowRules, fields: Fields, raw: Raw) -> tuple[Row, ...]:
    """Every row of a flow, those that are off too. `raw` is the flow's section, which has passed `check`."""
    told = [(_ends(fields, mapping), mapping) for mapping in raw.get("mappings") or []]
    bent = {ends: mapping for ends, mapping in told if any(ends == (row.left, row.right) for row in flow.rows)}
    own = tuple(_own(flow, ends, mapping) for ends, mapping in told if ends not in bent)
    rows = [_default(flow, row, bent.get((row.left, row.right)), raw.get("options") or {}, own) for row in flow.rows]
    return (*rows, *own)


def shown_path(path: str, side: Side, fields: Fields) -> str:
    """A row's field as it is written in a configuration."""
    return f"{fields.custom[side]}.{path.removeprefix(CUSTOM)}" if path.startswith(CUSTOM) else path


def _ends(fields: Fields, mapping: Raw) -> tuple[str, str]:
    left, right = (_path(str(mapping.get(side.value, "")), side, fields) for side in Side)
    return left, right


def _path(written: str, side: Side, fields: Fields) -> str:
    word = fields.custom.get(side)
    return CUSTOM + written.removeprefix(f"{word}.") if word and written.startswith(f"{word}.") else written


def _default(flow: FlowRules, row: Row, mapping: Raw | None, options: Raw, own: tuple[Row, ...]) -> Row:
    if row.option and options.get(row.option):
        row = replace(row, left=CUSTOM + str(options[row.option]), enabled=True)
        row = replace(row, types=_types(flow, (row.left, row.right)))
    if row.yields and any({row.left, row.right} & {mine.left, mine.right} for mine in own if mine.enabled):
        return replace(row, enabled=False)
    if mapping is None:
        return row
    return replace(
        row,
        direction=Direction(mapping.get("direction", row.direction)),
        enabled=mapping.get("enabled", row.enabled),
        constant=_plain(mapping.get("constant")),
        values=mapping.get("values") or {},
        types=_types(flow, (row.left, row.right)),
    )


def _own(flow: FlowRules, ends: tuple[str, str], mapping: Raw) -> Row:
    left, right = ends
    return Row(
        name=left if left == right else f"{left} = {right}",
        left=left,
        right=right,
        direction=Direction(mapping.get("direction", "both")),
        constant=_plain(mapping.get("constant")),
        values=mapping.get("values") or {},
        types=_types(flow, ends),
        enabled=mapping.get("enabled", True),
        custom=True,
    )


def _types(flow: FlowRules, ends: tuple[str, str]) -> dict[Side, FieldType]:
    return {side: _type(flow, path) or FieldType.CUSTOM for side, path in zip(Side, ends, strict=True)}


def _plain(constant: object) -> Value:
    """A value of TOML as one of ours."""
    if isinstance(constant, int) and not isinstance(constant, bool):
        return Decimal(constant)
    assert constant is None or isinstance(constant, str | bool | Decimal | date)
    return constant


def _type(flow: FlowRules, path: str) -> FieldType | None:
    """What a field holds; None for a name that is none."""
    if path.startswith(CUSTOM) and path != CUSTOM:
        return FieldType.CUSTOM
    known = fields_of(NOUNS[flow.kind]).get(path) if path in field_names(NOUNS[flow.kind]) else None
    return known.type if known else None


def check(flow: FlowRules, fields: Fields, raw: Raw) -> list[Found]:
    """Everything wrong with a flow's mappings that shows without asking a vendor."""
    found: list[Found] = []
    sound: list[tuple[int, Raw]] = []
    for index, mapping in enumerate(raw.get("mappings") or []):
        wrong = list(_shape(mapping)) or [*_names(flow, fields, mapping), *_values(flow, fields, mapping)]
        found += [(("mappings", index, *path), message, cure) for path, message, cure in wrong]
        if not wrong:
            sound.append((index, mapping))
    found += _twice(flow, fields, {**raw, "mappings": [mapping for _, mapping in sound]}, [i for i, _ in sound])
    for row in flow.rows:
        name = (raw.get("options") or {}).get(row.option) if row.option else None
        if isinstance(name, str) and ("." in name or not name.strip()):
            cure = "give the internal name of a HubSpot property, like “tracking_number”"
            found.append((("options", row.option), f"“{name}” is no property's name", cure))
    return found


def _shape(mapping: Raw) -> Iterator[Found]:
    for key, value in mapping.items():
        if key not in KEYS:
            yield (key,), "is not a known key", f"possible here: {', '.join(KEYS)}"
        elif not isinstance(value, KEYS[key][0]):
            yield (key,), "has the wrong type", f"give {KEYS[key][1]}"
    for side in Side:
        if side.value not in mapping:
            yield (), f"has no {side}", f"add {KEYS[side.value][1]}"
    if mapping.get("direction", "both") not in list(Direction):
        yield ("direction",), f"“{mapping['direction']}” is no direction", f"give {KEYS['direction'][1]}"
    values = mapping.get("values")
    if isinstance(values, dict) and not all(isinstance(value, str) for value in values.values()):
        yield ("values",), "maps to something that is no text", f"give {KEYS['values'][1]}"


def _names(flow: FlowRules, fields: Fields, mapping: Raw) -> Iterator[Found]:
    """Fields that are not there, or not to be written; default rows that cannot be bent."""
    ends = _ends(fields, mapping)
    default = next((row for row in flow.rows if (row.left, row.right) == ends), None)
    if default is not None:
        yield from _bendable(default, mapping)
        return
    direction = Direction(mapping.get("direction", "both"))
    for side, path in zip(Side, ends, strict=True):
        strange = path.startswith(CUSTOM) and side not in fields.custom
        if strange or _type(flow, path) is None or path in fields.lacks[side]:
            words = f"the {side} side has no field “{mapping[side.value]}”"
            yield (side.value,), words, _possible(flow, fields, side)
        elif direction.allows(side.other) and path in READ_ONLY | fields.read_only[side]:
            way = "left-to-right" if side is Side.LEFT else "right-to-left"
            yield (side.value,), f"“{path}” cannot be written by a mapping", f"only read it: direction = “{way}”"


def _bendable(row: Row, mapping: Raw) -> Iterator[Found]:
    if row.fixed:
        yield (), f"“{row.name}” cannot be changed: {row.fixed}", "take this mapping out"
    elif row.group is Group.MONEY and mapping.keys() & {"direction", "constant", "values"}:
        yield (), f"“{row.name}” belongs to the side of birth", "it can only be switched: enabled = false"


def _possible(flow: FlowRules, fields: Fields, side: Side) -> str:
    """What a side's fields are called, for messages."""
    word = fields.custom.get(side)
    plain = ", ".join(sorted(field_names(NOUNS[flow.kind]) - fields.lacks[side]))
    return f"use {word}.NAME or one of: {plain}" if word else f"use one of: {plain}"


def _values(flow: FlowRules, fields: Fields, mapping: Raw) -> Iterator[Found]:
    """Types that cannot meet, constants and options a field cannot hold."""
    ends = _ends(fields, mapping)
    if any(_type(flow, path) is None for path in ends):
        return
    types = _types(flow, ends)
    direction, values = Direction(mapping.get("direction", "both")), mapping.get("values") or {}
    for source in Side:
        if direction.allows(source) and not values and not _meets(types[source], types[source.other]):
            yield (), f"{types[source]} ({source}) cannot become {types[source.other]} ({source.other})", _TYPE_CURE
    for side in Side:
        held = [("constant", mapping["constant"])] if "constant" in mapping and direction.allows(side.other) else []
        held += [("values", each) for each in (values if side is Side.LEFT else values.values())]
        for key, value in held:
            if not _holds(types[side], value):
                yield (key,), f"“{value}” does not fit: the {side} field needs {types[side]}", "correct the value"
    if direction.allows(Side.RIGHT) and len(set(values.values())) < len(values):
        cure = "give each right option once, or set direction = “left-to-right”"
        yield ("values",), "two left options have the same right option", cure


_TYPE_CURE = "map fields of one type, a custom field, or give values"


def _meets(source: FieldType, target: FieldType) -> bool:
    """Whether values of one type can be written as the other; what a custom field holds only its vendor knows."""
    return source is target or FieldType.CUSTOM in (source, target) or target is FieldType.TEXT


def _holds(wanted: FieldType, value: object) -> bool:
    try:
        return as_type(_plain(value), wanted) != ""
    except ValueError:
        return False


def _twice(flow: FlowRules, fields: Fields, raw: Raw, indexes: list[int]) -> Iterator[Found]:
    """Two rows that write the same field, or say the same."""
    rows = table(flow, fields, raw)
    defaults, own = rows[: len(flow.rows)], rows[len(flow.rows) :]
    ends = [_ends(fields, mapping) for mapping in raw["mappings"]]
    known = {(row.left, row.right) for row in flow.rows}
    places = [index for index, end in zip(indexes, ends, strict=True) if end not in known]
    writers = {(side, row.path(side)): row.name for row in defaults for side in _written(row)}
    for index, row in zip(places, own, strict=True):
        for side in _written(row):
            target = (side, row.path(side))
            if target in writers:
                shown = shown_path(row.path(side), side, fields)
                cure = f"switch one off (enabled = false), or keep it from writing {side} with its direction"
                words = f"“{shown}” ({side}) is already written by “{writers[target]}”"
                yield ("mappings", index, side.value), words, cure
            writers[target] = row.name
    seen: set[tuple[str, str]] = set()
    for index, end in zip(indexes, ends, strict=True):
        if end in seen:
            yield ("mappings", index), "these two fields are mapped already", "keep one of the two tables"
        seen.add(end)


def _written(row: Row) -> list[Side]:
    return [side for side in Side if row.enabled and row.direction.allows(side.other)]
