"""What a decision on a lone half will look up, told beforehand.

A decision says itself what it still needs, one look-up after the other. Most of it can be told from the entity alone;
brought at once, it saves making nearly every decision over and over.
"""

from __future__ import annotations

from collections.abc import Iterator

from syncd.core.content import match_keys
from syncd.core.decision import Case, Context
from syncd.core.facts import Needs, PartnerKey
from syncd.core.parents import fallback_key
from syncd.model.nouns import Invoice, Noun, Payment
from syncd.model.references import Kind, MatchKey, Side


def foreseen(case: Case, context: Context) -> Needs:
    """Look-ups in what we hold ourselves; that something is not there yet is no reason to make it."""
    if (case.left is None) == (case.right is None):
        return Needs()
    source = Side.RIGHT if case.left is None else Side.LEFT
    snapshot, flow = case.side(source), context.flow
    if snapshot is None or snapshot.noun is None:
        return Needs()
    noun = snapshot.noun
    keys = [key for key in match_keys(noun) if key.field in flow.match]
    customer = noun.customer if isinstance(noun, Invoice) else None
    ours = {(source.other, flow.kind, MatchKey("marker", case.record.marker))} if context.restored else set()
    return Needs(
        known=frozenset((side, flow.kind, key) for side in Side for key in keys) | ours,
        snapshots=frozenset() if customer is None else frozenset({(source, Kind.PARTY, customer)}),
        partners=frozenset(_parents(noun, context, source)),
    )


def _parents(noun: Noun, context: Context, source: Side) -> Iterator[PartnerKey]:
    flow = context.flow
    if isinstance(noun, Invoice):
        if flow.customers is not None and noun.customer is not None:
            yield flow.customers, source, noun.customer
        if flow.products is not None:
            yield from ((flow.products, source, line.product) for line in noun.lines if line.product is not None)
            if flow.fallback_product is not None:
                yield flow.products, Side.RIGHT, fallback_key(flow.fallback_product)
    if isinstance(noun, Payment) and flow.invoices is not None:
        yield from ((flow.invoices, source, allocation.invoice) for allocation in noun.allocations)
