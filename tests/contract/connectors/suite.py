"""What every connector owes the engine, tried on the sandbox over real HTTP.

A vendor's test class inherits from `ConnectorContract`, says how its vendor is called and what its orders look like,
and gets every test below. What only one vendor does is tested in a file of its own.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

import pytest

from syncd.connectors.base import (
    Advanced,
    Condition,
    ConnectionTrouble,
    Connector,
    Done,
    NotDone,
    Order,
    Outcome,
    Refused,
    Send,
    Severity,
    Sighting,
    Stale,
    Unknown,
)
from syncd.connectors.http import AioTransport, HttpReply, HttpRequest, NotSent
from syncd.connectors.settings import ConnectionSettings
from syncd.model.record import Op
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Presence, Snapshot
from syncd.sandbox.client import Control
from syncd.sandbox.server import serving
from syncd.sandbox.world import create_world

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
KINDS = (Kind.PARTY, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT)
LONG = 1_000_000.0  # seconds: older than any bound


class SkippingClock:
    """The machine's clock, on which every wait is over at once."""

    def __init__(self):
        self.skipped = 0.0

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.skipped)

    def monotonic(self):
        return time.monotonic() + self.skipped

    async def sleep(self, seconds):
        self.skipped += seconds


class Drawer:
    """Keeps tokens in memory."""

    def __init__(self):
        self.kept = {}

    @asynccontextmanager
    async def alone(self):
        yield

    async def get(self, name):
        return self.kept.get(name)

    async def put(self, name, value):
        self.kept[name] = value


class Unplugged:
    """A network on which nothing ever leaves."""

    async def send(self, request: HttpRequest) -> HttpReply:
        raise NotSent("unplugged")

    async def close(self) -> None:
        pass


@dataclass
class Stage:
    """A sandbox, a hand on it, and a connector to one account."""

    vendor: str
    control: Control
    settings: ConnectionSettings
    connector: Connector
    clock: SkippingClock
    numbers: Any = field(default_factory=count)

    async def poll(
        self, cursors: Mapping[str, str] | None = None, kinds: Sequence[Kind] = KINDS
    ) -> tuple[list[Sighting], dict[str, str]]:
        """All sightings of a poll, and the cursors that hold after it."""
        seen: list[Sighting] = []
        after = dict(cursors or {})
        async for page in self.connector.changes_since(after.copy(), kinds, self.clock.now()):
            seen += page.sightings
            after |= page.cursors
        return seen, after

    async def one(self, kind: Kind, id: str) -> Snapshot:
        """An entity as it is now."""
        return (await self.connector.read(kind, [id]))[id]

    async def compose(self, orders: Sequence[Order]) -> Sequence[Send]:
        """Requests, with fresh ids, after the look that the outbox takes; what it showed is left alone here."""
        await self.connector.fresh(orders)
        return self.connector.compose(orders, lambda: f"{next(self.numbers):032x}")

    async def send(self, orders: Sequence[Order]) -> dict[str, Outcome]:
        """One step of each order; outcomes by intent."""
        by_intent = {order.intent: order for order in orders}
        made: dict[str, Outcome] = {}
        for send in await self.compose(orders):
            made |= {outcome.intent: outcome for outcome in await self.connector.transmit(send, by_intent)}
        return made

    async def write(self, order: Order) -> Outcome:
        """Carry out one order, all its steps."""
        while isinstance(outcome := (await self.send([order]))[order.intent], Advanced):
            order = advanced(order, outcome)
        return outcome

    async def resolved(self, send: Send, order: Order, age: float) -> Outcome:
        """What became of a lost request."""
        (outcome,) = await self.connector.resolve(send, {order.intent: order}, age)
        return outcome

    async def written(self) -> list[Mapping[str, Any]]:
        """What the vendor took from the API."""
        return [entry for entry in await self.control.journal(self.vendor) if entry["caller"] != "person"]

    async def calls(self) -> int:
        """How many requests came in."""
        return len(await self.control.requests(self.vendor))


def advanced(order: Order, outcome: Advanced) -> Order:
    """The order for its next step, as the outbox would hold it."""
    return replace(order, id=outcome.id, step=order.step + 1, carry=outcome.carry)


def change(seen: Snapshot, intent: str = "u1", **parts: Any) -> Order:
    """An update of something as it was seen."""
    return Order(intent=intent, op=Op.UPDATE, kind=seen.kind, id=seen.id, if_version=seen.version, seen=seen, **parts)


