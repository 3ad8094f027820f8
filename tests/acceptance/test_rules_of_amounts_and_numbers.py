"""Discounts, fees, taxes, numbers, closed books, currencies and limits on a company in the US, one row a rule."""

import pytest

from tests.acceptance.rules import Ends, Rule, assert_ended, bill, play, played
from tests.acceptance.world import Snapshot, World

WORK = {"name": "Work", "quantity": "2", "price": "50"}


async def _twice(w: World) -> str:
    await w.books("create", "Invoice", customer="1", lines=[{"item": "PEST-CONTROL", "price": "7"}], number="TAKEN-1")
    return await bill(hs_number="TAKEN-1")(w)


RULES = (
    Rule("a line's percentage discount", bill(WORK | {"hs_discount_percentage": "12.5"}), total="87.50"),
    Rule("a line's fixed discount", bill(WORK | {"discount": "0.55"}), total="98.90"),
    Rule("one discount on the whole", bill(WORK, discounts=[{"hs_type": "PERCENT", "hs_value": "10"}]), total="90"),
    Rule(
        "a second discount on the whole",
        bill(WORK, discounts=[{"hs_type": "PERCENT", "hs_value": "10"}, {"hs_type": "FIXED", "hs_value": "5"}]),
        "failed",
        "order_level_amount",
    ),
    Rule(
        "a fee on the whole",
        bill(WORK, fees=[{"hs_type": "FIXED", "hs_value": "5", "hs_label": "Card fee"}]),
        "failed",
        "order_level_amount",
        "Card fee",
    ),
    Rule(
        "a tax on the whole",
        bill(WORK, taxes=[{"hs_type": "PERCENT", "hs_value": "8", "hs_label": "Sales tax"}]),
        "failed",
        "order_level_amount",
        "Sales tax",
    ),
    Rule("a fee as a line", bill(WORK, {"name": "Card fee", "quantity": "1", "price": "5"}), total="105"),
    Rule("six decimals of a quantity", bill({"name": "Hours", "quantity": "1.333333", "price": "75"}), total="100"),
    Rule("a number of 21 characters", bill(hs_number="N" * 21), total="100"),
    Rule("a number of 22 characters", bill(hs_number="N" * 22), "failed", "field_value_invalid", "at most 21"),
    Rule("a number that is taken", _twice, "failed", "duplicate_document_number", "TAKEN-1"),
    Rule("closed books", bill(hs_invoice_date="2018-12-31"), "failed", "accounting_period_closed", "2018-12-31"),
    Rule("another currency", bill(hs_currency="EUR"), "failed", "currency_mismatch", "EUR"),
    Rule("a comment", bill(hs_comments="Thank you,\nand come again"), total="100"),
)


async def _usual(w: World) -> None:
    """The company as it is."""


@pytest.fixture(scope="module")
def ends(synced: Snapshot) -> Ends:
    return play(synced, RULES, _usual)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rule(rule: Rule, ends: Ends):
    """It ends in its status and category, with a remedy; what went over is the same to the cent."""
    assert_ended(rule, ends[rule.name])


def test_a_comment_is_the_customer_memo(ends: Ends):
    """HQ-10."""
    assert ends["a comment"].books["CustomerMemo"]["value"] == "Thank you,\nand come again"


def test_a_discount_on_the_whole_is_quickbooks_discount_line(ends: Ends):
    """HQ-10: an amount on a line of its own, after the subtotal."""
    (line,) = (one for one in ends["one discount on the whole"].books["Line"] if one["DetailType"].startswith("Disc"))
    assert (line["Amount"], line["DiscountLineDetail"]["PercentBased"]) == (10, False)


@pytest.mark.parametrize("own", [True, False])
async def test_numbers_are_ours_only_where_the_caller_chooses_them(own, synced: Snapshot):
    """HQ-11: a number changed in QuickBooks is an edit on the wrong side only with custom transaction numbers; a number
    that is taken is refused without the vendor's help, too."""
    async with synced.world() as w:
        await w.control.settings("quickbooks", CustomTxnNumbers=own, WarnDuplicateNumber=False)
        pair = (await played(w, [Rule("numbered", bill(hs_number="OWN-1"))]))["numbered"]
        twice = Rule("taken", _twice, "failed", "duplicate_document_number", "TAKEN-1")
        assert_ended(twice, (await played(w, [twice]))["taken"])
        await w.books("update", "Invoice", pair.books["Id"], number="THEIRS-1")
        await w.once()
        expected = ("failed", "edited_outside_origin") if own else ("synced", "")
        assert (await w.both(pair.record["id"])).state == expected


async def test_check_warns_of_a_series_that_goes_on_with_our_prefix(synced: Snapshot):
    """HQ-11: QuickBooks counts on from the last number it was given."""
    async with synced.world() as w:
        await played(w, [Rule("numbered", bill(hs_number="INV-7000"))])
        await w.books("create", "Invoice", customer="1", lines=[{"item": "PEST-CONTROL", "price": "7"}])
        code, out, _ = await w.command("check")
        assert code == 0
        assert "INV-7001" in out


async def test_discounts_switched_off(synced: Snapshot):
    """HQ-10: the reason is named before anything is sent."""
    async with synced.world() as w:
        await w.control.settings("quickbooks", AllowDiscount=False)
        make = bill(WORK, discounts=[{"hs_type": "FIXED", "hs_value": "5"}])
        rule = Rule("off", make, "failed", "order_level_amount", "switched off")
        assert_ended(rule, (await played(w, [rule]))["off"])
