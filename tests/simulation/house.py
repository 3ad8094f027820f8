"""One house of the simulation: two vendors, a state, and the lives of a daemon over it, one after the other."""

import asyncio
import pickle
import random
import shutil
import sqlite3
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import anyio
from sqlalchemy import Connection

from syncd import disk
from syncd.app import Ground, assembled
from syncd.config import DATABASE_FILE, Config, load
from syncd.connectors.http import AnswerLost, HttpReply, HttpRequest, NotSent, TlsFailed
from syncd.feed.intake import Verdict
from syncd.ownership.local import owned
from syncd.running import App
from syncd.sandbox.base import Request
from syncd.sandbox.delivery import Ending
from syncd.sandbox.outgoing import Attempt
from syncd.sandbox.world import World, create_world
from syncd.status.metrics import exposition
from syncd.status.reader import Reader
from syncd.store import migrate
from syncd.store.errors import StoreLocked
from syncd.store.seal import Seal
from syncd.store.store import Store
from tests.simulation.driver import Direct
from tests.simulation.loop import Killed, VirtualLoop
from tests.simulation.variants import VARIANTS
from tests.simulation.watch import Watch

T = TypeVar("T")
Row = Mapping[str, Any]

EPOCH = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ADDRESS = "http://127.0.0.1:1"  # nobody listens there: requests go to the vendors directly
PUBLIC = "http://127.0.0.1:2"  # the sandbox sends webhooks to this machine only
VENDORS = ("hubspot", "quickbooks")
SHM = Path("/dev/shm")
PATIENCE = 30  # seconds a writer waits for another process's lock, as in life
DOORS = {"hubspot": "crm", "quickbooks": "books"}


class Time:
    """The one time of a house, and the daemon's possibly wrong idea of it.

    Attributes:
        step: how far the daemon's wall clock is off, in seconds. Its monotonic clock is never off.
    """

    def __init__(self) -> None:
        self.loop: VirtualLoop | None = None
        self.past = 0.0
        self.step = 0.0

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.past if self.loop is None else self.loop.now

    def true(self) -> datetime:
        return EPOCH + timedelta(seconds=self.elapsed())

    def now(self) -> datetime:
        return self.true() + timedelta(seconds=self.step)

    def monotonic(self) -> float:
        return self.elapsed()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class Luck:
    """Ids and jitter of one seed."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def new_id(self) -> str:
        return f"{self._draw.getrandbits(128):032x}"

    def fraction(self) -> float:
        return self._draw.random()


class Safe:
    """Where tokens are kept: it outlives every daemon, and what was put is there at once."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def keeper(self, connection: str) -> "_Keeper":
        return _Keeper(self, connection)


@dataclass(frozen=True)
class _Keeper:
    safe: Safe
    connection: str

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        yield

    async def get(self, name: str) -> str | None:
        return self.safe.kept.get((self.connection, name))

    async def put(self, name: str, value: str) -> None:
        self.safe.kept[self.connection, name] = value


class Roomy(disk.Disk):
    """A disk with as much room as the story wants."""

    def __init__(self) -> None:
        self.full = False

    def low(self) -> bool:
        return self.full


class Disk:
    """The state: one SQLite file, in memory where the machine has such a place, that outlives every daemon.

    Attributes:
        folder: where the file lies. statements: how many more statements succeed before the process is killed at the
            next; None for all of them. watches: called with each statement; what they raise happens instead. locked:
            another process has the write lock.
    """

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="syncd-", dir=SHM if SHM.is_dir() else None))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.statements: int | None = None
        self.locked = False
        self.ran = 0
        self.on_kill: Callable[[], None] = lambda: None
        self.watches: list[Callable[[str], None]] = []
        self.open()

    def open(self) -> None:
        """Use the file that lies there now."""
        self.inline = Direct(self.folder / DATABASE_FILE, self._before)

    def _before(self, statement: str) -> None:
        self.ran += 1
        for watch in self.watches:
            watch(statement)
        if self.statements is not None:
            if self.statements <= 0:
                self.on_kill()
                raise Killed
            self.statements -= 1

    def picture(self) -> bytes:
        """Everything it holds."""
        made = sqlite3.connect(":memory:")
        self.inline.driver.backup(made)
        return made.serialize()

    def fill(self, full: bool) -> None:
        """Leave no room for another page, or as much as anybody wants: SQLite says itself what does not fit."""
        raw = sqlite3.Cursor(self.inline.driver)
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        raw.execute(f"PRAGMA max_page_count = {pages if full else 1 << 30}")

    def restore(self, picture: bytes) -> None:
        """Hold something else from now on."""
        old = sqlite3.connect(":memory:")
        old.deserialize(picture)
        old.backup(self.inline.driver)
        old.close()


