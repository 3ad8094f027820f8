"""Prometheus' own checker, from Debian's package `prometheus`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*words: str | Path, text: bytes = b"") -> str:
    """Run it; its words, all of them. Fails the test when it finds anything."""
    program = shutil.which("promtool")
    if program is None:
        missing = "promtool is not installed (Debian: apt-get install prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    done = subprocess.run([program, *map(str, words)], input=text, capture_output=True, timeout=60)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said
