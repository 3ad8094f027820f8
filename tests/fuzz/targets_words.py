"""Single words: dates, times, amounts, currencies, durations and addresses, wherever one is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pydantic_core import PydanticCustomError

from syncd import config_values
from syncd.commands import actions, work
from syncd.connectors.hubspot import moments, values, wire
from syncd.connectors.quickbooks import wire as books
from syncd.core import crossing, filter_values, normalise
from syncd.core.filter_values import Field, FieldType
from syncd.errors import UsageError
from syncd.model import money
from syncd.model import values as model_values
from syncd.model.references import Kind
from syncd.status import formats
from syncd.status.words import words
from tests.fuzz.engine import Target

LANGUAGES = [formats.Formats(language, words(language)) for language in ("en", "fr")]
SAMPLES = (Decimal("1.5"), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), True, "x")


def word(label: str, data: bytes) -> None:
    """What it is, or that it is none."""
    READERS[label](data.decode("utf-8", "surrogateescape"))


def _amount(text: str) -> None:
    amount = wire.Record(id="1", properties={"x": text}).number("x")
    if amount is None:
        return
    assert money.sensible(amount)
    assert Decimal(model_values.decimal_text(amount)) == amount
    assert model_values.from_plain(json.loads(json.dumps(model_values.plain(amount)))) == amount
    for currency in ("EUR", "JPY", "KWD", "CLF"):
        if len(amount.as_tuple().digits) <= 24 and amount.adjusted() < 18:
            unit = money.minor_unit(currency)
            assert abs(money.rounded(amount, currency) - amount) * 2 <= unit


def _currency(text: str) -> None:
    assert 0 <= money.minor_digits(text) <= 4
    for language in LANGUAGES:
        assert language.money("12.345", text)


def _shown(text: str) -> None:
    for language in LANGUAGES:
        assert isinstance(language.number(text) + language.money(text, "EUR") + language.day(text), str)


def _filtered(text: str) -> None:
    for sample in SAMPLES:
        one, other = filter_values.compare(sample, text), filter_values.compare(text, sample)
        assert (one is None) is (other is None)
        assert one is None or other is None or one == -other
    for type_ in FieldType:
        try:
            filter_values.convert(text, Field(type_))
        except ValueError:
            continue


def _crossed(text: str) -> None:
    for type_ in FieldType:
        try:
            crossing.as_type(text, type_)
        except ValueError:
            continue


def _normal(text: str) -> None:
    for name, step in normalise._STEPS.items():
        assert isinstance(step(text, 3), str), name


def _shown_by_hubspot(text: str) -> None:
    for other in ("1", "1.50", "true", "2026-11-02T00:00:00Z", "1793577600000", "", text):
        assert values.agree(text, other) == values.agree(other, text)
    for kind, name in ((Kind.INVOICE, "total"), (Kind.INVOICE, "due_date"), (Kind.PAYMENT, "status")):
        values.value_of(kind, name, text, ZoneInfo("Asia/Kathmandu"))


READERS: Mapping[str, Callable[[str], object]] = {
    "amount": _amount,
    "currency": _currency,
    "filter": _filtered,
    "other side": _crossed,
    "normaliser": _normal,
    "property": _shown_by_hubspot,
    "page": _shown,
    "time of hubspot": moments.parse,
    "day of hubspot": lambda text: moments.day(text, ZoneInfo("Asia/Kathmandu")),
    "time of quickbooks": books.instant,
    "day of a command": work._day,
    "field of a command": actions._pair,
    "duration": config_values._duration,
    "listen": config_values._listen,
    "vendor's address": config_values._vendor_url,
    "public address": config_values._public_url,
    "redirect address": config_values._redirect_url,
    "notify address": config_values._notify_url,
    "database": config_values._database,
}
WORDS = (
    *("12.34", "-0.005", "1E+3", "1e19", "0.000000000000000000000000000001", "100,5", "1_000", "EUR", "jpy", "XXX", ""),
    *("2026-11-02", "2026-11-02T10:00:00.000Z", "2026-11-02T10:00:00-08:00", "1793577600000", "-1", "30s", "2h", "off"),
    *("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "20261102", "2026-W45-1", "true", "due_date=left"),
    *("127.0.0.1:8300", "[::1]:8300", "https://api.example.com/x", "http://localhost:8411/back", "postgresql://h/name"),
)
TARGETS = [
    Target(
        name="words",
        run=word,
        seeds=lambda: [(label, text.encode()) for label in READERS for text in WORDS],
        about=[moments, values, filter_values, crossing, normalise, config_values, formats, money, model_values],
        errors=(ValueError, UsageError, PydanticCustomError),
        json=False,
        runs=600,
    )
]
