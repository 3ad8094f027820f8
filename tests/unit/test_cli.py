"""The commands: what they print and the codes they exit with."""

import json
import logging
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import structlog
from anyio.from_thread import BlockingPortal, start_blocking_portal

import syncd
from syncd import cli, cli_output
from syncd.config import load
from syncd.connectors.base import Finding, Severity
from syncd.errors import Exit, StateBusy
from syncd.sandbox import server
from syncd.sandbox.world import create_world
from tests.status_state import configuration, filled, served

CONFIG = """\
[daemon]
listen = "127.0.0.1:0"
state_dir = "."
[connections.crm]
vendor = "hubspot"
token = { file = "token" }
[connections.books]
vendor = "quickbooks"
client_id = "app"
client_secret = { file = "token" }
refresh_token = { file = "token" }
account = "1"
[syncs.invoicing]
recipe = "hubspot-quickbooks"
left = "crm"
right = "books"
"""


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Command]:
    """Runs one command line as a process would, in a directory with a good configuration."""
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "syncd.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)

    def run(*words: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["syncd", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Result(int(ended.value.code or 0), *capsys.readouterr())

    handlers = logging.getLogger().handlers[:]
    yield run
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    """Another thread in which a daemon or sandbox can be served while commands run."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def state(portal: BlockingPortal, tmp_path: Path) -> None:
    """A state with five records that nobody owns at the moment."""
    store = portal.call(filled, tmp_path)
    portal.call(store.close)


@pytest.fixture(params=["daemon", "state"])
def somewhere(request: pytest.FixtureRequest, portal: BlockingPortal, tmp_path: Path) -> Iterator[None]:
    """The same five records, once behind a running daemon's socket and once in a state without a daemon."""
    store = portal.call(filled, tmp_path)
    if request.param == "state":
        portal.call(store.close)
        yield
        return
    with portal.wrap_async_context_manager(served(configuration(tmp_path), store)):
        yield
    portal.call(store.close)


def test_the_version_is_printed(command):
    """For bug reports."""
    assert command("--version").out.startswith("syncd ")


def test_a_misspelt_command_is_usage(command):
    """Exit code 2, as shells expect."""
    assert command("statsu").code == Exit.USAGE


@pytest.mark.parametrize("words", [("status",), ("records",), ("show", "x"), ("explain", "x"), ("once",), ("check",)])
def test_a_bad_configuration_ends_every_command(command, tmp_path, words):
    """Exit code 78 with every problem, its line and its cure; nothing is started."""
    (tmp_path / "syncd.toml").write_text(CONFIG.replace("token = {", "tokn = {", 1).replace('"books"\n', '"boks"\n'))

    result = command(*words)

    assert result.code == Exit.CONFIGURATION
    assert "syncd.toml:6: connections.crm.tokn: is not a known key" in result.err
    assert "syncd.toml:16: syncs.invoicing.right: no connection is called 'boks'" in result.err
    assert "cure: did you mean token?" in result.err


def test_configuration_problems_are_told_as_json_too(command, tmp_path):
    """A program gets file, line, key, message and cure of each."""
    (tmp_path / "syncd.toml").write_text(CONFIG.replace("token = {", "tokn = {", 1))

    result = command("status", "--json")

    (problem,) = result.json()["problems"]
    assert (problem["line"], problem["key"]) == (6, "connections.crm.tokn")
    assert problem["file"] == str(tmp_path / "syncd.toml")
    assert result.json()["exit"] == Exit.CONFIGURATION


def test_without_any_state_the_commands_say_how_to_begin(command, tmp_path):
    """Looking must not create a state that would belong to whoever looked."""
    result = command("status")

    assert result.code == Exit.USAGE
    assert "syncd once" in result.err
    assert not (tmp_path / "syncd.db").exists()


@pytest.mark.usefixtures("somewhere")
class TestAnswers:
    """The same answers from a running daemon and from the state itself."""

    def test_status(self, command):
        """Counts per flow and connections, as a table and as the API's JSON."""
        text, shown = command("status"), command("status", "--json").json()

        assert (text.code, shown["schema"]) == (0, 1)
        assert "customer_missing 1, waits_parent 1, draft 1, payment_mirrored 1" in text.out
        assert "vendor_unavailable" in text.out
        assert shown["syncs"][0]["flows"][2]["failed"] == 1

    def test_records(self, command):
        """Filtered and paged; the next page's cursor is printed."""
        first = command("records", "--flow", "invoices", "--limit", "1")
        cursor = first.out.strip().splitlines()[-1].removeprefix("more: --cursor ")
        second = command("records", "--flow", "invoices", "--limit", "1", "--cursor", cursor, "--json").json()

        assert "INV-1" in first.out
        assert second["records"][0]["id"] == f"{2:032x}"
        assert [one["code"] for one in command("records", "--status", "excluded", "--json").json()["records"]] == [
            "draft"
        ]

    def test_a_wrong_filter_is_usage(self, command):
        """Exit code 2, and what is possible."""
        result = command("records", "--status", "broken")

        assert result.code == Exit.USAGE
        assert "synced" in result.err

    @pytest.mark.parametrize("word", [f"{1:032x}", "INV-1", "inv-1", "145", "hs-1"])
    def test_show_finds_a_record_by_id_number_or_vendor_id(self, command, word):
        """Both sides and the account."""
        text, shown = command("show", word), command("show", word, "--json").json()

        assert "2026-12-15" in text.out
        assert "due_date: 2026-11-30 -> 2026-12-01" in text.out
        assert shown["record"]["id"] == f"{1:032x}"
        assert shown["activity"][1]["request_id"] == "t-1"

    def test_several_hits_are_listed(self, command):
        """A word that is only the beginning of several records: a list and exit code 2."""
        result = command("show", "inv-")

        assert result.code == Exit.USAGE
        assert all(f"INV-{number}" in result.out for number in (1, 3, 4, 5))

    def test_nothing_found_is_usage(self, command):
        """Exit code 2, naming what was looked for."""
        result = command("explain", "nope")

        assert result.code == Exit.USAGE
        assert "'nope'" in result.err

    def test_explain(self, command):
        """Why, what it was matched by, and the next step."""
        text, shown = command("explain", f"{5:032x}"), command("explain", f"{5:032x}", "--json").json()

        assert "matched by: email" in text.out
        assert "next: It goes on as soon as QuickBooks (books) works again." in text.out
        assert shown["record"]["status"] == "pending"


def test_a_leftover_socket_is_not_a_daemon(command, state, tmp_path):
    """After a crash the file is there and nobody listens: the state itself is asked."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "syncd.sock"))

    assert command("status").code == Exit.DONE


def test_printed_texts_cannot_steer_a_terminal():
    """Escape codes, line breaks and direction marks in a customer's name become blanks."""
    assert cli_output.clean("a\x1b[31mb\r\nc\u202ed\x9b") == "a [31mb  c d "


@dataclass
class Once:
    """What `runs.once` gives."""

    status: dict[str, Any]
    failed: int = 0
    trouble: list[Any] = field(default_factory=list)


def stand_in(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    """Put functions in the place of those the commands call where only the command around them is meant."""
    fake = SimpleNamespace(**functions)
    for name in ("runs", "checkup"):
        monkeypatch.setitem(sys.modules, f"syncd.{name}", fake)
        monkeypatch.setattr(syncd, name, fake, raising=False)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], Exit.DONE),
        (["authorization_lost"], Exit.PERMISSION),
        (["vendor_unavailable"], Exit.UNREACHABLE),
        (["vendor_unavailable", "account_changed"], Exit.PERMISSION),
        ([None], Exit.CONFIGURATION),
    ],
)
def test_check_exits_by_what_it_found(command, monkeypatch, codes, expected):
    """Warnings alone are no reason to fail; a wrong token is 77, a vendor that is down 69, a setting 78."""

    async def check(config: object) -> list[Finding]:
        errors = [Finding(severity=Severity.ERROR, title="no", cure="do", code=code) for code in codes]
        return [Finding(severity=Severity.WARNING, title="hm"), *errors]

    stand_in(monkeypatch, check=check)

    result = command("check", "--json")

    assert result.code == expected
    assert len(result.json()["findings"]) == len(codes) + 1


