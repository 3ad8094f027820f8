"""What a connector is given to connect with, whatever its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from syncd.connectors.base import MappedField


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """One connection as it is configured, its secrets already resolved.

    Attributes:
        name: the connection's name in the configuration.
        url: an address that stands for all of the vendor's hosts (the sandbox); None for the live addresses.
        token: a fixed access token, for vendors that have one.
        refresh_token: an OAuth token to begin with; the live pair, or the one a person's consent brought, is kept by
            the `TokenKeeper`.
        account: the vendor's account id where the caller must know it (QuickBooks: the realm id) and nobody connected
            it here.
        fields: custom fields that mappings use.
        shown: syncs whose records' states are to be shown on its entities, where the vendor has a place for them.
        webhook_secrets: what this account's app signs its webhooks with; two while one takes the other's place.
        options: the vendor's own options, listed in its folder; and `pace`, see `paced`.
    """

    name: str
    vendor: str
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    account: str | None = None
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, str | float | bool] = field(default_factory=dict)
    fields: tuple[MappedField, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def paced(self) -> bool:
        """Whether the vendor's limits are kept: always, unless `pace = "off"` measures our own speed on loopback.

        Raises:
            ValueError: the option makes no sense, or would let us loose on somebody else's machine.
        """
        pace = self.options.get("pace", "on")
        if pace not in ("on", "off"):
            raise ValueError(f'connection {self.name}: pace is "on" or "off"')
        if pace == "off" and not _on_loopback(self.url):
            raise ValueError(f'connection {self.name}: pace = "off" is for a sandbox on this machine only')
        return pace == "on"


def _on_loopback(url: str | None) -> bool:
    host = urlsplit(url or "").hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class TokenKeeper(Protocol):
    """Durable storage of secrets that a vendor renews. `put` has reached the disk when it returns."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """While the block runs nobody else renews or replaces these secrets, in no process on this state."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...
