"""Checks on the JSON that clients send: a wrong shape is a 400, never a crash."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.sandbox.base import decode_json
from syncd.sandbox.hubspot.errors import ApiError


def invalid_json(what: str) -> ApiError:
    return ApiError(400, f"Invalid input JSON: {what}", "VALIDATION_ERROR")


def body(raw: bytes) -> Mapping[str, object]:
    """The request body, which has to be a JSON object; an absent body is an empty one."""
    return mapping(any_body(raw or b"{}"), "body")


def any_body(raw: bytes) -> object:
    try:
        return decode_json(raw)
    except (ValueError, RecursionError):
        raise invalid_json("cannot be parsed") from None


def mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise invalid_json(f"{where} must be an object")
    return value


def items(value: object, where: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_json(f"{where} must be a list")
    return value


def mappings(value: object, where: str) -> list[Mapping[str, object]]:
    return [mapping(each, where) for each in items(value, where)]


def text(value: object, where: str) -> str:
    """Text, or a whole number as text: ids are accepted both ways."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise invalid_json(f"{where} must be text")
    return str(value)


def optional_text(value: object, where: str) -> str | None:
    return None if value is None else text(value, where)


def texts(value: object, where: str) -> list[str]:
    return [text(each, where) for each in items(value, where)]


def whole(value: object, where: str, default: int) -> int:
    """A whole number sent as number or as text."""
    if value is None or value == "":
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise invalid_json(f"{where} must be a whole number")
