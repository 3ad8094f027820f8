"""Which line of a list is which line of another one, when ids are weak or gone and people edit what they like.

By strong id, then by content (equal lines first, then the most alike), then by order. Identical lines are
interchangeable. Where content leaves a real choice, order decides and the alignment says that it is ambiguous.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

from syncd.model.nouns import Line
from syncd.model.quick import replace

Pair = tuple[int, int]  # index in the old list, index in the new one

FACTS = tuple(f.name for f in fields(Line) if f.name not in ("id", "key"))
"""The fields of a line that count; its ids do not."""

# How much an equal field says about two lines being the same one. A price or a quantity alone says too little.
_WEIGHTS = {"product": 4, "sku": 4, "description": 3, "name": 2, "unit_price": 2, "quantity": 1, "amount": 1}
_ALIKE = 3


@dataclass(frozen=True, slots=True)
class Alignment:
    """Pairs of indexes into the old and the new list, in the order of the new one.

    A line that is new has no old index; one that is gone has no new index, and these stand at the end.
    """

    pairs: tuple[tuple[int | None, int | None], ...]
    ambiguous: bool


facts: Callable[[Line], tuple[Hashable, ...]] = attrgetter(*FACTS)
"""Everything that counts on a line, comparable and hashable."""


def align(old: tuple[Line, ...], new: tuple[Line, ...], strong_ids: bool) -> Alignment:
    """Pair the lines of two states of one list."""
    rest = _Rest(dict.fromkeys(range(len(old))), dict.fromkeys(range(len(new))), {})
    if strong_ids:
        rest.pair_equal(old, new, lambda line: line.id)
    # Of identical lines those with the same id first, so that asking twice gives the same pairs.
    rest.pair_equal(old, new, lambda line: (line.id, facts(line)))
    rest.pair_equal(old, new, facts)
    ambiguous = _pair_alike(old, new, rest)
    found = {after: before for before, after in rest.pairs.items()}
    kept = tuple((found.get(index), index) for index in range(len(new)))
    return Alignment(kept + tuple((index, None) for index in rest.old), ambiguous)


def carry_keys(
    old: tuple[Line, ...], new: tuple[Line, ...], strong_ids: bool, new_key: Callable[[], str]
) -> tuple[Line, ...]:
    """The new lines with the keys of the old ones they are, and fresh keys for those that are new."""
    if not old:
        return tuple(replace(line, key=new_key()) for line in new)
    keyed = []
    for before, after in align(old, new, strong_ids).pairs:
        if after is not None:
            key = None if before is None else old[before].key
            keyed.append(replace(new[after], key=key or new_key()))
    return tuple(keyed)


@dataclass(frozen=True, slots=True)
class _Rest:
    """The indexes that are not paired yet, in order, and the pairs made so far."""

    old: dict[int, None]
    new: dict[int, None]
    pairs: dict[int, int]

    def pair(self, pairs: Iterable[Pair]) -> None:
        for before, after in pairs:
            self.pairs[before] = after
            del self.old[before], self.new[after]

    def pair_equal(self, old: Sequence[Line], new: Sequence[Line], of: Callable[[Line], Hashable]) -> None:
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for index in self.new:
            waiting[of(new[index])].append(index)
        pairs = []
        for index in self.old:
            what = of(old[index])
            if what is not None and waiting[what]:
                pairs.append((index, waiting[what].pop(0)))
        self.pair(pairs)


def _pair_alike(old: tuple[Line, ...], new: tuple[Line, ...], rest: _Rest) -> bool:
    """Pair what is left by likeness, the most alike first. Returns whether there was a choice content cannot make."""
    levels: dict[int, list[Pair]] = defaultdict(list)
    for before in rest.old:
        for after in rest.new:
            if (score := _likeness(old[before], new[after])) >= _ALIKE:
                levels[score].append((before, after))
    ambiguous = False
    for score in sorted(levels, reverse=True):
        free = [(before, after) for before, after in levels[score] if before in rest.old and after in rest.new]
        for group in _connected(free):
            ambiguous |= _has_choice(old, new, group)
            rest.pair(_by_order(group))
    return ambiguous


def _likeness(one: Line, other: Line) -> int:
    pairs = ((getattr(one, name), getattr(other, name), weight) for name, weight in _WEIGHTS.items())
    return sum(weight for a, b, weight in pairs if a is not None and _plain(a) == _plain(b))


def _plain(value: object) -> object:
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def _connected(edges: list[Pair]) -> list[list[Pair]]:
    """The edges in groups that share lines with each other and with no other group."""
    by_old: dict[int, list[Pair]] = defaultdict(list)
    by_new: dict[int, list[Pair]] = defaultdict(list)
    for edge in edges:
        by_old[edge[0]].append(edge)
        by_new[edge[1]].append(edge)
    groups = []
    while by_old:
        group, reached = [], [next(iter(by_old))]
        while reached:
            edges_here = by_old.pop(reached.pop(), [])
            group.extend(edges_here)
            reached.extend(before for _, after in edges_here for before, _ in by_new.pop(after, []))
        groups.append(group)
    return groups


def _has_choice(old: tuple[Line, ...], new: tuple[Line, ...], group: list[Pair]) -> bool:
    befores = {before for before, _ in group}
    afters = {after for _, after in group}
    # Interchangeable lines leave no choice, unless some of the others must stay alone.
    any_old_will_do = len({facts(old[index]) for index in befores}) == 1 and len(afters) <= len(befores)
    any_new_will_do = len({facts(new[index]) for index in afters}) == 1 and len(befores) <= len(afters)
    return not (any_old_will_do or any_new_will_do)


def _by_order(group: list[Pair]) -> list[Pair]:
    """As many pairs as fit, first with first: a person edits lines more often than moves them."""
    made: dict[int, int] = {}
    taken: set[int] = set()
    for before, after in sorted(group):
        if before not in made and after not in taken:
            made[before] = after
            taken.add(after)
    return list(made.items())
