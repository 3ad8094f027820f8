"""Tables of rules: what somebody enters, and where it ends on `show --json`. One world a table, one pass for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.acceptance.world import Pair, Row, Snapshot, World

Make = Callable[[World], Awaitable[str]]
"""Enters something; returns the HubSpot id of the invoice it is about."""
Settings = Mapping[str, object]


@dataclass(frozen=True)
class Rule:
    """One rule. `words` stand in the record's own words; `total` is what both sides must show."""

    name: str
    make: Make
    status: str = "synced"
    code: str = ""
    words: str = ""
    total: str = ""

    def __str__(self) -> str:
        return self.name


Ends = dict[str, Pair]


async def played(w: World, rules: Sequence[Rule]) -> Ends:
    """Everybody enters what the rules are about, one `once`, and where each ended by the rule's name."""
    made = {rule.name: await rule.make(w) for rule in rules}
    await w.once()
    ids = {row["left"]["id"]: row["id"] for row in await w.records(flow="invoices") if row["left"]["id"]}
    missing = sorted(name for name, id in made.items() if id not in ids)
    assert not missing, f"no record of {missing}"
    return {name: await w.both(ids[id]) for name, id in made.items()}


def play(synced: Snapshot, rules: Sequence[Rule], prepare: Callable[[World], Awaitable[object]]) -> Ends:
    """The same in a world of its own, for fixtures."""

    async def once() -> Ends:
        async with synced.world() as w:
            await prepare(w)
            return await played(w, rules)

    return asyncio.run(once())


def assert_ended(rule: Rule, pair: Pair) -> None:
    """Status, category, words and remedy are the rule's; nothing of what is refused stands in the books."""
    record = pair.record
    assert pair.state == (rule.status, rule.code), record["words"]
    assert rule.words in (record["words"] or "")
    if rule.status == "synced":
        assert pair.books["TotalAmt"] == pair.amount("hs_amount_billed")
        if rule.total:
            assert pair.books["TotalAmt"] == Decimal(rule.total)
    else:
        assert pair.books == {}
        assert record["title"]
        assert record["remedy"]


_people = 0


async def contact(w: World, name: str = "", **fields: str) -> Row:
    """Somebody new in HubSpot."""
    global _people
    _people += 1
    first, last = (name or f"Ada Rule{_people}").split()
    values = {"email": f"{first}.{last}{_people}@rules.example".lower(), "firstname": first, "lastname": last}
    return await w.crm("create", "contacts", **values | fields)


def bill(*lines: Mapping[str, str], who: Mapping[str, str] | None = None, **fields: Any) -> Make:
    """A finalized HubSpot invoice of these lines for somebody new, or for the contact with these fields."""

    async def make(w: World) -> str:
        buyer = fields.pop("contact", None) or (await contact(w, **dict(who or {})))["id"]
        values = {"hs_currency": "USD", "hs_invoice_date": "2026-11-02", "finalize": True} | fields
        sold = list(lines) or [{"name": "Work", "quantity": "1", "price": "100"}]
        return str((await w.crm("create", "invoices", contact=buyer, lines=sold, **values))["id"])

    return make
