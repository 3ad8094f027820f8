"""Faults only HubSpot has; faults any vendor can have are elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from syncd.sandbox.base import Request, Response, decode_json, encode_json
from syncd.sandbox.hubspot.auth import expired, missing
from syncd.sandbox.hubspot.errors import ApiError, invalid
from syncd.sandbox.hubspot.limits import too_many

Handle = Callable[[Request], Response]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def refusal(name: str, options: Mapping[str, Any], now: datetime) -> ApiError | None:
    """The faults that are a refusal and nothing else; None for other names."""
    match name:
        case "locked_423":
            return ApiError(423, "Locked", "LOCKED")  # the body is unconfirmed
        case "moved_477":
            wait = str(options.get("retry_after", 60))
            return ApiError(477, "This portal is being moved to another region.", headers={"Retry-After": wait})
        case "daily_limit":
            return too_many("daily", "DAILY")
        case "secondly_limit":
            return too_many("secondly", "SECONDLY")
        case "ten_secondly_limit":
            return too_many("ten_secondly_rolling")
        case "expired_401":
            return expired(now, now)
        case "epoch_401":
            return expired(_EPOCH, now)
        case "invalid_401":
            return missing()
    return None


def partial_batch(options: Mapping[str, Any], request: Request, handle: Handle) -> Response | None:
    """Refuse some rows (`rows`, positions; the first by default) of a batch that carries trace ids; do the others.

    Does not apply to a batch where no row or every row is meant.
    """
    body = _batch(request)
    refused = set(options.get("rows", [0]))
    if body is None or not all("objectWriteTraceId" in row for row in body["inputs"]):
        return None
    kept = [row for place, row in enumerate(body["inputs"]) if place not in refused]
    errors = [
        invalid("Refused by the sandbox").entry(str(row["objectWriteTraceId"]))
        for place, row in enumerate(body["inputs"])
        if place in refused
    ]
    if not kept or not errors:
        return None
    response = handle(replace(request, body=encode_json({**body, "inputs": kept})))
    if not response.body or response.status >= 300:
        return response
    answer = json.loads(response.body)
    all_errors = [*answer.get("errors", []), *errors]
    answer |= {"errors": all_errors, "numErrors": len(all_errors)}
    return Response(207, encode_json(answer), response.headers)


def short_batch(options: Mapping[str, Any], request: Request, handle: Handle) -> Response | None:
    """Do a whole batch, but leave some results (`drop`, how many; one by default) out of the answer."""
    if _batch(request) is None:
        return None
    response = handle(request)
    if not response.body or response.status >= 300:
        return response
    answer = json.loads(response.body)
    answer["results"] = answer["results"][int(options.get("drop", 1)) :]
    return Response(response.status, encode_json(answer), response.headers)


def _batch(request: Request) -> dict[str, Any] | None:
    if "/batch/" not in request.path:
        return None
    try:
        body = decode_json(request.body)
    except ValueError:
        return None
    rows = body.get("inputs") if isinstance(body, dict) else None
    return body if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None
