"""Filters: read from the configuration with all their mistakes at once, matched against what was read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from syncd.core.filters import AllOf, AnyOf, Condition, Filter, describe, matches, needs_customer, parse
from syncd.model.nouns import Invoice, InvoiceStatus, Noun, Party, Payment, Product
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot

AT = ("filters",)
INVOICE = Invoice(
    status=InvoiceStatus.OPEN,
    currency="EUR",
    total=Decimal("120.00"),
    number="INV-7",
    due_date=date(2026, 12, 1),
    custom={"Region": "South", "Score": "12.5", "Since": "2026-03-01", "VIP": "true", "Count": Decimal(3)},
)
SEEN = Snapshot(
    kind=Kind.INVOICE,
    id="1",
    version="1",
    noun=INVOICE,
    created=datetime(2026, 11, 5, 23, 30, tzinfo=UTC),
    source="CRM_UI",
)
ANN = Party(email="ann@example.com", name="Ann", country="FR", active=True)


def read(raw: object, noun: type[Noun] = Invoice) -> Filter:
    filter, problems = parse(raw, noun, AT)
    assert problems == []
    assert filter is not None
    return filter


def meets(field: str, operator: str, value: object = None, *, seen: Snapshot = SEEN) -> bool:
    raw = {"field": field, "operator": operator} | ({} if value is None else {"value": value})
    return matches(read([raw]), seen, ANN).ok


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("number", "=", "inv-7"),
        ("number", "!=", "INV-8"),
        ("number", "contains", "nv-"),
        ("number", "in", ["x", "inv-7"]),
        ("number", "not in", ["x", "y"]),
        ("status", "in", ["open", "partially_paid"]),
        ("total", ">", 100),
        ("total", "=", "120"),
        ("total", "<=", Decimal("120.00")),
        ("due_date", "<", "2026-12-02"),
        ("due_date", "=", date(2026, 12, 1)),
        ("created", ">=", "2026-11-01"),
        ("created", "<=", "2026-11-05"),
        ("created", "=", date(2026, 11, 5)),
        ("created", ">", datetime(2026, 11, 5, 23, 0, tzinfo=UTC)),
        ("created", "<", "2026-11-06T02:00:00+02:00"),
        ("source", "=", "crm_ui"),
        ("customer.country", "=", "fr"),
        ("customer.active", "=", True),
        ("customer", "unknown", None),
        ("number", "known", None),
        ("custom.Region", "=", "south"),
        ("custom.Score", ">", 12),
        ("custom.Score", ">", "12"),
        ("custom.Since", "<", date(2026, 4, 1)),
        ("custom.VIP", "=", True),
        ("custom.Count", "=", "3"),
        ("custom.Count", "in", [0, 3]),
        ("custom.Nothing", "unknown", None),
        ("customer.custom.Nothing", "!=", "x"),
    ],
)
def test_conditions_that_hold(field: str, operator: str, value: object) -> None:
    """By the field's type, texts without case, a day covering all of its moments."""
    assert meets(field, operator, value)


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("number", "=", "INV-70"),
        ("number", "!=", "inv-7"),
        ("number", "not in", ["inv-7"]),
        ("total", ">", 120),
        ("created", ">", "2026-11-05"),
        ("created", "<", "2026-11-05"),
        ("custom.Region", ">", 1),
        ("custom.Score", "=", "south"),
        ("custom.VIP", "=", False),
    ],
)
def test_conditions_that_do_not_hold(field: str, operator: str, value: object) -> None:
    """Including values that cannot be compared at all."""
    assert not meets(field, operator, value)


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        ("=", "x", False),
        ("contains", "x", False),
        ("in", ["x"], False),
        ("!=", "x", True),
        ("not in", ["x"], True),
        ("known", None, False),
        ("unknown", None, True),
    ],
)
@pytest.mark.parametrize("empty", [None, ""])
def test_a_missing_value_meets_only_what_asks_for_its_absence(
    operator: str, value: object, met: bool, empty: str | None
) -> None:
    """An empty text is a missing value."""
    seen = Snapshot(kind=Kind.PRODUCT, id="1", version="1", noun=Product(sku=empty))
    filter = read([{"field": "sku", "operator": operator} | ({} if value is None else {"value": value})], Product)

    assert matches(filter, seen, None).ok is met


def test_a_missing_amount_is_in_no_range() -> None:
    """Neither above nor below."""
    seen = Snapshot(kind=Kind.PRODUCT, id="1", version="1", noun=Product())
    for operator in (">", ">=", "<", "<="):
        filter = read([{"field": "unit_price", "operator": operator, "value": 0}], Product)
        assert not matches(filter, seen, None).ok


