"""Answers from HubSpot that never came, came in part, or came too late."""

from dataclasses import replace

import pytest

from syncd.connectors.base import Advanced, Done, NotDone, Refused, Stale, Unknown
from syncd.model.nouns import Allocation
from syncd.model.references import Kind
from tests.contract.connectors.hubspot.conftest import MARKER, contact, create, line, mirror
from tests.contract.connectors.hubspot.test_hubspot_write import payment
from tests.contract.connectors.suite import advanced, change

CREATES = {"method": "POST", "path": "/crm/.*/batch/create"}
UPDATES = {"method": "POST", "path": "/crm/.*/batch/update"}
LOST = {"timeout_after_commit": True, "reset_before": False}


async def lose(portal, order, fault="timeout_after_commit", match=CREATES):
    """Send one step of an order into a fault; the request it was in."""
    (send,) = await portal.compose([order])
    armed = await portal.control.arm("hubspot", fault, match, nth=1)
    (outcome,) = await portal.connector.transmit(send, {order.intent: order})
    await portal.control.disarm(armed)

    assert isinstance(outcome, Unknown)
    return send


@pytest.mark.parametrize("kind", [Kind.PRODUCT, Kind.INVOICE, Kind.PARTY])
async def test_a_late_index_never_makes_it_absent(portal, kind):
    """Our reference is looked for by search, which lags: until the bound has passed the outcome stays unknown."""
    orders = {
        Kind.PRODUCT: create("t1", kind, {"name": "Trellis", "sku": "TRELLIS"}),
        Kind.INVOICE: mirror(),
        Kind.PARTY: contact(email=""),
    }
    await portal.control.settings("hubspot", index_lag=60)
    send = await lose(portal, orders[kind])
    early = await portal.resolved(send, orders[kind], age=1)
    after_commit = await portal.resolved(send, orders[kind], age=301)
    await portal.control.advance(61)
    late = await portal.resolved(send, orders[kind], age=400)

    assert isinstance(early, Unknown)
    assert isinstance(after_commit, Unknown)
    assert isinstance(late, Advanced if kind is Kind.INVOICE else Done)


async def test_a_payment_is_found_by_its_invoice(portal):
    """Associations do not lag: a payment that was recorded is found at once, one that was not may go again sooner."""
    await portal.control.settings("hubspot", index_lag=6000)
    order = payment("5001")
    found = await portal.resolved(await lose(portal, order), order, age=1)
    other = payment("5002", intent="m2")
    send = await lose(portal, other, "reset_before")
    early, late = await portal.resolved(send, other, age=299), await portal.resolved(send, other, age=301)

    assert isinstance(found, Done)
    assert tuple(a.invoice for a in (await portal.one(Kind.PAYMENT, found.id)).noun.allocations) == ("5001",)
    assert isinstance(early, Unknown)
    assert isinstance(late, NotDone)


@pytest.mark.parametrize(("fault", "committed"), LOST.items())
async def test_lost_lines_are_looked_for_on_the_invoice(portal, fault, committed):
    """The second step of a mirror is found or known to be missing by the invoice's lines, never made twice."""
    order = mirror()
    order = advanced(order, (await portal.send([order]))["i1"])
    send = await lose(portal, order, fault)
    early = await portal.resolved(send, order, age=1)
    done = early
    if not committed:
        assert isinstance(early, Unknown)
        assert isinstance(await portal.resolved(send, order, age=301), NotDone)
        done = (await portal.send([order]))["i1"]
    noun = (await portal.one(Kind.INVOICE, done.id)).noun

    assert isinstance(done, Done)
    assert [read.name for read in noun.lines] == ["Line a", "Line b"]


async def test_results_that_are_left_out_are_unknown(portal):
    """A batch answers 200 with fewer results than were sent: the missing ones are looked for."""
    orders = [contact(n) for n in range(4)]
    (send,) = await portal.compose(orders)
    await portal.control.arm("hubspot", "short_batch", CREATES, nth=1, options={"drop": 2})
    by_intent = {order.intent: order for order in orders}
    made = {o.intent: o for o in await portal.connector.transmit(send, by_intent)}
    lost = {intent: order for intent, order in by_intent.items() if isinstance(made[intent], Unknown)}
    part = await portal.connector.resolve(replace(send, items={i: send.items[i] for i in lost}), lost, 1.0)

    assert len(lost) == 2
    assert all(isinstance(outcome, Done) for outcome in part)
    assert len([e for e in await portal.written() if e["kind"] == "contacts"]) == 4


