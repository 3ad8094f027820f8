"""From a record and what hangs from it to what people and programs read. Pure.

Amounts are texts (`"10.5"`), so that no reader turns them into floating point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from syncd.core import catalogue
from syncd.core.conflict import UNMET
from syncd.core.content import project
from syncd.core.filters import describe
from syncd.core.rules import FlowRules, SyncRules
from syncd.model.action import Action
from syncd.model.content import Content
from syncd.model.nouns import Invoice, Line
from syncd.model.record import Activity, Intent, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Snapshot
from syncd.model.values import Value, decimal_text
from syncd.status.offers import offered
from syncd.status.phrases import translated
from syncd.status.view import moment
from syncd.status.words import words

LAST_ACTIVITY = 10
"""How many entries `explain` repeats; the rest is one request away."""

LAST_CALLS = 5
LOOKED_AT = 50
"""How many entries the last calls, with the vendors' trace ids, are looked for in."""

_DECISIVE = {
    "edited_outside_origin": "origin",
    "conflict_held": "conflict",
    "parent_failed": "parent",
    "waits_parent": "parent",
    "customer_missing": "parent",
    "customer_ambiguous": "match",
    "product_ambiguous": "match",
    "duplicate_document_number": "match",
}


Pages = Callable[[str, Kind, str], str | None]
"""From a connection's name, a kind and a vendor's id to the address of its page in the vendor's application."""
REFERENCES: Mapping[str, Kind] = {
    "customer": Kind.PARTY,
    "parent": Kind.PARTY,
    "product": Kind.PRODUCT,
    "invoice": Kind.INVOICE,
}
"""Fields that hold the id of another entity of the same connection."""
COMPUTED = ("status", "total", "tax_total", "amount_paid", "balance")
MONEY = frozenset({"total", "tax_total", "balance", "amount_paid", "amount", "unit_price", "discount"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How to tell: in which language, what people call the connections, and where a vendor shows an entity."""

    language: str
    labels: Mapping[str, str]
    pages: Pages = field(default=lambda connection, kind, id: None)

    def texts(self, code: str, sync: SyncRules) -> catalogue.Texts:
        return catalogue.text(code, self.language, left=self.label(sync.left), right=self.label(sync.right))

    def label(self, connection: str) -> str:
        return self.labels.get(connection, connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One record with everything stored about it.

    Attributes:
        blocker: the record it waits for. others: records of the entities it refers to, by the vendor's id.
        asked: what persons asked of it that is still open.
    """

    record: Record
    sync: SyncRules
    snapshots: Mapping[Side, Snapshot] = field(default_factory=dict)
    intents: Sequence[Intent] = ()
    activity: Sequence[tuple[int, Activity]] = ()
    blocker: Record | None = None
    asked: Sequence[Action] = ()
    others: Mapping[tuple[Side, Kind], Mapping[str, Record]] = field(default_factory=dict)

    @property
    def flow(self) -> FlowRules:
        return self.sync.flow(self.record.flow)


def summary(record: Record, sync: SyncRules, told: Told) -> dict[str, Any]:
    """A record as it stands in a list."""
    texts = told.texts(record.code, sync) if record.code else None
    return {
        "id": record.id,
        "sync": record.sync,
        "flow": record.flow,
        "label": record.label,
        "key": record.key,
        "status": record.status.value,
        "code": record.code,
        "title": texts.title if texts else "",
        "explanation": texts.explanation if texts else "",
        "remedy": texts.remedy if texts else "",
        "words": translated(record.words, told.language),
        "notes": [{"code": note, "title": told.texts(note, sync).title} for note in record.notes],
        "origin": record.origin.value if record.origin else None,
        "left": _end(sync, Side.LEFT, record, told),
        "right": _end(sync, Side.RIGHT, record, told),
        "waits_for": record.waits_for,
        "since": moment(record.since),
        "attempts": record.attempts,
        "next_at": moment(record.next_at),
        "revision": record.revision,
    }


def details(seen: Seen, told: Told) -> dict[str, Any]:
    """A record with both sides: what they held at the last success, what they hold now, and writes under way."""
    shown = summary(seen.record, seen.sync, told)
    for side in Side:
        if snapshot := seen.snapshots.get(side):
            shown[side.value] |= {
                "presence": snapshot.presence.value,
                "version": snapshot.version,
                "source": snapshot.source,
                "created": moment(snapshot.created),
                "modified": moment(snapshot.modified),
            }
    return shown | {
        "currency": _currency(seen),
        "fields": (fields := _fields(seen)),
        "computed": _computed(seen, {field["name"] for field in fields}),
        "others": [
            {"side": side.value, "kind": kind.value, "id": id, "record": other.id, "label": other.label or id}
            for (side, kind), found in seen.others.items()
            for id, other in found.items()
        ],
        "lines": {side.value: _lines(seen, side) for side in Side},
        "intents": [_intent(intent) for intent in seen.intents],
        "actions": offered(seen.record, seen.flow),
        "asked": [asked_of(action) for action in seen.asked],
    }


def explain(seen: Seen, told: Told, now: datetime) -> dict[str, Any]:
    """Why the record stands where it stands, and what happens next; from what is stored alone."""
    record, flow = seen.record, seen.flow
    account = [activity_entry(number, entry, told.language) for number, entry in seen.activity]
    return {
        "record": details(seen, told),
        "match": {"by": list(flow.match), "key": record.key},
        "rules": {
            "direction": flow.direction.value,
            "conflict": flow.conflict.value,
            "origin_decides": flow.origin_rule,
            "applied": record.rules_digest == flow.digest,
            "used": _rule_used(seen),
        },
        "filters": {
            "fixed": {side.value: [rule.test for rule in flow.requires.get(side, ())] for side in Side},
            "free": {side.value: describe(flow.filters[side]) if flow.filters.get(side) else None for side in Side},
            "hit": record.code if record.status is Status.EXCLUDED else None,
            "words": translated(record.words, told.language) if record.status is Status.EXCLUDED else "",
        },
        "waits": _waits(seen, told),
        "last": account[:LAST_ACTIVITY],
        "calls": [entry for entry in account if entry["request_id"]][:LAST_CALLS],
        "next": next_step(seen, told, now),
    }


def _rule_used(seen: Seen) -> str:
    """Which of the rules, in the order they are asked, made the record stand where it stands."""
    record = seen.record
    if record.status is Status.EXCLUDED:
        return "person" if record.code == "by_person" else "filter"
    if record.code in _DECISIVE:
        return _DECISIVE[record.code]
    if record.status is Status.FAILED:
        return "validation"
    if any(entry.event.startswith("conflict.") for _, entry in seen.activity[:LAST_ACTIVITY]):
        return "conflict"
    return "merge"


def _waits(seen: Seen, told: Told) -> str | None:
    """What brings the record forward by itself, in a sentence."""
    say, (what, _, rest) = words(told.language), (seen.record.waits_for or "").partition(":")
    connection, _, rest = rest.partition(":")
    match what:
        case "record" if seen.blocker is not None:
            label = seen.blocker.label or seen.blocker.id
            return say["next_record"].format(label=label, status=say[seen.blocker.status].lower())
        case "connection":
            return say["next_connection"].format(connection=told.label(connection))
        case "account":
            return say["next_account"].format(connection=told.label(connection))
        case "key":
            return say["next_key"].format(field=rest.split(":")[1], connection=told.label(connection))
        case "entity":
            return say["next_entity"].format(connection=told.label(connection))
    return None


def next_step(seen: Seen, told: Told, now: datetime) -> str:
    """One sentence: who acts, on what, and when."""
    record, say = seen.record, words(told.language)
    if record.status in (Status.FAILED, Status.EXCLUDED) or record.code == "held":
        remedy = told.texts(record.code, seen.sync).remedy
        return " ".join(text for text in (remedy, _waits(seen, told)) if text) or say["next_nothing"]
    if record.status is Status.SYNCED:
        return say["next_watched"]
    if (waits := _waits(seen, told)) is not None:
        return waits
    if record.next_at and record.next_at > now:
        return say["next_time"].format(at=moment(record.next_at))
    return say["next_pass"]


def activity_entry(number: int, entry: Activity, language: str) -> dict[str, Any]:
    """One line of a record's account."""
    return {
        "number": number,
        "at": moment(entry.at),
        "event": entry.event,
        "by": entry.by,
        "side": entry.side.value if entry.side else None,
        "code": entry.code,
        "words": translated(entry.words, language),
        "changes": [asdict(change) | {"side": change.side.value} for change in entry.changes],
        "request_id": entry.request_id,
    }


def asked_of(action: Action) -> dict[str, Any]:
    """An action as it is answered."""
    return {
        "id": action.id,
        "record": action.record,
        "action": action.name.value,
        "by": action.by,
        "at": moment(action.at),
        "state": action.state.value,
        "outcome": action.outcome,
        "take": action.take.value if action.take else None,
        "fields": {name: side.value for name, side in action.fields.items()},
        "entity": action.entity,
        "confirmed": action.confirmed,
    }


def references(record: Record, sync: SyncRules) -> dict[Side, EntityRef]:
    """The record's two entities by side, as far as they are known."""
    kind = sync.flow(record.flow).kind
    ends = {side: record.entity(side) for side in Side}
    return {side: EntityRef(sync.connection(side), kind, id) for side, id in ends.items() if id is not None}


def referred(record: Record, snapshots: Mapping[Side, Snapshot], flow: FlowRules) -> dict[tuple[Side, Kind], set[str]]:
    """Which other entities the record's two sides name, now or at the last success."""
    found: dict[tuple[Side, Kind], set[str]] = {}
    for side in Side:
        snapshot = snapshots.get(side)
        for content in (record.base(side), project(snapshot, flow, side) if snapshot else None):
            if content is None:
                continue
            named = [(name, content.fields.get(name)) for name in REFERENCES]
            named += [("product", line.product) for line in content.lines or ()]
            for name, id in named:
                if isinstance(id, str):
                    found.setdefault((side, REFERENCES[name]), set()).add(id)
    return found


def _end(sync: SyncRules, side: Side, record: Record, told: Told) -> dict[str, Any]:
    connection, id = sync.connection(side), record.entity(side)
    kinds = [flow.kind for flow in sync.flows if flow.name == record.flow]
    url = told.pages(connection, kinds[0], id) if kinds and id is not None else None
    return {"connection": connection, "label": told.label(connection), "id": id, "url": url}


def _fields(seen: Seen) -> list[dict[str, Any]]:
    bases = {side: seen.record.base(side) for side in Side}
    present = {side: _content(seen, side) for side in Side}
    known = [content for content in (*bases.values(), *present.values()) if content]
    names = dict.fromkeys(name for content in known for name in content.fields if not name.startswith(UNMET))
    return [
        {
            "name": name,
            "type": _type(
                name, [content.fields.get(name) for content in (*bases.values(), *present.values()) if content]
            ),
            **{side.value: {"base": _value(bases[side], name), "now": _value(present[side], name)} for side in Side},
        }
        for name in names
    ]


def _computed(seen: Seen, shown: set[str]) -> list[dict[str, Any]]:
    """What each side works out by itself: it is never compared, and people look for it first."""
    nouns = {side: snapshot.noun for side, snapshot in seen.snapshots.items() if isinstance(snapshot.noun, Invoice)}
    return [
        {
            "name": name,
            "type": "amount" if name in MONEY else "text",
            **{side.value: _json(getattr(nouns.get(side), name, None)) for side in Side},
        }
        for name in (COMPUTED if nouns else ())
        if name not in shown
    ]


def _type(name: str, values: Sequence[Value]) -> str:
    """How people read it: the values themselves are texts here."""
    if name in REFERENCES:
        return "reference"
    for value in values:
        if isinstance(value, Decimal):
            return "amount" if name in MONEY else "number"
        if isinstance(value, bool | date):
            return "boolean" if isinstance(value, bool) else "date"
    return "text"


def _currency(seen: Seen) -> str | None:
    found = (getattr(snapshot.noun, "currency", None) for snapshot in seen.snapshots.values())
    return next((currency for currency in found if currency), None)


def _lines(seen: Seen, side: Side) -> dict[str, Any]:
    def listed(content: Content | None) -> list[dict[str, Any]] | None:
        return None if content is None or content.lines is None else [_line(line) for line in content.lines]

    return {"base": listed(seen.record.base(side)), "now": listed(_content(seen, side))}


def _content(seen: Seen, side: Side) -> Content | None:
    snapshot = seen.snapshots.get(side)
    return project(snapshot, seen.flow, side) if snapshot else None


def _line(line: Line) -> dict[str, Any]:
    return {name: _json(value) for name, value in asdict(line).items() if value is not None}


def _value(content: Content | None, name: str) -> str | bool | None:
    return _json(content.fields.get(name)) if content else None


def _json(value: Value) -> str | bool | None:
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _intent(intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "side": intent.side.value,
        "connection": intent.connection,
        "operation": intent.op.value,
        "state": intent.state.value,
        "attempts": intent.attempts,
        "created_at": moment(intent.created_at),
        "sent_at": moment(intent.sent_at),
        "not_before": moment(intent.not_before),
    }
