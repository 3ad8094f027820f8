"""The control routes under `/_sandbox`, as a function from a request to an answer. Only tests and people use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from syncd.sandbox.base import Entry, Refusal, Request, Response, Vendor, decode_json, encode_json
from syncd.sandbox.effects import seconds
from syncd.sandbox.outgoing import Sent
from syncd.sandbox.webhooks import PREFIX as WEBHOOK_PREFIX
from syncd.sandbox.world import Exchange, World

PREFIX = "/_sandbox"


@dataclass(frozen=True, slots=True)
class Ask:
    """One control request: `names` are the variable parts of its path, `body` its JSON object."""

    world: World
    now: datetime
    args: Mapping[str, str]
    names: Mapping[str, str]
    body: Mapping[str, Any]

    def vendor(self) -> Vendor:
        """The vendor in the path or the body; KeyError if there is none of this name."""
        return self._known(self.names.get("vendor") or self.text("vendor"))

    def vendors(self) -> list[Vendor]:
        """The vendor the query asks for, or all of them."""
        return [self._known(self.args["vendor"])] if "vendor" in self.args else list(self.world.vendors.values())

    def after(self) -> int:
        """The number after which a list shall begin."""
        return max(0, int(self.args.get("after", 0)))

    def text(self, name: str) -> str:
        """A text the body must have; ValueError if it has not."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise ValueError(f"{name} is missing or no text")
        return value

    def _known(self, name: str) -> Vendor:
        if name not in self.world.vendors:
            raise KeyError(f"no vendor {name}, only {', '.join(self.world.vendors)}")
        return self.world.vendors[name]


def control(world: World, request: Request, now: datetime) -> Response:
    """Answer one control request. 404: an unknown name; 400: it makes no sense; 409: a vendor refuses a person."""
    world.settle(now)
    try:
        answer, names = _route(request)
        return _json(200, answer(Ask(world, now, request.args(), names, _body(request))))
    except Refusal as refusal:
        return _json(409, {"message": str(refusal)})
    except KeyError as unknown:
        return _json(404, {"message": f"unknown: {unknown.args[0]}"})
    except (ValueError, OverflowError) as nonsense:
        return _json(400, {"message": str(nonsense)})


def _index(ask: Ask) -> object:
    calls = sorted(f"{method} {pattern.pattern}" for method, pattern in ROUTES)
    return {"vendors": list(ask.world.vendors), "version": version("syncd"), "now": _iso(_clock(ask)), "calls": calls}


def _health(ask: Ask) -> object:
    return {"status": "ok"}


def _credentials(ask: Ask) -> object:
    return {vendor.name: vendor.credentials() for vendor in ask.vendors()}


def _journal(ask: Ask) -> object:
    entries = [
        (entry, vendor.name) for vendor in ask.vendors() for entry in vendor.journal.entries[ask.after() :]
    ]  # an entry's number is its place, so that the slice is the whole search
    entries.sort(key=lambda pair: pair[0].at)
    return {"entries": [_entry(entry, vendor) for entry, vendor in entries]}


def _entry(entry: Entry, vendor: str) -> Mapping[str, Any]:
    return {"vendor": vendor, **asdict(entry), "at": _iso(entry.at)}


def _requests(ask: Ask) -> object:
    return {"requests": _rows(ask, ask.world.exchanges(ask.after()))}


def _webhooks(ask: Ask) -> object:
    return {"webhooks": _rows(ask, ask.world.sent.rows(ask.after()))}


def _rows(ask: Ask, log: Sequence[Exchange | Sent]) -> object:
    wanted = {vendor.name for vendor in ask.vendors()}
    return [{**asdict(row), "at": _iso(row.at)} for row in log if row.vendor in wanted]


def _records(ask: Ask) -> object:
    return {"records": ask.vendor().records(ask.names["kind"])}


def _person(ask: Ask) -> object:
    vendor, id, fields = ask.vendor(), ask.body.get("id"), ask.body.get("fields", {})
    if not isinstance(fields, dict) or not isinstance(id, str | None):
        raise ValueError("id is a text, fields an object")
    return {"record": vendor.person(ask.text("op"), ask.text("kind"), id, fields, _clock(ask))}


