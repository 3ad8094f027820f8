"""Laws of the base after a write, against vendors that normalise and people who edit."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.normalise import base_after_write, explained
from syncd.model.content import Content
from syncd.model.nouns import Line
from syncd.model.values import Value

texts = st.text(alphabet="aB ß\n1-", max_size=8)
decimals = st.decimals("-10", "10", places=3)
values: st.SearchStrategy[Value] = st.one_of(st.none(), texts, decimals, st.booleans())
text_rules = st.lists(
    st.sampled_from(["trim", "collapse", "casefold", "phone", "empty", "truncate:3", "truncate:6"]), unique=True
).map(tuple)
names = st.sampled_from(["a", "b", "c"])
lines = st.lists(
    st.builds(Line, product=st.sampled_from([None, "P", "Q"]), description=texts, unit_price=decimals), max_size=4
)


@given(values, st.one_of(text_rules, st.just(("round:2",))))
def test_a_value_explains_itself(value: Value, rules: tuple[str, ...]) -> None:
    """An answer equal to what was sent is never an edit."""
    assert explained(value, value, rules)


@given(texts, st.permutations(["trim", "collapse", "truncate:3"]))
def test_what_a_vendor_does_in_the_declared_order_is_explained(text: str, rules: list[str]) -> None:
    """A vendor that trims, collapses and cuts, in whatever order it declares."""
    seen = text
    for rule in rules:
        seen = {"trim": seen.strip(), "collapse": " ".join(seen.split()), "truncate:3": seen[:3]}[rule]

    assert explained(text, seen, tuple(rules))


@given(decimals, st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
def test_rounding_is_explained_whichever_way_ties_go(amount: Decimal, rounding: str) -> None:
    """And a whole unit off is not."""
    seen = amount.quantize(Decimal("0.01"), rounding)

    assert explained(amount, seen, ("round:2",))
    assert not explained(amount, seen + Decimal("0.01"), ("round:2",)) or amount == seen + Decimal("0.005")


@given(
    st.dictionaries(names, values),
    st.dictionaries(names, values),
    st.dictionaries(names, text_rules),
    st.booleans(),
)
def test_fields_of_a_base_are_sent_or_answered_and_stable(
    sent: dict[str, Value], answer: dict[str, Value], rules: dict[str, tuple[str, ...]], created: bool
) -> None:
    """Every field comes from one of both, edits stay visible, and asking again changes nothing."""
    shown = Content(fields=answer)
    base = base_after_write(Content(fields=sent), shown, rules, created)

    assert base.fields.keys() == (sent.keys() | answer.keys() if created else sent.keys())
    for name, value in base.fields.items():
        expected = sent.get(name) if name in sent else answer[name]
        assert value == expected or explained(expected, value, rules.get(name, ()))
        if name in sent and not explained(sent[name], answer.get(name), rules.get(name, ())):
            assert value == sent[name]
    assert base_after_write(base, shown, rules, created) == base


LINE_RULES = {"lines.description": ("trim",), "lines.unit_price": ("round:2",)}


def vendor(line: Line, id: str) -> Line:
    """The line as a vendor that trims and rounds shows it."""
    assert line.description is not None
    assert line.unit_price is not None
    price = line.unit_price.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return replace(line, id=id, key=None, description=line.description.strip(), unit_price=price)


@given(lines.flatmap(lambda sent: st.tuples(st.just(sent), st.permutations(range(len(sent))))), st.booleans())
def test_a_vendor_that_trims_rounds_renumbers_and_reorders_is_silent(
    case: tuple[list[Line], list[int]], created: bool
) -> None:
    """The base is the answer, every key is kept, and asking again changes nothing."""
    sent, order = case
    keyed = Content(lines=tuple(replace(line, key=str(number)) for number, line in enumerate(sent)))
    answer = Content(lines=tuple(vendor(sent[index], str(place)) for place, index in enumerate(order)))
    base = base_after_write(keyed, answer, LINE_RULES, created)

    assert base.digest() == answer.digest()
    assert {line.key for line in base.lines or ()} == {line.key for line in keyed.lines or ()}
    assert base_after_write(base, answer, LINE_RULES, created) == base


@given(lines.filter(bool), st.data(), st.booleans())
def test_an_edit_in_the_answer_stays_visible(sent: list[Line], data: st.DataObject, created: bool) -> None:
    """One line that a person changed makes the base differ from the answer, and only there."""
    index = data.draw(st.integers(0, len(sent) - 1))
    keyed = Content(lines=tuple(replace(line, key=str(number)) for number, line in enumerate(sent)))
    shown = [vendor(line, str(number)) for number, line in enumerate(sent)]
    shown[index] = replace(shown[index], unit_price=Decimal(99))
    answer = Content(lines=tuple(shown))
    base = base_after_write(keyed, answer, LINE_RULES, created)

    assert base.digest() != answer.digest()
    assert base.lines is not None
    assert [line for line in base.lines if line.unit_price == Decimal(99)] == []
    assert base_after_write(base, answer, LINE_RULES, created) == base


@given(lines, lines, st.booleans())
def test_no_sent_line_is_lost_and_no_id_given_twice(sent: list[Line], answer: list[Line], created: bool) -> None:
    """Whatever the answer shows."""
    keyed = tuple(replace(line, key=str(number)) for number, line in enumerate(sent))
    shown = Content(lines=tuple(replace(line, id=str(number)) for number, line in enumerate(answer)))
    base = base_after_write(Content(lines=keyed), shown, LINE_RULES, created)

    assert base.lines is not None
    assert sorted(str(line.key) for line in base.lines) == [line.key for line in keyed]
    ids = [line.id for line in base.lines if line.id is not None]
    assert len(set(ids)) == len(ids)
