"""Where a person finds an entity in the vendors' own applications."""

import pytest

from syncd.connectors.pages import page_of
from syncd.model.references import Kind


@pytest.mark.parametrize(
    ("vendor", "kind", "id", "address"),
    [
        ("hubspot", Kind.INVOICE, "5", "https://app.hubspot.com/contacts/77/record/0-53/5"),
        ("hubspot", Kind.PARTY, "5", "https://app.hubspot.com/contacts/77/record/0-1/5"),
        ("quickbooks", Kind.INVOICE, "9", "https://app.qbo.intuit.com/app/invoice?txnId=9&companyId=77"),
        ("quickbooks", Kind.PRODUCT, "9", None),
        ("hubspot", Kind.PRODUCT, '"/../x', "https://app.hubspot.com/contacts/77/record/0-7/%22%2F..%2Fx"),
    ],
)
def test_an_entity_has_its_page(vendor, kind, id, address):
    """By account, kind and id; none where the vendor has no such page, and no id leads elsewhere."""
    assert page_of(vendor, "77", kind, id) == address
