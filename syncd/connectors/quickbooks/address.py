"""A customer's billing address: five free lines and four fields, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.connectors.quickbooks.wire import Raw
from syncd.model.values import Value

FIELDS = {"city": "City", "region": "CountrySubDivisionCode", "postal_code": "PostalCode", "country": "Country"}
STREET = ("Line1", "Line2", "Line3", "Line4", "Line5")
ADDRESS_FIELDS = frozenset({*FIELDS, "street"})
_OF_THE_OLD_PLACE = ("Id", "Lat", "Long")


def written_over(before: Raw, wanted: Mapping[str, Value]) -> Raw:
    """The address with these of its fields changed. A street of more than five lines ends in a long one."""
    made: Raw = {key: value for key, value in before.items() if key not in _OF_THE_OLD_PLACE}
    made |= {FIELDS[name]: value or "" for name, value in wanted.items() if name in FIELDS}
    if "street" in wanted:
        made = {key: value for key, value in made.items() if key not in STREET}
        lines = str(wanted["street"] or "").splitlines()
        last = len(STREET) - 1
        made |= dict(zip(STREET, [*lines[:last], " ".join(lines[last:])] if lines[last:] else lines, strict=False))
    return made
