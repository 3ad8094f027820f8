"""Currencies: what an account takes, and that a customer of the books keeps one for life."""

from __future__ import annotations

from decimal import Decimal

from syncd.core.decision import Context
from syncd.core.facts import SideFacts
from syncd.core.outcome import Settled
from syncd.model.money import rounded
from syncd.model.nouns import Invoice, InvoiceStatus, Party, Payment
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Presence
from syncd.model.waiting import on_entity


def same_currency(noun: Invoice | Payment, target: SideFacts) -> None:
    """Whether an account can keep a document in its currency, to the last digit.

    Raises:
        Settled: `currency_mismatch`; `amount_mismatch` where amounts have more decimals than fit there.
    """
    if not target.multi_currency and noun.currency.upper() != target.currency.upper():
        raise Settled("currency_mismatch", f"It is in {noun.currency}, the other side keeps {target.currency}.")
    digits = target.amount_digits
    if digits is None:
        return
    if any(amount != round(amount, digits) for amount in _amounts(noun)):
        raise Settled("amount_mismatch", f"{noun.currency} has more decimals than the {digits} that fit there.")


def _amounts(noun: Invoice | Payment) -> list[Decimal]:
    """Everything that is written down as an amount, in whole units of the currency."""
    if isinstance(noun, Payment):
        return [noun.amount]
    parts = [*(line.amount for line in noun.lines if line.amount is not None), *(a.amount for a in noun.adjustments)]
    return [rounded(amount, noun.currency) for amount in (noun.total, noun.tax_total, *parts)]


def customer_keeps(context: Context, invoice: Invoice, customer: str, source: Side) -> None:
    """Whether the customer over there is kept in the invoice's currency.

    Raises:
        Settled: `currency_mismatch`, naming both.
    """
    there = source.other
    if not context.facts.sides[there].multi_currency:
        return
    seen = context.facts.snapshot(there, Kind.PARTY, customer)
    kept = seen.noun.currency if seen is not None and isinstance(seen.noun, Party) else None
    if kept and kept.upper() != invoice.currency.upper():
        waits_for = on_entity(EntityRef(context.sync.connection(there), Kind.PARTY, customer))
        words = f"The customer is kept in {kept} there, the invoice is in {invoice.currency}."
        raise Settled("currency_mismatch", words, waits_for=waits_for)


def currency_for(context: Context, party: Party, id: str, source: Side) -> str | None:
    """The currency somebody new is to be kept in: one that they are billed in.

    None for the account's own, and where the party says it itself.
    """
    target = context.facts.sides[source.other]
    if not target.multi_currency or party.currency is not None:
        return None
    billed = {
        seen.noun.currency.upper()
        for seen in context.facts.index(source, Kind.INVOICE, MatchKey("customer", id))
        if seen.presence is Presence.PRESENT
        and isinstance(seen.noun, Invoice)
        and seen.noun.status not in (InvoiceStatus.DRAFT, InvoiceStatus.VOIDED)
    }
    if not billed or target.currency.upper() in billed:
        return None
    return min(billed)
