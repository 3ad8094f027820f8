"""An invoice that becomes smaller than what was paid on it: its payments let go of the difference."""

from __future__ import annotations

from decimal import Decimal

from syncd.sandbox.quickbooks.books import Books, Call, touched
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import Json, amount


def trim_payments(books: Books, call: Call, invoice: Record, excess: Decimal) -> None:
    """Take `excess` off the payment lines on an invoice, latest payment first; it becomes unapplied credit."""
    for link in invoice.fields.get("LinkedTxn", []):
        payment = books.store.get("Payment", link["TxnId"]) if link["TxnType"] == "Payment" else None
        if payment is None or payment.deleted or not excess:
            continue
        lines, taken = _trimmed(payment.fields["Line"], invoice.id, excess)
        unapplied = amount(payment.fields, "UnappliedAmt") + taken
        books.store.put(touched(payment, call, {**payment.fields, "Line": lines, "UnappliedAmt": unapplied}))
        excess -= taken


def pays(books: Books, link: Json, sale: str) -> bool:
    """Whether the payment a link names still has a line on the sale."""
    payment = books.store.get("Payment", link["TxnId"])
    lines = [] if payment is None else payment.fields["Line"]
    return any(each["TxnId"] == sale for line in lines for each in line["LinkedTxn"])


def _trimmed(lines: list[Json], invoice: str, excess: Decimal) -> tuple[list[Json], Decimal]:
    result, taken = [], Decimal(0)
    for line in lines:
        if any(link["TxnType"] == "Invoice" and link["TxnId"] == invoice for link in line["LinkedTxn"]):
            cut = min(excess - taken, amount(line, "Amount"))
            taken += cut
            line = {**line, "Amount": amount(line, "Amount") - cut}
        if amount(line, "Amount"):
            result.append(line)
    return result, taken
