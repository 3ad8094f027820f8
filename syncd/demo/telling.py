"""What syncd did, in plain words: one line for each entry of a record's account. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from textwrap import shorten
from typing import Any

from syncd.core import catalogue
from syncd.core.catalogue import Group, Texts
from syncd.demo.news import Moved
from syncd.model.nouns import Invoice, Payment
from syncd.model.record import Activity, FieldChange, Op, Status
from syncd.model.references import Kind, Side

NOUNS = {Kind.PARTY: "customer", Kind.PRODUCT: "product", Kind.INVOICE: "invoice", Kind.PAYMENT: "payment"}
DONE = {Op.CREATE: "created", Op.UPDATE: "updated", Op.VOID: "voided", Op.DELETE: "removed"}
AMOUNTS = frozenset({"total", "tax_total", "amount_paid", "balance", "amount", "unit_price"})
DETAIL = 110  # characters of a vendor's own words on one line
STATUS_OF = {
    Group.FAILED: Status.FAILED,
    Group.EXCLUDED: Status.EXCLUDED,
    Group.PENDING: Status.PENDING,
}
CODES_OF = {"synced": "notes", "pending": "waiting", "failed": "categories", "excluded": "reasons"}


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
                lost = (
                    f"{_words(one.field)} {_value(one, one.new)} of {self._name(moved, one.side.other)} stays, "
                    f"{_value(one, one.old)} goes"
                    for one in entry.changes
                )
                return Status.SYNCED, "both sides hold something else: " + "; ".join(lost)
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
        texts = self._texts(entry.code, moved.sync.left, moved.sync.right)
        status = STATUS_OF[catalogue.entry(entry.code).group]
        words = shorten(entry.words.rstrip("."), DETAIL, placeholder=" ...")
        detail = f" ({words})" if words else ""
        match status:
            case Status.FAILED:
                return status, f"failed: {texts.title}{detail}. What to do: {texts.remedy}"
            case Status.EXCLUDED:
                return status, f"left out: {texts.title}{detail}"
            case _:
                return status, f"waits: {words or texts.title}"

    def _outcome(self, moved: Moved, entry: Activity) -> str:
        """What a write brought: the new document, or the fields that changed."""
        changes = self._changes.pop((moved.record.id, entry.side), ())
        if entry.words == Op.UPDATE:
            told = [_change(one) for one in changes if one.old != one.new]
            return f" ({', '.join(told)})" if told else ""
        snapshot = None if entry.side is None else moved.snapshots.get(entry.side)
        noun = snapshot.noun if snapshot else None
        if entry.words == Op.CREATE and isinstance(noun, Invoice):
            return f" as {noun.number}, {amount(noun.total)} {noun.currency}"
        return ""

    def counts(self, status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Every flow of a status JSON, and how its records stand and why."""
        for sync in status["syncs"]:
            for flow in sync["flows"]:
                yield flow["name"], ", ".join(self._groups(flow, sync["left"], sync["right"])) or "nothing"

    def _groups(self, flow: Mapping[str, Any], left: str, right: str) -> Iterator[str]:
        for status, codes in CODES_OF.items():
            if flow[status]:
                why = ", ".join(f"{self._texts(code, left, right).title} {n}" for code, n in flow[codes].items())
                yield f"{flow[status]} {status}" + (f" ({why})" if why else "")

    def _texts(self, code: str, left: str, right: str) -> Texts:
        return catalogue.text(code, self._language, left=self._names[left], right=self._names[right])

    def _name(self, moved: Moved, side: Side | None) -> str:
        return "" if side is None else self._names[moved.sync.connection(side)]


def amount(value: Decimal) -> str:
    """An amount as people write it: `1,234.50`."""
    return f"{value:,.2f}"


def _subject(moved: Moved) -> str:
    """`invoice INV-1030`, `payment of 50.00 for invoice INV-1030`."""
    record = moved.record
    noun = next((one.noun for one in moved.snapshots.values() if isinstance(one.noun, Payment)), None)
    if noun is not None:
        return f"payment of {amount(noun.amount)}" + (f" for invoice {moved.pays}" if moved.pays else "")
    if record.label in (record.left, record.right):
        return f"{NOUNS[moved.kind]} without a number yet"
    return f"{NOUNS[moved.kind]} {record.label or record.key or record.id}"


def _change(change: FieldChange) -> str:
    old = "" if change.old is None else f"{_value(change, change.old)} → "
    return f"{_words(change.field)} {old}{_value(change, change.new)}"


def _value(change: FieldChange, value: str | None) -> str:
    if value is None:
        return "(empty)"
    if change.field in AMOUNTS:
        return amount(Decimal(value))
    return _words(value) if change.field == "status" else value


def _words(name: str) -> str:
    return name.replace("_", " ")