class ConnectorContract(ABC):
    """Every connector passes this.

    Attributes:
        vendor: its name in the sandbox.
        names: the sandbox's names of its kinds.
        write: which requests are writes of a party, for faults.
        edit: what a person changes on a party, and what the noun then says.
    """

    vendor: ClassVar[str]
    names: ClassVar[Mapping[Kind, str]]
    write: ClassVar[Mapping[str, str]]
    edit: ClassVar[Mapping[str, Any]]
    edited: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def settings(self, url: str, keys: Mapping[str, str]) -> ConnectionSettings: ...

    @abstractmethod
    def connect(self, settings: ConnectionSettings, transport: Any, clock: SkippingClock) -> Connector: ...

    @abstractmethod
    def new_party(self, number: int = 1) -> Order:
        """A create that the vendor takes; `number` makes it another one."""

    @abstractmethod
    def bad_party(self) -> Order:
        """A create that the vendor refuses for one of its values."""

    @abstractmethod
    def new_product(self) -> Order: ...

    @abstractmethod
    def new_invoice(self) -> Order: ...

    @abstractmethod
    def new_payment(self, invoice: str) -> Order: ...

    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        async with serving(create_world([self.vendor])) as url, Control(url) as control:
            keys = (await control.credentials())[self.vendor]
            settings, clock = self.settings(f"{url}/{self.vendor}", keys), SkippingClock()
            connector = self.connect(settings, AioTransport(), clock)
            await connector.prepare(KINDS)
            yield Stage(self.vendor, control, settings, connector, clock)
            await connector.close()

    # Reading

    async def test_account_is_the_same_each_time(self, stage):
        """The account has an id, a currency, and tells what may be written."""
        first, second = await stage.connector.account(), await stage.connector.account()

        assert first == second
        assert first.id
        assert first.currency == "USD"
        assert frozenset(KINDS) == first.writable

    async def test_first_poll_shows_everything_once(self, stage):
        """Without cursors every entity is seen, none twice, and each kind gets a cursor."""
        seen, cursors = await stage.poll()

        for kind in KINDS:
            ids = [s.id for s in seen if s.kind is kind]
            assert len(set(ids)) == len(ids) > 0
            assert kind in cursors

    async def test_seen_versions_are_those_that_are_read(self, stage):
        """A sighting's version is the one a read gives, so that what is known is not read again."""
        seen, _ = await stage.poll()

        for kind in KINDS:
            versions = {s.id: s.version for s in seen if s.kind is kind}
            read = await stage.connector.read(kind, list(versions))
            assert versions == {id: snapshot.version for id, snapshot in read.items()}

    async def test_snapshots_of_a_poll_are_what_is_read(self, stage):
        """Where a poll carries whole entities they say the same as a read."""
        seen, _ = await stage.poll()

        for kind in KINDS:
            whole = {s.id: s.snapshot for s in seen if s.kind is kind and s.snapshot is not None}
            assert whole == await stage.connector.read(kind, list(whole))

    async def test_nothing_read_is_torn(self, stage):
        """Every invoice of the seed adds up."""
        seen, _ = await stage.poll(kinds=(Kind.INVOICE,))
        read = await stage.connector.read(Kind.INVOICE, [s.id for s in seen])

        assert [id for id, snapshot in read.items() if snapshot.torn] == []
        for noun in (snapshot.noun for snapshot in read.values()):
            assert noun.status == "voided" or noun.total == noun.amount_paid + noun.balance

    async def test_an_unchanged_account_costs_a_call_a_kind(self, stage):
        """A poll after which nothing changed sees nothing new, with at most one call a kind and one for lines."""
        seen, cursors = await stage.poll()
        known = {(s.kind, s.id, s.version) for s in seen}
        before = await stage.calls()
        again, _ = await stage.poll(cursors)

        assert {(s.kind, s.id, s.version) for s in again} <= known
        assert await stage.calls() - before <= len(KINDS) + 1

    async def test_history_shows_what_a_poll_does_from_a_time_on(self, stage):
        """All of it from the beginning, nothing from the future, and on from each page's cursor."""
        seen, _ = await stage.poll(kinds=(Kind.INVOICE,))
        for since, expected in ((BEGINNING, {s.id for s in seen}), (stage.clock.now() + timedelta(days=1), set())):
            pages = [page async for page in stage.connector.history(Kind.INVOICE, since, None, stage.clock.now())]
            assert {s.id for page in pages for s in page.sightings} == expected
            cursor = pages[-1].cursors[Kind.INVOICE]
            on = [page async for page in stage.connector.history(Kind.INVOICE, since, cursor, stage.clock.now())]
            assert {s.id for page in on for s in page.sightings} <= expected
            assert all(page.cursors[Kind.INVOICE] >= cursor for page in on)

    async def test_an_edit_is_seen_with_another_version(self, stage):
        """What a person changes shows in the next poll."""
        seen, cursors = await stage.poll(kinds=(Kind.PARTY,))
        id = seen[0].id
        await stage.control.person(self.vendor, "update", self.names[Kind.PARTY], id, self.edit)
        (sighting,) = [s for s in (await stage.poll(cursors, (Kind.PARTY,)))[0] if s.id == id]
        noun = (await stage.one(Kind.PARTY, id)).noun

        assert sighting.version != seen[0].version
        assert self.edited == {name: getattr(noun, name) for name in self.edited}

    async def test_cursors_never_go_back(self, stage):
        """Polling again, with or without changes, never moves a cursor to an earlier place."""
        _, first = await stage.poll()
        _, second = await stage.poll(first)

        assert first.keys() <= second.keys()
        assert all(second[name] >= first[name] for name in first)

    async def test_unknown_ids_are_deleted(self, stage):
        """Every id asked for is answered; what was never there is gone."""
        seen, _ = await stage.poll(kinds=(Kind.INVOICE,))
        read = await stage.connector.read(Kind.INVOICE, [seen[0].id, "99999999"])

        assert Presence.PRESENT is read[seen[0].id].presence
        assert Presence.DELETED is read["99999999"].presence
        assert read["99999999"].noun is None

    async def test_every_key_is_answered(self, stage):
        """Looking for what is not there is an empty answer, not a missing one."""
        asked = {
            Kind.PARTY: [MatchKey("email", "nobody@example.com"), MatchKey("marker", "syncd:" + "0" * 32)],
            Kind.PRODUCT: [MatchKey("sku", "NO-SUCH"), MatchKey("name", "No such thing")],
            Kind.INVOICE: [MatchKey("number", "NO-SUCH")],
        }
        for kind, keys in asked.items():
            assert dict.fromkeys(keys, ()) == await stage.connector.find(kind, keys)

    async def test_keys_are_found_in_any_case(self, stage):
        """E-mail addresses are matched without case."""
        read, _ = await stage.poll(kinds=(Kind.PARTY,))
        party = next(s.snapshot for s in read if s.snapshot and s.snapshot.noun and s.snapshot.noun.email)
        key = MatchKey("email", party.noun.email.lower())

        assert party.id in {s.id for s in (await stage.connector.find(Kind.PARTY, [key]))[key]}

    # Writing

    async def test_every_kind_is_created_with_our_reference(self, stage):
        """Creates are done, carry our reference where there is room for it, and show what a read then shows."""
        for order in (self.new_party(), self.new_product(), self.new_invoice()):
            made = await self._made(stage, order)
        await self._made(stage, self.new_payment(made.id))

    async def _made(self, stage, order):
        done = await stage.write(order)
        assert isinstance(done, Done)
        read = await stage.one(order.kind, done.id)

        assert Presence.PRESENT is read.presence
        assert order.kind is Kind.PRODUCT or order.marker == read.marker
        assert done.snapshot is None or done.snapshot.noun == read.noun
        return done

    async def test_what_is_created_says_what_was_ordered(self, stage):
        """The values and lines of an invoice arrive to the cent."""
        order = self.new_invoice()
        noun = (await stage.one(Kind.INVOICE, (await stage.write(order)).id)).noun

        assert order.values["number"] == noun.number
        assert order.values["customer"] == noun.customer
        assert order.values["due_date"] == noun.due_date
        assert sum(line.amount for line in order.lines) == noun.total
        assert [(line.quantity, line.unit_price, line.amount) for line in order.lines] == [
            (line.quantity, line.unit_price, line.amount) for line in noun.lines
        ]
        assert all(line.id for line in noun.lines)

    async def test_what_we_create_is_known_to_the_next_poll(self, stage):
        """The version after a write is the one the poll shows, so that an echo costs nothing."""
        _, cursors = await stage.poll()
        invoice = await stage.write(self.new_invoice())
        party = await stage.write(self.new_party())
        seen = {(s.kind, s.id): s.version for s in (await stage.poll(cursors))[0]}

        for kind, done in ((Kind.INVOICE, invoice), (Kind.PARTY, party)):
            assert (await stage.one(kind, done.id)).version == seen[kind, done.id]

    async def test_orders_travel_in_few_requests(self, stage):
        """Every order is in exactly one request, and many share one."""
        orders = [self.new_party(number) for number in range(30)]
        sends = await stage.compose(orders)

        assert len(sends) == 1
        assert {order.intent for order in orders} == set(sends[0].items)
        assert len(set(sends[0].items.values())) == len(orders)
        assert len(sends[0].id) <= 36

    async def test_an_update_changes_only_what_it_says(self, stage):
        """Fields that are not in an update stay as they were."""
        seen = (await stage.poll(kinds=(Kind.PARTY,)))[0][0]
        before = await stage.one(Kind.PARTY, seen.id)
        done = await stage.write(change(before, values={"phone": "(650) 555-0100"}))
        after = await stage.one(Kind.PARTY, seen.id)

        assert isinstance(done, Done)
        assert replace(before.noun, phone="(650) 555-0100") == after.noun
        assert done.snapshot is None or after == done.snapshot
        assert dict(done.foreign) == {}

    async def test_an_edit_in_between_is_not_lost_silently(self, stage):
        """When a person was faster, the write either does not happen or names what it replaced."""
        id = (await stage.poll(kinds=(Kind.PARTY,)))[0][0].id
        seen = await stage.one(Kind.PARTY, id)
        await stage.control.person(self.vendor, "update", self.names[Kind.PARTY], id, self.edit)
        field_name = next(iter(self.edited))
        outcome = (await stage.send([change(seen, values={field_name: "Ours"})]))["u1"]

        if isinstance(outcome, Done):
            assert self.edited == dict(outcome.foreign)
        else:
            assert isinstance(outcome, Stale)
            assert self.edited[field_name] == getattr((await stage.one(Kind.PARTY, id)).noun, field_name)

    async def test_one_refused_order_does_not_hurt_the_others(self, stage):
        """Of a batch, the good orders are done; the bad one is refused with a category and the vendor's words."""
        orders = [self.new_party(1), self.bad_party(), self.new_party(2)]
        made = await stage.send(orders)
        for _ in range(3):
            again = [order for order in orders if isinstance(made[order.intent], NotDone)]
            made |= await stage.send(again) if again else {}

        refused = made[self.bad_party().intent]
        assert isinstance(refused, Refused)
        assert refused.category
        assert refused.words
        assert all(isinstance(made[self.new_party(n).intent], Done) for n in (1, 2))
        assert len([e for e in await stage.written() if e["kind"] == self.names[Kind.PARTY]]) == 2

    async def test_void_and_delete(self, stage):
        """A voided invoice reads as voided, a deleted payment is gone."""
        invoice = await stage.one(Kind.INVOICE, (await stage.write(self.new_invoice())).id)
        payment = await stage.one(Kind.PAYMENT, (await stage.write(self.new_payment(invoice.id))).id)
        gone = await stage.write(
            Order(intent="d1", op=Op.DELETE, kind=Kind.PAYMENT, id=payment.id, if_version=payment.version, seen=payment)
        )
        invoice = await stage.one(Kind.INVOICE, invoice.id)
        voided = await stage.write(
            Order(
                intent="v1",
                op=Op.VOID,
                kind=Kind.INVOICE,
                id=invoice.id,
                if_version=invoice.version,
                seen=invoice,
                mirror=True,
            )
        )

        assert isinstance(gone, Done)
        assert isinstance(voided, Done)
        assert Presence.PRESENT is not (await stage.one(Kind.PAYMENT, payment.id)).presence
        assert (await stage.one(Kind.INVOICE, invoice.id)).noun.status == "voided"

    async def test_fresh_looks_at_what_is_changed_only(self, stage):
        """Right before writing, updates are read again and creates are not; what is read is what is there."""
        id = (await stage.poll(kinds=(Kind.INVOICE,)))[0][0].id
        seen = await stage.one(Kind.INVOICE, id)
        fresh = await stage.connector.fresh([self.new_party(), change(seen, values={"due_date": None})])

        assert self.new_party().intent not in fresh
        assert "u1" not in fresh or seen == fresh["u1"]

    # Trouble

    async def test_a_lost_answer_is_found_out_about(self, stage):
        """After a timeout behind the commit the outcome is unknown; looking finds it, and nothing is made twice."""
        order = self.new_party()
        (send,) = await stage.compose([order])
        await stage.control.arm(self.vendor, "timeout_after_commit", self.write, nth=1)
        (lost,) = await stage.connector.transmit(send, {order.intent: order})
        found = await stage.resolved(send, order, age=1.0)

        assert isinstance(lost, Unknown)
        assert isinstance(found, Done)
        assert len([e for e in await stage.written() if e["kind"] == self.names[Kind.PARTY]]) == 1
        assert order.marker == (await stage.one(Kind.PARTY, found.id)).marker

    async def test_a_request_that_never_arrived_is_not_taken_for_done(self, stage):
        """It stays unknown or is done now; past every bound it may go again. Never two of it."""
        order = self.new_party()
        (send,) = await stage.compose([order])
        await stage.control.arm(self.vendor, "reset_before", self.write, nth=1)
        (lost,) = await stage.connector.transmit(send, {order.intent: order})
        assert isinstance(lost, Unknown)
        early = await stage.resolved(send, order, age=1.0)
        late = early if isinstance(early, Done) else await stage.resolved(send, order, age=LONG)
        done = late if isinstance(late, Done) else await stage.write(order)

        assert isinstance(early, Unknown | Done)
        assert isinstance(late, NotDone | Done)
        assert isinstance(done, Done)
        assert len([e for e in await stage.written() if e["kind"] == self.names[Kind.PARTY]]) == 1

    async def test_nothing_left_is_not_done(self, stage):
        """A request that never left may go again at once."""
        order = self.new_party()
        (send,) = await stage.compose([order])
        offline = self.connect(replace(stage.settings, token="any"), Unplugged(), stage.clock)
        with suppress(ConnectionTrouble):  # a vendor may need a token first, and that cannot be had either
            (outcome,) = await offline.transmit(send, {order.intent: order})
            assert isinstance(outcome, NotDone)

        assert [e for e in await stage.written() if e["kind"] == self.names[Kind.PARTY]] == []

    @pytest.mark.parametrize("options", [{}, {"retry_after": 7}, {"retry_after_date": 7}])
    async def test_a_throttled_write_is_not_done(self, stage, options):
        """429 means: not done, and not before some time."""
        await stage.control.arm(self.vendor, "rate_limited", self.write, nth=1, options=options)
        outcome = (await stage.send([self.new_party()]))[self.new_party().intent]

        assert isinstance(outcome, NotDone)
        assert [e for e in await stage.written() if e["kind"] == self.names[Kind.PARTY]] == []

    async def test_a_server_error_on_a_write_is_unknown(self, stage):
        """503 may come before or after the work was done."""
        await stage.control.arm(self.vendor, "server_error", self.write, nth=1, options={"html": True})
        outcome = (await stage.send([self.new_party()]))[self.new_party().intent]

        assert isinstance(outcome, Unknown)

    @pytest.mark.parametrize("fault", ["not_json", "empty_200", "truncated_json"])
    async def test_an_unreadable_answer_to_a_write_is_unknown(self, stage, fault):
        """What cannot be read proves nothing; looking does."""
        order = self.new_party()
        (send,) = await stage.compose([order])
        await stage.control.arm(self.vendor, fault, self.write, nth=1)
        (outcome,) = await stage.connector.transmit(send, {order.intent: order})
        found = await stage.resolved(send, order, age=1.0)

        assert isinstance(outcome, Unknown)
        assert isinstance(found, Done)

    @pytest.mark.parametrize("fault", ["truncated_json", "wrong_length", "reset_after", "server_error", "rate_limited"])
    async def test_a_failed_read_is_repeated(self, stage, fault):
        """One bad answer to a question is asked again, and nothing is missing or double."""
        whole, _ = await stage.poll()
        await stage.control.arm(self.vendor, fault, {}, nth=1)
        again, _ = await stage.poll()

        assert whole == again

    async def test_an_account_that_stays_silent_is_unavailable(self, stage):
        """Failing again and again is trouble of the connection."""
        await stage.control.arm(self.vendor, "server_error", {}, probability=1.0, seed=1)
        with pytest.raises(ConnectionTrouble) as caught:
            await stage.connector.account()

        assert Condition.VENDOR_UNAVAILABLE is caught.value.condition

    async def test_refused_credentials_are_trouble_of_the_connection(self, stage):
        """401 on every call: the authorisation is lost; no record is to blame."""
        await stage.control.arm(self.vendor, "unauthorized", {}, probability=1.0, seed=1)
        with pytest.raises(ConnectionTrouble) as reading:
            await stage.connector.read(Kind.PARTY, ["1"])
        with pytest.raises(ConnectionTrouble) as writing:
            await stage.send([self.new_party()])

        assert Condition.AUTHORIZATION_LOST is reading.value.condition
        assert Condition.AUTHORIZATION_LOST is writing.value.condition

    async def test_check_finds_no_error_on_a_sound_account(self, stage):
        """Whatever it warns of, nothing is broken."""
        findings = await stage.connector.check(KINDS)

        assert findings
        assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
