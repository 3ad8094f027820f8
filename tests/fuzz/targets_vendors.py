"""Vendors' answers: lists, searches, batches, changes, refusals and token answers, read by the whole connector.

A label says which look of `tests/hostile_house.py` gets the input as which of its answers, and with which status.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache, partial
from types import ModuleType
from typing import Any

from syncd.connectors import http as http_module
from syncd.connectors import hubspot, quickbooks
from syncd.connectors.base import ConnectionTrouble, Connector, Unwritable
from syncd.connectors.http import HttpReply, Malformed
from syncd.connectors.hubspot import allowance
from syncd.connectors.hubspot import wire as crm
from syncd.connectors.quickbooks import client as books
from syncd.sandbox.base import decode_json, encode_json
from tests.fuzz.engine import PRIVATE, Seed, Target
from tests.hostile_house import House, Jumping, house, unsound

JSON = {"content-type": "application/json"}
VENDORS = {"hubspot": hubspot, "quickbooks": quickbooks}


@cache
def opened(vendor: str) -> tuple[House, dict[str, Any]]:
    made = house(vendor)
    return made, made.looks


def answered(vendor: str) -> Callable[[str, bytes], None]:
    """A whole look, one of whose answers is the input."""

    def run(label: str, body: bytes) -> None:
        look, place, status = label.split("|")
        here, looks = opened(vendor)

        def alter(reply: HttpReply) -> HttpReply:
            return HttpReply(status=int(status), headers=reply.headers, body=body)

        wire = here.wire(lambda number, _: number == int(place), alter)
        assert unsound(here.found(looks[look], wire)) == []

    return run


def answers(vendor: str) -> Iterator[Seed]:
    """All answers to all looks, with somebody's name in them; and a refusal in the place of each."""
    here, looks = opened(vendor)
    for name, look in looks.items():
        wire = here.wire()
        here.found(look, wire)
        for place, reply in enumerate(wire.asked.values()):
            yield f"{name}|{place}|{reply.status}", _named(reply.body)
        for status, body in REFUSALS[vendor] if name in REFUSED else ():
            yield f"{name}|{place}|{status}", body


def _named(body: bytes) -> bytes:
    try:
        return encode_json(_with_names(decode_json(body)))
    except ValueError:
        return body


def _with_names(content: Any) -> Any:
    """The first texts of people's fields are private."""
    if isinstance(content, dict):
        return {name: PRIVATE if name in PEOPLE and inner else _with_names(inner) for name, inner in content.items()}
    return [*map(_with_names, content[:6]), *content[6:]] if isinstance(content, list) else content


REFUSED = ("account", "poll", "read invoice", "write create invoice", "resolve create payment")
PEOPLE = ("firstname", "lastname", "GivenName", "FamilyName", "Line1", "city", "City", "hs_comments", "Notes")
REFUSALS = {
    "hubspot": [
        (207, b'{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"OBJECT_N'
             b'OT_FOUND",'
              b'"message":"Could not get some CONTACT objects","context":{"ids":["101"]}}]}'),
        (400, b'{"status":"error","message":"Property values were not valid: [{\\"isValid\\":false,\\"message'
             b'\\":\\"x\\",'
              b'\\"error\\":\\"INVALID_OPTION\\",\\"name\\":\\"Zanzibarella\\"}]","category":"VALIDATION_ERROR"}'),
        (401, b'{"status":"error","message":"Zanzibarella\'s token expired","category":"EXPIRED_AUTHENTICATION"}'),
        (403, b'{"status":"error","message":"This app hasn\'t been granted all required scopes","category":"MISS'
             b'ING_SCOPES"'
              b',"errors":[{"message":"One or more","context":{"requiredGranularScopes":["crm.objects.contacts.r'
                   b'ead"]}}]}'),
        (404, b'{"status":"error","message":"resource not found","category":"OBJECT_NOT_FOUND"}'),
        (409, b'{"status":"error","message":"Contact already exists. Existing ID: 551","category":"CONFLICT"}'),
        (429, b'{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","polic'
             b'yName":"DA'
              b'ILY"}'),
        (502, b"<html><h1>502 Zanzibarella</h1></html>"),
    ],
    "quickbooks": [
        (200, b'{"Fault":{"Error":[{"Message":"Stale Object Error","Detail":"Zanzibarella","code":"5010"}],"type'
             b'":"Validat'
              b'ionFault"},"time":"2026-11-21T09:00:00.000-08:00"}'),
        (200, b'{"BatchItemResponse":[{"bId":"0","Fault":{"Error":[{"Message":"x","Detail":"y","code":"6240"}],"'
             b'type":"V"}'
              b'}],"time":"2026-11-21T09:00:00.000-08:00"}'),
        (400, b'{"Fault":{"Error":[{"Message":"Duplicate Document Number Error","Detail":"TxnType=Invoice with T'
             b'xnId=130 Z'
              b'anzibarella","code":"6140","element":""}],"type":"ValidationFault"},"time":"2026-11-21T09:00:00.'
                   b'000-08:00"}'),
        (401, b'{"fault":{"error":[{"message":"message=AuthenticationFailed","detail":"Token expired","code":"32'
             b'00"}],"typ'
              b'e":"AUTHENTICATION"}}'),
        (403, b'{"fault":{"error":[{"message":"message=ThrottleExceeded","code":"003001"}],"type":"SERVICE"}}'),
        (429, b""),
        (400, b'{"error":"invalid_grant","error_description":"Incorrect Token type or clientID"}'),
        (503, b"<html><h1>503 Zanzibarella</h1></html>"),
    ],
}  # fmt: skip
ALLOWED = (ConnectionTrouble, Unwritable)


def modules(package: ModuleType) -> list[ModuleType]:
    """The vendor's whole folder."""
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


