"""What answers to writes mean, in shapes the sandbox does not speak."""

import json

import pytest

from syncd.clock import SystemChance
from syncd.connectors.base import Done, NotDone, Order, Refused, Unknown
from syncd.connectors.http import HttpReply
from syncd.connectors.hubspot import connect
from syncd.connectors.settings import ConnectionSettings
from syncd.model.record import Op
from syncd.model.references import Kind
from tests.unit.connectors.hubspot.conftest import Drawer, StillClock


class Scripted:
    """Gives prepared answers, one after the other; keeps what was sent."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    async def send(self, request):
        self.sent.append(json.loads(request.body))
        status, body = self.answers.pop(0)
        return HttpReply(
            status=status, headers={"content-type": "application/json"}, body=json.dumps(body or {}).encode()
        )

    async def close(self):
        pass


def contact(number):
    """A create."""
    values = {"email": f"new{number}@example.com"}
    return Order(intent=f"p{number}", op=Op.CREATE, kind=Kind.PARTY, values=values, marker=f"syncd:{number}")


async def outcomes(transport, *orders, connector=None):
    """Send the orders, all in as many requests as they take; outcomes by intent."""
    settings = ConnectionSettings(name="crm", vendor="hubspot", url="http://tiny", token="t")
    connector = connector or connect(settings, transport, StillClock(), SystemChance(), Drawer())
    made, by_intent = {}, {order.intent: order for order in orders}
    for send in connector.compose(orders, SystemChance().new_id):
        made |= {o.intent: o for o in await connector.transmit(send, by_intent)}
    return made, connector


def created(number, id, **more):
    """A created contact as it is answered."""
    return {"id": id, "properties": {"email": f"new{number}@example.com", "syncd_ref": f"syncd:{number}"}, **more}


async def test_results_without_trace_ids_are_told_apart_by_our_reference():
    """HubSpot's own example of such an answer shows none; the order of results means nothing."""
    answer = {"status": "COMPLETE", "results": [created(2, "72"), created(1, "71")]}
    made, _ = await outcomes(Scripted((201, answer)), contact(1), contact(2))

    assert {intent: outcome.id for intent, outcome in made.items()} == {"p1": "71", "p2": "72"}


async def test_trace_ids_come_first():
    """Even where a result shows no properties."""
    results = [{"id": "72", "properties": {}, "objectWriteTraceId": "1.create"}]
    made, _ = await outcomes(Scripted((201, {"results": results})), contact(1), contact(2))

    assert isinstance(made["p1"], Unknown)
    assert made["p2"].id == "72"
    assert made["p2"].snapshot is None


async def test_every_input_carries_a_trace_id_and_our_reference():
    """Without them one bad input would fail all, and nothing lost could be found."""
    transport = Scripted((201, {"results": []}))
    await outcomes(transport, contact(1), contact(2))
    inputs = transport.sent[0]["inputs"]

    assert [one["objectWriteTraceId"] for one in inputs] == ["0.create", "1.create"]
    assert [one["properties"]["syncd_ref"] for one in inputs] == ["syncd:1", "syncd:2"]


@pytest.mark.parametrize(
    ("status", "message"), [(400, "There was a problem"), (409, "Contact already exists. Existing ID: 70")]
)
async def test_a_whole_batch_refused_without_blame_goes_one_by_one(status, message):
    """Nothing was done; next time each is alone, and then who is to blame is refused and the others are done."""
    problem = {"status": "error", "message": message, "category": "CONFLICT" if status == 409 else "VALIDATION_ERROR"}
    transport = Scripted((status, problem), (status, problem), (201, {"results": [created(2, "72")]}))
    first, connector = await outcomes(transport, contact(1), contact(2))
    second, _ = await outcomes(transport, contact(1), contact(2), connector=connector)

    assert all(isinstance(outcome, NotDone) for outcome in first.values())
    assert [len(body["inputs"]) for body in transport.sent] == [2, 1, 1]
    assert isinstance(second["p1"], Refused)
    assert ("70" if status == 409 else None) == second["p1"].existing
    assert isinstance(second["p2"], Done)
    assert len(connector.compose([contact(1), contact(2)], SystemChance().new_id)) == 1


async def test_blame_in_a_whole_refusal_falls_on_the_one_it_names():
    """The others may go again together."""
    problem = {"category": "VALIDATION_ERROR", "message": "no", "context": {"objectWriteTraceId": ["0.create"]}}
    made, connector = await outcomes(Scripted((400, problem)), contact(1), contact(2), contact(3))

    assert isinstance(made["p1"], Refused)
    assert all(isinstance(made[intent], NotDone) for intent in ("p2", "p3"))
    assert len(connector.compose([contact(2), contact(3)], SystemChance().new_id)) == 1


async def test_an_entry_that_is_only_throttled_may_go_again():
    """A batch can be limited half way."""
    errors = [{"category": "RATE_LIMITS", "message": "slow", "context": {"objectWriteTraceId": ["1.create"]}}]
    answer = {"results": [created(1, "71")], "errors": errors, "numErrors": 1}
    made, _ = await outcomes(Scripted((207, answer)), contact(1), contact(2))

    assert isinstance(made["p1"], Done)
    assert isinstance(made["p2"], NotDone)


@pytest.mark.parametrize("status", [500, 502, 521, 524])
async def test_server_errors_leave_it_open(status):
    """They come before and after the work."""
    made, _ = await outcomes(Scripted((status, None)), contact(1))

    assert isinstance(made["p1"], Unknown)
