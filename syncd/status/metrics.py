"""What Prometheus is told: kept counts and what the daemon counts in memory, from one reading transaction.

Names, units and labels follow Prometheus' own advice: base units, moments instead of ages (0 where there is none),
series that exist before the first event, and labels with few values - never an id, never a word of a record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from syncd import disk
from syncd.config import DATABASE_FILE
from syncd.connectors.base import Condition
from syncd.core.catalogue import Group, entries
from syncd.meters import ANSWERS, BOUNDS, CALL_BOUNDS, OUTCOMES, Histogram
from syncd.model.connection import ConnectionRow
from syncd.model.record import Op, Status
from syncd.status.source import Owner
from syncd.store.backups import LAST
from syncd.store.rows import CountRow
from syncd.store.store import Tx

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
MOVING = ("queued", "retry", "waits_parent", "resolving")
"""What is pending without anybody to wait for: its age tells whether work goes on."""
UNKNOWN = (("pending", "resolving"), ("failed", "unknown_outcome"))
FAILED = tuple(entry.code for entry in entries() if entry.group is Group.FAILED)
_FLOW = ("sync", "flow")
_LINK = ("connection", "vendor")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one transaction shows."""

    counts: Sequence[CountRow]
    rows: Mapping[str, ConnectionRow]
    queued: int
    due: datetime | None
    oldest: Mapping[tuple[str, str], datetime]
    backup: str | None


async def exposition(source: Owner) -> bytes:
    """The whole answer, in Prometheus' text format."""
    seen = await source.store.read(lambda tx: _look(tx, source))
    registry = CollectorRegistry()
    registry.register(
        _Collected([*_records(source, seen), *_work(source, seen), *_links(source, seen), *_house(source, seen)])
    )
    return generate_latest(registry)


