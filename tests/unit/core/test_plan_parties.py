"""People: finding a counterpart, making one, joining halves, who edits what, and what turns one away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.model.nouns import Party
from syncd.model.record import Record
from syncd.model.references import Kind, MatchKey
from syncd.model.waiting import on_key
from tests.unit.core.builders import LEFT, NOW, RIGHT, invoice, rules
from tests.unit.core.closed_world import ANN, World


def test_a_customer_with_an_email_becomes_a_contact() -> None:
    """HQ-08: every customer of the books with an e-mail address, by default."""
    w = World()
    id = w.right.add(replace(ANN, name="Ann Lee"))

    assert w.run() == 1
    assert w.standing("contacts", id) == ("synced", "")
    made = w.left.only(Kind.PARTY)
    assert (made.email, made.first_name, made.last_name) == ("ann@example.com", "Ann", "Lee")


@pytest.mark.parametrize(
    ("customer", "code"),
    [
        (Party(name="No address"), "no_email"),
        (replace(ANN, active=False), "filtered"),
        (replace(ANN, parent="r99"), "filtered"),
    ],
)
def test_some_customers_stay_in_the_books(customer: Party, code: str) -> None:
    """HQ-08: without e-mail address, inactive, or a job of somebody else."""
    w = World()
    id = w.right.add(customer)

    assert w.run() == 0
    assert w.standing("contacts", id) == ("excluded", code)


def test_a_contact_waits_until_an_invoice_needs_it() -> None:
    """HQ-08: a contact is no customer because it is in the address book; an invoice makes it one."""
    w = World()
    contact = w.left.add(ANN)
    assert w.run() == 0
    assert w.standing("contacts", contact) == ("excluded", "filtered")

    w.left.add(invoice(contact, number="INV-1"))
    w.run()

    assert w.standing("contacts", contact) == ("synced", "")
    assert w.right.only(Kind.PARTY).email == "ann@example.com"


@pytest.mark.parametrize(
    ("contact", "name"),
    [(replace(ANN, company="Acme"), "Acme"), (ANN, "Ann Lee"), (Party(email="x@example.com"), "x@example.com")],
)
def test_a_new_customer_is_shown_as_its_company_else_its_name(contact: Party, name: str) -> None:
    """HQ-08: the display name is the company name, else the full name."""
    w = World()
    w.left.add(invoice(w.left.add(contact), number="INV-1"))
    w.run()

    assert w.right.only(Kind.PARTY).name == name


@pytest.mark.parametrize("first", ["contact", "customer"])
def test_two_halves_with_one_address_are_one_record(first: str) -> None:
    """C-07: matched by e-mail without case, whichever was seen first; nothing is made, and one record remains."""
    w = World()
    if first == "contact":
        w.left.add(ANN)
        w.run()
    w.right.add(replace(ANN, email=" Ann@Example.com"))
    if first == "customer":
        w.left.add(ANN)
    w.run()

    (record,) = w.records.values()
    assert (record.left is None, record.right is None, record.status.value) == (False, False, "synced")
    assert (len(w.left.all(Kind.PARTY)), len(w.right.all(Kind.PARTY))) == (1, 1)


def test_when_halves_meet_empty_fields_are_filled_and_the_rule_decides_the_rest() -> None:
    """C-04 at the first meeting: nobody edited anything yet, so nothing is lost unless both say something else."""
    w = World()
    left = w.left.add(replace(ANN, phone="1", city="Paris"))
    right = w.right.add(replace(ANN, phone="2", company="Acme"))
    w.run()

    assert w.standing("contacts", left) == ("synced", "")
    for party in (w.left.noun(Kind.PARTY, left), w.right.noun(Kind.PARTY, right)):
        assert (party.phone, party.city, party.company) == ("1", "Paris", "Acme")
    (entry,) = w.words("conflict.resolved")
    assert [(c.field, c.old, c.new, c.side) for c in entry.changes] == [("phone", "2", "1", RIGHT)]


def test_halves_that_disagree_under_hold_are_linked_and_wait() -> None:
    """C-04: a person decides; both sides are shown on one record."""
    w = World(sync=rules(contacts={"conflict": "hold"}))
    left, right = w.left.add(replace(ANN, phone="1")), w.right.add(replace(ANN, phone="2"))
    assert w.run() == 0

    record = w.record("contacts", left)
    assert (record.right, record.code, record.words) == (right, "conflict_held", "phone")

    w.right.edit(Kind.PARTY, right, phone="1")
    assert w.run() == 0
    assert w.standing("contacts", left) == ("synced", "")


def test_two_customers_with_one_address_are_ambiguous() -> None:
    """C-07: never a guess; each says which others there are and waits for whoever has the address."""
    w = World()
    one, two = w.right.add(ANN), w.right.add(replace(ANN, first_name="Anna"))
    assert w.run() == 0
    for id in (one, two):
        record = w.record("contacts", id)
        assert (record.code, record.words) == ("customer_ambiguous", f"{one}, {two}")
        assert record.waits_for == on_key(w.sync.right, Kind.PARTY, MatchKey("email", "ann@example.com"))

    w.right.edit(Kind.PARTY, two, email="anna@example.com")
    w.run()
    assert w.standing("contacts", one) == w.standing("contacts", two) == ("synced", "")


def test_a_contact_that_two_customers_fit_is_ambiguous_and_so_is_its_invoice() -> None:
    """C-07 and C-13: a failed parent makes its child `parent_failed`, naming the cause."""
    w = World()
    w.right.add(ANN)
    w.right.add(ANN)
    contact = w.left.add(ANN)
    id = w.left.add(invoice(contact, number="INV-1"))
    assert w.run() == 0

    assert w.standing("contacts", contact) == ("failed", "customer_ambiguous")
    record = w.record("invoices", id)
    assert (record.code, record.waits_for) == ("parent_failed", f"record:{w.record('contacts', contact).id}")


def test_a_customer_that_belongs_to_another_contact_is_not_taken_away() -> None:
    """C-07: its record is named, and waited for."""
    w = World()
    first, customer = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.left.edit(Kind.PARTY, first, email="old@example.com")
    w.right.denies = "record_locked"
    second = w.left.add(ANN)
    w.left.add(invoice(second, number="INV-1"))
    w.decide_all()
    w.intents.clear()
    w.decide_all()

    record = w.record("contacts", second)
    assert (record.status.value, record.code) == ("failed", "customer_ambiguous")
    assert record.waits_for == f"record:{w.record('contacts', customer).id}"


def test_an_edit_goes_over_and_comes_back_as_nothing() -> None:
    """C-13: one write per change, and no echo."""
    w = World()
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.right.edit(Kind.PARTY, right, phone="+33 1", city="Paris")

    assert w.run() == 1
    assert w.left.noun(Kind.PARTY, left).city == "Paris"
    assert w.run() == 0


def test_white_space_is_no_edit() -> None:
    """C-13: what a person types around a value, and its kind of line end, is not worth a write."""
    w = World()
    left, right = w.left.add(replace(ANN, street="1 Road\nTown")), w.right.add(replace(ANN, street="1 Road\nTown"))
    w.run()
    w.left.edit(Kind.PARTY, left, street=" 1 Road\r\nTown ", phone=" ")
    w.right.edit(Kind.PARTY, right, street="1 Road Town")

    assert w.run() == 0


@pytest.mark.parametrize(("rule", "kept"), [("crm", "1"), ("books", "2"), ("left", "1"), ("right", "2")])
def test_the_rule_decides_what_both_edited(rule: str, kept: str) -> None:
    """C-04: the chosen side wins on the field; other edits of both sides stay; the loser's value is kept."""
    w = World(sync=rules(contacts={"conflict": rule}))
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.left.edit(Kind.PARTY, left, phone="1", city="Paris")
    w.right.edit(Kind.PARTY, right, phone="2", company="Acme")
    w.run()

    for party in (w.left.noun(Kind.PARTY, left), w.right.noun(Kind.PARTY, right)):
        assert (party.phone, party.city, party.company) == (kept, "Paris", "Acme")
    (entry,) = w.words("conflict.resolved")
    assert [(c.field, {c.old, c.new}) for c in entry.changes] == [("phone", {"1", "2"})]


