"""What a person asks of a record, decided: it goes as far as the rules let it, and says what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.actions import risk, why_not
from syncd.model.action import Action, ActionName, ActionState
from syncd.model.nouns import Party, PaymentStatus
from syncd.model.record import Record, Status
from syncd.model.references import Kind, Side
from tests.unit.core.builders import LEFT, NOW, RIGHT, invoice, line, payment, rules
from tests.unit.core.closed_world import ANN, World, inbound, outbound

DONE, REFUSED = ActionState.DONE, ActionState.REFUSED
SYNCED = ("synced", "")
BY_PERSON = ("excluded", "by_person")
CHRISTMAS = date(2026, 12, 24)


def held(**edits: str) -> tuple[World, str]:
    """A contact whose fields both sides changed, each to its own, under a rule that asks a person."""
    w = World(sync=rules(contacts={"conflict": "hold"}))
    id = w.left.add(ANN)
    w.right.add(ANN)
    w.run()
    other = w.record("contacts", id).right
    assert other is not None
    for name, value in edits.items():
        w.left.edit(Kind.PARTY, id, **{name: f"left {value}"})
        w.right.edit(Kind.PARTY, other, **{name: f"right {value}"})
    w.run()
    assert w.standing("contacts", id) == ("failed", "conflict_held")
    return w, id


def edited_outside(**edit: Any) -> tuple[World, str, str]:
    """An invoice born on the left, edited on the right where it may not be."""
    w, id = outbound()
    mirror = w.record("invoices", id).right
    assert mirror is not None
    w.right.edit(Kind.INVOICE, mirror, **edit)
    w.run()
    assert w.standing("invoices", id) == ("failed", "edited_outside_origin")
    return w, id, mirror


# -- exclude, include, retry, refresh


def test_what_a_person_keeps_out_stays_out_until_it_is_included() -> None:
    """C-10: its bases are frozen; what both sides changed meanwhile is compared with them and goes over."""
    w, id = outbound()
    mirror = w.record("invoices", id).right or ""
    bases = w.record("invoices", id).left_base, w.record("invoices", id).right_base
    assert w.ask(w.record("invoices", id), "exclude") == (DONE, "excluded (by_person)")
    w.left.edit(Kind.INVOICE, id, due_date=CHRISTMAS)
    w.left.edit(Kind.INVOICE, id, number="INV-2")
    assert w.run() == 0
    record = w.record("invoices", id)
    assert (record.status.value, record.code) == BY_PERSON
    assert (record.left_base, record.right_base) == bases
    assert w.ask(record, "include")[0] is DONE
    assert w.standing("invoices", id) == SYNCED
    assert (w.right.noun(Kind.INVOICE, mirror).due_date, w.right.noun(Kind.INVOICE, mirror).number) == (
        CHRISTMAS,
        "INV-2",
    )


def test_several_that_were_asked_are_carried_out_in_their_order() -> None:
    """The last word counts, and each has its end and its line."""
    w, id = outbound()
    record = w.record("invoices", id)
    for name in ("exclude", "include", "exclude"):
        given = Action(id=f"{name}{len(w.asked.get(record.id, ()))}", record=record.id, name=ActionName(name),
                       by="token ops", at=NOW)  # fmt: skip
        w.asked[record.id] = (*w.asked.get(record.id, ()), given)
    w.run()
    assert w.standing("invoices", id) == BY_PERSON
    assert [state for state, _ in w.ended.values()] == [DONE] * 3
    assert [e.event for e in w.activity if e.by == "token ops" and e.event.startswith("action.")] == [
        "action.exclude", "action.include", "action.exclude",
    ]  # fmt: skip


def test_nobody_matches_what_a_person_keeps_out() -> None:
    """A lone half that is excluded by a person is not taken as somebody's counterpart."""
    w = World()
    other = w.right.add(invoice(w.right.add(Party(email="bo@example.com"))))
    w.run()
    bo = next(r for r in w.records.values() if r.flow == "contacts" and r.key == "bo@example.com")
    w.ask(w.record("invoices", other), "exclude")
    w.ask(bo, "exclude")
    w.ask(w.record("contacts", bo.right or ""), "unlink")
    half = next(r for r in w.records.values() if r.flow == "contacts" and r.left is not None)
    assert (half.status.value, half.code) == BY_PERSON
    w.ask(half, "include")
    assert w.record("contacts", bo.right or "").left is None


# -- force


