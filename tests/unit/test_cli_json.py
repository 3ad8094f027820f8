"""What commands print with --json keeps its shape: scripts are written against it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
import typer.main

from syncd import cli
from syncd.commands import shapes
from tests.status_state import configuration, filled

ID = f"{2:032x}"
WITHOUT_JSON = {"run", "sandbox", "demo", "gauntlet", "schema", "worker"}  # logs, scenes, and the schemas themselves
COMMANDS = {
    "status": "status",
    "records": "records --limit 2",
    "show": f"show {ID}",
    "explain": f"explain {ID}",
    "mappings": "mappings",
    "pause": "pause invoicing contacts",
    "resume": "resume invoicing contacts",
    "release": "release invoicing",
    "retry": f"retry {ID}",
    "refresh": "refresh --flow invoices",
    "exclude": f"exclude {ID}",
    "token create": "token create watcher --role read",
    "token list": "token list",
    "token revoke": "token revoke watcher",
    "backup": "backup",
    "error": "show nobody",
}


def fits(value: Any, schema: dict[str, Any], where: str = "$") -> list[str]:
    """Where a value is not as a schema says; the part of JSON Schema that the shapes use."""
    if "$ref" in schema:
        return fits(value, shapes.SCHEMAS[schema["$ref"].rpartition("/")[2]], where)
    if "anyOf" in schema:
        tried = [fits(value, one, where) for one in schema["anyOf"]]
        return [] if any(not wrong for wrong in tried) else min(tried, key=len)
    kinds = schema.get("type", [])
    if kinds and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return [f"{where} is no {kinds}: {value!r}"]
    wrong = [f"{where} is none of {schema['enum']}"] if "enum" in schema and value not in schema["enum"] else []
    if isinstance(value, list) and "items" in schema:
        wrong += [error for n, one in enumerate(value) for error in fits(one, schema["items"], f"{where}[{n}]")]
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        wrong += [f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, one in value.items():
            if name in known:
                wrong += fits(one, known[name], f"{where}.{name}")
            elif rest is False:
                wrong.append(f"{where}.{name} is not described")
            elif isinstance(rest, dict):
                wrong += fits(one, rest, f"{where}.{name}")
    return wrong


def _is(value: Any, kind: str) -> bool:
    python: dict[str, Any] = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, python[kind])


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every command of the table prints, one process for all of them."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "token").write_text("secret")
    (folder / "token").chmod(0o600)
    (folder / "syncd.toml").write_text(
        '[daemon]\nlisten = "127.0.0.1:0"\nstate_dir = "."\n'
        '[connections.crm]\nvendor = "hubspot"\ntoken = { file = "token" }\n'
        '[connections.books]\nvendor = "quickbooks"\nclient_id = "app"\nclient_secret = { file = "token" }\n'
        '[syncs.invoicing]\nrecipe = "hubspot-quickbooks"\nleft = "crm"\nright = "books"\n'
    )
    anyio.run(_fill, folder)
    script = (
        "import sys; from syncd.cli import main\n"
        "for words in sys.stdin.read().splitlines():\n"
        "    sys.argv = ['syncd', *words.split(), '--json']\n"
        "    print('\\x1e', end='')\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input="\n".join(COMMANDS.values()), capture_output=True, text=True, cwd=folder
    )
    answers = done.stdout.split("\x1e")[1:]
    assert len(answers) == len(COMMANDS), done.stderr
    return {name: json.loads(answer) for name, answer in zip(COMMANDS, answers, strict=True)}


async def _fill(folder: Path) -> None:
    await (await filled(configuration(folder).state_dir)).close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_what_is_described(command, printed):
    """Every name is there and of its kind, and nothing that is not described."""
    assert fits(printed[command], shapes.COMMANDS[command]) == []


def test_every_command_that_knows_json_is_described():
    """A command that is added is described with it."""
    group = typer.main.get_command(cli.app)
    names = {
        f"{name} {sub}" if name == "token" else sub
        for name, command in group.commands.items()
        for sub in getattr(command, "commands", {name: None})
    }
    assert names - WITHOUT_JSON == shapes.COMMANDS.keys() - {"error"}


def test_the_check_of_shapes_can_fail():
    """A name that is missing, one that is new, and one of another kind."""
    wrong = fits({"written": 1, "more": 2, "bytes": 3}, shapes.COMMANDS["backup"])
    assert wrong == ["$.pruned is missing", "$.written is no string: 1", "$.more is not described"]
