"""The faults any vendor can have: what each does to a request on its way.

Each function takes a fault's options and returns its effect; an option that is unknown or has no sense raises TypeError
or ValueError. An effect decides itself whether, and when, the vendor gets to see the request.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from syncd.sandbox.answers import ABSENT, Change, tidy, with_change, without_item
from syncd.sandbox.base import Response, encode_json
from syncd.sandbox.delivery import Call, Delivery, Ending, Late

Effect = Callable[[Call], Delivery]

PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


# The answer does not arrive.


def timeout_after_commit(hold: Any = 0) -> Effect:
    """The vendor does what it is asked, then the line stays silent for `hold` seconds and is closed."""
    silence = seconds(hold)
    return lambda call: replace(call.proceed(), response=None, wait=silence, ending=Ending.DROPPED)


def late_commit(delay: Any = 5, hold: Any = 0) -> Effect:
    """The line is closed after `hold` seconds; the vendor acts `delay` seconds after the request came."""
    later, silence = timedelta(seconds=seconds(delay)), seconds(hold)
    return lambda call: Delivery(wait=silence, ending=Ending.DROPPED, late=Late(call.now + later, call.pass_on))


def reset_before() -> Effect:
    """The connection is reset and the vendor never sees the request."""
    return lambda call: Delivery(ending=Ending.RESET)


def reset_after() -> Effect:
    """The vendor acts, then the connection is reset in the middle of the answer's body."""
    return lambda call: replace(call.proceed(), ending=Ending.BROKEN)


# Another answer than the vendor's.


def rate_limited(retry_after: object = None, retry_after_date: Any = None, **answer: Any) -> Effect:
    """429. `retry_after` is sent as it is given; `retry_after_date` seconds from now are sent as an HTTP date."""
    ahead = None if retry_after_date is None else timedelta(seconds=float(retry_after_date))

    def pause(call: Call) -> Mapping[str, str]:
        if ahead is not None:
            return {"Retry-After": format_datetime(call.now + ahead, usegmt=True)}
        return {} if retry_after is None else {"Retry-After": str(retry_after)}

    return _answer(429, {"message": "Too many requests"}, pause, **answer)


def server_error(status: int = 503, html: bool = False, **answer: Any) -> Effect:
    """500 to 599, as JSON or as a gateway's HTML page; with `committed` the gateway broke after the work was done."""
    if not isinstance(status, int) or not 500 <= status <= 599:
        raise ValueError(f"status of a server error is 500 to 599, not {status!r}")
    words = f"{status} server error"
    return _answer(status, PAGE.format(words) if html else {"message": words}, **answer)


def maintenance(**answer: Any) -> Effect:
    """503; armed for writes only, see `faults.WRITES_ONLY`."""
    return _answer(503, {"message": "Read-only during maintenance"}, **answer)


def unauthorized(**answer: Any) -> Effect:
    """401: the credentials are refused."""
    return _answer(401, {"message": "Unauthorized"}, **answer)


def redirect(location: str = "https://elsewhere.example/", status: int = 308, **answer: Any) -> Effect:
    """The vendor points to another host."""
    if status not in {301, 302, 303, 307, 308}:
        raise ValueError(f"status of a redirect is 301, 302, 303, 307 or 308, not {status!r}")
    return _answer(status, {"message": "Moved"}, lambda call: {"Location": location}, **answer)


def not_json(**answer: Any) -> Effect:
    """The vendor acts, but 200 carries something else: a portal's page, or a `body` with a byte order mark, NaN ..."""
    return _answer(200, PAGE.format("Welcome"), **{"committed": True, **answer})


def empty_200(**answer: Any) -> Effect:
    """The vendor acts, and 200 comes back with no body at all."""
    return _answer(200, "", **{"committed": True, **answer})


# The vendor's answer, damaged.


def truncated_json() -> Effect:
    """A correct HTTP answer whose JSON stops in the middle."""
    return _edit(lambda response: replace(response, body=response.body[: len(response.body) // 2]))


def wrong_length() -> Effect:
    """The body is shorter than its Content-Length says."""
    return lambda call: replace(call.proceed(), ending=Ending.CUT)


def partial(index: int = 0) -> Effect:
    """The outcome number `index` is missing from a batch answer, although all of the batch was carried out."""
    if not isinstance(index, int):
        raise TypeError("index is a whole number")
    return _edit(lambda response: without_item(response, index))


def mutate(path: str, size: int = 0, **how: Any) -> Effect:
    """The value at `path` (dotted, `*` for every member) in the answer is another one.

    `how` is one of `value` (put in its place, or added), `remove` (true) and `change` (a name of `answers.tidy`, with
    `size`).
    """
    change = _change(size, how)
    return _edit(lambda response: with_change(response, path.split("."), change))


# A slow vendor.


def slow(delay: Any = 1) -> Effect:
    """The answer comes `delay` seconds later than it would."""
    pause = seconds(delay)

    def effect(call: Call) -> Delivery:
        delivery = call.proceed()
        return replace(delivery, wait=delivery.wait + pause)

    return effect


def drip(piece: int = 1, gap: Any = 1) -> Effect:
    """The body comes `piece` bytes at a time with `gap` seconds in between."""
    if not isinstance(piece, int) or piece < 1:
        raise ValueError("piece is a whole number of bytes, at least one")
    pause = seconds(gap)
    return lambda call: replace(call.proceed(), ending=Ending.DRIPPED, piece=piece, gap=pause)


def endless() -> Effect:
    """After the body come blanks without an end."""
    return lambda call: replace(call.proceed(), ending=Ending.ENDLESS)


EFFECTS: Mapping[str, Callable[..., Effect]] = {
    effect.__name__: effect
    for effect in (
        timeout_after_commit,
        late_commit,
        reset_before,
        reset_after,
        rate_limited,
        server_error,
        maintenance,
        unauthorized,
        redirect,
        not_json,
        empty_200,
        truncated_json,
        wrong_length,
        partial,
        mutate,
        slow,
        drip,
        endless,
    )
}


def _answer(
    status: int,
    words: object,
    extra: Callable[[Call], Mapping[str, str]] = lambda call: {},
    *,
    committed: bool = False,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Effect:
    """A fixed answer. `body` (JSON, or text as it is) replaces `words`; `committed`: the vendor acted all the same."""
    content = words if body is None else body
    text = isinstance(content, str)
    raw = content.encode() if isinstance(content, str) else encode_json(content)
    fixed = {"Content-Type": "text/html" if text else "application/json"} | {
        k: str(v) for k, v in (headers or {}).items()
    }

    def effect(call: Call) -> Delivery:
        delivery = call.proceed() if committed else Delivery()
        return replace(delivery, response=Response(status, raw, {**extra(call), **fixed}))

    return effect


def _edit(edit: Callable[[Response], Response]) -> Effect:
    def effect(call: Call) -> Delivery:
        delivery = call.proceed()
        return delivery if delivery.response is None else replace(delivery, response=edit(delivery.response))

    return effect


def _change(size: int, how: Mapping[str, Any]) -> Change:
    match dict(how):
        case {"value": value, **rest} if not rest:
            return lambda old: value
        case {"remove": True, **rest} if not rest:
            return lambda old: ABSENT
        case {"change": str(name), **rest} if not rest:
            return tidy(name, size)
    raise ValueError("mutate takes exactly one of value, remove and change")


def seconds(value: Any) -> float:
    """A pause; ValueError for anything else than a finite number from 0 on."""
    pause = float(value)
    if not math.isfinite(pause) or pause < 0:
        raise ValueError(f"not a number of seconds: {value}")
    return pause
