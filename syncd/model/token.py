"""An access token of the HTTP API, as it is remembered: never the token itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a token's bearer may do."""

    READ = "read"
    OPERATOR = "operator"  # read, and act


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token. `digest` is the SHA-256 of the token: 256 random bits need no slower hash."""

    name: str
    role: Role
    digest: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
