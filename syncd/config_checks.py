"""What a configuration must mean beyond its shape, and what a refused value means in words.

The checks look at the file as parsed and pass over whatever has a wrong shape, so that all kinds of problems can be
reported together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from syncd.config_lines import Path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Finding = tuple[Path, str, str]
"""Where, what is wrong, and the cure."""

_APP = ("client_id", "client_secret")
NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "hubspot": (("token",), _APP),
    "quickbooks": (_APP,),
}
"""The ways in which each vendor's connection can be authorised: all keys of one of them. The app's keys are enough: the
rest comes with `syncd connect`."""


def check_meaning(raw: Mapping[str, Any]) -> list[Finding]:
    """Whatever the shape alone cannot tell: names that lead nowhere, missing credentials, the recipe's own rules."""
    connections = _table(raw.get("connections"))
    vendors = {name: str(_table(table).get("vendor")) for name, table in connections.items()}
    found = [finding for name, table in connections.items() for finding in _connection(name, _table(table))]
    for key in ("connections", "syncs"):
        if key in raw and raw[key] == {}:
            found.append(((key,), "is empty", f"add a table [{key}.<name>]"))
    for name, table in _table(raw.get("syncs")).items():
        found += _sync(name, _table(table), vendors)
    return found


def _connection(name: str, table: Mapping[str, Any]) -> Iterator[Finding]:
    vendor = table.get("vendor")
    ways = NEEDED.get(vendor, ()) if isinstance(vendor, str) else ()
    if ways and not any(all(key in table for key in way) for way in ways):
        begun = max(ways, key=lambda way: sum(key in table for key in way))
        strange = [key for key in table if not any(key in way for way in ways)]
        missing = [key for key in begun if key not in table and not get_close_matches(key, strange)]
        if not missing:
            return  # only misspelt, and told as such
        cure = "add " + " and ".join(missing)
        for other in ways:
            if other != begun:
                cure += f" (or use {' and '.join(other)} instead)"
        yield ("connections", name), f"has no {' and no '.join(missing)}", cure
    if vendor == "quickbooks" and "refresh_token" in table and "account" not in table:
        cure = f"add account, or take refresh_token out and run `syncd connect {name}`"
        yield ("connections", name), "has a refresh_token and no account: the token does not tell its company", cure


def _sync(name: str, table: Mapping[str, Any], vendors: Mapping[str, str]) -> Iterator[Finding]:
    sides = {side: table[side] for side in ("left", "right") if isinstance(table.get(side), str)}
    for side, connection in sides.items():
        if connection not in vendors:
            yield ("syncs", name, side), f"no connection is called {connection!r}", _one_of(connection, vendors)
    if len(sides) == 2 and sides["left"] == sides["right"]:
        yield ("syncs", name, "right"), "is the same connection as left", "name the connection of the other vendor"
    if isinstance(table.get("recipe"), str):
        from syncd import recipes  # recipes read their own files: only when a configuration is checked

        for path, message, cure in recipes.check(table["recipe"], {**table, "flows": _flows(table)}, vendors):
            yield ("syncs", name, *path), message, cure


def _flows(table: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of the flows that have the shape a recipe may rely on; the others are told by their shape."""
    made = {}
    for name, flow in _table(table.get("flows")).items():
        made[name] = dict(_table(flow))
        for part in ("filters", "options"):
            made[name][part] = _table(made[name].get(part))
        mappings = made[name].get("mappings")
        whole = isinstance(mappings, list) and all(isinstance(mapping, Mapping) for mapping in mappings)
        made[name]["mappings"] = mappings if whole else []
    return made


def describe(model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[Finding]:
    """Refused values in words. A key that is only misspelt is not told as missing too."""
    unknown = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    return [_in_words(model, error) for error in errors if not _misspelt(error, unknown)]


def _misspelt(error: ErrorDetails, unknown: Sequence[Path]) -> bool:
    beside = [str(path[-1]) for path in unknown if path[:-1] == error["loc"][:-1]]
    return error["type"] == "missing" and bool(get_close_matches(str(error["loc"][-1]), beside))


def _in_words(model: type[BaseModel], error: ErrorDetails) -> Finding:
    """One refused value in words; the cure is the field's description unless the refusal brought its own."""
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        known = _keys(model, path[:-1])
        return path, "is not a known key", _one_of(str(path[-1]), known)
    wanted = _description(model, path)
    if error["type"] == "missing":
        return path, "is missing", f"add it: {wanted}"
    cure = str(error.get("ctx", {}).get("cure") or f"give {wanted}")
    return path, error["msg"][:1].lower() + error["msg"][1:], cure


def _one_of(given: str, known: Mapping[str, Any] | list[str]) -> str:
    close = get_close_matches(given, list(known), n=1)
    listed = ", ".join(sorted(known)) or "none yet"
    return f"did you mean {close[0]}? Possible here: {listed}" if close else f"possible here: {listed}"


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    table = _walk(model, path)
    assert isinstance(table, type)
    assert issubclass(table, BaseModel)
    return [field.alias or name for name, field in table.model_fields.items()]


def _description(model: type[BaseModel], path: Path) -> str:
    """What the nearest field that the path names should hold."""
    for end in range(len(path), 0, -1):
        table = _walk(model, path[: end - 1])
        if isinstance(table, type) and issubclass(table, BaseModel) and (field := _named(table, path[end - 1])):
            return field.description or "another value"
    return "a table"


def _walk(kind: Any, path: Path) -> Any:
    """The type that stands at a path: a table's model, or the type of a value."""
    for key in path:
        kind = _without_none(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = _named(kind, key)
            kind = field.annotation if field else None
        else:
            kind = get_args(kind)[-1] if get_origin(kind) in (dict, list) else None
    return _without_none(kind)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        return next(one for one in get_args(kind) if one is not type(None))
    return kind


def _named(table: type[BaseModel], key: str | int) -> FieldInfo | None:
    return next((field for name, field in table.model_fields.items() if (field.alias or name) == key), None)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
