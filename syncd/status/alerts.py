"""What to do when an alert fires, read from the runbooks: in the wheel beside the page, else `systemd/monitoring`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

FILE = "runbooks.md"
_HERE = Path(__file__).parent
_PART = re.compile(r"^\* \*\*(\w+)\*\*: (.+?)(?=^\* \*\*|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^]]+)\]\([^)]*\)")  # all of them lead to the categories, which have pages of their own


@cache
def alerts() -> Mapping[str, Mapping[str, Markup]]:
    """Alert -> its parts (Meaning, Impact, Diagnosis, Mitigation) -> what they say.

    Raises:
        FileNotFoundError: neither in the package nor beside it: the installation is broken.
    """
    listed = _text().split("## Alerts\n")[1].split("\n## ")[0]
    entries = (entry.partition("\n") for entry in listed.split("\n### ")[1:])
    return {name: {part: _shown(said) for part, said in _PART.findall(rest)} for name, _, rest in entries}


def named(name: str) -> str | None:
    """The alert of this name, however it is written in an address."""
    return next((alert for alert in alerts() if alert.lower() == name.lower()), None)


def _text() -> str:
    for folder in (_HERE / "page", _HERE.parents[1] / "systemd" / "monitoring"):
        if (folder / FILE).is_file():
            return (folder / FILE).read_text(encoding="utf-8")
    raise FileNotFoundError(f"no {FILE} in the package")


def _shown(text: str) -> Markup:
    """Text with the little of Markdown that the entries use."""
    linked = _LINK.sub(r'<a href="/problems">\1</a>', str(escape(" ".join(text.split()))))
    return Markup(_CODE.sub(r"<code>\1</code>", linked))  # noqa: S704 - escaped above
