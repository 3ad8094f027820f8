"""What `syncd sandbox gauntlet` shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from syncd import cli_output
from syncd.errors import UsageError
from syncd.gauntlet import run as gauntlet
from syncd.gauntlet.run import Verdict


async def play(file: Path | None, only: Sequence[str], *, json: bool) -> dict[str, Any]:
    """Play the scenarios and tell of each as soon as it is over.

    Raises:
        UsageError: the configuration cannot be read, or is not one the gauntlet can be played with.
    """
    try:
        given = None if file is None else file.read_text()  # noqa: ASYNC240 - before anything else runs
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    told = (lambda verdict: None) if json else _tell
    made = gauntlet.plain(await gauntlet.run(given, only, told))
    if json:
        cli_output.print_json(made)
    else:
        n = made["holds"] + made["broken"]
        cli_output.print_lines(f"{made['holds']} of {n} hold, {made['not_applicable']} do not apply yet")
    return made


def _tell(verdict: Verdict) -> None:
    scenario = verdict.scenario
    cli_output.print_lines(f"{scenario.number:>2}  {verdict.result:<14}  {scenario.name:<24}  {scenario.complaint}")
    if verdict.words:
        cli_output.print_lines(f"    {verdict.words}")
