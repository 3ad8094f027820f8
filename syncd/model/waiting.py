"""What a record waits for besides time, as the text that stands in its row.

Whoever sees the thing happen wakes the records by the same text, in the transaction that stores what was seen. Keys are
people's names and addresses, so only a hash of them is in the text.
"""

from __future__ import annotations

from hashlib import blake2b

from syncd.model.references import EntityRef, Kind, MatchKey


def on_record(id: str) -> str:
    """Another record moves."""
    return f"record:{id}"


def on_account(connection: str) -> str:
    """The account's settings change, or a person connects it anew."""
    return f"account:{connection}"


def on_entity(ref: EntityRef) -> str:
    """An entity is seen for the first time, or changes."""
    return f"entity:{ref.connection}:{ref.kind}:{ref.id}"


def on_key(connection: str, kind: Kind, key: MatchKey) -> str:
    """An entity with this key, now or until now, is seen to change: renamed, removed, made inactive, created."""
    value = blake2b(key.value.strip().casefold().encode(), digest_size=12).hexdigest()
    return f"key:{connection}:{kind}:{key.field}:{value}"


def held_by(sync: str, flow: str, breaker: str) -> str:
    """A breaker lets go, by a person's word or because what it saw is over."""
    return f"breaker:{sync}:{flow}:{breaker}"
