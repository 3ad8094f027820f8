"""How a poll walks through more records than one search shows."""

from datetime import UTC, datetime, timedelta

from syncd.model.references import Kind

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def at(seconds: float) -> dict[str, str]:
    """A payment modified so long after noon."""
    return {"hs_lastmodifieddate": (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")}


async def walked(connector, cursors=None, kind=Kind.PAYMENT):
    """Ids in the order they were seen, and the pages."""
    pages = [page async for page in connector.changes_since(cursors or {}, [kind], NOON)]
    return [s.id for page in pages for s in page.sightings], pages


async def test_every_record_is_seen_once_and_in_order(tiny, connector):
    """A thousand records with times of their own, by pages of two hundred."""
    tiny.rows["commerce_payments"] = {str(n): at(n) for n in range(1000)}
    ids, _ = await walked(connector)

    assert [str(n) for n in range(1000)] == ids
    assert len(tiny.asked) <= 6


async def test_more_than_ten_thousand_of_one_instant(tiny, connector):
    """A bulk change gives all records one time: they are read by id, with some before and after."""
    rows = {str(n): at(10) for n in range(1, 10_451)}
    tiny.rows["commerce_payments"] = rows | {"20001": at(5), "20002": at(15), "20003": at(15)}
    ids, _ = await walked(connector)

    assert len(ids) == len(set(ids)) == 10_453
    assert tiny.rows["commerce_payments"].keys() == set(ids)
    assert ids[-2:] == ["20002", "20003"]


async def test_several_full_instants_in_a_row(tiny, connector):
    """Each is read by id before the next begins."""
    tiny.rows["commerce_payments"] = {str(n): at(n // 500) for n in range(1, 2001)}
    ids, _ = await walked(connector)

    assert len(ids) == len(set(ids)) == 2000


async def test_nothing_is_skipped_when_records_move_while_we_read(tiny, connector):
    """Each answer is followed by an edit of an early record, which so moves to the end and the others up."""
    rows = tiny.rows["commerce_payments"] = {str(n): at(n) for n in range(1000)}
    edited = iter(range(1000))

    def edit():
        n = next(edited)
        rows[str(n)] = at(5000 + n)

    tiny.between = edit
    ids, _ = await walked(connector)

    assert rows.keys() == set(ids)


async def test_the_cursor_moves_with_what_was_stored(tiny, connector):
    """After each page it stands at the last record seen; going on from any of them misses nothing."""
    tiny.rows["commerce_payments"] = {str(n): at(n) for n in range(700)}
    ids, pages = await walked(connector)
    done = 0
    for page in [page for page in pages if page.sightings]:
        done += len(page.sightings)
        rest, _ = await walked(connector, page.cursors)
        assert set(ids[done:]) <= set(rest)


async def test_an_empty_portal_is_one_call(tiny, connector):
    """And leaves a cursor all the same."""
    ids, pages = await walked(connector)

    assert ids == []
    assert len(tiny.asked) == 1
    assert "payment" in {name for page in pages for name in page.cursors}


async def test_lines_are_tied_to_their_invoices_in_big_batches(tiny, connector):
    """A thousand changed lines, most of them of deals and quotes, are one question for associations."""
    tiny.rows["line_items"] = {str(n): at(n % 7) for n in range(1, 901)}
    tiny.links["line_items", "invoices"] = {"3": ["77"], "4": ["77"], "500": ["78"]}
    pages = [p async for p in connector.changes_since({"invoice": "2026-09-30T00:00:00.000Z"}, [Kind.INVOICE], NOON)]
    versions = {s.id: s.version for page in pages for s in page.sightings}

    assert versions == {"77": "2026-10-01T12:00:04.000Z", "78": "2026-10-01T12:00:03.000Z"}
    assert len([path for path, _ in tiny.asked if "associations" in path]) == 1


async def test_a_cursor_remembers_a_few_lines_only(tiny, connector):
    """Whose a line is need not be asked twice; of a backlog of lines it is asked again rather than kept."""
    for count, asks in ((150, 1), (250, 2)):
        tiny.asked.clear()
        tiny.rows["line_items"] = {str(n): at(0) for n in range(1, count + 1)}
        tiny.links["line_items", "invoices"] = {str(n): ["77"] for n in range(1, count + 1)}
        _, pages = await walked(connector, {"invoice": "2026-09-30T00:00:00.000Z"}, Kind.INVOICE)
        remembered = next(page.cursors["invoice:lines"] for page in pages if "invoice:lines" in page.cursors)[24:]
        early = dict.fromkeys(("invoice", "invoice:lines"), "2026-09-30T00:00:00.000Z")
        ids, _ = await walked(connector, early | {"invoice:lines": early["invoice"] + remembered}, Kind.INVOICE)

        assert ids == ["77"]
        assert len([path for path, _ in tiny.asked if "associations" in path]) == asks
