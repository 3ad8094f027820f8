"""Where a person finds an entity in a vendor's own web application; the addresses are in the vendors' manifests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import quote

from syncd.model.references import Kind


@lru_cache(4096)
def page_of(vendor: str, account: str, kind: Kind, id: str) -> str | None:
    """An address for a browser; None where the vendor has no such page."""
    template = _templates(vendor).get(kind.value)
    return template and template.format(account=quote(account, safe=""), id=quote(id, safe=""))


@cache
def _templates(vendor: str) -> Mapping[str, str]:
    text = files(f"syncd.connectors.{vendor}").joinpath("manifest.toml").read_text(encoding="utf-8")
    templates: Mapping[str, str] = tomllib.loads(text)["pages"]
    return templates
