"""The manifest, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from syncd.connectors.oauth import Consent
from syncd.core.pacing import Window
from syncd.model.references import Kind


class Urls(msgspec.Struct, frozen=True):
    """The live address."""

    api: str


class Limits(msgspec.Struct, frozen=True):
    """What the vendor allows: calls, inputs, characters and seconds."""

    private: tuple[Window, ...]
    oauth: tuple[Window, ...]
    batch: int
    history_batch: int
    association_reads: int
    list_page: int
    search_page: int
    search_body: int
    request_seconds: float
    secondly_pause: float
    ten_secondly_pause: float
    lock_pause: float
    daily_pause: float


class Bounds(msgspec.Struct, frozen=True):
    """The manifest's part of `Traits`."""

    optimistic_lock: bool
    strong_line_ids: bool
    late_commit: float
    search_lag: float
    replay_window: float
    splits_payments: bool


class Webhooks(msgspec.Struct, frozen=True):
    """Their signature's window and their settling, in seconds, and the type ids of what is synced."""

    window: float
    settle: float
    types: Mapping[str, Kind]
    payment_type: str


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.toml`."""

    vendor: str
    api_version: str
    urls: Urls
    oauth: Consent
    limits: Limits
    traits: Bounds
    webhooks: Webhooks
    normalisers: Mapping[Kind, Mapping[str, tuple[str, ...]]]


MANIFEST = msgspec.convert(
    tomllib.loads(files(__package__).joinpath("manifest.toml").read_text(encoding="utf-8")), Manifest
)
LIMITS = MANIFEST.limits
