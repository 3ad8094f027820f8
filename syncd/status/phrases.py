"""What was said about a record when it was decided, in the language of whoever reads it.

The words are stored as they were said, in English, and stay readable whatever is added here: what is not known, like a
vendor's own words, is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache

from syncd.core import catalogue
from syncd.core.catalogue import LANGUAGES_OF_BREAKERS
from syncd.model.record import Status
from syncd.status.phrases_fr import PHRASES
from syncd.status.words import words

_STANDING = re.compile(rf"({'|'.join(Status)})(?: \((\w+)\))?")
_KEPT = 8192
_LONGEST = 500  # what is longer is a vendor's


def translated(text: str, language: str) -> str:
    """For programs: in English the very words that are stored."""
    return text if language == "en" else said(text, language)


@lru_cache(_KEPT)
def said(text: str, language: str) -> str:
    """A sentence, a list of fields or where a record stands, as it is said in a language."""
    if not text or len(text) > _LONGEST:
        return text
    return _standing(text, language) or _fields(text, language) or (said_in_french(text) if language == "fr" else text)


def said_in_french(text: str) -> str:
    """A phrase that is known, or one whose end is: “INV-1: a write is on its way”. Else as it is."""
    for matches, french in _patterns():
        if found := matches(text):
            return french.format(*(said(value, "fr") for value in found.groups()))
    head, colon, rest = text.partition(": ")
    if colon and (told := said(rest, "fr")) != rest:
        return f"{words('fr').get(f'action.{head}', head)} : {told}"
    return text


def _standing(text: str, language: str) -> str | None:
    """Where an action left the record: its status, and why."""
    if not (found := _STANDING.fullmatch(text)):
        return None
    status, code = found.groups()
    title = catalogue.text(code, language, left="", right="").title if code in catalogue.CATALOGUE else code
    return f"{words(language)[status]}{words(language)['colon']}{title}" if code else words(language)[status]


def _fields(text: str, language: str) -> str | None:
    """Fields, by the names people know."""
    names = [words(language).get(f"field.{name}") for name in text.split(", ")]
    return ", ".join(name for name in names if name) if all(names) else None


@cache
def _patterns() -> list[tuple[Callable[[str], re.Match[str] | None], str]]:
    """Those with the most words of their own first: a general one must not take what a special one says better."""
    phrases = {**PHRASES, **_titles(), **_breakers()}
    longest = sorted(phrases, key=lambda phrase: -len(phrase.replace("{}", "")))
    return [(re.compile(re.escape(phrase).replace(r"\{\}", "(.+)")).fullmatch, phrases[phrase]) for phrase in longest]


def _titles() -> Mapping[str, str]:
    """The catalogue's titles: a record that waits for another one is told what is the matter with that."""
    both = [
        [catalogue.text(row.code, language, left="", right="").title for language in ("en", "fr")]
        for row in catalogue.entries()
    ]
    return {english: french for english, french in both if "{" not in english}


def _breakers() -> Mapping[str, str]:
    english, french = LANGUAGES_OF_BREAKERS["en"], LANGUAGES_OF_BREAKERS["fr"]
    return {_bare(": ".join(english[name])): _placed(english[name], french[name]) for name in english}


def _bare(text: str) -> str:
    return re.sub(r"{\w+}", "{}", text)


def _placed(english: tuple[str, str], french: tuple[str, str]) -> str:
    """The French text with the places of its values in the English one."""
    names = re.findall(r"{(\w+)}", ": ".join(english))
    return re.sub(r"{(\w+)}", lambda found: f"{{{names.index(found[1])}}}", " : ".join(french))
