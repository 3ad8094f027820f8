"""The part of the runbooks that the catalogue writes: what each category and reason means and what to do about it.

`python -m syncd.status.runbooks` writes it anew between the marks of `systemd/monitoring/runbooks.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from syncd.core import catalogue
from syncd.core.catalogue import Cure, Entry, Group, Wakes

MARKS = ("<!-- categories -->", "<!-- /categories -->")
FILE = "systemd/monitoring/runbooks.md"
TITLES = {
    Group.CONNECTION: "Conditions of connections",
    Group.FAILED: "Failed: a person must act",
    Group.PENDING: "Pending: the daemon or time acts",
    Group.EXCLUDED: "Excluded: it does not belong to the flow",
}
IMPACT = {
    Group.CONNECTION: "Nothing is read or written there; records wait, none of them fails, other connections go on.",
    Group.FAILED: "This record, and what depends on it, is not carried over; all others are.",
    Group.PENDING: "The record is not yet the same on both sides.",
    Group.EXCLUDED: "The record is watched and left alone.",
}
CURES = {
    Cure.TIME: "nobody; it passes by itself",
    Cure.HERE: "a person, here or in the configuration",
    Cure.VENDOR: "a person, in one of the two applications",
    Cure.NOTHING: "nobody; there is nothing wrong",
}
WAKES = {
    Wakes.TIME: "tried again by itself",
    Wakes.CHANGE: "goes on as soon as one of its two entities changes",
    Wakes.PARENT: "goes on as soon as the record it depends on moves",
    Wakes.KEY: "goes on as soon as whoever has the same name, number, address or SKU changes",
    Wakes.CONNECTION: "goes on as soon as the connection works again",
    Wakes.RULES: "goes on after a change of the configuration",
    Wakes.SETTINGS: "goes on as soon as the account's settings or the configuration change",
    Wakes.PERSON: "goes on when a person says so",
}


def printed() -> str:
    """All entries, without the marks."""
    return "\n\n".join(_group(group) for group in TITLES)


def _group(group: Group) -> str:
    return "\n\n".join([f"### {TITLES[group]}", *map(_entry, catalogue.entries(group))])


def _entry(row: Entry) -> str:
    words = catalogue.text(row.code, "en", left="*left*", right="*right*")
    look = "syncd status" if row.group is Group.CONNECTION else f"syncd records --code {row.code}"
    if row.group is not Group.CONNECTION:
        look += "`, then `syncd explain RECORD"
    return "\n".join(
        [
            f"#### {row.code}",
            "",
            f"* **Meaning**: {words.title}. {words.explanation}",
            f"* **Impact**: {IMPACT[row.group]}",
            f"* **Diagnosis**: `{look}`. Cured by: {CURES[row.cure]}.",
            f"* **Mitigation**: {words.remedy} It {WAKES[row.wakes]}.",
        ]
    )


def written(text: str) -> str:
    """A runbook file with this part as the catalogue says it now."""
    before, rest = text.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    return f"{before}{MARKS[0]}\n{printed()}\n{MARKS[1]}{after}"


if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else FILE)
    file.write_text(written(file.read_text(encoding="utf-8")), encoding="utf-8")
