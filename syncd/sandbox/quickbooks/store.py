"""The records of one company: tables, id counters, the lookups the rules need, and all-or-nothing writes."""

from __future__ import annotations

from collections.abc import Iterator, ValuesView
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from syncd.sandbox.quickbooks.wire import ZERO, Json, amount, ref_id

K = TypeVar("K")
V = TypeVar("V")

NAMES = ("Customer", "Vendor")
TRANSACTIONS = ("Invoice", "Payment", "CreditMemo", "Estimate", "SalesReceipt")


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `fields` is its JSON without what the server owns; it is never changed in place."""

    kind: str
    id: str
    token: int
    created: datetime
    updated: datetime
    fields: Json
    deleted: bool = False

    @property
    def active(self) -> bool:
        """Neither deleted nor made inactive."""
        return not self.deleted and self.fields.get("Active", True) is not False


Key = tuple[str, str]


class Store:
    """Tables by kind, and by id within. Customers and vendors share one counter of ids, all transactions another."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Record]] = {}
        self._counters: dict[str, int] = {}
        self._named: dict[Key, dict[Key, None]] = {}
        self._numbered: dict[Key, dict[str, None]] = {}
        self._owed: dict[str, Decimal] = {}
        self._jobs: dict[str, dict[str, None]] = {}
        self._undo: list[tuple[Key, Record | None]] = []
        self.touched: dict[Key, Record | None] = {}  # what changed, as it was before, until the webhooks have told it

    def get(self, kind: str, id: str) -> Record | None:
        """The record, also when it is deleted."""
        return self._tables.get(kind, {}).get(id)

    def every(self, kind: str) -> ValuesView[Record]:
        """All records of a kind, deleted ones included, in the order they were made."""
        return self._tables.get(kind, {}).values()

    def newest(self, kind: str) -> Iterator[Record]:
        """All records of a kind, the last made first."""
        return reversed(self._tables.get(kind, {}).values())

    def new_id(self, kind: str) -> str:
        """The next id; gaps stay where a write was refused."""
        counter = _counter(kind)
        self._counters[counter] = self._counters.get(counter, 0) + 1
        return str(self._counters[counter])

    def put(self, record: Record) -> None:
        """Add or replace a record."""
        key = (record.kind, record.id)
        old = self.get(*key)
        self._undo.append((key, old))
        self._replace(key, old, record)
        counter = _counter(record.kind)
        if old is None and record.id.isdigit():
            self._counters[counter] = max(self._counters.get(counter, 0), int(record.id))

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Take back every `put` inside when the block raises, else note it in `touched`."""
        self._undo.clear()
        try:
            yield
        except BaseException:
            for key, old in reversed(self._undo):
                self._replace(key, self.get(*key), old)
            raise
        else:
            for key, old in self._undo:
                self.touched.setdefault(key, old)
        finally:
            self._undo.clear()

    def named(self, kind: str, name: str) -> list[Record]:
        """The records that hold a name, inactive ones included, whatever its case."""
        return [record for key in self._named.get((_names(kind), name.casefold()), ()) if (record := self.get(*key))]

    def numbered(self, kind: str, number: str) -> list[str]:
        """The ids of the transactions of a kind with this DocNumber."""
        return list(self._numbered.get((kind, number), ()))

    def owed(self, customer: str) -> Decimal:
        """What a customer owes: open invoices less open credits."""
        return self._owed.get(customer, ZERO)

    def jobs(self, customer: str) -> list[str]:
        """The ids of a customer's direct sub-customers."""
        return list(self._jobs.get(customer, ()))

    def _replace(self, key: Key, old: Record | None, new: Record | None) -> None:
        if old is not None:
            self._index(old, add=False)
        table = self._tables.setdefault(key[0], {})
        if new is None:
            del table[key[1]]
        else:
            table[key[1]] = new
            self._index(new, add=True)

    def _index(self, record: Record, *, add: bool) -> None:
        if record.deleted:
            return
        fields, key = record.fields, (record.kind, record.id)
        name = fields.get("DisplayName") or fields.get("FullyQualifiedName") or fields.get("Name")
        if name:
            _note(self._named, (_names(record.kind), str(name).casefold()), key, add=add)
        if record.kind in TRANSACTIONS:
            if fields.get("DocNumber"):
                _note(self._numbered, (record.kind, fields["DocNumber"]), record.id, add=add)
            customer = ref_id(fields, "CustomerRef") or ""
            owed = _owes(record)
            self._owed[customer] = self._owed.get(customer, ZERO) + (owed if add else -owed)
        elif record.kind == "Customer" and (parent := ref_id(fields, "ParentRef")):
            _note(self._jobs, parent, record.id, add=add)


def _counter(kind: str) -> str:
    return "names" if kind in NAMES else "transactions" if kind in TRANSACTIONS else kind


def _names(kind: str) -> str:
    # DisplayName is unique over customers, vendors and employees together.
    return "names" if kind in NAMES else kind


def _note(index: dict[K, dict[V, None]], key: K, value: V, *, add: bool) -> None:
    if add:
        index.setdefault(key, {})[value] = None
    else:
        del index[key][value]
        if not index[key]:
            del index[key]


def _owes(record: Record) -> Decimal:
    match record.kind:
        case "Invoice":
            return amount(record.fields, "Balance")
        case "CreditMemo":
            return -amount(record.fields, "Balance")
        case "Payment":
            return -amount(record.fields, "UnappliedAmt")
    return ZERO
