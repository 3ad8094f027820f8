"""From what is sent to an action, and from an action to what is answered; the API and the commands share it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from syncd.actions import Told, Wish, ask
from syncd.clock import SystemChance
from syncd.errors import BadArguments, KeyReused, NoRecord, Unconfirmed, UsageError
from syncd.model.action import ActionName
from syncd.model.record import Status
from syncd.status.access import FORMS, PAGE_FIELD, form_of
from syncd.status.reader import MAX_LIMIT, BadQuestion
from syncd.status.record_view import asked_of
from syncd.status.source import StatusSource
from syncd.store.store import Tx

ARGUMENTS: Mapping[ActionName, frozenset[str]] = {
    ActionName.FORCE: frozenset({"from"}),
    ActionName.RESOLVE: frozenset({"take", "fields"}),
    ActionName.LINK: frozenset({"id", "record"}),
}
MANY = (ActionName.RETRY, ActionName.REFRESH, ActionName.EXCLUDE, ActionName.INCLUDE)
FILTERS = ("sync", "flow", "status", "code", "q")
KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 200
SHOWN_REFUSALS = 100
_YES = frozenset({"true", "on", "yes", "1"})
_FIELD = "field."


_PROBLEMS: Mapping[type[UsageError], str] = {
    NoRecord: "not_found",
    Unconfirmed: "not_confirmed",
    KeyReused: "key_reused",
    BadQuestion: "bad_question",
    BadArguments: "bad_question",
}


def problem_code(error: UsageError) -> str:
    """Which row of the problems an action that was not taken is answered with."""
    return _PROBLEMS.get(type(error), "not_possible_now")


async def sent(request: web.Request) -> tuple[dict[str, Any], bool]:
    """What came along, and whether as a form of a page (to be answered with a page).

    Raises:
        BadQuestion: it cannot be read.
    """
    if request.content_type in FORMS:
        form = await form_of(request)
        given: dict[str, Any] = {name: value for name, value in form.items() if name != PAGE_FIELD and value != ""}
        fields = {name.removeprefix(_FIELD): given.pop(name) for name in list(given) if name.startswith(_FIELD)}
        return given | ({"fields": fields} if fields else {}), True
    if not await request.read():  # it has been read already; what is left to be read says nothing
        return {}, False
    try:
        body = msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadQuestion("the body is no JSON") from error
    if not isinstance(body, dict):
        raise BadQuestion("the body is no JSON object")
    return body, False


def wish_of(name: str, given: Mapping[str, Any], by: str, key: str | None) -> Wish:
    """What is asked, from its arguments.

    Raises:
        BadQuestion: an argument is unknown or no text, or the action is.
    """
    if name not in set(ActionName):
        raise BadQuestion(f"there is no action {name!r}; there is {', '.join(ActionName)}")
    action = ActionName(name)
    known = ARGUMENTS.get(action, frozenset()) | {"confirm"}
    if strange := sorted(given.keys() - known):
        raise BadQuestion(f"{', '.join(strange)}: no such argument; {name} knows {', '.join(sorted(known))}")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        raise BadQuestion(f"{KEY_HEADER}: from 1 to {LONGEST_KEY} printable characters")
    fields = given.get("fields", {})
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise BadQuestion("fields: an object of field names, each with a side")
    return Wish(
        name=action,
        by=by,
        take=_text(given, "from" if action is ActionName.FORCE else "take"),
        fields=fields,
        entity=_text(given, "id"),
        other=_text(given, "record"),
        confirmed=_flag(given, "confirm"),
        key=key,
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadQuestion(f"{name}: a text")
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool | str):
        raise BadQuestion(f"{name}: true or false")
    return value in _YES if isinstance(value, str) else value


async def act(source: StatusSource, wish: Wish, id: str) -> dict[str, Any]:
    """Ask it of one record.

    Raises:
        UsageError: why it is not taken.
    """
    told = await _ask(source, [id], wish)
    for error in told.refused.values():
        raise error
    (action,) = told.actions
    return asked_of(action)


async def act_on_many(source: StatusSource, wish: Wish, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask it of all records a filter leaves, or of those that are named, a page in a transaction.

    Raises:
        BadQuestion: the filter means nothing, or leaves everything.
    """
    ids, filters = given.get("records"), {name: given[name] for name in FILTERS if name in given}
    if wish.name not in MANY:
        raise BadQuestion(f"{wish.name} is asked of one record; of many there is {', '.join(MANY)}")
    if (ids is None) == (not filters):
        raise BadQuestion(f"say which records: either records, or a filter by {', '.join(FILTERS)}")
    if ids is not None:
        if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
            raise BadQuestion("records: a list of ids")
        return _summary(
            wish, [await _ask(source, ids[at : at + MAX_LIMIT], wish) for at in range(0, len(ids), MAX_LIMIT)]
        )
    _check_filters(source, filters)
    told: list[Told] = []
    after: str | None = None
    while True:
        found, after = await source.store.read(partial(_page, filters=filters, after=after))
        told.append(await _ask(source, found, wish))
        if after is None:
            return _summary(wish, told)


def _check_filters(source: StatusSource, filters: dict[str, Any]) -> None:
    flows = {sync.name: {flow.name for flow in sync.flows} for sync in source.syncs}
    known: dict[str, set[str]] = {
        "sync": set(flows),
        "flow": set().union(*flows.values()),
        "status": {status.value for status in Status},
    }
    for name, value in filters.items():
        if not isinstance(value, str) or value not in known.get(name, {value}):
            raise BadQuestion(
                f"{name}: one of {', '.join(sorted(known[name]))}" if name in known else f"{name}: a text"
            )


def _page(tx: Tx, *, filters: Mapping[str, Any], after: str | None) -> tuple[list[str], str | None]:
    status = Status(filters["status"]) if "status" in filters else None
    page = tx.list_records(**{**filters, "status": status}, after=after, limit=MAX_LIMIT)
    return [record.id for record in page.rows], page.next


async def _ask(source: StatusSource, ids: list[str], wish: Wish) -> Told:
    now, new_id = source.clock.now(), SystemChance().new_id
    told = await source.store.write(lambda tx: ask(tx, source.syncs, ids, wish, now, new_id))
    source.ring()
    return told


def _summary(wish: Wish, pages: list[Told]) -> dict[str, Any]:
    refused = [(id, error) for page in pages for id, error in page.refused.items()]
    return {
        "action": wish.name.value,
        "asked": sum(len(page.actions) for page in pages),
        "not_taken": len(refused),
        "refused": [
            {"record": id, "detail": str(error), "confirm": isinstance(error, Unconfirmed)}
            for id, error in refused[:SHOWN_REFUSALS]
        ],
    }
