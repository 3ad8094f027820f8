"""What answers, and their absence, mean for a write; and the pace everything keeps."""

import asyncio
from dataclasses import replace

import pytest

from syncd.connectors.base import Condition, ConnectionTrouble, Done, NotDone, Order, Refused, Stale, Unknown
from syncd.connectors.http import AnswerLost, HttpReply, NotSent
from syncd.connectors.quickbooks.client import LIMITS
from syncd.model.record import Op
from syncd.model.references import Kind, MatchKey
from tests.unit.connectors.quickbooks.quickbooks_doubles import (
    SERVER_TIME,
    Company,
    StandingClock,
    customer,
    fault,
    fault_body,
    parameters,
    reply,
)

MARKER = "syncd:" + "0a" * 16
CREATE = Order(intent="c", op=Op.CREATE, kind=Kind.PARTY, values={"name": "Zoe"}, marker=MARKER)
UPDATE = Order(intent="u", op=Op.UPDATE, kind=Kind.PARTY, id="1", if_version="0", values={"name": "Zoe"})


def answering(*answers):
    """A batch route that gives these answers (or raises them) in turn, the last one for ever."""
    left = list(answers)

    def rule(request):
        if request.route != "/batch":
            return None
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return rule


def items(*found) -> HttpReply:
    return reply({"BatchItemResponse": list(found), "time": SERVER_TIME})


async def transmitted(company, *orders):
    connector = company.connector()
    await connector.fresh(orders)
    (send,) = connector.compose(orders, lambda: "a" * 32)
    return await connector.transmit(send, {order.intent: order for order in orders})


async def resolved(company, order, age):
    connector = company.connector()
    await connector.fresh([order])
    (send,) = connector.compose([order], lambda: "a" * 32)
    (outcome,) = await connector.resolve(send, {order.intent: order}, age)
    return outcome


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (NotSent("refused"), NotDone),
        (AnswerLost("cut"), Unknown),
        (reply({}, 503), Unknown),
        (fault(10000, status=500), Unknown),
        (HttpReply(status=200, headers={"content-type": "text/html"}, body=b"<html>"), Unknown),
        (reply({"time": SERVER_TIME}), Unknown),
        (items(), Unknown),
        (fault(3001, status=429), NotDone),
        (fault(1040), Refused),
        (items({"bId": "1", **fault_body(5010)}), Stale),
        (items({"bId": "1", **fault_body(6240)}), Refused),
        (items({"bId": "1", "Customer": customer(5)}), Done),
    ],
)
async def test_answers_to_a_write(answer, kind):
    """Only what is certain is said."""
    (outcome,) = await transmitted(Company(answering(answer)), CREATE)

    assert type(outcome) is kind


async def test_answers_are_matched_by_their_key():
    """The order of the answers is not trusted."""
    orders = [replace(CREATE, intent=name) for name in "ab"]
    answer = items({"bId": "2", "Customer": customer(22)}, {"bId": "1", "Customer": customer(11)})
    outcomes = await transmitted(Company(answering(answer)), *orders)

    assert {o.intent: o.id for o in outcomes} == {"a": "11", "b": "22"}
    assert {o.request_id for o in outcomes} == {"1-abc"}


async def test_unexpected_errors_leave_creates_unknown_and_updates_to_be_sent_again():
    """A second create may be one too many; a second update is only stale."""
    transient = items(*({"bId": n, **fault_body(6000, "An unexpected error occurred.")} for n in "12"))
    created, updated = await transmitted(Company(answering(transient)), CREATE, UPDATE)

    assert (type(created), type(updated)) == (Unknown, NotDone)
    assert updated.after


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        (fault(3100, status=403), Condition.AUTHORIZATION_LOST),
        (fault(150), Condition.VENDOR_UNAVAILABLE),
        (fault(10200), Condition.ACCOUNT_CHANGED),
        (items({"bId": "1", **fault_body(6190, "Subscription period has ended")}), Condition.PERMISSION_MISSING),
    ],
)
async def test_the_connections_trouble_is_no_records_failure(answer, condition):
    """When nothing was carried out and no record is to blame, the connection says so."""
    with pytest.raises(ConnectionTrouble) as trouble:
        await transmitted(Company(answering(answer)), CREATE)

    assert trouble.value.condition is condition


async def test_trouble_on_some_items_waits():
    """What is done stays done; the rest is sent again later."""
    answer = items({"bId": "1", "Customer": customer(5)}, {"bId": "2", **fault_body(150)})
    done, waiting = await transmitted(Company(answering(answer)), CREATE, replace(CREATE, intent="d"))

    assert (type(done), type(waiting)) == (Done, NotDone)
    assert waiting.after


# Resolving


