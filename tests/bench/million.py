"""What is asked of a state with a million records: the local part of the money proof, and one explanation."""

import random
import resource
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from syncd.app import opened
from syncd.auditing import PageProof, Report, Scope, pages
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
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def _invoice(number: int, side: Side) -> Snapshot:
    line = Line(id="1", product="1", description="Gardening", quantity=Decimal(2), unit_price=Decimal(10))
    noun = Invoice(
        status=InvoiceStatus.OPEN,
        currency="USD",
        total=Decimal(60),
        balance=Decimal(60),
        number=f"INV-{number}",
        customer=str(number % 5000),
        issue_date=date(2026, 1 + number % 12, 1),
        lines=(replace(line, amount=Decimal(20)),) * 3,
    )
    return Snapshot(kind=Kind.INVOICE, id=f"{side[0]}{number}", version="1", noun=noun)


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
    """A vendor that answers at once: what is measured is our own work."""

    def __init__(self, side: Side) -> None:
        self._side = side

    async def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Snapshot]:
        return {id: _invoice(int(id[1:]), self._side) for id in ids} if kind is Kind.INVOICE else {}


async def run(records: int = MILLION) -> list[Figure]:
    """Fill a state, then go through all of it."""
    async with house(1) as home:
        config = home.config
        connections = {Side.LEFT: "crm", Side.RIGHT: "books"}
        async with opened(config, "bench") as app:
            for first in range(0, records, PIECE):
                await app.store.write(partial(_piece, first=first, connections=connections))
            app.engine.connectors = {connections[side]: _Shelf(side) for side in Side}  # type: ignore[assignment]
            sync = app.syncs[0]
            report = Report(sync, sync.flow("invoices"))
            started = time.process_time()
            async for page in pages(app, sync, report.flow):
                await PageProof(app, report, Scope()).compare(page)
            spent = time.process_time() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
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
