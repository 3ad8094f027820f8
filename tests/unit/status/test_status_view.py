"""Counts and connections become the public status JSON; records become what people read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from string import Formatter

import pytest

from syncd import recipes
from syncd.model.connection import ConnectionRow
from syncd.model.record import Record, Status
from syncd.model.references import Side
from syncd.status.record_view import Seen, Told, next_step, summary
from syncd.status.view import connection_details, status
from syncd.status.words import words
from syncd.store.rows import NOTE, CountRow

NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
SECTION = {"recipe": "hubspot-quickbooks", "left": "crm", "right": "books", "flows": {"invoices": {"direction": "off"}}}
SYNC = recipes.build("invoicing", SECTION, NOW)
VENDORS = {"crm": "hubspot", "books": "quickbooks"}
FINE = ConnectionRow(name="crm", vendor="hubspot", account_id="1", last_success=NOW)
TOLD = Told(language="en", labels={"crm": "HubSpot (crm)", "books": "QuickBooks (books)"})


def shown(counts=(), **connections: ConnectionRow) -> dict:
    return status(counts, connections, VENDORS, [SYNC], "1", NOW)


def record(status: Status, code: str, **more: object) -> Record:
    return Record(id="a" * 32, sync="invoicing", flow="invoices", status=status, code=code, since=NOW, **more)


def test_a_new_installation_shows_every_flow_at_zero():
    """Nothing has been read yet: all flows and connections are there, and nothing is claimed."""
    (sync,) = shown()["syncs"]

    assert (sync["state"], sync["last_success"]) == ("new", None)
    assert {flow["name"]: flow["direction"] for flow in sync["flows"]}["invoices"] == "off"
    assert all(flow[total] == 0 for flow in sync["flows"] for total in ("synced", "pending", "failed", "excluded"))
    assert [one["state"] for one in shown()["connections"]] == ["new", "new"]


def test_codes_of_a_flow_add_up_to_its_totals():
    """Each status has its codes, the most frequent first; notes and other syncs' counts add to nothing."""
    rows = [
        CountRow("invoicing", "invoices", "failed", "customer_missing", 2),
        CountRow("invoicing", "invoices", "failed", "amount_mismatch", 5),
        CountRow("invoicing", "invoices", "pending", "retry", 0),
        CountRow("invoicing", "invoices", "synced", "", 7),
        CountRow("invoicing", "invoices", NOTE, "payment_mirrored", 3),
        CountRow("other", "invoices", "synced", "", 100),
    ]

    flow = next(flow for flow in shown(rows)["syncs"][0]["flows"] if flow["name"] == "invoices")

    assert (flow["synced"], flow["pending"], flow["failed"], flow["excluded"]) == (7, 0, 7, 0)
    assert list(flow["categories"].items()) == [("amount_mismatch", 5), ("customer_missing", 2)]
    assert (flow["waiting"], flow["notes"]) == ({}, {"payment_mirrored": 3})


@pytest.mark.parametrize(
    ("condition", "state"),
    [("ok", "running"), ("vendor_unavailable", "waiting"), ("authorization_lost", "stopped")],
)
def test_a_sync_is_as_well_as_its_connections(condition, state):
    """What comes back by itself is waited for; what a person must cure stops the sync."""
    books = replace(FINE, name="books", condition=condition, last_success=NOW - timedelta(hours=1))

    (sync,) = shown(crm=FINE, books=books)["syncs"]

    assert (sync["state"], sync["last_success"]) == (state, "2026-11-20T11:00:00Z")


def test_a_connection_tells_its_trouble():
    """The vendor's words, since when, and when it is tried again."""
    row = replace(FINE, condition="quota_exhausted", words="daily limit", since=NOW, retry_at=NOW)

    told = connection_details("crm", "hubspot", row)

    assert (told["state"], told["words"], told["retry_at"]) == (
        "quota_exhausted",
        "daily limit",
        "2026-11-20T12:00:00Z",
    )


@pytest.mark.parametrize(
    ("shown_record", "step"),
    [
        (record(Status.SYNCED, ""), "both sides are watched"),
        (record(Status.PENDING, "queued"), "in the next pass"),
        (record(Status.PENDING, "retry", next_at=NOW + timedelta(minutes=1)), "at 2026-11-20T12:01:00Z"),
        (record(Status.PENDING, "waits_connection", waits_for="connection:books"), "QuickBooks (books) works again"),
        (record(Status.FAILED, "customer_missing"), TOLD.texts("customer_missing", SYNC).remedy),
        (record(Status.EXCLUDED, "no_sku"), TOLD.texts("no_sku", SYNC).remedy),
    ],
)
def test_every_record_has_a_next_step(shown_record, step):
    """Who acts, on what, and when."""
    assert step in next_step(Seen(record=shown_record, sync=SYNC), TOLD, NOW)


def test_a_record_that_waits_names_the_other_record():
    """The parent's label and status."""
    waiting = record(Status.PENDING, "waits_parent", waits_for="record:b")
    parent = replace(waiting, id="b", label="Ann", status=Status.FAILED)

    step = next_step(Seen(record=waiting, sync=SYNC, blocker=parent), TOLD, NOW)

    assert step == "It goes on when Ann does, which is failed now."


def test_a_record_in_a_list_carries_its_texts_in_the_configured_language():
    """Title, explanation and remedy of the catalogue, the vendor's words beside them."""
    one = record(Status.FAILED, "customer_missing", words="no such customer", origin=Side.LEFT, left="7")
    english, french = (summary(one, SYNC, replace(TOLD, language=language)) for language in ("en", "fr"))

    assert english["words"] == "no such customer"
    assert all(english[text] for text in ("title", "explanation", "remedy"))
    assert english["title"] != french["title"]
    assert english["left"] == {"connection": "crm", "label": "HubSpot (crm)", "id": "7", "url": None}


def test_both_languages_have_the_same_words():
    """No page shows a gap in one of them, and the same names are filled in."""
    english, french = words("en"), words("fr")
    assert english.keys() == french.keys()
    assert all(_fields(english[key]) == _fields(french[key]) for key in english)


def _fields(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}
