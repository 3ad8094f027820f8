"""The one way to write: check the values, ask the kind's rules, change the data, tell the journal.

The API, a person and the seed all come through here. Every function changes everything or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.sandbox.hubspot import link_types
from syncd.sandbox.hubspot.errors import ApiError, BadProperty, invalid, invalid_properties, read_only
from syncd.sandbox.hubspot.invoices import Invoices, calculated
from syncd.sandbox.hubspot.kinds import KINDS, Kind
from syncd.sandbox.hubspot.lines import Adjustments, LineItems
from syncd.sandbox.hubspot.payments import Payments
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand, Record
from syncd.sandbox.hubspot.rules import Changes, Companies, Contacts, Quotes, Rules
from syncd.sandbox.hubspot.values import BadValue, bad, normalised, to_text

_MIRROR_BALANCE = {"hs_amount_paid", "hs_balance_due", "hs_payment_date"}
_MERGED = "hs_merged_object_ids"
_MERGEABLE = ("contacts", "companies", "deals")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An association a create asks for."""

    target: Record
    types: Sequence[int]


class Writes:
    """All writes to one portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        invoices = Invoices(portal)
        adjustments = Adjustments(portal, invoices)
        self._rules: dict[str, Rules] = {name: Rules(portal) for name in KINDS} | {
            "contacts": Contacts(portal),
            "companies": Companies(portal),
            "quotes": Quotes(portal),
            "line_items": LineItems(portal, invoices),
            "taxes": adjustments,
            "fees": adjustments,
            "discounts": adjustments,
            "invoices": invoices,
            "commerce_payments": Payments(portal),
        }

    def create(
        self, kind: Kind, raw: Mapping[str, object], wanted: Sequence[Wanted], hand: Hand, id: str | None = None
    ) -> Record:
        """Make a record with its associations. `id` is for seeds."""
        rules = self._rules[kind.name]
        with self.portal.atomic():
            values = self._accept(kind, raw, hand)
            fields: dict[str, object] = dict(values)
            rules.prepare(values, hand)
            self._check_unique(kind, values, None)
            record = self.portal.insert(kind, {**values, **rules.derive(values)}, hand, id)
            for each in wanted:
                self._connect(record, each.target, each.types, hand)
            rules.created(record, hand)
            if wanted:
                fields["associations"] = [
                    {"to": each.target.kind.name, "id": each.target.id, "types": list(each.types)} for each in wanted
                ]
            self.portal.note(hand, "create", record, fields)
        return record

    def update(self, record: Record, raw: Mapping[str, object], hand: Hand) -> Changes:
        """Change properties; returns the texts taken, changed or not."""
        rules = self._rules[record.kind.name]
        with self.portal.atomic():
            values = self._accept(record.kind, raw, hand)
            changes = {name: value for name, value in values.items() if record.value(name) != value}
            rules.check_update(record, changes, hand)
            self._check_unique(record.kind, changes, record)
            self.portal.put(record, changes, hand)
            self.portal.put(record, rules.derive(record.values()), calculated(hand.now))
            rules.updated(record, changes, hand)
            self.portal.note(hand, _operation(changes), record, values)
        return values

    def archive(self, record: Record, hand: Hand) -> None:
        rules = self._rules[record.kind.name]
        with self.portal.atomic():
            rules.check_archive(record, hand)
            self.portal.archive(record, hand)
            rules.archived(record, hand)
            self.portal.note(hand, "archive", record, {})

    def forget(self, record: Record, hand: Hand) -> None:
        """A privacy deletion: permanent, with its associations (HubSpot: perform a GDPR-compliant delete)."""
        with self.portal.atomic():
            self._part(record, hand)
            self.portal.archive(record, hand)
            self.portal.note(hand, "forget", record, {})
            self.portal.forget(record)

    def _part(self, record: Record, hand: Hand) -> None:
        for kind in tuple(self.portal.links.kinds(record.ref)):
            for other in self.portal.linked(record, kind):
                self._relink(record, other, (), hand)

    def purge(self, record: Record, hand: Hand) -> None:
        """Out of the recycle bin for good."""
        with self.portal.atomic():
            self._part(record, hand)
            self.portal.note(hand, "purge", record, {})
            self.portal.forget(record)

    def restore(self, record: Record, hand: Hand) -> None:
        """Out of the recycle bin, with its associations as they were."""
        with self.portal.atomic():
            self._check_unique(record.kind, dict(record.values()), record)
            self.portal.restore(record)
            self._rules[record.kind.name].archived(record, hand)
            self.portal.touch(record, hand)
            self.portal.note(hand, "restore", record, {})

    def associate(self, origin: Record, target: Record, types: Sequence[int], hand: Hand) -> None:
        """Make the association exactly these types (a label list replaces the old labels)."""
        with self.portal.atomic():
            self._connect(origin, target, types, hand)
            fields = {"to": target.kind.name, "id": target.id, "types": list(types)}
            self.portal.note(hand, "associate", origin, fields)

    def dissociate(self, origin: Record, target: Record, types: Sequence[int], hand: Hand) -> None:
        """Take these types away, all of them when none is named; parting strangers is fine."""
        before = self.portal.links.types(origin.ref, target.ref)
        left = tuple(each for each in before if types and each not in types)
        if left == before:
            return
        with self.portal.atomic():
            self._relink(origin, target, left, hand)
            fields = {"to": target.kind.name, "id": target.id, "types": list(types or before)}
            self.portal.note(hand, "dissociate", origin, fields)

    def merge(self, primary: Record, other: Record, hand: Hand) -> Record:
        """One of two: the primary's values win, its gaps are filled, associations move over."""
        if primary.kind.name not in _MERGEABLE or primary is other:
            raise invalid(f"These {primary.kind.name} cannot be merged")
        with self.portal.atomic():
            survivor = primary
            if self.portal.settings.merge_new_id:
                survivor = self.portal.insert(primary.kind, _own_values(primary), hand)
                self._absorb(survivor, primary, hand)
            self._absorb(survivor, other, hand)
            self.portal.touch(survivor, hand)
            self.portal.note(hand, "merge", survivor, {"primary": primary.id, "merged": other.id})
        return survivor

    def _absorb(self, survivor: Record, gone: Record, hand: Hand) -> None:
        gaps = {name: value for name, value in _own_values(gone).items() if survivor.value(name) is None}
        email = gone.value("email")
        if email is not None and email != survivor.value("email"):
            extra = [*filter(None, [survivor.value("hs_additional_emails")]), email]
            gaps["hs_additional_emails"] = ";".join(extra)
        gone_ids = [survivor.value(_MERGED), gone.value(_MERGED), gone.id]
        gaps[_MERGED] = ";".join(filter(None, gone_ids))
        for kind in self.portal.links.kinds(gone.ref):
            for other in self.portal.linked(gone, kind):
                types = self.portal.links.types(gone.ref, other.ref)
                self._relink(gone, other, (), hand)
                if other is not survivor:
                    self._connect(survivor, other, types, hand)
        self.portal.retire(gone, survivor)
        self.portal.put(survivor, gaps, hand)

    def _accept(self, kind: Kind, raw: Mapping[str, object], hand: Hand) -> Changes:
        """The texts to keep, or one error that names every bad property."""
        values: Changes = {}
        bad_ones: list[BadProperty] = []
        for name, value in raw.items():
            definition = self.portal.schema.properties[kind.name].get(name)
            if definition is None:
                sent = value if isinstance(value, str) else None
                message = f'Property "{name}" does not exist'
                bad_ones.append(BadProperty(name, "PROPERTY_DOESNT_EXIST", message, sent))
            elif definition.read_only and not (
                self.portal.settings.mirror_balance_writable and name in _MIRROR_BALANCE
            ):
                bad_ones.append(read_only(name, value if isinstance(value, str) else None))
            else:
                try:
                    kept = value if hand.person or not isinstance(value, str) else self._normalised(name, value)
                    values[name] = to_text(definition, kept)
                except BadValue as error:
                    bad_ones.append(bad(definition, value, error))
        if bad_ones:
            raise invalid_properties(bad_ones)
        return values

    def _normalised(self, name: str, value: str) -> str | None:
        return normalised(self.portal.settings.normalise, name, value)

    def _check_unique(self, kind: Kind, values: Changes, record: Record | None) -> None:
        table = self.portal.table(kind)
        for name in table.unique:
            value = values.get(name)
            holder = table.holder(name, value) if value is not None else None
            if holder is not None and holder is not record:
                what = kind.singular.replace("_", " ").capitalize()
                raise ApiError(409, f"{what} already exists. Existing ID: {holder.id}", "CONFLICT")

    def _connect(self, origin: Record, target: Record, types: Sequence[int], hand: Hand) -> None:
        """Set the types of a pair; a primary type is taken from whoever had it before."""
        wanted = {link_types.default_id(origin.kind.name, target.kind.name)}
        for type_id in types:
            wanted.add(link_types.checked(type_id, origin.kind.name, target.kind.name).id)
        for type_id in wanted & link_types.PRIMARY:
            self._take_primary(origin, target, type_id)
        self._relink(origin, target, tuple(sorted(wanted)), hand)

    def _take_primary(self, origin: Record, target: Record, type_id: int) -> None:
        """One primary company for each contact and each deal."""
        owner, company, own_type = origin, target, type_id
        if origin.kind.name == "companies":
            owner, company, own_type = target, origin, link_types.TYPES[type_id].inverse
        for other in self.portal.linked(owner, "companies"):
            held = self.portal.links.types(owner.ref, other.ref)
            if other is not company and own_type in held:
                self.portal.relink(owner, other, tuple(each for each in held if each != own_type))

    def _relink(self, origin: Record, target: Record, types: tuple[int, ...], hand: Hand) -> None:
        pairs = ((origin, target), (target, origin))
        for one, other in pairs:
            self._rules[one.kind.name].check_link(one, other, hand)
        self.portal.relink(origin, target, types)
        for one, other in pairs:
            self._rules[one.kind.name].linked(one, other, hand)
            if self.portal.settings.association_bumps:
                self.portal.touch(one, hand)


def _operation(changes: Changes) -> str:
    """An update that moves an invoice on is named by what it does."""
    return {"open": "finalize", "voided": "void"}.get(changes.get("hs_invoice_status") or "", "update")


def _own_values(record: Record) -> Changes:
    """What a record brings into a merge: everything but its identity, dates and source."""
    kept = {name: value for name, value in record.values().items() if not name.startswith("hs_object_")}
    return {name: value for name, value in kept.items() if name not in (record.kind.created, record.kind.modified)}
