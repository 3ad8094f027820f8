"""From intents to what connectors take: orders, and the requests that carry them."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.connectors.base import Connector, Order, Outcome, Refused, Send, Unwritable
from syncd.engine import Engine
from syncd.model.record import Intent, Op, Record, StoredSend
from syncd.model.snapshot import Snapshot


def order(intent: Intent, record: Record, seen: Snapshot | None = None) -> Order:
    """What the connector is asked to do."""
    return Order(
        intent=intent.id,
        op=intent.op,
        kind=intent.kind,
        id=intent.entity,
        values=intent.values,
        lines=intent.lines,
        allocations=intent.allocations,
        mirror=intent.mirror,
        if_version=intent.if_version,
        marker=record.marker if intent.op is Op.CREATE else None,
        seen=seen,
        step=intent.step,
        carry=intent.carry,
    )


def compose(connector: Connector, orders: dict[str, Order], engine: Engine) -> tuple[Sequence[Send], list[Outcome]]:
    """Full requests for all that can be written, and what became of what cannot."""
    refused: list[Outcome] = []
    while orders:
        try:
            return connector.compose(list(orders.values()), engine.chance.new_id), refused
        except Unwritable as error:
            refused.append(Refused(intent=error.intent, category=error.category, words=error.words))
            del orders[error.intent]
    return (), refused


def stored(send: Send, connection: str, engine: Engine) -> StoredSend:
    """What is written down before it leaves."""
    return StoredSend(
        id=send.id,
        connection=connection,
        method=send.method,
        path=send.path,
        content_type=send.content_type,
        body=send.body,
        replayable=send.replayable,
        items=send.items,
        sent_at=engine.clock.now(),
    )


def resend(stored: StoredSend, orders: dict[str, Order]) -> Send:
    """The request as it left, for as much of it as is still to be found out."""
    return Send(
        id=stored.id,
        method=stored.method,
        path=stored.path,
        body=stored.body,
        items={id: item for id, item in stored.items.items() if id in orders},
        replayable=stored.replayable,
        content_type=stored.content_type,
    )
