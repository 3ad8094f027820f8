"""Closed books: nothing dated on or before the closing date may be made, changed, voided or deleted."""

from __future__ import annotations

from syncd.sandbox.quickbooks.books import Books
from syncd.sandbox.quickbooks.errors import Fault
from syncd.sandbox.quickbooks.wire import Json

WORDS = (
    "The account period has closed and the account books cannot be updated through the QBO Services API. "
    "Please use the QBO website to make these changes."
)


def check_open(books: Books, *versions: Json | None) -> None:
    """Raise 6200 (6210 when the closing has a password) if any version of a transaction lies in the closed period."""
    closed = books.settings.BookCloseDate
    if closed and any(version and version["TxnDate"] <= closed for version in versions):
        raise Fault("6210" if books.settings.BookClosePassword else "6200", WORDS)
