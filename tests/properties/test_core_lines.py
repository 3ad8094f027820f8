"""Laws of line alignment and three-way merge, over lists of lines that like to resemble each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.alignment import facts
from syncd.core.lines import align, carry_keys, expressible, merge, total
from syncd.core.rules import Conflict
from syncd.model.money import rounded
from syncd.model.nouns import Line

MIRROR = {Conflict.LEFT: Conflict.RIGHT, Conflict.RIGHT: Conflict.LEFT, Conflict.HOLD: Conflict.HOLD}
GROUPS = [("product", "sku", "name"), ("quantity", "unit_price", "amount", "discount"), ("description",)]

small = st.sampled_from([None, Decimal(1), Decimal("1.0"), Decimal(2)])
words = st.sampled_from([None, "red", "Red", "blue"])
bodies = st.builds(Line, product=words, description=words, quantity=small, unit_price=small, amount=small)
rules = st.sampled_from(list(Conflict))


def keyed(lines: list[Line], prefix: str) -> tuple[Line, ...]:
    return tuple(replace(line, key=f"{prefix}{number}") for number, line in enumerate(lines))


bases = st.lists(bodies, max_size=5).map(lambda lines: keyed(lines, "b"))


@st.composite
def edits(draw: st.DrawFn, base: tuple[Line, ...], prefix: str) -> tuple[Line, ...]:
    """What a person makes of a list: lines removed, changed, added, moved."""
    kept = [line for line in base if draw(st.integers(0, 3))]
    changed = [replace(draw(bodies), key=line.key) if draw(st.booleans()) else line for line in kept]
    added = keyed(draw(st.lists(bodies, max_size=2)), prefix)
    return tuple(draw(st.permutations([*changed, *added]))) if draw(st.booleans()) else (*changed, *added)


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]]:
    base = draw(bases)
    return base, draw(edits(base, "l")), draw(edits(base, "r"))


@given(cases(), rules)
def test_what_only_one_side_changed_is_the_result(
    case: tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]], rule: Conflict
) -> None:
    """Merging an edit with an untouched list gives the edit, from either side, whatever the rule."""
    base, left, _ = case
    for merged in (merge(base, left, base, rule), merge(base, base, left, rule)):
        assert merged.lines == left
        assert merged.conflicts == merged.overwritten == ()


@given(cases(), rules)
def test_sides_can_be_swapped_with_the_rule(
    case: tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]], rule: Conflict
) -> None:
    """Left and right are names only."""
    base, left, right = case
    one, other = merge(base, left, right, rule), merge(base, right, left, MIRROR[rule])

    assert [facts(line) for line in one.lines] == [facts(line) for line in other.lines]
    assert [line.key for line in one.lines] == [line.key for line in other.lines]
    assert len(one.conflicts) == len(other.conflicts)


@given(cases(), st.sampled_from([Conflict.LEFT, Conflict.RIGHT]))
def test_it_does_not_matter_on_which_side_the_result_arrives_first(
    case: tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]], rule: Conflict
) -> None:
    """After a crash between the two writes, merging again gives the same lines, with nothing new to decide."""
    base, left, right = case
    merged = merge(base, left, right, rule).lines

    assert merge(base, merged, right, rule).lines == merged
    assert merge(base, left, merged, rule).lines == merged


@given(cases(), rules)
def test_no_edit_of_one_side_alone_is_lost(
    case: tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]], rule: Conflict
) -> None:
    """Added lines are there, and every group of fields that one side changed has that side's values."""
    base, left, right = case
    result = {line.key: line for line in merge(base, left, right, rule).lines}
    was = {line.key: line for line in base}
    for mine, theirs in ((left, right), (right, left)):
        others = {line.key: line for line in theirs}
        for line in mine:
            if line.key not in was:
                assert result[line.key] == line
            elif (other := others.get(line.key)) is not None:
                for group in GROUPS:
                    if values(other, group) == values(was[line.key], group):
                        assert values(result[line.key], group) == values(line, group)
        gone = [key for key in was if key not in {line.key for line in mine}]
        assert all(key not in result for key in gone if key in others and facts(others[key]) == facts(was[key]))


def values(line: Line, group: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(getattr(line, name) for name in group)


@given(cases(), rules)
def test_a_whole_list_is_one_of_the_three(
    case: tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]], rule: Conflict
) -> None:
    """An atomic merge never mixes."""
    merged = merge(*case, rule, atomic=True).lines

    assert [facts(line) for line in merged] in [[facts(line) for line in lines] for lines in case]


@given(st.lists(bodies, max_size=8), st.lists(bodies, max_size=8), st.booleans())
def test_an_alignment_uses_every_line_once(old: list[Line], new: list[Line], strong: bool) -> None:
    """New lines in their order, then what is gone."""
    pairs = align(tuple(old), tuple(new), strong).pairs

    assert [after for _, after in pairs if after is not None] == list(range(len(new)))
    assert sorted(before for before, _ in pairs if before is not None) == list(range(len(old)))


@given(st.lists(bodies, max_size=8).flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines))))
def test_moved_lines_are_never_ambiguous_and_never_new(case: tuple[list[Line], list[Line]]) -> None:
    """However alike they are."""
    old, new = keyed(case[0], "b"), tuple(case[1])
    carried = carry_keys(old, new, False, never)

    assert not align(old, new, False).ambiguous
    assert {line.key: facts(line) for line in carried} == {line.key: facts(line) for line in old}


def never() -> str:
    raise AssertionError("no line is new")


@given(st.lists(bodies, max_size=6), st.lists(bodies, max_size=6), st.booleans())
def test_carried_keys_are_unique_and_the_lines_untouched(old: list[Line], new: list[Line], strong: bool) -> None:
    """Only the key is ours to give."""
    fresh: Callable[[], str] = map(str, count()).__next__
    carried = carry_keys(keyed(old, "b"), tuple(new), strong, fresh)

    assert [replace(line, key=None) for line in carried] == new
    assert len({line.key for line in carried}) == len(new)


amounts = st.decimals("-1000", "1000", places=2)
precise = st.decimals("-100", "100", places=4)


@given(precise, precise, st.one_of(st.none(), st.decimals("0", "10", places=2)), amounts, words, st.booleans())
def test_every_line_can_be_said_so_that_its_amount_comes_out(
    quantity: Decimal, price: Decimal, discount: Decimal | None, amount: Decimal, text: str | None, exact: bool
) -> None:
    """A vendor that multiplies and rounds, or takes the amount alone, agrees to the cent."""
    if exact:
        amount = rounded(quantity * price - (discount or Decimal(0)), "EUR")
    line = Line(quantity=quantity, unit_price=price, discount=discount, amount=amount, description=text)
    said = expressible(line, "EUR")

    if said.quantity is not None and said.unit_price is not None:
        computed = rounded(said.quantity * said.unit_price, "EUR")
    else:
        assert said.amount is not None
        computed = said.amount
    assert computed == amount == total([said])
    assert (said == line) if exact and not discount else True
