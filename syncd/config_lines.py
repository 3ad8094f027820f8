"""Where each key of a TOML text stands, so that a problem can name its line.

The standard parser keeps no positions. This scanner walks a text that the parser has already accepted, so it only has
to recognise where keys, strings, arrays and tables begin and end, never to judge them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""A key path: `("syncs", "invoicing", "flows", "invoices", "mappings", 0, "left")`."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY = re.compile(r'"(?:[^"\\]|\\.)*"' r"|'[^']*'")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""(?:"(?!"")){0,2}'
    r"|'''(?:[^']|'(?!''))*'''(?:'(?!'')){0,2}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


@dataclass(frozen=True, slots=True)
class Lines:
    """The line of every key, array item and table of one text, counted from 1."""

    known: Mapping[Path, int]

    def of(self, path: Path) -> int:
        """The line of the key, or of the nearest table above it that stands in the text; 1 for the whole file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.known:
                return self.known[path[:end]]
        return 1


def locate(text: str) -> Lines:
    """Find every key of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.document()
    return Lines(scanner.lines)


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    lines: dict[Path, int] = field(default_factory=dict)
    tables: dict[Path, int] = field(default_factory=dict)
    """How many `[[...]]` headers of a name were seen: the last one is where sub-tables go."""

    def document(self) -> None:
        table: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.take("[["):
                table = self.header(array=True)
                self.take("]]")
            elif self.take("["):
                table = self.header(array=False)
                self.take("]")
            else:
                self.pair(table)
            self.skip(_BLANK)

    def header(self, *, array: bool) -> Path:
        self.skip(_BLANK)
        line, names = self.line(), self.key()
        self.skip(_BLANK)
        path: Path = ()
        for position, name in enumerate(names):
            path = (*path, name)
            self.lines.setdefault(path, line)
            if array and position == len(names) - 1:
                self.tables[path] = self.tables.get(path, 0) + 1
            if path in self.tables:
                path = (*path, self.tables[path] - 1)
        self.lines[path] = line  # a table that a deeper header opened before gets its own line now
        return path

    def pair(self, table: Path) -> None:
        line, path = self.line(), table
        for name in self.key():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self.skip(_BLANK)
        self.take("=")
        self.skip(_BLANK)
        self.value(path)

    def value(self, path: Path) -> None:
        if self.take("["):
            self.array(path)
        elif self.take("{"):
            self.inline_table(path)
        elif not self.skip(_STRING):
            self.skip(_SCALAR)

    def array(self, path: Path) -> None:
        index = 0
        self.skip(_BLANK)
        while not self.take("]"):
            self.lines[*path, index] = self.line()
            self.value((*path, index))
            index += 1
            self.separator()

    def inline_table(self, path: Path) -> None:
        self.skip(_BLANK)
        while not self.take("}"):
            self.pair(path)
            self.separator()

    def separator(self) -> None:
        self.skip(_BLANK)
        self.take(",")
        self.skip(_BLANK)

    def key(self) -> list[str]:
        names = [self.simple_key()]
        while self.skip(_DOT):
            names.append(self.simple_key())
        return names

    def simple_key(self) -> str:
        begin = self.at
        if self.skip(_BARE_KEY):
            return self.text[begin : self.at]
        if not self.skip(_QUOTED_KEY):
            raise ValueError(f"line {self.line()}: no key here; the text is not valid TOML")
        (name,) = tomllib.loads(f"{self.text[begin : self.at]} = 0")  # the parser knows the escapes
        return name

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def take(self, token: str) -> bool:
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Go past the pattern if it is here; False when there was nothing to pass."""
        found = pattern.match(self.text, self.at)
        if found is None or found.end() == self.at:
            return False
        self.at = found.end()
        return True
