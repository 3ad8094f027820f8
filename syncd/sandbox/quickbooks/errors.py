"""What the vendor says no with: a code, a message that belongs to the code, and a detail about the case at hand.

Codes and meanings: Intuit, "Error codes" and "Fix common errors". Where those pages leave a text open (2050, 4000,
5020, the service date's 6000) the words here are a guess and only the code may be relied on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncd.sandbox.quickbooks.moment import stamp_millis

VALIDATION, SYSTEM, SERVICE = "ValidationFault", "SystemFault", "SERVICE"

CATALOGUE: dict[str, tuple[str, int, str]] = {
    "120": ("Authorization Failure", 401, "AuthorizationFault"),
    "130": ("Wrong Cluster", 400, SYSTEM),
    "140": ("Company Locked", 400, SYSTEM),
    "150": ("Company Under Maintenance", 503, SYSTEM),
    "500": ("Unsupported Operation", 400, VALIDATION),
    "600": ("Duplicate Request Id", 400, VALIDATION),
    "610": ("Object Not Found", 400, VALIDATION),
    "620": ("Txn ID Cannot Be Linked", 400, VALIDATION),
    "800": ("Object Has Dependencies", 400, VALIDATION),
    "1040": ("Batch Too Large", 400, VALIDATION),
    "2010": ("Request has invalid or unsupported property", 400, VALIDATION),
    "2020": ("Required param missing, need to supply the required value for the API", 400, VALIDATION),
    "2030": ("Invalid ID", 400, VALIDATION),
    "2040": ("Invalid String", 400, VALIDATION),
    "2050": ("Invalid String Length", 400, VALIDATION),
    "2090": ("Invalid Number", 400, VALIDATION),
    "2130": ("Invalid Request Id", 400, VALIDATION),
    "2170": ("Invalid Enumeration", 400, VALIDATION),
    "2190": ("Invalid Date Range", 400, VALIDATION),
    "2210": ("Invalid Email Address format", 400, VALIDATION),
    "2500": ("Invalid Reference Id", 400, VALIDATION),
    "3001": ("message=ThrottleExceeded; errorCode=003001; statusCode=429", 429, SERVICE),
    "4000": ("Error parsing query", 400, VALIDATION),
    "4001": ("Invalid query", 400, VALIDATION),
    "4002": ("Error processing query", 400, VALIDATION),
    "5010": ("Stale Object Error", 400, VALIDATION),
    "5020": ("Permission Denied Error", 400, VALIDATION),
    "5030": ("Feature Not Supported Error", 400, VALIDATION),
    "6000": ("A business validation error has occurred while processing your request", 400, VALIDATION),
    "6070": ("Amount calculation incorrect in the request", 400, VALIDATION),
    "6090": ("Invalid Discount", 400, VALIDATION),
    "6100": ("Invalid Line TaxCode in the request", 400, VALIDATION),
    "6140": ("Duplicate Document Number Error", 400, VALIDATION),
    "6160": ("Invalid Tax Code", 400, VALIDATION),
    "6190": ("Invalid Company Status", 400, VALIDATION),
    "6200": ("Account Period Closed", 400, VALIDATION),
    "6210": ("Account Period Closed", 400, VALIDATION),
    "6220": ("Object Has Open Balance", 400, VALIDATION),
    "6240": ("Duplicate Name Exists Error", 400, VALIDATION),
    "6420": ("Email Address Required", 400, VALIDATION),
    "6450": ("Settled Transaction Cannot Be Voided", 400, VALIDATION),
    "6540": ("Deposited Transaction cannot be changed", 400, VALIDATION),
    "10000": ("An application error has occurred while processing your request", 500, SYSTEM),
    "10200": ("Company Was Reset", 400, SYSTEM),
}
"""Code -> message, HTTP status, type of the fault."""


class Fault(Exception):
    """The vendor refuses one operation."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        element: str = "",
        *,
        message: str | None = None,
        http: int | None = None,
    ) -> None:
        known, status, self.type = CATALOGUE.get(code, ("An error has occurred", 400, VALIDATION))
        self.code, self.element = code, element
        self.message = message or known
        self.detail = self.message if detail is None else detail
        self.http = http or status
        super().__init__(f"{code} {self.detail}")

    def body(self) -> dict[str, Any]:
        """The `{"Fault": ...}` object, as it stands alone or inside a batch answer."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": self.element}
        return {"Fault": {"Error": [error], "type": self.type}}

    def envelope(self, now: datetime) -> dict[str, Any]:
        """The body of a whole answer."""
        return {**self.body(), "time": stamp_millis(now)}


class GatewayFault(Exception):
    """A refusal before the request reaches the books: other keys, epoch time, and a lot of nulls."""

    def __init__(self, status: int, code: str, words: str, type: str, detail: str | None) -> None:
        self.status = status
        self.message = f"message={words}; errorCode={code.zfill(6)}; statusCode={status}"
        self.code, self.type, self.detail = code, type, detail
        super().__init__(self.message)

    def envelope(self, now: datetime) -> dict[str, Any]:
        """The body of the answer."""
        error = {"message": self.message, "detail": self.detail, "code": self.code, "element": None}
        return {
            "warnings": None,
            "intuitObject": None,
            "fault": {"error": [error], "type": self.type},
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": int(now.timestamp() * 1000),
            "status": None,
            "cdcresponse": [],
        }


def bad_token(detail: str) -> GatewayFault:
    """401, code 3200: the access token is missing, expired or revoked."""
    return GatewayFault(401, "3200", "AuthenticationFailed", "AUTHENTICATION", detail)


def wrong_realm() -> GatewayFault:
    """403, code 3100: the app is not authorised for this company."""
    return GatewayFault(403, "3100", "ApplicationAuthorizationFailed", "SERVICE", None)


def business(words: str) -> Fault:
    """6000: a business rule whose meaning is only in the detail."""
    return Fault("6000", f"Business Validation Error: {words}")


def missing(parameter: str) -> Fault:
    """2020: a required field."""
    return Fault("2020", f"Required parameter {parameter} is missing in the request", parameter)


def gone() -> Fault:
    """610: the object itself was deleted, or never was."""
    return Fault("610", "Object Not Found : Another user has deleted this transaction.")


INACTIVE = (
    "Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)


def inactive(code: str, element: str) -> Fault:
    """610 or 2500: a reference to something inactive; public captures show both codes."""
    return Fault(code, f"{CATALOGUE[code][0]} : {INACTIVE}", element)


def unknown_reference(element: str, id: str) -> Fault:
    """2500: a reference to something that does not exist."""
    return Fault("2500", f"Invalid Reference Id : {element} element id {id} not found", element)


def unlinkable(id: object) -> Fault:
    """620: a transaction that cannot be linked."""
    return Fault("620", f"Txn Id {id} cannot be linked")
