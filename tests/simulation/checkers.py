"""Judges of a story: they go by the vendors' journals and by what the vendors hold, never by the daemon's word alone.

Each returns what is wrong, in words. `ALL` names them; for each there is a broken engine that it convicts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from syncd.model.record import Record, Status
from tests.acceptance import checkers as books_checkers
from tests.simulation.house import House, Row

CRM, BOOKS = "hubspot", "quickbooks"
KINDS = {
    "contacts": ("contacts", "Customer"),
    "products": ("products", "Item"),
    "invoices": ("invoices", "Invoice"),
    "payments": ("commerce_payments", "Payment"),
}
SHARED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "contacts": {"firstname": ("firstname", "GivenName"), "phone": ("phone", "PrimaryPhone.FreeFormNumber")},
    "invoices": {"due": ("hs_due_date", "DueDate")},
}
"""Fields both sides may edit: flow, name, and where they stand at each vendor."""


REMOVED = {("person", operation) for operation in ("delete", "archive", "merge")}


class Truth:
    """What both vendors hold and wrote down, with the interface the acceptance tests' judges know."""

    def __init__(self, house: House) -> None:
        self._world = house.world
        self._rows: dict[tuple[str, str], list[Row]] = {}

    async def records(self, vendor: str, kind: str) -> Sequence[Row]:
        return self.rows(vendor, kind)

    async def journal(self, vendor: str, after: int = 0) -> Sequence[Row]:
        return [asdict(entry) for entry in self._world.vendors[vendor].journal.entries[after:]]

    def rows(self, vendor: str, kind: str) -> list[Row]:
        key = (vendor, kind)
        if key not in self._rows:
            self._rows[key] = [*self._world.vendors[vendor].records(kind)]
        return self._rows[key]

    def by_id(self, vendor: str, kind: str) -> dict[str, Row]:
        return {row["id" if vendor == CRM else "Id"]: row for row in self.rows(vendor, kind)}


class _Restored(Truth):
    """The same for a state that was older once: of what somebody deleted meanwhile it cannot know that it was made."""

    async def journal(self, vendor: str, after: int = 0) -> Sequence[Row]:
        entries = await super().journal(vendor, after)
        gone = {(e["kind"], e["id"]) for e in entries if (e["caller"], e["operation"]) in REMOVED}
        return [e for e in entries if (e["kind"], e["id"]) not in gone]


@dataclass
class Evidence:
    """What a judge may look at. `begun`: the lengths of both journals before the story; `status`: the page's."""

    house: House
    truth: Truth
    records: Sequence[Record]
    begun: Mapping[str, int]
    late_writes: Sequence[str]
    unsettled: bool
    status: Row | None


def gather(
    house: House,
    begun: Mapping[str, int],
    late_writes: Sequence[str],
    unsettled: bool,
    status: Row | None = None,
) -> Evidence:
    records = house.ask(lambda store: store.read(lambda tx: tx.list_records(limit=100_000).rows))
    return Evidence(house, Truth(house), records, begun, late_writes, unsettled, status)


def duplicates(e: Evidence) -> list[str]:
    """Something was made twice."""
    truth = _Restored(e.house) if e.house.restored else e.truth
    found: list[str] = _now(books_checkers.duplicates(truth))  # type: ignore[arg-type]
    # The reference of a line that was removed may be given to another one.
    live = Counter(r["properties"].get("syncd_ref") for r in e.truth.rows(CRM, "line_items") if not r["archived"])
    return [each for each in found if "'line_items'" not in each or any(n > 1 for ref, n in live.items() if ref)]


def one_record(e: Evidence) -> list[str]:
    """An entity that stands in no record of its flow, or in two."""
    found = []
    for flow, kinds in KINDS.items():
        mine = [record for record in e.records if record.flow == flow]
        for side, vendor, kind in (("left", CRM, kinds[0]), ("right", BOOKS, kinds[1])):
            held = Counter(id for record in mine if (id := getattr(record, side)) is not None)
            found += [f"{flow}: {n} records hold {vendor} {id}" for id, n in held.items() if n > 1]
            live = [id for id, row in e.truth.by_id(vendor, kind).items() if _live(vendor, row)]
            found += [f"{flow}: no record for {vendor} {kind} {id}" for id in live if id not in held]
    return found


