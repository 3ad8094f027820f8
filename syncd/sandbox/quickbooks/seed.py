"""The company the sandbox starts with, from `data/company.json`. Loading checks that its sums come out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from syncd.sandbox.base import decode_json
from syncd.sandbox.quickbooks.lines import content
from syncd.sandbox.quickbooks.payments import line_noise
from syncd.sandbox.quickbooks.store import Record, Store
from syncd.sandbox.quickbooks.wire import ZERO, Json, amount

OWNED = ("Id", "SyncToken", "MetaData", "domain", "sparse", "derived")
SERVER_BALANCES = ("Balance", "BalanceWithJobs")  # a customer's are computed, see books.present


@cache
def company() -> Json:
    """The data file: kind -> list of records, as the API would show them plus a `derived` mark."""
    text = (files(__package__) / "data" / "company.json").read_bytes()
    data: Json = decode_json(text)
    return {kind: records for kind, records in data.items() if kind != "about"}


def seeded() -> Store:
    """A store with the company's records.

    Raises:
        ValueError: an invoice's total or balance does not follow from its lines, tax and payments.
    """
    store = Store()
    for kind, records in company().items():
        for each in records:
            store.put(_record(kind, each))
    _add_noise(store)
    for invoice in store.every("Invoice"):
        _check(store, invoice)
    return store


def _record(kind: str, data: Json) -> Record:
    meta = data["MetaData"]
    dropped = OWNED + (SERVER_BALANCES if kind == "Customer" else ())
    fields = {key: value for key, value in data.items() if key not in dropped}
    created, updated = (datetime.fromisoformat(meta[name]) for name in ("CreateTime", "LastUpdatedTime"))
    return Record(kind, data["Id"], int(data["SyncToken"]), created, updated, fields)


def _add_noise(store: Store) -> None:
    for payment in list(store.every("Payment")):
        lines = [line | _noise(store, line["LinkedTxn"][0]) for line in payment.fields["Line"]]
        store.put(replace(payment, fields={**payment.fields, "Line": lines}))


def _noise(store: Store, link: Json) -> Json:
    sale = store.get(link["TxnType"], link["TxnId"])
    return {} if sale is None else {"LineEx": line_noise(sale)}


def _check(store: Store, invoice: Record) -> None:
    fields = invoice.fields
    sold = content(fields["Line"])
    total = sold.subtotal - sold.discount + amount(fields["TxnTaxDetail"], "TotalTax")
    paid = sum(
        (_paid(store, link["TxnId"], invoice.id) for link in fields["LinkedTxn"] if link["TxnType"] == "Payment"), ZERO
    )
    if total != fields["TotalAmt"] or total - paid != fields["Balance"]:
        raise ValueError(f"invoice {invoice.id}: lines give {total}, paid {paid}, stored {fields['TotalAmt']}")


def _paid(store: Store, payment: str, invoice: str) -> Decimal:
    record = store.get("Payment", payment)
    lines = [] if record is None else record.fields["Line"]
    return sum((amount(line, "Amount") for line in lines if line["LinkedTxn"][0]["TxnId"] == invoice), ZERO)
