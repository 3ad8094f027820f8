"""What a person may tell a flow: pause, resume, and release what a guard holds.

The word is stored with the state, so that it survives a restart; every turn asks for it inside its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.errors import UsageError
from syncd.model.record import Record
from syncd.store.store import Tx

RELEASED_FOR = timedelta(hours=1)  # as long as removals count together: what comes later is looked at anew
PAGE = 200

ACTIONS = ("pause", "resume", "release")


def control(tx: Tx, action: str, sync: str, flow: str, now: datetime) -> int:
    """Carry out one of `ACTIONS` on a flow; returns how many records were brought forward.

    Raises:
        UsageError: there is no such action.
    """
    if action not in ACTIONS:
        raise UsageError(f"there is no action “{action}”; possible are {', '.join(ACTIONS)}")
    forward = 0
    if action == "pause":
        tx.set_meta(_paused(sync, flow), now.isoformat())
    elif action == "resume":
        tx.set_meta(_paused(sync, flow), "")
        forward = bring_forward(tx, sync, flow, "paused", now)
    else:
        tx.set_meta(_released(sync, flow), (now + RELEASED_FOR).isoformat())
        forward = bring_forward(tx, sync, flow, "held", now)
    return forward


def is_paused(tx: Tx, sync: str, flow: str) -> bool:
    """Whether nothing of this flow may be written for now. It is still read and compared."""
    return bool(tx.meta(_paused(sync, flow)))


def is_released(tx: Tx, sync: str, flow: str, now: datetime) -> bool:
    """Whether a person has looked at what the guard held, and let it go."""
    until = tx.meta(_released(sync, flow))
    return bool(until) and now < datetime.fromisoformat(until or "")


def told(tx: Tx, flows: Iterable[tuple[str, str]], now: datetime) -> dict[tuple[str, str], str]:
    """Which of these flows a person has `paused` or `released`."""
    found: dict[tuple[str, str], str] = {}
    for sync, flow in flows:
        if is_paused(tx, sync, flow):
            found[sync, flow] = "paused"
        elif is_released(tx, sync, flow, now):
            found[sync, flow] = "released"
    return found


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


def _released(sync: str, flow: str) -> str:
    return f"released:{sync}:{flow}"
