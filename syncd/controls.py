"""What a person may tell a flow: pause, resume, and release what a circuit breaker holds.

The word is stored with the state, so that it survives a restart; every turn asks for it inside its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.errors import UsageError
from syncd.model.breaker import Breaker
from syncd.model.record import Record
from syncd.model.waiting import held_by
from syncd.store.rows import Tripped
from syncd.store.store import Tx

RELEASED_FOR = timedelta(hours=1)  # as long as removals count together: what comes later is looked at anew
PAGE = 200

ACTIONS = ("pause", "resume", "release")


def control(tx: Tx, action: str, sync: str, flow: str, now: datetime, breaker: str | None = None) -> int:
    """Carry out one of `ACTIONS` on a flow; returns how many records were brought forward.

    Args:
        breaker: what alone is to be released.

    Raises:
        UsageError: there is no such action, or no such breaker.
    """
    if action not in ACTIONS:
        raise UsageError(f"there is no action “{action}”; possible are {', '.join(ACTIONS)}")
    if breaker is not None and action != "release":
        raise UsageError(f"a breaker can only be released, not {action}d")
    forward = 0
    if action == "pause":
        tx.set_meta(_paused(sync, flow), now.isoformat())
    elif action == "resume":
        tx.set_meta(_paused(sync, flow), "")
        forward = bring_forward(tx, sync, flow, "paused", now)
    else:
        which = tuple(Breaker) if breaker is None else (_known(breaker),)
        release(tx, sync, flow, which, now)
        if breaker is None:
            forward = bring_forward(tx, sync, flow, "held", now)
        else:
            forward = tx.wake([held_by(sync, flow, breaker)], now)
    return forward


def release(tx: Tx, sync: str, flow: str, which: Iterable[Breaker], now: datetime) -> None:
    """Let go what these breakers of a flow hold, and what they would for a while."""
    since = {row.breaker: row.since for row in tx.tripped(sync) if row.flow == flow}
    until = now + RELEASED_FOR
    tx.trip([Tripped(sync, flow, breaker, since.get(breaker, now), {}, until) for breaker in which])


def _known(breaker: str) -> Breaker:
    if breaker not in set(Breaker):
        raise UsageError(f"there is no breaker “{breaker}”; possible are {', '.join(Breaker)}")
    return Breaker(breaker)


def is_paused(tx: Tx, sync: str, flow: str) -> bool:
    """Whether nothing of this flow may be written for now. It is still read and compared."""
    return bool(tx.meta(_paused(sync, flow)))


def told(tx: Tx, flows: Iterable[tuple[str, str]], now: datetime) -> dict[tuple[str, str], str]:
    """Which of these flows a person has `paused` or `released`."""
    rows = tx.tripped()
    found = {(row.sync, row.flow): "released" for row in rows if row.released_until and now < row.released_until}
    names = {_paused(*place): place for place in flows}
    return found | {names[name]: "paused" for name, since in tx.metas(names).items() if since}


def held(tx: Tx) -> list[tuple[Tripped, int]]:
    """Breakers that hold something, each with how many records."""
    return [(row, n) for row in tx.tripped() if row.released_until is None and (n := tx.held_records(row))]


def bring_forward(tx: Tx, sync: str, flow: str, code: str, now: datetime) -> int:
    """Make a flow's records due that wait with this code; returns how many."""
    waiting = list(_with_code(tx, sync, flow, code))
    tx.save_records([replace(record, next_at=now) for record in waiting])
    return len(waiting)


def _with_code(tx: Tx, sync: str, flow: str, code: str) -> Iterator[Record]:
    after: str | None = None
    while True:
        page = tx.list_records(sync=sync, flow=flow, status="pending", code=code, after=after, limit=PAGE)
        yield from page.rows
        after = page.next
        if after is None:
            return


def _paused(sync: str, flow: str) -> str:
    return f"paused:{sync}:{flow}"
