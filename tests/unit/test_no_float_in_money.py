"""Amounts never pass through binary fractions: nothing on their way, from the vendors through the core to the store and
to people, knows floats but what measures time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import syncd

ROOT = Path(syncd.__file__).parent
TIMES = frozenset(  # seconds, and shares of calls
    f"{name}.py"
    for name in ("core/pacing", "core/queueing", "core/retry", "store/backups", "store/pulse", "store/secrets")
)
TOLD = ("status/formats", "status/record_view", "status/view", "status/listing", "plan_file", "planning", "auditing")
# Of a connector: whatever stands between the wire and our nouns. The rest measures pauses and ages of requests.
PASSED = {"mapping", "values", "bodies", "lines", "books", "parts", "fields", "reading", "payments", "wire", "address"}
FILES = sorted(
    [path for part in ("model", "core", "recipes", "store") for path in (ROOT / part).rglob("*.py")]
    + [path for path in (ROOT / "connectors").rglob("*.py") if path.stem in PASSED]
    + [ROOT / f"{name}.py" for name in ("deciding", "mapped", "approvals", *TOLD)]
)
SECONDS = "expires_in"  # of a token


def _floats(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    seconds = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == SECONDS
        for part in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in seconds:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(f"line {node.lineno}: {node.value}")
        if isinstance(node, ast.Name) and node.id in ("float", "complex"):
            found.append(f"line {node.lineno}: {node.id}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "math":
            found.append(f"line {node.lineno}: math.{node.attr}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_floats_where_money_passes(path: Path) -> None:
    """C-15: exact decimals from the wire to the wire."""
    if str(path.relative_to(ROOT)) not in TIMES:
        assert _floats(path) == []


def test_what_measures_time_still_does() -> None:
    """A file that needs no float any more is held to the rule again."""
    assert sorted(name for name in TIMES if not (ROOT / name).exists() or not _floats(ROOT / name)) == []
