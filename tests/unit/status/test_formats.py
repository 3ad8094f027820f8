"""Numbers and moments are written as Babel writes them; the page only gets there faster."""

from datetime import datetime

import pytest
from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from syncd.status.formats import Formats
from syncd.status.words import words

LANGUAGES = pytest.mark.parametrize("language", ["en", "fr"])


@LANGUAGES
@given(value=st.integers(-(10**12), 10**12))
def test_a_whole_number_is_grouped_as_people_do(language: str, value: int) -> None:
    assert Formats(language, words(language)).number(value) == format_decimal(value, locale=Locale(language))


@LANGUAGES
@given(at=st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))
def test_a_moment_reads_as_people_write_it(language: str, at: datetime) -> None:
    text = f"{at:%Y-%m-%dT%H:%M:%S}Z"
    shown = Formats(language, words(language)).time(text)
    expected = format_datetime(datetime.fromisoformat(text), "d MMM y HH:mm", locale=Locale(language))
    assert shown == f'<time datetime="{text}">{expected} UTC</time>'


@LANGUAGES
def test_the_moments_in_a_sentence_are_read_too(language: str) -> None:
    """What is around them is escaped, as everything is."""
    formats = Formats(language, words(language))
    sentence = formats.sentence("It is <looked> at again at 2026-11-22T03:00:00Z.")
    assert sentence == f"It is &lt;looked&gt; at again at {formats.time('2026-11-22T03:00:00Z')}."
