"""When webhooks are due and what befalls them on demand: nothing here depends on a socket or a real clock."""

import json
from datetime import timedelta

import pytest

from tests.unit.sandbox.webhook_world import TARGET, Ringing


def edits(hub, count=20):
    """So many edits of one contact's city, a second apart, and the order in which they leave."""
    cities = []
    for number in range(count):
        hub.person("update", "contacts", "1001", city=f"City {number}")
        cities += leaving(hub, 1)
    return cities + leaving(hub)


def leaving(hub, seconds=60.0):
    """The cities of everything that leaves during that time."""
    cities, end = [], hub.now + timedelta(seconds=seconds)
    while (wait := hub.wait()) is not None and hub.now + timedelta(seconds=wait) < end:
        hub.later(wait)
        cities += [event["propertyValue"] for body in hub.out() for event in body]
    hub.now = end
    return cities


def numbers(cities):
    return [int(city.removeprefix("City ")) for city in cities]


def test_nothing_is_sent_or_kept_without_a_target():
    """What happened before the target was set is never told."""
    hub = Ringing("hubspot")
    hub.settings(webhook_url="")
    hub.person("update", "contacts", "1001", city="Before")
    assert hub.out() == []
    assert hub.wait() is None

    hub.settings(webhook_url=TARGET)
    hub.person("update", "contacts", "1001", city="After")
    assert leaving(hub) == ["After"]


def test_taking_the_target_away_forgets_what_waits():
    """Fresh events, retries, and the failure of a request that was on its way."""
    hub = Ringing("hubspot")
    hub.person("update", "contacts", "1001", city="One")
    (first,) = hub.due()
    hub.answer(first, 500)
    hub.person("update", "contacts", "1001", city="Two")
    (flying,) = hub.due()
    hub.settings(webhook_url="")
    hub.answer(flying, 500)
    hub.settings(webhook_url=TARGET)

    assert leaving(hub) == []
    assert hub.wait() is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1:80\\@example.com/",
        "ftp://127.0.0.1/",
        "/hook",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/#part",
    ],
)
def test_only_this_machine_is_a_target(url):
    """The sandbox never calls out."""
    hub = Ringing("hubspot")

    with pytest.raises(AssertionError, match="this machine only"):
        hub.settings(webhook_url=url)
    assert hub.settings()["webhook_url"] == TARGET


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost:8500/a?b=c%20d", "http://[::1]:8500"])
def test_any_port_and_path_of_this_machine_is_one(url):
    """By number or by name."""
    assert Ringing("hubspot").settings(webhook_url=url)["webhook_url"] == url


@pytest.mark.parametrize(
    "change",
    [
        {"webhook_drop": 1.5},
        {"webhook_duplicate": -1},
        {"webhook_delay": -1},
        {"webhook_retry_scale": 0},
        {"webhook_parallel": 0},
        {"webhook_reorder": "yes"},
        {"webhook_seed": True},
        {"webhook_subscriptions": [1]},
        {"webhook_format": "telegram"},
    ],
)
def test_settings_that_make_no_sense_are_refused(change):
    """With words, and without effect."""
    hub = Ringing("hubspot")
    before = hub.settings()

    with pytest.raises(AssertionError):
        hub.settings(**change)
    assert hub.settings() == before


def test_unknown_webhook_settings_are_unknown():
    """With the name they were called by."""
    with pytest.raises(AssertionError, match="unknown: webhook_colour"):
        Ringing("hubspot").settings(webhook_colour="red")


def test_events_leave_in_order_and_once_when_nothing_is_asked_for():
    """The baseline of the tests below."""
    assert numbers(edits(Ringing("hubspot"))) == list(range(20))


def test_dropped_events_are_the_same_ones_for_the_same_seed():
    """And are in the log."""
    first, again = (Ringing("hubspot", webhook_drop=0.5, webhook_seed=7) for _ in range(2))
    other = Ringing("hubspot", webhook_drop=0.5, webhook_seed=8)

    arrived = edits(first)
    assert arrived == edits(again) != edits(other)
    assert 4 < len(arrived) < 16
    dropped = [row for row in first.log() if row["error"] == "dropped"]
    assert len(dropped) == 20 - len(arrived)


def test_setting_the_seed_begins_the_random_numbers_anew():
    """So that a test can repeat itself without a reset."""
    hub = Ringing("hubspot", webhook_drop=0.5, webhook_seed=7)
    first = edits(hub)
    hub.settings(webhook_seed=7)

    assert edits(hub) == first


def test_duplicates_come_in_the_same_request_or_soon_after():
    """Both kinds occur; every event has the same number as its copy."""
    hub = Ringing("hubspot", webhook_duplicate=1)
    for number in range(20):
        hub.person("update", "contacts", "1001", city=f"City {number}")
    bodies = []
    for _ in range(20):
        bodies += hub.out()
        hub.later(0.1)

    ids = [event["eventId"] for body in bodies for event in body]
    assert len(ids) == 40
    assert all(ids.count(id) == 2 for id in ids)
    assert 20 < len(bodies[0]) < 40


