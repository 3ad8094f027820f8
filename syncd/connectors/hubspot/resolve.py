"""What became of a request whose answer never came.

HubSpot keys no requests, so the only proof is to look: for our reference on what was to be created, for the sent values
on what was to be changed. What is found is done. What is not found may still be carried out late, and may be done
already but not yet in the search index; only when both bounds have passed it is certainly not done. Reads by id, by
e-mail and by association do not lag, so for them the first bound is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from syncd.connectors.base import Order, Outcome, Send, Stale, Unknown, Unwritable
from syncd.connectors.hubspot.answers import Accepted, Denied, Later, Silent, Word
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.compose import trace_of
from syncd.connectors.hubspot.fields import (
    CONTACTS,
    INVOICES,
    LINES,
    PAYMENTS,
    REFERENCE,
    line_properties,
    read_properties,
)
from syncd.connectors.hubspot.lookup import Lookup
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.parts import Part, Verb, carry_of, next_parts
from syncd.connectors.hubspot.settle import Settler
from syncd.connectors.hubspot.values import agree
from syncd.connectors.hubspot.wire import Record
from syncd.model.references import Kind

Asked = Sequence[tuple[Order, Part]]
Found = dict[tuple[str, str], Record | None]
"""By intent and part name: what is carried out, with its record if it has one of its own."""

ADOPTED = "customer_ambiguous"


class Resolver:
    """Answers `resolve`."""

    def __init__(self, client: Client, lookup: Lookup, settler: Settler, options: Options) -> None:
        self._client = client
        self._lookup = lookup
        self._settler = settler
        self._options = options

    async def resolve(self, send: Send, orders: Mapping[str, Order], age: float) -> list[Outcome]:
        """As `Connector.resolve` promises."""
        mine = {intent: orders[intent] for intent in send.items}
        lost = {intent for intent, order in mine.items() if not self._recognised(send, order)}
        asked = [
            (order, part)
            for intent, order in mine.items()
            if intent not in lost
            for part in next_parts(order, self._options)
        ]
        said = await self._looked(asked, age) if asked else {}
        rest = replace(send, items={intent: item for intent, item in send.items.items() if intent not in lost})
        settled = {one.intent: one for one in await self._settler.outcomes(rest, mine, said)}
        return [settled.get(intent) or self._forgotten(intent, age) for intent in send.items]

    def _recognised(self, send: Send, order: Order) -> bool:
        """Whether the order still means what was sent: what it was decided on may be forgotten after a restart."""
        item = send.items[order.intent]
        try:
            parts = next_parts(order, self._options)
        except Unwritable:
            return False
        for part in parts:
            name = trace_of(item, part) if part.verb in (Verb.CREATE, Verb.UPDATE) else part.id
            if f'"{name}"'.encode() not in send.body:
                return False
        return True

    def _forgotten(self, intent: str, age: float) -> Outcome:
        if age > self._options.late_commit:
            return Stale(intent=intent, words="the answer never came; read again and decide again")
        return Unknown(intent=intent)

    async def _looked(self, asked: Asked, age: float) -> dict[str, dict[str, Word]]:
        verb, object_type, target = asked[0][1].route
        bound = self._options.late_commit
        match verb:
            case Verb.CREATE if object_type == LINES:
                found = await self._lines(asked)
            case Verb.CREATE if object_type == PAYMENTS and all(part.links for _, part in asked):
                found = await self._payments(asked)
            case Verb.CREATE:
                found = await self._created(asked)
                bound += self._options.search_lag
            case Verb.UPDATE:
                found = await self._updated(asked)
            case Verb.ARCHIVE:
                found = await self._archived(asked, object_type)
            case Verb.LINK | Verb.UNLINK:
                found = await self._linked(asked, verb, object_type, target)
        absent: Word = Later("not carried out") if age > bound else Silent("not seen so far")
        said: dict[str, dict[str, Word]] = {}
        taken = await self._taken(asked, found) if object_type == CONTACTS and verb is Verb.CREATE else {}
        for order, part in asked:
            key = (order.intent, part.name)
            word = Accepted(found[key]) if key in found else taken.get(order.intent, absent)
            said.setdefault(order.intent, {})[part.name] = word
        return said

    async def _created(self, asked: Asked) -> Found:
        """Entities by our reference, or contacts by their e-mail address, which the index does not delay."""
        kind = asked[0][0].kind
        found: Found = {}
        by_email = {email: (o, p) for o, p in asked if kind is Kind.PARTY and (email := p.properties.get("email"))}
        for record in await self._lookup.contacts(list(by_email)) if by_email else ():
            for order, part in by_email.values():
                if record.text(REFERENCE) == part.properties.get(REFERENCE):
                    found[order.intent, part.name] = record
        markers = {
            part.properties[REFERENCE]: (order.intent, part.name)
            for order, part in asked
            if REFERENCE in part.properties and (order.intent, part.name) not in found
        }
        ids = await self._lookup.ids(kind, REFERENCE, list(markers)) if markers else {}
        properties = read_properties(kind, self._options)
        wanted = sorted({id for holders in ids.values() for id in holders})
        for record in await self._client.records(asked[0][1].type, wanted, properties) if wanted else ():
            if (key := markers.get(record.text(REFERENCE) or "")) is not None:
                found[key] = record
        return found

    async def _taken(self, asked: Asked, found: Found) -> dict[str, Word]:
        """Contacts that cannot be created any more, early or late: somebody else has the e-mail address by now."""
        emails = {
            part.properties["email"].strip().lower(): order.intent
            for order, part in asked
            if "email" in part.properties and (order.intent, part.name) not in found
        }
        taken: dict[str, Word] = {}
        for record in await self._lookup.contacts(list(emails)) if emails else ():
            if intent := emails.get((record.text("email") or "").strip().lower()):
                taken[intent] = Denied(ADOPTED, "a contact with this e-mail address exists", existing=record.id)
        return taken

    async def _lines(self, asked: Asked) -> Found:
        """Lines by our reference among those of their invoice."""
        owners = {order.intent: _owner(order) for order, _ in asked}
        links = await self._client.links(INVOICES, LINES, owners.values())
        return await self._among(
            asked, LINES, {o.intent: links[owners[o.intent]] for o, _ in asked}, line_properties(self._options)
        )

    async def _payments(self, asked: Asked) -> Found:
        """Payments by our reference among those of an invoice they pay, or of their contact."""
        first = {order.intent: part.links[-1] for order, part in asked}
        near: dict[str, list[str]] = {}
        for source in (INVOICES, CONTACTS):
            ends = {intent: id for intent, (kind, id) in first.items() if kind == source}
            links = await self._client.links(source, PAYMENTS, ends.values()) if ends else {}
            near |= {intent: links[id] for intent, id in ends.items()}
        return await self._among(asked, PAYMENTS, near, read_properties(Kind.PAYMENT, self._options))

    async def _among(
        self, asked: Asked, object_type: str, near: Mapping[str, Sequence[str]], properties: Sequence[str]
    ) -> Found:
        ids = sorted({id for ends in near.values() for id in ends})
        records = {r.id: r for r in await self._client.records(object_type, ids, properties)} if ids else {}
        found: Found = {}
        for order, part in asked:
            for id in near[order.intent]:
                record = records.get(id)
                if record is not None and record.text(REFERENCE) == part.properties.get(REFERENCE):
                    found[order.intent, part.name] = record
        return found

    async def _updated(self, asked: Asked) -> Found:
        """Records that show every value that was sent."""
        names = sorted({name for _, part in asked for name in part.properties})
        ids = [part.id for _, part in asked if part.id]
        records = {r.id: r for r in await self._client.records(asked[0][1].type, ids, names)}
        return {
            (order.intent, part.name): record
            for order, part in asked
            if (record := records.get(part.id or "")) is not None
            and all(agree(sent, record.text(name)) for name, sent in part.properties.items())
        }

    async def _archived(self, asked: Asked, object_type: str) -> Found:
        ids = [part.id for _, part in asked if part.id]
        there = {record.id for record in await self._client.records(object_type, ids, ())}
        return {(order.intent, part.name): None for order, part in asked if part.id not in there}

    async def _linked(self, asked: Asked, verb: Verb, source: str, target: str) -> Found:
        links = await self._client.links(source, target, {_owner(order) for order, _ in asked})
        return {
            (order.intent, part.name): None
            for order, part in asked
            if (part.id in links[_owner(order)]) is (verb is Verb.LINK)
        }


def _owner(order: Order) -> str:
    carry = carry_of(order)
    owner = carry.id if carry else order.id
    assert owner is not None
    return owner
