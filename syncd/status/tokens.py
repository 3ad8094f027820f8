"""Access tokens: made, listed and revoked by whoever may open the unix socket."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from syncd.errors import Inapplicable, NoRecord
from syncd.model.token import Role, Token
from syncd.status.access import token_digest
from syncd.status.reader import BadQuestion
from syncd.status.source import StatusSource
from syncd.status.view import moment
from syncd.store.store import Tx

PREFIX = "syncd_"  # so that a token that was pasted somewhere is recognised by whoever looks for such things
BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Work = Callable[[StatusSource, Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def create(source: StatusSource, given: Mapping[str, Any]) -> dict[str, Any]:
    """A new token of this name and role; the one answer that holds the token itself.

    Raises:
        BadQuestion: the name, role or expiry makes no sense. Inapplicable: the name is taken.
    """
    if strange := sorted(given.keys() - {"name", "role", "expires"}):
        raise BadQuestion(f"{', '.join(strange)}: no such argument")
    name, role, now = given["name"], given.get("role"), source.clock.now()
    if _NAME.fullmatch(name) is None:
        raise BadQuestion("name: letters, digits, dots, dashes and underscores, at most 64")
    if not isinstance(role, str) or role not in set(Role):
        raise BadQuestion(f"role: one of {', '.join(Role)}")
    secret = PREFIX + secrets.token_urlsafe(BYTES)
    token = Token(
        name=name,
        role=Role(role),
        digest=token_digest(secret),
        created_at=now,
        expires_at=_moment(given.get("expires"), now),
    )

    def add(tx: Tx) -> bool:
        taken = any(known.name == name for known in tx.tokens())
        if not taken:
            tx.add_token(token)
        return taken

    if await source.store.write(add):
        raise Inapplicable(f"there is a token {name!r} already, perhaps a revoked one; choose another name")
    return told_of(token, now) | {"token": secret}


async def revoke(source: StatusSource, given: Mapping[str, Any]) -> dict[str, Any]:
    """Accept the token of this name no longer.

    Raises:
        NoRecord: there is none.
    """
    name, now = given["name"], source.clock.now()
    if not await source.store.write(lambda tx: tx.revoke_token(name, now)):
        raise NoRecord(f"there is no token {name!r}")
    known = {token.name: token for token in await source.store.read(lambda tx: tx.tokens())}
    return told_of(known[name], now)


async def listed(source: StatusSource) -> dict[str, Any]:
    """All tokens, without what they are."""
    now = source.clock.now()
    return {"tokens": [told_of(token, now) for token in await source.store.read(lambda tx: tx.tokens())]}


def told_of(token: Token, now: datetime) -> dict[str, Any]:
    return {
        "name": token.name,
        "role": token.role.value,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "revoked_at": moment(token.revoked_at),
        "valid": token.valid(now),
    }


def _moment(text: object, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(str(text))
        found = found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadQuestion(f"expires: a moment such as 2027-01-01T00:00:00Z, not {text!r}") from None
    if found <= now:
        raise BadQuestion(f"expires: {text} is past already")
    return found
