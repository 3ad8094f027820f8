"""The state table and the transitions of a record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.catalogue import Group, entries
from syncd.core.lifecycle import (
    TRANSITIONS,
    Event,
    ImpossibleTransition,
    advance,
    diagram,
    excluded,
    failed,
    pending,
    synced,
)
from syncd.model.content import Content
from syncd.model.record import Record, Status

BORN = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
NOW = BORN + timedelta(hours=1)


def record(status: Status = Status.PENDING, code: str = "queued") -> Record:
    return Record(id="a" * 32, sync="invoicing", flow="invoices", since=BORN, status=status, code=code)


def test_a_written_record_is_synced_and_a_refused_one_failed() -> None:
    """The two ways a plan ends."""
    assert advance(Status.PENDING, Event.WRITTEN) is Status.SYNCED
    assert advance(Status.PENDING, Event.REFUSED) is Status.FAILED


def test_an_excluded_record_that_changes_stays_excluded_until_a_plan_lets_it_in() -> None:
    """It is watched, not synced."""
    assert advance(Status.EXCLUDED, Event.SOURCE_CHANGED) is Status.EXCLUDED
    assert advance(Status.EXCLUDED, Event.PLANNED) is Status.PENDING


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.SYNCED, Event.LOST),
        (Status.EXCLUDED, Event.LOST),
        (Status.SYNCED, Event.WRITTEN),
        (Status.FAILED, Event.WRITTEN),
        (Status.EXCLUDED, Event.WRITTEN),
        (Status.SYNCED, Event.RELEASED),
    ],
)
def test_what_cannot_be_is_refused(status: Status, event: Event) -> None:
    """Only a record with a write under way can lose or finish one; only a waiting one can be released."""
    with pytest.raises(ImpossibleTransition, match=status):
        advance(status, event)


def test_a_lost_answer_cannot_be_written_onto_a_synced_record() -> None:
    """The helpers go through the same table."""
    with pytest.raises(ImpossibleTransition):
        pending(record(Status.SYNCED, ""), "resolving", NOW)


def test_every_status_can_reach_every_other() -> None:
    """No record is ever stuck for good."""
    ways = {(status, after) for (status, _), after in TRANSITIONS.items()}

    assert ways == {(a, b) for a in Status for b in Status}


def test_the_diagram_draws_every_transition() -> None:
    """What the schema's page shows is the table itself."""
    drawn = diagram()

    assert drawn.startswith("stateDiagram-v2\n    [*] --> pending")
    for (status, event), after in TRANSITIONS.items():
        (line,) = (line for line in drawn.splitlines() if line.startswith(f"    {status} --> {after}:"))
        assert event in line.split(": ")[1].split(", ")


def test_pending_says_why_and_until_when() -> None:
    """Code, words, what it waits for and when it is due."""
    later = NOW + timedelta(minutes=5)
    made = pending(record(), "waits_parent", NOW, words="customer", waits_for="record:b", next_at=later)

    assert (made.status, made.code, made.words) == (Status.PENDING, "waits_parent", "customer")
    assert (made.waits_for, made.next_at, made.since, made.attempts) == ("record:b", later, NOW, 0)


def test_since_stays_while_nothing_changes() -> None:
    """A record that fails again for the same reason has been failing since the first time."""
    first = failed(record(), "customer_missing", "no contact", NOW)
    again = failed(first, "customer_missing", "no e-mail", NOW + timedelta(hours=1))
    other = failed(again, "amount_mismatch", "", NOW + timedelta(hours=2))

    assert (again.since, again.words) == (NOW, "no e-mail")
    assert other.since == NOW + timedelta(hours=2)


def test_retries_are_counted_and_success_forgets_them() -> None:
    """Ten attempts a day can only be kept if they are counted."""
    tired = pending(pending(record(), "retry", NOW), "retry", NOW)

    assert tired.attempts == 2
    assert pending(tired, "queued", NOW).attempts == 2
    assert synced(tired, NOW).attempts == 0


def test_a_failed_record_that_wakes_has_all_its_attempts_again() -> None:
    """Else one passing fault after a person's cure would fail it at once."""
    failed_at_last = failed(pending(record(), "retry", NOW), "vendor_rejected", "HTTP 500", NOW)

    assert failed_at_last.attempts == 1
    assert pending(failed_at_last, "queued", NOW).attempts == 0


def test_success_clears_what_no_longer_applies() -> None:
    """No words, no wait, no code; notes are the new ones only."""
    waiting = pending(record(), "waits_parent", BORN, words="customer", waits_for="record:b", next_at=NOW)
    made = synced(replace(waiting, notes=("counterpart_gone",)), NOW, ["payment_mirrored"])

    assert (made.status, made.code, made.words, made.waits_for, made.next_at) == (Status.SYNCED, "", "", None, None)
    assert made.notes == ("payment_mirrored",)
    assert pending(made, "queued", NOW).notes == ("payment_mirrored",)


def test_exclusion_freezes_the_bases() -> None:
    """On return the record is compared with what both sides last agreed."""
    agreed = replace(record(Status.SYNCED, ""), left_base=Content(fields={"number": "1"}))
    made = excluded(agreed, "filtered", NOW, "country is not FR")

    assert (made.status, made.code, made.words) == (Status.EXCLUDED, "filtered", "country is not FR")
    assert made.left_base == agreed.left_base


@pytest.mark.parametrize("code", [row.code for row in entries(Group.PENDING)])
def test_every_pending_code_can_be_set(code: str) -> None:
    """No row of the catalogue is without its event."""
    assert pending(record(), code, NOW).code == code


def test_a_code_of_another_group_is_refused() -> None:
    """A failure cannot be stored as an exclusion, nor a typing mistake as anything."""
    with pytest.raises(ValueError, match="filtered"):
        failed(record(), "filtered", "", NOW)
    with pytest.raises(ValueError, match="customer_missing"):
        excluded(record(), "customer_missing", NOW)
    with pytest.raises(ValueError, match="authorization_lost"):
        pending(record(), "authorization_lost", NOW)
    with pytest.raises(ValueError, match="typo"):
        synced(record(), NOW, ["typo"])
