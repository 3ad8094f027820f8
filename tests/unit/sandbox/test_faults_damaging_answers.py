"""How a fault changes the JSON of an answer."""

from decimal import Decimal

import pytest

from syncd.sandbox.answers import without_item
from syncd.sandbox.base import Response, decode_json, encode_json
from syncd.sandbox.delivery import Call, Delivery, Ending
from syncd.sandbox.effects import EFFECTS


def answered(fault, body, **options):
    """What the client gets when the vendor answers `body`."""
    call = Call(None, None, None, lambda now: Delivery(Response(200, encode_json(body))))
    return decode_json(EFFECTS[fault](**options)(call).response.body)


INVOICE = {"Invoice": {"TotalAmt": Decimal("10.255"), "Note": "  Hello World ", "Line": [{"Id": "1"}, {"Id": "2"}]}}


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        ({"path": "Invoice.TotalAmt", "value": Decimal("10.20")}, "TotalAmt", Decimal("10.20")),
        ({"path": "Invoice.TotalAmt", "change": "round", "size": 1}, "TotalAmt", Decimal("10.3")),
        ({"path": "Invoice.TotalAmt", "change": "text"}, "TotalAmt", "10.255"),
        ({"path": "Invoice.Note", "change": "strip"}, "Note", "Hello World"),
        ({"path": "Invoice.Note", "change": "lower"}, "Note", "  hello world "),
        ({"path": "Invoice.Note", "change": "cut", "size": 7}, "Note", "  Hello"),
        ({"path": "Invoice.Note", "change": "round", "size": 2}, "Note", "  Hello World "),
        ({"path": "Invoice.Line.1.Id", "value": 2}, "Line", [{"Id": "1"}, {"Id": 2}]),
        ({"path": "Invoice.Line.*.Id", "value": "x"}, "Line", [{"Id": "x"}, {"Id": "x"}]),
        ({"path": "Invoice.Line.*", "remove": True}, "Line", []),
        ({"path": "Invoice.Line.9.Id", "value": "x"}, "Line", [{"Id": "1"}, {"Id": "2"}]),
        ({"path": "*.NewField", "value": {"odd": True}}, "NewField", {"odd": True}),
    ],
)
def test_mutate_replaces_what_the_path_leads_to(options, name, expected):
    """Values, normalised values, members of lists, new fields; a path that leads nowhere changes nothing."""
    assert answered("mutate", INVOICE, **options) == {"Invoice": {**INVOICE["Invoice"], name: expected}}


def test_mutate_removes_a_field_and_adds_none_by_normalising():
    """`remove` takes the name away; a normalisation of a missing value leaves it missing."""
    assert answered("mutate", {"a": 1, "b": 2}, path="a", remove=True) == {"b": 2}
    assert answered("mutate", {"b": 2}, path="a", change="strip") == {"b": 2}
    assert answered("mutate", {"b": None}, path="b", change="text") == {"b": None}


def test_amounts_as_text_are_rounded_as_text():
    """HubSpot's properties are texts and stay so."""
    assert answered("mutate", {"amount": "19.999"}, path="amount", change="round", size=2) == {"amount": "20.00"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"value": 1, "remove": True},
        {"remove": False},
        {"change": "shout"},
        {"colour": "red"},
    ],
)
def test_mutate_wants_exactly_one_way(options):
    """Anything else is refused when the fault is armed."""
    with pytest.raises((ValueError, KeyError)):
        EFFECTS["mutate"](path="a", **options)


@pytest.mark.parametrize("name", ["results", "BatchItemResponse"])
def test_partial_knows_both_batch_shapes(name):
    """HubSpot's and QuickBooks' lists of outcomes lose the item with the index; from the end works too."""
    assert answered("partial", {name: [1, 2, 3]}) == {name: [2, 3]}
    assert answered("partial", {name: [1, 2, 3]}, index=-1) == {name: [1, 2]}
    assert answered("partial", {name: [1]}, index=1) == {name: [1]}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1,2]", b'{"results": 5}'])
def test_partial_leaves_other_answers_as_they_are(body):
    """An answer that is no batch passes."""
    assert decode_or_raw(without_item(Response(200, body), 0).body) == decode_or_raw(body)


def decode_or_raw(body):
    try:
        return decode_json(body)
    except ValueError:
        return body


def test_a_damaged_answer_that_never_leaves_stays_lost():
    """An edit around a lost answer has nothing to edit."""
    call = Call(None, None, None, lambda now: Delivery(ending=Ending.DROPPED))

    assert EFFECTS["truncated_json"]()(call) == Delivery(ending=Ending.DROPPED)


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("slow", {"delay": -1}),
        ("slow", {"delay": "NaN"}),
        ("drip", {"piece": 0}),
        ("server_error", {"status": 404}),
        ("redirect", {"status": 200}),
        ("partial", {"index": "first"}),
        ("rate_limited", {"retry_after_date": "tomorrow"}),
        ("unauthorized", {"colour": "red"}),
        ("late_commit", {"delay": None}),
    ],
)
def test_senseless_options_are_refused_when_armed(fault, options):
    """A test with a slip of the pen fails at once, not silently."""
    with pytest.raises((ValueError, TypeError)):
        EFFECTS[fault](**options)
