"""Sales tax: the rate a document's tax code names, or the total the caller insists on.

Automated sales tax is not modelled: Intuit's own sandboxes do not run that engine either.
"""

from __future__ import annotations

from decimal import Decimal

from syncd.sandbox.quickbooks.books import Books, Call, find
from syncd.sandbox.quickbooks.errors import Fault, missing
from syncd.sandbox.quickbooks.lines import SALE, Content
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import ZERO, Json, amount, cents, number, objects, ref, ref_id

DEFAULT_CODE = "2"  # Preferences.TaxPrefs.TaxGroupCodeRef of the seed company


def tax_detail(books: Books, call: Call, fields: Json, sold: Content, given: Json) -> Json:
    """The `TxnTaxDetail` of a sale. `given` is the one the request carries, {} when it has none.

    Raises:
        Fault: 6160 for an unknown tax code, 2020 and 5030 for what is missing or not modelled outside the US.
    """
    if not books.settings.UsingSalesTax:
        return {"TotalTax": ZERO}
    if books.settings.Country != "US":
        return _elsewhere(books, call, fields, sold, given)
    code = ref_id(given, "TxnTaxCodeRef")
    wanted = None if given.get("TotalTax") is None else cents(number(given["TotalTax"], "TotalTax"))
    if code is None and not wanted:
        return {"TotalTax": ZERO}
    record = _tax_code(books, call, code or DEFAULT_CODE)
    taxable = _taxable(fields, sold)
    parts = [(rate, cents(taxable * percent / 100)) for rate, percent in _rates(books, record)]
    if wanted is not None and wanted != sum((part for _, part in parts), ZERO):
        parts = _spread(wanted, _rates(books, record))
    return {
        "TxnTaxCodeRef": ref(record.id),
        "TotalTax": sum((part for _, part in parts), ZERO),
        "TaxLine": [_tax_line(rate, part, taxable) for rate, part in parts],
    }


def _taxable(fields: Json, sold: Content) -> Decimal:
    return _bases(fields, sold).get("TAX", ZERO)


def _elsewhere(books: Books, call: Call, fields: Json, sold: Content, given: Json) -> Json:
    match fields.get("GlobalTaxCalculation"):
        case "NotApplicable":
            return {"TotalTax": ZERO}
        case "TaxExcluded" | "TaxInclusive" as mode:
            pass
        case _:
            raise missing("GlobalTaxCalculation")
    tax_lines = []
    for code, base in _bases(fields, sold).items():
        rates = _rates(books, _tax_code(books, call, code))
        parts = [(rate, cents(base * percent / 100)) for rate, percent in rates]
        inside = _inside(sold, code) if mode == "TaxInclusive" else None
        if inside is not None and rates:
            parts = _spread(inside, rates)
        tax_lines += [_tax_line(rate, part, base) for rate, part in parts]
    total = sum((amount(line, "Amount") for line in tax_lines), ZERO)
    if given.get("TotalTax") is not None:
        total = cents(number(given["TotalTax"], "TotalTax"))
    return {"TotalTax": total, "TaxLine": tax_lines}


def _bases(fields: Json, sold: Content) -> dict[str, Decimal]:
    """What each code taxes: its lines, less their share of the discount if tax comes after it."""
    if not fields.get("ApplyTaxAfterDiscount") or not sold.subtotal:
        return sold.taxed
    return {code: cents(base - sold.discount * base / sold.subtotal) for code, base in sold.taxed.items()}


def _inside(sold: Content, code: str) -> Decimal | None:
    """The tax inside prices that the caller gave with it; None where a line does not say its gross amount."""
    lines = [line for line in sold.lines if line["DetailType"] == SALE and ref_id(line[SALE], "TaxCodeRef") == code]
    if any(line[SALE].get("TaxInclusiveAmt") is None for line in lines):
        return None
    return sum((amount(line[SALE], "TaxInclusiveAmt") - amount(line, "Amount") for line in lines), ZERO)


def _tax_code(books: Books, call: Call, id: str) -> Record:
    record = find(books, call, "TaxCode", id)
    if record is None or not record.active:
        raise Fault("6160", f"Invalid tax code. Supplied value:{id}")
    return record


def _rates(books: Books, code: Record) -> list[tuple[Record, Decimal]]:
    details = objects(code.fields["SalesTaxRateList"]["TaxRateDetail"], "TaxRateDetail")
    records = [books.store.get("TaxRate", ref_id(detail, "TaxRateRef") or "") for detail in details]
    return [(record, amount(record.fields, "RateValue")) for record in records if record is not None]


def _spread(total: Decimal, rates: list[tuple[Record, Decimal]]) -> list[tuple[Record, Decimal]]:
    """Share a total by the weight of the rates; the last one takes what rounding leaves."""
    weight = sum((percent for _, percent in rates), ZERO)
    parts = [(rate, cents(total * percent / weight)) for rate, percent in rates[:-1]]
    rest = total - sum((part for _, part in parts), ZERO)
    return [*parts, (rates[-1][0], rest)]


def _tax_line(rate: Record, part: Decimal, base: Decimal) -> Json:
    detail = {
        "TaxRateRef": ref(rate.id),
        "PercentBased": True,
        "TaxPercent": rate.fields["RateValue"],
        "NetAmountTaxable": base,
    }
    return {"Amount": part, "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
