"""Mappings in a configuration: what is refused before anything runs, and what is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncd import mapped, recipes
from syncd.config import Config, load
from syncd.core.rules import Direction, FlowRules
from syncd.errors import ConfigError, UsageError
from syncd.model.references import Side
from tests.unit.core.builders import rules

HEAD = """\
[connections.crm]
vendor = "hubspot"
client_id = "app"
client_secret = { env = "SECRET" }
[connections.books]
vendor = "quickbooks"
client_id = "app"
client_secret = { env = "SECRET" }
[syncs.invoicing]
recipe = "hubspot-quickbooks"
left = "crm"
right = "books"
"""
LINES = HEAD.count("\n")


def loaded(tmp_path: Path, text: str) -> Config:
    (tmp_path / "syncd.toml").write_text(HEAD + text)
    return load(tmp_path / "syncd.toml", {"SECRET": "hush"})


def problems(tmp_path: Path, text: str) -> list[tuple[int, str, str]]:
    """Line after the head, key below the flows, and message with cure."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    return [
        (p.line - LINES, p.key.removeprefix("syncs.invoicing.flows."), f"{p.message}; {p.cure}")
        for p in caught.value.problems
    ]


def mapping(flow: str, text: str) -> str:
    return f"[[syncs.invoicing.flows.{flow}.mappings]]\n{text}\n"


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """Unknown keys and fields, a wrong direction, and a fixed default row, each where it stands."""
    text = (
        mapping("invoices", 'left = "properties.crew"\nright = "crew"')
        + mapping("invoices", 'left = "properties.crew"\nright = "custom.Crew"\ndirektion = "both"')
        + mapping("invoices", 'left = "properties.crew"\nright = "custom.Crew"\ndirection = "up"')
        + mapping("contacts", 'left = "email"\nright = "email"\nenabled = false')
        + mapping("contacts", 'left = "phone"')
    )
    found = problems(tmp_path, text)
    assert [(line, key) for line, key, _ in found] == [
        (3, "invoices.mappings[1].right"),
        (7, "invoices.mappings[2].direktion"),
        (11, "invoices.mappings[3].direction"),
        (12, "contacts.mappings[1]"),
        (16, "contacts.mappings[2]"),
    ]
    assert "custom.NAME or one of:" in found[0][2]
    assert "matched by it" in found[3][2]


@pytest.mark.parametrize(
    ("flow", "text", "words"),
    [
        ("contacts", 'left = "name"\nright = "website"', "the left side has no field “name”"),
        ("contacts", 'left = "website"\nright = "custom.Region"', "the right side has no field “custom.Region”"),
        ("products", 'left = "properties.x"\nright = "income_account"', "cannot be written by a mapping"),
        ("invoices", 'left = "tracking_number"\nright = "custom.T"', "has no field “tracking_number”"),
        ("invoices", 'left = "properties.paid"\nright = "amount_paid"', "only read it: direction = “right-to-left”"),
        ("invoices", 'left = "due_date"\nright = "tracking_number"\n', "cannot become"),
        ("invoices", 'left = "due_date"\nright = "custom.Due"\nconstant = "soon"', "does not fit"),
        ("invoices", 'left = "properties.a"\nright = "number"', "is already written by “number”"),
        ("invoices", 'left = "comment"\nright = "comment"\nconstant = "x"', "belongs to the side of birth"),
        ("invoices", 'left = "properties.a"\nright = "custom.B"\nvalues = { a = "x", b = "x" }', "same right option"),
        ("invoices", 'left = "properties.a"\nright = "custom.B"\nvalues = { a = 1 }', "something that is no text"),
        ("invoices", 'left = "properties.a"\nright = "custom.B"\nenabled = "yes"', "has the wrong type"),
    ],
)
def test_what_can_never_work_is_refused(tmp_path: Path, flow: str, text: str, words: str) -> None:
    """Fields a side lacks or computes, types that cannot meet, targets written twice, options that are ambiguous."""
    found = problems(tmp_path, mapping(flow, text))
    assert any(words in told for _, _, told in found), found


