"""The Accounting API under `/v3/company/{realm}`: from a path to one of the operations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from syncd.sandbox.base import Request, Response, decode_json, encode_json
from syncd.sandbox.quickbooks.batch import batch
from syncd.sandbox.quickbooks.books import Books, Call, find, present
from syncd.sandbox.quickbooks.cdc import changes
from syncd.sandbox.quickbooks.errors import Fault, gone, missing
from syncd.sandbox.quickbooks.moment import stamp_millis
from syncd.sandbox.quickbooks.query import query
from syncd.sandbox.quickbooks.replay import Replay
from syncd.sandbox.quickbooks.schema import PATHS
from syncd.sandbox.quickbooks.wire import Json
from syncd.sandbox.quickbooks.writes import write

BASE = re.compile(r"/v3/company/([^/]+)/([^/]+)(?:/([^/]+))?/?")


@dataclass(frozen=True, slots=True)
class Route:
    """A path inside one company."""

    realm: str
    name: str
    id: str | None


def routed(path: str) -> Route | None:
    """The parts of an API path; None for any other. Paths are case sensitive."""
    match = BASE.fullmatch(path)
    if match is None or match[2] not in (*PATHS, "query", "cdc", "batch"):
        return None
    return Route(*match.groups())


def answered(
    books: Books, replay: Replay, route: Route, request: Request, now: datetime, caller: str, spoiled: dict[int, Fault]
) -> Response:
    """The answer to an API request whose token is good. `spoiled`: batch item number -> fault."""
    args = request.args()
    key = args.get("requestid") if request.method == "POST" and route.name != "query" else None
    if key is not None:
        first = replay.known(books.settings, request, key, batch=route.name == "batch")
        if first is not None:
            return first
    include = frozenset(args.get("include", "").split(",")) - {""}
    call = Call(now, caller, key, include)
    try:
        body = {**_body(books, call, route, request, args, spoiled), "time": stamp_millis(now)}
        response = json_response(200, body)
    except Fault as fault:
        response = json_response(fault.http, fault.envelope(now))
    if key is not None:
        replay.keep(books.settings, request, key, response)
    return response


def json_response(status: int, body: Json) -> Response:
    """A JSON answer."""
    return Response(status, encode_json(body), {"Content-Type": "application/json;charset=UTF-8"})


def _body(
    books: Books, call: Call, route: Route, request: Request, args: dict[str, str], spoiled: dict[int, Fault]
) -> Json:
    match request.method, route.name:
        case "GET", "query":
            return {"QueryResponse": query(books, call, _statement(args.get("query")))}
        case "POST", "query":
            return {"QueryResponse": query(books, call, _statement(_text(request.body)))}
        case "GET", "cdc":
            return changes(books, call, args.get("entities"), args.get("changedSince"))
        case "POST", "batch":
            return batch(books, call, _object(request.body), spoiled)
        case "GET", name if name in PATHS:
            return _read(books, call, PATHS[name], route)
        case "POST", name if name in PATHS and route.id is None:
            kind = PATHS[name]
            return {kind: write(books, call, _operation(args), kind, _object(request.body))}
    raise Fault("500", f"Operation {request.method} {route.name} is not supported.")


def _read(books: Books, call: Call, kind: str, route: Route) -> Json:
    if kind in ("CompanyInfo", "Preferences") and route.id in (None, route.realm):
        return {kind: present(books, next(iter(books.store.every(kind))))}
    if route.id is None:
        raise Fault("500", f"Operation GET {kind} without an id is not supported.")
    record = find(books, call, kind, route.id)
    if record is None:
        raise gone()
    return {kind: present(books, record)}


def _operation(args: dict[str, str]) -> str:
    """`operation=update&include=void` is how payments are voided."""
    operation = args.get("operation", "update")
    return "void" if operation == "update" and "void" in args.get("include", "").split(",") else operation


def _statement(text: str | None) -> str:
    if not text or not text.strip():
        raise missing("query")
    return text


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Fault("500", "Operation Invalid byte of UTF-8 sequence is not supported.") from None


def _object(body: bytes) -> Json:
    try:
        value = decode_json(_text(body).encode())
    except (ValueError, RecursionError):
        raise Fault("2010", "Request has invalid or unsupported property : the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise Fault("2010", "Request has invalid or unsupported property : the body is not an object")
    return value
