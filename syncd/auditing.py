"""`syncd reconcile`: reads the documents of both sides afresh, a page at a time, and says where they differ and why.

Nothing is written, neither to a vendor nor to the state. What is in memory is a page, the differences, and the control
totals per customer and month.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from syncd.app import opened
from syncd.bring import naming
from syncd.config import Config
from syncd.connectors.base import ConnectionTrouble
from syncd.connectors.errand import Errand, on
from syncd.core.audit import Amounts, Control, Controls, Difference, Month, Seen, alike, amounts, compared, document
from syncd.core.rules import FlowRules, SyncRules
from syncd.core.variance import stands
from syncd.errors import PermissionRefused, UsageError, VendorUnreachable
from syncd.health import FINAL
from syncd.model.nouns import Invoice, Payment
from syncd.model.record import Priority
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.values import decimal_text
from syncd.running import App
from syncd.status.view import moment
from syncd.store.codec import same_content
from syncd.store.store import Tx
from syncd.store.tx_audit import Standing

PAGE = 500  # documents: full vendor batches, and little memory

Progress = Callable[[int, int], None]
Customers = tuple[str | None, str | None]
"""Who a document is for: ids on the left and on the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to prove: all there is unless something is named. Days are those of the documents, both included."""

    sync: str | None = None
    flow: str | None = None
    since: date | None = None
    until: date | None = None

    def covers(self, snapshots: Iterable[Snapshot]) -> bool:
        """Whether a document, by what is known of it, lies within the days asked for."""
        days = [s.noun.issue_date for s in snapshots if isinstance(s.noun, Invoice) and s.noun.issue_date]
        return not days or any(
            (self.since is None or day >= self.since) and (self.until is None or day <= self.until) for day in days
        )


@dataclass(slots=True)
class Report:
    """What one flow's proof came to."""

    sync: SyncRules
    flow: FlowRules
    documents: int = 0
    differences: list[Difference] = field(default_factory=list)
    controls: Controls = field(default_factory=Controls)


async def prove(config: Config, scope: Scope, progress: Progress | None = None) -> dict[str, Any]:
    """Compare every document of the scope.

    Raises:
        UsageError: there is no such sync or flow, or the flow holds no documents.
        VendorUnreachable, PermissionRefused: a side cannot be read; nothing is proven then.
    """
    async with opened(config, None) as app:
        places = _chosen(app, scope)
        reports = []
        try:
            with on(Errand(priority=Priority.BACKFILL)):
                for sync, flow in places:
                    reports.append(await _flow(app, sync, flow, scope, progress))
        except ConnectionTrouble as trouble:
            raised = PermissionRefused if trouble.condition in FINAL else VendorUnreachable
            raise raised(f"{trouble.connection}: {trouble}; nothing is proven") from trouble
        return _told(reports, moment(app.clock.now()))


def _chosen(app: App, scope: Scope) -> list[tuple[SyncRules, FlowRules]]:
    syncs = [sync for sync in app.syncs if scope.sync in (None, sync.name)]
    if not syncs:
        raise UsageError(f"there is no sync “{scope.sync}”; there is {', '.join(sync.name for sync in app.syncs)}")
    found = [(s, f) for s in syncs for f in s.flows if f.kind is Kind.INVOICE and scope.flow in (None, f.name)]
    if not found:
        named = sorted({f.name for s in syncs for f in s.flows if f.kind is Kind.INVOICE})
        raise UsageError(f"“{scope.flow}” holds no documents to compare; there is {', '.join(named)}")
    return found


async def _flow(app: App, sync: SyncRules, flow: FlowRules, scope: Scope, progress: Progress | None) -> Report:
    report = Report(sync, flow)
    counts = await app.store.read(lambda tx: tx.counts())
    known = sum(c.n for c in counts if (c.sync, c.flow) == (sync.name, flow.name) and c.status in _COUNTED)
    done = 0
    proof = Proof(app, report, scope)
    async for page in pages(app, sync, flow):
        await proof.compare(page)
        done += len(page)
        if progress is not None:
            progress(done, max(known, done))
    return report


_COUNTED = frozenset({"synced", "pending", "failed"})


async def pages(app: App, sync: SyncRules, flow: FlowRules) -> AsyncIterator[list[Standing]]:
    after: Standing | None = None
    while True:

        def following(tx: Tx, place: Standing | None = after) -> list[Standing]:
            return tx.audit_page(sync.name, flow.name, place, PAGE)

        page = await app.store.read(following)
        if not page:
            return
        yield page
        after = page[-1]