class _Collected:
    """Families that are made already, as a collector."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _look(tx: Tx, source: Owner) -> _Seen:
    rows = {row.name: row for row in tx.connections()}
    fine = [name for name in source.config.connections if name in rows and rows[name].condition == Condition.OK]
    return _Seen(
        counts=tx.counts(),
        rows=rows,
        queued=tx.queued(),
        # What a connection in trouble holds up is told by its condition.
        due=tx.next_due(fine) if fine else None,
        oldest=tx.oldest_pending(_flows(source), MOVING),
        backup=tx.meta(LAST),
    )


def _records(source: Owner, seen: _Seen) -> Iterator[Metric]:
    totals: Counter[tuple[str, str, str]] = Counter()
    by_code: Counter[tuple[str, str, str, str]] = Counter()
    for row in seen.counts:
        totals[row.sync, row.flow, row.status] += row.n
        by_code[row.sync, row.flow, row.status, row.code] += row.n
    records = GaugeMetricFamily("syncd_records", "Records by status.", labels=(*_FLOW, "status"))
    failed = GaugeMetricFamily("syncd_failed_records", "Failed records by category.", labels=(*_FLOW, "category"))
    unknown = GaugeMetricFamily(
        "syncd_unknown_outcomes", "Records with a write nobody knows the outcome of.", labels=_FLOW
    )
    held = GaugeMetricFamily(
        "syncd_held_flows", "1 while a guard holds records of the flow for a person.", labels=_FLOW
    )
    oldest = GaugeMetricFamily(
        "syncd_oldest_pending_timestamp_seconds",
        "Since when the oldest record waits that nobody has to act for; 0 when none does.",
        labels=_FLOW,
    )
    for flow in _flows(source):
        for status in Status:
            records.add_metric((*flow, status.value), totals[(*flow, status.value)])
        for category in FAILED:
            failed.add_metric((*flow, category), by_code[(*flow, "failed", category)])
        unknown.add_metric(flow, sum(by_code[(*flow, *code)] for code in UNKNOWN))
        held.add_metric(flow, float(by_code[(*flow, "pending", "held")] > 0))
        oldest.add_metric(flow, _moment(seen.oldest.get(flow)))
    yield from (records, failed, unknown, held, oldest)


def _work(source: Owner, seen: _Seen) -> Iterator[Metric]:
    meters, vendors = source.meters, _vendors(source)
    writes = CounterMetricFamily(
        "syncd_writes", "Writes to vendors by what became of them.", labels=("vendor", "op", "outcome")
    )
    attempts = CounterMetricFamily("syncd_write_attempts", "How often writes were sent.", labels=("vendor", "op"))
    done, tried = Counter[tuple[str, str, str]](), Counter[tuple[str, str]]()
    for (connection, op, outcome), n in meters.writes.items():
        done[vendors.get(connection, ""), op, outcome] += n  # a connection may have been taken out of the file
    for (connection, op), n in meters.attempts.items():
        tried[vendors.get(connection, ""), op] += n
    for vendor in sorted(set(vendors.values())):
        for op in Op:
            attempts.add_metric((vendor, op.value), tried[vendor, op.value])
            for outcome in OUTCOMES.values():
                writes.add_metric((vendor, op.value, outcome), done[vendor, op.value, outcome])
    yield from (writes, attempts)
    spread = HistogramMetricFamily(
        "syncd_propagation_seconds", "From hearing of a change until the other side has it.", labels=_FLOW
    )
    for flow in _flows(source):
        _add(spread, flow, [meters.propagation.get(flow, Histogram(BOUNDS))])
    yield spread
    yield _one("syncd_queue_records", "Entities that wait to be looked at, up to 100,000.", seen.queued)
    yield _one(
        "syncd_oldest_due_timestamp_seconds",
        "When the next thing is, or was, due that no connection's trouble holds up; 0 when nothing is.",
        _moment(seen.due),
    )
    violations = CounterMetricFamily(
        "syncd_invariant_violations", "Rules found broken that always hold.", labels=("invariant",)
    )
    for invariant in ("counts", "decision"):
        violations.add_metric((invariant,), meters.violations[invariant])
    yield violations


def _links(source: Owner, seen: _Seen) -> Iterator[Metric]:
    meters, vendors = source.meters, _vendors(source)
    conditions = GaugeMetricFamily(
        "syncd_connection_condition", "1 for the condition the connection is in.", labels=(*_LINK, "condition")
    )
    success = GaugeMetricFamily(
        "syncd_last_success_timestamp_seconds", "The connection's last answer that was one; 0 before it.", labels=_LINK
    )
    polls = GaugeMetricFamily("syncd_poll_interval_seconds", "How often the connection is polled.", labels=_LINK)
    changed = CounterMetricFamily("syncd_poll_changes", "Entities that polls found changed.", labels=_LINK)
    limited = CounterMetricFamily("syncd_rate_limited", "Answers that said we call too often.", labels=_LINK)
    webhooks = CounterMetricFamily(
        "syncd_webhooks", "Webhook events by what became of them.", labels=("connection", "result")
    )
    ahead = GaugeMetricFamily(
        "syncd_clock_offset_seconds",
        "By how much the vendor's clock was ahead of ours in its last answer.",
        labels=_LINK,
    )
    expiry = GaugeMetricFamily(
        "syncd_token_expiry_timestamp_seconds", "When the access token ends; it is renewed before.", labels=_LINK
    )
    ends = source.expiries()
    for name, vendor in vendors.items():
        row, link = seen.rows.get(name), (name, vendor)
        for condition in Condition:
            conditions.add_metric((*link, condition.value), float(row is not None and row.condition == condition))
        success.add_metric(link, _moment(row.last_success if row else None))
        polls.add_metric(link, _interval(source, name))
        changed.add_metric(link, meters.polled[name])
        limited.add_metric(link, meters.limited[name])
        if name in meters.ahead:
            ahead.add_metric(link, meters.ahead[name])
        if name in ends:
            expiry.add_metric(link, _moment(ends[name]))
    for name, got in meters.receipts.items():
        for result in ("accepted", "duplicate", "dropped", "refused", "deferred"):
            webhooks.add_metric((name, result), getattr(got, result))
    yield from (conditions, success, polls, changed, limited, webhooks, ahead, expiry)
    calls = HistogramMetricFamily(
        "syncd_http_client_request_duration_seconds",
        "Calls of vendors by class of answer.",
        labels=("vendor", "code_class"),
    )
    for vendor in sorted(set(vendors.values())):
        for answer in ANSWERS:
            mine = [h for (name, code), h in meters.calls.items() if vendors.get(name) == vendor and code == answer]
            _add(calls, (vendor, answer), mine or [Histogram(CALL_BOUNDS)])
    yield calls


def _house(source: Owner, seen: _Seen) -> Iterator[Metric]:
    room = disk.room(source.config)
    yield _one("syncd_disk_free_bytes", "Room on the disk that holds the state.", room.free)
    yield _one("syncd_disk_reserve_bytes", "Below this much room work stops.", room.needed)
    if not source.config.daemon.database:
        size = sum(_size(source.config.state_dir / f"{DATABASE_FILE}{part}") for part in ("", "-wal"))
        yield _one("syncd_db_size_bytes", "The state's database with its log.", size)
    if seen.backup:
        last = datetime.fromisoformat(seen.backup)
        yield _one("syncd_backup_timestamp_seconds", "The last backup that was completed.", last.timestamp())
    yield _one("syncd_loop_lag_seconds", "The longest delay of the event loop within a minute.", source.meters.lag)
    info = GaugeMetricFamily("syncd_build_info", "Always 1; the version is a label.", labels=("version",))
    info.add_metric((source.version,), 1)
    yield info


def _flows(source: Owner) -> list[tuple[str, str]]:
    return [(sync.name, flow.name) for sync in source.syncs for flow in sync.flows]


def _vendors(source: Owner) -> dict[str, str]:
    return {name: connection.vendor for name, connection in source.config.connections.items()}


def _interval(source: Owner, connection: str) -> float:
    used = [s.poll for s in source.config.syncs.values() if connection in (s.left, s.right)]
    return min(used).total_seconds() if used else 0.0


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _moment(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _add(family: HistogramMetricFamily, labels: Sequence[str], parts: Sequence[Histogram]) -> None:
    """One series of histograms with the same bounds, taken together."""
    buckets, so_far = [], 0
    for number, bound in enumerate([*map(str, parts[0].bounds), "+Inf"]):
        so_far += sum(part.counts[number] for part in parts)
        buckets.append((bound, so_far))
    family.add_metric(labels, buckets, sum(part.total for part in parts))
