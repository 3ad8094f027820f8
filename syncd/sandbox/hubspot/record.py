"""One CRM record with every value each property ever had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from syncd.sandbox.hubspot.kinds import Kind

Ref = tuple[str, str]  # (kind name, record id): ids are unique only within a kind


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts and when (whole milliseconds). `source` and `source_id` are what property history shows."""

    now: datetime
    caller: str
    source: str
    source_id: str

    @property
    def person(self) -> bool:
        return self.caller == "person"


class Version(NamedTuple):
    """One value of a property's history."""

    value: str | None
    at: datetime
    source: str
    source_id: str


@dataclass(slots=True)
class Record:
    """The history is the only store of values: the current one is its last entry."""

    kind: Kind
    id: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    merged_into: str | None = None
    history: dict[str, list[Version]] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        return (self.kind.name, self.id)

    @property
    def live(self) -> bool:
        return self.archived_at is None and self.merged_into is None

    def value(self, name: str) -> str | None:
        versions = self.history.get(name)
        return versions[-1].value if versions else None

    def value_at(self, name: str, moment: datetime) -> str | None:
        """What the property held at that moment: the last version not after it."""
        for version in reversed(self.history.get(name, ())):
            if version.at <= moment:
                return version.value
        return None

    def values(self) -> Mapping[str, str]:
        """Every property that is not empty now."""
        current = ((name, versions[-1].value) for name, versions in self.history.items() if versions)
        return {name: value for name, value in current if value is not None}
