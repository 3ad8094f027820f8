"""What a poll does when the change feed cannot tell everything, and when lists move while they are read."""

import re
from datetime import timedelta

import pytest

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.quickbooks.client import LIMITS
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.unit.connectors.quickbooks.quickbooks_doubles import (
    SERVER_TIME,
    START,
    Company,
    customer,
    fault,
    invoice,
    parameters,
    reply,
)

RECENT = (START - timedelta(hours=1)).isoformat()
ROWS = LIMITS.page_rows


async def poll(company, cursors, kinds=(Kind.PARTY, Kind.INVOICE), **settings):
    seen, after = [], {}
    async for page in company.connector(**settings).changes_since(cursors, kinds, START):
        seen += page.sightings
        after |= page.cursors
    return seen, after


def feed(**changed):
    """A change feed with these objects by entity."""

    def rule(request):
        if request.route != "/cdc":
            return None
        entities = parameters(request)["entities"].split(",")
        parts = [{e: changed[e], "startPosition": 1} if changed.get(e) else {} for e in entities]
        return reply({"CDCResponse": [{"QueryResponse": parts}], "time": SERVER_TIME})

    return rule


def table(rows, before_page=lambda number: None, entity="Customer"):
    """A query over one entity that keeps to paging; `before_page` may change the rows."""
    served = []

    def rule(request):
        found = re.search(
            rf"from {entity} .*startposition (\d+) maxresults (\d+)", parameters(request).get("query", "")
        )
        if found is None:
            return None
        before_page(len(served))
        start, size = int(found[1]), int(found[2])
        page = rows[start - 1 : start - 1 + size]
        served.append(start)
        return reply({"QueryResponse": {entity: page} if page else {}, "time": SERVER_TIME})

    rule.served = served
    return rule


async def test_window_begins_an_overlap_before_the_oldest_cursor():
    """All kinds share one call, from the oldest cursor less the overlap; the new cursor is the server's clock."""
    company = Company(feed())
    older = (START - timedelta(hours=2)).isoformat()
    _, after = await poll(company, {"party": RECENT, "invoice": older}, options={"overlap": 60.0})

    (call,) = [r for r in company.seen if r.route == "/cdc"]
    assert parameters(call)["changedSince"] == "2026-03-02T09:59:00Z"
    assert after == dict.fromkeys((Kind.PARTY, Kind.INVOICE), "2026-03-02T12:00:00.500000+00:00")


async def test_tombstones_have_no_content():
    """What was deleted is a sighting without a noun."""
    gone = {"domain": "QBO", "status": "Deleted", "Id": "39", "MetaData": {"LastUpdatedTime": SERVER_TIME}}
    (seen,), _ = await poll(Company(feed(Invoice=[gone])), {"party": RECENT, "invoice": RECENT})

    assert (seen.id, seen.presence, seen.snapshot.noun) == ("39", Presence.DELETED, None)


