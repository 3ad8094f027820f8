"""What each command prints with `--json`, as JSON Schema: additions may come, what is there stays.

`syncd schema COMMAND` shows it. Where a command gives an answer of the HTTP API, the shape is that of the API. What
goes wrong is `error` for all.
"""

from __future__ import annotations

from typing import Any

from syncd.connectors.base import Severity
from syncd.status.shapes import COUNTS, FLAG, MOMENT, NUMBER, SCHEMAS, SIDE, TEXT, Schema, listed, maybe, ref, shape

_DAEMON = {"daemon": {**FLAG, "description": "whether a daemon runs, which carries it out within moments"}}
_SIDE_OF_MONTH = shape(documents=NUMBER, total=TEXT, balance=TEXT)
_AMOUNTS = maybe({"type": "object", "additionalProperties": TEXT})


def _and(schema: Schema, **more: Schema) -> Schema:
    return shape(**schema["properties"], **more)


_ASKED = _and(SCHEMAS["Action"], **_DAEMON)
_ASKED_OF_MANY = _and(SCHEMAS["ActionsTold"], **_DAEMON)
_SEVERAL = shape(records=listed(ref("RecordSummary")), next={"type": "null"})
"""Where a word means several records: they are listed, and the command ends with 2."""
_ONE: Schema = {"anyOf": [_ASKED, _SEVERAL]}
_ONE_OR_MANY: Schema = {"anyOf": [_ASKED, _ASKED_OF_MANY, _SEVERAL]}

COMMANDS: dict[str, Schema] = {
    "error": shape(
        error=TEXT,
        exit=NUMBER,
        problems=listed(shape(file=TEXT, line=maybe(NUMBER), key=TEXT, message=TEXT, cure=TEXT)),
    ),
    "init": shape(written=listed(TEXT)),
    "check": shape(
        findings=listed(
            shape(
                severity={**TEXT, "enum": [severity.value for severity in Severity]},
                title=TEXT,
                cure=TEXT,
                code=maybe(TEXT),
            )
        )
    ),
    "once": ref("Status"),
    "status": ref("Status"),
    "records": ref("RecordPage"),
    "show": {"anyOf": [_and(SCHEMAS["Activity"], record=ref("Record")), _SEVERAL]},
    "explain": {"anyOf": [ref("Explanation"), _SEVERAL]},
    "plan": ref("Plan"),
    "apply": _and(SCHEMAS["Applied"], **SCHEMAS["Outcome"]["properties"]),
    "mappings": shape(
        mappings=listed(
            shape(
                **dict.fromkeys(("sync", "flow", "flow_direction", "left_connection", "right_connection"), TEXT),
                **dict.fromkeys(("name", "left", "right", "direction", "group", "origin", "fixed", "option"), TEXT),
                **dict.fromkeys(("enabled", "switchable", "on_create"), FLAG),
                constant={},
                values={"type": "object"},
            )
        )
    ),
    "remap": shape(
        carried_out=FLAG,
        flows=COUNTS,
        records=listed(
            shape(
                id=TEXT,
                flow=TEXT,
                label=TEXT,
                changes=listed(shape(field=TEXT, side=maybe(SIDE), old={}, new={})),
                problems=listed(shape(field=TEXT, words=TEXT)),
            )
        ),
    ),
    "reconcile": shape(
        schema=NUMBER,
        as_of=MOMENT,
        unexplained=NUMBER,
        proofs=listed(
            shape(
                **dict.fromkeys(("sync", "flow", "left", "right"), TEXT),
                **dict.fromkeys(("documents", "equal", "unexplained"), NUMBER),
                differences=listed(
                    shape(
                        **dict.fromkeys(("record", "label", "cause", "words", "digest"), TEXT),
                        fields=listed(TEXT),
                        left=_AMOUNTS,
                        right=_AMOUNTS,
                        explained=FLAG,
                    )
                ),
                controls=listed(
                    shape(
                        **dict.fromkeys(("customer", "month", "currency"), TEXT),
                        left=_SIDE_OF_MONTH,
                        right=_SIDE_OF_MONTH,
                        explained=FLAG,
                    )
                ),
            )
        ),
    ),
    "backfill": ref("Backfills"),
    **dict.fromkeys(("pause", "resume", "release"), ref("FlowTold")),
    **dict.fromkeys(("retry", "refresh"), _ONE_OR_MANY),
    **dict.fromkeys(("exclude", "include", "force", "resolve", "accept", "revert", "link", "unlink"), _ONE),
    "connect": _and(SCHEMAS["ConnectionTold"], vendor=TEXT, account=TEXT),
    "disconnect": ref("ConnectionTold"),
    "token create": ref("NewToken"),
    "token list": ref("Tokens"),
    "token revoke": ref("Token"),
    "backup": shape(written=TEXT, bytes=NUMBER, pruned=NUMBER),
    "restore": shape(state=TEXT, restored=TEXT, replaced=maybe(TEXT)),
    "erase": {
        "type": "object",
        "properties": {
            "state": {**TEXT, "enum": ["preview", "asked", "done"]},
            "people": listed(shape(connection=TEXT, id=TEXT)),
            **dict.fromkeys(("records", "entities", "mentions", "copies"), NUMBER),
        },
        "required": ["state", "people"],
        "additionalProperties": False,
    },
}
"""`backfill` prints one such object a line while it goes on, the last of them at its end."""


def described(command: str) -> dict[str, Any]:
    """The whole schema of one command, with everything that it refers to."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **COMMANDS[command],
        "components": {"schemas": SCHEMAS},
    }
