"""What the payments of an invoice leave of it: paid amount, balance, payment date and status."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand, Record
from syncd.sandbox.hubspot.totals import ZERO, amount
from syncd.sandbox.hubspot.values import rounded

COUNTED = {"succeeded", "partially_refunded", "disputed_won"}


def settle(portal: Portal, start: Record, hand: Hand) -> None:
    """Compute anew every invoice that shares a payment, directly or not, with this invoice or payment.

    A payment fills its invoices in the order it was associated with them; what is left over stays unapplied (the guide
    is silent on several invoices and on partial amounts).
    """
    invoices, payments = _together(portal, start)
    paid = dict.fromkeys(invoices, ZERO)
    dates: dict[str, str | None] = dict.fromkeys(invoices)
    for payment in payments:
        left = _received(payment)
        for invoice in portal.linked(payment, "invoices"):
            share = min(left, _open(invoices[invoice.id]) - paid[invoice.id])
            if share > 0:
                paid[invoice.id] += share
                dates[invoice.id] = payment.value("hs_initiated_date")
                left -= share
    for id, invoice in invoices.items():
        _write(portal, invoice, paid[id], dates[id], hand)


def _together(portal: Portal, start: Record) -> tuple[dict[str, Record], list[Record]]:
    """Invoices by id, payments oldest first."""
    found = {start.ref: start}
    queue = deque([start])
    while queue:
        record = queue.popleft()
        other = "invoices" if record.kind.name == "commerce_payments" else "commerce_payments"
        for neighbour in portal.linked(record, other):
            if neighbour.ref not in found:
                found[neighbour.ref] = neighbour
                queue.append(neighbour)
    live = [record for record in found.values() if record.live]
    invoices = {each.id: each for each in live if each.kind.name == "invoices"}
    payments = [each for each in live if each.kind.name == "commerce_payments"]
    return invoices, sorted(payments, key=lambda each: int(each.id))


def _received(payment: Record) -> Decimal:
    if payment.value("hs_latest_status") not in COUNTED:
        return ZERO
    values = payment.values()
    return amount(values, "hs_initial_amount") - amount(values, "hs_refunds_amount")


def _open(invoice: Record) -> Decimal:
    """What payments can fill; nothing of a mirror, a draft or a voided invoice."""
    if invoice.value("hs_invoice_billable") != "true" or invoice.value("hs_invoice_status") not in ("open", "paid"):
        return ZERO
    return amount(invoice.values(), "hs_amount_billed")


def _write(portal: Portal, invoice: Record, paid: Decimal, date: str | None, hand: Hand) -> None:
    status = invoice.value("hs_invoice_status")
    if invoice.value("hs_invoice_billable") != "true" or status == "voided":
        return
    balance = amount(invoice.values(), "hs_amount_billed") - paid
    if status in ("open", "paid"):
        status = "paid" if paid and not balance else "open"
    values = {
        "hs_amount_paid": rounded(paid),
        "hs_balance_due": rounded(balance),
        "hs_payment_date": date,
        "hs_invoice_status": status,
    }
    portal.put(invoice, values, hand)
