"""U-12: why a record stands where it stands and what happens next, from what is stored alone."""

import pytest

from syncd import cli_client
from tests.acceptance.people import books_sale
from tests.acceptance.world import Row, Snapshot, World


async def _explained(w: World, word: str, flow: str) -> Row:
    id = (await w.record(word, flow))["id"]
    async with cli_client.answers(w.config, {}) as source:
        return dict(await source.explain(id))


@pytest.mark.parametrize(
    ("word", "flow", "used", "waits"),
    [
        ("1002", "invoices", "merge", None),
        ("INV-1024", "invoices", "parent", "It goes on when"),
        ("INV-1023", "invoices", "validation", "once the settings of QuickBooks (books)"),
        ("1025", "contacts", "validation", "whoever has the same name in QuickBooks (books)"),
    ],
)
async def test_what_is_explained(word: str, flow: str, used: str, waits: str | None, synced: Snapshot) -> None:
    """The rule, the match key, the filters, both sides' bases and values, what wakes it, and no vendor is asked."""
    async with synced.world() as w:
        begin = await w.mark()
        shown = await _explained(w, word, flow)
        assert await w.requests(begin) == []
        assert shown["rules"]["used"] == used
        assert shown["match"]["by"]
        assert shown["filters"]["fixed"]["left"]
        assert all({"base", "now"} == field["left"].keys() for field in shown["record"]["fields"])
        assert (shown["waits"] or "").startswith(waits or "") or (waits or "") in shown["waits"]
        assert shown["next"]


async def test_the_last_calls_carry_the_vendors_trace_ids(synced: Snapshot) -> None:
    """As the vendors' own support asks for them."""
    async with synced.world() as w:
        sale = await books_sale(w)
        await w.once()
        shown = await _explained(w, sale.number, "invoices")
        assert shown["calls"]
        assert all(call["request_id"] for call in shown["calls"])


async def test_a_free_filter_is_shown_in_words(synced: Snapshot) -> None:
    """And what it turned away says by which condition."""
    async with synced.world() as w:
        w.set(
            "syncs.invoicing.flows.invoices.filters",
            **{"right-to-left": '[{ field = "total", operator = ">", value = "999999" }]'},
        )
        await w.once()
        shown = await _explained(w, "1002", "invoices")
        assert shown["filters"]["free"]["right"] == "total > 999999"
        assert (shown["filters"]["hit"], shown["rules"]["used"]) == ("filtered", "filter")
        assert "total > 999999" in shown["filters"]["words"]
