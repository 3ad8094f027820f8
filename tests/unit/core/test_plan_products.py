"""Products: where they come from, and the one for everything else."""

from __future__ import annotations

from syncd.core.parents import fallback_key
from syncd.model.nouns import Product
from syncd.model.references import Kind
from tests.unit.core.builders import invoice
from tests.unit.core.closed_world import ANN, World


def test_products_come_from_the_books_and_only_from_there() -> None:
    """HQ-09: QuickBooks to HubSpot, those with a SKU; an edit on the mirror is not carried back, nor undone."""
    w = World()
    id = w.right.add(Product(sku="A-1", name="Hours"))
    bare = w.right.add(Product(name="No SKU"))
    alone = w.left.add(Product(sku="B-1", name="Only here"))
    w.run()
    assert w.standing("products", id) == ("synced", "")
    assert w.standing("products", bare) == ("excluded", "no_sku")
    assert w.standing("products", alone) == ("excluded", "direction_off")

    mirror = w.record("products", id).left
    assert mirror is not None
    w.left.edit(Kind.PRODUCT, mirror, description="mine")
    assert w.run() == 0
    w.right.edit(Kind.PRODUCT, id, name="Hour")
    assert w.run() == 1
    assert (w.left.noun(Kind.PRODUCT, mirror).name, w.left.noun(Kind.PRODUCT, mirror).description) == ("Hour", "mine")


def test_a_product_is_matched_by_sku_with_a_half_that_could_not_go_alone() -> None:
    """C-07: the lone half of the other side is folded in."""
    w = World()
    left = w.left.add(Product(sku="A-1", name="Hours"))
    w.run()
    right = w.right.add(Product(sku="A-1", name="Hours"))
    assert w.run() == 0

    assert w.record("products", left).right == right
    assert len(w.records) == 1


def test_two_active_items_with_one_sku_are_ambiguous() -> None:
    """HQ-09: each of them, and an invoice of a product they could be; an inactive twin does not count."""
    w = World()
    one = w.right.add(Product(sku="A-1", name="Grey"))
    two = w.right.add(Product(sku="A-1", name="Red"))
    w.run()
    assert w.standing("products", one) == w.standing("products", two) == ("failed", "product_ambiguous")

    w.right.edit(Kind.PRODUCT, two, active=False)
    w.run()
    assert w.standing("products", one) == ("synced", "")


def test_the_product_for_everything_else_is_found_by_name_and_swallows_its_lone_record() -> None:
    """HQ-09: created once; one that is there already is used, and has one record."""
    w = World()
    item = w.right.add(Product(name="Custom Line Item"))
    w.run()
    w.left.add(invoice(w.left.add(ANN), number="INV-1"))
    w.run()

    assert w.right.only(Kind.INVOICE).lines[0].product == item
    record = w.record("products", item)
    assert (record.key, record.label, record.status.value) == (
        fallback_key("Custom Line Item"),
        "Custom Line Item",
        "synced",
    )
    assert len(w.right.all(Kind.PRODUCT)) == 1
