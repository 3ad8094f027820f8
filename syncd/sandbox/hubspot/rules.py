"""The hooks a kind's own rules can hang on a write. The base class is a plain record: no rules at all."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.sandbox.hubspot.errors import BadProperty, invalid_properties
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Hand, Record

Changes = dict[str, str | None]


class Rules:
    """Each `check_*` may raise ApiError; each past participle is called after the change was made."""

    required: tuple[str, ...] = ()

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def prepare(self, values: Changes, hand: Hand) -> None:
        """Complete the values of a record to be made, and check them."""
        missing = [name for name in self.required if values.get(name) is None]
        if missing:
            raise invalid_properties([missing_property(name) for name in missing])

    def derive(self, values: Mapping[str, str | None]) -> Changes:
        """The calculated properties that follow from the record's own values."""
        return {}

    def created(self, record: Record, hand: Hand) -> None: ...

    def check_update(self, record: Record, changes: Changes, hand: Hand) -> None: ...

    def updated(self, record: Record, changes: Changes, hand: Hand) -> None: ...

    def check_archive(self, record: Record, hand: Hand) -> None: ...

    def archived(self, record: Record, hand: Hand) -> None:
        """After archiving, and after restoring: whoever depends on the record computes anew."""

    def check_link(self, record: Record, other: Record, hand: Hand) -> None:
        """Before the two are associated or parted."""

    def linked(self, record: Record, other: Record, hand: Hand) -> None:
        """After the two were associated or parted."""


def missing_property(name: str) -> BadProperty:
    return BadProperty(name, "MISSING_REQUIRED_PROPERTY", f'Required property "{name}" is missing')


class NeedsOneOf(Rules):
    """A record that needs at least one of a few properties when it is made."""

    one_of: tuple[str, ...] = ()

    def prepare(self, values: Changes, hand: Hand) -> None:
        if all(values.get(name) is None for name in self.one_of):
            raise invalid_properties([missing_property(name) for name in self.one_of])


class Contacts(NeedsOneOf):
    one_of = ("email", "firstname", "lastname")


class Companies(NeedsOneOf):
    one_of = ("name", "domain")


class Quotes(Rules):
    required = ("hs_title", "hs_expiration_date")