class Proof:
    """One flow's documents on their way through the proof, page by page.

    Most of them amount to the same on both sides. Only of the others more is looked at than the two amounts.
    """

    def __init__(self, app: App, report: Report, scope: Scope) -> None:
        self._app = app
        self._report = report
        self._scope = scope
        self._sync = report.sync
        self._kind = report.flow.kind
        self._names: dict[Customers, str] = {}

    async def compare(self, page: Sequence[Standing]) -> None:
        """Read both sides, compare, and take what comes of it into the report."""
        page = await self._covered(page)
        fresh = {
            side: await self._read(side, self._kind, [i for one in page if (i := _id(one, side))]) for side in Side
        }
        left, right = fresh[Side.LEFT], fresh[Side.RIGHT]
        doubtful: list[Standing] = []
        agreed: list[tuple[Invoice, Invoice]] = []
        for one in page:
            here, there = document(left.get(one.left or "")), document(right.get(one.right or ""))
            if not alike(here, there):
                doubtful.append(one)
            elif here is not None and there is not None:
                agreed.append((here, there))
        await self._name({(here.customer, there.customer) for here, there in agreed})
        self._report.documents += len(agreed)
        for here, there in agreed:
            self._report.controls.agree(self._names[(here.customer, there.customer)], there)
        if doubtful:
            await self._explain(doubtful, fresh)

    async def _explain(self, page: Sequence[Standing], fresh: Mapping[Side, Mapping[str, Snapshot]]) -> None:
        """Say of documents that do not amount to the same why that is."""
        known = await self._app.store.read(lambda tx: self._versions(tx, page))
        records = await self._app.store.read(lambda tx: tx.records([one.id for one in page]))
        paid = {side: await self._payments(side, [i for one in page if (i := _id(one, side))]) for side in Side}
        seen = {one.id: {side: self._seen(one, side, fresh[side], known[side]) for side in Side} for one in page}
        for one in page:
            seen[one.id] = await self._without_touches(one, seen[one.id])
        shown = {one.id: _amounts(one, seen[one.id]) for one in page}
        customers = {id: _customers_of(both) for id, both in shown.items()}
        await self._name(set(customers.values()))
        for one in page:
            difference = None
            if (record := records.get(one.id)) is not None:
                both = seen[one.id]
                both = {side: _with(both[side], paid[side].get(_id(one, side) or "", ())) for side in Side}
                accepted = stands(record, {side: look.snapshot for side, look in both.items()}, self._report.flow)
                difference = compared(record, both[Side.LEFT], both[Side.RIGHT], accepted=accepted)
            self._take(shown[one.id], self._names[customers[one.id]], difference)

    def _take(self, sides: Mapping[Side, Amounts | None], customer: str, difference: Difference | None) -> None:
        day = next(amount.day for side in (Side.RIGHT, Side.LEFT) if (amount := sides[side]) is not None)
        self._report.documents += 1
        self._report.controls.add(customer, day, sides, difference)
        if difference is not None:
            self._report.differences.append(difference)

    def _refs(self, one: Standing) -> list[EntityRef]:
        ids = {side: _id(one, side) for side in Side}
        return [EntityRef(self._sync.connection(side), self._kind, id) for side, id in ids.items() if id]

    async def _covered(self, page: Sequence[Standing]) -> Sequence[Standing]:
        """Those of the days that are asked for, by what we last saw."""
        if self._scope.since is None and self._scope.until is None:
            return page
        stored = await self._app.store.read(lambda tx: tx.snapshots([ref for one in page for ref in self._refs(one)]))
        return [one for one in page if self._scope.covers(stored[r] for r in self._refs(one) if r in stored)]

    def _versions(self, tx: Tx, page: Sequence[Standing]) -> dict[Side, dict[str, tuple[str, Presence]]]:
        return {
            side: tx.entity_versions(
                self._sync.connection(side), self._kind, [id for one in page if (id := _id(one, side))]
            )
            for side in Side
        }

    def _seen(
        self,
        one: Standing,
        side: Side,
        fresh: Mapping[str, Snapshot],
        known: Mapping[str, tuple[str, Presence]],
    ) -> Seen:
        id = _id(one, side)
        snapshot = fresh.get(id or "")
        if id is None or snapshot is None:
            return Seen(snapshot=None)
        return Seen(snapshot=snapshot, news=known.get(id) != (snapshot.version, snapshot.presence))

    async def _without_touches(self, one: Standing, both: Mapping[Side, Seen]) -> dict[Side, Seen]:
        """A new version is no news where it holds what the last one did: vendors and we ourselves touch documents."""
        refs = {
            side: EntityRef(self._sync.connection(side), self._kind, _id(one, side) or "")
            for side, seen in both.items()
            if seen.news
        }
        known = await self._app.store.read(lambda tx: tx.snapshots(list(refs.values()))) if refs else {}
        touched = {
            side
            for side, ref in refs.items()
            if (fresh := both[side].snapshot) is not None and ref in known and same_content(known[ref], fresh)
        }
        return {side: replace(seen, news=seen.news and side not in touched) for side, seen in both.items()}

    async def _read(self, side: Side, kind: Kind, ids: Sequence[str]) -> Mapping[str, Snapshot]:
        connection = self._sync.connection(side)
        with naming(connection):
            return await self._app.engine.connectors[connection].read(kind, ids) if ids else {}

    async def _payments(self, side: Side, invoices: Sequence[str]) -> Mapping[str, tuple[Payment, ...]]:
        """What pays these invoices, read now; by invoice."""
        connection, keys = self._sync.connection(side), [MatchKey("invoice", id) for id in invoices]
        known = await self._app.store.read(lambda tx: tx.find_entities(connection, Kind.PAYMENT, keys))
        ids = list(dict.fromkeys(s.id for found in known.values() for s in found))
        fresh = await self._read(side, Kind.PAYMENT, ids)
        nouns = [s.noun for s in fresh.values() if s.presence is Presence.PRESENT and isinstance(s.noun, Payment)]
        return {id: tuple(p for p in nouns if any(a.invoice == id for a in p.allocations)) for id in invoices}

    async def _name(self, wanted: set[Customers]) -> None:
        """One name for the customers of both sides: their record's."""
        if new := wanted - self._names.keys():
            labels = await self._app.store.read(lambda tx: self._labels(tx, new))
            self._names |= {customers: _named(customers, labels) for customers in new}

    def _labels(self, tx: Tx, wanted: set[Customers]) -> dict[tuple[Side, str], str]:
        flow = self._report.flow.customers
        if flow is None:
            return {}
        made: dict[tuple[Side, str], str] = {}
        for place, side in enumerate(Side):
            ids = {id for customers in wanted if (id := customers[place]) is not None}
            found = tx.records_of_entities(self._sync.name, flow, side, sorted(ids))
            made |= {(side, id): record.label or record.id for id, record in found.items()}
        return made