def test_a_held_conflict_writes_nothing_until_both_agree() -> None:
    """C-04: hold for a person; the same value on both sides is the end of it."""
    w = World(sync=rules(contacts={"conflict": "hold"}))
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.left.edit(Kind.PARTY, left, phone="1", city="Paris")
    w.right.edit(Kind.PARTY, right, phone="2")
    assert w.run() == 0
    assert w.standing("contacts", left) == ("failed", "conflict_held")

    w.left.edit(Kind.PARTY, left, phone="2")
    assert w.run() == 1  # the city, which nobody disputed
    assert w.right.noun(Kind.PARTY, right).city == "Paris"
    assert w.standing("contacts", left) == ("synced", "")


def test_a_pair_whose_contact_lost_its_address_is_excluded_with_frozen_bases() -> None:
    """C-05: a record that leaves its filter stops both ways, and on return is compared with what was agreed."""
    w = World()
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    bases = w.record("contacts", left).left_base
    w.left.edit(Kind.PARTY, left, email=None)
    w.right.edit(Kind.PARTY, right, phone="2")
    assert w.run() == 0
    assert w.standing("contacts", left) == ("excluded", "no_email")
    assert w.record("contacts", left).left_base == bases

    w.left.edit(Kind.PARTY, left, email=ANN.email)
    assert w.run() == 1
    assert w.left.noun(Kind.PARTY, left).phone == "2"


