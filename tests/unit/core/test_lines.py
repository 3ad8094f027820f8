"""Lines: which is which, and amounts that quantities cannot say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count

import pytest

from syncd.core.alignment import align, carry_keys
from syncd.core.lines import expressible
from syncd.model.nouns import Line


def line(key: str | None, product: str, quantity: str = "1", price: str = "10", **more: object) -> Line:
    amount = Decimal(quantity) * Decimal(price)
    made = Line(key=key, product=product, quantity=Decimal(quantity), unit_price=Decimal(price), amount=amount)
    return replace(made, **{"description": f"work on {product}"} | more)


A, B, C = line("a", "P1"), line("b", "P2", "2"), line("c", "P3", "3")


def read(*lines: Line) -> tuple[Line, ...]:
    """The lines as a vendor shows them: without our keys."""
    return tuple(replace(line, key=None) for line in lines)


def keys(old: tuple[Line, ...], new: tuple[Line, ...], *, strong: bool = False) -> list[str | None]:
    numbers = count(1)
    return [line.key for line in carry_keys(old, new, strong, lambda: f"new{next(numbers)}")]


# --- which is which


def test_strong_ids_decide_whatever_the_content() -> None:
    """A line that keeps its id for life is the same line with any text."""
    old = (replace(A, id="1"), replace(B, id="2"))
    new = read(replace(B, id="1"), replace(A, id="2"))

    assert keys(old, new, strong=True) == ["a", "b"]
    assert keys(old, new, strong=False) == ["b", "a"]


def test_renumbered_and_reordered_lines_are_found_by_content() -> None:
    """Weak ids say nothing."""
    old = (replace(A, id="1"), replace(B, id="2"), replace(C, id="3"))
    new = read(replace(C, id="1"), replace(A, id="2"), replace(B, id="3"))

    assert keys(old, new) == ["c", "a", "b"]
    assert not align(old, new, False).ambiguous


def test_edited_added_and_removed_lines_are_told_apart() -> None:
    """One edited, one removed, one new."""
    new = read(replace(B, quantity=Decimal(7), amount=Decimal(70)), line(None, "P9", "4", "99"), A)
    alignment = align((A, B, C), new, False)

    assert alignment.pairs == ((1, 0), (None, 1), (0, 2), (2, None))
    assert not alignment.ambiguous
    assert keys((A, B, C), new) == ["b", "new1", "a"]


def test_trailing_zeros_and_case_are_no_difference() -> None:
    """10 and 10.00 are the same price."""
    new = read(replace(A, unit_price=Decimal("10.00"), description="Work  on P1"), B)

    assert keys((A, B), new) == ["a", "b"]


def test_identical_lines_are_interchangeable() -> None:
    """Which of three equal lines was removed or changed makes no difference, so nothing is ambiguous."""
    same = (replace(A, key="x"), replace(A, key="y"), replace(A, key="z"))

    assert keys(same, read(A, A)) == ["x", "y"]
    changed = read(A, replace(A, quantity=Decimal(5)), A)
    assert not align(same, changed, False).ambiguous
    assert sorted(str(key) for key in keys(same, changed)) == ["x", "y", "z"]


def test_a_choice_that_content_cannot_make_is_ambiguous_and_follows_the_order() -> None:
    """Two like lines that both changed could be either."""
    old = (line("a", "P1", "1"), line("b", "P1", "2"))
    new = read(line(None, "P1", "3"), line(None, "P1", "4"))

    assert align(old, new, False).ambiguous
    assert keys(old, new) == ["a", "b"]


def test_one_changed_line_and_one_more_like_it_is_ambiguous() -> None:
    """Either could be the one that was there."""
    new = read(line(None, "P1", "3"), line(None, "P1", "4"))

    assert align((line("a", "P1", "1"),), new, False).ambiguous


def test_lines_that_share_nothing_are_not_the_same_line() -> None:
    """Even in the same place of the list."""
    assert keys((A,), read(line(None, "P7", "5", "77"))) == ["new1"]


def test_two_hundred_changed_lines_of_one_product_are_aligned_at_once() -> None:
    """The worst case stays cheap."""
    old = tuple(line(str(n), "P", str(n + 1)) for n in range(200))
    new = read(*(line(None, "P", str(n + 1001)) for n in range(200)))

    assert keys(old, new) == [str(n) for n in range(200)]


# --- amounts


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "amount", "currency"),
    [
        ("3", "10.00", None, "30.00", "EUR"),
        ("0.333", "10", None, "3.33", "EUR"),
        ("2.5", "0.33", None, "0.83", "EUR"),
        ("3", "333", None, "999", "JPY"),
        ("1", "1.23", None, "1.23", "KWD"),
        ("-1", "10", None, "-10", "EUR"),
    ],
)
def test_lines_that_multiply_to_their_amount_stay_as_they_are(
    quantity: str, price: str, discount: str | None, amount: str, currency: str
) -> None:
    """In whole minor units of the currency, half up."""
    made = Line(
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        discount=None if discount is None else Decimal(discount),
        amount=Decimal(amount),
    )

    assert expressible(made, currency) == made


@pytest.mark.parametrize(
    ("given", "description"),
    [
        (line(None, "P", "3", "10", amount=Decimal("29.99")), "3 × 10.00 work on P"),
        (line(None, "P", "3", "10.125", amount=Decimal(30), description=None), "3 × 10.125"),
        (line(None, "P", "2", "10", amount=Decimal(14), discount=Decimal(5)), "2 × 10.00 − 5.00 work on P"),
    ],
)
def test_other_lines_say_their_amount_alone(given: Line, description: str) -> None:
    """The quantity moves into the description; the amount is untouched."""
    made = expressible(given, "EUR")

    assert (made.quantity, made.unit_price, made.discount) == (None, None, None)
    assert (made.amount, made.description) == (given.amount, description)
    assert expressible(made, "EUR") == made


def test_lines_without_quantity_or_amount_need_no_saying() -> None:
    """Text lines, and amounts that never had a quantity."""
    for made in (Line(description="Thank you", service_date=date(2026, 1, 1)), Line(amount=Decimal(5))):
        assert expressible(made, "EUR") == made
