"""When an entity counts as gone: only after a second, different proof (F15).

A tombstone or a recycle bin in a poll is one proof, a read that finds nothing is the other. Where nobody but the read
says so, it is asked again after 30 seconds and after five minutes, for a vendor may be slow to show what it has just
made, or may have lost it for a moment. Until then records stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

from syncd.model.record import Change
from syncd.model.snapshot import Presence, Snapshot

TOLD_GONE = "gone"
"""The cause of a hint from a poll that says that the entity is gone."""

_DOUBT = "doubt:"
_AGAIN = (30.0, 300.0)  # seconds


def doubted(change: Change, found: Snapshot, before: Snapshot | None) -> tuple[Change, float] | None:
    """The hint to come back to, with the seconds until then, if what was read is no proof yet; else None.

    Args:
        before: what it was when last seen, None if it never was.
    """
    # Archived and merged are said by the vendor in so many words, after an answer that lacked the entity.
    if found.presence is not Presence.DELETED or change.cause == TOLD_GONE:
        return None
    times = int(change.cause.removeprefix(_DOUBT)) if change.cause.startswith(_DOUBT) else 0
    if times >= len(_AGAIN) or (before is not None and before.presence is not Presence.PRESENT):
        return None
    return replace(change, cause=f"{_DOUBT}{times + 1}"), _AGAIN[times]


def newly_doubted(change: Change) -> bool:
    """Whether the doubt is a new one."""
    return change.cause == f"{_DOUBT}1"


def kept(found: Snapshot, before: Snapshot | None) -> Snapshot:
    """What is known from now on of something that is gone: what it was stays known for those who ask.

    Where it went is not forgotten because a later look finds nothing.
    """
    if before is None or found.presence is Presence.PRESENT or found.noun is not None:
        return found
    if before.presence is Presence.MERGED and found.presence is not Presence.MERGED:
        return before
    return replace(before, version=found.version, presence=found.presence, merged_into=found.merged_into)
