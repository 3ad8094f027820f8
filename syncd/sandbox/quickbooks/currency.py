"""Which currency a transaction may be in."""

from __future__ import annotations

from decimal import Decimal

from syncd.sandbox.quickbooks.books import Books
from syncd.sandbox.quickbooks.errors import business, missing
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import Json, amount, cents, ref, ref_id

NAMES = {"USD": "United States Dollar", "CAD": "Canadian Dollar", "EUR": "Euro", "GBP": "British Pound Sterling"}


def currency_ref(code: str) -> Json:
    """The reference of a currency, with its name where the sandbox knows it."""
    return ref(code, NAMES.get(code))


def with_currency(books: Books, customer: Record, fields: Json) -> Json:
    """The fields with CurrencyRef, and in a foreign currency ExchangeRate (home units per foreign unit): the caller's,
    else the company's own.

    Raises:
        Fault: 2020 or 6000; the vendor's own code for a foreign currency in a single-currency company is not known.
    """
    home, given = books.settings.HomeCurrency, ref_id(fields, "CurrencyRef")
    if not books.settings.MultiCurrency:
        if given not in (None, home):
            raise business("Multicurrency is turned off: the currency must be the company's home currency.")
        rest = {key: value for key, value in fields.items() if key != "ExchangeRate"}
        return {**rest, "CurrencyRef": currency_ref(home)}
    if given is None:
        raise missing("CurrencyRef")
    if given != (ref_id(customer.fields, "CurrencyRef") or home):
        raise business("The currency of the transaction must be the currency of the customer.")
    rate = Decimal(1) if given == home else amount(fields, "ExchangeRate")
    if not rate:
        rate = Decimal(books.settings.exchange_rates.get(given, 0))
    if rate <= 0:
        raise missing("ExchangeRate")
    return {**fields, "CurrencyRef": currency_ref(given), "ExchangeRate": rate}


def with_home_amounts(books: Books, fields: Json) -> Json:
    """The fields with total and balance in home currency, where the company has several."""
    if not books.settings.MultiCurrency:
        return fields
    rate = amount(fields, "ExchangeRate")
    totals = {
        "HomeTotalAmt": cents(amount(fields, "TotalAmt") * rate),
        "HomeBalance": cents(amount(fields, "Balance") * rate),
    }
    return {**fields, **totals}
