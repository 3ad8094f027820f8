"""What stands between the network and the answers: who may ask, what is taken in, and what every answer carries.

A web page elsewhere must not be able to read or act through a listener on loopback: the `Host` header has to name this
machine (a foreign name that resolves to loopback does not), what changes something has to come from our own page or
from a program, and no answer may be framed, cached or run anybody's script but ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from syncd.config_values import is_loopback
from syncd.connectors.base import ConnectionTrouble
from syncd.entrance.connection import BODY_SECONDS, RETRY_SECONDS, GuardedConnection
from syncd.entrance.gate import Entry
from syncd.errors import UsageError
from syncd.status import problems
from syncd.status.access import CALLER, FAILURES_COUNT, Access, Refused, from_here, local
from syncd.status.language import language_of
from syncd.status.reader import UnknownRecord
from syncd.status.routes import API
from syncd.store.errors import StoreFull, StoreLocked

log = structlog.get_logger("syncd.status")

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "syncd",
}
OPEN_TO_ALL = frozenset({"/livez", "/readyz", "/style.css", "/icon.svg", "/page.js", "/vendor/htmx.min.js"})
"""Health, and what the page to sign in is made of."""
SIGN_IN = "/sign-in"
SAID_ALONG: Mapping[str, Mapping[str, str]] = {
    "unauthorized": {"WWW-Authenticate": "Bearer"},
    "too_often": {"Retry-After": f"{FAILURES_COUNT:.0f}"},
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MAX_BODY = 64 * 1024  # a form of one record
MAX_FILE = 256 * 1024 * 1024  # a plan of a hundred thousand writes, from whoever may use the unix socket
LANGUAGE = web.AppKey("language", str)
"""The configured one."""
Teller = Callable[[web.Request, HTTPStatus, str, str], web.Response]
TELLER: web.AppKey[Teller] = web.AppKey("teller")
"""Tells a browser what is wrong: the request, the status, the problem's code, the detail."""


def shield(access: Access) -> Middleware:
    """The middleware around every answer: refuses, takes the body in, turns errors into problems."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, GuardedConnection)
        connection.begun()
        try:
            if connection.entry is Entry.EXCESS:
                return _come_later(request)
            await _admit(request, access)
            if local(request):
                request = request.clone(client_max_size=MAX_FILE)
            await _take_body(request, MAX_FILE if local(request) else MAX_BODY)
            if request.method not in SAFE and request.match_info.http_exception is None:
                await _let_act(request, access)
            connection.unhurried()
            return await _answered(request, handler)
        except Refused as refused:
            response = problem(request, problems.PROBLEMS[refused.code].status, str(refused), refused.code)
            response.headers.update(SAID_ALONG.get(refused.code, {}))
            response.force_close()  # nobody knows what else of it is on its way
            return response
        finally:
            connection.answered()

    return around


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        response = problem(request, HTTPStatus(error.status), error.text or "")
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except UnknownRecord as error:
        return problem(request, HTTPStatus.NOT_FOUND, str(error))
    except UsageError as error:
        return problem(request, HTTPStatus.BAD_REQUEST, str(error))
    except ConnectionTrouble as trouble:
        return problem(request, HTTPStatus.BAD_GATEWAY, f"{trouble.connection}: {trouble}", "vendor_trouble")
    except StoreFull as full:
        return problem(request, HTTPStatus.INSUFFICIENT_STORAGE, str(full))
    except StoreLocked as locked:
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, str(locked), "busy")
    except (Refused, ConnectionError):
        raise
    except Exception:  # the last net: the caller gets an answer, the log the reason
        log.exception("status.request_failed", method=request.method, route=route(request))
        words = "this is a fault in syncd; the log has the details"
        return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, words)


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp's signal, for every answer there is, streams too."""
    response.headers.update(HEADERS)


def problem(request: web.Request, status: HTTPStatus, detail: str, code: str | None = None) -> web.Response:
    """An error as RFC 9457 tells it; to a browser that wants a page, as one."""
    code = code or problems.code_of(status)
    if "text/html" in request.headers.get("Accept", "") and not request.path.startswith(API):
        return request.app[TELLER](request, status, code, detail)
    texts = problems.texts_of(code, language_of(request, request.app[LANGUAGE]), "", "")
    body = {
        "type": problems.PAGE + code,
        "title": texts.title if texts else status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.path,
    }
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/problem+json")


def route(request: web.Request) -> str:
    """The path without ids, for logs."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


def _come_later(request: web.Request) -> web.Response:
    response = problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "too many connections at once", "busy")
    response.headers["Retry-After"] = RETRY_SECONDS
    response.force_close()
    return response


async def _admit(request: web.Request, access: Access) -> None:
    if not local(request) and not _names_this_machine(request.host):
        raise Refused("misdirected", "this address is not served here; use the address in daemon.listen")
    if request.path in OPEN_TO_ALL:
        return
    if request.method not in SAFE and not from_here(request):
        raise Refused("forbidden", "this was sent from another web site")
    if request.path != SIGN_IN:
        request[CALLER] = await access.caller(request)


async def _let_act(request: web.Request, access: Access) -> None:
    caller = request.get(CALLER)
    if caller is None:
        return  # somebody who signs in has nothing to show yet
    if not caller.acts or (caller.browser and not await access.is_our_page(request)):
        raise Refused("forbidden", "to act, show an operator token, or use the buttons of a page that is up to date")


async def _take_body(request: web.Request, most: int) -> None:
    """Read it whole, here and only here, before anything is done for the request."""
    if "Content-Encoding" in request.headers:
        raise Refused("media_type", "bodies are read without compression")
    if (request.content_length or 0) > most:
        raise Refused("too_large", f"at most {most} bytes are read")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused("too_large", f"at most {most} bytes are read") from None
    except TimeoutError:
        raise Refused("too_slow", f"the body was not there after {BODY_SECONDS:.0f} seconds") from None


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)
