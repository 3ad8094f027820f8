"""Numbers, days, times and money as people of a language write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_currency, format_decimal, get_group_symbol
from markupsafe import Markup, escape

from syncd.model.money import sensible

_LOCALES = {"en": Locale("en"), "fr": Locale("fr")}
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_KEPT = 4096  # texts of each kind; a page repeats few of them hundreds of times


class Formats:
    """All of it for one language. What cannot be read as what it should be is shown as it is."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self._locale = _LOCALES[language]
        self._words = words
        self._group = get_group_symbol(self._locale)
        self._months = self._locale.months["format"]["abbreviated"]
        self.time = lru_cache(_KEPT)(self._time)
        self.money = lru_cache(_KEPT)(self._money)
        self.day = lru_cache(_KEPT)(self._day)

    def number(self, value: int | str) -> str:
        if isinstance(value, int):  # by far the most; both languages group by thousands
            return f"{value:,}".replace(",", self._group)
        decimal = _decimal(value)
        return (
            str(value) if decimal is None else format_decimal(decimal, locale=self._locale, decimal_quantization=False)
        )

    def _money(self, value: str, currency: str | None) -> str:
        """An amount with all its digits: a third decimal may be what the sides differ in."""
        decimal = _decimal(value)
        if decimal is None or currency is None:
            return self.number(value)
        return format_currency(decimal, currency, locale=self._locale, decimal_quantization=_round(decimal))

    def _day(self, value: str) -> str:
        try:
            return format_date(date.fromisoformat(value), "medium", locale=self._locale)
        except ValueError:
            return value

    def _time(self, value: str | None) -> Markup:
        """A moment; the page's script turns it into the reader's own time zone."""
        if not value:
            return Markup()
        at = datetime.fromisoformat(value)
        shown = f"{at.day} {self._months[at.month]} {at.year} {at.hour:02}:{at.minute:02}"
        return Markup(f'<time datetime="{escape(value)}">{escape(shown)} UTC</time>')  # noqa: S704 - all of it is escaped

    def duration(self, seconds: int) -> str:
        """About how long: seconds, minutes or hours."""
        return format_timedelta(timedelta(seconds=seconds), granularity="second", locale=self._locale)

    def sentence(self, text: str) -> Markup:
        """A text with the moments in it as people read them."""
        parts = _MOMENT.split(text)
        return Markup().join(self.time(part) if place % 2 else part for place, part in enumerate(parts))

    def value(self, field: Mapping[str, Any], value: str | bool | None, currency: str | None) -> Markup:
        """A value of a record, by the type of its field."""
        if value is None:
            return Markup('<span class="quiet">{}</span>').format(self._words["empty"])
        if isinstance(value, bool):
            return escape(self._words["yes" if value else "no"])
        return escape(self._shown(field["type"], value, currency))

    def _shown(self, kind: str, value: str, currency: str | None) -> str:
        if kind == "amount":
            return self.money(value, currency)
        if kind == "number":
            return self.number(value)
        return self.day(value) if kind == "date" else value

    def plural(self, name: str, n: int) -> str:
        """Words that depend on a number."""
        form = self._locale.plural_form(n)
        return self._words.get(f"{name}.{form}", self._words[f"{name}.other"]).format(n=self.number(n))


def _decimal(value: int | str) -> Decimal | None:
    try:
        found = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return found if sensible(found) else None


def _round(value: Decimal) -> bool:
    """Whether two decimals, or what the currency has, lose nothing."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -2
