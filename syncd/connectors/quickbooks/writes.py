"""Orders to requests: batches of thirty, and one by one what a batch is not known to take, or what is in a hurry."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncd.connectors.base import NewId, Order, Send, Unwritable
from syncd.connectors.errand import present
from syncd.connectors.quickbooks.bodies import Known, body
from syncd.connectors.quickbooks.client import BATCH, LIMITS, Client
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.wire import ENTITIES, LISTS, Raw, encode
from syncd.model.record import Op, Priority
from syncd.model.references import Kind

ONLY_ITEM = "1"  # the key of a request that is no batch
FEW = 3  # urgent orders that go by themselves
VOID_PAYMENT = "include=void"


def compose(client: Client, orders: Sequence[Order], known: Callable[[Order], Known], new_id: NewId) -> list[Send]:
    """The requests for these orders. The same id is the request's name at the vendor: a repeat does not run again."""
    bodies = [(order, body(order, known(order))) for order in orders]
    # Of all limits the one on batches is the tightest: a backlog may have used it up for a while.
    hurried = present().priority < Priority.RETRY and len(orders) <= FEW
    batched = [(order, made) for order, made in bodies if not (_alone(order) or hurried)]
    sends = [
        _batch(client, batched[start : start + LIMITS.batch_items], new_id())
        for start in range(0, len(batched), LIMITS.batch_items)
    ]
    return sends + [_single(client, order, made, new_id()) for order, made in bodies if _alone(order) or hurried]


def _alone(order: Order) -> bool:
    if order.op is not Op.VOID:
        return False
    if order.kind in LISTS:
        raise Unwritable(order.intent, "state_not_allowed", "only invoices and payments can be voided")
    return not MANIFEST.switches["batch_void"]


def _batch(client: Client, bodies: Sequence[tuple[Order, Raw]], id: str) -> Send:
    items = [
        {"bId": str(number), **_operation(order), ENTITIES[order.kind]: made}
        for number, (order, made) in enumerate(bodies, start=1)
    ]
    return Send(
        id=id,
        method="POST",
        path=client.path(BATCH, requestid=id),
        body=encode({"BatchItemRequest": items}),
        items={order.intent: str(number) for number, (order, _) in enumerate(bodies, start=1)},
        replayable=True,
    )


def _operation(order: Order) -> dict[str, str]:
    if order.op is Op.VOID and order.kind is Kind.PAYMENT:
        return {"operation": "update", "optionsData": VOID_PAYMENT}
    if order.op is Op.DELETE and order.kind in LISTS:
        return {"operation": "update"}  # name lists know no deletion, they become inactive
    return {"operation": order.op.value}


def _single(client: Client, order: Order, made: Raw, id: str) -> Send:
    match order.op:
        case Op.VOID if order.kind is Kind.PAYMENT:
            parameters = {"operation": "update", "include": "void"}
        case Op.VOID | Op.DELETE if order.kind not in LISTS:
            parameters = {"operation": order.op.value}
        case _:
            parameters = {}
    return Send(
        id=id,
        method="POST",
        path=client.path(f"/{ENTITIES[order.kind].lower()}", **parameters, requestid=id),
        body=encode(made),
        items={order.intent: ONLY_ITEM},
        replayable=True,
    )
