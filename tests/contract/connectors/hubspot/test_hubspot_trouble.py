"""HubSpot's ways to say no to a whole request: limits, locks, moves, scopes, tokens; and what `check` makes of them."""

from datetime import datetime, timedelta

import pytest

from syncd.connectors.base import Condition, ConnectionTrouble, Done, NotDone, Severity
from syncd.model.references import Kind
from tests.contract.connectors.hubspot.conftest import contact
from tests.contract.connectors.suite import KINDS, change

CREATES = {"method": "POST", "path": "/crm/.*/batch/create"}
ALWAYS = {"probability": 1.0, "seed": 1}
HOUR = 3600.0


async def trouble(call) -> ConnectionTrouble:
    """What a call that must fail says of the connection."""
    with pytest.raises(ConnectionTrouble) as caught:
        await call
    return caught.value


def seconds_to_noon(now: datetime) -> float:
    """Until tomorrow's noon in the portal's time zone."""
    return ((now + timedelta(days=1)).replace(hour=12, minute=0, second=0) - now).total_seconds()


@pytest.mark.parametrize(("fault", "after"), [("locked_423", 2), ("secondly_limit", 1), ("ten_secondly_limit", 10)])
async def test_pauses_follow_the_limit(portal, fault, after):
    """Nothing is done, and the wait is the one that this limit takes."""
    await portal.control.arm("hubspot", fault, CREATES, nth=1)
    outcome = (await portal.send([contact()]))["p1"]

    assert isinstance(outcome, NotDone)
    assert after == outcome.after
    assert isinstance(await portal.write(contact()), Done)


async def test_the_days_quota_stops_the_connection(portal):
    """Waiting ten seconds would not help: reads and writes both say until when, and only the first has to ask."""
    portal.clock.skipped += seconds_to_noon(portal.clock.now())
    await portal.control.arm("hubspot", "daily_limit", {}, **ALWAYS)
    before = await portal.calls()
    read, write = await trouble(portal.one(Kind.PARTY, "1001")), await trouble(portal.send([contact()]))

    assert Condition.QUOTA_EXHAUSTED is read.condition is write.condition
    assert read.retry_after == pytest.approx(12 * HOUR, abs=60)
    assert write.retry_after == pytest.approx(12 * HOUR, abs=60)
    assert await portal.calls() - before == 1


async def test_a_day_that_has_just_begun_is_looked_at_again_soon(portal):
    """HubSpot's clock may be a little behind ours: nobody waits for the next midnight because of that."""
    portal.clock.skipped += seconds_to_noon(portal.clock.now()) + 12 * HOUR
    await portal.control.arm("hubspot", "daily_limit", {}, **ALWAYS)

    assert (await trouble(portal.one(Kind.PARTY, "1001"))).retry_after == 600


async def test_a_portal_on_the_move(portal):
    """477 says for how long; nothing was done."""
    await portal.control.arm("hubspot", "moved_477", {}, options={"retry_after": 1800}, **ALWAYS)
    read, write = await trouble(portal.one(Kind.PARTY, "1001")), await trouble(portal.send([contact()]))

    assert Condition.VENDOR_UNAVAILABLE is read.condition is write.condition
    assert 1800 == read.retry_after == write.retry_after


async def test_missing_scopes_are_named(portal):
    """What has to be granted is in the words."""
    await portal.control.settings("hubspot", missing_scopes=["crm.objects.contacts.read", "crm.objects.contacts.write"])
    read, write = await trouble(portal.one(Kind.PARTY, "1001")), await trouble(portal.send([contact()]))

    assert Condition.PERMISSION_MISSING is read.condition is write.condition
    assert "crm.objects.contacts.read" in read.words
    assert "crm.objects.contacts.write" in write.words


async def test_a_redirect_is_not_followed(portal):
    """Neither for reads nor for writes."""
    await portal.control.arm("hubspot", "redirect", {}, **ALWAYS)

    assert Condition.MALFORMED_ANSWER is (await trouble(portal.one(Kind.PARTY, "1001"))).condition
    assert Condition.MALFORMED_ANSWER is (await trouble(portal.send([contact()]))).condition


async def test_a_failed_look_after_a_write_does_not_undo_it(portal):
    """The write is done; only its snapshot and what it overwrote stay unknown."""
    seen = await portal.one(Kind.PARTY, "1001")
    sends = await portal.compose([change(seen, values={"city": "Elsewhere"})])
    await portal.control.arm("hubspot", "server_error", {"path": "/crm/v3/objects/contacts/batch/read"}, **ALWAYS)
    (outcome,) = await portal.connector.transmit(sends[0], {"u1": change(seen, values={"city": "Elsewhere"})})

    assert isinstance(outcome, Done)
    assert outcome.snapshot is None


# OAuth


@pytest.fixture
async def oauth(portal):
    """A connector with client credentials instead of a fixed token."""
    keys = (await portal.control.credentials())["hubspot"]
    fields = {name: keys[name] for name in ("client_id", "client_secret", "refresh_token")}
    async with portal.another(token=None, **fields) as other:
        yield other


def token_calls(paths):
    """How often a token was asked for."""
    return len([path for path in paths if path == "/oauth/v3/token"])


