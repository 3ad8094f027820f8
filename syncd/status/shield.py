"""What stands between the network and the answers: who may ask, and what every answer carries.

Until there are access tokens, two doors exist: the unix socket, guarded by its file's rights, and a listener on
loopback, open only when the configuration says so. A web page elsewhere must not be able to read through either: the
`Host` header has to name this machine (a foreign name that resolves to loopback does not), and no answer may be framed,
cached or run scripts.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from syncd.config_values import is_loopback
from syncd.status.reader import BadQuestion, UnknownRecord

log = structlog.get_logger("syncd.status")

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "syncd",
}
OPEN_TO_ALL = frozenset({"/livez", "/readyz"})


def shield(*, open_on_loopback: bool) -> Middleware:
    """The middleware around every answer: refuses, turns errors into problems, sets the headers."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = _refused(request, open_on_loopback) or await handler(request)
        except web.HTTPException as error:
            response = problem(request, HTTPStatus(error.status), error.text or "")
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except UnknownRecord as error:
            response = problem(request, HTTPStatus.NOT_FOUND, str(error))
        except BadQuestion as error:
            response = problem(request, HTTPStatus.BAD_REQUEST, str(error))
        except Exception:  # the last net: the caller gets an answer, the log the reason
            log.exception("status.request_failed", method=request.method, route=route(request))
            words = "this is a fault in syncd; the log has the details"
            response = problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, words)
        response.headers.update(HEADERS)
        return response

    return around


def problem(request: web.Request, status: HTTPStatus, detail: str) -> web.Response:
    """An error as RFC 9457 tells it."""
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.path,
    }
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/problem+json")


def route(request: web.Request) -> str:
    """The path without ids, for logs."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


def _refused(request: web.Request, open_on_loopback: bool) -> web.Response | None:
    if through_socket_file(request):
        return None
    if not _names_this_machine(request.host):
        words = "this address is not served here; use the address in daemon.listen"
        return problem(request, HTTPStatus.MISDIRECTED_REQUEST, words)
    if open_on_loopback or request.path in OPEN_TO_ALL:
        return None
    words = "set daemon.open_on_loopback = true, or ask through the unix socket, as the syncd commands do"
    return problem(request, HTTPStatus.UNAUTHORIZED, words)


def through_socket_file(request: web.Request) -> bool:
    """Whether the request came through the unix socket, which only its file's rights open."""
    assert request.transport is not None
    return isinstance(request.transport.get_extra_info("sockname"), str | bytes)


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)
