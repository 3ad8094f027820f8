"""What each flow may be told besides direction, rule, filters and mappings; every value is checked before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from string import Formatter
from typing import Any

from syncd.core.rules import FlowRules
from syncd.model.references import Side
from syncd.model.values import decimal_text

Found = tuple[tuple[str | int, ...], str, str]
"""One mistake: where inside the options, what, and the cure."""

INVOICE_DATES = {"invoice_date": "issue_date", "due_date": "due_date"}
NAME_PARTS = frozenset({"name", "email", "first_name", "last_name", "company", "id"})


def check(flow: FlowRules, options: Mapping[str, Any]) -> Iterator[Found]:
    """Everything wrong with a flow's options."""
    known = {**OPTIONS.get(flow.name, {}), **{row.option: _text for row in flow.rows if row.option}}
    for name, value in options.items():
        if name not in known:
            cure = f"options of this flow: {', '.join(sorted(known)) or 'none'}"
            yield (name,), f"there is no option “{name}”", cure
        else:
            for path, message, cure in known[name](value):
                yield (name, *path), f"“{name}” {message}", cure


def bent(flow: FlowRules, options: Mapping[str, Any]) -> FlowRules:
    """The flow with its options, which have passed `check`."""
    sources, service_date = options.get("native_sources"), options.get("service_date")
    return replace(
        flow,
        fallback_account=options.get("custom_line_item_account"),
        income_account=options.get("income_account"),
        tax_product=options.get("tax_product"),
        tax_codes={_rate(rate): str(code) for rate, code in options.get("tax_codes", {}).items()},
        service_date=None if service_date is None else INVOICE_DATES.get(service_date, service_date),
        name_pattern=options.get("display_name_pattern"),
        native_sources=flow.native_sources
        if sources is None
        else {Side.LEFT: frozenset(s.casefold() for s in sources)},
    )


def _text(value: object) -> Iterator[Found]:
    if not isinstance(value, str) or not value.strip():
        yield (), "must be a text", "give a name in quotation marks"


def _texts(value: object) -> Iterator[Found]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        yield (), "must be a list of texts", "correct the value"


def _tax_codes(value: object) -> Iterator[Found]:
    example = 'write { "20" = "TVA 20", "5.5" = "TVA 5,5" }: a rate in percent, and the tax code\'s name or id'
    if not isinstance(value, Mapping):
        yield (), "must be a table of rates and tax codes", example
        return
    for rate, code in value.items():
        try:
            _rate(rate)
        except ValueError:
            yield (rate,), f"takes rates in percent, “{rate}” is none", example
        if not isinstance(code, str) or not code.strip():
            yield (rate,), f"needs the name or id of a tax code for “{rate}”", example


def _rate(text: str) -> str:
    """A rate in the one form it is compared in.

    Raises:
        ValueError: no percentage.
    """
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not (rate.is_finite() and 0 <= rate <= 100):
        raise ValueError(text)
    return decimal_text(rate)


def _service_date(value: object) -> Iterator[Found]:
    if not isinstance(value, str) or not (value in INVOICE_DATES or value.startswith("custom.")):
        yield (), "must name a date of the invoice", f"use {', '.join(sorted(INVOICE_DATES))} or custom.NAME"


def _pattern(value: object) -> Iterator[Found]:
    cure = 'write a text such as "{name} ({email})"; there is ' + ", ".join(sorted(NAME_PARTS))
    try:
        parts = list(Formatter().parse(value)) if isinstance(value, str) else []
    except ValueError:
        parts = []
    names = {name for _, name, _, _ in parts if name is not None}
    bare = not any(form or conversion for _, _, form, conversion in parts)
    if not names or names - NAME_PARTS or not bare:
        yield (), "is no pattern for names", cure
    elif names == {"name"}:
        yield (), "tells nobody from their namesake", cure


Check = Callable[[Any], Iterator[Found]]
OPTIONS: Mapping[str, Mapping[str, Check]] = {
    "contacts": {"display_name_pattern": _pattern},
    "products": {"income_account": _text},
    "invoices": {
        "custom_line_item_account": _text,
        "native_sources": _texts,
        "tax_product": _text,
        "tax_codes": _tax_codes,
        "service_date": _service_date,
    },
}
