"""The sandbox without sockets: the vendors, their clock, what befalls their requests and webhooks, and who asked what.

`World.handle` is all that a simulation needs. `server.py` carries the same deliveries over HTTP, and `control.py`
answers what is asked under `/_sandbox`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from importlib import import_module
from itertools import count, islice

from syncd.sandbox.base import Request, Vendor
from syncd.sandbox.delivery import Call, Delivery, Late
from syncd.sandbox.faults import Fault, Faults
from syncd.sandbox.outgoing import Attempt, Outgoing, SentLog
from syncd.sandbox.webhooks import Announcing

VENDORS = {name: f"syncd.sandbox.{name}" for name in ("hubspot", "quickbooks")}
"""Vendor name to the package that has its `create() -> Vendor`."""

REMEMBERED_REQUESTS = 200_000  # about 60 MB; older ones leave the log, their numbers stay taken


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request in the log. `at`: the vendor's clock; `status`: 0 when there was no answer; `bytes`: of its body."""

    seq: int
    vendor: str
    at: datetime
    method: str
    path: str
    status: int
    ms: float
    bytes: int


class World:
    """All vendors of one sandbox. Every `now` handed in is real time; the vendors live `offset` away from it.

    `timer` gives seconds for measuring how long a vendor takes; the default keeps a simulation repeatable.
    """

    def __init__(self, vendors: Mapping[str, Vendor], timer: Callable[[], float] = lambda: 0.0) -> None:
        self.vendors = dict(vendors)
        self.faults = Faults()
        self.offset = timedelta()
        self.latency: dict[str, float] = {}
        self._timer = timer
        self._exchanges: deque[Exchange] = deque(maxlen=REMEMBERED_REQUESTS)
        self._late: list[tuple[datetime, int, Late]] = []
        self._order = count()  # decides between late commits of the same moment
        self._open_webhooks()

    def clock(self, now: datetime) -> datetime:
        """The vendors' time."""
        return now + self.offset

    def handle(self, vendor: str, request: Request, now: datetime) -> Delivery:
        """Take one request to a vendor, through its faults. What commits late is kept and done by `settle`.

        Args:
            now: real time, in UTC.

        Raises:
            KeyError: no vendor of this name.
        """
        responder = self.vendors[vendor]
        self.settle(now)
        at, start = self.clock(now), self._timer()
        delivery = _send(responder, request, self.faults.of(vendor), at)
        self._keep(delivery)
        delivery = replace(
            delivery,
            wait=delivery.wait + self.latency.get(vendor, 0.0),
            response=delivery.response and replace(delivery.response, headers=_dated(delivery.response.headers, at)),
        )
        self._log(vendor, request, at, delivery, self._timer() - start)
        return delivery

    def settle(self, now: datetime) -> None:
        """Carry out every late commit that is due, each at its own time. `handle` begins with it."""
        at = self.clock(now)
        while self._late and self._late[0][0] <= at:
            late = heapq.heappop(self._late)[2]
            self._keep(late.commit(late.at))
        for outgoing in self.outgoing.values():
            outgoing.collect()

    def due(self, now: datetime) -> list[Attempt]:
        """The webhooks to be sent now; how each was answered goes to `answered`."""
        self.settle(now)
        at = self.clock(now)
        return [attempt for outgoing in self.outgoing.values() for attempt in outgoing.due(at)]

    def answered(self, attempt: Attempt, status: int, error: str, now: datetime) -> None:
        """Take in how a webhook was answered: its status, or 0 and why there was none."""
        self.outgoing[attempt.vendor].answered(attempt, status, error, self.clock(now))

    def next_settling(self) -> datetime | None:
        """The vendors' time at which `settle` or `due` has something to do next, if nothing happens before."""
        times = [outgoing.next_due() for outgoing in self.outgoing.values()] + [at for at, _, _ in self._late[:1]]
        return min((at for at in times if at is not None), default=None)

    def exchanges(self, after: int = 0) -> Sequence[Exchange]:
        """The log from the request after number `after` on, as far as it is remembered."""
        if not self._exchanges:
            return ()
        return tuple(islice(self._exchanges, max(0, after + 1 - self._exchanges[0].seq), None))

    def reset(self) -> None:
        """Start again: seed data, no fault, no log, no late commit, no webhook, no latency, real time."""
        for vendor in self.vendors.values():
            vendor.reset()
        self.faults.clear()
        self.offset = timedelta()
        self.latency.clear()
        self._exchanges.clear()
        self._late.clear()
        self._open_webhooks()

    def _open_webhooks(self) -> None:
        self.sent = SentLog()
        self.outgoing = {
            name: Outgoing(name, vendor.announcer(), self.sent)
            for name, vendor in self.vendors.items()
            if isinstance(vendor, Announcing)
        }

    def _keep(self, delivery: Delivery) -> None:
        if delivery.late:
            heapq.heappush(self._late, (delivery.late.at, next(self._order), delivery.late))

    def _log(self, vendor: str, request: Request, at: datetime, delivery: Delivery, seconds: float) -> None:
        seq = self._exchanges[-1].seq + 1 if self._exchanges else 1
        status, size = (delivery.response.status, len(delivery.response.body)) if delivery.response else (0, 0)
        ms = round(1000 * (seconds + delivery.wait), 3)
        self._exchanges.append(Exchange(seq, vendor, at, request.method, request.path, status, ms, size))


def create_world(names: Sequence[str] = tuple(VENDORS), timer: Callable[[], float] = lambda: 0.0) -> World:
    """A world with these vendors on their seed data."""
    return World({name: import_module(VENDORS[name]).create() for name in names}, timer)


def _send(vendor: Vendor, request: Request, faults: Sequence[Fault], at: datetime) -> Delivery:
    for position, fault in enumerate(faults, start=1):
        if fault.strikes(request):
            return fault.effect(Call(vendor, request, at, partial(_send, vendor, request, faults[position:])))
    return Delivery(vendor.handle(request, at))


def _dated(headers: Mapping[str, str], at: datetime) -> Mapping[str, str]:
    """A vendor says what time it has: clients learn its clock's offset from this header."""
    return {"Date": format_datetime(at, usegmt=True), **headers}
