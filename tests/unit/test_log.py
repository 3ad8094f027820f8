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
    handlers, hook = logging.getLogger().handlers[:], sys.excepthook
    yield
    sys.excepthook = hook
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


@pytest.mark.parametrize("json_", [True, False])
def test_an_exceptions_text_is_not_told(capsys, json_):
    """Nor that of its causes, or of those in a group; which they are and where is."""
    configure(json=json_)
    try:
        try:
            raise KeyError("alice@example.com")
        except KeyError as error:
            raise ExceptionGroup("very-secret", [ValueError("1,234.56 EUR"), OSError(28, "very-secret")]) from error
    except ExceptionGroup:
        structlog.get_logger().exception("turn.failed")

    said = capsys.readouterr().err
    assert not [word for word in ("alice", "very-secret", "1,234.56") if word in said]
    assert all(name in said for name in ("ExceptionGroup", "ValueError", "KeyError", "No space left on device"))
    assert f"{__file__}:" in said


def test_what_nobody_has_caught_is_a_line_too(begin):
    """The last words of a process are for monitoring as well."""
    lines = begin()
    sys.excepthook(ValueError, ValueError("very-secret"), None)

    (line,) = lines()
    assert (line["event"], line["level"], line["exception"][0]["exc_type"]) == (
        "process.crashed",
        "critical",
        "ValueError",
    )
    assert "very-secret" not in json.dumps(line)


def test_a_task_that_fails_unseen_does_not_quote_itself(begin):
    """Asyncio's own report of it holds the repr of the exception."""
    lines = begin()
    error = ValueError("very-secret")
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: {error!r}", exc_info=error)

    (line,) = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert "very-secret" not in json.dumps(line)


def test_keys_have_the_names_log_stores_know(begin):
    """Elastic Common Schema, and which release speaks."""
    lines = begin()
    structlog.get_logger().info("write.refused", category="vendor_rejected", error="ValueError", request_id="t-1")

    (line,) = lines()
    assert (line["error.code"], line["error.type"], line["trace.id"]) == ("vendor_rejected", "ValueError", "t-1")
    assert line["service.name"] == "syncd"
    assert line["service.version"]


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
