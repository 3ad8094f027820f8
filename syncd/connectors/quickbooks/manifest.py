"""The manifest, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from syncd.connectors.base import Traits
from syncd.connectors.oauth import Consent
from syncd.core.pacing import Window
from syncd.model.references import Kind


class Urls(msgspec.Struct, frozen=True):
    """The live addresses."""

    api: str
    development_api: str
    token: str
    revoke: str


class Limits(msgspec.Struct, frozen=True):
    """What the vendor allows; seconds, rows and characters."""

    windows: tuple[Window, ...]
    batch_items: int
    throttle_pause: float
    request_seconds: float
    page_rows: int
    cdc_days: float
    statement_length: int
    address_length: int


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.toml`."""

    vendor: str
    minor_version: int
    urls: Urls
    oauth: Consent
    limits: Limits
    switches: Mapping[str, bool]
    traits: Mapping[str, bool | int | float]
    most: Mapping[Kind, Mapping[str, int]]
    webhooks: Mapping[str, float]
    normalisers: Mapping[Kind, Mapping[str, tuple[str, ...]]]

    def all_traits(self) -> Traits:
        """What the engine must know."""
        known: dict[str, Any] = dict(self.traits)
        limits = self.limits
        return Traits(
            name=self.vendor,
            normalisers=self.normalisers,
            most=self.most,
            batch=limits.batch_items,
            windows=limits.windows,
            **known,
        )

    def longest(self, kind: Kind, field: str) -> int | None:
        """How many characters of a field are sent; None when it is not cut."""
        for rule in self.normalisers.get(kind, {}).get(field, ()):
            name, _, figure = rule.partition(":")
            if name == "truncate":
                return int(figure)
        return None


def load() -> Manifest:
    """The manifest that ships with this folder."""
    text = files(__package__).joinpath("manifest.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Manifest)


MANIFEST = load()