def test_two_rows_may_not_write_the_same_field(tmp_path: Path) -> None:
    """One of them is told, at its own table; the other direction of the same field is free."""
    twice = mapping("invoices", 'left = "properties.a"\nright = "custom.Crew"')
    again = mapping("invoices", 'left = "properties.b"\nright = "custom.Crew"')
    ((line, key, words),) = problems(tmp_path, twice + again)
    assert (line, key) == (6, "invoices.mappings[2].right")
    assert "“custom.Crew” (right) is already written by “custom.a = custom.Crew”" in words
    loaded(tmp_path, twice + again.replace("Crew", 'Crew"\ndirection = "right-to-left'))


def test_default_rows_are_switched_and_bent_by_naming_their_fields() -> None:
    """C-06: each has a switch; direction and constant can be told for what both sides may edit."""
    told = [
        {"left": "phone", "right": "phone", "enabled": False},
        {"left": "city", "right": "city", "direction": "left-to-right", "constant": "Paris"},
    ]
    flow = rules(contacts={"mappings": told}).flow("contacts")
    assert "phone" not in names(flow)
    (city,) = [row for row in flow.rows if row.name == "city"]
    assert (city.direction, city.constant) == (Direction.LEFT_TO_RIGHT, "Paris")
    assert flow.digest != rules().flow("contacts").digest


@pytest.mark.parametrize(
    "bent",
    [
        {"options": {"tracking_number": "track_no"}},
        {"mappings": [{"left": "properties.track_no", "right": "tracking_number"}]},
    ],
)
def test_tracking_goes_to_the_property_that_is_named(bent: Any) -> None:
    """HQ-14: by the flow's option or by a mapping; without either there is no such row."""
    assert "tracking_number" not in names(rules().flow("invoices"))
    rows = [row for row in rules(invoices=bent).flow("invoices").rows if row.right == "tracking_number"]
    assert [row.left for row in rows] == ["custom.track_no"]


def test_a_mapping_of_the_po_number_takes_the_default_rows_place() -> None:
    """HQ-14: the PO number goes to the custom field that is chosen, and is written there only."""
    told = {"mappings": [{"left": "po_number", "right": "custom.PO Number"}]}
    rows = [row for row in rules(invoices=told).flow("invoices").rows if row.left == "po_number"]
    assert [row.path(Side.RIGHT) for row in rows] == ["custom.PO Number"]


def test_the_list_shows_rows_that_are_off_and_why_others_are_fixed(tmp_path: Path) -> None:
    """`syncd mappings`: every row once, in the words of the configuration."""
    text = mapping("invoices", 'left = "properties.crew"\nright = "custom.Crew #"\nvalues = { red = "R" }')
    config = loaded(tmp_path, text + mapping("contacts", 'left = "phone"\nright = "phone"\nenabled = false'))
    rows = {(row["flow"], row["left"], row["right"]): row for row in mapped.listed(config)}
    assert rows["invoices", "properties.crew", "custom.Crew #"]["values"] == {"red": "R"}
    assert not rows["contacts", "phone", "phone"]["enabled"]
    assert rows["contacts", "email", "email"]["fixed"]
    assert not rows["invoices", "properties.?", "ship_date"]["enabled"]
    assert {row["flow"] for row in mapped.listed(config, flow="payments")} == {"payments"}
    with pytest.raises(UsageError, match="there is no flow"):
        mapped.listed(config, flow="quotes")


def test_the_default_rows_write_no_field_twice() -> None:
    """Of the recipe itself."""
    for flow in rules().flows:
        written = [(side, row.path(side)) for row in flow.rows for side in Side if row.direction.allows(side.other)]
        assert len(written) == len(set(written)), flow.name
    assert recipes.names() == ("hubspot-quickbooks",)


def names(flow: FlowRules) -> list[str]:
    return [row.name for row in flow.rows]
