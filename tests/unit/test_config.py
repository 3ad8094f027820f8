"""The configuration file: what it gives, and that every mistake is told at once with file, line and cure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from syncd import recipes
from syncd.config import Config, load, secret
from syncd.core.breakers import Limits
from syncd.errors import ConfigError, Exit

GOOD = """\
[daemon]
listen = "127.0.0.1:0"
state_dir = "state"

[connections.crm]
vendor = "hubspot"
token = { file = "token" }
url = "http://127.0.0.1:8400/hubspot/"

[connections.books]
vendor = "quickbooks"
client_id = "app"
client_secret = { env = "BOOKS_SECRET" }
refresh_token = { credential = "refresh" }
account = "4620816365"
options = { search_lag = 1.5 }

[syncs.invoicing]
recipe = "hubspot-quickbooks"
left = "crm"
right = "books"
start = 2026-11-01T01:00:00+01:00
poll = "30s"

[syncs.invoicing.flows.invoices]
direction = "both"
conflict = "crm"
filters.right-to-left = [{ field = "created", operator = ">=", value = "2026-11-01" }]
"""


@pytest.fixture(autouse=True)
def recipe_problems(monkeypatch: pytest.MonkeyPatch) -> list:
    """What the recipe objects to in these tests: nothing, unless a test says so."""
    problems: list = []
    monkeypatch.setattr(recipes, "check", lambda recipe, section, connections: problems, raising=False)
    return problems


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which every reference of GOOD leads somewhere."""
    (tmp_path / "token").write_text("pat-1\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/refresh").write_text("refresh-1")
    (tmp_path / "credentials/refresh").chmod(0o440)
    return {
        "HOME": str(tmp_path / "home"),
        "BOOKS_SECRET": "hush",
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
    }


def loaded(tmp_path: Path, environ: dict[str, str], text: str) -> Config:
    (tmp_path / "syncd.toml").write_text(text)
    return load(tmp_path / "syncd.toml", environ)


