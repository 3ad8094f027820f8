"""What is asked of a state with a million records: the local part of the money proof, and one explanation."""

import gc
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from math import lcm
from pathlib import Path

from syncd.app import opened
from syncd.auditing import Proof, Report, Scope, pages
from syncd.core.content import match_keys
from syncd.model.content import Content
from syncd.model.nouns import Invoice, InvoiceStatus, Line
from syncd.model.record import Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Snapshot
from syncd.status.local import opened as reading
from syncd.status.reader import Reader
from syncd.store.rows import Observed
from syncd.store.store import Tx
from tests.bench.figures import Figure
from tests.bench.house import house

MILLION = 1_000_000
PIECE = 1000
CUSTOMERS, MONTHS = 5000, 12
NOW = datetime(2026, 11, 21, tzinfo=UTC)


LINE = Line(
    id="1", product="1", description="Gardening", quantity=Decimal(2), unit_price=Decimal(10), amount=Decimal(20)
)


def _noun(number: int) -> Invoice:
    return Invoice(
        status=InvoiceStatus.OPEN,
        currency="USD",
        total=Decimal(60),
        balance=Decimal(60),
        number=f"INV-{number}",
        customer=str(number % CUSTOMERS),
        issue_date=date(2026, 1 + number % MONTHS, 1),
        lines=(LINE,) * 3,
    )


def _invoice(number: int, side: Side) -> Snapshot:
    return Snapshot(kind=Kind.INVOICE, id=f"{side[0]}{number}", version="1", noun=_noun(number))


def _piece(tx: Tx, first: int, connections: Mapping[Side, str]) -> None:
    looks = [
        Observed(
            ref=EntityRef(connections[side], Kind.INVOICE, snapshot.id),
            snapshot=snapshot,
            keys=match_keys(snapshot.noun),
            cause="poll",
            at=NOW,
        )
        for number in range(first, first + PIECE)
        for side in Side
        for snapshot in [_invoice(number, side)]
    ]
    base = Content(fields={"number": "1", "total": Decimal(60), "due_date": date(2026, 12, 1), "comment": "Thanks"})
    tx.observe(looks)
    tx.save_records(
        [
            Record(
                id=f"{number:032x}",
                sync="invoicing",
                flow="invoices",
                left=f"l{number}",
                right=f"r{number}",
                origin=Side.LEFT,
                key=f"INV-{number}",
                label=f"INV-{number}",
                left_base=base,
                right_base=base,
                status=Status.SYNCED,
                code="",
                since=NOW,
            )
            for number in range(first, first + PIECE)
        ]
    )


class _Shelf:
    """A vendor that answers at once, with documents that lie ready: what is measured is our own work."""

    def __init__(self, ready: Sequence[Invoice]) -> None:
        self._ready = ready

    async def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Snapshot]:
        if kind is not Kind.INVOICE:
            return {}
        return {
            id: Snapshot(kind=kind, id=id, version="1", noun=self._ready[int(id[1:]) % len(self._ready)]) for id in ids
        }

    async def close(self) -> None: ...


def _settle_down() -> None:
    """What was needed to fill the state is forgotten; and what is there is not gone through again, as in a command."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here


def _peak() -> float:
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


async def run(records: int = MILLION) -> list[Figure]:
    """Fill a state, then go through all of it."""
    async with house(1) as home:
        config = home.config
        connections = {Side.LEFT: "crm", Side.RIGHT: "books"}
        async with opened(config, "bench") as app:
            for first in range(0, records, PIECE):
                await app.store.write(partial(_piece, first=first, connections=connections))
            shelf = _Shelf([_noun(number) for number in range(lcm(CUSTOMERS, MONTHS))])
            app.engine.connectors = dict.fromkeys(connections.values(), shelf)  # type: ignore[arg-type]
            sync = app.syncs[0]
            report = Report(sync, sync.flow("invoices"))
            proof = Proof(app, report, Scope())
            _settle_down()
            started = time.process_time()
            async for page in pages(app, sync, report.flow):
                await proof.compare(page)
            spent = time.process_time() - started
        memory = _peak()
        asked = []
        async with reading(config, {}) as source:
            for number in random.Random(1).sample(range(records), 200):
                began = time.perf_counter()
                await Reader(source).explain(f"{number:032x}")
                asked.append(1000 * (time.perf_counter() - began))
    return [
        Figure(
            name="audit",
            what=f"money proof of {records} documents, our part, CPU",
            unit="s",
            ours=spent,
            target=20.0 * records / MILLION,
        ),
        Figure(name="audit_memory", what="the most memory meanwhile", unit="MB", ours=memory, target=150.0),
        Figure(
            name="explain",
            what=f"explain at {records} records, p99",
            unit="ms",
            ours=statistics.quantiles(asked, n=100)[98],
            target=50.0,
        ),
    ]
