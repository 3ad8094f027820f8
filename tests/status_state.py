"""A small state as the status shows it: a record of each status, one with both sides and an account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from syncd import recipes
from syncd.config import Config, Connection, Daemon, Sync
from syncd.config_values import Listen
from syncd.errors import UsageError
from syncd.meters import Meters
from syncd.model.connection import ConnectionRow
from syncd.model.content import Content
from syncd.model.nouns import Invoice, InvoiceStatus, Line
from syncd.model.record import Activity, FieldChange, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Snapshot
from syncd.status.local import LocalSource, labels
from syncd.status.server import serving
from syncd.store.rows import Observed
from syncd.store.store import Store, Tx

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
METERS = Meters()
HOSTILE = '<script>alert("x")</script>'


class StoppedClock:
    """It is always noon."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("status never waits")


def configuration(tmp_path: Path, **daemon: object) -> Config:
    """Two connections, one sync, a listener on any free port of this machine."""
    sync = {"recipe": "hubspot-quickbooks", "left": "crm", "right": "books"}
    return Config(
        file=tmp_path / "syncd.toml",
        state_dir=tmp_path,
        daemon=Daemon.model_construct(
            **{"listen": Listen("127.0.0.1", 0), "language": "en", "open_on_loopback": True} | daemon
        ),
        connections={
            "crm": Connection.model_construct(vendor="hubspot"),
            "books": Connection.model_construct(vendor="quickbooks"),
        },
        syncs={"invoicing": Sync.model_construct(**sync)},
        raw={"syncs": {"invoicing": sync}},
    )


def record(number: int, status: Status = Status.SYNCED, code: str = "", **more: object) -> Record:
    return Record(
        **{
            "id": f"{number:032x}",
            "sync": "invoicing",
            "flow": "invoices",
            "left": f"hs-{number}",
            "label": f"INV-{number}",
            "status": status,
            "code": code,
            "since": NOW - timedelta(minutes=number),
        }
        | more
    )


def invoice(id: str, due: int) -> Snapshot:
    line = Line(id="1", name="Rope", quantity=Decimal(2), unit_price=Decimal("5.25"), amount=Decimal("10.50"))
    noun = Invoice(
        status=InvoiceStatus.OPEN,
        currency="USD",
        total=Decimal("10.50"),
        number="INV-1",
        due_date=date(2026, 12, due),
        lines=(line,),
    )
    return Snapshot(kind=Kind.INVOICE, id=id, version="7", noun=noun, source="crm_ui")


@asynccontextmanager
async def served(config: Config, store: Store, runtime: Path | None = None) -> AsyncIterator[str]:
    """Both listeners over the store while the block runs."""
    async with serving(source(config, store), (runtime or config.state_dir) / "syncd.sock") as address:
        yield address


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner(LocalSource):
    """A state whose owner plans nothing, has no history to let in, and no connection that could be left."""

    @property
    def planner(self) -> "Owner":
        return self

    @property
    def meters(self) -> Meters:
        return METERS

    def expiries(self) -> dict[str, datetime]:
        return {"books": NOW + timedelta(hours=1)}

    async def plan(self, sync: str | None, flow: str | None) -> dict[str, Any]:
        raise UsageError("nothing is planned here")

    async def apply(self, raw: object) -> dict[str, Any]:
        raise UsageError("nothing is planned here")

    async def outcome(self) -> dict[str, int]:
        return dict.fromkeys(("done", "failed", "waiting"), 0)

    async def backfill(self, sync: str, flow: str | None, since: datetime) -> dict[str, object]:
        raise UsageError("nothing is kept out for its age")

    async def backfills(self) -> dict[str, object]:
        return {"backfills": []}

    async def connection(self, action: str, name: str) -> dict[str, object]:
        raise UsageError("a fixed token")


def source(config: Config, store: Store) -> Owner:
    """What is served: the sync of the configuration over the store."""
    start = NOW - timedelta(days=30)
    rules = recipes.build("invoicing", config.raw["syncs"]["invoicing"], start)
    return Owner(store=store, config=config, clock=StoppedClock(), version="0.1", syncs=(rules,), labels=labels(config))


async def filled(tmp_path: Path) -> Store:
    """A new store in the directory, open, with five records."""
    store = await Store.open(f"sqlite:///{tmp_path}/syncd.db")
    await store.write(fill)
    return store


def fill(tx: Tx) -> None:
    base = Content(fields={"due_date": date(2026, 12, 1), "number": "INV-1"})
    records = [
        record(1, right="145", left_base=base, right_base=base, origin=Side.LEFT, notes=("payment_mirrored",)),
        record(2, Status.FAILED, "customer_missing", words=HOSTILE, label=HOSTILE),
        record(3, Status.PENDING, "waits_parent", waits_for=f"record:{2:032x}"),
        record(4, Status.EXCLUDED, "draft"),
        record(5, Status.PENDING, "waits_connection", waits_for="connection:books", flow="contacts"),
    ]
    change = FieldChange(field="due_date", old="2026-11-30", new="2026-12-01", side=Side.RIGHT)
    wrote = Activity(record=records[0].id, at=NOW, event="write.done", by="poll", changes=(change,), request_id="t-1")
    looks = [
        Observed(ref=EntityRef("crm", Kind.INVOICE, "hs-1"), snapshot=invoice("hs-1", 15), cause="poll", at=NOW),
        Observed(ref=EntityRef("books", Kind.INVOICE, "145"), snapshot=invoice("145", 1), cause="poll", at=NOW),
    ]
    tx.save_records(records)
    tx.add_activity([wrote, replace(wrote, event="record.linked", changes=(), request_id=None)])
    tx.observe(looks)
    tx.save_connection(
        ConnectionRow(name="crm", vendor="hubspot", account_id="77", account_name="Rope Ltd", last_success=NOW)
    )
    tx.save_connection(
        ConnectionRow(name="books", vendor="quickbooks", condition="vendor_unavailable", since=NOW, words="503")
    )
