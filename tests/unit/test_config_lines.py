"""Each key of a TOML text is found on the line where a person wrote it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config_lines import locate

TEXT = '''\
# a comment with = and [brackets]
[daemon]
listen = "127.0.0.1:8300"  # [not] a table

[connections.crm]
vendor = "hubspot"
token = { credential = "a", file = "#x" }
"quoted.key" = 1

[syncs.a.flows.invoices]
filters.right-to-left = [
    { field = "created", value = 2026-11-01 },
    [1, 2,
     3],
]
note = """
fake = 1
[fake]"""
raw = \'\'\'
more = "
\'\'\'
empty = []
none = {}

[[syncs.a.flows.invoices.mappings]]
left = "one"
[[syncs.a.flows.invoices.mappings]]
left = "two"
[syncs.a.flows.invoices.mappings.values]
x = "y"

[syncs]
late = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("daemon",), 2),
        (("daemon", "listen"), 3),
        (("connections", "crm"), 5),
        (("connections", "crm", "token", "file"), 7),
        (("connections", "crm", "quoted.key"), 8),
        (("syncs", "a", "flows", "invoices", "filters"), 11),
        (("syncs", "a", "flows", "invoices", "filters", "right-to-left"), 11),
        (("syncs", "a", "flows", "invoices", "filters", "right-to-left", 0, "value"), 12),
        (("syncs", "a", "flows", "invoices", "filters", "right-to-left", 1, 2), 14),
        (("syncs", "a", "flows", "invoices", "note"), 16),
        (("syncs", "a", "flows", "invoices", "raw"), 19),
        (("syncs", "a", "flows", "invoices", "empty"), 22),
        (("syncs", "a", "flows", "invoices", "none"), 23),
        (("syncs", "a", "flows", "invoices", "mappings", 0, "left"), 26),
        (("syncs", "a", "flows", "invoices", "mappings", 1), 27),
        (("syncs", "a", "flows", "invoices", "mappings", 1, "left"), 28),
        (("syncs", "a", "flows", "invoices", "mappings", 1, "values", "x"), 30),
        (("syncs",), 32),
        (("syncs", "late"), 33),
    ],
)
def test_a_key_is_found_on_its_line(path, line):
    """Tables, dotted keys, quoted keys, inline tables, arrays of tables; strings hide what looks like keys."""
    tomllib.loads(TEXT)

    assert line == locate(TEXT).of(path)


def test_a_missing_key_is_placed_at_the_nearest_table():
    """A key that should be there is reported where its table begins."""
    lines = locate(TEXT)

    assert lines.of(("connections", "crm", "client_id")) == 5
    assert lines.of(("syncs", "a", "flows", "invoices", "options", "x")) == 10
    assert lines.of(("webhooks", "listen")) == 1


_keys = st.text("ab.\"'# =[]é\n", min_size=1, max_size=4)
_scalars = st.one_of(st.integers(), st.booleans(), st.text("ab\"'\\#[]{}=,\n", max_size=8))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[ # items\n" + ",\n".join(map(_toml, value)) + "]"
    return _quoted(value) if isinstance(value, str) else str(value).lower()


@given(
    st.dictionaries(
        _keys,
        st.recursive(_scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(_keys, v, max_size=3), max_leaves=8),
        max_size=4,
    )
)
def test_every_path_the_parser_sees_is_located(content):
    """Whatever the values hold, exactly the parser's paths are found, none inside a string or comment."""
    text = "".join(f"{_quoted(key)} = {_toml(value)}\n" for key, value in content.items())

    assert set(_paths(tomllib.loads(text))) == set(locate(text).known)


def _paths(value, above=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*above, key)
        yield from _paths(below, (*above, key))