class _Mortal:
    """The disk as one life of the daemon sees it: of no use to whoever was killed."""

    def __init__(self, disk: Disk, life: "Life") -> None:
        self._disk, self._life = disk, life

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._run(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        for _ in range(PATIENCE):
            if not self._disk.locked:
                return await self._run(work)
            await anyio.sleep(1)
        raise StoreLocked("another process has the database locked")

    async def _run(self, work: Callable[[Connection], T]) -> T:
        self._life.check()
        await asyncio.sleep(0)  # a point at which others go on, and at which a process may end
        self._life.check()
        done = await self._disk.inline.write(work)
        await asyncio.sleep(0)
        self._life.check()
        return done

    async def close(self) -> None: ...


class _Wire:
    """The network between one daemon and the vendors."""

    def __init__(self, house: "House", life: "Life") -> None:
        self._house, self._life = house, life

    async def send(self, request: HttpRequest) -> HttpReply:
        house = self._house
        self._life.check()
        there, back = (house.draw.uniform(*house.latency) for _ in range(2))
        await anyio.sleep(there)
        self._life.check()
        parts = urlsplit(request.url)
        vendor, _, path = parts.path[1:].partition("/")
        if not house.trusted:
            raise TlsFailed("certificate verify failed")
        if vendor in house.cut_off or any(parts.path.startswith(route) for route in house.closed):
            raise NotSent("unreachable")
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, unquote("/" + path), parts.query, headers, request.body or b"")
        delivery = house.world.handle(vendor, asked, house.time.true())
        house.requests += 1
        wait = delivery.wait + back
        if delivery.ending is Ending.DRIPPED and delivery.response is not None:
            wait += delivery.gap * len(delivery.response.body) / delivery.piece
        await anyio.sleep(min(wait, request.timeout))
        self._life.check()
        response = delivery.response
        if response is None or wait > request.timeout or delivery.ending not in (Ending.ANSWERED, Ending.DRIPPED):
            raise AnswerLost(delivery.ending.value)
        answer = {name.lower(): value for name, value in response.headers.items()}
        return HttpReply(status=response.status, headers=answer, body=response.body)

    async def close(self) -> None: ...


@dataclass(repr=False, eq=False)
class Life:
    """One process of the daemon."""

    house: "House"
    loop: VirtualLoop
    dead: bool = False
    app: App | None = None
    over: asyncio.Task[None] | None = None
    until: anyio.Event | None = None

    def check(self) -> None:
        """Whoever is dead does nothing any more."""
        if self.dead:
            raise Killed

    async def run(self) -> None:
        house = self.house
        with owned(house.disk.folder, "run"):
            await self._run(house)

    async def _run(self, house: "House") -> None:
        store = Store(_Mortal(house.disk, self), Seal(None))  # type: ignore[arg-type] # a database like any other
        self.until = anyio.Event()
        ground = Ground(
            store=store,
            keeper=house.safe.keeper,
            clock=house.time,
            chance=house.luck,
            network=lambda: _Wire(house, self),
            disk=house.room,
        )
        self.app = await assembled(house.config, ground)
        self.app.loop.between = self._reload
        async with anyio.create_task_group() as group:
            group.start_soon(self.app.intake.run)
            await house.work(self.app, self.until)
            group.cancel_scope.cancel()

    async def _reload(self) -> None:
        """Between two rounds: go on by the configuration that lies there now."""
        assert self.app is not None
        if self.app.config is not self.house.config:
            await self.app.renew(self.house.config)


async def _work(made: App, until: anyio.Event) -> None:
    await made.loop.work(until)


