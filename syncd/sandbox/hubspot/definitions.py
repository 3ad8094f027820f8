"""The properties HubSpot itself defines, as far as the sandbox needs them, one line each.

`name type[/fieldType] [flags] [options]`. Flags: `ro` the value cannot be written, `calc` it is calculated (and so
cannot be written either), `unique` no two records share it, `external` the options are kept elsewhere and not checked.
Types without a field type get the usual one; labels are made from the names. From object guides and recorded schemas.
"""

from __future__ import annotations

_PERSON = """
hubspot_owner_id enumeration/select external
hs_object_id number ro
hs_object_source string ro
hs_object_source_id string ro
hs_object_source_label string ro
"""

_LIFECYCLE = "subscriber|lead|marketingqualifiedlead|salesqualifiedlead|opportunity|customer|evangelist|other"

_STATUSES = (
    "processing|succeeded|failed|partially_refunded|refunded|processing_refund"
    "|disputed_won|disputed_lost|disputed_action_required|disputed_awaiting_decision"
)

_ADJUSTMENT = """
hs_label string
hs_value number
hs_type enumeration/select FIXED|PERCENT
hs_sort_order number
createdate datetime ro
hs_lastmodifieddate datetime ro
"""

OPTIONS = {
    "lifecyclestage": _LIFECYCLE,
    "hs_latest_status": _STATUSES,
}

DEFINITIONS: dict[str, str] = {
    "contacts": """
email string unique
firstname string
lastname string
phone string/phonenumber
mobilephone string/phonenumber
company string
jobtitle string
address string
city string
state string
zip string
country string
website string
lifecyclestage enumeration/radio {lifecyclestage}
hs_additional_emails enumeration/checkbox ro external
hs_merged_object_ids enumeration/checkbox ro external
createdate datetime ro
lastmodifieddate datetime ro
""",
    "companies": """
name string
domain string
hs_additional_domains enumeration/checkbox ro external
phone string/phonenumber
address string
address2 string
city string
state string
zip string
country string
industry string
website string
numberofemployees number
annualrevenue number
lifecyclestage enumeration/radio {lifecyclestage}
hs_merged_object_ids enumeration/checkbox ro external
createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "deals": """
dealname string
dealstage enumeration/radio contractsent|closedwon|closedlost
pipeline enumeration/select default
amount number
closedate datetime
dealtype enumeration/radio newbusiness|existingbusiness
deal_currency_code enumeration/select USD|EUR|CAD
description string/textarea
hs_merged_object_ids enumeration/checkbox ro external
createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "products": """
name string
description string/textarea
price number
hs_sku string
hs_cost_of_goods_sold number
hs_recurring_billing_period string
hs_images string
createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "line_items": """
name string
description string/textarea
hs_product_id string
hs_sku string
quantity number
price number
discount number
hs_discount_percentage number
hs_tax_rate_group_id string
hs_line_item_currency_code string
hs_recurring_billing_period string
recurringbillingfrequency string
hs_recurring_billing_start_date date
hs_recurring_billing_end_date date
hs_position_on_quote number
amount number calc
hs_pre_discount_amount number calc
hs_total_discount number calc
hs_tax_amount number calc
hs_post_tax_amount number calc
createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "quotes": """
hs_title string
hs_expiration_date datetime
hs_status enumeration/select DRAFT|PENDING_APPROVAL|APPROVED|APPROVAL_NOT_NEEDED|REJECTED
hs_currency string
hs_quote_number string ro
hs_quote_amount number calc
hs_public_url_key string ro
hs_createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "invoices": """
hs_currency string
hs_invoice_date datetime
hs_due_date datetime
hs_invoice_status enumeration/select draft|open|paid|voided
hs_invoice_billable bool
hs_invoice_source enumeration/select ro hubspot|data_sync|legacy_quickbooks|integration
hs_number string
hs_title string
hs_purchase_order_number string
hs_comments string/textarea
hs_tax_id string
hs_amount_billed number
hs_balance_due number calc
hs_amount_paid number calc
hs_payment_date datetime ro
hs_invoice_link string ro
hs_pdf_download_link string ro
hs_allowed_payment_methods enumeration/checkbox credit_or_debit_card|ach|sepa|bacs|pads
hs_invoice_payment_collection_method enumeration/select manual|none
hs_allow_partial_payments bool
hs_collect_address_types enumeration/checkbox billing_address|shipping_address
hs_recipient_shipping_address string
hs_recipient_shipping_address2 string
hs_recipient_shipping_city string
hs_recipient_shipping_state string
hs_recipient_shipping_zip string
hs_recipient_shipping_country string
hs_recipient_company_address string
hs_recipient_company_address2 string
hs_recipient_company_city string
hs_recipient_company_state string
hs_recipient_company_zip string
hs_language string
hs_locale string
hs_custom_fields string
hs_invoice_latest_contact_email string ro
hs_invoice_latest_contact_firstname string ro
hs_invoice_latest_contact_lastname string ro
hs_invoice_latest_company_name string ro
hs_external_invoice_id string
hs_createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "commerce_payments": """
hs_initial_amount number
hs_initiated_date datetime
hs_currency_code string
hs_customer_email string
hs_fees_amount number
hs_latest_status enumeration/select {hs_latest_status}
hs_payment_method_type enumeration/select card|ach|cash|check|wire_transfer|other|sepa|bacs|pads
hs_payment_method_last_4 string
hs_payment_method_bank_or_issuer string
hs_payout_date datetime
hs_processor_type enumeration/select hs_payments|byo_stripe|none|quickbooks|xero
hs_reference_number string
hs_refunds_amount number
hs_internal_comment string/textarea
hs_line_item_discounts_amount number
hs_payment_id string ro
hs_payment_source_app enumeration/select ro SALES_CHECKOUT|QUOTE|INVOICE|MIGRATION|SUBSCRIPTION
hs_payment_source_id string ro
hs_net_amount number calc
hs_has_associated_invoice bool calc
hs_number_of_associated_invoices number calc
hs_createdate datetime ro
hs_lastmodifieddate datetime ro
""",
    "taxes": _ADJUSTMENT,
    "fees": _ADJUSTMENT,
    "discounts": _ADJUSTMENT,
}


def rows(kind: str) -> list[str]:
    """The lines of one kind, those common to all kinds last."""
    text = DEFINITIONS[kind].format(**OPTIONS) + _PERSON
    return [row for row in text.splitlines() if row.strip()]
