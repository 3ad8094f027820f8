"""The keeper of tokens, killed at every step: what is on disk always opens the account, or says that it is lost."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.oauth import Consent, Grant, GrantRefused, Tokens
from syncd.connectors.settings import ConnectionSettings

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SETTINGS = ConnectionSettings(name="books", vendor="quickbooks", client_id="app", client_secret="secret")


class Killed(Exception):
    """The process ends here."""


class Fate:
    """Counts the steps of one process, and ends it at one of them."""

    def __init__(self, at: int | None = None):
        self.left = at

    def step(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


class Clock:
    """Time that is set."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return START + timedelta(seconds=self.passed)


class Disk:
    """What outlives processes. Each step of keeping may be the last: before it was done, or after."""

    def __init__(self):
        self.kept = {}
        self.fate = Fate()
        self.lock = asyncio.Lock()

    @asynccontextmanager
    async def alone(self):
        self.fate.step()
        async with self.lock:
            yield
        self.fate.step()

    async def get(self, name):
        self.fate.step()
        return self.kept.get(name)

    async def put(self, name, value):
        self.fate.step()
        self.kept[name] = value
        self.fate.step()


class Vendor:
    """Gives out tokens: every renewal rotates, and the one before lives on until its successor was used.

    Attributes:
        grace: whether it does live on. shown: the refresh tokens seen. used: access tokens that called.
    """

    consent = Consent(authorize="", redirect="", pkce=False, always=())
    authorize = ""

    def __init__(self, disk, *, grace=True):
        self.disk, self.grace = disk, grace
        self.living = []
        self.number = 0
        self.shown = []

    def grant(self):
        self.number += 1
        refresh = f"refresh-{self.number}"
        self.living = [*(self.living[-1:] if self.grace else []), refresh]
        return Grant(access_token=f"access-{self.number}", seconds=3600, refresh_token=refresh)

    async def exchange(self, code, redirect, verifier):
        return self.grant()

    async def renew(self, refresh_token):
        self.disk.fate.step()
        self.shown.append(refresh_token)
        if refresh_token not in self.living:
            raise GrantRefused("invalid_grant Token invalid")
        grant = self.grant()
        self.disk.fate.step()
        return grant

    async def revoke(self, refresh_token):
        self.disk.fate.step()
        if refresh_token in self.living:
            self.living = []
        self.disk.fate.step()

    def accepts(self, access):
        return access == f"access-{self.number}" and bool(self.living)


class House:
    """A vendor, a disk and a clock; `process()` is a keeper as after a start."""

    def __init__(self, **vendor):
        self.disk, self.clock = Disk(), Clock()
        self.vendor = Vendor(self.disk, **vendor)

    def process(self, dies_at=None, **settings):
        self.disk.fate = Fate(dies_at)
        self.disk.lock = asyncio.Lock()
        return Tokens(settings=replace(SETTINGS, **settings), issuer=self.vendor, keeper=self.disk, clock=self.clock)

    async def connected(self):
        tokens = self.process()
        await tokens.adopt(self.vendor.grant(), "company-1")
        self.clock.passed += 7200
        return tokens


async def kills(work):
    """How often `work(at)` was killed, at its first step, its second and so on, until it gets through."""
    at = 0
    while True:
        try:
            await work(at)
        except Killed:
            at += 1
        else:
            return at


async def lost(tokens):
    with pytest.raises(ConnectionTrouble) as trouble:
        await tokens.access()
    assert trouble.value.condition is Condition.AUTHORIZATION_LOST
    return trouble.value.words


async def test_a_renewal_killed_at_every_step_never_loses_the_connection():
    """Before the answer, after it, before it is on disk and after: the next process gets a token that works."""
    survived = []

    async def work(at):
        house = House()
        await house.connected()
        try:
            await house.process(at).access()
        finally:
            after = house.process()
            survived.append(house.vendor.accepts(await after.access()))
            assert after.account == "company-1"

    assert await kills(work) == 7
    assert all(survived)
    assert len(survived) == 8