@dataclass(repr=False, eq=False)
class House:
    """Everything of one story.

    Attributes:
        draw: the network's and the world's luck. latency: of each way, in seconds. cut_off: vendors nobody reaches.
        closed: routes nobody reaches, as the beginnings of their paths. asleep: until when the process stands still.
            trusted: whether the vendors' certificates are.
        variants: other configurations, each by what it changes. narrowed: flows of which a direction was closed once:
            what was edited meanwhile over there stays there. gave_way: values that gave way to a conflict rule, by
            flow and both ids, as states told that were replaced by an older one.
        work: what a life does; a broken engine is another one.
    """

    seed: int
    world: World
    config: Config
    disk: Disk
    safe: Safe
    time: Time = field(default_factory=Time)
    latency: tuple[float, float] = (0.02, 0.2)
    cut_off: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    asleep: float = 0.0
    trusted: bool = True
    variants: Mapping[str, Config] = field(default_factory=dict)
    gave_way: dict[tuple[str, str | None, str | None], set[str | None]] = field(default_factory=dict)
    room: Roomy = field(default_factory=Roomy)
    requests: int = 0
    kills: int = 0
    restored: int = 0
    narrowed: set[str] = field(default_factory=set)
    life: Life | None = None
    work: Callable[[App, anyio.Event], Any] = _work

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.luck = Luck(self.seed + 1)
        self.watch = Watch(self)

    # --- the daemon ---

    def start(self) -> None:
        """A new process."""
        assert self.life is None
        loop = VirtualLoop(self.time.past)
        self.time.loop = loop
        self.life = life = Life(self, loop)
        self.disk.on_kill = lambda: setattr(life, "dead", True)
        life.over = loop.create_task(life.run())

    def run(self, seconds: float) -> None:
        """Time passes, with or without a daemon. A death it is about to die happens in here."""
        until = self.time.elapsed() + seconds
        while (left := until - self.time.elapsed()) > 1e-9:
            step = min(left, self._carry())
            if self.life is None:
                self.time.past += step
                continue
            if (stopped := self.asleep - self.time.elapsed()) > 0:
                self.life.loop.now += min(step, stopped)
                continue
            try:
                self.life.loop.run_for(step)
            except Killed:
                self.bury()
                continue
            self._fail_if_over()
            if self.life.dead:
                self.bury()

    def _fail_if_over(self) -> None:
        assert self.life is not None
        assert self.life.over is not None
        if self.life.over.done() and not self.life.dead:
            if isinstance(self.life.over.exception(), StoreLocked):
                self.life.dead = True  # a start that waited too long for the lock: it is for another to try again
                return
            self.life.over.result()
            raise AssertionError("the daemon ended by itself")

    def kill(self) -> None:
        """SIGKILL, now."""
        if self.life is not None:
            self.bury()

    def kill_after(self, callbacks: int | None = None, statements: int | None = None) -> None:
        """SIGKILL, at so many awaits or statements from now."""
        if self.life is not None:
            self.life.loop.left, self.disk.statements = callbacks, statements

    def bury(self) -> None:
        assert self.life is not None
        self.life.dead = True
        self.time.past, self.time.loop = self.life.loop.now, None
        self.disk.statements = None
        self.life.loop.bury()
        self.life = None
        self.kills += 1
        self.watch.compare()

    def ask(self, question: Callable[[Store], Any]) -> Any:
        """What the state says, read between two steps of whoever runs."""
        store, left = Store(self.disk.inline, Seal(None)), self.disk.statements
        self.disk.statements = None  # it is not the daemon that asks
        try:
            return _at_once(question(store))
        finally:
            self.disk.statements = left

    def shown(self) -> Row:
        """What the status page shows; its figures and metrics are read by whoever looks for secrets."""
        assert self.life is not None
        assert self.life.app is not None
        app, found = self.life.app, dict[str, Any]()

        async def look() -> None:
            found["status"] = await Reader(app).status()
            found["metrics"] = (await exposition(app)).decode()

        looked = self.life.loop.create_task(look())
        self.run(1)
        looked.result()
        self.watch.read("metrics", found["metrics"])
        return found["status"]  # type: ignore[no-any-return]

    # --- the world's own doings ---

    def _carry(self) -> float:
        """Deliver webhooks that are due; returns for how many seconds there is nothing to do."""
        now = self.time.true()
        for attempt in self.world.due(now):
            self._post(attempt)
        due = self.world.next_settling()
        return 60.0 if due is None else min(60.0, max(0.05, (due - self.world.clock(now)).total_seconds()))

    def _post(self, attempt: Attempt) -> None:
        """A webhook: to the daemon's intake if one lives, else to a closed port."""
        life, now = self.life, self.time.true()
        asleep = self.asleep > self.time.elapsed()
        if asleep or life is None or life.app is None or not life.app.intake.doors:
            self.world.answered(attempt, 0, "refused", now)
            return
        intake = life.app.intake
        headers = {name.lower(): value for name, value in attempt.headers.items()}

        async def received() -> None:
            status = 0
            try:
                door = intake.doors[DOORS[attempt.vendor]]
                verdict = await intake.receive(door, "POST", headers, attempt.body)
                if verdict is Verdict.STORED:
                    self.watch.stored(door, headers, attempt.body, intake._addressed)
                status = {Verdict.STORED: 200, Verdict.LATER: 503}.get(verdict, 401)
            finally:
                self.world.answered(attempt, status, "", self.time.true())

        life.loop.create_task(received())

    # --- people ---

    def person(self, vendor: str, op: str, kind: str, id: str | None = None, **fields: Any) -> Row:
        """Somebody does something on a vendor's screen. Raises `Refusal`."""
        return self.world.vendors[vendor].person(op, kind, id, fields, self.world.clock(self.time.true()))


