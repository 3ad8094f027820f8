"""Laws of line alignment, over lists of lines that like to resemble each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.alignment import align, carry_keys, facts
from syncd.core.lines import expressible
from syncd.model.money import rounded
from syncd.model.nouns import Line

small = st.sampled_from([None, Decimal(1), Decimal("1.0"), Decimal(2)])
words = st.sampled_from([None, "red", "Red", "blue"])
bodies = st.builds(Line, product=words, description=words, quantity=small, unit_price=small, amount=small)


def keyed(lines: list[Line], prefix: str) -> tuple[Line, ...]:
    return tuple(replace(line, key=f"{prefix}{number}") for number, line in enumerate(lines))


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
    assert computed == amount == said.amount
    assert (said == line) if exact and not discount else True
