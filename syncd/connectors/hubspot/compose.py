"""Requests from orders: parts of one route, up to a batch's worth each, told apart by trace id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from syncd.connectors.base import NewId, Order, Send
from syncd.connectors.hubspot.client import Paths
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.parts import Part, Verb, carry_of, link_type, next_parts

TAILS = {
    Verb.CREATE: "batch/create",
    Verb.UPDATE: "batch/update",
    Verb.ARCHIVE: "batch/archive",
    Verb.LINK: "batch/create",
    Verb.UNLINK: "batch/archive",
}


@dataclass(slots=True)
class _Batch:
    """A request in the making."""

    items: dict[str, str] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)  # one batch may not change a record twice

    def takes(self, ids: set[str], count: int) -> bool:
        return len(self.inputs) + count <= LIMITS.batch and not (ids & self.touched)


def composed(
    orders: Sequence[Order], new_id: NewId, paths: Paths, options: Options, alone: Collection[str]
) -> list[Send]:
    """The requests for the orders' next parts.

    Args:
        alone: intents that go into a request of their own: HubSpot refused a whole batch and did not say which input
            was to blame, so each shows its own face.

    Raises:
        Unwritable: as in the contract.
    """
    batches: dict[tuple[Any, ...], list[_Batch]] = {}
    for order in orders:
        parts = next_parts(order, options)
        ids = {part.id for part in parts if part.id is not None and part.verb in (Verb.UPDATE, Verb.ARCHIVE)}
        route = (*parts[0].route, order.intent) if order.intent in alone else parts[0].route
        batch = next((one for one in batches.get(route, ()) if one.takes(ids, len(parts))), None)
        if batch is None:
            batch = _Batch()
            batches.setdefault(route, []).append(batch)
        item = str(len(batch.items))
        batch.items[order.intent] = item
        batch.inputs += [_input(order, part, item) for part in parts]
        batch.touched |= ids
    return [
        Send(
            id=new_id(),
            method="POST",
            path=_path(paths, route),
            body=msgspec.json.encode({"inputs": batch.inputs}),
            items=batch.items,
            replayable=False,
        )
        for route, made in batches.items()
        for batch in made
    ]


def trace_of(item: str, part: Part) -> str:
    """By which a part's answer is told apart."""
    return f"{item}.{part.name}"


def _path(paths: Paths, route: tuple[Any, ...]) -> str:
    verb, source, target = route[:3]
    linking = verb in (Verb.LINK, Verb.UNLINK)
    base = paths.associations(source, target) if linking else paths.objects(source)
    return f"{base}/{TAILS[verb]}"


def _input(order: Order, part: Part, item: str) -> dict[str, Any]:
    carry = carry_of(order)
    owner = carry.id if carry else order.id
    match part.verb:
        case Verb.CREATE:
            links = [*part.links, (part.to, owner)] if part.to else part.links
            return {
                "properties": part.properties,
                "associations": [{"to": {"id": id}, "types": [link_type(part.type, to)]} for to, id in links],
                "objectWriteTraceId": trace_of(item, part),
            }
        case Verb.UPDATE:
            return {"id": part.id, "properties": part.properties, "objectWriteTraceId": trace_of(item, part)}
        case Verb.ARCHIVE:
            return {"id": part.id}
        case Verb.LINK:
            return {"from": {"id": owner}, "to": {"id": part.id}, "types": [link_type(part.type, part.to)]}
        case Verb.UNLINK:
            return {"from": {"id": owner}, "to": [{"id": part.id}]}