# -- answers by themselves


def whole(label: str, body: bytes) -> None:
    """One answer as the shape it should have: with all its rows or not at all, and refused without quoting it."""
    reply = HttpReply(status=200, headers=JSON, body=body)
    try:
        decoded = reply.json()
        kind, _, key = label.partition(" ")
        if kind == "hubspot":
            made = crm.to(SHAPES[key], decoded)
            assert unsound(made) == []
            for name in ("results", "errors"):
                if hasattr(made, name):
                    assert len(getattr(made, name)) == len(decoded.get(name, ())), "a page is taken whole"
        elif kind == "rows":
            rows = books._rows(decoded)
            assert len(rows) == len(next((value for value in decoded.values() if isinstance(value, list)), ()))
            assert all(row["Id"] for row in rows)
        elif isinstance(decoded, dict):  # as the client makes sure of
            items = books.batch_items(decoded)
            assert len(items) == len(decoded["BatchItemResponse"])
            assert all(isinstance(item, dict) for item in items)
            books.server_time(decoded)
    except (Malformed, ConnectionTrouble) as error:
        _quotes_nothing(error)
        raise


def _quotes_nothing(error: Exception) -> None:
    assert PRIVATE not in str(error), "a refusal of the form quotes the content"


SHAPES = {shape.__name__: shape for shape in (crm.Records, crm.LinksPage, crm.LinkedPage, crm.Portal, crm.TaxRates,
          crm.Definitions, crm.Introspection, crm.Token, crm.Errors)}  # fmt: skip
WHOLE = [
    ("hubspot Records", b'{"results":[{"id":"1","properties":{"firstname":"Zanzibarella","amount":null,"price":1'
         b'.50},"create'
     b'dAt":"2026-11-02T00:00:00Z","updatedAt":"2026-11-02T00:00:00Z","archived":false},{"id":"2","properties":{'
          b'},"propertie'
     b'sWithHistory":{"x":[{"timestamp":"2026-11-02T00:00:00Z","value":"Zanzibarella"}]}}],"errors":[{"category"'
          b':"C","contex'
     b't":{"ids":["1"]}}],"paging":{"next":{"after":"2"}},"total":2}'),
    ("hubspot LinksPage", b'{"results":[{"from":{"id":"1"},"to":[{"toObjectId":7,"associationTypes":[]}],"paging'
         b'":{"next":{'
     b'"after":"x"}}}]}'),
    ("hubspot LinkedPage", b'{"results":[{"toObjectId":7}],"paging":null}'),
    ("hubspot Portal", b'{"portalId":7,"companyCurrency":"EUR","additionalCurrencies":["USD"],"timeZone":"Europe'
         b'/Paris"}'),
    ("hubspot TaxRates", b'{"results":[{"id":"1","percentageRate":9.1,"label":"Zanzibarella"}]}'),
    ("hubspot Definitions", b'{"results":[{"name":"x","type":"enumeration","options":[{"value":"Zanzibarella"}],'
         b'"modificati'
     b'onMetadata":{"readOnlyValue":true}}]}'),
    ("hubspot Introspection", b'{"scopes":["a","b"]}'),
    ("hubspot Token", b'{"access_token":"Zanzibarella","expires_in":1800,"refresh_token":"Zanzibarella","hub_id":7}'),
    ("rows", b'{"Customer":[{"Id":"1","DisplayName":"Zanzibarella"},{"Id":"2"}],"startPosition":1,"maxResults":2}'),
    ("batch", b'{"BatchItemResponse":[{"bId":"1","Invoice":{"Id":"1"}},{"bId":"2","Fault":{}}],"time":"2026-11-2'
         b'1T09:00:00-'
     b'08:00"}'),
]  # fmt: skip


# -- headers


QUOTA = tuple(f"x-hubspot-ratelimit-{name}" for name in ("daily", "daily-remaining", "max", "remaining"))


def headers(label: str, data: bytes) -> None:
    """What a vendor says about waiting and about its clock."""
    clock = Jumping()
    reply = HttpReply(status=200, headers={label: data.decode("latin-1")}, body=b"")
    wait = http_module.retry_after(reply, clock)
    assert wait is None or 1.0 <= wait <= 3600.0, wait
    ahead = http_module.clock_ahead(reply, clock)
    assert ahead is None or abs(ahead) < 1e12
    again = HttpReply(status=429, headers=reply.headers, body=b"{}")
    if label in QUOTA:
        here, _ = opened("hubspot")
        here.found(_account, here.wire(lambda number, _: number == 1, lambda _: again))


async def _account(it: Connector) -> object:
    return await it.account()


HEADERS = [
    *[(name, b"250000") for name in QUOTA],
    *[("retry-after", text) for text in (b"0", b"-5", b"31536000", b"1e400", b"nan", b"Thu, 01 Jan 2026 00:00:00 GMT")],
    *[("date", text) for text in (b"Sat, 21 Nov 2026 09:00:00 GMT", b"Sat, 21 Nov 2026 09:00:00 -0000", b"")],
]

TARGETS = [
    *(
        Target(
            name=f"answers of {vendor}",
            run=answered(vendor),
            seeds=partial(answers, vendor),
            about=modules(package),
            errors=ALLOWED,
            runs=40,
        )
        for vendor, package in VENDORS.items()
    ),
    Target(
        name="answers by themselves",
        run=whole,
        seeds=lambda: WHOLE,
        about=[crm, books, http_module],
        errors=(Malformed, ConnectionTrouble),
    ),
    Target(
        name="headers of answers",
        run=headers,
        seeds=lambda: HEADERS,
        about=[http_module, allowance],
        errors=(ConnectionTrouble,),
        json=False,
        runs=300,
    ),
]
