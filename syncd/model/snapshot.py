"""What a vendor's entity was at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.nouns import Noun
from syncd.model.quick import quick
from syncd.model.references import Kind


class Presence(StrEnum):
    """Whether the entity is still there."""

    PRESENT = "present"
    ARCHIVED = "archived"  # in a recycle bin, may come back
    DELETED = "deleted"
    MERGED = "merged"  # into another one, see `merged_into`


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One entity as it was read.

    Attributes:
        version: the vendor's own version (a token or time). It only hints: content decides.
        noun: None unless `presence` is PRESENT or the vendor still shows the rest.
        marker: our own reference found on the entity (`syncd:<record id>`), None when it has none.
        native: True when this vendor is where the entity was born by the vendor's own mark, False when the vendor
            marks it as a mirror of something elsewhere, None when the vendor does not tell.
        source: the vendor's own word for where it came from, as it is.
        torn: the parts of a composite entity do not add up; read it again, never plan on it.
        created, modified: the vendor's times; comparable only with times of the same vendor.
    """

    kind: Kind
    id: str
    version: str
    presence: Presence = Presence.PRESENT
    noun: Noun | None = None
    created: datetime | None = None
    modified: datetime | None = None
    marker: str | None = None
    native: bool | None = None
    source: str | None = None
    merged_into: str | None = None
    torn: bool = False
