"""A vendor's silent changes are told from a person's edits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from syncd.core.normalise import base_after_write, explained
from syncd.model.content import Content
from syncd.model.nouns import Line
from syncd.model.values import Value


@pytest.mark.parametrize(
    ("sent", "seen", "rules"),
    [
        ("Ann", "Ann", ()),
        (Decimal("10.00"), Decimal(10), ()),
        (" Ann ", "Ann", ("trim",)),
        ("Ann@Example.COM", "ann@example.com", ("casefold",)),
        ("a\r\n  b", "a b", ("collapse",)),
        ("+1 (555) 010-99", "155501099", ("phone",)),
        ("", None, ("empty",)),
        ("  ", None, ("trim", "empty")),
        (Decimal("1.005"), Decimal("1.01"), ("round:2",)),
        (Decimal("1.005"), Decimal("1.00"), ("round:2",)),
        ("x" * 50, "x" * 31, ("truncate:31",)),
        ("abc def", "abc", ("truncate:4", "trim")),
        ("abc def", "abc", ("trim", "truncate:4")),
        (" ABC def ", "abc", ("trim", "casefold", "truncate:4")),
    ],
)
def test_declared_changes_are_explained(sent: Value, seen: Value, rules: tuple[str, ...]) -> None:
    """Each rule, and rules together in any order."""
    assert explained(sent, seen, rules)


@pytest.mark.parametrize(
    ("sent", "seen", "rules"),
    [
        ("Ann", "Anna", ("trim", "casefold", "collapse", "empty")),
        ("Ann", " Ann", ()),
        ("Ann", None, ("trim",)),
        ("Ann", None, ("empty",)),
        ("", None, ()),
        (Decimal("1.005"), Decimal("1.02"), ("round:2",)),
        (Decimal("1.005"), Decimal("1.006"), ("round:2",)),
        ("abcdef", "abcdeX", ("truncate:4",)),
        ("abcdef", "abcde", ("truncate:4",)),
        ("+1 555", "+1 556", ("phone",)),
        (True, Decimal(1), ()),
        (Decimal(1), None, ("round:2",)),
        (date(2026, 1, 1), date(2026, 1, 2), ("trim",)),
    ],
)
def test_anything_else_is_an_edit(sent: Value, seen: Value, rules: tuple[str, ...]) -> None:
    """A rule explains what it does and nothing more."""
    assert not explained(sent, seen, rules)


@pytest.mark.parametrize("rule", ["trimm", "round", "round:x", "trim:2", ""])
def test_a_rule_nobody_knows_is_an_error(rule: str) -> None:
    """A typing mistake in a manifest does not silently become "no rule"."""
    with pytest.raises(ValueError):
        explained("a", "b", (rule,))


RULES = {"name": ("trim",), "amount": ("round:2",), "lines.description": ("trim",), "lines.unit_price": ("round:2",)}


def test_explained_fields_take_the_answer_and_edits_keep_what_was_sent() -> None:
    """So the next turn sees a person's edit and only that."""
    sent = Content(fields={"name": "Ann ", "amount": Decimal("1.005"), "phone": "1"})
    answer = Content(fields={"name": "Ann", "amount": Decimal("1.01"), "phone": "2", "note": "x"})

    base = base_after_write(sent, answer, RULES, created=False)
    assert base.fields == {"name": "Ann", "amount": Decimal("1.01"), "phone": "1"}


def test_a_vendors_default_on_a_new_entity_is_no_edit() -> None:
    """What was not sent belongs to the base of a create."""
    base = base_after_write(Content(fields={"name": "Ann"}), Content(fields={"name": "Ann", "note": "x"}), {}, True)

    assert base.fields == {"name": "Ann", "note": "x"}


def test_a_cleared_field_that_is_still_filled_is_an_edit() -> None:
    """None was sent, so None is the base, also on a create."""
    base = base_after_write(Content(fields={"name": None}), Content(fields={"name": "Ann"}), {}, True)

    assert base.fields == {"name": None}


def test_without_an_answer_the_base_is_what_was_sent() -> None:
    """The next read decides."""
    sent = Content(fields={"name": "Ann"}, lines=(Line(key="1"),))

    assert base_after_write(sent, None, RULES, created=True) == sent


def test_lines_take_ids_from_the_answer_and_keys_from_what_was_sent() -> None:
    """In the answer's order, with the vendor's own changes."""
    sent = (
        Line(key="1", product="P", description="one ", unit_price=Decimal("1.005"), amount=Decimal(10)),
        Line(key="2", id="8", product="Q", description="two", amount=Decimal(20)),
    )
    answer = (
        Line(id="1", product="Q", description="two", amount=Decimal(20)),
        Line(id="2", product="P", name="Part", description="one", unit_price=Decimal("1.01"), amount=Decimal(10)),
    )
    base = base_after_write(Content(lines=sent), Content(lines=answer), RULES, created=False)

    assert base.lines == (
        Line(key="2", id="1", product="Q", description="two", amount=Decimal(20)),
        Line(
            key="1", id="2", product="P", name="Part", description="one", unit_price=Decimal("1.01"), amount=Decimal(10)
        ),
    )


def test_an_edited_an_added_and_a_removed_line_all_stay_visible() -> None:
    """The base keeps what was sent, so that the read after it differs from it."""
    sent = (Line(key="1", product="P", amount=Decimal(10)), Line(key="2", product="Q", amount=Decimal(20)))
    edited = (Line(id="1", product="P", amount=Decimal(11)), Line(id="2", product="Q", amount=Decimal(20)))
    added = (
        *(Line(id=str(n), product=s.product, amount=s.amount) for n, s in enumerate(sent)),
        Line(id="9", product="Z"),
    )
    removed = edited[1:]

    def amounts(answer: tuple[Line, ...]) -> list[tuple[str | None, str | None, Decimal | None]]:
        base = base_after_write(Content(lines=sent), Content(lines=answer), RULES, created=True)
        return [(line.key, line.id, line.amount) for line in base.lines or ()]

    assert amounts(edited) == [("1", "1", Decimal(10)), ("2", "2", Decimal(20))]
    assert amounts(added) == [("1", "0", Decimal(10)), ("2", "1", Decimal(20))]
    assert amounts(removed) == [("2", "2", Decimal(20)), ("1", None, Decimal(10))]


def test_lines_that_were_not_sent_are_no_part_of_an_updates_base() -> None:
    """Of a create they are: the vendor made them."""
    answer = Content(lines=(Line(id="1", product="P"),))

    assert base_after_write(Content(), answer, {}, created=False).lines is None
    assert base_after_write(Content(), answer, {}, created=True).lines == answer.lines
