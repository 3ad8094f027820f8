"""The rules of payments: what they settle, and what that does to the invoices and credit memos at the other end."""

from __future__ import annotations

from decimal import Decimal

from syncd.sandbox.quickbooks.books import Books, Call, find, referred, required, touched
from syncd.sandbox.quickbooks.checks import check_date
from syncd.sandbox.quickbooks.closing import check_open
from syncd.sandbox.quickbooks.currency import with_currency, with_home_amounts
from syncd.sandbox.quickbooks.errors import Fault, business, missing, unlinkable
from syncd.sandbox.quickbooks.moment import today
from syncd.sandbox.quickbooks.store import Key, Record
from syncd.sandbox.quickbooks.wire import ZERO, Json, amount, cents, number, objects, ref, ref_id

UNDEPOSITED = "4"
DEPOSITED = (
    "This transaction has been deposited. If you want to change or delete it, "
    "you must edit the deposit it appears on and remove it first."
)


def prepared(books: Books, call: Call, id: str, before: Record | None, fields: Json) -> Json:
    """The fields of a created or updated payment; the settled transactions are changed on the way.

    Raises:
        Fault: any rule of payments.
    """
    old = before.fields if before else None
    if before:
        check_not_deposited(books, before)
    customer = required(books, call, fields, "CustomerRef", "Customer", before=old)
    if fields.get("TotalAmt") is None:
        raise missing("TotalAmt")
    total = cents(number(fields["TotalAmt"], "TotalAmt"))
    if total < 0:
        raise business("Transaction amount must be 0 or greater.")
    fields = {**fields, "CustomerRef": ref(customer.id, customer.fields["DisplayName"]), "TotalAmt": total}
    fields = with_currency(books, customer, fields)
    fields["TxnDate"] = check_date(fields, "TxnDate") or today(call.now)
    check_open(books, old, fields)
    referred(books, call, fields, "PaymentMethodRef", "PaymentMethod", before=old)
    fields.setdefault("DepositToAccountRef", ref(UNDEPOSITED))
    referred(books, call, fields, "DepositToAccountRef", "Account", before=old)
    fields["Line"] = [_line(books, call, line) for line in objects(fields.get("Line"), "Line")]
    used = settle(books, call, id, old, fields)
    if used > total:
        raise business("The amounts applied are more than the amount of the payment and its credits.")
    return {**fields, "UnappliedAmt": total - used, "ProcessPayment": False}


def check_not_deposited(books: Books, payment: Record) -> None:
    """Raise 6540 for a payment that sits in a bank deposit."""
    if payment.id in books.settings.deposited_payments:
        raise Fault("6540", DEPOSITED)


def voided(books: Books, call: Call, payment: Record, note: str) -> Json:
    """The fields of a payment after a void; what it settled is open again."""
    check_not_deposited(books, payment)
    check_open(books, payment.fields)
    fields = {**payment.fields, "Line": [], "TotalAmt": ZERO, "UnappliedAmt": ZERO, "PrivateNote": note}
    settle(books, call, payment.id, payment.fields, fields)
    return fields


def settle(books: Books, call: Call, id: str, old: Json | None, new: Json | None) -> Decimal:
    """Move the balances at the other end from what a payment settled to what it settles now.

    Returns what the payment's own money is used for: invoices less credits.

    Raises:
        Fault: 620 for a transaction that cannot take the line, 6000 for more than its open amount.
    """
    was, wanted = _parts(old), _parts(new)
    for key in {**was, **wanted}:
        if was.get(key) != wanted.get(key):
            _apply(books, call, id, key, was.get(key, ZERO), wanted.get(key), new)
    return sum((part if kind == "Invoice" else -part for (kind, _), part in wanted.items()), ZERO)


def _parts(fields: Json | None) -> dict[Key, Decimal]:
    parts: dict[Key, Decimal] = {}
    for line in (fields or {}).get("Line", []):
        for link in line["LinkedTxn"]:
            key = (link["TxnType"], link["TxnId"])
            parts[key] = parts.get(key, ZERO) + line["Amount"]
    return parts


def _apply(books: Books, call: Call, id: str, key: Key, was: Decimal, wanted: Decimal | None, new: Json | None) -> None:
    sale = find(books, call, *key)
    if sale is None:
        if wanted is None:
            return
        raise unlinkable(key[1])
    if wanted is not None and new is not None:
        _check_line(books, sale, was, wanted, new)
    balance = amount(sale.fields, "Balance") + was - (wanted or ZERO)
    links = [link for link in sale.fields.get("LinkedTxn", []) if (link["TxnType"], link["TxnId"]) != ("Payment", id)]
    if wanted is not None:
        links.insert(0, {"TxnId": id, "TxnType": "Payment"})
    fields = {**sale.fields, "Balance": balance, "LinkedTxn": links}
    if sale.kind == "CreditMemo":
        fields["RemainingCredit"] = balance
    books.store.put(touched(sale, call, with_home_amounts(books, fields)))


def _check_line(books: Books, sale: Record, was: Decimal, wanted: Decimal, payment: Json) -> None:
    open_amount = amount(sale.fields, "Balance") + was
    if not _belongs(books, sale, payment) or open_amount <= 0:
        raise unlinkable(sale.id)
    if ref_id(sale.fields, "CurrencyRef") != ref_id(payment, "CurrencyRef"):
        raise business("The currency of the payment must be the currency of the invoice.")
    if wanted > open_amount:
        words = f"Business Validation Error: The amount applied to transaction {sale.id} is more than its open balance."
        raise Fault(books.settings.overpaid_code, words)


def _belongs(books: Books, sale: Record, payment: Json) -> bool:
    """The customer of the sale is the payer or one of its sub-customers."""
    payer, customer = ref_id(payment, "CustomerRef"), ref_id(sale.fields, "CustomerRef")
    while customer is not None and customer != payer:
        record = books.store.get("Customer", customer)
        customer = ref_id(record.fields, "ParentRef") if record else None
    return customer is not None


def _line(books: Books, call: Call, line: Json) -> Json:
    links = objects(line.get("LinkedTxn"), "LinkedTxn")
    if len(links) != 1:
        raise missing("Line.LinkedTxn")
    if line.get("Amount") is None:
        raise missing("Line.Amount")
    total = cents(number(line["Amount"], "Amount"))
    if total < 0:
        raise business("The amount of a payment line must be 0 or greater.")
    kind, id = links[0].get("TxnType"), str(links[0].get("TxnId"))
    if kind not in ("Invoice", "CreditMemo"):
        raise Fault("2170", f"Invalid Enumeration : {kind}")
    sale = find(books, call, kind, id)
    if sale is None:
        raise unlinkable(id)
    return {"Amount": total, "LineEx": line_noise(sale), "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}


def line_noise(sale: Record) -> Json:
    """What the vendor's serializer leaves on payment lines; clients are to ignore it."""
    balance = f"{amount(sale.fields, 'Balance'):.2f}"
    values = {"txnId": sale.id, "txnOpenBalance": balance, "txnReferenceNumber": sale.fields.get("DocNumber", "")}
    noise = {
        "name": "{http://schema.intuit.com/finance/v3}NameValue",
        "declaredType": "com.intuit.schema.finance.v3.NameValue",
        "scope": "javax.xml.bind.JAXBElement$GlobalScope",
        "nil": False,
        "globalScope": True,
        "typeSubstituted": False,
    }
    return {"any": [{**noise, "value": {"Name": name, "Value": value}} for name, value in values.items()]}
