"""Lines: which is which, three-way merge, totals, and amounts that quantities cannot say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count

import pytest

from syncd.core.lines import LineConflict, align, carry_keys, expressible, merge, total
from syncd.core.rules import Conflict
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


# --- three-way merge


@pytest.mark.parametrize("rule", list(Conflict))
def test_different_lines_and_fields_all_survive(rule: Conflict) -> None:
    """One side changes a text and adds a line, the other changes a quantity and removes a line."""
    left = (replace(A, description="new words"), B, C, D := line("d", "P4"))
    right = (replace(A, quantity=Decimal(4), amount=Decimal(40)), C)
    merged = merge((A, B, C), left, right, rule)

    both = replace(A, description="new words", quantity=Decimal(4), amount=Decimal(40))
    assert merged.lines == (both, C, D)
    assert merged.conflicts == merged.overwritten == ()


def test_the_same_field_follows_the_rule_and_the_loser_is_kept() -> None:
    """Left, right, or nobody until a person decides."""
    left, right = (replace(A, description="ours"),), (replace(A, description="theirs"),)
    met = (LineConflict("a", "description", "ours", "theirs"),)

    won = merge((A,), left, right, Conflict.LEFT)
    assert (won.lines, won.overwritten, won.conflicts) == (left, met, ())
    assert merge((A,), left, right, Conflict.RIGHT).lines == right
    held = merge((A,), left, right, Conflict.HOLD)
    assert (held.lines, held.overwritten, held.conflicts) == ((A,), (), met)


def test_quantity_and_price_are_never_mixed() -> None:
    """A quantity of one side with the price of the other is an amount nobody wrote."""
    left = (replace(A, quantity=Decimal(2), amount=Decimal(20)),)
    right = (replace(A, unit_price=Decimal(9), amount=Decimal(9)),)
    merged = merge((A,), left, right, Conflict.RIGHT)

    assert merged.lines == right
    assert {conflict.field for conflict in merged.overwritten} == {"quantity", "unit_price", "amount"}


def test_a_removed_line_against_an_edited_one_follows_the_rule() -> None:
    """The loser's line is told in words."""
    edited = replace(A, description="still wanted")

    gone = merge((A, B), (B,), (edited, B), Conflict.LEFT)
    assert gone.lines == (B,)
    assert gone.overwritten == (LineConflict("a", "line", None, "1 × 10 = 10 still wanted"),)
    assert merge((A, B), (B,), (edited, B), Conflict.RIGHT).lines == (edited, B)
    assert merge((A, B), (B,), (edited, B), Conflict.HOLD).lines == (A, B)


def test_the_same_edit_on_both_sides_is_no_conflict() -> None:
    """Whoever came first."""
    edited = (replace(A, description="agreed"),)

    assert merge((A,), edited, edited, Conflict.HOLD).lines == edited
    assert merge((A, B), (A,), (A,), Conflict.HOLD).lines == (A,)


def test_the_order_comes_from_the_side_that_changed_it_else_from_the_winner() -> None:
    """A line of the other side stands after the one it follows there."""
    d, e = line("d", "P4"), line("e", "P5")

    assert merge((A, B, C), (A, B, C), (C, A, B), Conflict.LEFT).lines == (C, A, B)
    assert merge((A, B), (A, d, B), (A, B, e), Conflict.LEFT).lines == (A, d, B, e)
    assert merge((A, B), (A, d, B), (B, e, A), Conflict.RIGHT).lines == (B, e, A, d)


def test_vendor_ids_belong_to_one_side_and_are_left_out() -> None:
    """The caller lays each side's own ids over the merged lines, by key."""
    merged = merge((A,), (replace(A, id="L1"),), (replace(A, id="7"),), Conflict.LEFT)

    assert merged.lines == (A,)


def test_an_ambiguous_list_is_one_field() -> None:
    """Taken whole from the side that changed it; if both did, the rule decides about the whole."""
    left, right = (A, C), (A, B, C)

    assert merge((A, B), left, (A, B), Conflict.RIGHT, atomic=True).lines == left
    assert merge((A, B), (A, B), right, Conflict.LEFT, atomic=True).lines == right
    won = merge((A, B), left, right, Conflict.LEFT, atomic=True)
    assert won.lines == left
    assert [(c.field, c.left) for c in won.overwritten] == [("lines", "1 × 10 = 10 work on P1; 3 × 10 = 30 work on P3")]
    held = merge((A, B), left, right, Conflict.HOLD, atomic=True)
    assert held.lines == (A, B)
    assert len(held.conflicts) == 1


# --- amounts


def test_the_total_counts_amounts_only() -> None:
    """A line of text adds nothing."""
    assert total((A, B, Line(description="Thank you"))) == Decimal(30)
    assert total(()) == Decimal(0)


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
