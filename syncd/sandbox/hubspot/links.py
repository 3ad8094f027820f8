"""Who is associated with whom, kept from both ends and in the order the links were made."""

from __future__ import annotations

from syncd.sandbox.hubspot.link_types import TYPES
from syncd.sandbox.hubspot.record import Ref

TypeIds = tuple[int, ...]


class Links:
    """A pair of records has one entry a direction, with the ids of its types."""

    def __init__(self) -> None:
        self._out: dict[Ref, dict[str, dict[str, TypeIds]]] = {}

    def types(self, origin: Ref, target: Ref) -> TypeIds:
        return self._out.get(origin, {}).get(target[0], {}).get(target[1], ())

    def replace(self, origin: Ref, target: Ref, types: TypeIds) -> None:
        """Make the types of one pair exactly these, in both directions; none of them is no link."""
        self._put(origin, target, types)
        if origin != target:
            self._put(target, origin, tuple(TYPES[each].inverse for each in types))

    def _put(self, origin: Ref, target: Ref, types: TypeIds) -> None:
        ends = self._out.setdefault(origin, {}).setdefault(target[0], {})
        if types:
            ends[target[1]] = types
        else:
            ends.pop(target[1], None)

    def ends(self, origin: Ref, kind: str) -> dict[str, TypeIds]:
        """Ids and types of everything of a kind that a record is linked with, archived records included."""
        return dict(self._out.get(origin, {}).get(kind, {}))

    def kinds(self, origin: Ref) -> list[str]:
        """Kinds a record is linked with."""
        return [kind for kind, ends in self._out.get(origin, {}).items() if ends]
