"""`syncd erase` from the command line: done at once, or by the daemon if one runs or a request is out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from syncd.app import opened
from syncd.cli_client import answers, look_up
from syncd.config import Config
from syncd.erasure import ask, erase, of_email, thoroughly
from syncd.errors import StateBusy, UsageError
from syncd.model.references import EntityRef, Kind
from syncd.running import App


async def erased(config: Config, word: str | None, email: str | None, *, carry_out: bool) -> dict[str, Any]:
    """Whom it is about, and what was done: `people`, `state` (`preview`, `done` or `asked`), and the counts.

    Raises:
        UsageError: nobody is found, or the word means something else than one person.
    """
    id = None if word is None else await _record(config, word)
    if not carry_out:
        async with opened(config, None) as app:
            return {"state": "preview", "people": _told(await _refs(app, id, email))}
    try:
        async with opened(config, "erase") as app:
            return await _erase(app, await _refs(app, id, email))
    except StateBusy:
        async with opened(config, None) as app:
            refs, now = await _refs(app, id, email), app.clock.now()
            await app.store.write(lambda tx: ask(tx, refs, now))
            return {"state": "asked", "people": _told(refs)}


async def _record(config: Config, word: str) -> str:
    async with answers(config, os.environ) as source:
        hits = [hit for hit in await look_up(source, word) if hit["flow"] == "contacts"]
    if len(hits) != 1:
        raise UsageError(f"{word!r} means {len(hits)} people; name one by the id of its record or with --email")
    return str(hits[0]["id"])


async def _refs(app: App, id: str | None, email: str | None) -> list[EntityRef]:
    if email is not None:
        refs = await app.store.read(lambda tx: of_email(tx, app.syncs, email))
    else:
        record = (await app.store.read(lambda tx: tx.records([id or ""]))).get(id or "")
        sync = next((sync for sync in app.syncs if record is not None and sync.name == record.sync), None)
        ends = {} if record is None or sync is None else {sync.left: record.left, sync.right: record.right}
        refs = [EntityRef(connection, Kind.PARTY, end) for connection, end in ends.items() if end is not None]
    if not refs:
        raise UsageError("nobody is found: no person we know has this address, or they are erased already")
    return refs


async def _erase(app: App, refs: Sequence[EntityRef]) -> dict[str, Any]:
    now = app.clock.now()
    found = await app.store.write(lambda tx: erase(tx, app.syncs, refs, now))
    if found.busy:
        await app.store.write(lambda tx: ask(tx, found.busy, now))
        return {"state": "asked", "people": _told(refs)}
    copies = await thoroughly(app.config, app.store)
    counts = {"records": found.records, "entities": found.entities, "mentions": found.mentions, "copies": copies}
    return {"state": "done", "people": _told(refs), **counts}


def _told(refs: Sequence[EntityRef]) -> list[dict[str, str]]:
    return [{"connection": ref.connection, "id": ref.id} for ref in refs]