def problems(tmp_path: Path, environ: dict[str, str], text: str) -> list[tuple[int, str, str]]:
    """Line, key, and message with cure of every problem."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, environ, text)
    assert all(problem.file == tmp_path / "syncd.toml" and problem.cure for problem in caught.value.problems)
    return [(one.line, one.key, f"{one.message}; {one.cure}") for one in caught.value.problems]


def test_a_good_file_gives_typed_values(tmp_path, environ):
    """Durations, moments in UTC, addresses and fetched secrets, ready to use."""
    config = loaded(tmp_path, environ, GOOD)

    sync, books = config.syncs["invoicing"], config.connections["books"]
    assert config.daemon.listen == ("127.0.0.1", 0)
    assert tmp_path / "state" == config.state_dir
    assert f"sqlite:///{tmp_path}/state/syncd.db" == config.database_url
    assert datetime(2026, 11, 1, tzinfo=UTC) == sync.start
    assert timedelta(seconds=30) == sync.poll
    assert sync.flows["invoices"].filters.right_to_left == [
        {"field": "created", "operator": ">=", "value": "2026-11-01"}
    ]
    assert secret(config.connections["crm"].token) == "pat-1"
    assert (books.client_id, secret(books.client_secret), secret(books.refresh_token)) == ("app", "hush", "refresh-1")
    assert books.options["search_lag"] == 1.5
    assert config.connections["crm"].url == "http://127.0.0.1:8400/hubspot"


def test_secrets_do_not_show_when_a_configuration_is_printed(tmp_path, environ):
    """A log line or a traceback with the whole configuration gives nothing away."""
    shown = repr(loaded(tmp_path, environ, GOOD))

    assert not any(value in shown for value in ("pat-1", "hush", "refresh-1"))


def test_three_mistakes_are_three_problems_with_their_lines(tmp_path, environ):
    """A misspelt key, a name that leads nowhere and an impossible value are told together."""
    mistakes = {"\ntoken = {": "\ntokn = {", 'right = "books"': 'right = "book"', '"30s"': '"soon"'}
    text = GOOD
    for right, wrong in mistakes.items():
        text = text.replace(right, wrong)

    first, second, third = problems(tmp_path, environ, text)

    assert first[:2] == (7, "connections.crm.tokn")
    assert "is not a known key; did you mean token?" in first[2]
    assert second == (
        21,
        "syncs.invoicing.right",
        "no connection is called 'book'; did you mean books? Possible here: books, crm",
    )
    assert third == (
        23,
        "syncs.invoicing.poll",
        'is no duration; write a number and a unit, like "30s", "1m" or "2h"',
    )


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("[webhooks]\nport = 1", "webhooks.port"),
        ("[daemon]\nnotified = 'x'", "daemon.notified"),
        ("[connections.crm]\nwebhook_secrets = 'x'", "connections.crm.webhook_secrets"),
        ("[syncs.invoicing]\nspeed = 1", "syncs.invoicing.speed"),
        ("[syncs.invoicing]\nguard = { removal = 1 }", "syncs.invoicing.guard.removal"),
        ("[syncs.invoicing]\nguard = { clocks = '10m' }", "syncs.invoicing.guard.clocks"),
        ("[syncs.invoicing.flows.invoices]\nway = 1", "syncs.invoicing.flows.invoices.way"),
        ("[syncs.invoicing.flows.invoices]\nfilters = { up = [] }", "syncs.invoicing.flows.invoices.filters.up"),
    ],
)
def test_an_unknown_key_is_refused_at_every_level(tmp_path, environ, line, key):
    """A setting that does not exist is never silently ignored."""
    found = {key: text for _, key, text in problems(tmp_path, environ, line)}

    assert found[key].startswith("is not a known key; ")


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("money = -1", "is no amount; write a number like 50000"),
        ("clock = 10", 'is no duration; write a number and a unit, like "30s", "1m" or "2h"'),
        ("creates = 1.5", "input should be a valid integer; give a number of records created within an hour"),
    ],
)
def test_limits_of_breakers_are_checked(tmp_path, environ, limit, message):
    """Each with what it should be."""
    text = GOOD.replace("[syncs.invoicing]\n", f"[syncs.invoicing]\nguard = {{ {limit} }}\n")
    ((_, key, found),) = problems(tmp_path, environ, text)
    assert (key, found) == (f"syncs.invoicing.guard.{limit.split()[0]}", message)


def test_limits_of_breakers_reach_the_guard(tmp_path, environ):
    """What is set is set, the rest is as usual; amounts are exact."""
    limits = 'guard = { money = 2500.10, clock = "1h", removals = 3 }'
    text = GOOD.replace("[syncs.invoicing]\n", f"[syncs.invoicing]\n{limits}\n")
    found = loaded(tmp_path, environ, text).syncs["invoicing"].guard.limits()
    assert found == Limits(money=Decimal("2500.10"), clock=timedelta(hours=1), removals=3)


@pytest.mark.parametrize(
    ("token", "message", "cure"),
    [
        ('"pat-na1-secret"', "is written out in the file", 'write { file = "..." }'),
        ('{ credential = "nope" }', "cannot be read: No such file", "LoadCredential=nope"),
        ('{ credential = "../token" }', "names no credential", "no slash"),
        ('{ env = "NOPE" }', "environment variable NOPE, which is not set", "export NOPE"),
        ('{ file = "nope" }', "nope, which cannot be read: No such file", "mode 0600"),
        ('{ file = "open" }', "open, which others can read (mode 0640)", "chmod 600"),
        ('{ file = "empty" }', "empty secret", "put the value into"),
        ('{ flie = "token" }', "is no reference to a secret", '{ env = "NAME" }'),
        ('{ file = "token", env = "A" }', "is no reference to a secret", '{ env = "NAME" }'),
        ("5", "is no reference to a secret", '{ env = "NAME" }'),
    ],
)
def test_a_secret_that_cannot_be_fetched_is_a_problem_with_its_cure(tmp_path, environ, token, message, cure):
    """Literal, missing, empty or readable by others: refused, and the value is never repeated."""
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o640)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "empty").chmod(0o600)

    ((line, key, words),) = problems(tmp_path, environ, GOOD.replace('{ file = "token" }', token))

    assert (line, key) == (7, "connections.crm.token")
    assert message in words
    assert cure in words
    assert "pat-na1-secret" not in words


def test_a_credential_without_systemd_says_so(tmp_path, environ):
    """A reference to a credential outside a unit names the variable that is missing."""
    del environ["CREDENTIALS_DIRECTORY"]

    ((_, _, words),) = problems(tmp_path, environ, GOOD)

    assert "$CREDENTIALS_DIRECTORY is not set" in words


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ('"127.0.0.1:0"', '"8300"', 2, "daemon.listen", "is no address with a port"),
        ('"127.0.0.1:0"', '"0.0.0.0:8300"', 2, "daemon.listen", "is open to other machines"),
        ('"127.0.0.1:0"', '"127.0.0.1:99999"', 2, "daemon.listen", "is no address with a port"),
        ('state_dir = "state"', 'language = "de"', 3, "daemon.language", "input should be 'en' or 'fr'"),
        ('state_dir = "state"', "open_on_loopback = 1", 3, "daemon.open_on_loopback", "give true or false"),
        ('state_dir = "state"', 'database = "mysql://a/b"', 3, "daemon.database", "no PostgreSQL address"),
        ('state_dir = "state"', 'database = "postgresql://u:pw@a/b"', 3, "daemon.database", "holds a password"),
        ('"hubspot"', '"hubspt"', 6, "connections.crm.vendor", 'give "hubspot" or "quickbooks"'),
        ("127.0.0.1:8400", "example.com", 8, "connections.crm.url", "in the clear"),
        ("127.0.0.1:8400", "u:p@127.0.0.1:8400", 8, "connections.crm.url", "carries credentials"),
        ("search_lag = 1.5", "search_lag = [1]", 16, "connections.books.options.search_lag", "not a simple value"),
        ('right = "books"', 'right = "crm"', 21, "syncs.invoicing.right", "the same connection as left"),
        ("01T01:00:00+01:00", "01T01:00:00", 22, "syncs.invoicing.start", "with its zone"),
        ('"30s"', '"0s"', 23, "syncs.invoicing.poll", "is no duration"),
        ('"30s"', "30", 23, "syncs.invoicing.poll", "is no duration"),
        ('= "both"', '= "up"', 26, "syncs.invoicing.flows.invoices.direction", '"left-to-right"'),
        ('account = "4620816365"\n', "", 10, "connections.books", "add account, or take refresh_token out and run"),
        ('client_id = "app"\n', "", 10, "connections.books", "has no client_id; add client_id"),
        ('token = { file = "token" }\n', "", 5, "connections.crm", "add token (or use client_id and client_secret"),
        (
            "search_lag = 1.5 }",
            'x = 1 }\nredirect_url = "http://localhost/"',
            17,
            "connections.books.redirect_url",
            "port",
        ),
        (
            "search_lag = 1.5 }",
            'x = 1 }\nredirect_url = "http://a.b:1/"',
            17,
            "connections.books.redirect_url",
            "https",
        ),
        ('left = "crm"\n', "", 18, "syncs.invoicing.left", "is missing; add it: the name of the connection"),
    ],
)
def test_one_wrong_value_is_one_problem(tmp_path, environ, old, new, line, key, words):
    """Each kind of mistake is found where it was made and says what to write."""
    ((at, where, text),) = problems(tmp_path, environ, GOOD.replace(old, new, 1))

    assert (line, key) == (at, where)
    assert words in text


def test_what_the_recipe_objects_to_is_placed_in_the_sync(tmp_path, environ, recipe_problems):
    """The recipe's paths are relative to the sync's table; list items are counted from 1 for people."""
    recipe_problems += [(("flows", "invoices", "filters", "right-to-left", 0, "operator"), "is wrong", "use =")]

    found = problems(tmp_path, environ, GOOD)

    assert found == [(28, "syncs.invoicing.flows.invoices.filters.right-to-left[1].operator", "is wrong; use =")]


def test_a_file_that_is_no_toml_names_the_line(tmp_path, environ):
    """A syntax error is one problem, on its line."""
    ((line, _, words),) = problems(tmp_path, environ, "[daemon]\nlisten = \n")

    assert line == 2
    assert "is not valid TOML" in words


def test_a_missing_file_says_how_to_get_one(tmp_path, environ):
    """Nothing there yet: `syncd init` is the cure."""
    with pytest.raises(ConfigError, match="syncd init") as caught:
        load(tmp_path / "nope.toml", environ)

    assert caught.value.exit == Exit.CONFIGURATION


def test_a_file_without_connections_and_syncs_is_told_what_to_add(tmp_path, environ):
    """An empty file has two problems, not a traceback."""
    assert [key for _, key, _ in problems(tmp_path, environ, "")] == ["connections", "syncs"]
    assert [key for _, key, _ in problems(tmp_path, environ, "connections={}\nsyncs={}")] == ["connections", "syncs"]


@pytest.mark.parametrize(
    ("environ_more", "given", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/syncd:/var/lib/other"}, None, "/var/lib/syncd"),
        ({}, None, "{tmp}/home/.local/state/syncd"),
        ({"STATE_DIRECTORY": "/var/lib/syncd"}, Path("/elsewhere"), "/elsewhere"),
    ],
)
def test_the_state_directory_has_an_order_of_precedence(tmp_path, environ, environ_more, given, expected):
    """The command line before the file before systemd before the home directory."""
    (tmp_path / "syncd.toml").write_text(GOOD.replace('state_dir = "state"\n', ""))

    config = load(tmp_path / "syncd.toml", environ | environ_more, given)

    assert Path(expected.format(tmp=tmp_path)) == config.state_dir


def with_webhooks(table: str, secret: str = '{ env = "BOOKS_SECRET" }') -> str:
    return (
        GOOD.replace('vendor = "quickbooks"', f'vendor = "quickbooks"\nwebhook_secret = {secret}')
        + f"[webhooks]\n{table}"
    )


def test_webhooks_have_an_address_of_their_own(tmp_path, environ):
    """Any address of this machine, since what comes is signed; limits per address only where the proxy is not all."""
    config = loaded(tmp_path, environ, with_webhooks('public_url = "https://sync.example.com/x/"'))
    assert config.webhooks is not None
    assert (config.webhooks.listen, config.webhooks.public_url) == (("127.0.0.1", 8301), "https://sync.example.com/x")
    assert (config.webhooks.connections, config.webhooks.most_per_address) == (512, 512)

    wide = loaded(tmp_path, environ, with_webhooks('public_url = "https://x.example"\nlisten = "0.0.0.0:1"')).webhooks
    assert wide is not None
    assert (wide.listen, wide.most_per_address) == (("0.0.0.0", 1), 32)
    assert loaded(tmp_path, environ, GOOD).webhooks is None


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ('{ env = "BOOKS_SECRET" }', ["hush"]),
        ('[{ env = "BOOKS_SECRET" }]', ["hush"]),
        ('[{ env = "BOOKS_SECRET" }, { file = "token" }]', ["hush", "pat-1"]),
    ],
)
def test_a_webhook_secret_may_be_two_while_it_is_changed(tmp_path, environ, secret, expected):
    """One reference, or a list of one or two; none of them shows when the configuration is printed."""
    config = loaded(tmp_path, environ, with_webhooks('public_url = "https://x.example"', secret))
    assert [one.get_secret_value() for one in config.connections["books"].webhook_secrets] == expected
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    ("table", "secret", "key", "words"),
    [
        ("", '{ env = "BOOKS_SECRET" }', "webhooks.public_url", "is missing"),
        ('public_url = "http://sync.example.com"', "{ env = 'BOOKS_SECRET' }", "webhooks.public_url", "is not https"),
        (
            'public_url = "https://x.example?a=1"',
            "{ env = 'BOOKS_SECRET' }",
            "webhooks.public_url",
            "is no web address",
        ),
        ('public_url = "https://x.example"', "[]", "connections.books.webhook_secret", "neither one nor two"),
        (
            'public_url = "https://x.example"',
            '"hush"',
            "connections.books.webhook_secret",
            "is written out in the file",
        ),
        (
            'public_url = "https://x.example"',
            '[{ env = "X" }]',
            "connections.books.webhook_secret",
            "X, which is not set",
        ),
    ],
)
def test_what_is_wrong_about_webhooks_is_told_at_its_key(tmp_path, environ, table, secret, key, words):
    """Before anything listens."""
    [(_, told_key, told_words)] = problems(tmp_path, environ, with_webhooks(table, secret))
    assert told_key == key
    assert words in told_words


def test_an_apps_keys_are_enough(tmp_path, environ):
    """Tokens and account come with `syncd connect`; the redirect address is kept letter by letter."""
    text = GOOD.replace('refresh_token = { credential = "refresh" }\naccount = "4620816365"\n', "")
    text = text.replace("options =", 'redirect_url = "https://sync.example.com/callback/"\noptions =')
    text = text.replace('token = { file = "token" }', 'client_id = "crm-app"\nclient_secret = { env = "BOOKS_SECRET" }')

    config = loaded(tmp_path, environ, text)

    assert config.connections["books"].redirect_url == "https://sync.example.com/callback/"
    assert (config.connections["books"].account, config.connections["crm"].token) == (None, None)
