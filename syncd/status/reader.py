"""The questions that status answers, each one reading transaction. The HTTP API and the commands ask these."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from syncd import controls, disk
from syncd.connectors.pages import page_of
from syncd.core import catalogue
from syncd.core.rules import SyncRules
from syncd.errors import UsageError
from syncd.model.connection import ConnectionRow
from syncd.model.record import Activity, Record, Status
from syncd.model.references import Kind
from syncd.status import past, record_view, view
from syncd.status.past import Past
from syncd.status.record_view import Seen, Told
from syncd.status.source import StatusSource
from syncd.store.rows import CountRow, RecordPage, Tripped

if TYPE_CHECKING:
    from syncd.store.store import Tx

MAX_LIMIT = 200
_UNKNOWN = "no record of a configured flow has the id {id!r}"
DEFAULT_LIMIT = 50
MOST_HOURS = 24 * 90  # as long as they are kept
_ROWS = catalogue.entries()


class UnknownRecord(UsageError):
    """No record has this id."""


class BadQuestion(UsageError):
    """A parameter makes no sense; the message says which and what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which records to list. `q` is a number, e-mail, SKU, vendor id or the beginning of one."""

    sync: str | None = None
    flow: str | None = None
    status: str | None = None
    code: str | None = None
    q: str | None = None
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the status is made of, read at one moment.

    Attributes:
        told: flows that a person paused or released. held: circuit breakers, each with how many records it holds.
    """

    counts: list[CountRow]
    connections: list[ConnectionRow]
    told: Mapping[tuple[str, str], str]
    held: list[tuple[Tripped, int]]


