"""Access tokens of the HTTP API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import insert, select, update

from syncd.model.token import Role, Token
from syncd.store import schema
from syncd.store.base import TxPart

_table = schema.tokens


class TokensPart(TxPart):
    """Table `tokens`."""

    def add_token(self, token: Token) -> None:
        """Remember a new token.

        Raises:
            sqlalchemy.exc.IntegrityError: there is one of this name.
        """
        self._connection.execute(insert(_table), [_row_of(token)])

    def tokens(self) -> list[Token]:
        """All of them, by name; those that are no longer accepted too."""
        return [_token_of(row) for row in self._connection.execute(select(_table).order_by(_table.c.name))]

    def token_with(self, digest: bytes) -> Token | None:
        """The token with this digest."""
        row = self._connection.execute(select(_table).where(_table.c.digest == digest)).first()
        return None if row is None else _token_of(row)

    def revoke_token(self, name: str, at: datetime) -> bool:
        """Accept it no longer; whether there is a token of this name. The first time counts."""
        known = self._connection.execute(select(_table.c.name).where(_table.c.name == name)).first()
        statement = update(_table).where(_table.c.name == name, _table.c.revoked_at.is_(None))
        self._connection.execute(statement.values(revoked_at=at))
        return known is not None


def _row_of(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "role": token.role.value,
        "digest": token.digest,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


def _token_of(row: SqlRow[Any]) -> Token:
    return Token(
        name=row.name,
        role=Role(row.role),
        digest=bytes(row.digest),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
