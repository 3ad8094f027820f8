"""Our own properties on the portal: the reference, and on invoices what HubSpot itself does not know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.hubspot import states, wire
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.errors import Rejected
from syncd.connectors.hubspot.fields import (
    AMOUNT_PAID,
    BALANCE_DUE,
    DISCOUNT_TOTAL,
    INVOICES,
    LINES,
    PAYMENT_DATE,
    REFERENCE,
    TAX_TOTAL,
    TYPES,
)
from syncd.connectors.together import together
from syncd.model.references import Kind

GROUP = "syncd"
TEXT = {"type": "string", "fieldType": "text"}
NUMBER = {"type": "number", "fieldType": "number"}
DATE = {"type": "datetime", "fieldType": "date"}

ON_ALL = {REFERENCE: ("syncd reference", TEXT)}
ON_INVOICES = {
    AMOUNT_PAID: ("Amount paid (syncd)", NUMBER),
    BALANCE_DUE: ("Balance due (syncd)", NUMBER),
    TAX_TOTAL: ("Tax total (syncd)", NUMBER),
    DISCOUNT_TOTAL: ("Discount on the whole invoice (syncd)", NUMBER),
    PAYMENT_DATE: ("Payment date (syncd)", DATE),
}


def types_of(kinds: Sequence[Kind]) -> list[str]:
    """The objects whose records we write for these kinds."""
    types = [TYPES[kind] for kind in kinds]
    return [*types, LINES] if INVOICES in types else types


def wanted_on(object_type: str, shown: Collection[str] = ()) -> dict[str, tuple[str, dict[str, str]]]:
    """The properties an object needs: name to label and kind. `shown`: syncs whose states it shows."""
    own = ON_ALL | ON_INVOICES if object_type == INVOICES else ON_ALL
    return own if object_type == LINES else own | states.properties(shown)


async def missing_on(client: Client, object_type: str, shown: Collection[str] = ()) -> list[str]:
    """Which of them are not there."""
    listed = wire.to(wire.Definitions, await client.get(client.paths.properties(object_type)))
    known = {definition.name for definition in listed.results}
    return [name for name in wanted_on(object_type, shown) if name not in known]


async def provide(client: Client, kinds: Sequence[Kind], shown: Collection[str] = ()) -> None:
    """Create what is missing.

    Args:
        shown: syncs whose records' states are shown.

    Raises:
        ConnectionTrouble: `permission_missing` when it cannot be created.
    """
    await together(*(_provide_on(client, object_type, shown) for object_type in types_of(kinds)))


async def _provide_on(client: Client, object_type: str, shown: Collection[str]) -> None:
    missing = await missing_on(client, object_type, shown)
    if missing:
        await _provide_group(client, object_type)
    await together(*(_provide_property(client, object_type, name, shown) for name in missing))


async def _provide_group(client: Client, object_type: str) -> None:
    path = client.paths.properties(object_type) + "/groups"
    listed = wire.to(wire.Definitions, await client.get(path))
    if GROUP not in {group.name for group in listed.results}:
        await _made(client, path, {"name": GROUP, "label": "syncd", "displayOrder": -1}, object_type)


async def _provide_property(client: Client, object_type: str, name: str, shown: Collection[str]) -> None:
    label, kind = wanted_on(object_type, shown)[name]
    body = {"name": name, "label": label, "groupName": GROUP, "formField": False, **kind}
    await _made(client, client.paths.properties(object_type), body, object_type)


async def _made(client: Client, path: str, body: dict[str, Any], object_type: str) -> None:
    try:
        await client.post(path, body)
    except Rejected as refusal:
        # Somebody was faster: how HubSpot says so is not documented, so we look.
        listed = wire.to(wire.Definitions, await client.get(path))
        if body["name"] not in {one.name for one in listed.results}:
            words = f"{body['name']} on {object_type} cannot be created: {refusal.words}"
            raise ConnectionTrouble(Condition.PERMISSION_MISSING, words) from refusal
