"""Logs made for monitoring: one JSON object a line on stderr, readable lines in a terminal.

`event` names are dotted and stable (all of them: `systemd/monitoring/events.md`), the rest are key-values: ids yes,
personal data, amounts and secrets never. The redaction here is the last net, not the rule: callers do not pass such
values in the first place. Of an exception only its type and place are told: its text, and the variables around it, may
hold anything.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import cache
from importlib import metadata
from types import TracebackType
from typing import Any

import structlog

from syncd.log_errors import in_places, in_words

HIDDEN = "***"
PRIVATE = frozenset(
    {
        *("token", "secret", "password", "authorization", "cookie", "credential"),
        *("email", "phone", "name", "label", "words", "amount", "total", "balance"),
    }
)
"""A key with one of these among its words (`refresh_token`, `displayName`) does not show its value."""

ECS = {"error": "error.type", "category": "error.code", "request_id": "trace.id"}
"""Keys that have a name in the Elastic Common Schema."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(json: bool | None = None, level: str = "info") -> None:
    """Set up logging for the process; `json` None means: unless stderr is a terminal. Call it once, at the start."""
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        unheard,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        *(_json() if as_json else _readable()),
    ]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _adopt_standard_library(shared)
    sys.excepthook = _crashed


def unheard(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor that drops what is only rehearsed: a log must not tell of writes that were never made."""
    if event.pop("rehearsal", False) and method in ("debug", "info"):
        raise structlog.DropEvent
    return event


def redact(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor that hides the values of private keys, nested ones included."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: object, value: object) -> object:
    if isinstance(key, str) and PRIVATE & {word.lower() for word in _WORDS.findall(key)}:
        return HIDDEN
    if isinstance(value, Mapping):
        return {inner: _redacted(inner, below) for inner, below in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(None, item) for item in value]
    return value


def _named(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor that gives keys the names log stores know, and says which release speaks."""
    named: dict[str, Any] = {ECS.get(key, key): value for key, value in event.items()}
    return named | {"service.name": "syncd", "service.version": _version()}


@cache
def _version() -> str:
    return metadata.version("syncd")


def _json() -> list[structlog.typing.Processor]:
    return [in_places, _named, structlog.processors.JSONRenderer(default=str)]


def _readable() -> list[structlog.typing.Processor]:
    return [in_words, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def _first_line(record: logging.LogRecord) -> bool:
    # Asyncio adds the repr of what failed, which quotes the exception's text.
    record.msg, record.args = record.getMessage().split("\n")[0], ()
    return True


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Python's hook for what nobody has caught."""
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger("syncd").critical("process.crashed", exc_info=error)


def _adopt_standard_library(processors: list[structlog.typing.Processor]) -> None:
    """Libraries' warnings take the same shape, so that stderr holds nothing but our lines."""
    *chain, renderer = processors
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *chain, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_first_line)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