class Reader:
    """Answers in the JSON shapes of the API, as Python values."""

    def __init__(self, source: StatusSource, language: str | None = None) -> None:
        self._source = source
        self._language = language or source.config.daemon.language
        self._flows = {(sync.name, flow.name): sync for sync in source.syncs for flow in sync.flows}

    async def status(self) -> dict[str, Any]:
        """Totals of every flow, and every connection's condition."""
        now = self._source.clock.now()
        return self._status(await self._source.store.read(partial(self._standing, now=now)), now)

    async def overview(self, recent: Past) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Status, history and connections, all of one moment."""
        now = self._source.clock.now()
        standing, kept = await self._source.store.read(lambda tx: (self._standing(tx, now), recent.rows(tx, now)))
        history = view.history(kept, standing.counts, self._source.syncs, now - timedelta(hours=recent.hours), now)
        return self._status(standing, now), history, self._connections(standing.connections)

    def _standing(self, tx: Tx, now: datetime) -> Standing:
        flows = [(sync.name, flow.name) for sync in self._source.syncs for flow in sync.flows]
        told, held = controls.told(tx, flows, now), controls.held(tx)
        return Standing(counts=tx.counts(), connections=tx.connections(), told=told, held=held)

    def _status(self, standing: Standing, now: datetime) -> dict[str, Any]:
        return view.status(
            standing.counts,
            {row.name: row for row in standing.connections},
            self._vendors(),
            self._source.syncs,
            self._source.version,
            now,
            standing.told,
            disk.room(self._source.config).plain(),
            self._source.quotas(),
            self._source.condition(),
            standing.held,
            self._language,
        )

    async def control(self, action: str, sync: str, flow: str | None, breaker: str | None = None) -> dict[str, Any]:
        """Pass on what a person tells a flow."""
        return await self._source.control(action, sync, flow, breaker)

    async def act(self, action: str, id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Take in what a person asks of a record while no daemon runs.

        Raises:
            UsageError: why it is not taken. So do those below.
        """
        from syncd.status import acting

        return await acting.act(self._source, acting.wish_of(action, given, _this_user(), None), id)

    async def act_on_many(self, action: str, which: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """The same of all records a filter leaves."""
        from syncd.status import acting

        return await acting.act_on_many(self._source, acting.wish_of(action, given, _this_user(), None), which)

    async def token(self, work: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make or revoke an access token."""
        from syncd.status import tokens

        doing = {"create": tokens.create, "revoke": tokens.revoke}[work]
        return await doing(self._source, {**given, "name": name})

    async def tokens(self) -> dict[str, Any]:
        """Every access token, without what it is."""
        from syncd.status import tokens

        return await tokens.listed(self._source)

    async def connections(self) -> dict[str, Any]:
        """Every configured connection with what is known of it."""
        return self._connections(await self._source.store.read(lambda tx: tx.connections()))

    def _connections(self, rows: Iterable[ConnectionRow]) -> dict[str, Any]:
        known, quotas, expiries = {row.name: row for row in rows}, self._source.quotas(), self._source.expiries()
        fixed = {name for name, connection in self._source.config.connections.items() if connection.token is not None}
        return {
            "connections": [
                view.connection_details(
                    name, vendor, known.get(name), quotas.get(name), fixed=name in fixed, expires=expiries.get(name)
                )
                for name, vendor in self._vendors().items()
            ]
        }

    async def records(self, query: Query) -> dict[str, Any]:
        """One page of records; `next` is the cursor of the following one.

        Raises:
            BadQuestion: an unknown status, sync or flow, a limit out of range, a cursor that is not ours.
        """
        return self._page(*await self._source.store.read(self._listing(query)))

    async def listed(self, query: Query) -> tuple[dict[str, Any], dict[str, Any]]:
        """Status and one page of records, both of one moment.

        Raises:
            BadQuestion: as `records` does.
        """
        now, listing = self._source.clock.now(), self._listing(query)
        standing, found = await self._source.store.read(lambda tx: (self._standing(tx, now), listing(tx)))
        return self._status(standing, now), self._page(*found)

    def _listing(self, query: Query) -> Callable[[Tx], tuple[RecordPage, list[ConnectionRow]]]:
        self._check(query)
        filters = {name: getattr(query, name) for name in ("sync", "flow", "status", "code", "q")}
        if query.status is not None:
            filters["status"] = Status(query.status)

        def read(tx: Tx) -> tuple[RecordPage, list[ConnectionRow]]:
            try:
                page = tx.list_records(**filters, after=query.cursor, limit=query.limit, bases=False)
            except ValueError as error:
                raise BadQuestion(f"cursor: {error}") from error
            return page, tx.connections()

        return read

    def _page(self, page: RecordPage, rows: Iterable[ConnectionRow]) -> dict[str, Any]:
        told = self._told(rows)
        return {"records": [self._summary(record, told) for record in page.rows], "next": page.next}

    async def history(self, hours: int) -> dict[str, Any]:
        """How many records stood where, hour by hour, and how many do now."""
        if not 1 <= hours <= MOST_HOURS:
            raise BadQuestion(f"hours: from 1 to {MOST_HOURS}, not {hours}")
        now = self._source.clock.now()
        rows, counts = await self._source.store.read(lambda tx: (past.kept(tx, now, hours), tx.counts()))
        return view.history(rows, counts, self._source.syncs, now - timedelta(hours=hours), now)

    def catalogue(self) -> dict[str, Any]:
        """Every row with its words, in the names that stand for the two sides."""
        texts = {row.code: catalogue.text(row.code, self._language, left="{left}", right="{right}") for row in _ROWS}
        return {
            "entries": [
                {
                    "code": row.code,
                    "group": row.group.value,
                    "cure": row.cure.value,
                    "wakes": row.wakes.value,
                    **asdict(texts[row.code]),
                }
                for row in _ROWS
            ]
        }

    async def record(self, id: str) -> dict[str, Any]:
        """One record with both sides.

        Raises:
            UnknownRecord: there is none. So do the two below.
        """
        return record_view.details(*await self._seen(id, activity=0))

    async def explain(self, id: str) -> dict[str, Any]:
        """One record, why it stands where it stands, and what happens next."""
        seen, told = await self._seen(id, activity=record_view.LOOKED_AT)
        return record_view.explain(seen, told, self._source.clock.now())

    async def activity(self, id: str, limit: int = MAX_LIMIT, before: int | None = None) -> dict[str, Any]:
        """The record's account, newest first; `next` is the `before` of the following page."""
        _check_limit(limit)

        def read(tx: Tx) -> list[tuple[int, Activity]] | None:
            return tx.activity(id, limit, before) if id in tx.records([id]) else None

        entries = await self._source.store.read(read)
        if entries is None:
            raise UnknownRecord(_UNKNOWN.format(id=id))
        return _account(entries, limit, self._language)

    async def shown(self, id: str, before: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """What `explain` and `activity` answer, both of one moment."""
        seen, rows, entries = await self._source.store.read(
            lambda tx: (
                self._read_seen(tx, id, record_view.LOOKED_AT),
                tx.connections(),
                None if before is None else tx.activity(id, DEFAULT_LIMIT, before),
            )
        )
        if seen is None:
            raise UnknownRecord(_UNKNOWN.format(id=id))
        explained = record_view.explain(seen, self._told(rows), self._source.clock.now())
        return explained, _account(
            seen.activity[:DEFAULT_LIMIT] if entries is None else entries, DEFAULT_LIMIT, self._language
        )

    async def _seen(self, id: str, *, activity: int) -> tuple[Seen, Told]:
        seen, rows = await self._source.store.read(lambda tx: (self._read_seen(tx, id, activity), tx.connections()))
        if seen is None:
            raise UnknownRecord(_UNKNOWN.format(id=id))
        return seen, self._told(rows)

    def _told(self, rows: Iterable[ConnectionRow]) -> Told:
        accounts = {row.name: row.account_id for row in rows}

        def page(connection: str, kind: Kind, id: str) -> str | None:
            configured, account = self._source.config.connections.get(connection), accounts.get(connection)
            if configured is None or configured.url is not None or account is None:
                return None  # a stand-in for the vendor has no pages
            return page_of(configured.vendor, account, kind, id)

        return Told(language=self._language, labels=self._source.labels, pages=page)

    def _read_seen(self, tx: Tx, id: str, activity: int) -> Seen | None:
        record = tx.records([id]).get(id)
        sync = self._sync(record) if record else None
        if record is None or sync is None:
            return None
        refs = record_view.references(record, sync)
        snapshots = tx.snapshots(list(refs.values()))
        known = {side: snapshots[ref] for side, ref in refs.items() if ref in snapshots}
        others = {
            (side, kind): tx.records_of_entities(sync.name, flow.name, side, sorted(ids))
            for (side, kind), ids in record_view.referred(record, known, sync.flow(record.flow)).items()
            if (flow := sync.flow_of(kind)) is not None
        }
        waits = (record.waits_for or "").removeprefix("record:")
        return Seen(
            record=record,
            sync=sync,
            snapshots=known,
            others=others,
            intents=tx.intents_of([id]).get(id, []),
            activity=tx.activity(id, activity) if activity else [],
            blocker=tx.records([waits]).get(waits) if waits else None,
            asked=tx.open_actions([id]).get(id, ()),
        )

    def _summary(self, record: Record, told: Told) -> dict[str, Any]:
        sync = self._sync(record) or SyncRules(
            name=record.sync, recipe="", left="left", right="right", start=record.since, flows=()
        )  # a sync that was taken out of the file: its records are still remembered
        return record_view.summary(record, sync, told)

    def _sync(self, record: Record) -> SyncRules | None:
        return self._flows.get((record.sync, record.flow))

    def _check(self, query: Query) -> None:
        _check_limit(query.limit)
        syncs = {sync.name: {flow.name for flow in sync.flows} for sync in self._source.syncs}
        _one_of("sync", query.sync, set(syncs))
        flows = syncs.values() if query.sync is None else [syncs[query.sync]]
        _one_of("flow", query.flow, set().union(*flows))
        _one_of("status", query.status, {status.value for status in Status})

    def _vendors(self) -> Mapping[str, str]:
        return {name: connection.vendor for name, connection in self._source.config.connections.items()}


def _this_user() -> str:
    from syncd.status.access import user_name

    return f"cli {user_name(os.getuid())}"


def _account(entries: Sequence[tuple[int, Activity]], limit: int, language: str) -> dict[str, Any]:
    told = [record_view.activity_entry(number, entry, language) for number, entry in entries]
    return {"activity": told, "next": told[-1]["number"] if len(told) == limit else None}


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuestion(f"limit: from 1 to {MAX_LIMIT}, not {limit}")


def _one_of(name: str, value: str | None, known: set[str]) -> None:
    if value is not None and value not in known:
        raise BadQuestion(f"{name}: one of {', '.join(sorted(known))}, not {value!r}")