def _id(one: Standing, side: Side) -> str | None:
    return one.left if side is Side.LEFT else one.right


def _with(seen: Seen, payments: tuple[Payment, ...]) -> Seen:
    return Seen(snapshot=seen.snapshot, payments=payments, news=seen.news)


def _amounts(one: Standing, both: Mapping[Side, Seen]) -> dict[Side, Amounts | None]:
    return {side: amounts(both[side], _id(one, side) or "") for side in Side}


def _customers_of(both: Mapping[Side, Amounts | None]) -> Customers:
    left, right = both[Side.LEFT], both[Side.RIGHT]
    return (None if left is None else left.customer, None if right is None else right.customer)


def _named(customers: Customers, labels: Mapping[tuple[Side, str], str]) -> str:
    of = [(side, id) for side, id in zip(Side, customers, strict=True) if id is not None]
    known = [labels[one] for one in reversed(of) if one in labels]
    return known[0] if known else next((f"{side} {id}" for side, id in of), "")


def _told(reports: Sequence[Report], as_of: str | None) -> dict[str, Any]:
    """The answer, in an order that is the same every time."""
    proofs = [_proof(report) for report in reports]
    return {"schema": 1, "as_of": as_of, "unexplained": sum(proof["unexplained"] for proof in proofs), "proofs": proofs}


def _proof(report: Report) -> dict[str, Any]:
    listed = sorted(report.differences, key=lambda one: (one.explained, one.cause, one.label, one.record))
    controls = [_control(*one) for one in report.controls.differing()]
    return {
        "sync": report.sync.name,
        "flow": report.flow.name,
        "left": report.sync.left,
        "right": report.sync.right,
        "documents": report.documents,
        "equal": report.documents - len(listed),
        "unexplained": sum(not one.explained for one in listed) + sum(not one["explained"] for one in controls),
        "differences": [_difference(one) for one in listed],
        "controls": controls,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "record": one.record,
        "label": one.label,
        "fields": list(one.fields),
        "left": None if one.left is None else one.left.plain(),
        "right": None if one.right is None else one.right.plain(),
        "cause": one.cause.value,
        "explained": one.explained,
        "words": one.words,
        "digest": one.digest,
    }


def _control(month: Month, control: Control, explained: bool) -> dict[str, Any]:
    customer, name, currency = month
    sides = {
        side.value: {
            "documents": sums.documents,
            "total": decimal_text(sums.total),
            "balance": decimal_text(sums.balance),
        }
        for side in Side
        for sums in [control.of(side)]
    }
    return {"customer": customer, "month": name, "currency": currency, **sides, "explained": explained}
