"""What HubSpot's refusals mean in the words of the catalogue.

Error tree of this folder::

    ConnectionTrouble     of the contract: credentials, scopes, daily quota, portal moving
      Rejected            HubSpot refused one question; who asked may know what that means there
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import Complaint, HttpReply
from syncd.connectors.hubspot.fields import CONTACTS, INVOICES, PRODUCTS
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.wire import Detail, Problem

UNEXPLAINED = "vendor_rejected"

# Codes and sub-categories first, then categories: the first that is known decides (HubSpot: error handling; codes
# also as seen by public clients).
CATALOGUE = {
    "PROPERTY_DOESNT_EXIST": "mapping_invalid",
    "READ_ONLY_VALUE": "field_not_writable",
    "INVALID_OPTION": "option_unknown",
    "INVALID_EMAIL": "field_value_invalid",
    "INVALID_LONG": "field_value_invalid",
    "INVALID_INTEGER": "field_value_invalid",
    "INVALID_DATE": "field_value_invalid",
    "MISSING_REQUIRED_PROPERTY": "field_required",
    "INVALID_OBJECT_IDS": "record_gone",
    "crm.associations.NO_ASSOCIATIONS_FOUND": "record_gone",
    "crm.associations.FROM_OBJECT_NOT_FOUND": "record_gone",
    "crm.associations.INVALID_ASSOCIATION_TYPE": "mapping_invalid",
    "OBJECT_NOT_FOUND": "record_gone",
    "MISSING_SCOPES": "permission_missing",
    "VALIDATION_ERROR": UNEXPLAINED,
}
CONFLICTS = {
    CONTACTS: "customer_ambiguous",
    PRODUCTS: "product_ambiguous",
    INVOICES: "duplicate_document_number",
}
GONE = "record_gone"
RETRYABLE = frozenset({"RATE_LIMITS", "RATE_LIMIT", "LOCKED"})
OPENING_OF_LIST = "Property values were not valid: "
WORDS = 500  # characters of a vendor's text that are kept

_existing = re.compile(r"Existing ID:\s*(\d+)")


class Rejected(ConnectionTrouble):
    """HubSpot refused a question: its status and what it said. Where nobody expects it, the connection waits."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(Condition.VENDOR_UNAVAILABLE, f"a question was refused (HTTP {status}): {words_of(problem)}")
        self.status = status
        self.problem = problem


class _Listed(msgspec.Struct):
    """One entry of the list that a validation message carries as text."""

    message: str = ""
    error: str | None = None


def problem_of(reply: HttpReply) -> Problem:
    """The error in an answer; an empty one where the answer is no HubSpot error."""
    try:
        return msgspec.json.decode(reply.body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem()


def details(problem: Problem) -> list[Detail]:
    """The single reasons: from `errors`, else from the list inside the message; entries of a batch have only that."""
    if problem.errors or not problem.message.startswith(OPENING_OF_LIST):
        return problem.errors
    try:
        listed = msgspec.json.decode(problem.message.removeprefix(OPENING_OF_LIST), type=list[_Listed])
    except (msgspec.DecodeError, RecursionError):
        return []
    return [Detail(message=entry.message, code=entry.error) for entry in listed]


def words_of(problem: Problem) -> str:
    """HubSpot's own words, readable."""
    reasons = [detail.message for detail in details(problem) if detail.message]
    spoken = "; ".join(reasons) if problem.message.startswith(OPENING_OF_LIST) and reasons else problem.message
    return spoken[:WORDS]


def category_of(problem: Problem, status: int, object_type: str) -> str:
    """The catalogue's name for a refused write."""
    if status == 409 or problem.category == "CONFLICT":
        return CONFLICTS.get(object_type, UNEXPLAINED)
    for signal in _signals(problem):
        if signal in CATALOGUE:
            return CATALOGUE[signal]
    return {404: GONE, 403: "permission_missing"}.get(status, UNEXPLAINED)


def existing_of(problem: Problem) -> str | None:
    """The id of the record that already holds a unique value."""
    found = _existing.search(problem.message)
    return found.group(1) if found else None


def is_daily(reply: HttpReply) -> bool:
    """A 429 that ends with the day, not with a pause."""
    return reply.status == 429 and problem_of(reply).policy_name == "DAILY"


def complaint(reply: HttpReply) -> Complaint | None:
    """Whether to wait and ask again: not when the day's quota is gone."""
    if reply.status not in (423, 429) or is_daily(reply):
        return None
    return Complaint(pause_after(reply, None), pace=reply.status == 429)


def pause_after(reply: HttpReply, asked: float | None) -> float:
    """Seconds to wait after a 429 or 423; `asked` is the answer's own Retry-After."""
    if reply.status == 423:
        return max(asked or 0.0, LIMITS.lock_pause)
    if asked is not None:
        return asked
    secondly = "secondly limit" in (message := problem_of(reply).message) and "ten_secondly" not in message
    return LIMITS.secondly_pause if secondly else LIMITS.ten_secondly_pause


def trouble_of(reply: HttpReply, asked: float | None) -> ConnectionTrouble | None:
    """What an answer says about the whole connection; None when it is about the request alone."""
    problem = problem_of(reply)
    match reply.status:
        case 401:
            return ConnectionTrouble(Condition.AUTHORIZATION_LOST, words_of(problem) or "HTTP 401")
        case 403 if problem.category in (None, "MISSING_SCOPES"):
            scopes = ", ".join(scopes_of(problem))
            return ConnectionTrouble(Condition.PERMISSION_MISSING, scopes or words_of(problem) or "HTTP 403")
        case 429 if is_daily(reply):
            return ConnectionTrouble(Condition.QUOTA_EXHAUSTED, words_of(problem), asked)
        case 477:
            return ConnectionTrouble(Condition.VENDOR_UNAVAILABLE, "the portal is moving between regions", asked)
        case status if 300 <= status < 400:
            return ConnectionTrouble(Condition.MALFORMED_ANSWER, f"a redirect (HTTP {status}) is not followed")
    return None


def scopes_of(problem: Problem) -> list[str]:
    """The scopes a 403 asks for."""
    return [str(s) for detail in problem.errors for s in detail.context.get("requiredGranularScopes", [])]


def _signals(problem: Problem) -> Iterator[str]:
    for detail in details(problem):
        yield from (signal for signal in (detail.code, detail.sub_category) if signal)
        yield from detail.context
    yield from problem.context
    yield from (signal for signal in (problem.sub_category, problem.category) if signal)
