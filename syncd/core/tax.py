"""Taxes of an invoice's lines, in the other side's tax codes, and whether they come to the same amount there.

A line of the sales side says its rate (`20`), one of the books its tax code; the configuration says which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from syncd.core.facts import SideFacts
from syncd.core.outcome import Settled
from syncd.core.rules import FlowRules
from syncd.model.content import shown
from syncd.model.money import minor_digits, rounded
from syncd.model.nouns import Invoice
from syncd.model.tax import TaxCode

UNTAXED = "0"
"""The rate of a line without tax, where every line needs a code."""


def code_there(rate: str | None, flow: FlowRules, target: SideFacts) -> TaxCode | None:
    """The other side's tax code for a rate; None where a line without tax needs none.

    Raises:
        Settled: `tax_code_required`, naming the rate; `amount_mismatch` when the code stands for another rate.
    """
    if rate is None and not target.taxes_required:
        return None
    rate = rate or UNTAXED
    name = flow.tax_codes.get(rate)
    if name is None:
        said = f"the rate {rate} %" if rate.replace(".", "").isdigit() else rate
        raise Settled("tax_code_required", f"No tax code is configured for {said}.")
    folded = name.strip().casefold()
    found = next((code for code in target.tax_codes if folded in (code.name.casefold(), code.id)), None)
    if found is None:
        raise Settled("tax_code_required", f"There is no tax code “{name}” over there, for the rate {rate} %.")
    if found.rate != Decimal(rate):
        raise Settled("amount_mismatch", f"“{name}” takes {shown(found.rate)} %, the line says {rate} %.")
    return found


def refuse_other_tax(invoice: Invoice, flow: FlowRules, target: SideFacts) -> None:
    """Whether the other side can carry the invoice's taxes to the minor unit.

    Raises:
        Settled: as `code_there`; `amount_mismatch` when the taxes would come to another amount.
    """
    taxed: dict[TaxCode, Decimal] = {}
    for line in invoice.lines:
        if line.amount is not None and (code := code_there(line.tax_code, flow, target)) is not None:
            taxed[code] = taxed.get(code, Decimal(0)) + rounded(line.amount, invoice.currency)
    if target.one_tax_code and len(taxed) > 1:
        names = ", ".join(sorted(code.name for code in taxed))
        raise Settled("tax_code_required", f"One tax code fits on an invoice there, this one needs {names}.")
    if invoice.tax_total and not taxed:
        raise Settled("tax_code_required", "It carries tax of a rate that is not known.")
    here, digits = rounded(invoice.tax_total, invoice.currency), minor_digits(invoice.currency)
    # Whether a vendor rounds to the currency's own unit or to what it keeps of any, it has to come to the same.
    for kept in (digits, digits if target.amount_digits is None else target.amount_digits):
        there = _computed(taxed, kept)
        if there != here and not (target.takes_tax_total and abs(there - here) <= _leeway(invoice)):
            raise Settled("amount_mismatch", f"The taxes come to {shown(here)} here and to {shown(there)} there.")


def _computed(taxed: Mapping[TaxCode, Decimal], digits: int) -> Decimal:
    unit = Decimal(1).scaleb(-digits)
    exact = (base * rate / 100 for code, base in taxed.items() for rate in code.rates)
    return sum((part.quantize(unit, rounding=ROUND_HALF_UP) for part in exact), Decimal(0))


def _leeway(invoice: Invoice) -> Decimal:
    """How far rounding each line's tax for itself may lead: a minor unit a line."""
    return len(invoice.lines) * Decimal(1).scaleb(-minor_digits(invoice.currency))