def counted(e: Evidence) -> list[str]:
    """The kept counts are not those of the records."""
    wrong = e.house.ask(lambda store: store.read(lambda tx: tx.recount()))
    return [f"counts: {wrong}"] if wrong else []


def equal(e: Evidence) -> list[str]:
    """A record is called synced and its two sides differ in what both may edit."""
    found = []
    for record, left, right in _pairs(e, open=True):
        for name, (mine, theirs) in SHARED.get(record.flow, {}).items():
            one, other = _value(CRM, left, mine), _value(BOOKS, right, theirs)
            if one != other:
                found.append(f"{record.flow} {record.left}/{record.right}: {name} {one!r} and {other!r}")
    return found


def money(e: Evidence) -> list[str]:
    """An invoice is called synced, so are its payments, and its total or balance differs by a cent."""
    found, waiting = [], _with_unsettled_payment(e)
    for record, left, right in _pairs(e, open=True):
        if record.flow != "invoices" or record.right in waiting:
            continue
        fields = left["properties"]
        # A payment that HubSpot cannot record is told in properties of ours, also on an invoice of its own.
        native = fields.get("hs_invoice_billable") != "false" and fields.get("syncd_balance_due") is None
        balance = fields.get("hs_balance_due" if native else "syncd_balance_due")
        for name, one, other in (
            ("total", fields.get("hs_amount_billed"), right["TotalAmt"]),
            ("balance", balance, right["Balance"]),
        ):
            if Decimal(one or 0) != Decimal(str(other)):
                found.append(f"invoice {record.left}/{record.right}: {name} {one} and {other}")
    return found


def lost(e: Evidence) -> list[str]:
    """A person's edit is nowhere: neither in force, nor superseded by a later one, nor shown as waiting."""
    found = []
    for record, left, _ in _pairs(e, open=True):
        for name, places in SHARED.get(record.flow, {}).items():
            told = _tellings(e, record, places)
            if not told:
                continue
            final, gave_way = _value(CRM, left, places[0]), _superseded(e, record)
            for at, vendor, value in told:
                others = [each for each in told if each[0] > at]
                contested = any(v != vendor for _, v, _ in told)
                if not others and not contested and value not in (final, *gave_way):
                    found.append(f"{record.flow} {record.left}/{record.right}: {name} {value!r} became {final!r}")
            if final is not None and not gave_way and final not in {value for _, _, value in told}:
                found.append(f"{record.flow} {record.left}/{record.right}: nobody said {name} {final!r}")
    return found


def echo(e: Evidence) -> list[str]:
    """Something was written although nobody had done anything."""
    return [f"echo: {each}" for each in e.late_writes]


def settled(e: Evidence) -> list[str]:
    """There is still something to do, hours after everything was well."""
    if not e.unsettled:
        return []
    waiting = [f"{r.flow} {r.left}/{r.right}: {r.code}" for r in e.records if r.status is Status.PENDING]
    return ["not settled", *waiting]


def reasoned(e: Evidence) -> list[str]:
    """A record failed for a reason that cannot be."""
    bad = ("internal_error", "unknown_outcome", "malformed_answer")
    return [f"{r.flow} {r.left}/{r.right}: {r.code} {r.words}" for r in e.records if r.code in bad]


def order(e: Evidence) -> list[str]:
    """A side was told an older value after a newer one."""
    found = []
    for record, _, _ in _pairs(e):
        for name, places in SHARED.get(record.flow, {}).items():
            told = _tellings(e, record, places)
            for vendor, id, path in ((CRM, record.left, places[0]), (BOOKS, record.right, places[1])):
                said = [value for _, at, value in told if at != vendor]
                written = [
                    _value(BOOKS, entry.fields, path)
                    for entry in e.house.world.vendors[vendor].journal.entries[e.begun[vendor] :]
                    if (entry.id, entry.operation) == (id, "update") and entry.caller != "person"
                    if path.split(".")[0] in entry.fields
                ]
                if not _in_order([value for value in written if value in said], said):
                    found.append(f"{record.flow} {id} at {vendor}: {name} was told {written}, said was {said}")
    return found


