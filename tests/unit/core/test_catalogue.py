"""The catalogue is complete, in both languages, and names no vendor."""

from __future__ import annotations

import re

import pytest

from syncd.core.catalogue import CATALOGUE, LANGUAGES, Cure, Group, Wakes, entries, entry, text

CODES = {
    Group.PENDING: "queued retry waits_parent waits_connection resolving paused held not_approved",
    Group.FAILED: """
        customer_missing customer_ambiguous product_ambiguous product_inactive duplicate_display_name
        duplicate_document_number document_ambiguous edited_outside_origin conflict_held amount_mismatch
        currency_mismatch order_level_amount tax_code_required
        service_date_required accounting_period_closed record_locked invoice_voided
        suspected_double_billing parent_failed field_required
        field_value_invalid option_unknown field_not_writable mapping_invalid state_not_allowed amount_above_limit
        numbering_missing record_gone permission_missing vendor_rejected unknown_outcome internal_error""",
    Group.EXCLUDED: """
        filtered draft other_source before_start no_email no_sku direction_off by_person unsupported_region
        no_billing_data not_from_crm deleted_at_source""",
    Group.NOTE: """
        variance_accepted payment_mirrored counterpart_gone apart_by_person counterpart_inactive
        other_credit payment_refunded double_billing_denied""",
    Group.CONNECTION: """
        authorization_lost account_changed quota_exhausted vendor_unavailable tls_failed malformed_answer other_sync""",
}


@pytest.mark.parametrize("group", list(Group))
def test_every_promised_code_has_a_row_in_its_group(group: Group) -> None:
    """The list people rely on, no more and no less."""
    assert [row.code for row in entries(group)] == CODES[group].split()


def test_no_code_stands_in_two_groups() -> None:
    """A code alone says what kind of status it is."""
    assert len(CATALOGUE) == sum(len(codes.split()) for codes in CODES.values())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_speaks_of_every_code(language: str) -> None:
    """Same codes in the same order, and no empty text."""
    assert list(LANGUAGES[language]) == list(CATALOGUE)
    for code, words in LANGUAGES[language].items():
        assert all(part.strip() for part in words), code
        assert words[1].endswith("."), code
        assert words[2].endswith("."), code
        assert len(words[0]) <= 40, code


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_languages_fill_in_the_same_names(code: str) -> None:
    """A placeholder of one language's text stands in the other's text too."""
    used = [[sorted(re.findall(r"{(\w*)}", part)) for part in texts[code]] for texts in LANGUAGES.values()]

    assert used[0] == used[1]
    assert {name for part in used[0] for name in part} <= {"left", "right"}


def test_texts_name_no_vendor() -> None:
    """They hold for every pair of vendors."""
    words = " ".join(" ".join(part for row in texts.values() for part in row) for texts in LANGUAGES.values())

    assert not re.search(r"hubspot|quickbooks|intuit|pennylane|pandadoc|pipedrive|cadulis", words, re.IGNORECASE)


def test_text_names_the_two_connections() -> None:
    """Placeholders become the names of the configuration, braces and all."""
    words = text("conflict_held", "en", left="crm", right="books {x}")

    assert words.title == "Both sides changed the same field"
    assert "in crm and in books {x}" in words.explanation


def test_what_time_cures_is_never_failed() -> None:
    """Failed means that a person must act; what only time can cure is pending or a connection's condition."""
    assert all(row.cure in (Cure.HERE, Cure.VENDOR) and row.wakes is not Wakes.TIME for row in entries(Group.FAILED))


def test_an_unknown_code_is_an_error() -> None:
    """A typing mistake does not become a status."""
    with pytest.raises(KeyError):
        entry("no_such_code")