@pytest.mark.parametrize(
    ("failed", "state", "expected"),
    [
        (0, "ok", Exit.DONE),
        (2, "ok", Exit.SOME_FAILED),
        (2, "vendor_unavailable", Exit.UNREACHABLE),
        (0, "authorization_lost", Exit.PERMISSION),
    ],
)
def test_once_exits_by_how_it_went(command, monkeypatch, failed, state, expected):
    """Records that failed are 1; trouble with a connection says more and goes first."""
    connection = {"name": "crm", "vendor": "hubspot", "account": None, "state": state, "since": None, "quota": None}

    async def once(config: object, *, wait: float, progress: Callable[[int, int], None]) -> Once:
        progress(1, 2)
        return Once(status={"syncs": [], "connections": [connection]}, failed=failed)

    stand_in(monkeypatch, once=once)

    assert command("once", "--json").code == expected


def test_a_second_daemon_is_told_of_the_first(command, monkeypatch):
    """Exit code 75 with the owner's name."""

    async def run(config: object, *, until: anyio.Event) -> int:
        raise StateBusy("process 42 owns the state")

    stand_in(monkeypatch, run=run)

    result = command("run")

    assert result.code == Exit.BUSY
    assert "process 42" in result.err


def test_init_against_a_sandbox_gives_a_configuration_that_loads(command, portal, tmp_path):
    """Asks for nothing; secrets lie in files of their own that only their owner can read."""
    target = tmp_path / "fresh"
    target.mkdir()
    world = create_world(timer=lambda: 0.0)
    with portal.wrap_async_context_manager(server.serving(world)) as address:
        result = command("init", "--sandbox", address, "--output", str(target / "syncd.toml"))
        again = command("init", "--sandbox", address, "--output", str(target / "syncd.toml"))
        forced = command("init", "--sandbox", address, "--output", str(target / "syncd.toml"), "--force")

    config = load(target / "syncd.toml", {})
    secrets = list((target / "syncd.secrets").iterdir())
    assert (result.code, again.code, forced.code) == (Exit.DONE, Exit.USAGE, Exit.DONE)
    assert "--force" in again.err
    assert config.connections["crm"].url == f"{address}/hubspot"
    assert config.state_dir == target / "syncd-state"
    assert config.daemon.open_on_loopback
    assert len(secrets) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert not any(path.read_text().strip() in (target / "syncd.toml").read_text() for path in secrets)


def test_init_without_a_sandbox_writes_what_is_left_to_do(command, tmp_path):
    """The only problems are the secrets that are not there yet; HQ-03's filter stands in it."""
    result = command("init", "--output", "live.toml")
    checked = command("check", "--config", "live.toml", "--json")

    assert result.code == Exit.DONE
    assert 'filters.right-to-left = [{ field = "created", operator = ">=", value = "' in Path("live.toml").read_text()
    assert checked.code == Exit.CONFIGURATION
    problems = checked.json()["problems"]
    assert all("environment variable" in problem["message"] for problem in problems)
    assert len(problems) == 4


def test_init_without_an_answering_sandbox_says_so(command):
    """Exit code 69, and how to start one."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = command("init", "--sandbox", f"http://127.0.0.1:{unused.getsockname()[1]}", "--output", "x.toml")

    assert result.code == Exit.UNREACHABLE
    assert "syncd sandbox" in result.err
    assert not Path("x.toml").exists()


def test_an_unknown_recipe_is_usage(command):
    """Exit code 2, and which recipes there are."""
    result = command("init", "--recipe", "nope", "--output", "x.toml")

    assert result.code == Exit.USAGE
    assert "hubspot-quickbooks" in result.err