def _in_order(written: Sequence[str | None], said: Sequence[str | None]) -> bool:
    rest = iter(said)
    return all(value in rest for value in written)


def _pairs(e: Evidence, *, open: bool = False) -> Iterable[tuple[Record, Row, Row]]:
    """Records that are called synced, with what both sides hold.

    Args:
        open: only of flows that were open both ways all the time.
    """
    for record in e.records:
        if open and record.flow in e.house.narrowed:
            continue
        if record.status is not Status.SYNCED or record.left is None or record.right is None or record.notes:
            continue
        left = e.truth.by_id(CRM, KINDS[record.flow][0]).get(record.left)
        right = e.truth.by_id(BOOKS, KINDS[record.flow][1]).get(record.right)
        if left is None or right is None or not (_live(CRM, left) and _live(BOOKS, right)):
            continue
        if left["properties"].get("hs_invoice_status") != "voided":  # what is void on both sides is done with
            yield record, left, right


def _with_unsettled_payment(e: Evidence) -> set[str]:
    """QuickBooks' ids of invoices with a payment that is shown as failed, waiting, given back or left out by the
    configuration: their balances may differ."""
    payments, invoices = e.truth.by_id(BOOKS, "Payment"), {r.left: r.right for r in e.records if r.flow == "invoices"}
    found = set()
    for record in e.records:
        left_out = record.status is Status.EXCLUDED and record.code in ("before_start", "direction_off")
        shown = left_out or "payment_refunded" in record.notes or record.status in (Status.FAILED, Status.PENDING)
        if record.flow != "payments" or not shown:
            continue
        lines = payments.get(record.right or "", {}).get("Line", ())
        found |= {link["TxnId"] for line in lines for link in line.get("LinkedTxn", ())}
        paid = e.truth.by_id(CRM, "commerce_payments").get(record.left or "", {}).get("associations", {})
        found |= {right for left in paid.get("invoices", ()) if (right := invoices.get(left)) is not None}
    return found


def _live(vendor: str, row: Row) -> bool:
    return not row["archived"] if vendor == CRM else row.get("status") != "Deleted"


def _value(vendor: str, row: Row, path: str) -> str | None:
    value: Any = row["properties"] if vendor == CRM else row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value).removesuffix("T00:00:00Z") if value not in (None, "") else None


def _superseded(e: Evidence, record: Record) -> set[str | None]:
    before = e.house.gave_way.get((record.flow, record.left, record.right), set())
    return before | _gave_way(e.house, record)


def _gave_way(house: House, record: Record) -> set[str | None]:
    """Values that gave way to a conflict rule or to whom a person merged into, as the record's account shows them."""
    account = [entry for _, entry in house.ask(lambda store: store.read(lambda tx: tx.activity(record.id, limit=1000)))]
    merged = {entry.at for entry in account if entry.event == "record.relinked"}
    lost = [entry for entry in account if entry.event in ("conflict.resolved", "conflict.overwritten")]
    lost += [entry for entry in account if entry.event == "record.planned" and entry.at in merged]
    return {change.old for entry in lost for change in entry.changes}


def remember(house: House) -> None:
    """What a state tells that is about to be replaced by an older one."""
    for record in house.ask(lambda store: store.read(lambda tx: tx.list_records(limit=100_000).rows)):
        told = house.gave_way.setdefault((record.flow, record.left, record.right), set())
        told |= _gave_way(house, record)


def _tellings(e: Evidence, record: Record, places: tuple[str, str]) -> list[tuple[datetime, str, str | None]]:
    """What people said a field is, oldest first: when, at which vendor, and what."""
    told = []
    for vendor, id, path in ((CRM, record.left, places[0]), (BOOKS, record.right, places[1])):
        for entry in e.house.world.vendors[vendor].journal.entries[e.begun[vendor] :]:
            if entry.id == id and entry.caller == "person" and path.split(".")[0] in entry.fields:
                value = _value(BOOKS, entry.fields, path)
                told.append((entry.at, vendor, value))
    return sorted(told, key=lambda each: each[0])


def _now(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")
