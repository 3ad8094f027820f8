"""What HubSpot's polls see."""

from datetime import timedelta

from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.contract.connectors.hubspot.conftest import mirror

DRAFT_LINES = {"lines": [{"id": "500101", "description": "Every room"}]}


async def test_a_changed_line_is_a_change_of_its_invoice(portal):
    """An edit of a line that leaves the total alone shows nowhere but on the line; the invoice is seen all the same."""
    _, cursors = await portal.poll()
    await portal.person("update", "invoices", "5001", **DRAFT_LINES)
    seen, after = await portal.poll(cursors)
    before = await portal.calls()
    again, _ = await portal.poll(after)
    paths = await portal.paths(before)
    read = await portal.one(Kind.INVOICE, "5001")

    assert [(Kind.INVOICE, "5001", read.version)] == [(s.kind, s.id, s.version) for s in seen]
    assert [(s.id, s.version) for s in seen] == [(s.id, s.version) for s in again]
    assert read.noun.lines[0].description == "Every room"
    assert len(paths) == 5, "the cursor knows whose line it is"


async def test_an_invoice_and_its_lines_make_one_sighting(portal):
    """When both changed the invoice is seen once, with the version a read gives."""
    _, cursors = await portal.poll()
    await portal.person("update", "invoices", "5001", **DRAFT_LINES, hs_comments="Thank you")
    seen, _ = await portal.poll(cursors)

    assert [("5001", (await portal.one(Kind.INVOICE, "5001")).version)] == [(s.id, s.version) for s in seen]


async def test_the_recycle_bin_is_looked_at_once_an_hour(portal):
    """What is archived is seen by the first poll an hour later, and then not again."""
    _, cursors = await portal.poll()
    await portal.person("archive", "contacts", "1021")
    early, cursors = await portal.poll(cursors)
    portal.clock.skipped += 3601
    late, cursors = await portal.poll(cursors)
    soon, _ = await portal.poll(cursors)
    read = await portal.one(Kind.PARTY, "1021")

    assert [s for s in early if s.presence is not Presence.PRESENT] == []
    assert [("1021", Presence.ARCHIVED, read.version)] == [(s.id, s.presence, s.version) for s in late]
    assert Presence.ARCHIVED is read.presence
    assert soon == []


async def test_what_was_in_the_bin_before_we_came_is_no_news(portal):
    """The first poll begins the watch; old deletions concern nobody."""
    await portal.person("archive", "contacts", "1021")
    await portal.control.advance(timedelta(hours=2).total_seconds())
    _, cursors = await portal.poll()
    portal.clock.skipped += 3601
    seen, _ = await portal.poll(cursors)

    assert "1021" not in {s.id for s in seen}


async def test_a_line_taken_from_a_mirror_is_seen_within_the_hour(portal):
    """Nothing on the mirror tells; the line in the recycle bin leads there by our reference."""
    made = await portal.one(Kind.INVOICE, (await portal.write(mirror())).id)
    _, cursors = await portal.poll()
    await portal.person("update", "invoices", made.id, lines=[{"id": made.noun.lines[0].id}])
    await portal.control.advance(3600)
    portal.clock.skipped += 3601
    seen, cursors = await portal.poll(cursors)
    await portal.control.advance(3600)
    portal.clock.skipped += 3601
    again, _ = await portal.poll(cursors)

    assert made.id in {s.id for s in seen if s.version != made.version}
    assert [s for s in again if s.id == made.id and s.version != made.version] == []


async def test_a_late_index_is_read_again(portal):
    """A change the index shows only minutes later is inside the overlap of a later poll."""
    _, cursors = await portal.poll()
    await portal.control.settings("hubspot", index_lag=120)
    await portal.person("update", "contacts", "1001", city="Elsewhere")
    early, cursors = await portal.poll(cursors)
    await portal.control.advance(121)
    late, _ = await portal.poll(cursors)

    assert early == []
    assert [s.id for s in late] == ["1001"]


async def test_a_kind_that_nobody_wants_is_not_asked_for(portal):
    """Only the wanted kinds cost calls."""
    before = await portal.calls()
    await portal.poll(kinds=(Kind.PRODUCT,))

    assert await portal.paths(before) == ["products/search"]
