"""The API as one table: what is served, under which name, and what it says about itself in `openapi.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from syncd import consent, controls, remap
from syncd.model.action import ActionName
from syncd.model.breaker import Breaker
from syncd.status.acting import MANY
from syncd.status.reader import DEFAULT_LIMIT, MAX_LIMIT
from syncd.status.shapes import NUMBER, STATUS, TEXT, Schema, ref

API = "/api/v1"
ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What any request may be answered with besides its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One name in the query string."""

    name: str
    schema: Schema
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One thing that can be asked.

    Attributes:
        name: of the handler, and the operationId. answer: name of a schema, or None where the answer is not JSON.
        problems: what it may be answered with besides `ALWAYS`. choices: the words that may stand in a
            place of the path.
        body: schema of what is sent along; None where nothing is.
    """

    method: str
    path: str
    name: str
    words: str
    answer: str | None
    query: tuple[Parameter, ...] = ()
    problems: tuple[HTTPStatus, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    media: str = "application/json"
    body: Schema | None = None

    @property
    def names(self) -> list[str]:
        """What the path leaves open."""
        return re.findall(r"{(\w+)}", self.path)


_LIMIT = Parameter(
    name="limit",
    schema={**NUMBER, "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    words="How many at most.",
)
_RECORDS = (
    Parameter(name="sync", schema=TEXT, words="Only of this sync."),
    Parameter(name="flow", schema=TEXT, words="Only of this flow."),
    Parameter(name="status", schema={**STATUS}, words="Only in this status."),
    Parameter(name="code", schema=TEXT, words="Only with this category or reason, a row of the catalogue."),
    Parameter(name="q", schema=TEXT, words="A label, key or vendor's id, or the beginning of one."),
    Parameter(name="cursor", schema=TEXT, words="The `next` of the page before."),
    _LIMIT,
)
_BEFORE = Parameter(name="before", schema={**NUMBER, "minimum": 0}, words="The `next` of the page before.")
_HOURS = Parameter(
    name="hours", schema={**NUMBER, "minimum": 1, "maximum": 24 * 90, "default": 24 * 7}, words="How far back."
)
_UNKNOWN = (HTTPStatus.NOT_FOUND,)
_SINCE = Parameter(name="since", schema={**TEXT, "format": "date"}, words="The day. It has to be given.")
_BREAKER = Parameter(
    name="breaker",
    schema={**TEXT, "enum": [breaker.value for breaker in Breaker]},
    words="With release: only what this circuit breaker holds.",
)
_PLANNED = (HTTPStatus.BAD_GATEWAY,)
_TOLD = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INSUFFICIENT_STORAGE)

ROUTES = (
    Route(
        method="GET",
        path=f"{API}/status",
        name="status",
        words="Totals of every flow, and every connection's condition.",
        answer="Status",
    ),
    Route(
        method="GET",
        path=f"{API}/connections",
        name="connections",
        words="Every connection with what is known of it.",
        answer="Connections",
    ),
    Route(
        method="GET",
        path=f"{API}/history",
        name="history",
        words="How many records stood in each status, hour by hour; the last point is now.",
        answer="History",
        query=(_HOURS,),
    ),
    Route(
        method="GET",
        path=f"{API}/records",
        name="records",
        words="Records that pass all filters, newest status first, a page at a time.",
        answer="RecordPage",
        query=_RECORDS,
    ),
    Route(
        method="GET",
        path=f"{API}/records/{{id}}",
        name="record",
        words="One record: both sides, what they last agreed on, writes under way.",
        answer="Record",
        problems=_UNKNOWN,
    ),
    Route(
        method="GET",
        path=f"{API}/records/{{id}}/activity",
        name="activity",
        words="A record's account, newest first.",
        answer="Activity",
        query=(_LIMIT, _BEFORE),
        problems=_UNKNOWN,
    ),
    Route(
        method="GET",
        path=f"{API}/records/{{id}}/explain",
        name="explain",
        words="Why a record stands where it stands, and what happens next.",
        answer="Explanation",
        problems=_UNKNOWN,
    ),
    Route(
        method="POST",
        path=f"{API}/records/{{id}}/{{action}}",
        name="action",
        words="Ask something of a record; it is carried out within moments, and what came of it is in its account.",
        answer="Action",
        problems=(*_TOLD, HTTPStatus.UNPROCESSABLE_ENTITY),
        choices={"action": tuple(ActionName)},
        body=ref("ActionArguments"),
    ),
    Route(
        method="POST",
        path=f"{API}/actions/{{action}}",
        name="actions",
        words="Ask the same of many records: of those named, or of all that a filter leaves.",
        answer="ActionsTold",
        problems=(*_TOLD, HTTPStatus.UNPROCESSABLE_ENTITY),
        choices={"action": MANY},
        body=ref("ManyArguments"),
    ),
    Route(
        method="GET",
        path=f"{API}/tokens",
        name="tokens",
        words="Every access token: its name, role and dates, never the token itself. Through the unix socket only.",
        answer="Tokens",
    ),
    Route(
        method="POST",
        path=f"{API}/tokens/{{name}}",
        name="create_token",
        words="Make an access token; it is told this once. Through the unix socket only.",
        answer="NewToken",
        problems=(HTTPStatus.CONFLICT,),
        body=ref("TokenArguments"),
    ),
    Route(
        method="POST",
        path=f"{API}/tokens/{{name}}/revoke",
        name="revoke_token",
        words="Accept a token no longer. Through the unix socket only.",
        answer="Token",
        problems=_TOLD,
    ),
    Route(
        method="POST",
        path=f"{API}/syncs/{{sync}}/flows/{{flow}}/backfill",
        name="backfill",
        words="Let in the history of a flow from a day on, and begin to bring it over, behind everything else.",
        answer="Backfills",
        query=(_SINCE,),
        problems=_TOLD,
    ),
    Route(
        method="POST",
        path=f"{API}/syncs/{{sync}}/backfill",
        name="backfill_sync",
        words="The same for all flows of a sync that have a history.",
        answer="Backfills",
        query=(_SINCE,),
        problems=_TOLD,
    ),
    Route(
        method="GET",
        path=f"{API}/backfills",
        name="backfills",
        words="How far the backfills have come, how fast they go and how long they will take.",
        answer="Backfills",
    ),
    Route(
        method="POST",
        path=f"{API}/syncs/{{sync}}/flows/{{flow}}/{{action}}",
        name="control",
        words="Pause or resume a flow, release what a breaker holds, or have changed mappings reach what is synced.",
        answer="FlowTold",
        problems=_TOLD,
        query=(_BREAKER,),
        choices={"action": (*controls.ACTIONS, remap.ACTION)},
    ),
    Route(
        method="POST",
        path=f"{API}/syncs/{{sync}}/{{action}}",
        name="control_sync",
        words="Pause or resume all flows of a sync, or release what waits for a person in it.",
        answer="FlowTold",
        problems=_TOLD,
        query=(_BREAKER,),
        choices={"action": controls.ACTIONS},
    ),
    Route(
        method="POST",
        path=f"{API}/plan",
        name="plan",
        words="What would be created, changed and removed now, and what it costs. Writes to no vendor. Takes its time.",
        answer="Plan",
        query=_RECORDS[:2],
        problems=_PLANNED,
    ),
    Route(
        method="POST",
        path=f"{API}/apply",
        name="apply",
        words="Carry out a plan, but for what would be different now.",
        answer="Applied",
        problems=_PLANNED,
        body=ref("Plan"),
    ),
    Route(
        method="GET",
        path=f"{API}/apply",
        name="applied",
        words="How far the plans that were applied within the last day have come.",
        answer="Outcome",
    ),
    Route(
        method="POST",
        path=f"{API}/connections/{{name}}/{{action}}",
        name="connection",
        words="Disconnect a connection, or take in that it was connected anew.",
        answer="ConnectionTold",
        problems=(*_TOLD, HTTPStatus.BAD_GATEWAY),
        choices={"action": consent.ACTIONS},
    ),
    Route(
        method="GET",
        path=f"{API}/catalogue",
        name="catalogue",
        words="Every category and reason with its explanation and remedy, in the language that is asked for.",
        answer="Catalogue",
    ),
    Route(
        method="GET",
        path=f"{API}/events",
        name="events",
        words=(
            "Server-sent: `counts` whenever a total changes, `records` with the ids of records that something happened "
            "to, each at most once a second."
        ),
        answer=None,
        media="text/event-stream",
    ),
    Route(
        method="GET",
        path=f"{API}/openapi.json",
        name="openapi",
        words="This description.",
        answer=None,
    ),
)