def test_a_deleted_entity_has_no_values() -> None:
    """Nothing is known of it but what the sighting itself said."""
    gone = Snapshot(kind=Kind.INVOICE, id="1", version="1", presence=Presence.DELETED)

    assert not meets("number", "=", "INV-7", seen=gone)
    assert meets("number", "unknown", seen=gone)


def test_lists_are_and_any_is_or() -> None:
    """And the first unmet part is named."""
    paid = {"field": "status", "operator": "=", "value": "paid"}
    large = {"field": "total", "operator": ">", "value": 100}
    german = {"field": "customer.country", "operator": "=", "value": "DE"}
    either = read([large, {"any": [[paid, large], [german]]}])

    assert isinstance(either, AllOf)
    assert isinstance(either.parts[1], AnyOf)
    verdict = matches(either, SEEN, ANN)
    assert not verdict.ok
    assert verdict.failed == either.parts[1]
    assert matches(either, SEEN, Party(country="DE")).ok
    assert matches(read([large, paid]), SEEN, ANN).failed == Condition("status", "=", ("paid",))


def test_a_single_any_needs_no_list_around_it() -> None:
    """The shortest form of OR."""
    filter = read(
        {"any": [[{"field": "total", "operator": ">", "value": 500}], [{"field": "number", "operator": "known"}]]}
    )

    assert matches(filter, SEEN, None).ok


def test_an_empty_list_is_no_filter() -> None:
    """And no mistake: it is how a recommended filter is removed."""
    assert parse([], Invoice, AT) == (None, [])


def test_all_mistakes_are_reported_at_once_with_their_places() -> None:
    """Nobody has to start the program five times."""
    raw = [
        {"field": "colour", "operator": "=", "value": "red"},
        {"field": "total", "operator": "contains", "value": "1"},
        {"field": "total", "operator": ">", "value": "many"},
        {"field": "due_date", "operator": "in", "value": ["2026-11-01", "soon"]},
        {"field": "number", "operator": ">", "value": "1"},
        {"field": "number", "operator": "like", "value": "1"},
        {"field": "number", "operator": "known", "value": "1"},
        {"field": "number", "operator": "=", "value": "1", "note": "x"},
        {"field": "number", "operator": "="},
        {"field": "status", "operator": "=", "value": "opened"},
        {"any": [[{"field": "total", "operator": "=", "value": True}], []]},
        {"any": [], "field": "x"},
        "number = 1",
        {"field": "total", "operator": "<", "value": "NaN"},
        {"field": "custom.Score", "operator": "<", "value": "low"},
    ]
    filter, problems = parse(raw, Invoice, AT)

    assert filter is None
    assert [(p.path[1:], p.message.split()[0]) for p in problems] == [
        ((0, "field"), "there"),
        ((1, "operator"), "contains"),
        ((2, "value"), "needs"),
        ((3, "value", 1), "needs"),
        ((4, "operator"), ">"),
        ((5, "operator"), "there"),
        ((6, "value"), "known"),
        ((7, "note"), "is"),
        ((8, "value"), "is"),
        ((9, "value"), "needs"),
        ((10, "any", 0, 0, "value"), "needs"),
        ((10, "any", 1), "needs"),
        ((11, "field"), "cannot"),
        ((11, "any"), "needs"),
        ((12,), "needs"),
        ((13, "value"), "needs"),
        ((14, "value"), "needs"),
    ]


def test_messages_say_what_would_be_right() -> None:
    """The field's type, or its choices."""
    _, (problem,) = parse([{"field": "status", "operator": "=", "value": "opened"}], Invoice, AT)

    assert problem.message == "needs one of draft, open, partially_paid, paid, voided, not 'opened'"


def test_customer_fields_exist_only_where_there_is_a_customer() -> None:
    """A party has no associated party; a payment has."""
    raw = [{"field": "customer.country", "operator": "=", "value": "FR"}]

    assert parse(raw, Party, AT)[0] is None
    assert needs_customer(read(raw, Payment))
    assert not needs_customer(read([{"field": "date", "operator": ">", "value": "2026-01-01"}], Payment))


def test_people_can_read_a_filter() -> None:
    """With brackets where they matter."""
    filter = read(
        [
            {"field": "created", "operator": ">=", "value": "2026-11-01"},
            {
                "any": [
                    [{"field": "customer.country", "operator": "in", "value": ["FR", "DE"]}],
                    [
                        {"field": "total", "operator": ">", "value": 100},
                        {"field": "number", "operator": "known"},
                    ],
                ]
            },
        ]
    )

    assert describe(filter) == (
        "created >= 2026-11-01 and (customer.country in [FR, DE] or (total > 100 and number is known))"
    )
