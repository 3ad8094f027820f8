"""The rules of invoices, credit memos and estimates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from syncd.sandbox.quickbooks.books import Books, Call, referred, required
from syncd.sandbox.quickbooks.checks import check_date, check_email
from syncd.sandbox.quickbooks.closing import check_open
from syncd.sandbox.quickbooks.currency import with_currency, with_home_amounts
from syncd.sandbox.quickbooks.customfields import with_custom_fields
from syncd.sandbox.quickbooks.errors import Fault, business, missing
from syncd.sandbox.quickbooks.estimates import claim_estimates
from syncd.sandbox.quickbooks.lines import SALE, arranged, content
from syncd.sandbox.quickbooks.moment import parse_date, today
from syncd.sandbox.quickbooks.numbering import with_number
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.tax import tax_detail
from syncd.sandbox.quickbooks.trim import pays, trim_payments
from syncd.sandbox.quickbooks.wire import ZERO, Json, amount, objects, ref, ref_id

POSTING = ("Invoice", "CreditMemo", "SalesReceipt")


@dataclass(frozen=True, slots=True)
class Draft:
    """A sale on its way into the books: its record so far, its merged fields, and what the request really said."""

    kind: str
    id: str
    before: Record | None
    fields: Json
    sent: Json

    @property
    def old(self) -> Json | None:
        """The fields before this write."""
        return self.before.fields if self.before else None


def prepared(books: Books, call: Call, draft: Draft) -> Json:
    """The fields of a created or updated sale, complete and computed.

    Raises:
        Fault: any rule of invoices.
    """
    old, kind = draft.old, draft.kind
    customer = required(books, call, draft.fields, "CustomerRef", "Customer", before=old)
    if old and applied(old) and ref_id(old, "CustomerRef") != customer.id:
        raise business("The customer of a transaction with payments cannot be changed.")
    fields = {**draft.fields, "CustomerRef": ref(customer.id, customer.fields["DisplayName"])}
    fields = with_currency(books, customer, fields)
    fields = _with_dates(books, call, kind, fields, customer, old)
    if kind in POSTING:
        check_open(books, old, fields)
    fields = _with_addresses(books, kind, fields, customer, new=old is None)
    fields = _with_totals(books, call, draft, fields)
    fields = with_custom_fields(books, fields, old if draft.sent.get("sparse") else None)
    fields = _with_links(books, call, draft, fields)
    defaults: Json = {"PrintStatus": "NeedToPrint", "EmailStatus": "NotSet", "ApplyTaxAfterDiscount": False}
    if kind == "Invoice":
        defaults["Deposit"] = ZERO
    fields = {**defaults, **fields}
    return with_number(books, call, kind, draft.before, fields)


def voided(before: Json) -> Json:
    """The fields of a sale after a void: it stays, with all amounts 0."""
    lines = []
    for line in before["Line"]:
        blank = {key: value for key, value in line.items() if key != "LinkedTxn"}
        if "Amount" in line:
            blank["Amount"] = ZERO
        if SALE in line:
            blank[SALE] = {key: value for key, value in line[SALE].items() if key != "UnitPrice"} | {"Qty": ZERO}
        lines.append(blank)
    fields = {
        **before,
        "Line": lines,
        "LinkedTxn": [],
        "TxnTaxDetail": {"TotalTax": ZERO},
        "TotalAmt": ZERO,
        "Balance": ZERO,
    }
    for name in ("Deposit", "HomeTotalAmt", "HomeBalance", "RemainingCredit"):
        if name in fields:
            fields[name] = ZERO
    return {**fields, "PrivateNote": void_note(before.get("PrivateNote"))}


def void_note(note: object) -> str:
    """The memo with the word the vendor puts in front; what stands between the two is not documented."""
    text = str(note or "")
    return text if text.startswith("Voided") else f"Voided - {text}" if text else "Voided"


def applied(fields: Json) -> Decimal:
    """How much of a sale is settled by payments and credits (its up-front deposit apart)."""
    return amount(fields, "TotalAmt") - amount(fields, "Deposit") - amount(fields, "Balance")


def has_payments(fields: Json) -> bool:
    """Whether any payment is linked."""
    return any(link.get("TxnType") == "Payment" for link in fields.get("LinkedTxn", []))


def _with_dates(books: Books, call: Call, kind: str, fields: Json, customer: Record, old: Json | None) -> Json:
    date = check_date(fields, "TxnDate") or today(call.now)
    fields = {**fields, "TxnDate": date}
    term = referred(books, call, fields, "SalesTermRef", "Term", before=old)
    if term is not None:
        fields["SalesTermRef"] = ref(term.id, term.fields["Name"])
    if kind != "Invoice":
        return fields
    due = check_date(fields, "DueDate")
    if due is not None:
        return {**fields, "DueDate": due}
    if term is None:
        # The default term sets the date, yet it is not written on the invoice (Intuit's own sample answer).
        id = ref_id(customer.fields, "SalesTermRef") or books.settings.DefaultTerms
        term = books.store.get("Term", id)
    days = int(amount(term.fields, "DueDays")) if term else 0
    return {**fields, "DueDate": str((parse_date(date) or call.now.date()) + timedelta(days=days))}


def _with_addresses(books: Books, kind: str, fields: Json, customer: Record, *, new: bool) -> Json:
    for name in ("BillEmail", "BillEmailCc", "BillEmailBcc"):
        check_email(fields.get(name))
    if new:
        for name in ("BillAddr", "ShipAddr"):
            if name in customer.fields and not fields.get(name):
                fields = {**fields, name: customer.fields[name]}
        email = customer.fields.get("PrimaryEmailAddr", {}).get("Address")
        if email and books.settings.fill_bill_email and not fields.get("BillEmail"):
            fields = {**fields, "BillEmail": {"Address": email}}
    if fields.get("EmailStatus") == "NeedToSend" and not (fields.get("BillEmail") or {}).get("Address"):
        raise Fault("6420", "An e-mail address is required when the status is NeedToSend.", "BillEmail")
    return fields


def _with_totals(books: Books, call: Call, draft: Draft, fields: Json) -> Json:
    old, sent = draft.old, draft.sent
    if old is None and not sent.get("Line"):
        raise missing("Line")
    if old is None or "Line" in sent or not sent.get("sparse"):
        if not fields.get("Line"):
            raise missing("Line")
        sold = arranged(books, call, fields["Line"], old)
    else:
        sold = content(fields["Line"])
    retax = old is None or any(key in sent for key in ("Line", "TxnTaxDetail", "ApplyTaxAfterDiscount"))
    if retax:
        fields = {
            **fields,
            "Line": sold.lines,
            "TxnTaxDetail": tax_detail(books, call, fields, sold, _given_tax(draft)),
        }
        total = sold.subtotal - sold.discount + amount(fields["TxnTaxDetail"], "TotalTax")
    else:
        total = amount(old or {}, "TotalAmt")
    if total < 0:
        raise business("Transaction amount must be 0 or greater.")
    fields = _with_deposit(books, {**fields, "TotalAmt": total})
    if draft.kind == "SalesReceipt":
        return with_home_amounts(books, {**fields, "Balance": ZERO})  # paid at once
    if draft.kind == "Estimate":
        return fields
    balance = total - amount(fields, "Deposit") - (applied(old) if old else ZERO)
    if balance < 0 and draft.before is not None:
        trim_payments(books, call, draft.before, -balance)
        balance = ZERO
    fields["Balance"] = balance
    if draft.kind == "CreditMemo":
        fields["RemainingCredit"] = balance
    return with_home_amounts(books, fields)


def _given_tax(draft: Draft) -> Json:
    """What the request says about tax; a sparse update that says nothing keeps the code and has the amount computed."""
    given = draft.sent.get("TxnTaxDetail")
    if given is None and draft.old and draft.sent.get("sparse"):
        return {key: value for key, value in draft.old.get("TxnTaxDetail", {}).items() if key == "TxnTaxCodeRef"}
    return dict(given or {})


def _with_deposit(books: Books, fields: Json) -> Json:
    deposit = amount(fields, "Deposit")
    if deposit and not books.settings.AllowDeposit:
        raise business("Deposits are turned off in the company's preferences.")
    if not ZERO <= deposit <= amount(fields, "TotalAmt"):
        raise business("A deposit cannot exceed the total of the invoice.")
    return fields


def _with_links(books: Books, call: Call, draft: Draft, fields: Json) -> Json:
    """Payments are linked from the payment's side only; here they are kept, whatever the request says."""
    old = draft.old or {}
    kept = [link for link in old.get("LinkedTxn", []) if link["TxnType"] != "Payment" or pays(books, link, draft.id)]
    if "LinkedTxn" not in draft.sent:
        return {**fields, "LinkedTxn": kept}
    others = [link for link in _links(fields) if link["TxnType"] != "Payment"]
    new = [link for link in others if link not in kept]
    claim_estimates(books, call, draft.id, ref_id(fields, "CustomerRef"), new)
    links = [link for link in kept if link["TxnType"] == "Payment" or link in others] + new
    return {**fields, "LinkedTxn": links}


def _links(fields: Json) -> list[Json]:
    links = objects(fields.get("LinkedTxn"), "LinkedTxn")
    if any(not isinstance(link.get(key), str) for link in links for key in ("TxnId", "TxnType")):
        raise missing("LinkedTxn.TxnId")
    return [{"TxnId": link["TxnId"], "TxnType": link["TxnType"]} for link in links]