async def test_tokens_are_renewed_before_they_expire_and_kept(oauth):
    """One token serves many calls and outlives a restart; a new one is got shortly before its end."""
    await oauth.connector.account()
    await oauth.poll()
    async with oauth.another() as restarted:
        await restarted.connector.account()
    first = token_calls(await oauth.paths())
    oauth.clock.skipped += 1790
    await oauth.control.advance(1790)
    await oauth.connector.account()

    assert first == 1
    assert token_calls(await oauth.paths()) == 2
    assert list(oauth.drawer.kept) == ["crm.oauth"]


async def test_an_expired_token_is_renewed_once_even_for_a_write(oauth):
    """A token the vendor ended early: nothing was done, so the write goes again with a new one."""
    await oauth.connector.account()
    await oauth.control.arm("hubspot", "expired_401", CREATES, nth=1)
    done = await oauth.write(contact())

    assert isinstance(done, Done)
    assert token_calls(await oauth.paths()) == 2


@pytest.mark.parametrize("fault", ["epoch_401", "invalid_401"])
async def test_a_token_that_is_none_is_not_renewed_for_ever(oauth, fault):
    """A malformed token answers as one that expired in 1970: a new one would not help."""
    await oauth.connector.account()
    await oauth.control.arm("hubspot", fault, {"path": "/crm"}, **ALWAYS)

    assert Condition.AUTHORIZATION_LOST is (await trouble(oauth.one(Kind.PARTY, "1001"))).condition
    assert token_calls(await oauth.paths()) == 1


async def test_a_revoked_refresh_token(portal):
    """The authorisation is lost, in HubSpot's words."""
    fields = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "na1-revoked"}
    async with portal.another(token=None, **fields) as other:
        lost = await trouble(other.connector.account())

    assert Condition.AUTHORIZATION_LOST is lost.condition
    assert "BAD_REFRESH_TOKEN" in lost.words
    assert "na1-revoked" not in lost.words


async def test_a_new_refresh_token_in_the_settings_is_tried(oauth):
    """When the kept one is refused, the configured one is the next to try: somebody authorised anew."""
    bad = '{"access":"x","expires":"2020-01-01T00:00:00Z","refresh":"na1-revoked"}'
    await oauth.drawer.put("crm.oauth", bad)
    await oauth.connector.account()

    assert "na1-revoked" not in oauth.drawer.kept["crm.oauth"]


async def test_without_any_credential(portal):
    """It is said as what it is, and nothing is called."""
    before = await portal.calls()
    async with portal.another(token=None) as other:
        lost = await trouble(other.connector.account())

    assert Condition.AUTHORIZATION_LOST is lost.condition
    assert before == await portal.calls()


# Preparing and checking


async def test_preparing_twice_creates_nothing_twice(portal):
    """What is there is left alone: the second time only looks."""
    before = await portal.control.requests("hubspot")
    await portal.connector.prepare(KINDS)
    calls = (await portal.control.requests("hubspot"))[len(before) :]

    assert {"GET"} == {call["method"] for call in calls}
    assert len(calls) == 5


async def test_properties_that_cannot_be_created(portal):
    """Without the right to it nothing can be marked as ours, and so nothing is written."""
    await portal.control.reset()
    await portal.control.settings("hubspot", missing_scopes=["crm.schemas.contacts.write"])
    lost = await trouble(portal.connector.prepare(KINDS))

    assert Condition.PERMISSION_MISSING is lost.condition
    assert "crm.schemas.contacts.write" in lost.words


async def test_check_names_what_will_hurt(portal):
    """A missing scope, a missing property, products without SKU, and payments nobody knows of."""
    await portal.control.reset()
    await portal.control.settings("hubspot", missing_scopes=["crm.objects.invoices.read"])
    findings = await portal.connector.check(KINDS)
    errors = [f for f in findings if f.severity is Severity.ERROR]
    warnings = " / ".join(f.title for f in findings if f.severity is Severity.WARNING)

    assert [f.code for f in errors] == ["permission_missing"]
    assert "crm.objects.invoices.read" in errors[0].title
    assert "contacts lack the properties syncd_ref" in warnings
    assert "2 products have no SKU" in warnings
    assert "Whether payments can be recorded" in warnings


async def test_check_with_a_wrong_token(portal):
    """One finding that says so, instead of one for everything."""
    async with portal.another(token="pat-wrong") as other:
        (finding,) = await other.connector.check(KINDS)

    assert (finding.severity, finding.code) == (Severity.ERROR, "authorization_lost")


async def test_unknown_options_are_refused(portal):
    """A misspelt option is a mistake and not nothing."""
    with pytest.raises(ValueError, match="overlapp"):
        async with portal.another(options={"overlapp": 1}):
            pass


async def test_an_association_that_an_answer_leaves_out_is_asked_for_again(portal):
    """A record without any is named as such: silence about one is no proof, and a payment keeps its invoice."""
    whole = (await portal.connector.read(Kind.PAYMENT, ["6001"]))["6001"]
    await portal.control.arm("hubspot", "partial", {"path": ".*commerce_payments/invoices/batch/read"}, times=1)
    assert (await portal.connector.read(Kind.PAYMENT, ["6001"]))["6001"] == whole
    assert [fault["hits"] for fault in await portal.control.faults()] == [1]
