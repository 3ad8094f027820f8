"""Webhooks are stored before they are acknowledged, once, for whom they concern; what is not genuine never is."""

import asyncio
import json
from datetime import timedelta

import pytest

from syncd.feed import intake as intake_module
from syncd.feed.received import Received
from syncd.model.connection import ConnectionRow
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef, Kind
from tests.webhook_house import House, crm_events, house, until
from tests.webhook_samples import CLASSIC, CLOUD, PORTAL, SENT, hubspot_signed, intuit_signed


@pytest.fixture
async def here(tmp_path):
    async with house(tmp_path) as made:
        yield made


async def crm(here: House, body: bytes, **signing) -> int:
    return await here.post("/webhooks/crm", body, hubspot_signed(body, **signing))


async def books(here: House, body: bytes, **signing) -> int:
    return await here.post("/webhooks/books", body, intuit_signed(body, **signing))


async def test_what_is_acknowledged_is_stored_due_at_once_and_urgent(here):
    """The hint says that a webhook brought it and nothing of what the webhook said; the engine is woken."""
    assert await books(here, CLASSIC) == 200

    expected = [
        Change(ref=EntityRef("books", kind, id), cause="webhook", priority=Priority.WEBHOOK, due_at=SENT)
        for kind, id in ((Kind.INVOICE, "67"), (Kind.PAYMENT, "101"))
    ]
    assert await here.changes() == expected
    assert here.woken == [SENT]
    assert here.received("books") == Received(accepted=2)


async def test_the_longest_pause_of_a_request_counts(here):
    """Of all events about an invoice in one request, the one that asks for time decides."""
    body = crm_events(1, subscriptionType="object.propertyChange", propertyName="hs_invoice_status")
    both = json.dumps([*json.loads(body), *json.loads(crm_events(1, eventId=2)), *json.loads(crm_events(2))]).encode()

    assert await crm(here, both) == 200
    assert [change.due_at for change in await here.changes()] == [SENT + timedelta(seconds=2), SENT]


async def test_the_same_event_again_is_acknowledged_and_brings_nothing(here):
    """Whether it comes alone, in another request, or as a later attempt."""
    assert await crm(here, crm_events(1, 2, attemptNumber=0)) == 200
    before = await here.changes()

    assert await crm(here, crm_events(2, attemptNumber=1)) == 200
    assert await crm(here, crm_events(2, 1, attemptNumber=2)) == 200

    assert await here.changes() == before
    assert len(here.woken) == 1
    assert here.received("crm") == Received(accepted=2, duplicate=3)


async def test_classic_events_of_the_same_second_may_be_two_edits(here):
    """Their stamps are too coarse to tell, so the second brings another look; a repetition later on does not."""
    for seconds, generation in ((0, 1), (1, 2), (10, 2), (6 * 86400, 2)):
        here.clock.at = SENT + timedelta(seconds=seconds)
        assert await books(here, CLASSIC) == 200
        assert {change.generation for change in await here.changes()} == {generation}


async def test_events_are_remembered_for_seven_days(here):
    """Afterwards they may come again: a look more, and no more than that."""
    await books(here, CLOUD)
    assert await here.store.write(lambda tx: tx.prune_deliveries(SENT, 100)) == 0
    assert await here.store.write(lambda tx: tx.prune_deliveries(SENT + timedelta(seconds=1), 100)) == 2
    await books(here, CLOUD)
    assert {change.generation for change in await here.changes()} == {2}


async def test_no_more_events_are_remembered_than_there_is_room_for(here):
    """The oldest go first."""
    await crm(here, crm_events(*range(1, 11)))
    assert await here.store.write(lambda tx: tx.prune_deliveries(SENT, 4)) == 6
    await crm(here, crm_events(*range(1, 11)))
    assert here.received("crm") == Received(accepted=16, duplicate=4)


async def test_accounts_and_kinds_that_are_not_synced_are_acknowledged_counted_and_dropped(here):
    """An app sends the events of all its accounts to one address."""
    strange = crm_events(1, portalId=999)
    line = crm_events(2, objectTypeId="0-8")
    both = json.dumps([*json.loads(strange), *json.loads(line), *json.loads(crm_events(3))]).encode()

    assert await crm(here, both) == 200

    assert [ref.id for ref in await here.refs()] == ["3"]
    assert here.received("crm") == Received(accepted=1, dropped=2)


