"""When an armed fault strikes: matching, counting, drawing, and standing in line with others."""

from datetime import UTC, datetime

import pytest

from syncd.sandbox.base import Request, Response
from syncd.sandbox.delivery import Ending
from syncd.sandbox.faults import Faults, changes_something
from syncd.sandbox.world import World

NOW = datetime(2025, 3, 1, tzinfo=UTC)


class Yes:
    """A vendor that agrees to everything."""

    name = "yes"
    asked = 0

    def handle(self, request, now):
        self.asked += 1
        return Response(200, b"{}")


WRITE = Request("POST", "/things")


def strikes(order, count, request=WRITE):
    """On which of so many equal requests the fault strikes."""
    fault = Faults().arm(Yes(), {"fault": "reset_before", **order})
    return [number for number in range(1, count + 1) if fault.strikes(request)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"times": 2}, [1, 2]),
        ({"nth": 3}, [3]),
        ({"nth": 3, "times": 2}, [3, 4]),
        ({"probability": 0}, []),
        ({"probability": 1, "times": 3}, [1, 2, 3]),
    ],
)
def test_nth_and_times_say_when(order, expected):
    """nth alone strikes once, no limit means always."""
    assert strikes(order, 5) == expected


def test_the_same_seed_draws_the_same_requests():
    """Probability is repeatable, another seed gives another run, and the share is about right."""
    first = strikes({"probability": 0.3, "seed": 7}, 1000)

    assert first == strikes({"probability": 0.3, "seed": 7}, 1000)
    assert first != strikes({"probability": 0.3, "seed": 8}, 1000)
    assert 250 < len(first) < 350


def test_one_faults_draws_do_not_move_anothers():
    """Each fault has random numbers of its own."""
    alone = strikes({"probability": 0.5, "seed": 3}, 50)

    faults = Faults()
    noisy = faults.arm(Yes(), {"fault": "slow", "probability": 0.5, "seed": 4})
    fault = faults.arm(Yes(), {"fault": "reset_before", "probability": 0.5, "seed": 3})
    assert [n for n in range(1, 51) if (noisy.strikes(WRITE), fault.strikes(WRITE))[1]] == alone


@pytest.mark.parametrize(
    ("match", "meets"),
    [
        ({}, True),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"path": "/v3/company"}, True),
        ({"path": ".*/query$"}, True),
        ({"path": "/company"}, False),
        ({"contains": "from Invoice"}, True),
        ({"contains": "DocNumber"}, True),
        ({"contains": "from Customer"}, False),
    ],
)
def test_a_match_looks_at_method_path_and_content(match, meets):
    """The path is a prefix or an expression from its start; the content is the decoded query or the body."""
    request = Request("POST", "/v3/company/1/query", "query=select+*+from%20Invoice", body=b'{"DocNumber": "7"}')

    assert bool(strikes({"match": match}, 1, request)) is meets


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("GET", "/crm/v3/objects/contacts"), False),
        (Request("POST", "/crm/v3/objects/contacts/search"), False),
        (Request("POST", "/crm/v3/objects/contacts/batch/read"), False),
        (Request("POST", "/v3/company/1/query"), False),
        (Request("POST", "/oauth2/v1/tokens/bearer"), False),
        (Request("POST", "/v3/company/1/batch", body=b'{"BatchItemRequest":[{"bId":"1","Query":"x"}]}'), False),
        (
            Request("POST", "/v3/company/1/batch", body=b'{"BatchItemRequest":[{"Query":"x"},{"operation":"create"}]}'),
            True,
        ),
        (Request("POST", "/crm/v3/objects/contacts"), True),
        (Request("PATCH", "/crm/v3/objects/contacts/1"), True),
        (Request("DELETE", "/crm/v3/objects/contacts/1"), True),
    ],
)
def test_maintenance_tells_writes_from_reads(request_, expected):
    """Some POSTs only read, and a batch of queries does too."""
    assert changes_something(request_) is expected
    assert bool(strikes({"fault": "maintenance"}, 1, request_)) is expected


def test_faults_stand_in_line_in_the_order_they_were_armed():
    """An outer fault that lets the request through meets the inner one; one that stops it hides it from the next."""
    yes = Yes()
    world = World({"yes": yes})
    slow = world.faults.arm(yes, {"fault": "slow", "options": {"delay": 3}})
    limited = world.faults.arm(yes, {"fault": "rate_limited", "times": 1})
    reset = world.faults.arm(yes, {"fault": "reset_before", "times": 1})

    deliveries = [world.handle("yes", Request("GET", "/"), NOW) for _ in range(3)]

    assert [d.wait for d in deliveries] == [3, 3, 3]
    assert [d.response and d.response.status for d in deliveries] == [429, None, 200]
    assert deliveries[1].ending is Ending.RESET
    assert (slow.hits, limited.hits, reset.hits, reset.met, yes.asked) == (3, 1, 1, 2, 1)


def test_a_fault_of_one_vendor_leaves_the_others_alone():
    """Faults belong to the vendor they were armed for."""
    world = World({"yes": Yes(), "other": Yes()})
    world.faults.arm(world.vendors["yes"], {"fault": "rate_limited"})

    assert world.handle("other", Request("GET", "/"), NOW).response.status == 200


def test_a_refused_order_arms_nothing():
    """Ids and the list are as before."""
    faults = Faults()
    with pytest.raises(ValueError):
        faults.arm(Yes(), {"fault": "slow", "options": {"delay": "long"}})
    with pytest.raises(KeyError):
        faults.arm(Yes(), {"fault": "earthquake"})

    assert faults.rows() == []
    assert faults.arm(Yes(), {"fault": "slow"}).id == 1
