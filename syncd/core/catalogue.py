"""Every status code there is: who can cure it and what wakes it. Its words for people stand in one file a language.

The page, the command line, the API, the documentation and the runbooks all print these rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from syncd.core import catalogue_en, catalogue_fr
from syncd.core.catalogue_en import ENGLISH
from syncd.core.catalogue_fr import FRENCH


class Group(StrEnum):
    """Where a code can stand: a status of records, a note on a synced one, or the condition of a connection."""

    PENDING = "pending"
    FAILED = "failed"
    EXCLUDED = "excluded"
    NOTE = "note"
    CONNECTION = "connection"


class Cure(StrEnum):
    """Who can put it right."""

    TIME = "time"
    HERE = "here"  # a person, in this program or its configuration
    VENDOR = "vendor"  # a person, in one of the two applications
    NOTHING = "nothing"  # there is nothing wrong


class Wakes(StrEnum):
    """What brings the record forward again, besides "retry now" and a change of its own entities."""

    TIME = "time"
    CHANGE = "change"  # nothing else: its own entities must change
    PARENT = "parent"  # the record it depends on moves
    KEY = "key"  # whoever has the same name, number, address or SKU is seen to change
    CONNECTION = "connection"  # the connection works again
    RULES = "rules"  # the configuration changes
    SETTINGS = "settings"  # the account's own settings are seen to change, or the configuration does
    PERSON = "person"  # an action of a person on it


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue."""

    code: str
    group: Group
    cure: Cure
    wakes: Wakes


@dataclass(frozen=True, slots=True)
class Texts:
    """What people read: a title of a few words, the cause, and what to do."""

    title: str
    explanation: str
    remedy: str


LANGUAGES = {"en": ENGLISH, "fr": FRENCH}
LANGUAGES_OF_BREAKERS = {"en": catalogue_en.BREAKERS, "fr": catalogue_fr.BREAKERS}

_ROWS = {
    Group.PENDING: """
        queued                     time     time
        retry                      time     time
        waits_parent               time     parent
        waits_connection           time     connection
        resolving                  time     time
        paused                     here     person
        held                       here     person
        not_approved               here     person
    """,
    Group.FAILED: """
        customer_missing           vendor   parent
        customer_ambiguous         vendor   key
        product_ambiguous          vendor   key
        product_inactive           vendor   parent
        duplicate_display_name     vendor   key
        duplicate_document_number  vendor   key
        document_ambiguous         here     person
        edited_outside_origin      vendor   change
        conflict_held              here     person
        amount_mismatch            vendor   change
        currency_mismatch          vendor   settings
        order_level_amount         vendor   change
        tax_code_required          here     settings
        service_date_required      vendor   settings
        accounting_period_closed   vendor   settings
        record_locked              vendor   change
        invoice_voided             vendor   change
        suspected_double_billing   here     person
        parent_failed              vendor   parent
        field_required             vendor   change
        field_value_invalid        vendor   change
        option_unknown             here     settings
        field_not_writable         here     settings
        mapping_invalid            here     settings
        state_not_allowed          vendor   change
        amount_above_limit         vendor   change
        numbering_missing          vendor   settings
        record_gone                vendor   change
        permission_missing         vendor   settings
        vendor_rejected            vendor   change
        unknown_outcome            here     person
        internal_error             here     person
    """,
    Group.EXCLUDED: """
        filtered                   vendor   change
        draft                      vendor   change
        other_source               vendor   change
        before_start               here     person
        no_email                   vendor   change
        no_sku                     vendor   change
        direction_off              here     rules
        by_person                  here     person
        unsupported_region         here     settings
        no_billing_data            vendor   change
        not_from_crm               vendor   change
        deleted_at_source          vendor   change
    """,
    Group.NOTE: """
        variance_accepted          nothing  change
        payment_mirrored           nothing  change
        counterpart_gone           vendor   change
        apart_by_person            nothing  change
        counterpart_inactive       vendor   change
        other_credit               nothing  change
        payment_refunded           vendor   change
        double_billing_denied      nothing  change
    """,
    Group.CONNECTION: """
        authorization_lost         here     person
        account_changed            here     person
        quota_exhausted            time     time
        vendor_unavailable         time     time
        tls_failed                 here     time
        malformed_answer           time     time
        other_sync                 vendor   time
    """,
}


def _read(group: Group, rows: str) -> Iterator[Entry]:
    for row in rows.strip().splitlines():
        code, cure, wakes = row.split()
        yield Entry(code, group, Cure(cure), Wakes(wakes))


CATALOGUE = {row.code: row for group, rows in _ROWS.items() for row in _read(group, rows)}


def entry(code: str) -> Entry:
    """The row of a code.

    Raises:
        KeyError: there is no such code.
    """
    return CATALOGUE[code]


def entries(group: Group | None = None) -> tuple[Entry, ...]:
    """All rows, or those of one group, in the order people read them."""
    return tuple(row for row in CATALOGUE.values() if group in (None, row.group))


@lru_cache(2048)
def text(code: str, language: str, *, left: str, right: str) -> Texts:
    """The words of a code, with the names of the two connections filled in.

    Raises:
        KeyError: no such code, or no such language.
    """
    names = {"left": left, "right": right}
    title, explanation, remedy = LANGUAGES[language][code]
    return Texts(title.format(**names), explanation.format(**names), remedy.format(**names))
