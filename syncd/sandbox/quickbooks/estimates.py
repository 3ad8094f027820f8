"""Estimates that invoices are made from: an invoice closes the estimate it links, and frees it when it goes."""

from __future__ import annotations

from syncd.sandbox.quickbooks.books import Books, Call, find, touched
from syncd.sandbox.quickbooks.errors import unlinkable
from syncd.sandbox.quickbooks.wire import Json, ref_id


def claim_estimates(books: Books, call: Call, invoice: str, customer: str | None, links: list[Json]) -> None:
    """Close the estimates an invoice newly links.

    Their SyncToken stays, as in the seed data; their LastUpdatedTime moves.

    Raises:
        Fault: 620 for one that is missing, another customer's, or not open.
    """
    for link in links:
        if link.get("TxnType") != "Estimate":
            continue
        estimate = find(books, call, "Estimate", str(link.get("TxnId")))
        if estimate is None or ref_id(estimate.fields, "CustomerRef") != customer:
            raise unlinkable(link.get("TxnId"))
        if estimate.fields.get("TxnStatus", "Pending") not in ("Pending", "Accepted"):
            raise unlinkable(link.get("TxnId"))
        back = [{"TxnId": invoice, "TxnType": "Invoice"}]
        fields = {**estimate.fields, "TxnStatus": "Closed", "LinkedTxn": back}
        books.store.put(touched(estimate, call, fields, bump=False))


def free_estimates(books: Books, call: Call, fields: Json) -> None:
    """Reopen the estimates of an invoice that is voided or deleted; the vendor's pages do not say what they become."""
    for link in fields.get("LinkedTxn", []):
        estimate = books.store.get("Estimate", link["TxnId"]) if link["TxnType"] == "Estimate" else None
        if estimate is not None and not estimate.deleted:
            open_again = {**estimate.fields, "TxnStatus": "Pending", "LinkedTxn": []}
            books.store.put(touched(estimate, call, open_again, bump=False))
