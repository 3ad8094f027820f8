"""What the demonstration says about syncd: taken from records and activity, in plain words, each thing once."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd import recipes
from syncd.core import catalogue
from syncd.demo.news import Moved, Watcher
from syncd.demo.telling import Teller
from syncd.demo.voice import Voice
from syncd.model.record import Activity, FieldChange, Status
from syncd.model.references import Side
from syncd.status.local import LocalSource, labels
from syncd.store.store import Store
from tests.status_state import NOW, StoppedClock, configuration, filled, invoice, record

RULES = recipes.build("invoicing", {"recipe": "hubspot-quickbooks", "left": "crm", "right": "books"}, NOW)
BOTH = {Side.LEFT: invoice("hs-1", 1), Side.RIGHT: invoice("145", 1)}


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:
    store = await filled(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def watcher(store, tmp_path) -> Watcher:
    config = configuration(tmp_path)
    source = LocalSource(
        store=store, config=config, clock=StoppedClock(), version="0.1", syncs=(RULES,), labels=labels(config)
    )
    return Watcher(source)


def told(*entries: Activity, **more: object) -> list[str]:
    """The lines about invoice INV-1 with these new entries in its account."""
    moved = Moved(**{"record": record(1, right="145"), "sync": RULES, "entries": entries, "snapshots": BOTH} | more)
    return [one.text for one in Teller({"crm": "HubSpot", "books": "QuickBooks"}, "en").tell(moved)]


def entry(event: str, **more: object) -> Activity:
    return Activity(**{"record": record(1).id, "at": NOW, "event": event, "by": "poll"} | more)


async def test_what_was_there_before_is_no_news(watcher):
    """The first sync is summed up, not told record by record."""
    await watcher.skip()
    assert await watcher.look() == []


async def test_a_record_that_moved_is_news_once(watcher, store):
    """With only the new part of its account, and the status it came from."""
    await watcher.skip()
    moved = replace(record(2), label="INV-2", revision=1, since=NOW + timedelta(seconds=1))
    wrote = entry("write.done", record=moved.id, side=Side.RIGHT, words="create")
    await store.write(lambda tx: (tx.save_records([moved]), tx.add_activity([wrote])))
    (news,) = await watcher.look()
    assert (news.record.label, news.was, [one.event for one in news.entries]) == (
        "INV-2",
        Status.FAILED,
        ["write.done"],
    )
    assert await watcher.look() == []


def test_a_create_says_what_stands_on_the_other_side():
    """The number and the total as that side holds them."""
    assert told(entry("write.done", side=Side.RIGHT, words="create")) == [
        "invoice INV-1: created in QuickBooks as INV-1, 10.50 USD"
    ]


def test_an_update_says_which_fields_changed():
    """They were noted when the write was planned."""
    changes = (
        FieldChange(field="due_date", old="2026-12-01", new="2026-12-15", side=Side.LEFT),
        FieldChange(field="balance", old=None, new="5.5", side=Side.LEFT),
    )
    planned = entry("record.planned", side=Side.LEFT, words="update", changes=changes)
    assert told(planned, entry("write.done", side=Side.LEFT, words="update")) == [
        "invoice INV-1: updated in HubSpot (due date 2026-12-01 → 2026-12-15, balance 5.50)"
    ]


def test_a_failure_says_what_to_do():
    """The catalogue's title and remedy around the detail."""
    (line,) = told(entry("record.failed", code="edited_outside_origin", words="lines"))
    texts = catalogue.text("edited_outside_origin", "en", left="HubSpot", right="QuickBooks")
    assert line == f"invoice INV-1: failed: {texts.title} (lines). What to do: {texts.remedy}"


def test_an_undo_is_told_though_nothing_was_written():
    """The record went back to synced by itself."""
    assert told(was=Status.FAILED) == ["invoice INV-1: both sides agree again"]
    assert told(was=Status.SYNCED) == []


def test_a_lost_value_is_named():
    """Who wins, and what is given up."""
    change = FieldChange(field="last_name", old="Marsch", new="Marsh", side=Side.RIGHT)
    assert told(entry("conflict.resolved", changes=(change,))) == [
        "invoice INV-1: both sides hold something else: last name Marsh of HubSpot stays, Marsch goes"
    ]


def test_piped_lines_are_whole_and_harmless():
    """One line each, however long; nothing in a vendor's words can steer a terminal."""
    stream = io.StringIO()
    Voice(stream).event(NOW, "HubSpot", "a\nb\x1b[31m" + "c" * 200)
    when = NOW.astimezone().strftime("%H:%M:%S")
    assert stream.getvalue() == f"{when}  HubSpot     a b [31m{'c' * 200}\n"
