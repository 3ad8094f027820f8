"""Figures that tests report with `record_property("figures", (group, {name: number}))`: summed, at the end of a run."""

from __future__ import annotations

from collections import Counter

import pytest


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