@pytest.mark.parametrize("source", [LEFT, RIGHT])
def test_force_writes_one_sides_values_over_the_others(source: Side) -> None:
    """Also over an edit made on the other side alone; what is lost stays in the account."""
    w, ids = World(), {}
    for side in Side:
        ids[side] = w.vendor(side).add(replace(ANN, phone="1"))
    w.run()
    w.vendor(source.other).edit(Kind.PARTY, ids[source.other], phone="2", city="Rome")
    assert w.ask(w.record("contacts", ids[LEFT]), "force", take=source)[0] is DONE
    assert [w.vendor(s).noun(Kind.PARTY, ids[s]).phone for s in Side] == ["1", "1"]
    assert {w.vendor(s).noun(Kind.PARTY, ids[s]).city for s in Side} == {"Rome"}, "it never had one of its own"
    lost = [c for e in w.words("conflict.resolved") for c in e.changes]
    assert [(c.field, c.old, c.new, c.side) for c in lost] == [("phone", "2", "1", source.other)]


def test_force_from_the_side_of_birth_undoes_what_was_edited_outside() -> None:
    """C-04: amounts too, for it is theirs."""
    w, id, mirror = edited_outside(lines=(line("90.00"),), comment="mine")
    assert w.ask(w.record("invoices", id), "force", take=LEFT)[0] is DONE
    shown = w.right.noun(Kind.INVOICE, mirror)
    assert (shown.total, shown.comment) == (Decimal(100), None)
    assert w.standing("invoices", id) == SYNCED


def test_force_never_overrides_origin() -> None:
    """C-04: amounts edited outside the side of birth are not forced over there; the record waits as before."""
    w, id, _ = edited_outside(lines=(line("90.00"),))
    before = w.left.noun(Kind.INVOICE, id)
    assert w.ask(w.record("invoices", id), "force", take=RIGHT) == (DONE, "failed (edited_outside_origin)")
    assert w.left.noun(Kind.INVOICE, id) == before
    assert w.run() == 0


@pytest.mark.parametrize(
    ("facts", "edit", "code"),
    [
        ({"books_closed_until": date(2026, 12, 31)}, {"number": "X"}, "accounting_period_closed"),
        ({}, {"total": Decimal("99.99"), "lines": (line("100.00"),)}, "amount_mismatch"),
    ],
)
def test_force_overrides_neither_a_closed_period_nor_the_total(facts: Any, edit: Any, code: str) -> None:
    """C-04."""
    w, id = outbound()
    mirror = w.record("invoices", id).right or ""
    w.sides[RIGHT] = replace(w.sides[RIGHT], **facts)
    w.left.edit(Kind.INVOICE, id, **edit)
    before = w.right.noun(Kind.INVOICE, mirror)
    assert w.ask(w.record("invoices", id), "force", take=LEFT) == (DONE, f"failed ({code})")
    assert w.right.noun(Kind.INVOICE, mirror) == before


# -- resolve


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_a_held_conflict_is_decided_for_the_whole_record(side: Side) -> None:
    """Both sides then hold what the chosen one did."""
    w, id = held(phone="1", city="Rome")
    assert w.ask(w.record("contacts", id), "resolve", take=side)[0] is DONE
    assert w.standing("contacts", id) == SYNCED
    assert w.left.noun(Kind.PARTY, id).phone == w.twin("contacts", id).phone == f"{side} 1"
    assert w.left.noun(Kind.PARTY, id).city == w.twin("contacts", id).city == f"{side} Rome"


def test_a_held_conflict_is_decided_field_by_field() -> None:
    """Each as it was chosen; a field that only one side changed goes over as ever."""
    w, id = held(phone="1", city="Rome")
    w.left.edit(Kind.PARTY, id, company="Rope Ltd")
    w.ask(w.record("contacts", id), "resolve", fields={"phone": LEFT, "city": RIGHT})
    for shown in (w.left.noun(Kind.PARTY, id), w.twin("contacts", id)):
        assert (shown.phone, shown.city, shown.company) == ("left 1", "right Rome", "Rope Ltd")


def test_what_nobody_decided_is_still_held() -> None:
    """A field that moved on both sides after the question: nothing is written until all of it is decided."""
    w, id = held(phone="1", city="Rome")
    before = w.writes
    assert w.ask(w.record("contacts", id), "resolve", fields={"phone": LEFT}) == (DONE, "failed (conflict_held)")
    assert (w.record("contacts", id).words, w.writes) == ("phone, city", before)


# -- the way out of a forbidden edit


@pytest.mark.parametrize(
    "edit",
    [
        {"number": "X"},
        {"comment": "mine"},
        {"lines": (line("90.00"),)},
        {"lines": (line(), line("1.00"))},
        {"lines": ()},
    ],
)
def test_a_forbidden_edit_is_reverted_from_the_base(edit: dict[str, Any]) -> None:
    """U-13: what that side held at the last success is put back, and what may flow flows along."""
    w, id = outbound()
    mirror = w.record("invoices", id).right or ""
    before = w.right.noun(Kind.INVOICE, mirror)
    w.right.edit(Kind.INVOICE, mirror, due_date=CHRISTMAS, **edit)
    w.run()
    assert w.ask(w.record("invoices", id), "revert")[0] is DONE
    after = w.right.noun(Kind.INVOICE, mirror)
    assert (after.number, after.comment, after.total) == (before.number, before.comment, before.total)
    assert [(one.description, one.amount) for one in after.lines] == [("Work", Decimal(100))]
    assert w.left.noun(Kind.INVOICE, id).due_date == CHRISTMAS
    assert w.standing("invoices", id) == SYNCED
    assert w.run() == 0


