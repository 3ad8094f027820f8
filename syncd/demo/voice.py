"""How the demonstration speaks: when, who, what. Coloured and wrapped in a terminal; piped, a line is one line."""

from __future__ import annotations

from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from syncd.cli_output import clean

WIDTH = 10  # of the column that says who acts: "QuickBooks"
STYLES = {"synced": "green", "pending": "yellow", "failed": "red", "excluded": "bright_black", "wrong": "magenta"}


class Voice:
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console = Console(file=stream, highlight=False) if stream.isatty() else None

    def event(self, at: datetime, who: str, text: str, tone: str = "") -> None:
        """One thing that happened. `tone`: a key of STYLES, or empty for what people do."""
        when = at.astimezone().strftime("%H:%M:%S")
        self._columns((when, "dim"), (who, "" if tone in STYLES and who == "syncd" else "bold"), (text, _style(tone)))

    def fact(self, name: str, text: str) -> None:
        """A name and what it stands for."""
        self._columns((name, "bold"), (text, ""))

    def say(self, text: str = "", *, title: bool = False) -> None:
        """A line of its own."""
        if self._console:
            self._console.print(Text(clean(text), style="bold" if title else ""))
        else:
            self._write(clean(text))

    def _columns(self, *cells: tuple[str, str]) -> None:
        *narrow, (text, style) = cells
        if self._console is None:
            self._write("  ".join([*(clean(cell).ljust(_width(cell)) for cell, _ in narrow), clean(text)]))
            return
        grid = Table.grid(padding=(0, 2))
        for cell, _ in narrow:
            grid.add_column(min_width=_width(cell), no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(*(Text(clean(cell), style=one) for cell, one in narrow), Text(clean(text), style=style))
        self._console.print(grid)

    def _write(self, text: str) -> None:
        self._stream.write(text.rstrip() + "\n")
        self._stream.flush()


def _width(cell: str) -> int:
    return 8 if cell.count(":") == 2 else WIDTH


def _style(tone: str) -> str:
    return STYLES.get(tone, "")
