"""Refusals and their bodies (HubSpot error handling guide and recorded answers)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PORTAL_ID = 40000001


class ApiError(Exception):
    """A request refused. Every part but status and message is optional, as in the real envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        category: str | None = None,
        *,
        sub_category: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
        context: Mapping[str, list[str]] | None = None,
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.sub_category = sub_category
        self.errors = errors
        self.context = context
        self.extra = extra or {}
        self.headers = headers or {}

    def body(self, correlation: str) -> dict[str, object]:
        """The JSON of a request that failed as a whole."""
        body: dict[str, object] = {"status": "error", "message": self.message, "correlationId": correlation}
        if self.errors:
            body["errors"] = list(self.errors)
        return body | self._optional()

    def entry(self, trace: str | None = None) -> dict[str, object]:
        """The JSON of one failed row inside a 207 answer, found again by its trace id."""
        entry: dict[str, object] = {"status": "error", "message": self.message} | self._optional()
        if trace is not None:
            entry["context"] = {**(self.context or {}), "objectWriteTraceId": [trace]}
        return entry

    def _optional(self) -> dict[str, object]:
        parts = {"category": self.category, "subCategory": self.sub_category, "context": self.context}
        return {name: part for name, part in parts.items() if part is not None} | dict(self.extra)


@dataclass(frozen=True, slots=True)
class BadProperty:
    """One property of a write that HubSpot will not take."""

    name: str
    code: str
    message: str
    value: str | None = None

    def described(self) -> dict[str, object]:
        value = {} if self.value is None else {"propertyValue": self.value}
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.name,
            "localizedErrorMessage": self.message,
            **value,
            "portalId": PORTAL_ID,
        }


def invalid_properties(bad: Sequence[BadProperty]) -> ApiError:
    """All bad properties at once: as JSON inside the message, and again in `errors`."""
    described = json.dumps([each.described() for each in bad], separators=(",", ":"), ensure_ascii=False)
    errors = [{"message": b.message, "code": b.code, "context": {"propertyName": [b.name]}} for b in bad]
    return ApiError(400, f"Property values were not valid: {described}", "VALIDATION_ERROR", errors=errors)


def read_only(name: str, value: str | None) -> BadProperty:
    message = f'"{name}" is a calculated property; its value cannot be set.'
    return BadProperty(name, "READ_ONLY_VALUE", message, value)


def invalid(message: str = "There was a problem with the request.") -> ApiError:
    return ApiError(400, message, "VALIDATION_ERROR")


def not_found() -> ApiError:
    """A numeric id that does not exist. This one has no category."""
    return ApiError(404, "resource not found")


def not_numeric() -> ApiError:
    """A record id that is no number has a text of its own (its wording is unconfirmed)."""
    return ApiError(404, "Object not found. objectId are usually numeric.", "OBJECT_NOT_FOUND")


def missing_objects(singular: str, ids: Sequence[str]) -> ApiError:
    """The one entry of a batch answer that lists every id nobody knows."""
    message = (
        f"Could not get some {singular.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    )
    return ApiError(404, message, "OBJECT_NOT_FOUND", context={"ids": list(ids)})