def test_a_revert_takes_the_edit_of_the_side_of_birth_along() -> None:
    """What moved where it may arrives; what moved where it may not goes back; what is lost is in the account."""
    w, id, mirror = edited_outside(lines=(line("90.00"),), comment="mine")
    w.left.edit(Kind.INVOICE, id, lines=(line("120.00"),))
    w.ask(w.record("invoices", id), "revert")
    shown = w.right.noun(Kind.INVOICE, mirror)
    assert (shown.total, shown.comment) == (Decimal(120), None)
    (planned,) = [e for e in w.words("record.planned") if any(c.field == "lines" for c in e.changes)]
    assert planned.by == "cli ann"
    assert next(c.old for c in planned.changes if c.field == "lines") == "Work 1 x 90"


def test_a_removed_payment_is_made_again() -> None:
    """Where it was removed without the right to."""
    w, id = inbound()
    paid = w.right.add(payment(id))
    w.run()
    mirror = w.record("payments", paid).left
    assert mirror is not None
    w.left.edit(Kind.PAYMENT, mirror, status=PaymentStatus.VOIDED)
    w.run()
    assert w.standing("payments", paid) == ("failed", "edited_outside_origin")
    w.ask(w.record("payments", paid), "revert")
    assert w.record("payments", paid).left not in (None, mirror)


def test_an_accepted_variance_stands_until_an_amount_moves_again() -> None:
    """U-13: synced with a note; shared fields go on flowing; the next forbidden edit waits again."""
    w, id, mirror = edited_outside(lines=(line("90.00"),))
    assert w.ask(w.record("invoices", id), "accept") == (DONE, "synced")
    assert w.record("invoices", id).notes == ("variance_accepted",)
    assert w.run() == 0
    w.left.edit(Kind.INVOICE, id, due_date=CHRISTMAS)
    w.run()
    assert w.right.noun(Kind.INVOICE, mirror).due_date == CHRISTMAS
    assert w.record("invoices", id).notes == ("variance_accepted",)

    w.right.edit(Kind.INVOICE, mirror, comment="mine")
    w.run()
    assert w.standing("invoices", id) == ("failed", "edited_outside_origin")


def test_what_the_side_of_birth_changes_ends_a_variance() -> None:
    """Its lines go over as ever, and both are the same again."""
    w, id, mirror = edited_outside(lines=(line("90.00"),))
    w.ask(w.record("invoices", id), "accept")
    w.left.edit(Kind.INVOICE, id, lines=(line("120.00"),))
    w.run()
    assert w.right.noun(Kind.INVOICE, mirror).total == Decimal(120)
    assert w.record("invoices", id).notes == ()
    assert w.standing("invoices", id) == SYNCED


@pytest.mark.parametrize("birth", [LEFT, RIGHT])
def test_an_accepted_difference_in_totals_is_asked_about_again_once_something_moves(birth: Side) -> None:
    """Also on a mirror, whose total is written and not computed; force from the side of birth makes both equal."""
    w, id = outbound() if birth is LEFT else inbound()
    mirror = w.record("invoices", id).entity(birth.other) or ""
    w.vendor(birth.other).edit(Kind.INVOICE, mirror, lines=(line("90.00"),))
    w.run()
    w.ask(w.record("invoices", id), "accept")
    w.vendor(birth).edit(Kind.INVOICE, id, comment="more")
    w.run()
    assert w.standing("invoices", id) == ("failed", "amount_mismatch")
    w.ask(w.record("invoices", id), "force", take=birth)
    assert w.standing("invoices", id) == SYNCED
    assert (w.twin("invoices", id).total, w.twin("invoices", id).comment) == (Decimal(100), "more")
    assert w.record("invoices", id).notes == ()


def test_accepting_loses_no_edit_that_waited() -> None:
    """A due date edited while the record waited goes over with the acceptance."""
    w, id, mirror = edited_outside(comment="mine")
    w.left.edit(Kind.INVOICE, id, due_date=CHRISTMAS)
    w.ask(w.record("invoices", id), "accept")
    assert w.right.noun(Kind.INVOICE, mirror).due_date == CHRISTMAS
    assert (w.right.noun(Kind.INVOICE, mirror).comment, w.left.noun(Kind.INVOICE, id).comment) == ("mine", None)
    assert w.record("invoices", id).notes == ("variance_accepted",)