async def test_a_vendor_without_grace_leaves_a_clear_loss():
    """Where the old token dies with the answer that was lost, nothing can be saved: it is said so, in its words."""
    ends = []

    async def work(at):
        house = House(grace=False)
        await house.connected()
        try:
            await house.process(at).access()
        finally:
            try:
                ends.append(house.vendor.accepts(await house.process().access()))
            except ConnectionTrouble as trouble:
                ends.append(trouble.condition)

    await kills(work)
    # Killed between the vendor's answer and the disk: lost. At every other step: it works.
    assert ends == [True, True, True, Condition.AUTHORIZATION_LOST, Condition.AUTHORIZATION_LOST, True, True, True]


async def test_connecting_anew_killed_at_every_step_leaves_the_old_pair_or_the_new_one():
    """What was there goes on working until its successor is on disk."""

    async def work(at):
        house = House()
        await house.connected()
        new = house.vendor.grant()
        try:
            await house.process(at).adopt(new, "company-1")
        finally:
            assert house.vendor.accepts(await house.process().access())

    assert await kills(work) == 4


async def test_disconnecting_killed_at_every_step_can_be_done_again():
    """Afterwards nothing opens the account any more, and nothing was forgotten that still would have."""

    async def work(at):
        house = House()
        await house.connected()
        try:
            await house.process(at).withdraw()
        finally:
            await house.process().withdraw()
            assert house.vendor.living == []
            assert "refresh-1" not in house.disk.kept["books.oauth"]
            assert "syncd connect books" in await lost(house.process())
            assert await house.process().connected() == "company-1"

    assert await kills(work) == 7


async def test_a_token_that_could_not_be_kept_is_kept_before_anything_else():
    """A disk that is full for a moment costs nothing, even where the vendor has no grace: nothing went out unkept."""
    house = House(grace=False)
    await house.connected()
    tokens = house.process(4)  # dies where the new pair is to be written, but the process lives on
    with pytest.raises(Killed):
        await tokens.access()
    house.disk.fate = Fate()

    assert house.vendor.accepts(await tokens.access())
    assert house.vendor.shown == ["refresh-1"]


async def test_two_processes_renew_once():
    """They wait for each other, and the second uses what the first has kept."""
    house = House()
    await house.connected()
    one, other = house.process(), house.process()
    given = await asyncio.gather(one.access(), other.access())

    assert given == ["access-2", "access-2"]
    assert house.vendor.shown == ["refresh-1"]


async def test_a_connection_made_anew_is_not_overwritten_by_a_renewal_of_the_old_one():
    """Whoever renews reads first what is kept."""
    house = House()
    old = await house.connected()
    await house.process().adopt(house.vendor.grant(), "company-1")
    old.reread()

    assert await old.access() == "access-2"
    assert house.vendor.shown == []


async def test_the_token_before_is_tried_until_its_successor_has_worked():
    """A vendor that takes a successor back while the one before still lives."""
    house = House()
    await house.connected()
    await house.process().access()
    house.vendor.living = ["refresh-1"]
    house.clock.passed += 7200

    assert house.vendor.accepts(await house.process().access())
    assert house.vendor.shown == ["refresh-1", "refresh-2", "refresh-1"]


async def test_a_disconnected_connection_does_not_begin_again_with_the_configured_token():
    """It was revoked with the others. Another token in the configuration is a person's word."""
    house = House()
    house.vendor.living = ["configured"]
    await house.process(refresh_token="configured").access()
    await house.process(refresh_token="configured").withdraw()

    house.vendor.living = ["configured", "another"]
    assert "syncd connect books" in await lost(house.process(refresh_token="configured"))
    assert house.vendor.accepts(await house.process(refresh_token="another").access())


async def test_a_pair_that_cannot_be_read_counts_as_none():
    """The configured token is the way on, else a person is asked."""
    house = House()
    house.disk.kept["books.oauth"] = '{"access":"x"}'
    house.vendor.living = ["configured"]

    assert "syncd connect books" in await lost(house.process())
    assert house.vendor.accepts(await house.process(refresh_token="configured").access())


def test_scopes_are_those_of_what_is_read_and_written_and_no_others():
    """Each once, what is always needed first."""
    consent = Consent(
        authorize="",
        redirect="",
        pkce=False,
        always=("base",),
        scopes={"party": {"read": ("p.r",), "write": ("p.w",)}, "invoice": {"read": ("i.r", "p.r"), "write": ("i.w",)}},
    )

    assert consent.asked(["party", "invoice"], ["party"]) == ("base", "p.r", "i.r", "p.w")
