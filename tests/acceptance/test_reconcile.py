"""The money proof (U-07): a difference on either side is found, named and explained, and nothing is written."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncd import auditing
from syncd.auditing import Scope
from syncd.sandbox.base import Request, Response, decode_json, encode_json
from tests.acceptance.people import books_sale, crm_sale
from tests.acceptance.world import Snapshot, World

Row = Mapping[str, Any]


async def _prove(w: World, **scope: Any) -> Row:
    begin = await w.mark()
    told = await auditing.prove(w.config, Scope(**scope))
    assert await w.written(begin) == []
    (proof,) = told["proofs"]
    return dict(proof)


@dataclass(frozen=True)
class Planted:
    """A record's word, the cause its difference must have, and the fields that differ."""

    word: str
    cause: str
    fields: tuple[str, ...]


async def _edit_in_books(w: World) -> Planted:
    await w.books("update", "Invoice", "10", lines=[{"item": "PEST-CONTROL", "qty": "3", "price": "40"}])
    return Planted("1002", "pending_edit", ("subtotal", "total"))


async def _edit_in_crm(w: World) -> Planted:
    sale = await crm_sale(w, "Ines Brook")
    await w.once()
    await w.crm("pay", "invoices", sale.invoice, amount="25")
    return Planted(sale.number, "pending_edit", ("balance",))


async def _gone_from_crm(w: World) -> Planted:
    await w.crm("archive", "invoices", (await w.both("1002")).crm["id"])
    return Planted("1002", "pending_edit", ("document",))


async def _never_noticed_in_books(w: World) -> Planted:
    _behind_the_back(w, "10", "7.5", "7.5")
    return Planted("1002", "unexplained", ("subtotal", "total", "balance"))


async def _rounded_in_books(w: World) -> Planted:
    _behind_the_back(w, "10", "0.01", "0.01")
    return Planted("1002", "rounding", ("subtotal", "total", "balance"))


async def _credit_in_books(w: World) -> Planted:
    sale = await books_sale(w, "Carl Reef")
    await w.once()
    _behind_the_back(w, sale.invoice, "0", "-30")
    return Planted(sale.number, "other_credit", ("balance",))


def _behind_the_back(w: World, id: str, total: str, balance: str) -> None:
    """A fault at the vendor: the amounts are others, and neither the version nor the change list says so."""
    books = w.sandbox.vendors["quickbooks"]
    answer = books.handle

    def altered(request: Request, now: datetime) -> Response:
        response = answer(request, now)
        return replace(response, body=_altered(response.body, id, Decimal(total), Decimal(balance)))

    books.handle = altered  # type: ignore[method-assign]


def _altered(body: bytes, id: str, total: Decimal, balance: Decimal) -> bytes:
    told = decode_json(body)

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                walk(each)
        if isinstance(node, dict):
            if node.get("Id") == id and "TotalAmt" in node and "DocNumber" in node:
                node["TotalAmt"] += total
                node["Balance"] += balance
            for each in node.values():
                walk(each)

    walk(told)
    return encode_json(told)


ROWS: list[Callable[[World], Awaitable[Planted]]] = [
    _edit_in_books,
    _edit_in_crm,
    _gone_from_crm,
    _never_noticed_in_books,
    _rounded_in_books,
    _credit_in_books,
]


@pytest.mark.parametrize("plant", ROWS, ids=lambda each: each.__name__.strip("_"))
async def test_a_planted_difference_is_found_and_named(
    plant: Callable[[World], Awaitable[Planted]], synced: Snapshot
) -> None:
    """On its document, with its cause; the control total of its customer's month differs with it."""
    async with synced.world() as w:
        before = {one["record"] for one in (await _prove(w))["differences"]}
        planted = await plant(w)
        proof = await _prove(w)
        found = {one["label"]: one for one in proof["differences"] if one["record"] not in before}
        assert found.keys() == {planted.word}
        one = found[planted.word]
        assert (one["cause"], tuple(one["fields"])) == (planted.cause, planted.fields), one["words"]
        assert one["explained"] is (planted.cause != "unexplained")
        assert proof["controls"]
        assert proof["unexplained"] == (0 if one["explained"] else 2)  # the document and its month


async def test_nothing_is_unexplained_after_a_sync(synced: Snapshot) -> None:
    """Every document that is not on both sides has a category; the totals of all others are equal to the cent."""
    async with synced.world() as w:
        code, out, _ = await w.command("reconcile", "--json")
        told = json.loads(out)
        (proof,) = told["proofs"]
        assert (code, told["unexplained"]) == (0, 0)
        failed = {row["id"] for row in await w.records(flow="invoices", status="failed")}
        assert {one["record"] for one in proof["differences"]} <= failed
        assert proof["documents"] > len(failed)


async def test_a_document_that_was_only_touched_is_no_pending_edit(synced: Snapshot) -> None:
    """States are shown on it, or somebody edits what nobody carries: a difference that was there keeps its cause."""
    async with synced.world() as w:
        _behind_the_back(w, "10", "7.5", "7.5")
        both = await w.both("1002")
        before = {one["record"]: one["cause"] for one in (await _prove(w))["differences"]}
        await w.crm("update", "invoices", both.crm["id"], hs_language="fr")
        after = {one["record"]: one["cause"] for one in (await _prove(w))["differences"]}
        assert before[both.record["id"]] == "unexplained"
        assert after == before


async def test_an_accepted_difference_is_asked_about_again_when_it_moves(synced: Snapshot) -> None:
    """What a person accepted is what both sides showed then: another amount is another difference, on either side."""
    async with synced.world() as w:
        both = await w.both("INV-1003")

        async def edited(quantity: str) -> None:
            lines = [{"item": "Sod", "qty": quantity, "price": "16"}]
            await w.books("update", "Invoice", both.books["Id"], lines=lines)
            await w.once()

        async def cause() -> str:
            differences = (await _prove(w))["differences"]
            return str(next(one["cause"] for one in differences if one["record"] == both.record["id"]))

        await edited("20")
        assert (await w.command("accept", both.record["id"]))[0] == 0
        await w.once()
        assert (await w.both("INV-1003")).state == ("synced", "")
        assert await cause() == "accepted"
        await edited("21")
        assert (await w.both("INV-1003")).state == ("failed", "edited_outside_origin")
        await edited("20")
        assert (await w.both("INV-1003")).state == ("synced", "")
        assert await cause() == "accepted"

        await w.crm("update", "invoices", both.crm["id"], hs_due_date="2027-01-09")
        await w.once()
        assert await cause() == "accepted"
        _behind_the_back(w, both.books["Id"], "7.5", "7.5")
        assert await cause() == "unexplained"


async def test_only_the_days_that_are_asked_for(synced: Snapshot) -> None:
    """And a day that is none, or a flow without documents, is told."""
    async with synced.world() as w:
        everything = (await _prove(w))["documents"]
        assert 0 < (await _prove(w, since=date(2026, 10, 1)))["documents"] < everything
        assert (await w.command("reconcile", "--since", "soon"))[0] == 2
        assert (await w.command("reconcile", "--flow", "contacts"))[0] == 2
