"""As much of a CardDAV server as vdirsyncer asks for, with a latency."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web

HOME = "/dav/"
BOOK = f"{HOME}contacts/"
OPENING = '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">'


@dataclass(slots=True)
class Server:
    """`cards` by path; `requests` counts all but the discovery of the address book."""

    latency: float
    url: str = ""
    cards: dict[str, str] = field(default_factory=dict)
    requests: int = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """aiohttp's handler."""
        body = await request.text()
        await asyncio.sleep(self.latency)
        self.requests += 1
        match request.method:
            case "PROPFIND":
                return _several(self._found(request.path, request.headers.get("Depth", "0")))
            case "REPORT":
                asked = [each.text or "" for each in ElementTree.fromstring(body).iter("{DAV:}href")]
                return _several("".join(self._card(path, whole=True) for path in asked if path in self.cards))
            case "PUT":
                self.cards[request.path] = body
                return web.Response(status=201, headers={"ETag": _tag(body)})
            case "DELETE":
                self.cards.pop(request.path, None)
                return web.Response(status=204)
            case _:
                return web.Response(status=200, headers={"DAV": "1, 3, addressbook"})

    def _found(self, path: str, depth: str) -> str:
        if path == BOOK:
            own = _folder(BOOK, "<c:addressbook/>")
            return own if depth == "0" else own + "".join(map(self._card, self.cards))
        return _folder(HOME, "") + (_folder(BOOK, "<c:addressbook/>") if depth != "0" else "")

    def _card(self, path: str, *, whole: bool = False) -> str:
        body = self.cards[path]
        data = f"<c:address-data>{escape(body)}</c:address-data>" if whole else ""
        return _response(
            path,
            f"<d:getetag>{escape(_tag(body))}</d:getetag><d:getcontenttype>text/vcard</d:getcontenttype>"
            f"<d:resourcetype/>{data}",
        )


@asynccontextmanager
async def serving(latency: float) -> AsyncIterator[Server]:
    """A server with an empty address book."""
    server = Server(latency)
    runner = web.ServerRunner(web.Server(server.answer, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}{HOME}"
        yield server
    finally:
        await runner.cleanup()


def _folder(path: str, kind: str) -> str:
    principal = f"<d:current-user-principal><d:href>{HOME}</d:href></d:current-user-principal>"
    home = f"<c:addressbook-home-set><d:href>{HOME}</d:href></c:addressbook-home-set>"
    return _response(path, f"{principal}{home}<d:resourcetype><d:collection/>{kind}</d:resourcetype>")


def _response(path: str, properties: str) -> str:
    found = f"<d:propstat><d:prop>{properties}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
    return f"<d:response><d:href>{path}</d:href>{found}</d:response>"


def _several(responses: str) -> web.Response:
    return web.Response(status=207, text=f"{OPENING}{responses}</d:multistatus>", content_type="application/xml")


def _tag(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