def showing(*rows):
    """Queries for customers show these."""
    answer = reply({"QueryResponse": {"Customer": list(rows)}, "time": SERVER_TIME})
    return lambda request: answer if request.route == "/query" else None


@pytest.mark.parametrize(
    ("rows", "age", "kind"),
    [
        ([customer(5, Notes=MARKER)], 4000, Done),
        ([customer(5, Notes="syncd:" + "1" * 32), customer(6)], 4000, NotDone),
    ],
)
async def test_old_creates_are_looked_up_by_our_reference(rows, age, kind):
    """A key that may be forgotten is not replayed: the books are asked for what was created since."""
    company = Company(answering(items({"bId": "1", "Customer": customer(99)})), showing(*rows))
    outcome = await resolved(company, CREATE, age)

    assert type(outcome) is kind
    assert "MetaData.CreateTime >= '2026-03-02T10:43:20Z'" in company.statements()[-1]
    assert not [r for r in company.seen if "requestid" in parameters(r)]


@pytest.mark.parametrize("again", [AnswerLost("cut"), NotSent("refused"), reply({}, 502), fault(3001, status=429)])
async def test_a_repeat_that_brings_nothing_leaves_it_unknown(again):
    """Also when nothing left this time: the first attempt may have been carried out."""
    outcome = await resolved(Company(answering(again), showing()), CREATE, 10)

    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(("age", "kind"), [(60, Unknown), (130, NotDone)])
async def test_repeat_that_fails_again_is_looked_up_and_given_time(age, kind):
    """An unexpected error twice: not there yet means unknown, not there after the vendor's own limit means not done."""
    transient = items({"bId": "1", **fault_body(6000, "An unexpected error occurred.")})
    outcome = await resolved(Company(answering(transient), showing()), CREATE, age)

    assert type(outcome) is kind


@pytest.mark.parametrize(("rows", "kind"), [([customer(5, Notes=MARKER)], Done), ([customer(5)], Refused)])
async def test_taken_name_on_a_repeat_may_be_our_own(rows, kind):
    """Should the vendor have forgotten the key, the name is taken by what the first attempt made."""
    taken = items({"bId": "1", **fault_body(6240, "The name supplied already exists.")})
    outcome = await resolved(Company(answering(taken), showing(*rows)), CREATE, 1000)

    assert type(outcome) is kind


async def test_repeat_sends_the_very_bytes():
    """The same path with the same key, and the same body."""
    company = Company(answering(AnswerLost("cut"), items({"bId": "1", "Customer": customer(5)})))
    connector = company.connector()
    await connector.fresh([CREATE])
    (send,) = connector.compose([CREATE], lambda: "a" * 32)
    await connector.transmit(send, {"c": CREATE})
    (outcome,) = await connector.resolve(send, {"c": CREATE}, 30)
    first, second = (r for r in company.seen if r.route == "/batch" and b"Query" not in r.body)

    assert isinstance(outcome, Done)
    assert (first.url, first.body) == (second.url, second.body)


# Pace


async def test_throttling_without_a_word_pauses_everything_for_a_minute():
    """The vendor documents no Retry-After and asks to wait 60 seconds."""
    clock = StandingClock()
    company = Company(answering(fault(3001, status=429), items({"bId": "1", "Customer": customer(5)})))
    connector = company.connector(clock)
    await connector.fresh([CREATE])
    (send,) = connector.compose([CREATE], lambda: "a" * 32)
    (outcome,) = await connector.transmit(send, {"c": CREATE})
    before = clock.passed
    await connector.account()

    assert outcome.after == LIMITS.throttle_pause
    assert clock.passed - before >= 60


async def test_no_more_than_the_vendor_allows():
    """Ten a second, and eight under way at once."""
    clock, under_way, most, left = StandingClock(), 0, 0, []
    company = Company()
    plain = company.send

    async def slow(request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        left.append(clock.passed)
        await asyncio.sleep(0)
        under_way -= 1
        return await plain(request)

    company.send = slow
    connector = company.connector(clock)
    await connector.account()
    await asyncio.gather(*(connector.find(Kind.PRODUCT, [MatchKey("sku", str(n))]) for n in range(100)))

    assert most <= 8
    assert len(company.seen) == 101
    assert all(after - before >= 1 for before, after in zip(left, left[10:], strict=False))


async def test_forty_batches_a_minute():
    """Batches have a limit of their own."""
    clock = StandingClock()
    company = Company(answering(items({"bId": "1", "Customer": customer(5)})))
    connector = company.connector(clock)
    await connector.fresh([CREATE])
    (send,) = connector.compose([CREATE], lambda: "a" * 32)
    for _ in range(41):
        await connector.transmit(send, {"c": CREATE})

    assert clock.passed >= 50
