"""Pages of a list one after the other, which have to lead somewhere: a list that goes round would be read for ever."""

from __future__ import annotations

from syncd.connectors.base import Condition, ConnectionTrouble


class Onward:
    """Remembers where one list has been."""

    def __init__(self) -> None:
        self._seen: set[object] = set()

    def to(self, place: object) -> None:
        """The next page begins, or the last one ended, here.

        Raises:
            ConnectionTrouble: so did one before.
        """
        if place in self._seen:
            raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "a list whose pages go round in circles")
        self._seen.add(place)
