"""What the shell offers when a word is begun: names of the configuration, and the words we know ourselves.

`syncd --install-completion` sets it up for bash, zsh and fish. Nothing here may fail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

FLOWS = ("contacts", "products", "invoices", "payments")
STATUSES = ("synced", "pending", "failed", "excluded")


def syncs(context: typer.Context, incomplete: str) -> list[str]:
    """Syncs of the configuration that the command line names."""
    return _begun(_table(context, "syncs"), incomplete)


def connections(context: typer.Context, incomplete: str) -> list[str]:
    return _begun(_table(context, "connections"), incomplete)


def flows(incomplete: str) -> list[str]:
    return _begun(FLOWS, incomplete)


def statuses(incomplete: str) -> list[str]:
    return _begun(STATUSES, incomplete)


def codes(incomplete: str) -> list[str]:
    """Categories and reasons."""
    from syncd.core.catalogue import CATALOGUE

    return _begun(CATALOGUE, incomplete)


def breakers(incomplete: str) -> list[str]:
    from syncd.model.breaker import Breaker

    return _begun(Breaker, incomplete)


def _table(context: typer.Context, name: str) -> Iterable[str]:
    file: Path = context.params.get("config") or Path("syncd.toml")
    try:
        table: Any = tomllib.loads(file.read_text()).get(name)
    except (OSError, ValueError):
        return ()
    return table if isinstance(table, dict) else ()


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [str(name) for name in names if name.startswith(incomplete)]
