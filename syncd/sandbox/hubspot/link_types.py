"""The default association types (HubSpot associations v4 guide): ids differ by direction."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.sandbox.hubspot.errors import ApiError
from syncd.sandbox.hubspot.kinds import KINDS


@dataclass(frozen=True, slots=True)
class LinkType:
    """One direction of an association type; `inverse` is the id seen from the other end."""

    id: int
    origin: str
    target: str
    inverse: int
    label: str | None = None


# from, to, id, id of the other direction
_DEFAULT = """
contacts contacts 449 449
contacts companies 279 280
contacts deals 4 3
contacts invoices 178 177
contacts commerce_payments 388 387
contacts quotes 70 69
companies companies 450 450
companies deals 342 341
companies invoices 180 179
companies commerce_payments 390 389
companies quotes 72 71
deals deals 451 451
deals line_items 19 20
deals invoices 176 175
deals commerce_payments 392 391
deals quotes 63 64
line_items invoices 410 409
line_items commerce_payments 396 395
line_items quotes 68 67
invoices commerce_payments 541 542
invoices quotes 407 408
invoices discounts 411 412
invoices fees 413 414
invoices taxes 415 416
commerce_payments quotes 397 398
"""

_LABELLED = """
contacts companies 1 2 Primary
companies deals 6 5 Primary
contacts companies 931 930 Billing contact
contacts quotes 1227 1226 Billing contact
contacts quotes 703 702 Contact signer
companies quotes 1335 1334 Billing company
"""

PRIMARY = {1, 2, 5, 6}


def _read(table: str) -> list[LinkType]:
    types = []
    for row in table.strip().splitlines():
        origin, target, there, back, *words = row.split()
        label = " ".join(words) or None
        types.append(LinkType(int(there), origin, target, int(back), label))
        if there != back:
            types.append(LinkType(int(back), target, origin, int(there), label))
    return types


TYPES: dict[int, LinkType] = {each.id: each for each in _read(_DEFAULT) + _read(_LABELLED)}
_DEFAULT_ID = {(each.origin, each.target): each.id for each in _read(_DEFAULT)}


def default_id(origin: str, target: str) -> int:
    """The unlabelled type between two kinds.

    Raises:
        ApiError: these kinds cannot be associated.
    """
    try:
        return _DEFAULT_ID[origin, target]
    except KeyError:
        raise _invalid(f"{KINDS[origin].singular} cannot be associated with {KINDS[target].singular}") from None


def checked(type_id: int, origin: str, target: str) -> LinkType:
    """The type with this id, if it goes from `origin` to `target`."""
    found = TYPES.get(type_id)
    if found is None or (found.origin, found.target) != (origin, target):
        raise _invalid(f"association type {type_id} does not go from {origin} to {target}")
    return found


def _invalid(message: str) -> ApiError:
    return ApiError(400, message, "VALIDATION_ERROR", sub_category="crm.associations.INVALID_ASSOCIATION_TYPE")


def name(type_id: int) -> str:
    """As in the `associations` block of a read: `invoice_to_contact`, `contact_to_company_unlabeled`."""
    each = TYPES[type_id]
    plain = f"{KINDS[each.origin].singular}_to_{KINDS[each.target].singular}"
    if each.label is None:
        has_primary = any(TYPES[p].origin == each.origin and TYPES[p].target == each.target for p in PRIMARY)
        return f"{plain}_unlabeled" if has_primary else plain
    return plain if type_id in PRIMARY else f"{plain}_{each.label.lower().replace(' ', '_')}"


def between(origin: str, target: str) -> list[LinkType]:
    """Every type from one kind to another."""
    return [each for each in TYPES.values() if (each.origin, each.target) == (origin, target)]
