"""What the commands that look say to a person in a terminal, and what the shell completes for them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from syncd import cli_output, cli_plan, cli_terminal
from syncd.status.reader import Query, Reader
from tests.status_state import HOSTILE, configuration, filled, source

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONFIG = "[connections.crm]\n[connections.books]\n[syncs.invoicing]\n"


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide one with colours."""
    monkeypatch.setattr(cli_output, "in_terminal", lambda: True)
    monkeypatch.setattr(cli_plan, "in_terminal", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Answers over a state with a record of each status, with both sides and an account."""
    store = anyio.run(filled, tmp_path)
    yield Reader(source(configuration(tmp_path), store))
    anyio.run(store.close)


def test_the_status_says_first_how_it_is(reader, capsys):
    """How many need a person; then counts, why, and every connection."""
    cli_output.print_status(anyio.run(reader.status))
    lines = COLOUR.sub("", capsys.readouterr().out).splitlines()
    assert lines[0].startswith("✗ 1 record needs a person")
    text = "\n".join(lines)
    for words in (
        "crm ⇄ books",
        "Customer missing",
        "What is being waited for",
        "Left out: draft 1",
        "Cannot be reached",
    ):
        assert words in text
    assert re.search(r"invoices +both ways +1 +1 +1 +1", text)


def test_no_colour_is_no_colour(reader, capsys, monkeypatch):
    """Red for what failed, unless NO_COLOR says otherwise."""
    status = anyio.run(reader.status)
    cli_output.print_status(status)
    assert "\x1b[1;31m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    cli_output.print_status(status)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", capsys.readouterr().out)


def test_records_are_lines_and_remedies_stand_once(reader, capsys):
    """What to do is said for each reason, not for each record; nothing a person wrote reaches the terminal as it is."""
    page = anyio.run(reader.records, Query(status="failed"))
    page["records"] *= 3
    page["records"][0]["label"] = f"\x1b[31m{HOSTILE}"
    cli_output.print_records(page)
    raw = capsys.readouterr().out
    text = COLOUR.sub("", raw)
    assert text.count("Customer missing") == 4
    assert " ".join(text.split()).count("Give the document a contact") == 1
    assert " [31m<script>" in text


def test_a_record_is_shown_with_what_moved(reader, capsys):
    """What it held, what it holds, where the sides differ; its account in words."""
    id = f"{1:032x}"
    explained = anyio.run(reader.explain, id)
    cli_output.print_explanation(explained)
    text = COLOUR.sub("", capsys.readouterr().out)
    assert re.search(r"≠ +Due date +2026-12-01 2026-12-15 +2026-12-01", text)
    assert re.search(r"Total +10\.5", text)
    assert "Rope" in text
    assert "Written" in text
    assert "due_date: 2026-11-30 → 2026-12-01" in text
    assert "decided by" in text


def test_a_plan_begins_with_its_figures(capsys):
    """How many writes of which kind, and how many cannot be written."""
    flow = {"name": "invoices", "create": 1, "update": 0, "void": 0, "delete": 0, "linked": 0}
    flow |= {"failed": {"customer_missing": 1}, "excluded": {}}
    entry = {"op": "create", "flow": "invoices", "label": "INV-1", "connection": "books", "lines": 2}
    made = {
        "entries": [entry | {"fields": [{"field": "number", "old": None, "new": "INV-1"}]}],
        "failed": [{"code": "customer_missing", "flow": "invoices", "label": "INV-2", "words": ""}],
        "syncs": [
            {
                "name": "s",
                "left": "crm",
                "right": "books",
                "flows": [flow | {"failed": {"customer_missing": 1}, "excluded": {}}],
            }
        ],
        "connections": [{"name": "books", "calls": 2, "seconds": 90}],
        "warnings": ["all of it"],
    }
    cli_plan.show(made)
    lines = COLOUR.sub("", capsys.readouterr().out).splitlines()
    assert lines[0].split("  ") == ["1 to create", "1 cannot be written"]
    text = "\n".join(lines)
    assert "2 calls, 2 minutes at the vendor's limits" in text
    assert "! all of it" in text


def test_findings_begin_with_what_is_wrong(capsys):
    """However they were found; each with its cure."""
    good, bad = {"severity": "ok", "title": "fine", "cure": ""}, {"severity": "error", "title": "bad", "cure": "do it"}
    cli_output.print_findings([good, bad])
    lines = [line.rstrip() for line in COLOUR.sub("", capsys.readouterr().out).splitlines() if line.strip()]
    assert lines == ["1 error", "✗ bad", "  do it", "✓ fine"]


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("2026-11-20T11:59:40Z", "just now"),
        ("2026-11-20T11:58:00Z", "2 minutes ago"),
        ("2026-11-19T10:00:00Z", "1 day ago"),
    ],
)
def test_how_long_ago_is_said_roughly(then, words):
    """In the largest unit that says something."""
    assert cli_terminal.ago(then, "2026-11-20T12:00:00Z") == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_names(shell, tmp_path):
    """Commands, and the names of the configuration they are about."""
    (tmp_path / "syncd.toml").write_text(CONFIG)
    asked = {
        "sta": "status",
        "pause ": "invoicing",
        "connect b": "books",
        "records --code dup": "duplicate_display_name",
    }
    script = "import os, sys; from syncd.cli import app\nsys.argv = ['syncd']\ntry: app()\nexcept SystemExit: pass\n"
    for line, expected in list(asked.items())[: 4 if shell == "bash" else 1]:
        words = f"syncd {line}"
        count = len(words.split(" ")) - 1
        given = {"_SYNCD_COMPLETE": f"complete_{shell}", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        given |= {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        done = subprocess.run(
            [sys.executable, "-c", script], env=os.environ | given, cwd=tmp_path, capture_output=True, text=True
        )
        assert expected in done.stdout, (line, done.stderr)
