"""What stands in files: the configuration, plans, and the rows of the store, perhaps of another release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec

from syncd import cli_plan, config, config_checks, config_lines, config_values, plan_file, recipes
from syncd.core import filter_values, filters, planned
from syncd.errors import ConfigError, UsageError
from syncd.model import content
from syncd.model import values as model_values
from syncd.model.content import content_to_plain
from syncd.model.nouns import Allocation, Party, Payment, PaymentStatus
from syncd.model.references import Kind
from syncd.model.snapshot import Snapshot
from syncd.model.values import digest
from syncd.recipes import mappings, options
from syncd.store import codec, columns
from syncd.store.codec import Reading
from syncd.store.errors import DamagedStore
from tests.fuzz.engine import PRIVATE, Seed, Target
from tests.store_samples import CONTENT, LINE, activity, full_intent
from tests.unit.store.test_codec import INVOICE
from tests.unit.test_config import GOOD

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = f"{PRIVATE}-a-secret-to-sign-with"


@cache
def folder() -> Path:
    """A place in which every reference of the configuration leads somewhere."""
    made = Path(mkdtemp(prefix="syncd-fuzz-"))
    for name in ("token", "refresh"):
        (made / name).write_text(SECRET)
        (made / name).chmod(0o600)
    return made


# -- the configuration


def configured(label: str, text: bytes) -> None:
    """Refused with line and cure for each problem, or rules to sync by; a secret is told in neither case."""
    file = folder() / "syncd.toml"
    file.write_bytes(text)
    environ = {"HOME": "/nonexistent", "BOOKS_SECRET": SECRET, "CREDENTIALS_DIRECTORY": str(folder())}
    try:
        made = config.load(file, environ)
    except ConfigError as error:
        _understandable(error, text.count(b"\n") + 1)
        raise
    assert SECRET not in repr(made)
    for name, sync in made.syncs.items():
        recipes.build(name, made.raw["syncs"][name], sync.start or NOW)


MORE = """
[[syncs.invoicing.flows.invoices.mappings]]
left = "properties.po_number"
right = "custom.PO Number"

[syncs.invoicing.flows.contacts]
filters.left-to-right = { any = [[{ field = "name", operator = "contains", value = "x" }]] }

[syncs.invoicing.flows.invoices.options]
custom_line_item_account = "Services"
tax_codes = { "8" = "California", "20" = "TVA" }