async def test_full_answer_is_asked_again_by_entity():
    """A thousand objects over all entities may be cut: each entity is asked alone."""
    half = [customer(n) for n in range(ROWS // 2)]
    company = Company(feed(Customer=half, Invoice=[invoice(n) for n in range(ROWS // 2)]))
    seen, after = await poll(company, {"party": RECENT, "invoice": RECENT})

    asked = [parameters(r)["entities"] for r in company.seen if r.route == "/cdc"]
    assert asked == ["Customer,Invoice", "Customer", "Invoice"]
    assert len(seen) == ROWS
    assert set(after) == {Kind.PARTY, Kind.INVOICE}


async def test_entity_with_too_many_changes_is_queried_by_time():
    """A thousand of one entity are cut: its tombstones are kept, the rest is queried by the time of change."""
    changed = [{"Id": "7", "status": "Deleted"}, *(customer(n) for n in range(ROWS))]
    query = table([customer(n) for n in range(ROWS + 500)])
    company = Company(feed(Customer=changed), query)
    seen, after = await poll(company, {"party": RECENT}, kinds=(Kind.PARTY,))

    assert any("MetaData.LastUpdatedTime >= '2026-03-02T10:55:00Z'" in said for said in company.statements())
    assert {s.id for s in seen if s.presence is Presence.PRESENT} == {str(n) for n in range(ROWS + 500)}
    assert [s.id for s in seen if s.presence is Presence.DELETED] == ["7"]
    assert after == {Kind.PARTY: "2026-03-02T12:00:00.500000+00:00"}


def receipts(*numbers):
    return [{"Id": str(n), "SyncToken": "0", "TotalAmt": 5, "CustomerRef": {"value": "1"}} for n in numbers]


async def test_a_cut_feed_loses_no_sales_receipt():
    """Receipts fill the answer up, too: deleted ones are kept from it, the others queried by the time of change."""
    changed = [{"Id": "7", "status": "Deleted"}, *receipts(*range(100, 100 + ROWS))]
    query = table(receipts(*range(100, 110 + ROWS)), entity="SalesReceipt")
    company = Company(feed(SalesReceipt=changed), table([], entity="Payment"), query)
    seen, after = await poll(company, {"payment": RECENT}, kinds=(Kind.PAYMENT,))

    assert {s.id for s in seen if s.presence is Presence.PRESENT} == {f"sale:{n}" for n in range(100, 110 + ROWS)}
    assert [s.id for s in seen if s.presence is Presence.DELETED] == ["sale:7"]
    asked = [said for said in company.statements() if "from SalesReceipt" in said]
    assert all("MetaData.LastUpdatedTime >= '2026-03-02T10:55:00Z'" in said for said in asked)
    assert set(after) == {Kind.PAYMENT}


async def test_sales_receipts_since_an_old_cursor_are_listed_with_the_payments():
    """What the feed cannot reach back to; without any cursor they are history, which concerns nobody."""
    old = (START - timedelta(days=40)).isoformat()
    company = Company(feed(), table([], entity="Payment"), table(receipts(1), entity="SalesReceipt"))
    seen, _ = await poll(company, {"payment": old}, kinds=(Kind.PAYMENT,))
    assert [s.id for s in seen] == ["sale:1"]

    company = Company(feed(), table([], entity="Payment"))
    assert await poll(company, {}, kinds=(Kind.PAYMENT,)) == ([], {Kind.PAYMENT: "2026-03-02T12:00:00.500000+00:00"})


@pytest.mark.parametrize("cursor", [None, (START - timedelta(days=29, minutes=1)).isoformat()])
async def test_missing_and_old_cursors_list_everything(cursor):
    """What the feed cannot reach is listed; kinds with a good cursor still come from the feed."""
    company = Company(feed(), table([customer(1)]))
    cursors = {"invoice": RECENT} | ({"party": cursor} if cursor else {})
    seen, after = await poll(company, cursors)

    assert [s.id for s in seen] == ["1"]
    assert [parameters(r)["entities"] for r in company.seen if r.route == "/cdc"] == ["Invoice"]
    assert set(after) == {Kind.PARTY, Kind.INVOICE}


async def test_feed_that_refuses_to_look_back_falls_back_to_lists():
    """Should the vendor's window be shorter than it says, nothing is lost."""
    company = Company(
        lambda r: fault(2190, "outside the look-back") if r.route == "/cdc" else None, table([customer(1)])
    )
    seen, after = await poll(company, {"party": RECENT}, kinds=(Kind.PARTY,))

    assert [s.id for s in seen] == ["1"]
    assert set(after) == {Kind.PARTY}


async def test_rows_that_vanish_between_pages_hide_no_others():
    """Deletions move the rest up; every row that stays is seen."""
    rows = [customer(n) for n in range(2 * ROWS + 10)]

    def shrink(number):
        if number == 1:
            del rows[:3]

    query = table(rows, shrink)
    seen, _ = await poll(Company(query), {}, kinds=(Kind.PARTY,))

    assert {s.id for s in seen} >= {str(n) for n in range(3, 2 * ROWS + 10)}


async def test_list_that_fills_its_pages_exactly_ends():
    """A full last page is followed by one that only repeats its last row."""
    query = table([customer(n) for n in range(ROWS)])
    seen, _ = await poll(Company(query), {}, kinds=(Kind.PARTY,))

    assert query.served == [1, ROWS]
    assert {s.id for s in seen} == {str(n) for n in range(ROWS)}


async def test_items_that_show_no_sku_in_the_feed_are_only_hints():
    """Whether the feed leaves out SKUs is not known: such items are read before they are believed."""
    items = [{"Id": "1", "SyncToken": "0", "Name": "A"}, {"Id": "2", "SyncToken": "0", "Name": "B", "Sku": "S"}]
    company = Company(feed(Item=[*items, {"Id": "3", "SyncToken": "0", "Name": "C", "Type": "Category"}]))
    seen, _ = await poll(company, {"product": RECENT}, kinds=(Kind.PRODUCT,))

    assert [(s.id, s.snapshot is None) for s in seen] == [("1", True), ("2", False)]


@pytest.mark.parametrize(
    "body",
    [{"CDCResponse": [{}], "time": SERVER_TIME}, {"time": SERVER_TIME}, {"CDCResponse": "no", "time": SERVER_TIME}],
)
async def test_feed_that_makes_no_sense_moves_no_cursor(body):
    """An answer without its parts or its time is malformed, and no page comes of it."""
    company = Company(lambda request: reply(body) if request.route == "/cdc" else None)
    with pytest.raises(ConnectionTrouble) as trouble:
        await poll(company, {"party": RECENT}, kinds=(Kind.PARTY,))

    assert trouble.value.condition is Condition.MALFORMED_ANSWER
