"""Custom properties that mappings use, held against the portal's own definitions of them.

A name the portal does not know is left out of answers silently, and a read-only one refuses whole batches: so both are
found out here, and said on the records, before anything is read as empty or written in vain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from syncd.connectors.base import FieldProblem, MappedField, Traits
from syncd.connectors.hubspot import wire
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.fields import FIELDS, OURS, TYPES
from syncd.connectors.hubspot.wire import Definition
from syncd.core.filter_values import FieldType
from syncd.model.references import Kind

# What a property of each type can be mapped with, both ways (HubSpot: properties guide). Texts meet everything; any
# property can be read into a text.
MEETS: Mapping[str, frozenset[FieldType]] = {
    "number": frozenset({FieldType.AMOUNT, FieldType.CUSTOM}),
    "date": frozenset({FieldType.DAY, FieldType.CUSTOM}),
    "datetime": frozenset({FieldType.CUSTOM}),
    "enumeration": frozenset({FieldType.TEXT, FieldType.CUSTOM}),
    "bool": frozenset({FieldType.SWITCH, FieldType.CUSTOM}),
}
# How the portal may show again what it was sent.
SHOWN: Mapping[str, tuple[str, ...]] = {"number": ("number",), "bool": ("casefold",)}


class CustomProperties:
    """The mapped properties of one portal."""

    def __init__(self, client: Client, fields: Sequence[MappedField]) -> None:
        self._client = client
        self._fields = fields
        self._known: dict[Kind, dict[str, Definition]] = {}

    async def look(self) -> tuple[FieldProblem, ...]:
        """Read the definitions of every object that has mapped properties; what is wrong with the mapped ones."""
        for kind in dict.fromkeys(field.kind for field in self._fields):
            listed = wire.to(wire.Definitions, await self._client.get(self._client.paths.properties(TYPES[kind])))
            self._known[kind] = {definition.name: definition for definition in listed.results}
        return tuple(dict.fromkeys(problem for field in self._fields for problem in self._problems(field)))

    def taught(self, traits: Traits) -> Traits:
        """The traits with what is known of the properties' types."""
        made = {kind: dict(rules) for kind, rules in traits.normalisers.items()}
        for field in self._fields:
            definition = self._known.get(field.kind, {}).get(field.name)
            if definition is not None and definition.type in SHOWN:
                made.setdefault(field.kind, {})[f"custom.{field.name}"] = ("trim", "empty", *SHOWN[definition.type])
        return replace(traits, normalisers=made)

    def _problems(self, field: MappedField) -> Iterator[FieldProblem]:
        where = f"the HubSpot property “{field.name}” of {TYPES[field.kind]}"
        own = next((name for name, known in FIELDS[field.kind].items() if known == field.name), None)
        definition = self._known[field.kind].get(field.name)

        def problem(code: str, words: str, cure: str) -> FieldProblem:
            return FieldProblem(kind=field.kind, name=field.name, code=code, words=f"{where} {words}", cure=cure)

        if own is not None:
            yield problem("mapping_invalid", f"is our field “{own}”", f"map “{own}” instead")
        elif field.name.startswith(OURS):
            yield problem("mapping_invalid", "belongs to syncd", "map another property")
        elif definition is None:
            yield problem("mapping_invalid", "does not exist", "create it in HubSpot, or correct the mapping")
        elif field.written and (definition.calculated or definition.read_only):
            cure = "map it in the other direction only, or map another property"
            yield problem("field_not_writable", "is read-only or calculated", cure)
        elif field.meets not in MEETS.get(definition.type, FieldType) and not _read_as_text(field):
            words = f"is of type {definition.type} and cannot be mapped with {field.meets}"
            yield problem("mapping_invalid", words, "map a property of a type that fits")
        elif strange := [option for option in field.options if not _holds(definition, option)]:
            words = f"has no option {', '.join(f'“{option}”' for option in strange)}"
            yield problem("option_unknown", words, f"its options are {', '.join(definition.choices) or 'none'}")


def _read_as_text(field: MappedField) -> bool:
    return not field.written and field.meets is FieldType.TEXT


def _holds(definition: Definition, option: str) -> bool:
    return definition.type != "enumeration" or definition.external_options or option in definition.choices
