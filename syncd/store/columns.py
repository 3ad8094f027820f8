"""Column types that give back exactly what was stored, alike on both databases.

The stock types lose time zones on SQLite; PostgreSQL refuses NUL in text and long texts in an index.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from syncd.store.errors import DamagedStore

LONGEST_KEY = 200
"""Characters. PostgreSQL refuses index rows over some 2,700 bytes; some vendors allow 65,536 characters in a SKU."""

_DAMAGED = "a stored value that should be {} is none; restore a backup"

RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""A counting primary key; SQLite counts only columns declared INTEGER."""

BytewiseText = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that both databases, and Python, sort alike; on PostgreSQL also what lets an index serve a prefix."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes, in UTC. On SQLite text of fixed width, so that it sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.isoformat(timespec="microseconds") if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name != "sqlite":
            return cast(datetime, value.astimezone(UTC))
        try:
            return datetime.fromisoformat(value)
        except (ValueError, TypeError) as error:
            raise DamagedStore(_DAMAGED.format("time")) from error


class JsonText(TypeDecorator[Any]):
    """JSON values as text. Our own values go through `codec` first: JSON has no decimals and no times."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        try:
            return None if value is None else msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError) as error:
            raise DamagedStore(_DAMAGED.format("JSON")) from error


class PeopleText(TypeDecorator[str]):
    """What people or vendors wrote: a NUL inside (refused by PostgreSQL) becomes the replacement character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else without_nul(value)


class KeyText(TypeDecorator[str]):
    """Text that is indexed: the same as `index_key` makes of it, and so given back."""

    impl = BytewiseText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else index_key(value)


def without_nul(text: str) -> str:
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def index_key(text: str) -> str:
    """The text itself, unless it is too long for an index: then its beginning and a hash of the whole."""
    clean = without_nul(text)
    if len(clean) <= LONGEST_KEY:
        return clean
    mark = hashlib.blake2b(clean.encode(), digest_size=16).hexdigest()
    return f"{clean[: LONGEST_KEY - len(mark) - 1]}~{mark}"
