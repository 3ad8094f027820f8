"""Canaries across the whole suite (promise 15): what is said while tests run is searched for people, amounts and keys.

The canaries are the sandbox's own data and keys, which every world is made of: whoever is called Kalapatapu or owes
1675.52 there stands in no line of a log. Lines come from the log of this process, as `syncd.log` would write them, and
from the stderr of the processes that tests start.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, MutableMapping
from functools import cache
from importlib.resources import files
from typing import Any

import structlog

from syncd.log import redact
from syncd.log_errors import in_places
from syncd.sandbox.world import create_world

PEOPLE = ("lastname", "email", "phone", "FamilyName", "Address", "FreeFormNumber")
AMOUNTS = ("TotalAmt", "Balance")
SHORTEST = 6  # characters: shorter names are words, too, and shorter amounts are anything
HARMLESS = frozenset({"portal_id", "realm_id", "client_id"})  # of a sandbox's keys
SECRETS = re.compile(r"(pat|na1|RT1|AT1|CL1)-[\w-]{6,}|-----BEGIN|gAAAA[\w-]{20,}")  # as keys and tokens look
_WORD = re.compile(r"[\w.@+-]+")

told: list[str] = []
"""What was said and should not have been, since a test began."""


def listen(text: str) -> None:
    """Search what a process said."""
    for line in text.splitlines():
        if private := privates_in(line):
            told.append(f"{sorted(private)} in {line[:500]}")


def privates_in(line: str) -> set[str]:
    """The canaries of a line."""
    found = {word.strip(".") for word in _WORD.findall(line)} & canaries()
    return found | {match[0] for match in SECRETS.finditer(line)}


@cache
def canaries() -> frozenset[str]:
    """Names, addresses, numbers and amounts of the seed data, and the keys of the sandbox."""
    data = files("syncd.sandbox")
    seeds = [data / "hubspot/data/portal.json", data / "quickbooks/data/company.json"]
    found = {word for seed in seeds for word in _private(json.loads(seed.read_text(encoding="utf-8")))}
    for vendor in create_world().vendors.values():
        found |= {value for name, value in vendor.credentials().items() if name not in HARMLESS}
    return frozenset(found)


def _private(content: Any) -> Iterator[str]:
    if isinstance(content, list):
        for each in content:
            yield from _private(each)
    elif isinstance(content, dict):
        for name, value in content.items():
            if name in PEOPLE and isinstance(value, str):
                yield from (word for word in _WORD.findall(value) if len(word) >= SHORTEST)
            elif name in AMOUNTS and len(str(value)) >= SHORTEST:
                yield str(value)
            else:
                yield from _private(value)


def eavesdrop(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor that listens to what the log would say; below "info" it says nothing unless it is asked to."""
    if method != "debug":
        listen(str(redact(logger, method, in_places(logger, method, dict(event)))))
    return event


def listening() -> bool:
    """Whether nobody has set up the log anew."""
    return eavesdrop in structlog.get_config()["processors"]


def quiet(least: int) -> None:
    """Print nothing below a level; everything is listened to."""

    def drop(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if getattr(logging, method.upper(), logging.ERROR) < least:
            raise structlog.DropEvent
        return event

    structlog.reset_defaults()
    structlog.configure(
        processors=[eavesdrop, drop, *structlog.get_config()["processors"]],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
