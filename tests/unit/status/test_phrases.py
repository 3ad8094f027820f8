"""What the core says about a record is said in the reader's language; what is stored stays as it was said."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.status.phrases import said, translated
from syncd.status.phrases_fr import PHRASES

SYNCD = Path(__file__).parents[3] / "syncd"
SAYERS = frozenset(
    {"Settled", "failed", "excluded", "pending", "noted", "_tried", "NotPossible", "NotDone", "Stale", "Unknown"}
)
# Pieces that are put together: each of their parts is a phrase, a value or a name.
PIECES = frozenset({"{}{}: {}", "{} ({})"})


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _templates(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)
    elif text := _template(node):
        yield text


def _said(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            named = [word.value for word in node.keywords if word.arg == "words"]
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            for arg in [*named, *(node.args if called in SAYERS else ())]:
                yield from _templates(arg)
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "words" for t in node.targets):
            yield from _templates(node.value)


def test_every_sentence_of_the_core_has_a_french_one():
    """Found where they are written: a sentence that is added has to be added there too."""
    files = [
        *(SYNCD / "core").glob("*.py"),
        *(SYNCD / "outbox").glob("*.py"),
        SYNCD / "keeping.py",
        SYNCD / "deciding.py",
    ]
    sentences = {
        text.rpartition(": ")[2] if text.startswith("{}: ") else text for file in files for text in _said(file)
    }
    sentences = {text for text in sentences if " " in text.strip() and not text.startswith("record:")}
    assert len(sentences) > 60
    assert sentences - PIECES - PHRASES.keys() - {f"{{}}: {phrase}" for phrase in PHRASES} == set()


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_keeps_its_values(phrase):
    """Each value stands in the French sentence, in its place."""
    values = iter(range(101, 110))
    english = re.sub(r"\{\}", lambda _: str(next(values)), phrase)
    french = said(english, "fr")
    assert re.findall(r"10\d", french) == re.findall(r"10\d", english)
    assert french != english
    assert translated(english, "en") == english


@pytest.mark.parametrize(
    ("stored", "english", "french"),
    [
        (
            "failed (conflict_held)",
            "Failed: Both sides changed the same field",
            "En échec : Même champ modifié des deux côtés",
        ),
        ("synced", "Synced", "Synchronisé"),
        ("due_date, lines", "Due date, Lines", "Échéance, Lignes"),
        ("Zoë (z@example.com): Customer missing", None, "Zoë (z@example.com) : Client manquant"),
        ("retry: it has one half only", None, "Réessayer : il n’a qu’une moitié"),
        (
            "Many removals: 30 records would be voided or deleted, 20 are allowed.",
            None,
            "Beaucoup de suppressions : 30 ",
        ),
        ("Business Validation Error: 6140", None, "Business Validation Error: 6140"),
        ("", "", ""),
    ],
)
def test_composed_words_are_said_too(stored, english, french):
    """Where an action left a record, fields, another record's trouble, breakers; a vendor's own words stay."""
    assert said(stored, "en") == (stored if english is None else english)
    assert said(stored, "fr").startswith(french)


def test_a_long_text_takes_no_time():
    """A vendor may say a lot; none of it is ours."""
    text = "It has " * 5000
    assert said(text, "fr") == text
