"""Records that leave a filter and come back, and vendors that keep something else than they were sent."""

from tests.acceptance.world import Row, Snapshot, World, world

SYNCED = ("synced", "")
INVOICES = "syncs.invoicing.flows.invoices"
BEFORE_2027 = '[{ field = "due_date", operator = "<", value = "2027-01-01" }]'


async def due(w: World, number: str) -> tuple[str, str]:
    """The due date on both sides."""
    both = await w.both(number)
    return (both.of("hs_due_date") or "")[:10], both.books["DueDate"]


async def test_a_record_that_leaves_its_filter_stops_and_is_compared_when_it_returns(synced: Snapshot) -> None:
    """Outside nothing is written in either direction and nothing deleted; inside again, what was agreed last decides:
    both sides' edits of that time go over."""
    async with synced.world() as w:
        w.set("connections.books", options='{ po_field = "Crew #" }')
        w.set(INVOICES, **{"filters.left-to-right": BEFORE_2027})
        await w.once()
        before, mark = await w.both("INV-1001"), await w.mark()
        await w.crm("update", "invoices", before.crm["id"], hs_due_date="2027-06-01")
        await w.once()
        assert (await w.both("INV-1001")).state == ("excluded", "filtered")
        assert "due_date" in (await w.both("INV-1001")).record["words"]
        crew = {"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": "PO-8"}
        await w.books("update", "Invoice", before.books["Id"], CustomField=[crew])
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == ("excluded", "filtered")
        assert _bases(both.record) == _bases(before.record)
        assert await w.written(mark) == []

        await w.crm("update", "invoices", before.crm["id"], hs_due_date="2026-12-01")
        await w.once()
        both = await w.both("INV-1001")
        assert both.state == SYNCED
        assert await due(w, "INV-1001") == ("2026-12-01", "2026-12-01")
        assert both.of("hs_purchase_order_number") == "PO-8"


async def test_a_filter_added_later_deletes_nothing(synced: Snapshot) -> None:
    """Records that the changed configuration leaves out are excluded; what stands on the other side stays."""
    async with synced.world() as w:
        mark = await w.mark()
        w.set(INVOICES, **{"filters.right-to-left": '[{ field = "total", operator = ">=", value = 300 }]'})
        await w.once()
        assert (await w.both("1027")).state == ("excluded", "filtered")
        assert (await w.both("1010")).state == SYNCED
        assert (await w.both("INV-1001")).state == SYNCED
        assert await w.written(mark) == []

        w.set(INVOICES, **{"filters.right-to-left": "[]"})
        await w.once()
        assert (await w.both("1027")).state == SYNCED
        assert await w.written(mark) == []


async def test_vendors_that_trim_round_and_cut_are_written_to_once(synced: Snapshot) -> None:
    """What they kept is what was agreed: no second write, and no edit seen where nobody edited."""
    async with world() as w:
        await w.control.settings("quickbooks", normalise=["trim", "truncate", "round"])
        await w.control.settings("hubspot", normalise={"trim": True, "round": {"price": 2}})
        status = await w.once()
        async with synced.world() as usual:
            assert _figures(status) == _figures(await usual.status())
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []

        await w.crm("update", "invoices", "5008", hs_comments="  Gate   code 4471. " + "x" * 2000)
        await w.crm("update", "contacts", "1001", phone=" (650)  555-0001, extension 77 or the other one ")
        await w.once()
        comment = (await w.both("INV-1008")).books["CustomerMemo"]["value"]
        assert comment.startswith("Gate")
        assert len(comment) <= 1000
        mark = await w.mark()
        await w.once()
        assert await w.written(mark) == []
        assert (await w.both("INV-1008")).state == (await w.both("birds@intuit.com", "contacts")).state == SYNCED


def _figures(status: Row) -> list[Row]:
    return [flow for sync in status["syncs"] for flow in sync["flows"]]


def _bases(record: Row) -> list[tuple[str, str, str]]:
    return [(field["name"], field["left"]["base"], field["right"]["base"]) for field in record["fields"]]