@dataclass(frozen=True)
class Beginning:
    """What every story begins from: vendors and a state that know each other, made once a process."""

    vendors: bytes
    picture: bytes
    safe: Mapping[tuple[str, str], str]
    elapsed: float
    config: Config
    variants: Mapping[str, Config]

    def house(self, seed: int) -> House:
        world = World(pickle.loads(self.vendors))
        for vendor in VENDORS:
            _listen(world, vendor, seed)
        disk = Disk()
        disk.restore(self.picture)
        safe = Safe()
        safe.kept |= self.safe
        variants = {name: replace(config, state_dir=disk.folder) for name, config in self.variants.items()}
        config = replace(self.config, state_dir=disk.folder)
        made = House(seed, world, config, disk, safe, variants=variants)
        made.time.past = self.elapsed
        return made


def beginning(clear: Callable[[World], None], *changes: tuple[str, str], looked: bool = True) -> Beginning:
    """Vendors with little in them, and a daemon that has looked at it all, or has yet to."""
    world = create_world()
    clear(world)
    config = _config(world, changes)
    disk = Disk()
    _at_once(disk.inline.write(migrate.upgrade))
    house = House(0, world, config, disk, Safe())
    if looked:
        house.start()
        house.run(900)
        house.kill()
    variants = {name: _config(world, [*changes, change]) for name, change in VARIANTS.items()}
    vendors, picture = pickle.dumps(dict(world.vendors)), disk.picture()
    return Beginning(vendors, picture, dict(house.safe.kept), house.time.past, config, variants)


def _config(world: World, changes: Sequence[tuple[str, str]]) -> Config:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "syncd.toml"
        given = {name: vendor.credentials() for name, vendor in world.vendors.items()}
        file.write_text(
            _TEXT.format(
                address=ADDRESS,
                public=PUBLIC,
                start=(EPOCH - timedelta(days=2)).isoformat(),
                **{f"{vendor}_{name}": value for vendor, own in given.items() for name, value in own.items()},
            )
        )
        text = file.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        file.write_text(text)
        return load(file, _environ(given))


def _environ(given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"{vendor}_{name}".upper(): value for vendor, own in given.items() for name, value in own.items()}


def _listen(world: World, vendor: str, seed: int) -> None:
    outgoing = world.outgoing[vendor]
    told = {"webhook_url": f"{PUBLIC}/webhooks/{DOORS[vendor]}", "webhook_seed": seed}
    how = outgoing.settings.changed(told)
    outgoing.configure(how, reseed=True)


def _at_once(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


_TEXT = """
[daemon]
listen = "127.0.0.1:8300"
open_on_loopback = true
state_dir = "state"

[webhooks]
listen = "127.0.0.1:8301"
public_url = "{public}"

[connections.crm]
vendor = "hubspot"
url = "{address}/hubspot"
token = {{ env = "HUBSPOT_TOKEN" }}
webhook_secret = {{ env = "HUBSPOT_WEBHOOK_SECRET" }}

[connections.books]
vendor = "quickbooks"
url = "{address}/quickbooks"
client_id = "{quickbooks_client_id}"
client_secret = {{ env = "QUICKBOOKS_CLIENT_SECRET" }}
refresh_token = {{ env = "QUICKBOOKS_REFRESH_TOKEN" }}
account = "{quickbooks_realm_id}"
webhook_secret = {{ env = "QUICKBOOKS_WEBHOOK_SECRET" }}

[syncs.invoicing]
recipe = "hubspot-quickbooks"
left = "crm"
right = "books"
start = {start}
poll = "1m"
approval = "off"

[syncs.invoicing.flows.contacts]
direction = "both"

[syncs.invoicing.flows.invoices]
direction = "both"
conflict = "left"
options = {{ custom_line_item_account = "Services" }}
"""
