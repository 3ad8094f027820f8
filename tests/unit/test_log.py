"""Log lines: one JSON object each, nothing private in them."""

import json
import logging
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from syncd.log import HIDDEN, configure, redact


@pytest.fixture(autouse=True)
def unconfigured():
    """No test leaves its logging behind."""
    handlers = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


@pytest.fixture
def begin(capsys):
    """Configures JSON logs when called, and gives what reads the lines written since, parsed."""

    def configured():
        configure(json=True, level="info")
        return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return configured


def test_a_line_is_one_json_object_with_event_level_and_time(begin):
    """What monitoring reads: a stable event name, the level, UTC time and key-values."""
    lines = begin()
    structlog.get_logger("syncd.turn").info("turn.decided", sync="invoicing", records=3)

    (line,) = lines()
    assert line["event"] == "turn.decided"
    assert (line["level"], line["sync"], line["records"]) == ("info", "invoicing", 3)
    assert line["timestamp"].endswith("Z")


def test_lines_below_the_level_are_not_written(begin):
    """Debug lines cost nothing in life."""
    lines = begin()
    structlog.get_logger().debug("turn.details")

    assert lines() == []


def test_a_traceback_shows_no_local_variables(begin):
    """A credential held by a function that fails stays out of the journal."""
    lines, hush = begin(), "very-secret"
    try:
        raise RuntimeError("no" if hush else "")
    except RuntimeError:
        structlog.get_logger().exception("turn.failed")

    (line,) = lines()
    assert "very-secret" not in json.dumps(line)
    assert line["exception"][0]["exc_type"] == "RuntimeError"


def test_a_librarys_warning_takes_the_same_shape(begin):
    """Everything on stderr can be parsed by one rule."""
    lines = begin()
    logging.getLogger("asyncio").warning("slow %s", "callback")

    (line,) = lines()
    assert line["event"] == "slow callback"
    assert line["level"] == "warning"


@pytest.mark.parametrize("key", ["token", "refresh_token", "Authorization", "displayName", "email", "amount_paid"])
def test_private_keys_show_stars(key):
    """At any depth, however the key is spelt."""
    event = redact(None, "info", {"event": "x", key: "v", "request": [{key: {"deep": "v"}}], "connection": "crm"})

    assert event == {"event": "x", key: HIDDEN, "request": [{key: HIDDEN}], "connection": "crm"}


@given(st.text(max_size=30))
def test_hostile_text_never_makes_a_second_line(text):
    """Line breaks and escape codes from a vendor stay inside their JSON string."""
    rendered = structlog.processors.JSONRenderer()(None, "info", redact(None, "info", {"event": "x", "reason": text}))

    assert json.loads(rendered)["reason"] == text
    assert "\n" not in rendered
    assert "\x1b" not in rendered


def test_a_terminal_gets_readable_lines(capsys, monkeypatch):
    """A person at a terminal reads words, not JSON."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    configure()
    structlog.get_logger().info("connection.back", connection="books")

    assert "connection.back" in capsys.readouterr().err
