"""The shapes of the API's answers, as JSON Schema. Tests hold every answer against them."""

from __future__ import annotations

from typing import Any

from syncd.core import catalogue
from syncd.model.action import ActionName, ActionState
from syncd.model.breaker import Breaker
from syncd.model.record import IntentState, Op, Status
from syncd.model.references import Side
from syncd.model.snapshot import Presence
from syncd.model.token import Role

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
COUNTS: Schema = {"type": "object", "additionalProperties": NUMBER}
STATUS: Schema = {"type": "string", "enum": [status.value for status in Status]}
SIDE: Schema = {"type": "string", "enum": [side.value for side in Side]}
VALUE: Schema = {"type": ["string", "boolean", "null"]}


def maybe(schema: Schema) -> Schema:
    """Such a value, or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def shape(**properties: Schema) -> Schema:
    """An object that has exactly these."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _both(schema: Schema) -> dict[str, Schema]:
    return {side.value: schema for side in Side}


_END = {"connection": TEXT, "label": TEXT, "id": maybe(TEXT), "url": maybe(TEXT)}
_SEEN = {
    "presence": {"type": "string", "enum": [presence.value for presence in Presence]},
    "version": maybe(TEXT),
    "source": maybe(TEXT),
    "created": maybe(MOMENT),
    "modified": maybe(MOMENT),
}
_SUMMARY: dict[str, Schema] = {
    "id": TEXT,
    "sync": TEXT,
    "flow": TEXT,
    "label": TEXT,
    "key": maybe(TEXT),
    "status": STATUS,
    "code": TEXT,
    "title": TEXT,
    "explanation": TEXT,
    "remedy": TEXT,
    "words": TEXT,
    "notes": listed(shape(code=TEXT, title=TEXT)),
    "origin": maybe(SIDE),
    "left": ref("End"),
    "right": ref("End"),
    "waits_for": maybe(TEXT),
    "since": MOMENT,
    "attempts": NUMBER,
    "next_at": maybe(MOMENT),
    "revision": NUMBER,
}
_CONNECTION = {
    "name": TEXT,
    "vendor": TEXT,
    "account": maybe(TEXT),
    "state": TEXT,
    "since": maybe(MOMENT),
    "quota": maybe(shape(limit=NUMBER, remaining=NUMBER, resets_at=maybe(MOMENT))),
}
_CHOICE = {"type": "string", "description": "left, right, or the name of one of the two connections"}
_ACTION = {
    "id": TEXT,
    "record": TEXT,
    "action": {"type": "string", "enum": [name.value for name in ActionName]},
    "by": TEXT,
    "at": MOMENT,
    "state": {"type": "string", "enum": [state.value for state in ActionState]},
    "outcome": TEXT,
    "take": maybe(SIDE),
    "fields": {"type": "object", "additionalProperties": SIDE},
    "entity": maybe(TEXT),
    "confirmed": FLAG,
}
_TOKEN = {
    "name": TEXT,
    "role": {"type": "string", "enum": [role.value for role in Role]},
    "created_at": MOMENT,
    "expires_at": maybe(MOMENT),
    "revoked_at": maybe(MOMENT),
    "valid": FLAG,
}
_LINES = maybe(listed({"type": "object", "additionalProperties": VALUE}))

