"""The catalogue's words in English: code -> title, explanation (the cause), remedy (what to do)."""

from __future__ import annotations

ENGLISH: dict[str, tuple[str, str, str]] = {
    # pending
    "queued": (
        "In the queue",
        "Something changed and the record will be looked at in its turn.",
        "Nothing to do.",
    ),
    "retry": (
        "Will be tried again",
        "The last try failed for a reason that usually passes by itself.",
        "Nothing to do; choose “retry” to try at once.",
    ),
    "waits_parent": (
        "Waits for another record",
        "A record this one needs, such as its customer or its invoice, is still on its way.",
        "Nothing to do: it goes on as soon as the other record has arrived.",
    ),
    "waits_connection": (
        "Waits for a connection",
        "{left} or {right} cannot be reached or used at the moment.",
        "Look at the connections; the record goes on by itself as soon as the connection works again.",
    ),
    "resolving": (
        "Finding out what happened",
        "A write was sent and its answer never came, so it may or may not have been carried out.",
        "Nothing to do: it is being checked before anything is sent again.",
    ),
    "paused": (
        "Paused",
        "A person paused this kind of record.",
        "Resume the flow when you want it to go on; nothing is lost meanwhile.",
    ),
    "held": (
        "Held for safety",
        "Something unusual was about to be written, so a circuit breaker of this flow stopped it; which one, and its "
        "figures, stand beside it. Other writes go on.",
        "Check whether this is intended, then release the flow (`syncd release`).",
    ),
    "not_approved": (
        "Waits for approval",
        "The first run would create many records, so it waits for a person.",
        "Read the plan, then apply it or release the flow.",
    ),
    # failed
    "customer_missing": (
        "Customer missing",
        "No usable customer was found on the other side for this document: the contact is absent, has no e-mail "
        "address, is excluded, or customers are not synced.",
        "Give the document a contact with an e-mail address, or complete the contact; it goes on without a retry.",
    ),
    "customer_ambiguous": (
        "Several customers fit",
        "More than one customer has the same e-mail address, and guessing could bill the wrong one.",
        "Merge the duplicates, give each its own e-mail address, or link the right one by hand.",
    ),
    "product_ambiguous": (
        "Several products fit",
        "Two active products have the same SKU.",
        "Give each product its own SKU, or make one of them inactive.",
    ),
    "product_inactive": (
        "Product out of use",
        "A line's product was made inactive on the other side. It is neither used nor passed over silently.",
        "Make it active again there, or use another product on the line; the document then goes on by itself.",
    ),
    "duplicate_display_name": (
        "Name already taken",
        "{right} wants every name to be unique, and a customer, supplier or employee already has this one.",
        "Change the company name or full name in {left}, rename the other entry in {right}, or configure a pattern "
        "that tells namesakes apart.",
    ),
    "duplicate_document_number": (
        "Document number already used",
        "Another document in {right} already has this number.",
        "Change the number of one of the two documents.",
    ),
    "document_ambiguous": (
        "Perhaps there already",
        "A document from before the sync began is nearly the same as one in {right} (or {left}): same customer and "
        "total, but another number or date. It was neither made again nor joined with it.",
        "Link it to the document it is, or include it if it is one of its own.",
    ),
    "edited_outside_origin": (
        "Edited on the wrong side",
        "Amounts, lines, customer or payments of this document were changed on a side that does not own them. "
        "Nothing was overwritten; the whole record waits.",
        "Undo the edit (revert) or accept the difference (accept) here; or undo it where it was made, "
        "and make it on the side where the document was born: the record goes on by itself once the undo is seen.",
    ),
    "conflict_held": (
        "Both sides changed the same field",
        "The same field was changed differently in {left} and in {right}, and the rule asks for a person.",
        "Compare both values and choose which one stays.",
    ),
    "amount_mismatch": (
        "Totals would differ",
        "The document's total would not be the same to the cent on both sides, so it was not posted.",
        "Check quantities, prices, discounts and rounding of the lines so that they add up to the total. A difference "
        "between two documents that both exist can be accepted.",
    ),
    "currency_mismatch": (
        "Currency does not fit",
        "The document's currency is not the one that the other side, or the customer there, can use.",
        "Change the document's currency, use a customer in that currency, or switch on multiple currencies there.",
    ),
    "order_level_amount": (
        "Amount on the whole document",
        "A tax, a fee or a second discount applies to the document as a whole, and {right} has no place for it.",
        "Turn it into a line of its own. A tax on a line is booked on its product and does not reach the tax reports "
        "of {right}.",
    ),
    "tax_code_required": (
        "Tax code needed",
        "{right} needs a tax code for this document, and none is configured for its rate.",
        "Map each tax rate to a tax code of {right} in the configuration.",
    ),
    "service_date_required": (
        "Service date needed",
        "Revenue recognition is switched on in {right}: every line needs a service date.",
        "Fill in the service dates, or configure a default such as the invoice date.",
    ),
    "accounting_period_closed": (
        "Accounting period closed",
        "The books in {right} are closed for the date of this document. This is never forced.",
        "Change the document's date to an open period, or have the accountant reopen the period; it then goes "
        "on by itself.",
    ),
    "record_locked": (
        "Locked",
        "The record is finalized, reconciled, deposited or otherwise locked and cannot be changed any more.",
        "Release it where it is locked, or undo the change that was to be written.",
    ),
    "invoice_voided": (
        "Invoice is voided",
        "The invoice was voided, so nothing more can be recorded on it.",
        "Record it on another invoice, or restore the invoice where it was voided.",
    ),
    "suspected_double_billing": (
        "Perhaps billed twice",
        "This sale in {right} has the customer, the amount and about the day of a payment of an invoice that came from "
        "{left}. It looks as if a second automation had billed the payment once more. Nothing was done about it.",
        "If so, delete one of the two in {right}, and let the workflow in {left} that makes invoices or receipts out "
        "of payments pass over those whose source is an invoice. If it is a sale of its own, accept it.",
    ),
    "parent_failed": (
        "A record it needs has failed",
        "A record this one depends on, such as its customer, product or invoice, could not be synced.",
        "Cure the record that is named; this one then goes on by itself.",
    ),
    "field_required": (
        "A value is missing",
        "A field that the other side insists on is empty.",
        "Fill in the field that is named, or configure a constant for it.",
    ),
    "field_value_invalid": (
        "A value is not accepted",
        "A field's value is too long, badly formed or out of range for the other side.",
        "Correct the value of the field that is named.",
    ),
    "option_unknown": (
        "Option unknown",
        "The chosen option does not exist on the other side.",
        "Add the option there, or map it to an existing one in the configuration.",
    ),
    "field_not_writable": (
        "Field cannot be written",
        "A mapped field is read-only or computed on the other side.",
        "Map it in the other direction only, or choose another field.",
    ),
    "mapping_invalid": (
        "Mapping does not work",
        "A mapped field does not exist, or its type does not fit the other side's field.",
        "Correct the mapping in the configuration, then check it.",
    ),
    "state_not_allowed": (
        "Not possible in this state",
        "The record's state does not allow this step, for example because it is still a draft or already paid.",
        "Bring the record into the state that is needed, or undo the step.",
    ),
    "amount_above_limit": (
        "Amount above the limit",
        "The amount is higher than what the other side allows for this operation.",
        "Lower or split the amount, or have the limit raised.",
    ),
    "numbering_missing": (
        "Numbering not set up",
        "{right} cannot number the document, because no numbering is set up there.",
        "Set up the numbering in {right}, then retry.",
    ),
    "record_gone": (
        "Gone on one side",
        "The record was deleted, archived or merged on one side. It was not deleted on the other.",
        "Restore it, link the record that replaces it, or exclude it.",
    ),
    "permission_missing": (
        "Right missing",
        "The connected user or app may not do this.",
        "Grant the right that is named, or connect again with a user who has it, then retry.",
    ),
    "vendor_rejected": (
        "Refused by the other side",
        "The other side refused the write for a reason of its own; its words are shown.",
        "Read its words and correct the record, or retry if they say that the trouble has passed.",
    ),
    "unknown_outcome": (
        "Outcome unknown",
        "A write was sent, its answer never came, and what became of it could not be found out. It was not repeated.",
        "Look for the record on the other side: link it if it is there, retry if it is not.",
    ),
    "internal_error": (
        "Fault in this program",
        "The record met a fault of this program. Other records are not affected.",
        "Retry once; if it stays, report it with the record's activity, and exclude the record meanwhile.",
    ),
    # excluded
    "filtered": (
        "Outside the filter",
        "The record does not meet the filter of this flow.",
        "Change the record or the filter if it should be synced.",
    ),
    "draft": (
        "Draft",
        "Drafts are not synced.",
        "Finalize the document.",
    ),
    "other_source": (
        "Comes from elsewhere",
        "The record was born in another system, or nothing tells where it was born.",
        "Nothing to do. If it stands on both sides and should be synced, link the two by hand.",
    ),
    "before_start": (
        "Older than the sync",
        "The record has not changed since before the sync was started.",
        "Run a backfill from an earlier date if it should be synced.",
    ),
    "no_email": (
        "No e-mail address",
        "Customers and contacts are matched by e-mail address, and this one has none.",
        "Fill in the e-mail address.",
    ),
    "no_sku": (
        "No SKU",
        "Products are matched by SKU, and this one has none.",
        "Fill in the SKU.",
    ),
    "direction_off": (
        "Direction switched off",
        "This flow does not carry records in this direction.",
        "Change the flow's direction in the configuration if it should be synced.",
    ),
    "by_person": (
        "Excluded by a person",
        "A person excluded this record.",
        "Include it again when it should be synced.",
    ),
    "unsupported_region": (
        "Tax rules not configured",
        "The company keeps its books in a country where every line needs a tax, and no tax mapping is configured.",
        "Map the tax rates in the configuration.",
    ),
    "no_billing_data": (
        "No billing data",
        "The record carries nothing to bill.",
        "Fill in the billing data.",
    ),
    "not_from_crm": (
        "Not tied to {left}",
        "The document was not made from, and is not tied to, a record of {left}.",
        "Link it to a record of {left} if it should be synced.",
    ),
    "deleted_at_source": (
        "Deleted where it was born",
        "The record was deleted where it was born. The other side keeps its copy, if there is one.",
        "Nothing to do; restore it if it should be synced.",
    ),
    # notes
    "variance_accepted": (
        "Difference accepted",
        "A person accepted a difference between the two sides.",
        "Nothing to do.",
    ),
    "payment_mirrored": (
        "Payment shown, not recorded",
        "{left} offers no way to record this payment, so its amount, date and the balance are shown in fields there.",
        "Nothing to do.",
    ),
    "counterpart_gone": (
        "Other side is gone",
        "The record on the other side was deleted or archived. This side was left as it is.",
        "Restore it if it is still needed; otherwise nothing to do.",
    ),
    "apart_by_person": (
        "A document of its own",
        "A person has said that the documents which look like this one are others.",
        "Nothing to do.",
    ),
    "counterpart_inactive": (
        "Other side is out of use",
        "The record on the other side was made inactive. Nothing is written to it, and no new document can use it.",
        "Make it active again if it is still needed; otherwise nothing to do.",
    ),
    "other_credit": (
        "Partly settled by other credit",
        "A credit memo, a deposit or another credit settles a part of this invoice in {right}. It is shown in the "
        "balance and never turned into a payment.",
        "Nothing to do.",
    ),
    "payment_refunded": (
        "Money was given back",
        "All or a part of the payment was refunded on one side. The payment was not taken back on the other; the "
        "balance on the invoice shows what {right} says.",
        "Book the refund on the other side as well, in the way that your accountant wants it.",
    ),
    "double_billing_denied": (
        "Not billed twice",
        "A person has said that this sale is one of its own, although it looks like another one.",
        "Nothing to do.",
    ),
    # connections
    "authorization_lost": (
        "Authorization lost",
        "The connection's credentials are no longer accepted: they were revoked, have expired, or are wrong.",
        "Connect again; everything that waited then goes on.",
    ),
    "account_changed": (
        "Another account",
        "The credentials now open another account than the one this connection has always worked with.",
        "Connect the first account again, or make a new connection and a new sync for the other account.",
    ),
    "quota_exhausted": (
        "Call limit reached",
        "The account's call limit is used up, perhaps by other programs too.",
        "Nothing to do: it goes on when the limit allows. If it happens often, see which programs use the account.",
    ),
    "vendor_unavailable": (
        "Cannot be reached",
        "The service does not answer or reports a fault of its own.",
        "Nothing to do: it is tried again and everything missed is caught up. If it lasts, check your network.",
    ),
    "tls_failed": (
        "Not a secure connection",
        "The other end could not prove who it is, so nothing was sent.",
        "Check the address, this machine's clock and certificates, and any proxy in between.",
    ),
    "malformed_answer": (
        "Unreadable answers",
        "Several answers in a row could not be read; none of them was used.",
        "Nothing to do: it is tried again. If it lasts, check for a proxy in between and report it.",
    ),
    "other_sync": (
        "Another sync is at work",
        "Another program carries this account's invoices over too, so every invoice would be booked twice. Nothing is "
        "written.",
        "Turn the other sync off; this one then starts by itself. If it is off already or carries other invoices, "
        "allow it with the connection's option allow_other_sync.",
    ),
}

BREAKERS: dict[str, tuple[str, str]] = {
    "clock": (
        "Clocks apart",
        "A vendor's clock and this machine's are {n} minutes apart, so nothing is created: it might be dated wrongly. "
        "Set the clock; it goes on by itself.",
    ),
    "closed": (
        "Closed period",
        "{n} records stand refused because their period is closed, so nothing dated {day} or earlier is sent there. "
        "Open the period or change the dates.",
    ),
    "rules": (
        "Other rules",
        "After a change of the configuration {n} records would be written to, {most} are allowed. Look at `syncd plan` "
        "before you release it.",
    ),
    "empty": ("One side is empty", "{n} records vanished from one side, which is all or nearly all it had."),
    "removals": ("Many removals", "{n} records would be voided or deleted, {most} are allowed."),
    "creates": ("Many new records", "{n} records would be created within an hour, {most} are usual here."),
    "money": ("Much money moved", "Totals would change by {n} within an hour, {most} is allowed."),
    "changes": (
        "Everything changed",
        "{n} of {linked} records would be changed within an hour, {most} are allowed.",
    ),
}
"""Circuit breaker -> its name, and its figures in words."""