def test_delayed_events_leave_later():
    """By the vendor's clock."""
    hub = Ringing("hubspot", webhook_delay=45.5)
    hub.person("update", "contacts", "1001", city="City 1")

    assert hub.out() == []
    assert hub.wait() == 45.5
    hub.later(45.5)
    assert len(hub.out()) == 1


def test_reordered_events_overtake_each_other_within_requests_and_across_them():
    """All arrive; the same seed gives the same order."""
    one, two = (Ringing("hubspot", webhook_reorder=True, webhook_seed=3) for _ in range(2))
    orders = []
    for hub in (one, two):
        for number in range(20):
            hub.person("update", "contacts", "1001", city=f"City {number}")
            hub.later(0.2)
        orders.append(numbers(leaving(hub)))
    assert orders[0] == orders[1] != list(range(20))
    assert sorted(orders[0]) == list(range(20))

    for number in range(20):
        one.person("update", "contacts", "1001", city=f"City {number}")
    one.later(2)
    ((*events,),) = one.out()
    places = numbers(event["propertyValue"] for event in events)
    assert sorted(places) == list(range(20)) != places


def test_so_many_requests_at_a_time():
    """The rest leaves as answers come."""
    hub = Ringing("hubspot", webhook_parallel=2)
    attempts = []
    for number in range(3):
        hub.person("update", "contacts", "1001", city=f"City {number}")
        attempts += hub.due()
    assert len(attempts) == 2
    assert hub.wait() is None
    hub.answer(attempts[0])

    assert hub.wait() == 0
    (third,) = hub.due()
    assert b"City 2" in third.body


def test_retry_scale_compresses_the_vendors_waits():
    """A thousandth of 10 s is 10 ms."""
    books = Ringing("quickbooks", webhook_retry_scale=0.001)
    books.person("update", "Customer", "1", name="One")
    (attempt,) = books.due()
    books.answer(attempt, 500)

    assert books.wait() == 0.01


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500, 503, 0])
def test_anything_but_2xx_is_tried_again(status):
    """Also a redirect, and no answer at all."""
    hub = Ringing("hubspot")
    hub.person("update", "contacts", "1001", city="One")
    (attempt,) = hub.due()
    hub.answer(attempt, status)

    assert hub.wait() > 0


def test_the_log_tells_each_try_by_vendor_and_number():
    """Path, status or error, attempt and number of events; `after` leaves out what is known."""
    hub = Ringing("hubspot")
    hub.person("update", "contacts", "1001", city="One", phone="1")
    (attempt,) = hub.due()
    hub.answer(attempt, 0, "timeout")
    hub.later(hub.wait())
    (attempt,) = hub.due()
    hub.answer(attempt, 204)
    first, second = hub.log()

    assert first == {
        "seq": 1,
        "vendor": "hubspot",
        "at": "2026-11-02T09:00:00Z",
        "path": "/webhooks/here",
        "status": 0,
        "error": "timeout",
        "attempt": 0,
        "events": 2,
    }
    assert (second["seq"], second["status"], second["error"], second["attempt"]) == (2, 204, "", 1)
    assert hub.log(after=1) == [second] == hub.log(vendor="hubspot", after=1)
    assert hub.log(after=2) == []


def test_reset_forgets_settings_queue_and_log_and_what_was_on_its_way():
    """An answer that comes later is nobody's."""
    hub = Ringing("hubspot", webhook_delay=10)
    hub.person("update", "contacts", "1001", city="Waiting")
    hub.settings(webhook_delay=0)
    hub.person("update", "contacts", "1001", city="Flying")
    (flying,) = hub.due()
    hub.control("POST", "/reset")
    hub.answer(flying, 500)

    assert hub.settings()["webhook_url"] == ""
    assert hub.log() == []
    hub.settings(webhook_url=TARGET)
    hub.person("update", "contacts", "1001", city="New")
    assert leaving(hub) == ["New"]


def test_a_late_commit_is_told_when_it_happens():
    """The answer was lost, the write comes later, and so does its webhook."""
    hub = Ringing("hubspot")
    hub.control("POST", "/faults", {"vendor": "hubspot", "fault": "late_commit", "options": {"delay": 5}})
    request = {"properties": {"city": "Late"}}
    with pytest.raises(AssertionError):
        hub.call(
            "PATCH", "/crm/v3/objects/contacts/1001", request, {"authorization": "Bearer pat-na1-sandbox-0000-0000"}
        )

    assert hub.out() == []
    hub.later(hub.wait())
    assert leaving(hub) == ["Late"]


def test_every_try_of_a_request_is_signed_anew():
    """With the time at which it leaves."""
    hub = Ringing("hubspot")
    hub.person("update", "contacts", "1001", city="One")
    (first,) = hub.due()
    hub.answer(first, 500)
    hub.later(hub.wait())
    (second,) = hub.due()

    assert first.headers["X-HubSpot-Signature-v3"] != second.headers["X-HubSpot-Signature-v3"]
    assert json.loads(second.body)[0]["eventId"] == json.loads(first.body)[0]["eventId"]
