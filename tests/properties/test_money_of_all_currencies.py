"""C-15, promise 10: amounts of every currency there is, through both vendors' wire formats, the store and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import cycle

import msgspec
import pytest
from babel.numbers import list_currencies
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.http import HttpReply
from syncd.connectors.hubspot import wire as crm
from syncd.connectors.hubspot.values import text_of
from syncd.connectors.quickbooks import mapping, wire
from syncd.model.money import _MINOR_DIGITS, minor_digits, rounded
from syncd.model.nouns import Invoice
from syncd.model.references import Kind
from syncd.model.values import from_plain, plain
from tests.properties.test_money_both_ways import REFUSALS, inbound, outbound

CURRENCIES = sorted({*list_currencies(), *_MINOR_DIGITS})
JSON = {"content-type": "application/json"}
WAYS = Counter(map(minor_digits, CURRENCIES))
SEEDS_EACH = 3


def through_hubspot(amount: Decimal, currency: str, *, as_text: bool) -> Decimal | None:
    """A property, as a text or as the bare number some routes print."""
    text = text_of(amount)
    body = b'{"results":[{"id":"1","properties":{"hs_currency":"%s","x":%s}}]}'
    body %= (currency.encode(), (f'"{text}"' if as_text else text).encode())
    (record,) = crm.to(crm.Records, HttpReply(status=200, headers=JSON, body=body).json()).results
    return record.number("x")


def through_quickbooks(amount: Decimal, currency: str) -> Invoice:
    """The body of a request, read as an answer."""
    line = {"Id": "1", "Amount": amount, "DetailType": "SalesItemLineDetail"}
    line["SalesItemLineDetail"] = {"ItemRef": {"value": "6"}, "Qty": Decimal(1), "UnitPrice": amount}
    raw = {"Id": "9", "SyncToken": "0", "CurrencyRef": {"value": currency}, "Line": [line]}
    raw |= {"TotalAmt": amount, "Balance": amount, "CustomerRef": {"value": "1"}, "TxnDate": "2026-11-02"}
    read = HttpReply(status=200, headers=JSON, body=wire.encode(raw)).json()
    noun = mapping.snapshot(Kind.INVOICE, read, mapping.Reading(home_currency=currency)).noun
    assert isinstance(noun, Invoice)
    return noun


@given(
    currency=st.sampled_from(CURRENCIES),
    units=st.integers(-(10**18), 10**18) | st.integers(-200, 200),
    as_text=st.booleans(),
)
def test_an_amount_goes_both_ways_unchanged(currency: str, units: int, as_text: bool) -> None:
    """From HubSpot to QuickBooks to the store to HubSpot: the difference is 0 and nothing was ever a float."""
    amount = Decimal(units).scaleb(-minor_digits(currency))
    read = through_hubspot(amount, currency, as_text=as_text)
    assert isinstance(read, Decimal)
    noun = through_quickbooks(read, currency)
    (line,) = noun.lines
    for each in (noun.total, noun.balance, line.amount, line.unit_price):
        assert isinstance(each, Decimal)
        kept = from_plain(msgspec.json.decode(msgspec.json.encode(plain(each))))
        assert isinstance(kept, Decimal)
        assert rounded(kept, currency) == kept
        assert through_hubspot(kept, currency, as_text=not as_text) == amount


def test_every_number_of_decimals_is_there() -> None:
    """Currencies without decimals, with two, three and four; and no currency of ours that nobody else knows."""
    assert WAYS.keys() == {0, 2, 3, 4}
    assert len(CURRENCIES) > 250
    assert set(_MINOR_DIGITS) <= set(list_currencies()) | {"UYW"}  # CLDR has no nominal wage index


def test_invoices_of_every_currency_are_right_to_the_last_digit_or_refused(
    record_property: Callable[[str, object], None],
) -> None:
    """Three invoices each, both ways through all rules; what has more decimals than fit is refused in words."""
    ends: dict[int, Counter[str]] = {digits: Counter() for digits in WAYS}
    for seed, currency in zip(range(len(CURRENCIES) * SEEDS_EACH), cycle(CURRENCIES), strict=False):
        end = outbound(1_000_000 + seed, currency)
        assert end in {"", *REFUSALS}
        inbound(2_000_000 + seed, currency)
        ends[minor_digits(currency)][end] += 1
    assert all(counted[""] for counted in ends.values()), ends
    record_property("figures", ("money", {"currencies": len(CURRENCIES), "invoices": len(CURRENCIES) * SEEDS_EACH * 2}))


@pytest.mark.parametrize("currency", ["BHD", "CLF"])
def test_what_has_more_decimals_than_the_books_is_refused(currency: str) -> None:
    """QuickBooks keeps hundredths: thousandths are never rounded away in silence."""
    ends = Counter(outbound(seed, currency) for seed in range(60))
    assert ends["amount_mismatch"] > ends[""]
