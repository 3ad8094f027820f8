"""Checks that only need the request: known properties, lengths, enumerations, addresses of e-mail, dates."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from syncd.sandbox.quickbooks.errors import Fault, business
from syncd.sandbox.quickbooks.moment import parse_date
from syncd.sandbox.quickbooks.schema import (
    DETAIL_PROPERTIES,
    ENUMERATIONS,
    LENGTHS,
    LINE_PROPERTIES,
    PROPERTIES,
)
from syncd.sandbox.quickbooks.wire import Json, objects

SMALL_OBJECTS = {
    "PrimaryEmailAddr": {"Address", "Id", "Default", "Tag"},
    "BillEmail": {"Address", "Id", "Default", "Tag"},
    "PrimaryPhone": {"FreeFormNumber", "Id", "Default", "Tag", "DeviceType", "CountryCode", "AreaCode"},
    "CustomerMemo": {"value", "id"},
}
OBJECT_ENDINGS = ("Ref", "Addr", "Phone", "Mobile", "Fax", "Memo", "TaxDetail", "Email")
FREE_FORM = {
    *("Line", "LinkedTxn", "CustomField", "AttachableRef", "Tag", "MetaData", "OtherContactInfo", "JobInfo"),
    *("CheckPayment", "CreditCardPayment", "DeliveryInfo", "InvoiceLink", "invoiceStatusLog", "ItemGroupDetail"),
    *("InvoiceEx", "CreditMemoEx", "EstimateEx", "PaymentEx", "CustomerEx", "VendorEx", "ItemEx"),
    *("SecondaryTaxIdentifier", "VendorPaymentBankDetail"),
}
"""Properties that hold lists, or objects that no rule here looks into."""


def check_properties(kind: str, body: Json) -> None:
    """Raise 2010 for the first property the vendor does not know."""
    _known(body, PROPERTIES[kind])
    for name, value in body.items():
        if name in FREE_FORM:
            continue
        if name.endswith(OBJECT_ENDINGS):
            _object(name, value, SMALL_OBJECTS.get(name))
        elif isinstance(value, dict | list) or (name == "Active" and not isinstance(value, bool)):
            raise Fault("2010", f"Property Name:{name} has a value of another type", name)
    for line in objects(body.get("Line"), "Line"):
        _known(line, LINE_PROPERTIES)
        for name, allowed in DETAIL_PROPERTIES.items():
            _object(name, line.get(name), allowed)


def _object(name: str, value: object, allowed: Set[str] | None) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise Fault("2010", f"Property Name:{name} is expected to be an object", name)
    if allowed is not None:
        _known(value, allowed)


def _known(given: Json, allowed: Set[str]) -> None:
    for name in given:
        if name not in allowed:
            detail = f"Property Name:Unrecognized field {name} specified is unsupported or invalid"
            raise Fault("2010", detail)


def check_enumerations(kind: str, fields: Json) -> None:
    """Raise 2170 for a value outside its enumeration."""
    for name, allowed in ENUMERATIONS.get(kind, {}).items():
        value = fields.get(name)
        if value is not None and value not in allowed:
            raise Fault("2170", f"Invalid Enumeration : {value}")


def check_lengths(kind: str, fields: Json, *, truncate: bool) -> Json:
    """Raise 2050 for a text that is too long, or cut it when the company's vendor does that silently."""
    for path, most in LENGTHS.get(kind, {}).items():
        name, _, part = path.partition(".")
        holder = fields.get(name) if part else fields
        text = holder.get(part or name) if isinstance(holder, dict) else None
        if text is None:
            continue
        fitting = fit(text, path, most, truncate=truncate)
        fields = {**fields, name: {**fields[name], part: fitting} if part else fitting}
    return fields


def fit(text: object, element: str, most: int, *, truncate: bool) -> str:
    """The text if it is one and short enough.

    Raises:
        Fault: 2010 for something that is no text, 2050 for a long one.
    """
    if not isinstance(text, str):
        raise Fault("2010", f"Property Name:{element} is expected to be a string", element)
    if len(text) <= most:
        return text
    if truncate:
        return text[:most]
    raise Fault("2050", f"Min:0 Max:{most} supported. Supplied length:{len(text)}", element)


def check_email(holder: object) -> None:
    """Raise 2210 unless the address has an @ and a dot behind it; several may be separated by commas."""
    address = holder.get("Address") if isinstance(holder, dict) else None
    if address is None or address == "":
        return
    for each in str(address).split(","):
        name, _, domain = each.strip().partition("@")
        if not name or "." not in domain or any(char.isspace() for char in each.strip()):
            raise Fault("2210", f"Invalid Email Address format : {address}", "EmailAddr")


def check_date(fields: Json, name: str) -> str | None:
    """The date in a field as `YYYY-MM-DD`, None when it is not set; the code for nonsense is not documented."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    found = parse_date(value)
    if found is None:
        raise business(f"{name} is not a valid date: {value}")
    return found.isoformat()


def trimmed(value: Any) -> Any:
    """The value with the blanks around every text in it gone."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return {key: trimmed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [trimmed(each) for each in value]
    return value