# -- link, unlink


def test_unlinked_halves_stay_apart_until_they_are_linked() -> None:
    """Both are kept out; the half that carries our reference keeps the record."""
    w, id = outbound()
    record = w.record("invoices", id)
    mirror = record.right or ""
    w.ask(record, "unlink")
    left, right = w.record("invoices", id), w.record("invoices", mirror)
    assert left.id != right.id == record.id
    assert {(one.status.value, one.code) for one in (left, right)} == {BY_PERSON}
    w.left.edit(Kind.INVOICE, id, due_date=CHRISTMAS)
    assert w.run() == 0

    assert w.ask(left, "link", entity=mirror)[0] is DONE
    joined = w.record("invoices", id)
    assert (joined.right, joined.id) == (mirror, w.record("invoices", mirror).id)
    assert w.standing("invoices", id) == SYNCED
    assert w.right.noun(Kind.INVOICE, mirror).due_date == CHRISTMAS


def test_what_belongs_to_another_cannot_be_linked() -> None:
    """It says to whom, and nothing happens."""
    w, _ = outbound()
    taken = w.right.all(Kind.PARTY)
    lone = w.left.add(Party(email="bo@example.com"))
    w.run()
    (entity,) = taken
    state, words = w.ask(w.record("contacts", lone), "link", entity=entity)
    assert (state, "belongs to" in words) == (REFUSED, True)
    assert w.record("contacts", lone).right is None


def test_invoices_of_different_totals_are_linked_and_wait_for_a_word() -> None:
    """A link does not go around the totals check; accepting does, and says so."""
    w, id = outbound()
    mirror = w.record("invoices", id).right or ""
    w.ask(w.record("invoices", id), "unlink")
    w.right.edit(Kind.INVOICE, mirror, lines=(line("90.00"),))
    assert w.ask(w.record("invoices", id), "link", entity=mirror) == (DONE, "failed (amount_mismatch)")
    w.left.edit(Kind.INVOICE, id, due_date=CHRISTMAS)
    w.ask(w.record("invoices", id), "accept")
    assert w.standing("invoices", id) == SYNCED
    assert w.right.noun(Kind.INVOICE, mirror).due_date == CHRISTMAS
    assert w.record("invoices", id).notes == ("variance_accepted",)


# -- what cannot be undone, and what does not apply


def test_a_void_that_follows_has_to_be_confirmed() -> None:
    """Included while one side was voided meanwhile: without a confirmation the record stays out."""
    w, id = outbound()
    mirror = w.record("invoices", id).right or ""
    w.ask(w.record("invoices", id), "exclude")
    w.left.void(id)
    state, words = w.ask(w.record("invoices", id), "include")
    assert state is REFUSED
    assert words == f"it was not confirmed, and cannot be undone: invoice {mirror} is voided"
    assert w.standing("invoices", id) == BY_PERSON
    assert w.ask(w.record("invoices", id), "include", confirmed=True)[0] is DONE
    assert w.right.noun(Kind.INVOICE, mirror).status == "voided"


@pytest.mark.parametrize(
    ("name", "told", "standing"),
    [
        ("retry", {}, (Status.SYNCED, "")),
        ("retry", {}, (Status.EXCLUDED, "draft")),
        ("include", {}, (Status.EXCLUDED, "draft")),
        ("exclude", {}, (Status.EXCLUDED, "by_person")),
        ("force", {"take": LEFT}, (Status.EXCLUDED, "draft")),
        ("resolve", {"take": LEFT}, (Status.SYNCED, "")),
        ("accept", {}, (Status.FAILED, "customer_missing")),
        ("revert", {}, (Status.FAILED, "amount_mismatch")),
        ("link", {"entity": "9"}, (Status.SYNCED, "")),
    ],
)
def test_what_does_not_apply_says_why(name: str, told: dict[str, Any], standing: tuple[Status, str]) -> None:
    """From the record alone, so that it can be answered at once."""
    status, code = standing
    record = Record(id="1", sync="invoicing", flow="invoices", left="l", right="r", status=status, code=code, since=NOW)
    action = Action(id="2", record="1", name=ActionName(name), by="page", at=NOW, **told)
    assert why_not(record, action, rules().flow("invoices"))


def test_a_retry_of_an_unknown_outcome_may_do_it_twice() -> None:
    """And says so before."""
    record = Record(id="1", sync="s", flow="f", status=Status.FAILED, code="unknown_outcome", since=NOW)
    action = Action(id="2", record="1", name=ActionName.RETRY, by="page", at=NOW)
    assert "twice" in (risk(record, action) or "")
    assert risk(replace(record, code="vendor_rejected"), action) is None
