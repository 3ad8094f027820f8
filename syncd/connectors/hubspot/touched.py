"""Invoices whose lines changed.

HubSpot shows the change of a line on the line only. Which invoice a line belongs to is asked once: a line keeps its
parent for life, so the cursor remembers the parents of the lines that the next poll will read again.

The cursor is `<time>` or `<time>|<line>><invoice>,<line>><invoice>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.fields import INVOICES, LINES, modified_property
from syncd.connectors.hubspot.mapping import version_of
from syncd.connectors.hubspot.walk import Walker

REMEMBERED = 200  # lines in a cursor; a poll that reads more of them again asks for their invoices again


@dataclass(frozen=True, slots=True)
class Touched:
    """What changed. `versions`: the newest change by invoice; `parents`: of the lines seen; `began`: of the look."""

    versions: dict[str, str]
    parents: Mapping[str, str]
    began: datetime

    def cursor(self, moment: str) -> str:
        """The cursor for the next look, at some time."""
        return cursor_text(moment, self.parents)


async def touched(client: Client, walker: Walker, cursor: str, overlap: timedelta, now: datetime) -> Touched:
    """The invoices whose lines changed since the cursor, less the overlap."""
    moment, known = _parsed(cursor)
    changed: dict[str, str] = {}
    began = now
    async for step in walker.walk(LINES, moments.parse(moment) - overlap, (modified_property(LINES),), now):
        changed |= {record.id: version_of(record, LINES) for record in step.records}
        began = step.began
    parents = {line: known[line] for line in changed if line in known}
    strange = [line for line in changed if line not in known]
    if strange:
        links = await client.links(LINES, INVOICES, strange)
        parents |= {line: invoices[0] for line, invoices in links.items() if invoices}
    versions: dict[str, str] = {}
    for line, invoice in parents.items():
        versions[invoice] = max(versions.get(invoice, ""), changed[line])
    return Touched(versions, parents, began)


def cursor_text(moment: str, parents: Mapping[str, str]) -> str:
    """A cursor; without its memory where that would be long."""
    if not parents or len(parents) > REMEMBERED:
        return moment
    return f"{moment}|{','.join(f'{line}>{invoice}' for line, invoice in sorted(parents.items()))}"


def time_of(cursor: str) -> str:
    """The time in a cursor."""
    return _parsed(cursor)[0]


def _parsed(cursor: str) -> tuple[str, dict[str, str]]:
    moment, _, remembered = cursor.partition("|")
    pairs = (pair.partition(">") for pair in remembered.split(",") if pair)
    return moment, {line: invoice for line, _, invoice in pairs}
