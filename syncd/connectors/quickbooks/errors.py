"""What QuickBooks' error codes mean, in the words of the catalogue.

A fault arrives in two spellings (`Fault` from the service, `fault` from the gateway before it), may carry several
errors, may come with HTTP 200 and may sit on one item of a batch. Codes are numbers with or without leading zeros.
Sources: Intuit: Error codes; Fix common errors; blog of 8 Jun 2017.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import Complaint, HttpReply, Malformed
from syncd.connectors.quickbooks.manifest import MANIFEST

CODE_NOT_FOUND = 610  # never there, deleted or, of a reference, inactive
CODE_THROTTLED = 3001
CODE_TOO_FAR_BACK = 2190  # a change data window older than 30 days
MAINTENANCE_SECONDS = 300.0  # "wait a few minutes"


class Effect(StrEnum):
    """What a fault does to the work it answers."""

    REFUSED = "refused"  # never carried out as it is; `name` is a category
    STALE = "stale"
    THROTTLED = "throttled"
    TRANSIENT = "transient"  # may work later; whether it was carried out is not quite sure
    LOGIN = "login"  # the access token: renew it and repeat
    TROUBLE = "trouble"  # the whole connection; `name` is a condition


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, understood.

    `existing` is the id of the entity that already has the number, when the vendor names it.
    """

    effect: Effect
    name: str
    words: str
    code: int = 0
    existing: str | None = None

    def trouble(self) -> ConnectionTrouble:
        """The same, when it is the answer to something no record is to blame for: a read, or a whole request."""
        words = f"{self.words} (code {self.code})"
        if self.effect in (Effect.TROUBLE, Effect.LOGIN):
            condition = Condition(self.name)
            later = MAINTENANCE_SECONDS if condition is Condition.VENDOR_UNAVAILABLE else None
            return ConnectionTrouble(condition, words, later)
        if self.effect is Effect.THROTTLED:
            return ConnectionTrouble(Condition.QUOTA_EXHAUSTED, words)
        if self.name == Condition.PERMISSION_MISSING:
            return ConnectionTrouble(Condition.PERMISSION_MISSING, words)
        return ConnectionTrouble(Condition.VENDOR_UNAVAILABLE, words, MAINTENANCE_SECONDS)


_LOGIN = (Effect.LOGIN, Condition.AUTHORIZATION_LOST)
_NO_ACCESS = (Effect.TROUBLE, Condition.AUTHORIZATION_LOST)
_DOWN = (Effect.TROUBLE, Condition.VENDOR_UNAVAILABLE)
_TRANSIENT = (Effect.TRANSIENT, "")


def _refused(category: str) -> tuple[Effect, str]:
    return Effect.REFUSED, category


CODES: Mapping[int, tuple[Effect, str]] = {
    3200: _LOGIN,
    100: _LOGIN,
    110: _LOGIN,
    120: _NO_ACCESS,  # the person who connected has lost access
    3100: _NO_ACCESS,  # the app is not authorised for this company
    130: _DOWN,  # wrong cluster
    140: _DOWN,  # company locked
    150: _DOWN,  # under maintenance
    6190: (Effect.TROUBLE, Condition.PERMISSION_MISSING),  # the subscription has ended
    10200: (Effect.TROUBLE, Condition.ACCOUNT_CHANGED),  # the company was reset: its ids mean nothing any more
    CODE_THROTTLED: (Effect.THROTTLED, ""),
    10000: _TRANSIENT,
    600: _TRANSIENT,  # this request id was seen before: what became of that request has to be found out
    5010: (Effect.STALE, ""),
    2500: _refused("field_value_invalid"),  # the reference does not exist or is inactive
    6250: _refused("field_value_invalid"),
    620: _refused("vendor_rejected"),  # the payment cannot be linked to that invoice
    6240: _refused("duplicate_display_name"),
    6140: _refused("duplicate_document_number"),
    2130: _refused("internal_error"),  # malformed request id
    2010: _refused("internal_error"),  # unknown property
    2020: _refused("field_required"),
    2030: _refused("field_value_invalid"),  # bad id
    2040: _refused("field_value_invalid"),  # bad characters
    2050: _refused("field_value_invalid"),  # too long
    2090: _refused("field_value_invalid"),  # bad number
    2170: _refused("option_unknown"),
    CODE_TOO_FAR_BACK: _refused("internal_error"),
    6070: _refused("amount_mismatch"),  # amount is not quantity times price
    6090: _refused("field_value_invalid"),  # discount without amount
    2210: _refused("field_value_invalid"),  # bad e-mail address
    6420: _refused("field_required"),  # e-mail address needed
    6100: _refused("tax_code_required"),
    6160: _refused("tax_code_required"),
    6170: _refused("tax_code_required"),
    6470: _refused("tax_code_required"),
    6200: _refused("accounting_period_closed"),
    6210: _refused("accounting_period_closed"),
    5020: _refused("permission_missing"),
    5030: _refused("permission_missing"),
    6540: _refused("record_locked"),  # the payment sits in a deposit
    6450: _refused("record_locked"),  # settled
    800: _refused("state_not_allowed"),  # something depends on it
    6220: _refused("state_not_allowed"),  # it has a balance
    6280: _refused("state_not_allowed"),  # it has unbilled charges
    500: _refused("internal_error"),  # unsupported operation
    4000: _refused("internal_error"),
    4001: _refused("internal_error"),
    4002: _refused("internal_error"),
    1040: _refused("internal_error"),  # batch too big
    10100: _refused("internal_error"),  # result too big
}

