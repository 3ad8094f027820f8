"""What syncd did, in plain words: one line for each entry of a record's account. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from syncd.core import catalogue
from syncd.demo.news import Moved
from syncd.model.nouns import Invoice, Payment
from syncd.model.record import Activity, FieldChange, Op, Status
from syncd.model.references import Kind, Side

NOUNS = {Kind.PARTY: "customer", Kind.PRODUCT: "product", Kind.INVOICE: "invoice", Kind.PAYMENT: "payment"}
DONE = {Op.CREATE: "created", Op.UPDATE: "updated", Op.VOID: "voided", Op.DELETE: "removed"}
STATUS_OF = {
    catalogue.Group.FAILED: Status.FAILED,
    catalogue.Group.EXCLUDED: Status.EXCLUDED,
    catalogue.Group.PENDING: Status.PENDING,
}


@dataclass(frozen=True, slots=True)
class News:
    """One line: when, what, and the status it is about."""

    at: datetime
    text: str
    status: Status


class Teller:
    """Tells of records that moved. `names`: connection name -> what people call it."""

    def __init__(self, names: Mapping[str, str], language: str) -> None:
        self._names = names
        self._language = language
        self._changes: dict[tuple[str, Side | None], tuple[FieldChange, ...]] = {}

    def tell(self, moved: Moved) -> Iterator[News]:
        """The lines about one record, oldest first."""
        for entry in moved.entries:
            if entry.event == "record.planned":  # told once it is done
                self._changes[moved.record.id, entry.side] = entry.changes
            else:
                status, text = self._entry(moved, entry)
                yield News(entry.at, f"{_subject(moved)}: {text}", status)
        written = any(entry.event == "write.done" for entry in moved.entries)
        if moved.record.status is Status.SYNCED and moved.was in (Status.FAILED, Status.EXCLUDED) and not written:
            yield News(moved.record.since, f"{_subject(moved)}: both sides agree again", Status.SYNCED)

    def _entry(self, moved: Moved, entry: Activity) -> tuple[Status, str]:
        there = self._name(moved, entry.side)
        match entry.event:
            case "write.done":
                return Status.SYNCED, f"{DONE[Op(entry.words)]} in {there}{self._outcome(moved, entry)}"
            case "record.linked":
                return Status.SYNCED, f"found in {there} too and joined with it"
            case "conflict.resolved":
                return Status.SYNCED, "both sides changed it: " + "; ".join(
                    f"{_words(change.field)} {change.new or 'empty'} from {self._name(moved, change.side.other)} stays, "
                    f"{change.old or 'empty'} goes"
                    for change in entry.changes
                )
            case "conflict.overwritten":
                fields = ", ".join(_words(change.field) for change in entry.changes)
                return (
                    Status.SYNCED,
                    f"somebody changed {fields} in {there} at the same moment; that value is kept here",
                )
            case "write.stale":
                return Status.PENDING, f"changed in {there} meanwhile: looking again before writing"
            case "write.unknown":
                return Status.PENDING, f"{there} never answered: finding out what happened before anything is repeated"
            case "record.gone":
                return Status.SYNCED, f"gone in {there}; the other side keeps its own"
        return self._standing(moved, entry)

    def _standing(self, moved: Moved, entry: Activity) -> tuple[Status, str]:
        """Why it stands where it stands, in the catalogue's words."""
        if entry.code is None:
            return moved.record.status, entry.event
        left, right = (self._name(moved, side) for side in Side)
        texts = catalogue.text(entry.code, self._language, left=left, right=right)
        status = STATUS_OF[catalogue.entry(entry.code).group]
        detail = f" ({entry.words.rstrip('.')})" if entry.words else ""
        match status:
            case Status.FAILED:
                return status, f"failed: {texts.title}{detail}. What to do: {texts.remedy}"
            case Status.EXCLUDED:
                return status, f"left out: {texts.title}{detail}. {texts.remedy}"
            case _:
                return status, f"waits: {entry.words or texts.title}"

    def _outcome(self, moved: Moved, entry: Activity) -> str:
        """What a write brought: the new document, or the fields that changed."""
        changes = self._changes.pop((moved.record.id, entry.side), ())
        if entry.words == Op.UPDATE:
            told = [f"{_words(c.field)} {c.old or 'empty'} → {c.new or 'empty'}" for c in changes if c.old != c.new]
            return f" ({', '.join(told)})" if told else ""
        snapshot = None if entry.side is None else moved.snapshots.get(entry.side)
        noun = snapshot.noun if snapshot else None
        if entry.words == Op.CREATE and isinstance(noun, Invoice):
            return f" as {noun.number}, {amount(noun.total)} {noun.currency}"
        return ""

    def _name(self, moved: Moved, side: Side | None) -> str:
        return "" if side is None else self._names[moved.sync.connection(side)]


def amount(value: Decimal) -> str:
    """An amount as people write it: `1,234.50`."""
    return f"{value:,.2f}"


def _subject(moved: Moved) -> str:
    """`invoice INV-1030`, `payment of 50.00 for invoice INV-1030`."""
    noun = next((one.noun for one in moved.snapshots.values() if isinstance(one.noun, Payment)), None)
    if noun is not None:
        return f"payment of {amount(noun.amount)}" + (f" for invoice {moved.pays}" if moved.pays else "")
    return f"{NOUNS[moved.kind]} {moved.record.label or moved.record.key or moved.record.id}"


def _words(field: str) -> str:
    return field.replace("_", " ")
