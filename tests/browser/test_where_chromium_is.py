"""A run without a browser says so; in CI it is no run."""

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.browser import house


@pytest.mark.parametrize(("ci", "outcome"), [("true", Failed), ("", Skipped)])
def test_no_browser_is_never_silent(monkeypatch, ci, outcome):
    """Somebody without Chromium is told what was not looked at; CI fails."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(house.shutil, "which", lambda name: None)
    with pytest.raises(outcome, match="Chromium"):
        house.chromium()
