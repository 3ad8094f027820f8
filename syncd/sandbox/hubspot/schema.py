"""Property definitions and groups of the portal: HubSpot's own and those an integration adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from syncd.sandbox.hubspot import definitions
from syncd.sandbox.hubspot.kinds import KINDS, Kind
from syncd.sandbox.hubspot.times import iso

_BIRTH = datetime(2020, 1, 1, tzinfo=UTC)
_FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}
# The field types a property of each type may have (HubSpot properties guide).
ALLOWED_FIELD_TYPES = {
    "string": ["text", "textarea", "file", "html", "phonenumber", "calculation_equation"],
    "number": ["number", "calculation_equation"],
    "date": ["date"],
    "datetime": ["date"],
    "enumeration": ["select", "radio", "checkbox", "booleancheckbox", "calculation_equation"],
    "bool": ["booleancheckbox", "calculation_equation"],
}


@dataclass(frozen=True, slots=True)
class Property:
    """One definition. `details` are the optional parts of a custom one that are only kept and shown."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    options: tuple[Mapping[str, object], ...] = ()
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    external_options: bool = False
    hubspot_defined: bool = True
    created_at: datetime = _BIRTH
    updated_at: datetime = _BIRTH
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def choices(self) -> list[str]:
        return [str(option["value"]) for option in self.options]

    def described(self) -> dict[str, object]:
        """The definition as the properties API shows it."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "groupName": self.group,
            "description": "",
            "options": list(self.options),
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": self.hubspot_defined,
            "formField": False,
            "dataSensitivity": "non_sensitive",
            **self.details,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": False,
        }


@dataclass(slots=True)
class Group:
    name: str
    label: str
    display_order: int = -1

    def described(self) -> dict[str, object]:
        return {"name": self.name, "label": self.label, "displayOrder": self.display_order, "archived": False}


class Schema:
    """All definitions, by kind name and property name."""

    def __init__(self) -> None:
        self.properties = {kind.name: _defined(kind) for kind in KINDS.values()}
        self.groups = {kind.name: {group_of(kind): _own_group(kind)} for kind in KINDS.values()}


def group_of(kind: Kind) -> str:
    """HubSpot's own group of a kind, `contactinformation` style."""
    return f"{kind.singular.replace('_', '')}information"


def _own_group(kind: Kind) -> Group:
    return Group(group_of(kind), f"{kind.singular.replace('_', ' ').capitalize()} information", 0)


def _defined(kind: Kind) -> dict[str, Property]:
    return {each.name: each for each in (_parsed(kind, row.split()) for row in definitions.rows(kind.name))}


def _parsed(kind: Kind, words: Sequence[str]) -> Property:
    name, typing, *rest = words
    type_, _, field_type = typing.partition("/")
    flags = {word for word in rest if word in ("ro", "calc", "unique", "external")}
    choices = [choice for word in rest if word not in flags for choice in word.split("|")]
    return Property(
        name=name,
        label=name.removeprefix("hs_").replace("_", " ").capitalize(),
        type=type_,
        field_type=field_type or _FIELD_TYPES[type_],
        group=group_of(kind),
        options=tuple(option(choice, place) for place, choice in enumerate(choices)),
        read_only=bool(flags & {"ro", "calc"}),
        calculated="calc" in flags,
        unique="unique" in flags,
        external_options="external" in flags,
    )


def option(value: str, place: int) -> dict[str, object]:
    label = value.replace("_", " ").capitalize()
    return {"label": label, "value": value, "displayOrder": place, "hidden": False}