SCHEMAS: dict[str, Schema] = {
    "Problem": shape(type=TEXT, title=TEXT, status=NUMBER, detail=TEXT, instance=TEXT),
    "Flow": shape(
        name=TEXT,
        direction=TEXT,
        state={"type": "string", "enum": ["running", "paused", "released", "off"]},
        **{status.value: NUMBER for status in Status},
        categories=COUNTS,
        reasons=COUNTS,
        waiting=COUNTS,
        notes=COUNTS,
        held=listed(ref("Breaker")),
    ),
    "Breaker": shape(
        breaker={**TEXT, "enum": [breaker.value for breaker in Breaker]},
        title=TEXT,
        figures=TEXT,
        since=MOMENT,
        records=NUMBER,
    ),
    "Sync": shape(
        name=TEXT,
        recipe=TEXT,
        left=TEXT,
        right=TEXT,
        state=TEXT,
        last_success=maybe(MOMENT),
        flows=listed(ref("Flow")),
    ),
    "Connection": shape(**_CONNECTION),
    "ConnectionDetails": shape(
        **_CONNECTION,
        account_id=maybe(TEXT),
        words=TEXT,
        retry_at=maybe(MOMENT),
        last_success=maybe(MOMENT),
        token={**TEXT, "enum": ["fixed", "granted"]},
        token_expires_at=maybe(MOMENT),
    ),
    "Status": shape(
        schema=NUMBER,
        as_of=MOMENT,
        version=TEXT,
        syncs=listed(ref("Sync")),
        connections=listed(ref("Connection")),
        storage=shape(state={**TEXT, "enum": ["ok", "low"]}, needed=NUMBER),
        daemon=shape(
            database={**TEXT, "enum": ["ok", "waiting"]},
            configuration={**TEXT, "enum": ["current", "refused", "restart_needed"]},
            problems=listed(TEXT),
            state={**TEXT, "enum": ["current", "restored"]},
            clocks=COUNTS,
            told=listed(TEXT),
        ),
    ),
    "Connections": shape(connections=listed(ref("ConnectionDetails"))),
    "End": {**shape(**_END), "properties": {**_END, **_SEEN}},
    "RecordSummary": shape(**_SUMMARY),
    "RecordPage": shape(records=listed(ref("RecordSummary")), next=maybe(TEXT)),
    "Field": shape(
        name=TEXT,
        type={"type": "string", "enum": ["text", "amount", "number", "date", "boolean", "reference"]},
        **_both(shape(base=VALUE, now=VALUE)),
    ),
    "Intent": shape(
        id=TEXT,
        side=SIDE,
        connection=TEXT,
        operation={"type": "string", "enum": [op.value for op in Op]},
        state={"type": "string", "enum": [state.value for state in IntentState]},
        attempts=NUMBER,
        created_at=MOMENT,
        sent_at=maybe(MOMENT),
        not_before=maybe(MOMENT),
    ),
    "Record": shape(
        **_SUMMARY,
        currency=maybe(TEXT),
        fields=listed(ref("Field")),
        computed=listed(shape(name=TEXT, type={"type": "string", "enum": ["text", "amount"]}, **_both(maybe(TEXT)))),
        actions=listed(
            shape(name={"type": "string", "enum": [name.value for name in ActionName]}, sides=listed(SIDE), risky=FLAG)
        ),
        others=listed(shape(side=SIDE, kind=TEXT, id=TEXT, record=TEXT, label=TEXT)),
        lines=shape(**_both(shape(base=_LINES, now=_LINES))),
        intents=listed(ref("Intent")),
        asked=listed(ref("Action")),
    ),
    "Entry": shape(
        number=NUMBER,
        at=MOMENT,
        event=TEXT,
        by=TEXT,
        side=maybe(SIDE),
        code=maybe(TEXT),
        words=TEXT,
        changes=listed(shape(field=TEXT, old=maybe(TEXT), new=maybe(TEXT), side=SIDE)),
        request_id=maybe(TEXT),
    ),
    "Activity": shape(activity=listed(ref("Entry")), next=maybe(NUMBER)),
    "Explanation": shape(
        record=ref("Record"),
        match=shape(by=listed(TEXT), key=maybe(TEXT)),
        rules=shape(direction=TEXT, conflict=TEXT, origin_decides=FLAG, applied=FLAG, used=TEXT),
        filters=shape(
            fixed=shape(**_both(listed(TEXT))), free=shape(**_both(maybe(TEXT))), hit=maybe(TEXT), words=TEXT
        ),
        waits=maybe(TEXT),
        last=listed(ref("Entry")),
        calls=listed(ref("Entry")),
        next=TEXT,
    ),
    "History": shape(
        since=MOMENT,
        series=listed(
            shape(sync=TEXT, flow=TEXT, status=STATUS, points=listed(shape(hour=MOMENT, n=NUMBER))),
        ),
    ),
    "Catalogue": shape(
        entries=listed(
            shape(
                code=TEXT,
                group={"type": "string", "enum": [group.value for group in catalogue.Group]},
                cure=TEXT,
                wakes=TEXT,
                title=TEXT,
                explanation=TEXT,
                remedy=TEXT,
            )
        )
    ),
    "Action": shape(**_ACTION),
    "ActionArguments": {
        "type": "object",
        "properties": {
            "confirm": {**FLAG, "description": "It is known that this cannot be undone, and wanted."},
            "from": {**_CHOICE, "description": "force: whose values go over."},
            "take": {**_CHOICE, "description": "resolve: whose values stay."},
            "fields": {
                "type": "object",
                "additionalProperties": _CHOICE,
                "description": "resolve: the same for single fields.",
            },
            "id": {**TEXT, "description": "link: the id the missing half has at its vendor."},
            "record": {**TEXT, "description": "link: or the record that holds it."},
        },
        "additionalProperties": False,
    },
    "ManyArguments": {
        "type": "object",
        "properties": {
            "records": listed(TEXT),
            **dict.fromkeys(("sync", "flow", "status", "code", "q"), TEXT),
            "confirm": FLAG,
        },
        "additionalProperties": False,
    },
    "ActionsTold": shape(
        action=TEXT,
        asked=NUMBER,
        not_taken=NUMBER,
        refused=listed(shape(record=TEXT, detail=TEXT, confirm=FLAG)),
    ),
    "Token": shape(**_TOKEN),
    "Tokens": shape(tokens=listed(ref("Token"))),
    "NewToken": shape(**_TOKEN, token=TEXT),
    "TokenArguments": {
        "type": "object",
        "properties": {"role": {"type": "string", "enum": [role.value for role in Role]}, "expires": MOMENT},
        "required": ["role"],
        "additionalProperties": False,
    },
    "FlowTold": shape(sync=TEXT, flow=maybe(TEXT), action=TEXT, records=NUMBER),
    "Plan": shape(
        schema=NUMBER,
        version=TEXT,
        created_at=MOMENT,
        expires_at=MOMENT,
        connections=listed(shape(name=TEXT, account_id=TEXT, account=TEXT, calls=NUMBER, seconds=NUMBER)),
        syncs=listed(shape(name=TEXT, recipe=TEXT, left=TEXT, right=TEXT, flows=listed(ref("PlannedFlow")))),
        warnings=listed(TEXT),
        failed=listed(shape(sync=TEXT, flow=TEXT, label=TEXT, code=TEXT, words=TEXT)),
        entries=listed(ref("PlannedWrite")),
        checksum=TEXT,
    ),
    "PlannedFlow": shape(
        name=TEXT,
        **{op.value: NUMBER for op in Op},
        linked=NUMBER,
        failed=COUNTS,
        excluded=COUNTS,
        pending=COUNTS,
    ),
    "PlannedWrite": shape(
        sync=TEXT,
        flow=TEXT,
        place=TEXT,
        label=TEXT,
        connection=TEXT,
        side=SIDE,
        op={"type": "string", "enum": [op.value for op in Op]},
        kind=TEXT,
        entity=maybe(TEXT),
        fields=listed(shape(field=TEXT, old=maybe(TEXT), new=maybe(TEXT))),
        lines=maybe(NUMBER),
        base=shape(**_both(maybe(TEXT))),
        seen=shape(**_both(maybe(TEXT))),
        rules=TEXT,
        command=TEXT,
    ),
    "Applied": shape(
        allowed=NUMBER,
        moved=listed(shape(sync=TEXT, flow=TEXT, label=TEXT, op=TEXT, connection=TEXT, words=TEXT)),
    ),
    "Backfills": shape(
        backfills=listed(
            shape(
                sync=TEXT,
                flow=TEXT,
                since=MOMENT,
                phase={"type": "string", "enum": ["left", "right", "deciding", "done"]},
                looked=NUMBER,
                passed=NUMBER,
                let_in=NUMBER,
                waiting=NUMBER,
                per_minute=NUMBER,
                seconds_left=maybe(NUMBER),
                started_at=MOMENT,
                ended_at=maybe(MOMENT),
            )
        )
    ),
    "Outcome": shape(done=NUMBER, failed=NUMBER, waiting=NUMBER),
    "ConnectionTold": shape(
        connection=TEXT, action=TEXT, account_name=maybe(TEXT), flows=listed(TEXT), state=TEXT, words=TEXT
    ),
}
