"""The table of what follows when something goes or comes back is whole and clear, and documented as it is."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from syncd.core.happenings import CELLS, OUTCOMES, TABLE, Fate, Happening, printed
from syncd.model.references import Kind, Side

LISTS = {Kind.PARTY, Kind.PRODUCT}
IMPOSSIBLE = (
    {(Happening.VOIDED, kind) for kind in LISTS}
    | {(Happening.INACTIVE, kind) for kind in (Kind.INVOICE, Kind.PAYMENT)}
    | {(Happening.REFUNDED, kind) for kind in (*LISTS, Kind.INVOICE)}
)


def test_every_cell_there_can_be_is_filled_once() -> None:
    """C-14: event x kind x side x origin; only documents are voided, only money is given back, and so on."""
    wanted = {
        (event, kind, side, origin)
        for event, kind, side, origin in product(Happening, Kind, Side, Side)
        if (event, kind) not in IMPOSSIBLE
    }
    assert {cell for cell, _ in CELLS} == wanted
    assert len(CELLS) == len(wanted)


def test_nothing_but_voids_and_payments_goes_over() -> None:
    """C-14: the default is that the record is marked and nothing is deleted on the other side."""
    over = {(event, kind) for (event, kind, _, _), fate in TABLE.items() if fate is Fate.TAKEN_BACK}
    assert over == {(Happening.VOIDED, Kind.INVOICE)} | {
        (event, Kind.PAYMENT) for event in (Happening.DELETED, Happening.ARCHIVED, Happening.VOIDED)
    }


def test_every_fate_is_told_and_used() -> None:
    """No outcome without words, none that cannot happen."""
    assert set(OUTCOMES) == set(Fate) == set(TABLE.values())


def test_the_documentation_shows_this_table() -> None:
    """After a change print it anew between the marks."""
    text = Path(__file__).parents[3].joinpath("state", "README.md").read_text()
    shown = text.split("<!-- happenings -->")[1].split("<!-- /happenings -->")[0]
    assert shown.strip() == printed()
