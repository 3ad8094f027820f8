"""What is done around all tests: what they say is searched, and figures they report are summed at the end of a run.

Figures are reported with `record_property("figures", (group, {name: number}))`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from tests import overheard

overheard.quiet(logging.DEBUG)


@pytest.fixture(autouse=True)
def _nothing_private_is_told() -> Iterator[None]:
    """No test passes during which the log, here or of a process it started, told of people, amounts or keys."""
    overheard.told.clear()
    if not overheard.listening():
        overheard.quiet(logging.WARNING)
    yield
    said = "\n".join(overheard.told)
    overheard.told.clear()
    assert not said, f"the log told something private:\n{said}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """However many processes ran the tests."""
    sums: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                if name == "figures" and report.when == "call":
                    group, numbers = value
                    sums.setdefault(group, Counter()).update(numbers)
    if sums:
        terminalreporter.section("figures")
    for group, numbers in sorted(sums.items()):
        terminalreporter.write_line(f"{group}: " + ", ".join(f"{name} {n}" for name, n in sorted(numbers.items())))