[webhooks]
public_url = "https://sync.example.com"
"""


def _understandable(error: ConfigError, lines: int) -> None:
    assert error.problems
    assert all(one.cure and one.message and 1 <= one.line <= lines for one in error.problems)
    assert SECRET not in str(error)


LINE_OF_START = "start = 2026-11-01T01:00:00+01:00\n"
OTHERS = (
    LINE_OF_START,
    "start = 9999-12-31T23:59:59-12:00\n",
    "start = 0001-01-01T00:00:00+14:00\n",
    'flows.payments = { filters.left-to-right = [{ field = "amount", operator = ">=", value = 10.5 }] }\n',
    "guard = { money = 1000.50, clock = '10m' }\n",
    "guard = { money = inf, removals = 7 }\napproval = 'off'\n",
)


# -- plans


def plan(label: str, text: bytes) -> None:
    """Taken or refused as a plan, also where its checksum is right: anybody can make one."""
    file = folder() / "plan.json"
    file.write_bytes(text)
    raw = cli_plan.read(file)
    if label == "sealed" and isinstance(raw, dict):
        sealed = {name: value for name, value in raw.items() if name != "checksum"}
        raw = sealed | {"checksum": _checksum(sealed)}
    planned.compared(plan_file.read(raw, {"crm": "7", "books": "8"}, NOW), [])


def _checksum(raw: object) -> str:
    try:
        return digest(raw)
    except (TypeError, RecursionError):
        return ""


def _plan() -> bytes:
    entry: dict[str, Any] = {"sync": "s", "flow": "invoices", "place": "invoices:left:1", "label": PRIVATE}
    entry |= {"connection": "crm", "side": "left", "op": "create", "kind": "invoice", "entity": None, "lines": 2}
    entry |= {"rules": "1", "command": "1", "base": {"left": None, "right": "1"}, "seen": {"left": "2", "right": None}}
    entry |= {"fields": [{"field": "number", "old": None, "new": "7"}]}
    made = {
        "schema": 1,
        "created_at": (NOW - timedelta(hours=1)).isoformat(),
        "expires_at": (NOW + timedelta(hours=1)).isoformat(),
        "connections": [{"name": "crm", "account_id": "7"}, {"name": "books", "account_id": "8"}],
        "entries": [entry, {**entry, "place": "invoices:left:2", "op": "update", "entity": "5"}],
    }
    return json.dumps({**made, "checksum": digest(made)}).encode()


# -- stored rows


def stored(label: str, data: bytes) -> None:
    """Told to be damaged, or read and written again to the same."""
    columns.UtcDateTime()
    raw = columns.JsonText().process_result_value(data.decode("utf-8", "replace"), None)  # type: ignore[arg-type]
    with Reading(label, "9"):
        if label == "record":
            base = content.content_from_plain(raw)
            assert content.content_from_plain(content_to_plain(base)) == base
        elif label == "intent":
            body = codec.intent_body_fields(raw)
            assert codec.intent_body_fields(_through(codec.intent_body(replace(full_intent("i", "r"), **body)))) == body
        elif label == "account":
            told = codec.changes_from_plain(raw)
            assert codec.changes_from_plain(_through(codec.changes_to_plain(told))) == told
    if label in set(Kind):
        seen = codec.snapshot_from_plain(Kind(label), "9", raw)
        once = codec.snapshot_from_plain(Kind(label), "9", _through(codec.snapshot_to_plain(seen)))
        twice = codec.snapshot_from_plain(Kind(label), "9", _through(codec.snapshot_to_plain(once)))
        assert once == twice  # a null, which we never write, may have become the default
        codec.content_digest(raw)


def _through(made: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(made))


def rows() -> list[Seed]:
    person = Party(name=PRIVATE, email="z@example.com", custom={"since": NOW.date(), "vip": True})
    paid = Payment(currency="EUR", amount=LINE.unit_price or 0, status=PaymentStatus.SUCCEEDED,
                   allocations=(Allocation(invoice="9", amount=LINE.unit_price),))  # type: ignore[arg-type] # fmt: skip
    seen = [INVOICE, *(Snapshot(kind=kind, id="9", version="1", noun=noun) for kind, noun in (
        (Kind.PARTY, person), (Kind.PAYMENT, paid)))]  # fmt: skip
    made: Mapping[str, Any] = {
        "record": content_to_plain(CONTENT),
        "intent": codec.intent_body(full_intent("i", "r")),
        "account": codec.changes_to_plain(activity("r").changes),
    }
    return [
        *((label, msgspec.json.encode(row)) for label, row in made.items()),
        *((one.kind.value, msgspec.json.encode(codec.snapshot_to_plain(one))) for one in seen),
    ]


TARGETS = [
    Target(
        name="configuration",
        run=configured,
        seeds=lambda: [
            ("", text.replace(LINE_OF_START, other).encode()) for text in (GOOD, GOOD + MORE) for other in OTHERS
        ],
        about=[
            config,
            config_checks,
            config_lines,
            config_values,
            import_module("syncd.recipes.build"),
            mappings,
            options,
            filters,
            filter_values,
        ],
        errors=(ConfigError,),
        json=False,
        runs=60,
    ),
    Target(
        name="plan files",
        run=plan,
        seeds=lambda: [("as it is", _plan()), ("sealed", _plan()), ("sealed", b'{"schema":1,"checksum":""}')],
        about=[plan_file, planned, cli_plan, model_values],
        errors=(UsageError,),
        runs=300,
    ),
    Target(
        name="stored rows",
        run=stored,
        seeds=rows,
        about=[codec, content, model_values, columns],
        errors=(DamagedStore,),
    ),
]