def _faults(ask: Ask) -> object:
    return {"faults": ask.world.faults.rows()}


def _arm(ask: Ask) -> object:
    vendor = ask.vendor()
    return {"id": ask.world.faults.arm(vendor, {k: v for k, v in ask.body.items() if k != "vendor"}).id}


def _disarm(ask: Ask) -> object:
    ask.world.faults.disarm(int(ask.names["id"]))
    return {}


def _disarm_all(ask: Ask) -> object:
    ask.world.faults.clear()
    return {}


def _settings(ask: Ask) -> object:
    vendor, changes = ask.vendor(), dict(ask.body)
    outgoing = ask.world.outgoing.get(vendor.name)
    latency = seconds(changes.pop("latency", ask.world.latency.get(vendor.name, 0.0)))
    hooks = {name: changes.pop(name) for name in list(changes) if outgoing and name.startswith(WEBHOOK_PREFIX)}
    how = outgoing and outgoing.settings.changed(hooks)  # may refuse, so before the vendor changes anything
    settings = vendor.settings(changes)
    ask.world.latency[vendor.name] = latency
    if outgoing and how:
        outgoing.configure(how, reseed=WEBHOOK_PREFIX + "seed" in hooks)
    return {"settings": {"latency": latency, **(how.shown() if how else {}), **settings}}


def _tell_clock(ask: Ask) -> object:
    return {"now": _iso(_clock(ask)), "offset": ask.world.offset.total_seconds()}


def _move_clock(ask: Ask) -> object:
    match dict(ask.body):
        case {"advance": amount, **rest} if not rest:
            ask.world.offset += timedelta(seconds=float(amount))
        case {"set": str(moment), **rest} if not rest:
            ask.world.offset = _moment(moment) - ask.now
        case _:
            raise ValueError('either {"advance": seconds} or {"set": "an ISO time with its zone"}')
    ask.world.settle(ask.now)
    return _tell_clock(ask)


def _reset(ask: Ask) -> object:
    ask.world.reset()
    return {}


ROUTES: Mapping[tuple[str, re.Pattern[str]], Callable[[Ask], object]] = {
    (method, re.compile(PREFIX + path)): answer
    for method, path, answer in (
        ("GET", "", _index),
        ("GET", "/health", _health),
        ("GET", "/credentials", _credentials),
        ("GET", "/journal", _journal),
        ("GET", "/requests", _requests),
        ("GET", "/webhooks", _webhooks),
        ("GET", "/records/(?P<vendor>[^/]+)/(?P<kind>[^/]+)", _records),
        ("POST", "/person/(?P<vendor>[^/]+)", _person),
        ("GET", "/faults", _faults),
        ("POST", "/faults", _arm),
        ("DELETE", "/faults", _disarm_all),
        ("DELETE", r"/faults/(?P<id>\d+)", _disarm),
        ("GET", "/settings/(?P<vendor>[^/]+)", _settings),
        ("POST", "/settings/(?P<vendor>[^/]+)", _settings),
        ("GET", "/clock", _tell_clock),
        ("POST", "/clock", _move_clock),
        ("POST", "/reset", _reset),
    )
}


def _route(request: Request) -> tuple[Callable[[Ask], object], Mapping[str, str]]:
    for (method, pattern), answer in ROUTES.items():
        if method == request.method and (found := pattern.fullmatch(request.path)):
            return answer, found.groupdict()
    raise KeyError(f"{request.method} {request.path}")


def _body(request: Request) -> Mapping[str, Any]:
    body = decode_json(request.body) if request.body else {}
    if not isinstance(body, dict):
        raise ValueError("the body is no JSON object")
    return body


def _clock(ask: Ask) -> datetime:
    return ask.world.clock(ask.now)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.astimezone(UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(status: int, value: object) -> Response:
    return Response(status, encode_json(value), {"Content-Type": "application/json"})
