"""What the commands share: their options, the configuration, who answers, and the code they exit with."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from syncd.commands import completing
from syncd.errors import Exit

if TYPE_CHECKING:
    from syncd.cli_client import Answers
    from syncd.config import Config

T = TypeVar("T")

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
StateDir = Annotated[Path | None, typer.Option("--state-dir", help="Where the state is, instead of the file's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, as `syncd schema` describes it.")]
Word = Annotated[str, typer.Argument(metavar="RECORD", help="A record's id, number, e-mail, SKU or vendor id.")]
SyncName = Annotated[str, typer.Argument(help="The sync's name in the configuration.", autocompletion=completing.syncs)]
OnlySync = Annotated[str | None, typer.Option("--sync", help="Only this sync.", autocompletion=completing.syncs)]
OnlyFlow = Annotated[str | None, typer.Option("--flow", help="Only this flow.", autocompletion=completing.flows)]
CONFIG = Path("syncd.toml")
NEEDS_PERMISSION = frozenset({"authorization_lost", "account_changed", "permission_missing"})
OUT_OF_REACH = frozenset({"vendor_unavailable", "tls_failed", "quota_exhausted", "malformed_answer"})


def load(path: Path, state_dir: Path | None) -> Config:
    """The configuration; its module is slow to import and not every command needs it."""
    from syncd.config import load

    return load(path, os.environ, state_dir)


def ask(path: Path, state_dir: Path | None, question: Callable[[Answers], Awaitable[T]]) -> T:
    """The answer of the running daemon, or of the state itself."""
    from syncd.cli_client import answers

    config = load(path, state_dir)

    async def asked() -> T:
        async with answers(config, os.environ) as source:
            return await question(source)

    return run_async(asked)


def about_one(
    path: Path,
    state_dir: Path | None,
    word: str,
    question: Callable[[Answers, str], Awaitable[dict[str, Any]]],
    *,
    json: bool,
) -> dict[str, Any]:
    """The answer about the one record that is meant; several are listed instead, and the command ends."""
    from syncd import cli_output
    from syncd.cli_client import look_up

    async def asked(source: Answers) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        hits = await look_up(source, word)
        return hits, await question(source, hits[0]["id"]) if len(hits) == 1 else {}

    hits, answer = ask(path, state_dir, asked)
    if len(hits) > 1:
        (cli_output.print_json if json else cli_output.print_records)({"records": hits, "next": None})
        raise typer.Exit(Exit.USAGE)
    return answer


def run_async(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Carry out a command's work to its end."""
    import anyio

    keep_imports()
    return anyio.run(work)


def keep_imports() -> None:
    """What was imported stays: looking through it again and again for garbage took a tenth of a long pass, and whoever
    asked for a page meanwhile waited for it."""
    import gc

    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def until_stopped(work: Callable[..., Awaitable[T]]) -> T:
    """Carry out `work(until=event)`; the event is set by SIGTERM and SIGINT, so that it can end in good order."""
    import asyncio
    import signal

    import anyio

    stop = anyio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await work(until=stop)


def set_up_log(json: bool = False) -> None:
    """Log to stderr: pretty in a terminal unless `json`, one JSON object a line elsewhere."""
    from syncd import log

    log.configure(json=json or None)


def exit_of(codes: list[str | None]) -> Exit:
    """The exit code for what is wrong: permission first, then what cannot be reached, else the configuration."""
    if not codes:
        return Exit.DONE
    if NEEDS_PERMISSION.intersection(codes):
        return Exit.PERMISSION
    return Exit.UNREACHABLE if OUT_OF_REACH.intersection(codes) else Exit.CONFIGURATION
