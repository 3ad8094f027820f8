"""Filters are total: whatever a file says is read or refused, and whatever was read can be asked and told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.filters import OPERATORS, AllOf, AnyOf, describe, matches, parse
from syncd.model.nouns import Invoice, InvoiceStatus, Party
from syncd.model.references import Kind
from syncd.model.snapshot import Snapshot

fields = st.sampled_from(["number", "total", "due_date", "created", "status", "custom.X", "customer.name", "colour", 7])
words = st.sampled_from(["", "a", "A", "12", "2026-11-01", "open", "NaN", "true", "2026-11-01T10:00:00"])
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1))
single = st.one_of(words, st.integers(-9, 99), st.booleans(), st.none(), st.dates(), moments, st.decimals())
values = st.one_of(single, st.lists(single, max_size=2))
operators = st.one_of(st.sampled_from(OPERATORS), st.just("like"))
triples = st.fixed_dictionaries({"field": fields, "operator": operators}, optional={"value": values})
raw = st.recursive(
    st.one_of(triples, triples, values),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.fixed_dictionaries({"any": st.lists(inner, max_size=3)})),
    max_leaves=6,
)
days = st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
invoices = st.builds(
    Invoice,
    status=st.sampled_from(list(InvoiceStatus)),
    currency=st.just("EUR"),
    total=st.decimals("-99", "99", places=2),
    number=st.one_of(st.none(), words),
    due_date=days,
    custom=st.dictionaries(st.just("X"), st.one_of(st.none(), words, st.booleans(), st.just(Decimal(3)), days)),
)
snapshots = st.builds(
    Snapshot,
    kind=st.just(Kind.INVOICE),
    id=st.just("1"),
    version=st.just("1"),
    noun=st.one_of(st.none(), invoices),
    created=st.one_of(st.none(), moments.map(lambda moment: moment.replace(tzinfo=UTC))),
)


@given(raw, snapshots, st.one_of(st.none(), st.just(Party(name="a"))))
def test_what_is_read_can_be_asked_and_what_is_refused_says_where(
    given_raw: object, snapshot: Snapshot, customer: Party | None
) -> None:
    """No input raises; problems and a filter exclude each other; an unmet part is part of the filter."""
    filter, problems = parse(given_raw, Invoice, ("filters",))

    assert not (filter and problems)
    assert all(problem.path[0] == "filters" and problem.message for problem in problems)
    if filter is not None:
        verdict = matches(filter, snapshot, customer)
        assert verdict.ok is (verdict.failed is None)
        assert verdict.failed is None or describe(verdict.failed) in describe(filter)


@given(st.lists(triples, min_size=1, max_size=4), snapshots)
def test_lists_are_all_and_any_is_some(items: list[dict[str, object]], snapshot: Snapshot) -> None:
    """AND and OR mean what they mean, condition by condition."""
    valid = [(item, filter) for item in items if (filter := parse([item], Invoice, ())[0]) is not None]
    if not valid:
        return
    alone = [matches(filter, snapshot, None).ok for _, filter in valid]
    parts = tuple(filter for _, filter in valid)

    assert matches(AllOf(parts), snapshot, None).ok is all(alone)
    assert matches(AnyOf(parts), snapshot, None).ok is any(alone)
    together, _ = parse({"any": [[item] for item, _ in valid]}, Invoice, ())
    assert together == AnyOf(parts)
