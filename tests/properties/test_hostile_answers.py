"""Whatever a vendor answers, a connector tells what it understood, calls it torn, or says what the trouble is.

Real answers of the sandbox, altered in structure, types, values, bytes, status and headers. Seeds instead of
strategies: a failing one is named.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pytest
import structlog

from syncd.connectors.base import Advanced, ConnectionTrouble, Connector, Done, Order, Unknown, Unwritable
from syncd.connectors.http import HttpReply
from syncd.model.nouns import Noun
from syncd.model.references import Kind
from syncd.sandbox.base import decode_json, encode_json
from tests.hostile_house import ORDERS, House, altered, house, misspelt, unsound

VENDORS = ("hubspot", "quickbooks")
FEW, MANY = range(400), range(400, 40_000)
SEEDS = pytest.mark.parametrize("seeds", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"])


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Thousands of warnings about what is wrong on purpose."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@cache
def opened(vendor: str) -> tuple[House, dict[str, int]]:
    """A vendor, and how many questions each look asks while all is well."""
    made, counts = house(vendor), {}
    for name, look in made.looks.items():
        wire = made.wire()
        assert unsound(made.found(look, wire)) == [], name
        counts[name] = len(wire.asked)
    return made, counts


@SEEDS
@pytest.mark.parametrize("vendor", VENDORS)
def test_an_altered_answer_is_understood_or_said_to_be_wrong(
    vendor: str, seeds: range, record_property: Callable[[str, object], None]
) -> None:
    """No other exception, no float, no amount that is no number, nothing without an id, no questions without end."""
    here, counts = opened(vendor)
    looks = here.looks
    record_property("figures", ("altered answers", {vendor: len(seeds)}))
    for seed in seeds:
        draw = Random(seed)
        name = draw.choice(list(looks))
        place = draw.randrange(counts[name])
        wire = here.wire(lambda number, _, place=place: number == place, lambda reply, draw=draw: altered(draw, reply))
        try:
            wrong = unsound(here.found(looks[name], wire))
        except (ConnectionTrouble, Unwritable):
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {name}, answer {place}") from error
        assert wrong == [], f"seed {seed}: {name}, answer {place}"


@SEEDS
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_write_that_was_carried_out_is_never_taken_for_undone(vendor: str, seeds: range) -> None:
    """However its answer is spelt: it is done, or it is looked for; it is not sent again and blames no record."""
    here, _ = opened(vendor)
    for seed in seeds:
        draw = Random(seed)
        order = draw.choice(ORDERS[vendor])
        outcomes = here.found(_carried_out(here, order, lambda reply, draw=draw: misspelt(draw, reply)), here.wire())
        assert [one.intent for one in outcomes] == [order.intent]
        assert isinstance(outcomes[0], Done | Advanced | Unknown), f"seed {seed}: {order.kind}: {outcomes[0]}"


def _carried_out(here: House, order: Order, alter: Callable[[HttpReply], HttpReply]) -> Callable[[Connector], Any]:
    async def look(it: Connector) -> Any:
        await it.fresh([order])
        (send,) = it.compose([order], lambda: "0" * 32)
        other = here.connector(here.wire(lambda _, request: request.body == send.body, alter))
        await other.account()
        await other.fresh([order])
        other.compose([order], lambda: "0" * 32)
        return await other.transmit(send, {order.intent: order})

    return look


# -- amounts

Place = tuple[str, Kind, str, Callable[[Any], list[Decimal | None]]]

AMOUNTS: list[Place] = [
    ("quickbooks", Kind.INVOICE, "TotalAmt", lambda noun: [noun.total]),
    ("quickbooks", Kind.INVOICE, "Balance", lambda noun: [noun.balance]),
    ("quickbooks", Kind.INVOICE, "TotalTax", lambda noun: [noun.tax_total]),
    ("quickbooks", Kind.INVOICE, "Amount", lambda noun: [line.amount for line in noun.lines if line.product]),
    ("quickbooks", Kind.INVOICE, "Qty", lambda noun: [line.quantity for line in noun.lines if line.quantity]),
    ("quickbooks", Kind.INVOICE, "UnitPrice", lambda noun: [line.unit_price for line in noun.lines if line.unit_price]),
    ("quickbooks", Kind.PAYMENT, "TotalAmt", lambda noun: [noun.amount]),
    ("quickbooks", Kind.PAYMENT, "Amount", lambda noun: [part.amount for part in noun.allocations]),
    ("quickbooks", Kind.PRODUCT, "UnitPrice", lambda noun: [noun.unit_price]),
    ("hubspot", Kind.INVOICE, "hs_amount_billed", lambda noun: [noun.total]),
    ("hubspot", Kind.INVOICE, "hs_balance_due", lambda noun: [noun.balance]),
    ("hubspot", Kind.INVOICE, "hs_amount_paid", lambda noun: [noun.amount_paid]),
    ("hubspot", Kind.INVOICE, "price", lambda noun: [line.unit_price for line in noun.lines]),
    ("hubspot", Kind.INVOICE, "quantity", lambda noun: [line.quantity for line in noun.lines]),
    ("hubspot", Kind.INVOICE, "amount", lambda noun: [line.amount for line in noun.lines]),
    ("hubspot", Kind.PAYMENT, "hs_initial_amount", lambda noun: [noun.amount]),
    ("hubspot", Kind.PRODUCT, "price", lambda noun: [noun.unit_price]),
]
NO_AMOUNTS = (
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "1,234.56",
    "1.234,56",
    "12 €",
    "0x1F",
    "--1",
    "ten",
    True,
    [],
    {},
)


@pytest.mark.parametrize("place", AMOUNTS, ids=[f"{vendor} {kind} {key}" for vendor, kind, key, _ in AMOUNTS])
def test_an_amount_is_read_as_it_is_written_or_not_at_all(place: Place) -> None:
    """As a number or a text, with however many digits; what is no amount is never taken for one, nor for nothing."""
    vendor, kind, key, amounts = place
    here, draw = opened(vendor)[0], Random(key)
    id = _with_amounts(here, kind, amounts)
    for value in [*(_amount(draw) for _ in range(40)), *NO_AMOUNTS]:
        said = str(value) if isinstance(value, Decimal) and draw.random() < 0.5 else value
        noun = _read(here, kind, id, lambda reply, said=said: _with(reply, key, said))
        if noun is not None:
            assert isinstance(value, Decimal), f"{value!r} was taken for an amount"
            read = amounts(noun)
            assert all(isinstance(one, Decimal) and one == value for one in read), f"{said!r}: {read}"


def _amount(draw: Random) -> Decimal:
    digits = draw.choice((1, 3, 7, 17, 19, 40))
    size = Decimal(draw.randrange(1, 10**digits)).scaleb(-draw.choice((0, 2, 2, 6, 17, 40)))
    return draw.choice((size, -size, size.normalize(), Decimal("1E+400"), Decimal("1E-400"), Decimal("0.1") + size))


def _with_amounts(here: House, kind: Kind, amounts: Callable[[Any], list[Decimal | None]]) -> str:
    """An entity that has such amounts."""
    for id in here.ids(kind):
        noun = _read(here, kind, id, lambda reply: reply)
        if noun is not None and any(amount is not None for amount in amounts(noun)):
            return id
    raise AssertionError(f"no {kind} has them")


def _read(here: House, kind: Kind, id: str, alter: Callable[[HttpReply], HttpReply]) -> Noun | None:
    """The noun, None where it is torn or nothing can be read at all."""

    async def look(it: Connector) -> Any:
        return (await it.read(kind, [id]))[id]

    try:
        seen = here.found(look, here.wire(lambda _, request: "oauth" not in request.url, alter))
    except ConnectionTrouble:
        return None
    return None if seen.torn else seen.noun


def _with(reply: HttpReply, key: str, value: object) -> HttpReply:
    """The answer with another value wherever there is one under this key."""

    def walked(content: Any) -> Any:
        if isinstance(content, dict):
            return {
                name: value
                if name == key and inner is not None and not isinstance(inner, dict | list)
                else walked(inner)
                for name, inner in content.items()
            }
        return [walked(inner) for inner in content] if isinstance(content, list) else content

    body = encode_json(walked(decode_json(reply.body)))
    return HttpReply(status=reply.status, headers=reply.headers, body=body)
