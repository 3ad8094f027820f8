"""What a person does on HubSpot's screen, under the same rules as the API where no exception is documented."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from syncd.sandbox.hubspot import link_types, shape
from syncd.sandbox.hubspot.account import COMPANY_CURRENCY
from syncd.sandbox.hubspot.errors import invalid, not_found
from syncd.sandbox.hubspot.invoices import billable, calculated
from syncd.sandbox.hubspot.kinds import KINDS, Kind
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand, Record
from syncd.sandbox.hubspot.times import milliseconds, stamp
from syncd.sandbox.hubspot.totals import amount
from syncd.sandbox.hubspot.writes import Wanted, Writes

USER = "userId:959199"
_ADJUSTMENTS = ("discounts", "fees", "taxes")
# Names in `fields` that stand for associations or parts instead of properties.
# `company` of a contact is its free-text property; `company_id` is the association with every kind.
_ENDS = {
    "contact": "contacts",
    "company": "companies",
    "company_id": "companies",
    "deal": "deals",
    "invoice": "invoices",
}
_PARTS = ("lines", *_ADJUSTMENTS)
_METHODS = {"date": "hs_initiated_date", "method": "hs_payment_method_type", "reference": "hs_reference_number"}

Fields = Mapping[str, object]


class Person:
    """One pair of hands at the screen of the portal."""

    def __init__(self, portal: Portal, writes: Writes) -> None:
        self.portal = portal
        self.writes = writes

    def act(
        self, op: str, kind: Kind, id: str | None, fields: Fields, now: datetime, new_id: str | None = None
    ) -> Record:
        """Do one thing, whole or not at all; returns the record. `new_id` is for seeds.

        Raises:
            ApiError: the rules forbid it, or there is no such record or operation.
        """
        hand = Hand(milliseconds(now), "person", "CRM_UI", USER)
        with self.portal.atomic():
            if op == "create":
                return self._create(kind, fields, hand, new_id)
            record = self._record(kind, id)
            if record.live == (op in ("restore", "purge")):
                raise invalid(f"{kind.name} {record.id} is {'not ' if record.live else ''}in the recycle bin")
            match op:
                case "update":
                    self._update(record, fields, hand)
                case "delete" | "archive":
                    self.writes.archive(record, hand)
                case "gdpr_delete" if kind.name == "contacts":
                    self.writes.forget(record, hand)
                case "restore":
                    self.writes.restore(record, hand)
                case "purge":  # nobody does it: ninety days after it was archived the recycle bin lets go of it
                    self.writes.purge(record, hand)
                case "void":
                    self.writes.update(record, {"hs_invoice_status": "voided"}, hand)
                case "finalize":
                    self.writes.update(record, {"hs_invoice_status": "open"}, hand)
                case "merge":
                    return self.writes.merge(record, self._record(kind, shape.text(fields.get("other"), "other")), hand)
                case "pay":
                    return self._pay(record, fields, hand, new_id)
                case _:
                    raise invalid(f"A person cannot {op} {kind.name} in HubSpot")
        return record

    def _record(self, kind: Kind, id: str | None) -> Record:
        record = self.portal.table(kind).survivor(id or "")
        if record is None:
            raise not_found()
        return record

    def _create(self, kind: Kind, fields: Fields, hand: Hand, new_id: str | None) -> Record:
        properties = self._properties(kind, fields)
        if kind.name == "invoices":
            properties.setdefault("hs_currency", COMPANY_CURRENCY)
        record = self.writes.create(kind, properties, self._wanted(kind, fields), hand, new_id)
        for part in (part for part in _PARTS if part in fields):
            for each in shape.mappings(fields[part], part):
                self._add_part(record, part, each, hand)
        if fields.get("finalize") is True:
            self.writes.update(record, {"hs_invoice_status": "open"}, hand)
        return record

    def _ends(self, kind: Kind) -> dict[str, str]:
        """The names that stand for associations of this kind."""
        own = self.portal.schema.properties[kind.name]
        return {name: end for name, end in _ENDS.items() if name not in own and end != kind.name}

    def _properties(self, kind: Kind, fields: Fields) -> dict[str, object]:
        special = {*self._ends(kind), *_PARTS, "finalize"}
        return {name: value for name, value in fields.items() if name not in special}

    def _wanted(self, kind: Kind, fields: Fields) -> list[Wanted]:
        """Associations of a new record, one or a list a name; a contact's or deal's company becomes its primary one."""
        wanted = []
        for name, end in self._ends(kind).items():
            given = fields.get(name)
            for id in given if isinstance(given, list) else [] if given is None else [given]:
                target = self._record(KINDS[end], shape.text(id, name))
                types = [link_types.default_id(kind.name, end)]
                primary = [each.id for each in link_types.between(kind.name, end) if each.id in link_types.PRIMARY]
                wanted.append(Wanted(target, types + primary))
        return wanted

    def _add_part(self, owner: Record, part: str, fields: Fields, hand: Hand) -> None:
        """A line of an invoice, deal or quote, or an adjustment of an invoice. `product` is a product's id."""
        kind = KINDS["line_items" if part == "lines" else part]
        properties = dict(fields)
        properties.pop("id", None)
        product = properties.pop("product", None)
        if product is not None:
            properties["hs_product_id"] = product
        wanted = Wanted(owner, [link_types.default_id(kind.name, owner.kind.name)])
        self.writes.create(kind, properties, [wanted], hand)

    def _update(self, record: Record, fields: Fields, hand: Hand) -> None:
        """Properties; `contact`, `company`, `deal` replace that association; `lines` and so on replace the parts.

        With nothing at all to change it is a save without a change, which moves the modified date.
        """
        if not fields:
            self.portal.touch(record, hand)
            self.portal.note(hand, "update", record, {})
            return
        properties = self._properties(record.kind, fields)
        if properties:
            self.writes.update(record, properties, hand)
        for name in self._ends(record.kind):
            if name in fields:
                self._replace_end(record, name, fields[name], hand)
        for part in (part for part in _PARTS if part in fields):
            self._replace_parts(record, part, shape.mappings(fields[part], part), hand)

    def _replace_end(self, record: Record, name: str, id: object, hand: Hand) -> None:
        for other in self.portal.linked(record, _ENDS[name]):
            self.writes.dissociate(record, other, [], hand)
        for each in self._wanted(record.kind, {name: id}):
            self.writes.associate(record, each.target, each.types, hand)

    def _replace_parts(self, owner: Record, part: str, rows: list[Fields], hand: Hand) -> None:
        """Rows with an id change that part, rows without make one, parts not named go."""
        kind = "line_items" if part == "lines" else part
        there = {each.id: each for each in self.portal.linked(owner, kind)}
        for row in rows:
            id = shape.optional_text(row.get("id"), "id")
            if id is None:
                self._add_part(owner, part, row, hand)
            elif id in there:
                changed = {name: value for name, value in row.items() if name != "id"}
                self.writes.update(there.pop(id), changed, hand)
            else:
                raise not_found()
        for gone in there.values():
            self.writes.archive(gone, hand)

    def _pay(self, invoice: Record, fields: Fields, hand: Hand, new_id: str | None) -> Record:
        """The screen's "record payment"; works without a payment processor. `amount` is the balance by default."""
        if invoice.kind.name != "invoices" or not billable(invoice) or invoice.value("hs_invoice_status") != "open":
            raise invalid("Payments can be recorded on open invoices created in HubSpot only")
        if amount(_texts(fields), "amount") > amount(invoice.values(), "hs_balance_due"):
            raise invalid("A payment cannot be higher than the balance due")
        properties: dict[str, object] = {
            "hs_initial_amount": fields.get("amount", invoice.value("hs_balance_due")),
            "hs_initiated_date": stamp(hand.now),
            "hs_payment_method_type": "other",
            "hs_latest_status": "succeeded",
            "hs_processor_type": "none",
            "hs_currency_code": invoice.value("hs_currency"),
        }
        properties |= {name: fields[short] for short, name in _METHODS.items() if short in fields}
        others = [invoice, *self.portal.linked(invoice, "contacts")]
        kind = KINDS["commerce_payments"]
        wanted = [Wanted(other, [link_types.default_id(kind.name, other.kind.name)]) for other in others]
        payment = self.writes.create(kind, properties, wanted, hand, new_id)
        source = {"hs_payment_source_app": "INVOICE", "hs_payment_source_id": invoice.id}
        self.portal.put(payment, source, calculated(hand.now))
        return payment


def _texts(fields: Fields) -> dict[str, str | None]:
    return {name: str(value) for name, value in fields.items()}