def test_a_free_filter_gates_creation_and_freezes_what_leaves_it() -> None:
    """C-05: filters of a direction ask what is born on that side; leaving and returning delete nothing."""
    only = {"filters": {"right-to-left": [{"field": "country", "operator": "=", "value": "FR"}]}}
    w = World(sync=rules(contacts=only))
    id = w.right.add(replace(ANN, country="US"))
    assert w.run() == 0
    record = w.record("contacts", id)
    assert (record.code, record.words) == ("filtered", "The filter asks for country = FR.")

    w.right.edit(Kind.PARTY, id, country="FR")
    assert w.run() == 1
    w.right.edit(Kind.PARTY, id, country="US", phone="3")
    assert w.run() == 0
    assert w.standing("contacts", id) == ("excluded", "filtered")
    w.right.edit(Kind.PARTY, id, country="FR")
    assert w.run() == 1
    assert w.left.only(Kind.PARTY).phone == "3"


@pytest.mark.parametrize("way", ["off", "left-to-right"])
def test_a_direction_that_is_closed_makes_nothing(way: str) -> None:
    """C-03: off, and one way."""
    w = World(sync=rules(contacts={"direction": way}))
    id = w.right.add(ANN)
    assert w.run() == 0
    assert w.standing("contacts", id) == ("excluded", "direction_off")


def test_a_pair_follows_the_directions_that_are_open() -> None:
    """C-03: closing a direction keeps records and bases; opened again it starts at that moment."""
    w = World()
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.sync = rules(contacts={"direction": "left-to-right"})
    w.right.edit(Kind.PARTY, right, phone="2")
    w.left.edit(Kind.PARTY, left, city="Paris")
    assert w.run() == 1
    assert w.right.noun(Kind.PARTY, right).city == "Paris"
    assert w.standing("contacts", left) == ("synced", "")

    w.sync = rules()
    assert w.run() == 0
    w.right.edit(Kind.PARTY, right, company="Acme")
    assert w.run() == 1
    assert w.left.noun(Kind.PARTY, left).phone is None


def test_a_mapping_added_later_starts_with_the_next_edit() -> None:
    """C-06: not retroactive unless asked."""
    w = World()
    left, right = w.left.add(replace(ANN, website="a.example")), w.right.add(ANN)
    w.run()
    w.sync = rules(contacts={"mappings": [{"left": "website", "right": "website"}]})
    assert w.run() == 0

    w.left.edit(Kind.PARTY, left, website="b.example")
    assert w.run() == 1
    assert w.right.noun(Kind.PARTY, right).website == "b.example"


def test_an_empty_source_takes_the_constant_of_its_mapping() -> None:
    """C-06: at creation and when a value is taken away, and a constant is not sent back."""
    mapping = {"left": "website", "right": "website", "constant": "none.example"}
    w = World(sync=rules(contacts={"mappings": [mapping]}))
    id = w.right.add(ANN)
    assert w.run() == 1
    assert w.left.only(Kind.PARTY).website == "none.example"
    w.right.edit(Kind.PARTY, id, website="a.example")
    assert w.run() == 1
    w.right.edit(Kind.PARTY, id, website=None)
    assert w.run() == 1
    assert w.left.only(Kind.PARTY).website == "none.example"
    assert w.right.noun(Kind.PARTY, id).website is None


def test_a_vendor_that_folds_and_cuts_is_no_editor() -> None:
    """C-13: what a declared rule explains comes back as nothing, also after further edits."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], normalisers={Kind.PARTY: {"phone": ("truncate:5",)}})
    w.right.rules = {Kind.PARTY: {"phone": lambda text: text and text[:5]}}
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.left.edit(Kind.PARTY, left, phone="1234567")
    assert w.run() == 1
    w.left.edit(Kind.PARTY, left, phone="1234589")
    assert w.run() == 0  # the same five digits over there
    assert w.right.noun(Kind.PARTY, right).phone == "12345"
    assert w.left.noun(Kind.PARTY, left).phone == "1234589"


def test_the_key_follows_the_address() -> None:
    """What a record is found by is what its entity shows now."""
    w = World()
    id = w.right.add(ANN)
    w.run()
    w.right.edit(Kind.PARTY, id, email="new@example.com")
    w.run()
    assert w.record("contacts", id).key == "new@example.com"


def test_a_record_of_nothing_is_decided_too() -> None:
    """The decision is total."""
    w = World()
    decision = w.planned(w.sync.flow("contacts"), Record(id="0", sync="invoicing", flow="contacts", since=NOW))
    assert decision.record.code == "record_gone"
    assert decision.record.origin in (LEFT, RIGHT)
