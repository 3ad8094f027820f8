"""`syncd demo` as a person starts it: one command, no account, no network, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = (sys.executable, "-c", "from syncd.cli import main; main()", "demo")
STATUSES = {"synced": "notes", "pending": "waiting", "failed": "categories", "excluded": "reasons"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a unix socket's may have 107 bytes only."""
    with tempfile.TemporaryDirectory(prefix="sd") as made:
        yield Path(made)


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The process, with a temporary directory of its own; it does not outlive a test that fails."""
    environ = {**os.environ, "TMPDIR": str(folder)}
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *words], stdout=pipe, stderr=pipe, env=environ, cwd=folder, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_status_shows_what_works_and_what_does_not(folder):
    """--json prints the status alone, with records in every final state and many reasons; the telling is on stderr."""
    with started(folder, "--for", "12", "--json") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    status = json.loads(out)
    (sync,) = status["syncs"]
    assert (status["schema"], sync["recipe"], sync["state"]) == (1, "hubspot-quickbooks", "running")
    assert {one["state"] for one in status["connections"]} == {"ok"}
    totals = {name: sum(flow[name] for flow in sync["flows"]) for name in STATUSES}
    assert all(totals[name] >= 10 for name in ("synced", "failed", "excluded")), totals
    assert all(adds_up(flow) for flow in sync["flows"])
    assert len(codes(sync, "categories")) >= 6
    assert len(codes(sync, "categories") | codes(sync, "reasons")) >= 12
    assert "First sync" in err
    assert list(folder.iterdir()) == []


def test_it_says_where_the_page_is_and_stops_when_told(folder):
    """The page answers as soon as its address is printed; SIGTERM ends everything and removes the state."""
    with started(folder) as process:
        assert process.stdout is not None
        page = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+/$", line)))
        with urllib.request.urlopen(page, timeout=60) as answer:
            assert "QuickBooks (books)" in answer.read().decode()
        assert list(folder.iterdir()) != []
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Where to look next" in out
    assert list(folder.iterdir()) == []


def adds_up(flow: Mapping[str, Any]) -> bool:
    """Every failed and excluded record has its one reason; a synced one may have notes."""
    return all(flow[name] == sum(flow[group].values()) for name, group in STATUSES.items() if name != "synced")


def codes(sync: Mapping[str, Any], group: str) -> set[str]:
    return {code for flow in sync["flows"] for code in flow[group]}