async def test_some_lines_refused_some_done(portal):
    """A refused line refuses the order; lines without a word make it unknown."""
    order = mirror(*(line(key, "10") for key in "abc"))
    order = advanced(order, (await portal.send([order]))["i1"])
    await portal.control.arm("hubspot", "partial_batch", CREATES, nth=1, options={"rows": [1]})
    outcome = (await portal.send([order]))["i1"]

    assert isinstance(outcome, Refused)
    assert outcome.words == "Refused by the sandbox"


async def test_some_lines_lost(portal):
    """Of a batch of lines some answers are missing: they are found on the invoice."""
    order = mirror(*(line(key, "10") for key in "abc"))
    order = advanced(order, (await portal.send([order]))["i1"])
    (send,) = await portal.compose([order])
    await portal.control.arm("hubspot", "short_batch", CREATES, nth=1, options={"drop": 2})
    (outcome,) = await portal.connector.transmit(send, {"i1": order})

    assert isinstance(outcome, Unknown)
    assert isinstance(await portal.resolved(send, order, age=1), Done)


@pytest.mark.parametrize(("fault", "committed"), LOST.items())
async def test_a_lost_update_is_compared(portal, fault, committed):
    """What was sent is there: done. It is not: unknown for now, then it may be decided again."""
    seen = await portal.one(Kind.PARTY, "1001")
    order = change(seen, values={"city": "Elsewhere", "phone": None})
    send = await lose(portal, order, fault, UPDATES)
    early = await portal.resolved(send, order, age=1)
    late = await portal.resolved(send, order, age=301)

    assert isinstance(early, Done if committed else Unknown)
    assert isinstance(late, Done if committed else NotDone)


async def test_after_a_restart_an_update_of_lines_is_decided_again(portal):
    """What it was decided on is forgotten then; whatever was done of it shows when the invoice is read."""
    made = await portal.one(Kind.INVOICE, (await portal.write(mirror())).id)
    order = change(made, lines=made.noun.lines[:1], mirror=True)
    send = await lose(portal, order, match={"method": "POST", "path": "/crm/.*/batch/archive"})
    forgetful = replace(order, seen=None)

    assert isinstance(await portal.resolved(send, order, age=1), Done)
    assert isinstance(await portal.resolved(send, forgetful, age=1), Unknown)
    assert isinstance(await portal.resolved(send, forgetful, age=301), Stale)


@pytest.mark.parametrize(("fault", "committed"), LOST.items())
async def test_a_lost_change_of_customer_or_invoice(portal, fault, committed):
    """Associations are looked at, made and broken ones."""
    made = await portal.one(Kind.PAYMENT, (await portal.write(payment("5001"))).id)
    order = change(made, allocations=(Allocation(invoice="5002"),))
    match = {"method": "POST", "path": "/crm/v4/associations/.*/batch/(create|archive)"}
    late = await portal.resolved(await lose(portal, order, fault, match), order, age=301)

    assert isinstance(late, Advanced if committed else NotDone)
    if committed:
        order = advanced(order, late)
        assert isinstance(await portal.resolved(await lose(portal, order, fault, match), order, age=1), Done)


async def test_a_contact_somebody_else_made_meanwhile(portal):
    """An address that is taken by another contact settles the question: ours can never come."""
    order = contact()
    send = await lose(portal, order, "reset_before")
    await portal.person("create", "contacts", email="new1@example.com")
    outcome = await portal.resolved(send, order, age=1)

    assert isinstance(outcome, Refused)
    assert outcome.category == "customer_ambiguous"
    assert outcome.existing is not None


async def test_late_commits_are_waited_for(portal):
    """A request that commits after we gave up on it is found when it does."""
    order = contact()
    (send,) = await portal.compose([order])
    await portal.control.arm("hubspot", "late_commit", CREATES, nth=1, options={"delay": 90})
    (lost,) = await portal.connector.transmit(send, {"p1": order})
    early = await portal.resolved(send, order, age=60)
    await portal.control.advance(91)
    late = await portal.resolved(send, order, age=151)

    assert isinstance(lost, Unknown)
    assert isinstance(early, Unknown)
    assert isinstance(late, Done)
    assert len([e for e in await portal.written() if e["kind"] == "contacts"]) == 1


async def test_our_reference_marks_what_we_made(portal):
    """Nobody else's records are ever taken for ours."""
    done = await portal.write(create("t1", Kind.PRODUCT, {"name": "Trellis"}))
    order = create("t2", Kind.PRODUCT, {"name": "Trellis"}, marker=MARKER[:-1] + "0")
    send = await lose(portal, order, "reset_before")
    outcome = await portal.resolved(send, order, age=1e6)

    assert isinstance(done, Done)
    assert isinstance(outcome, NotDone)