# Codes whose meaning is only in the text. The first pattern that is found decides; what none knows is the last entry.
TEXTS: Mapping[int, Sequence[tuple[str, tuple[Effect, str]]]] = {
    CODE_NOT_FOUND: (
        (r"deleted|void", _refused("record_gone")),
        (r"", _refused("field_value_invalid")),  # the reference was made inactive
    ),
    6000: (
        (r"unexpected error|wait a few minutes|try again later", _TRANSIENT),
        (r"service date", _refused("service_date_required")),
        (r"\btax\b|GST|HST|VAT\b", _refused("tax_code_required")),
        (r"clos(ed|ing) (date|period|books)|period (is|has) (been )?closed|books.{0,20}closed",
         _refused("accounting_period_closed")),
        (r"currenc", _refused("currency_mismatch")),
        (r"deposited|reconciled", _refused("record_locked")),
        (r"payments? applied|linked to", _refused("state_not_allowed")),
        (r"", _refused("vendor_rejected")),
    ),
}  # fmt: skip

_EXISTING = re.compile(r"TxnType=(?P<type>\w+) with TxnId=(?P<id>\d+)")


def fault_in(body: Any) -> Fault | None:
    """The fault an answer (or one item of a batch) carries, None if it carries none."""
    if not isinstance(body, Mapping):
        return None
    raw = body.get("Fault") or body.get("fault")
    if not isinstance(raw, Mapping):
        return None
    listed = raw.get("Error") or raw.get("error")
    errors = [error for error in listed if isinstance(error, Mapping)] if isinstance(listed, list) else []
    faults = [_understood(error) for error in errors or [{}]]
    known = [fault for fault in faults if fault.code in CODES or fault.code in TEXTS]
    decisive = (known or faults)[0]
    words = "; ".join(dict.fromkeys(fault.words for fault in faults))
    return Fault(decisive.effect, decisive.name, words, decisive.code, decisive.existing)


def fault_of(reply: HttpReply) -> Fault | None:
    """The fault of a whole answer that may not even be JSON."""
    try:
        return judged(reply.status, reply.json())
    except Malformed:
        return judged(reply.status, None)


def judged(status: int, body: Any) -> Fault | None:
    """The fault of a whole answer; one whose body says nothing is judged by its status."""
    if (found := fault_in(body)) is not None or status < 400:
        return found
    words = f"HTTP {status}"
    if status == 401:
        return Fault(*_LOGIN, words)
    if status == 403:
        return Fault(*_NO_ACCESS, words)
    if status == 429:
        return Fault(*CODES[CODE_THROTTLED], words)
    return Fault(*_TRANSIENT, words) if status >= 500 else Fault(*_refused("vendor_rejected"), words)


def complaint(reply: HttpReply) -> Complaint | None:
    """Too fast: 429, or the older form with 403. Intuit advises to wait and sends no Retry-After."""
    if reply.status != 429:
        fault = fault_of(reply) if reply.status == 403 else None
        if fault is None or fault.effect is not Effect.THROTTLED:
            return None
    return Complaint(MANIFEST.limits.throttle_pause)


def _understood(error: Mapping[str, Any]) -> Fault:
    message = str(error.get("Message") or error.get("message") or "")
    detail = str(error.get("Detail") or error.get("detail") or "")
    code = _number(error.get("code"))
    words = detail if message in detail else f"{message}: {detail}" if detail else message
    effect, name = _meaning(code, f"{message} {detail}")
    held = _EXISTING.search(detail)
    existing = held["id"] if held and held["type"] == "Invoice" else None
    return Fault(effect, name, words or "no words", code, existing)


def _meaning(code: int, text: str) -> tuple[Effect, str]:
    for pattern, meaning in TEXTS.get(code, ()):
        if re.search(pattern, text, re.IGNORECASE):
            return meaning
    return CODES.get(code, _refused("vendor_rejected"))


def _number(code: object) -> int:
    try:
        return int(str(code))
    except ValueError:
        return 0
