"""Every event the source can log stands in the list for administrators, with its level; and nothing else does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = (ROOT / "systemd" / "monitoring" / "events.md").read_text()
LEVELS = {"exception": "error"}
METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
NAME = re.compile(r"[a-z_]+\.[a-z_]+")


def calls() -> Iterator[tuple[Path, str, ast.Call]]:
    """Every call of a logger, with its level; and faults that are named where a guarded server is made."""
    for file in sorted((ROOT / "syncd").rglob("*.py")):
        if "sandbox" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            if (
                isinstance(node.func, ast.Attribute)
                and node.func.attr in METHODS
                and "log" in ast.unparse(node.func.value)
            ):
                yield file, LEVELS.get(node.func.attr, node.func.attr), node
            elif ast.unparse(node.func) in ("GuardedServer", "GuardedRunner"):
                yield file, "error", node


def logged() -> dict[str, str]:
    """Event to level, of the whole source."""
    found = {}
    for file, level, call in calls():
        names = [a.value for a in call.args if isinstance(a, ast.Constant) and NAME.fullmatch(str(a.value))]
        if (
            file.name == "connection.py"
            and file.parent.name == "entrance"
            and "self._fault" in map(ast.unparse, call.args)
        ):
            continue  # it is handed in
        assert len(names) == 1, f"{file}:{call.lineno}: an event has one name, written out"
        found[names[0]] = level
    return found


def test_the_list_of_events_is_the_sources() -> None:
    """After adding an event, add its row to systemd/monitoring/events.md."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| (\w+) \|", LIST, re.MULTILINE)

    assert dict(rows) == logged()
    assert rows == sorted(rows)


def test_every_field_of_an_event_is_listed() -> None:
    """Those that are spelt out in the call; what is unpacked into it is told in words."""
    text = {
        row.split("`")[1]: row.replace("error.type", "error").replace("error.code", "category")
        for row in LIST.splitlines()
        if row.startswith("| `")
    }
    for file, _, call in calls():
        if not call.args or not isinstance(call.args[0], ast.Constant):
            continue
        for keyword in call.keywords:
            named = (
                keyword.arg is None
                or keyword.arg == "exc_info"
                or re.search(rf"\b{keyword.arg}\b", text[call.args[0].value])
            )
            assert named, f"{file}:{call.lineno}: {keyword.arg} is not in the row of {call.args[0].value}"
