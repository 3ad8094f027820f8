"""The lines of an invoice, written over those just read, so that what we do not map (class, tax code, links) survives.

An invoice's lines are always sent whole: the vendor replaces the stored list by the one it gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from syncd.connectors.quickbooks.books import Books
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.mapping import SHIPPING_ITEM, TAXED, UNTAXED
from syncd.connectors.quickbooks.wire import Raw
from syncd.core.lines import expressible
from syncd.model.money import rounded
from syncd.model.nouns import Line
from syncd.model.references import Kind

SALES = "SalesItemLineDetail"
TEXT = "DescriptionOnly"
GROUP = "GroupLineDetail"
DISCOUNT = "DiscountLineDetail"
_TIED_TO_AMOUNT = ("Qty", "UnitPrice", "DiscountRate", "DiscountAmt", "TaxInclusiveAmt")


class LineError(ValueError):
    """A line that cannot be said in this vendor's words. `category` is a name of the catalogue."""

    def __init__(self, category: str, words: str) -> None:
        super().__init__(words)
        self.category = category


def overlaid(lines: Sequence[Line], before: Sequence[Raw], currency: str, american: bool) -> list[Raw]:
    """The complete new list, without the invoice's discount.

    Args:
        before: the lines just read; empty for a new invoice.
        american: lines carry one of two pseudo tax codes, and the invoice the real one.

    Raises:
        LineError: a line names no product, or is a bundle that was changed.
    """
    known = {str(line["Id"]): line for line in before if line.get("Id")}
    return [_line(line, known.get(line.id or ""), currency, american) for line in lines]


def tax_of(lines: Sequence[Line], before: Raw, books: Books) -> Raw:
    """What the whole invoice says of its taxes. Prices are always without them.

    Args:
        before: the `TxnTaxDetail` just read; empty for a new invoice.
    """
    codes = {line.tax_code for line in lines} - {None}
    if not codes:
        return {"TxnTaxDetail": {"TotalTax": Decimal(0)}} if before.get("TotalTax") else {}
    made: Raw = {"ApplyTaxAfterDiscount": False}  # the tax was worked out on each line, before any discount
    detail: Raw = {}
    if books.american:
        detail["TxnTaxCodeRef"] = {"value": min(code for code in codes if code)}
    else:
        made["GlobalTaxCalculation"] = "TaxExcluded"
    if books.account.takes_tax_total:
        detail["TotalTax"] = sum((line.tax or Decimal(0) for line in lines), Decimal(0))
    return made | ({"TxnTaxDetail": detail} if detail else {})


def discount_lines(before: Sequence[Raw]) -> list[Raw]:
    """The discount as it stands."""
    return [line for line in before if line.get("DetailType") == DISCOUNT]


def discount_line(amount: Decimal, before: Sequence[Raw], account: str | None) -> Raw:
    """A discount of an amount; it stays on the account it is booked on."""
    detail: Raw = {"PercentBased": False}
    for line in discount_lines(before):
        if reference := line.get(DISCOUNT, {}).get("DiscountAccountRef"):
            account = reference["value"]
    if account:
        detail["DiscountAccountRef"] = {"value": account}
    return {"Amount": amount, "DetailType": DISCOUNT, DISCOUNT: detail}


def _line(line: Line, before: Raw | None, currency: str, american: bool) -> Raw:
    if before is not None and before["DetailType"] == GROUP:
        if line.amount is not None and line.amount != before.get("Amount", line.amount):
            raise LineError("field_not_writable", "a bundle can only be changed in QuickBooks")
        return before
    if line.amount is None:
        return _text_line(line, before)
    return _sales_line(line, before if before and before["DetailType"] == SALES else None, currency, american)


def _text_line(line: Line, before: Raw | None) -> Raw:
    made: Raw = {"DetailType": TEXT, "DescriptionLineDetail": {}}
    if before is not None and before["DetailType"] == TEXT:
        made = dict(before)
    return made | {"Description": _described(line)}


def _sales_line(line: Line, before: Raw | None, currency: str, american: bool) -> Raw:
    assert line.amount is not None
    amount = rounded(line.amount, currency)
    old: Mapping[str, object] = before.get(SALES, {}) if before else {}
    detail = {**old, "ItemRef": _item(line, old)}
    if american:
        detail["TaxCodeRef"] = {"value": TAXED if line.tax_code else UNTAXED}
    elif line.tax_code is not None:
        detail["TaxCodeRef"] = {"value": line.tax_code}
    if before is None or (line.quantity, line.unit_price, amount) != _money(before):
        # Amount must be quantity times price to the cent, or stand alone; a discount of the line is in the amount.
        line = expressible(replace(line, amount=amount, discount=None), currency)
        detail = {key: value for key, value in detail.items() if key not in _TIED_TO_AMOUNT}
        if line.quantity is not None and line.unit_price is not None:
            detail |= {"Qty": line.quantity, "UnitPrice": line.unit_price}
    if line.service_date is not None:
        detail["ServiceDate"] = line.service_date.isoformat()
    detail.pop("ItemAccountRef", None)  # the vendor's own
    said = {} if before is None and line.description is None else {"Description": _described(line)}
    return {**(before or {}), **said, "Amount": amount, "DetailType": SALES, SALES: detail}


def _described(line: Line) -> str:
    return (line.description or "")[: MANIFEST.longest(Kind.INVOICE, "lines.description")]


def _item(line: Line, old: Mapping[str, object]) -> object:
    reference = old.get("ItemRef")
    value = reference.get("value") if isinstance(reference, Mapping) else None
    if line.product is None:
        if value == SHIPPING_ITEM:
            return reference
        # The vendor would take it for text and drop its amount without a word.
        raise LineError("field_required", f"the line {line.description or line.name or ''!r} names no product")
    return reference if value == line.product else {"value": line.product}


def _money(before: Raw) -> tuple[Decimal | None, ...]:
    detail = before.get(SALES, {})
    return detail.get("Qty"), detail.get("UnitPrice"), before.get("Amount")
