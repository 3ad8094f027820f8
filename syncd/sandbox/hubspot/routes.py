"""From method and path to handler. Both path generations lead to the same one.

Classic `/crm/v3/objects/...` and `/crm/v4/associations/...`; dated `/crm/objects/2026-03/...` and so on.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from syncd.sandbox.hubspot import account, associations, batch, objects, properties, search
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import ApiError
from syncd.sandbox.hubspot.limits import Meter
from syncd.sandbox.hubspot.writes import Writes

_CLASSIC = re.compile(r"/crm/v[34]/(objects|properties|associations|owners|pipelines)(/.*)?")
_DATED = re.compile(r"/crm/(objects|properties|associations|owners|pipelines)/(?:v4|2026-03|2026-09)(/.*)?")
_ACCOUNT = re.compile(r"/account-info/(?:v3|2026-03|2026-09)(/.*)?")


def segments(path: str) -> list[str]:
    """The path without its version: `["objects", "invoices", "7"]`."""
    for pattern in (_CLASSIC, _DATED):
        found = pattern.fullmatch(path)
        if found:
            return [found[1], *_split(found[2] or "")]
    found = _ACCOUNT.fullmatch(path)
    return ["account-info", *_split(found[1] or "")] if found else _split(path)


def _split(path: str) -> list[str]:
    return [unquote(part) for part in path.strip("/").split("/") if part]


def bucket(path: str) -> str:
    """Which limit a request counts against."""
    if path.endswith("/search"):
        return "search"
    return "associations" if "/associations/" in path else "burst"


def dispatch(call: Call, writes: Writes, meter: Meter) -> Reply:
    """Answer a CRM or account request.

    Raises:
        ApiError: refused, or no such route.
    """
    match [call.request.method, *segments(call.request.path)]:
        case [method, "objects", kind, *rest]:
            return _objects(call, writes, method, kind, rest)
        case [method, "associations", origin, target, *rest]:
            return _associations(call, writes, method, (origin, target), rest)
        case [method, "properties", kind, *rest]:
            return _properties(call, method, kind, rest)
        case ["GET", "owners"]:
            return account.owners(call)
        case ["GET", "owners", id]:
            return account.owner(call, id)
        case ["GET", "pipelines", kind]:
            return account.pipelines(call, kind)
        case ["GET", "account-info", "details"]:
            return account.details(call)
        case ["GET", "account-info", "api-usage", "daily", "private-apps"]:
            return account.daily_usage(call, meter)
        case ["GET", "tax-rates", "v1", "tax-rates"]:
            return account.tax_rates(call)
    raise _no_route(call)


def _objects(call: Call, writes: Writes, method: str, kind: str, rest: list[str]) -> Reply:
    match [method, *rest]:
        case ["GET"]:
            return objects.list_page(call, kind)
        case ["POST"]:
            return objects.create(call, writes, kind)
        case ["POST", "search"]:
            return search.search(call, kind)
        case ["POST", "merge"]:
            return objects.merge(call, writes, kind)
        case ["POST", "batch", "read"]:
            return batch.read(call, kind)
        case ["POST", "batch", "create"]:
            return batch.create(call, writes, kind)
        case ["POST", "batch", "update"]:
            return batch.update(call, writes, kind)
        case ["POST", "batch", "upsert"]:
            return batch.upsert(call, writes, kind)
        case ["POST", "batch", "archive"]:
            return batch.archive(call, writes, kind)
        case ["GET", id]:
            return objects.read(call, kind, id)
        case ["PATCH", id]:
            return objects.update(call, writes, kind, id)
        case ["DELETE", id]:
            return objects.archive(call, writes, kind, id)
        case ["GET", id, "associations", target]:
            return associations.read(call, kind, id, target)
        case ["PUT", id, "associations", "default", target, target_id]:
            return associations.put_default(call, writes, kind, id, target, target_id)
        case ["PUT", id, "associations", target, target_id]:
            return associations.put(call, writes, kind, id, target, target_id)
        case ["PUT", id, "associations", target, target_id, type_]:
            return associations.put_old(call, writes, (kind, id, target, target_id), type_)
        case ["DELETE", id, "associations", target, target_id]:
            return associations.delete(call, writes, kind, id, target, target_id)
    raise _no_route(call)


def _associations(call: Call, writes: Writes, method: str, kinds: tuple[str, str], rest: list[str]) -> Reply:
    match [method, *rest]:
        case ["GET", "labels"]:
            return associations.labels(call, *kinds)
        case ["POST", "batch", "read"]:
            return associations.batch_read(call, *kinds)
        case ["POST", "batch", *words] if "/".join(words) in (
            "create",
            "associate/default",
            "archive",
            "labels/archive",
        ):
            return associations.batch_write(call, writes, *kinds, "/".join(words))
    raise _no_route(call)


def _properties(call: Call, method: str, kind: str, rest: list[str]) -> Reply:
    match [method, *rest]:
        case ["GET"]:
            return properties.list_all(call, kind)
        case ["POST"]:
            return properties.create(call, kind)
        case ["GET", "groups"]:
            return properties.groups(call, kind)
        case ["POST", "groups"]:
            return properties.create_group(call, kind)
        case ["GET" | "PATCH" | "DELETE", "groups", name]:
            return properties.group(call, kind, name)
        case ["POST", "batch", "create" | "read" | "archive" as operation]:
            return properties.batch(call, kind, operation)
        case ["GET", name]:
            return properties.read(call, kind, name)
        case ["PATCH", name]:
            return properties.update(call, kind, name)
        case ["DELETE", name]:
            return properties.archive(call, kind, name)
    raise _no_route(call)


def _no_route(call: Call) -> ApiError:
    return ApiError(404, f"No route for {call.request.method} {call.request.path}")