async def test_an_event_reaches_every_connection_to_its_account(here):
    """Whichever of them has the door it came in by."""
    here.intake._health.rows["other"] = ConnectionRow(name="other", vendor="hubspot", account_id=PORTAL)
    here.intake._kinds["other"] = frozenset({Kind.INVOICE})

    assert await crm(here, crm_events(1)) == 200
    found = await here.store.read(lambda tx: tx.due_changes(["crm", "other"], SENT, 10))
    assert {change.ref.connection for change in found} == {"crm", "other"}


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/webhooks/crm", {}, 401),
        ("/webhooks/crm", hubspot_signed(crm_events(1), secret="wrong"), 401),
        ("/webhooks/crm", hubspot_signed(crm_events(1), stamp="1791763500124"), 401),
        ("/webhooks/crm", intuit_signed(crm_events(1)), 401),
        ("/webhooks/books", hubspot_signed(crm_events(1)), 401),
        ("/webhooks/books", intuit_signed(b"[]"), 401),
        ("/webhooks/nobody", hubspot_signed(crm_events(1)), 404),
        ("/webhooks/", {}, 404),
        ("/", {}, 404),
        ("/webhooks/crm/", hubspot_signed(crm_events(1)), 404),
        ("/WEBHOOKS/crm", hubspot_signed(crm_events(1)), 404),
    ],
)
async def test_what_is_not_genuine_leaves_nothing(here, path, headers, expected):
    """No reason is given, nothing is stored, nobody is woken."""
    assert await here.post(path, crm_events(1), headers) == expected
    assert await here.refs() == []
    assert await here.store.write(lambda tx: tx.prune_deliveries(SENT + timedelta(days=1), 0)) == 0
    assert here.woken == []


async def test_what_is_signed_and_makes_no_sense_is_refused(here):
    """With another status than a forgery: somebody should look at it."""
    assert await crm(here, b'[{"portalId":1,"portalId":2}]') == 400
    assert (await here.refs(), here.received("crm").refused) == ([], 1)


async def test_forgeries_are_logged_once_a_minute(here, capsys):
    """A thousand of them are two lines, which say how many there were."""
    for minute in range(2):
        here.clock.at = SENT + timedelta(minutes=minute)
        for _ in range(20):
            await here.post("/webhooks/crm", b"[]", {})
    lines = [line for line in capsys.readouterr().out.splitlines() if "webhook.rejected" in line]
    assert len(lines) == 2
    assert "refused=21" in lines[1]


async def test_many_requests_share_a_transaction(here, monkeypatch):
    """While one commit runs, all that come wait for the next."""
    writes, real = [], here.store.write

    async def slow(work):
        writes.append(work)
        await asyncio.sleep(0.05)
        return await real(work)

    monkeypatch.setattr(here.store, "write", slow)
    answers = await asyncio.gather(*(crm(here, crm_events(id)) for id in range(1, 101)))
    assert answers == [200] * 100
    assert len(await here.refs()) == 100
    assert len(writes) < 20


async def test_what_cannot_be_stored_is_not_acknowledged(here, monkeypatch):
    """The vendor is asked to come again, and then it is stored."""
    real = here.store.write

    async def full(work):
        raise OSError("No space left on device")

    monkeypatch.setattr(here.store, "write", full)
    assert await crm(here, crm_events(1)) == 503
    assert (await here.refs(), here.received("crm")) == ([], Received(deferred=1))
    monkeypatch.setattr(here.store, "write", real)
    assert await crm(here, crm_events(1)) == 200
    assert here.received("crm") == Received(accepted=1, deferred=1)


async def test_a_slow_store_is_not_waited_for(here, monkeypatch):
    """The answer comes before the vendor gives up; what is stored after all is known when it comes again."""
    monkeypatch.setattr(intake_module, "STORE_SECONDS", 0.05)
    real, gate = here.store.write, asyncio.Event()

    async def stuck(work):
        await gate.wait()
        return await real(work)

    monkeypatch.setattr(here.store, "write", stuck)
    assert await crm(here, crm_events(1)) == 503
    gate.set()
    monkeypatch.setattr(intake_module, "STORE_SECONDS", 2.0)
    assert await crm(here, crm_events(1)) == 200
    assert here.received("crm") == Received(duplicate=1, deferred=1)
    assert len(await here.refs()) == 1


async def test_no_more_hints_wait_than_memory_is_meant_for(here, monkeypatch):
    """Whoever comes when too many wait already is asked to come again."""
    monkeypatch.setattr(intake_module, "MOST_WAITING", 10)
    real, began, gate = here.store.write, asyncio.Event(), asyncio.Event()

    async def stuck(work):
        began.set()
        await gate.wait()
        return await real(work)

    monkeypatch.setattr(here.store, "write", stuck)
    first = asyncio.create_task(crm(here, crm_events(1)))
    await until(began.is_set)
    waiting = asyncio.create_task(crm(here, crm_events(*range(2, 14))))
    await until(lambda: here.intake._parcels)
    assert await crm(here, crm_events(20)) == 503
    gate.set()
    assert await asyncio.gather(first, waiting) == [200, 200]
