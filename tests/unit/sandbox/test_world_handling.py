"""The sandbox without sockets: what `World.handle` tells about one request."""

import json
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from syncd.sandbox import world as world_module
from syncd.sandbox.base import Journal, Request, Response
from syncd.sandbox.control import control
from syncd.sandbox.delivery import Ending
from syncd.sandbox.world import World, create_world

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
WRITE = Request("POST", "/things", "secret=1", body=b"{}")


class Counter:
    """A vendor that writes every request into its journal, with its own time."""

    name = "counter"

    def __init__(self):
        self.journal = Journal()

    def handle(self, request, now):
        self.journal.add(now, "api:test", "create", "things", request.path, {})
        return Response(201, b'{"results":[1,2]}', {"Content-Type": "application/json"})

    def reset(self):
        self.journal = Journal()


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def world(counter):
    return World({"counter": counter})


def arm(world, fault, **order):
    return world.faults.arm(world.vendors["counter"], {"fault": fault, **order})


def times(counter):
    return [entry.at - NOON for entry in counter.journal.entries]


def seconds(number):
    return timedelta(seconds=number)


def test_a_plain_request_is_answered_with_the_vendors_date(world):
    """No fault: the vendor's own answer, at once, dated by the vendors' clock."""
    world.offset = timedelta(hours=1)

    delivery = world.handle("counter", WRITE, NOON)

    assert (delivery.response.status, delivery.wait, delivery.ending) == (201, 0.0, Ending.ANSWERED)
    assert delivery.response.headers["Date"] == "Sat, 01 Mar 2025 13:00:00 GMT"


def test_an_unknown_vendor_is_a_key_error(world):
    """The shell answers 404 for it."""
    with pytest.raises(KeyError):
        world.handle("nobody", WRITE, NOON)


def test_late_commits_happen_in_the_order_of_their_times(world, counter):
    """Each one sees its own time, not the time at which somebody looked."""
    arm(world, "late_commit", options={"delay": 30}, times=1)
    arm(world, "late_commit", options={"delay": 10}, times=1)
    first = world.handle("counter", Request("POST", "/slowest"), NOON)
    world.handle("counter", Request("POST", "/slow"), NOON)

    assert (first.response, first.ending, first.late.at) == (None, Ending.DROPPED, NOON + seconds(30))
    assert counter.journal.entries == []
    assert world.next_settling() == NOON + seconds(10)

    world.handle("counter", Request("POST", "/later"), NOON + seconds(60))

    assert [entry.id for entry in counter.journal.entries] == ["/slow", "/slowest", "/later"]
    assert times(counter) == [seconds(10), seconds(30), seconds(60)]
    assert world.next_settling() is None


def test_two_late_faults_delay_one_after_the_other(world, counter):
    """The second fault stands in the way of the commit of the first."""
    arm(world, "late_commit", options={"delay": 10})
    arm(world, "late_commit", options={"delay": 10})
    world.handle("counter", WRITE, NOON)

    world.settle(NOON + seconds(15))
    assert times(counter) == []
    world.settle(NOON + seconds(25))
    assert times(counter) == [seconds(20)]


def test_a_vendors_latency_is_part_of_the_wait(world):
    """Latency and a slow answer add up."""
    world.latency["counter"] = 0.5
    arm(world, "slow", options={"delay": 2})

    assert world.handle("counter", WRITE, NOON).wait == 2.5


def test_the_log_keeps_the_path_only_and_the_planned_wait(world):
    """A simulation's log is repeatable: its milliseconds are the planned ones."""
    world.latency["counter"] = 0.5

    world.handle("counter", WRITE, NOON)
    (row,) = world.exchanges()

    assert (row.seq, row.vendor, row.at, row.path, row.status, row.ms) == (1, "counter", NOON, "/things", 201, 500)
    assert row.bytes == len(b'{"results":[1,2]}')


def test_the_log_forgets_the_oldest_and_keeps_counting(monkeypatch, counter):
    """Numbers stay taken, so that `after` goes on to work."""
    monkeypatch.setattr(world_module, "REMEMBERED_REQUESTS", 3)
    world = World({"counter": counter})
    for _ in range(5):
        world.handle("counter", WRITE, NOON)

    assert [row.seq for row in world.exchanges()] == [3, 4, 5]
    assert [row.seq for row in world.exchanges(after=4)] == [5]
    assert list(world.exchanges(after=5)) == []


def test_reset_forgets_late_commits(world, counter):
    """What was on its way belongs to the old world."""
    arm(world, "late_commit")
    world.handle("counter", WRITE, NOON)

    world.reset()
    world.settle(NOON + timedelta(days=1))

    assert counter.journal.entries == []


def test_control_needs_no_socket(world, counter):
    """A control call is a value too: moving the clock carries out what became due."""
    arm(world, "late_commit", options={"delay": 3600})
    world.handle("counter", WRITE, NOON)

    answer = control(world, Request("POST", "/_sandbox/clock", body=b'{"advance": 7200}'), NOON)

    assert json.loads(answer.body) == {"now": "2025-03-01T14:00:00Z", "offset": 7200.0}
    assert times(counter) == [seconds(3600)]


def test_journals_of_all_vendors_are_one_list_in_order_of_time():
    """Without a vendor in the query each entry still names its own."""
    world = World({"b": Counter(), "a": Counter()})
    for number, vendor in enumerate(["b", "a", "b"]):
        world.vendors[vendor].name = vendor
        world.handle(vendor, WRITE, NOON + seconds(number))

    entries = json.loads(control(world, Request("GET", "/_sandbox/journal"), NOON).body)["entries"]

    assert [(entry["vendor"], entry["seq"]) for entry in entries] == [("b", 1), ("a", 1), ("b", 2)]


def test_only_the_vendors_asked_for_are_made(monkeypatch):
    """A vendor's package is imported when it is wanted, not before."""
    monkeypatch.setitem(world_module.VENDORS, "counter", "a_vendor_of_this_test")
    monkeypatch.setitem(sys.modules, "a_vendor_of_this_test", SimpleNamespace(create=Counter))

    assert list(create_world(["counter"]).vendors) == ["counter"]
