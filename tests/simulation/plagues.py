"""What befalls the process, its state, its configuration and its consent. Each of it ends, and is cured."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
from sqlalchemy.exc import OperationalError

from syncd import recipes, remap
from syncd.actions import Wish, ask
from syncd.backups import Place, backup, restore
from syncd.controls import control
from syncd.errors import StateBusy
from syncd.model.action import ActionName
from syncd.ownership.local import owned
from syncd.sandbox.base import Refusal, Request
from syncd.sandbox.quickbooks.oauth import AUTHORIZE, CLIENT, REVOKE, SCOPE, SECRET, TOKEN
from syncd.store.store import Tx
from tests.simulation.checkers import remember
from tests.simulation.house import VENDORS, House, Life
from tests.simulation.nemesis import FIRED, Nemesis

SYNC, FLOWS = "invoicing", ("contacts", "products", "invoices", "payments")
SEEN = 60.0  # seconds after which a daemon has looked at everything, and a person at the page
KNOWN = 0.4  # of the plagues, in one story
ROUTES = (
    "/hubspot/crm/v3/objects/contacts",
    "/hubspot/crm/v3/objects/invoices",
    "/hubspot/crm/v3/objects/commerce_payments",
    "/hubspot/crm/v4",
    "/quickbooks/v3/company",
    "/quickbooks/oauth2",
)
DRIFTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "hubspot": (
        {"path": "results.*.properties.hs_invoice_status", "value": "brewing"},
        {"path": "results.*.properties.a_new_property", "value": "new"},
        {"path": "results.*.properties", "remove": True},
        {"path": "results.*.id", "remove": True},
    ),
    "quickbooks": (
        {"path": "BatchItemResponse.*.QueryResponse.Invoice.*.TotalAmt", "value": "a lot"},
        {"path": "BatchItemResponse.*.QueryResponse.Invoice.*.Novelty", "value": {"name": "new"}},
        {"path": "CDCResponse.*.QueryResponse.*.Invoice.*.SyncToken", "remove": True},
        {"path": "CDCResponse.*.QueryResponse.*.Customer.*.MetaData", "remove": True},
    ),
}


class Plagues(Nemesis):
    """Everything that can befall a story; each knows some of it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        kinds: tuple[Callable[[], str], ...] = (
            self._pause,
            self._reload,
            self._rest,
            self._second,
            self._older,
            self._revoke,
            self._no_room,
            self._lock,
            self._partition,
            self._swizzle,
            self._slow_network,
            self._mass_edit,
            self._mass_delete,
            self._drift,
        )
        self.known = [kind for kind in kinds if self.draw.random() < KNOWN]
        self.later: list[tuple[float, Callable[[], object]]] = []
        self.original, self.copied, self.remap = self.house.config, False, False

    def strike(self) -> str:
        """Something old or new goes wrong; what was to end by now does."""
        self.tick()
        if not self.known or self.draw.random() < 0.5:
            return super().strike()
        told = self.draw.choice(self.known)()
        self.struck[told.split(":")[0]] += 1
        return told

    def tick(self) -> None:
        """What was to happen by now happens."""
        now = self.house.time.elapsed()
        due, self.later = [t for t in self.later if t[0] <= now], [t for t in self.later if t[0] > now]
        for _, do in sorted(due, key=lambda each: each[0]):
            do()

    def recover(self) -> None:
        super().recover()
        house = self.house
        self.later.clear()
        house.closed.clear()
        house.asleep, house.disk.locked, house.latency = 0.0, False, House.latency
        house.disk.fill(False)
        house.config = self.original
        for flow in FLOWS:
            _tell(house, "resume", flow)
        self._consent()

    def heal(self) -> None:
        """A person looks at what is held or failed, lets go the one and has the other looked at again."""
        life = self.house.life
        assert life is not None
        life.loop.create_task(self._heal(life))

    async def _heal(self, life: Life) -> None:
        await anyio.sleep(SEEN)
        assert life.app is not None
        for flow in FLOWS:
            await life.app.control("release", SYNC, flow)
        if self.remap:
            await remap.mark(life.app.engine, SYNC, "contacts")
        retry(self.house)

    # --- the process and its state ---

    def _pause(self) -> str:
        seconds = self.draw.uniform(1, 120)
        self.house.asleep = self.house.time.elapsed() + seconds
        return f"pause: {seconds:.0f} s"

    def _second(self) -> str:
        """Another daemon is started on the same state: it is told that somebody is at work."""
        if self.house.life is None or self.house.life.app is None:
            return "second: nobody is there"
        try:
            with owned(self.house.disk.folder, "run"):
                raise AssertionError("two daemons on one state")
        except StateBusy:
            return "second: refused"

    def _older(self) -> str:
        """The state is copied; some time later that copy is put back."""
        house = self.house
        if self.copied or house.disk.locked or house.room.full:
            return "older: not now"
        self.copied = True
        copy = house.disk.folder / f"copy-{house.time.elapsed()}.db"
        backup(Place(house.disk.folder), copy, 1, house.time.now())
        self._after(self.draw.choice((20, 100, 400)), lambda: self._put_back(copy))
        return "older: a copy is made"

    def _put_back(self, copy: Any) -> None:
        house, self.copied = self.house, False
        house.kill()
        house.disk.fill(False)
        remember(house)
        house.disk.inline.leave()
        restore(Place(house.disk.folder), copy, house.time.now())
        house.disk.open()
        house.restored += 1
        house.watch.replaced()
        self.struck["restored"] += 1

    def _no_room(self) -> str:
        self.house.disk.fill(True)
        self._after(self.draw.choice((5, 60, 200)), lambda: self.house.disk.fill(False))
        return "no room: SQLite says so"

    def _lock(self) -> str:
        self.house.disk.locked = True
        seconds = self.draw.choice((2, 20, 50))
        self._after(seconds, lambda: setattr(self.house.disk, "locked", False))
        return f"locked: {seconds} s"

    # --- the configuration ---

    def _reload(self) -> str:
        name = self.draw.choice(sorted(self.house.variants))
        self.house.config = self.house.variants[name]
        if (flow := name.split()[0]) in FLOWS:
            self.house.narrowed.add(flow)
        self.remap |= "telephones" in name  # mappings are not retroactive unless a person asks for it
        self._after(self.draw.choice((10, 60, 200)), self._back)
        return f"reload: {name}"

    def _back(self) -> None:
        self.house.config = self.original
        self._after(5, lambda: release(self.house))

    def _rest(self) -> str:
        """Somebody pauses a flow, and resumes it later: nothing is missed."""
        house, flow = self.house, self.draw.choice(FLOWS)
        _tell(house, "pause", flow)
        self._after(self.draw.choice((20, 100)), lambda: _tell(house, "resume", flow))
        return f"rest: {flow}"

    # --- the network ---

    def _partition(self) -> str:
        self.house.cut_off |= set(VENDORS)
        self._after(self.draw.choice((5, 60, 200)), self.house.cut_off.clear)
        return "partition: both"

    def _swizzle(self) -> str:
        """Routes fail one by one and come back in another order."""
        some = self.draw.sample(ROUTES, self.draw.randint(2, len(ROUTES)))
        for number, route in enumerate(some):
            self._after(5 * number, lambda route=route: self.house.closed.add(route))
        for number, route in enumerate(self.draw.sample(some, len(some))):
            self._after(5 * (len(some) + number), lambda route=route: self.house.closed.discard(route))
        return f"swizzle: {some}"

    def _slow_network(self) -> str:
        self.house.latency = self.draw.choice(((1.0, 4.0), (3.0, 12.0)))
        self._after(self.draw.choice((30, 120)), lambda: setattr(self.house, "latency", House.latency))
        return f"slow network: {self.house.latency} s"

    # --- the vendors ---

    def _drift(self) -> str:
        """A vendor's answers are not what they were."""
        vendor = self.draw.choice(VENDORS)
        options = self.draw.choice(DRIFTS[vendor])
        order = {"fault": "mutate", "probability": FIRED, "seed": self.draw.randrange(1000), "options": options}
        self.house.world.faults.arm(self.house.world.vendors[vendor], {**order, "times": 3})
        return f"drift: {vendor} {options}"

    def _revoke(self) -> str:
        """Somebody disconnects the app in QuickBooks; some time later somebody connects it again."""
        if (token := self._refresh_token()) is None:
            return "revoked: not connected yet"
        self._books("POST", REVOKE, json.dumps({"token": token}).encode())
        self._after(self.draw.choice((30, 200)), self._consent)
        return "revoked: books"

    def _refresh_token(self) -> str | None:
        kept = self.house.safe.kept.get(("books", "books.oauth"))
        return None if kept is None else str(json.loads(kept)["refresh_token"])

    def _consent(self) -> None:
        """What `syncd connect` does: a person agrees, the new pair is kept, the daemon is told."""
        query = (
            f"client_id={CLIENT}&response_type=code&scope={SCOPE}&redirect_uri=http://localhost:8411/callback&state=x"
        )
        there = urlsplit(self._books("GET", AUTHORIZE, query=query).headers["Location"])
        code = parse_qs(there.query)["code"][0]
        body = f"grant_type=authorization_code&code={code}&redirect_uri=http://localhost:8411/callback"
        granted = json.loads(self._books("POST", TOKEN, body.encode()).body)
        key = ("books", "books.oauth")
        kept = json.loads(self.house.safe.kept[key]) if key in self.house.safe.kept else {"seed": ""}
        made = {"refresh_token": granted["refresh_token"], "access_token": "", "expires_at": None, "previous": ""}
        self.house.safe.kept[key] = json.dumps(kept | made)
        life = self.house.life
        if life is not None and life.app is not None:
            life.loop.create_task(life.app.connection("reconnected", "books"))

    def _books(self, method: str, path: str, body: bytes = b"", query: str = "") -> Any:
        headers = {"authorization": f"Basic {b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}"}
        moment = self.house.world.clock(self.house.time.true())
        return self.house.world.vendors["quickbooks"].handle(Request(method, path, query, headers, body), moment)

    # --- people with a spreadsheet ---

    def _mass_edit(self) -> str:
        rows = [row for row in self.house.world.vendors["hubspot"].records("contacts") if not row["archived"]]
        number = f"+1 555 {self.draw.randint(1000000, 9999999)}"
        for row in rows:
            self.house.person("hubspot", "update", "contacts", row["id"], phone=number)
        self._after(120, lambda: release(self.house))
        return f"mass edit: {len(rows)} contacts"

    def _mass_delete(self) -> str:
        rows, n = self.house.world.vendors["quickbooks"].records("Payment"), 0
        for row in rows[-30:]:
            try:
                self.house.person("quickbooks", "delete", "Payment", row["Id"])
                n += 1
            except Refusal:
                continue
        self._after(120, lambda: release(self.house))
        return f"mass delete: {n} payments"

    def _after(self, seconds: float, do: Callable[[], object]) -> None:
        self.later.append((self.house.time.elapsed() + seconds, do))


def release(house: House) -> None:
    """A person has looked at what breakers hold, and lets it go."""
    for flow in FLOWS:
        _tell(house, "release", flow)


def _tell(house: House, action: str, flow: str) -> None:
    now = house.time.now()
    with suppress(OperationalError):  # the disk is full: told again in the end
        house.ask(lambda store: store.write(lambda tx: control(tx, action, SYNC, flow, now)))


def retry(house: House) -> None:
    """A person has everything that failed looked at again."""
    now, wish = house.time.now(), Wish(name=ActionName.RETRY, by="page")
    rules = recipes.build(SYNC, house.config.raw["syncs"][SYNC], house.config.syncs[SYNC].start or now)

    def body(tx: Tx) -> None:
        failed = tx.list_records(status="failed", limit=10_000).rows
        ask(tx, [rules], [record.id for record in failed], wish, now, house.luck.new_id)

    house.ask(lambda store: store.write(body))
