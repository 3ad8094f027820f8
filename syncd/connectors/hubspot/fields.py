"""Which HubSpot object holds what: object names, property names, association types. Tables only."""

from __future__ import annotations

from syncd.connectors.hubspot.options import Options
from syncd.model.references import Kind

CONTACTS, PRODUCTS, INVOICES, PAYMENTS = "contacts", "products", "invoices", "commerce_payments"
LINES = "line_items"
DISCOUNTS, FEES, TAXES = "discounts", "fees", "taxes"
TAX_RATES = "/tax-rates/v1/tax-rates"

TYPES = {Kind.PARTY: CONTACTS, Kind.PRODUCT: PRODUCTS, Kind.INVOICE: INVOICES, Kind.PAYMENT: PAYMENTS}

# Association types by direction (HubSpot: associations v4, default type ids).
LINK_TYPES = {
    (INVOICES, CONTACTS): 177,
    (LINES, INVOICES): 410,
    (PAYMENTS, CONTACTS): 387,
    (PAYMENTS, INVOICES): 542,
}

OURS = "syncd_"  # what our own properties begin with
REFERENCE = "syncd_ref"
AMOUNT_PAID = "syncd_amount_paid"
BALANCE_DUE = "syncd_balance_due"
TAX_TOTAL = "syncd_tax_total"
DISCOUNT_TOTAL = "syncd_discount_total"
PAYMENT_DATE = "syncd_payment_date"

# Field of our noun -> property, for what is one to one. Status, method and customer have rules of their own.
FIELDS: dict[Kind, dict[str, str]] = {
    Kind.PARTY: {
        "email": "email",
        "first_name": "firstname",
        "last_name": "lastname",
        "company": "company",
        "phone": "phone",
        "website": "website",
        "street": "address",
        "city": "city",
        "region": "state",
        "postal_code": "zip",
        "country": "country",
    },
    Kind.PRODUCT: {"sku": "hs_sku", "name": "name", "description": "description", "unit_price": "price"},
    Kind.INVOICE: {
        "number": "hs_number",
        "currency": "hs_currency",
        "issue_date": "hs_invoice_date",
        "due_date": "hs_due_date",
        "comment": "hs_comments",
        "po_number": "hs_purchase_order_number",
        "status": "hs_invoice_status",
        "total": "hs_amount_billed",
        "tax_total": TAX_TOTAL,
        "discount": DISCOUNT_TOTAL,
        "amount_paid": AMOUNT_PAID,
        "balance": BALANCE_DUE,
        "payment_date": PAYMENT_DATE,
    },
    Kind.PAYMENT: {
        "amount": "hs_initial_amount",
        "currency": "hs_currency_code",
        "date": "hs_initiated_date",
        "status": "hs_latest_status",
        "method": "hs_payment_method_type",
        "reference": "hs_reference_number",
    },
}

# Of a billable invoice HubSpot computes these itself, or numbers it: they are written on mirrors only.
MIRROR_ONLY = frozenset({"number", "currency", "total", "tax_total", "discount", "customer"})

# What a contact cannot hold but a create may bring: it shows the name's parts instead.
UNUSED = {Kind.PARTY: frozenset({"name"})}

_FURTHER = {
    Kind.PARTY: ("hs_additional_emails", "hs_merged_object_ids"),
    Kind.PRODUCT: (),
    Kind.INVOICE: ("hs_invoice_billable", "hs_invoice_source", "hs_amount_paid", "hs_balance_due"),
    Kind.PAYMENT: ("hs_payment_source_app", "hs_refunds_amount"),
}

LINE_PROPERTIES = (
    "name",
    "description",
    "hs_product_id",
    "hs_sku",
    "quantity",
    "price",
    "amount",
    "hs_total_discount",
    "hs_tax_amount",
    "hs_tax_rate_group_id",
    "hs_position_on_quote",
    "hs_lastmodifieddate",
    REFERENCE,
)
ADJUSTMENT_PROPERTIES = ("hs_type", "hs_value", "hs_label", "hs_sort_order")


def modified_property(object_type: str) -> str:
    """The property that says when a record was changed last; contacts have their own."""
    return "lastmodifieddate" if object_type == CONTACTS else "hs_lastmodifieddate"


def read_properties(kind: Kind, options: Options) -> tuple[str, ...]:
    """Every property we read of a kind. Names a portal does not have are left out of its answer silently."""
    own = (modified_property(TYPES[kind]), REFERENCE)
    return tuple(dict.fromkeys((*FIELDS[kind].values(), *_FURTHER[kind], *own, *options.custom(kind))))


def line_properties(options: Options) -> tuple[str, ...]:
    """Every property we read of a line item."""
    return (*LINE_PROPERTIES, options.line_service_date) if options.line_service_date else LINE_PROPERTIES
