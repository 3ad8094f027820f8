"""The demonstration as a whole: a sandbox, a configuration as `syncd init` writes it, the daemon, and the show.

Everything about syncd that is told is read from its own records; nothing is known beforehand.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from syncd import cli_init, cli_output, log
from syncd.app import opened
from syncd.config import Config, load
from syncd.config_values import Listen
from syncd.demo.script import scenes
from syncd.demo.show import Script, Show
from syncd.demo.voice import Voice
from syncd.errors import UsageError
from syncd.sandbox import server
from syncd.sandbox.client import Control
from syncd.sandbox.world import create_world
from syncd.status.server import serving, socket_path

SCRIPTS: Mapping[str, Script] = {"hubspot-quickbooks": scenes}
POLL = timedelta(seconds=1)
ENVIRON: Mapping[str, str] = {}  # nothing from the environment: this state belongs to no service


async def run(*, seconds: float | None, recipe: str, json: bool) -> int:
    """Show syncd at work until told to stop, or for so many seconds. Returns the exit code.

    Raises:
        UsageError: there is no script for the recipe.
    """
    if recipe not in SCRIPTS:
        raise UsageError(f"there is no demonstration of {recipe!r}; there is: {', '.join(SCRIPTS)}")
    until = None if seconds is None else time.monotonic() + seconds
    stop = anyio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        status = await _perform(recipe, Voice(sys.stderr if json else sys.stdout), until, stop)
    except* BrokenPipeError:  # whoever listened has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        if json:
            cli_output.print_json(status)
    return 0


async def _perform(recipe: str, voice: Voice, until: float | None, stop: anyio.Event) -> Mapping[str, Any]:
    voice.say("syncd at work: HubSpot and QuickBooks in a sandbox on this machine, no account and no network needed")
    with TemporaryDirectory(prefix="syncd-demo-") as name, _logged_to(Path(name) / "syncd.log"):
        async with server.serving(create_world(timer=time.perf_counter)) as sandbox, Control(sandbox) as hand:
            config = await _configured(Path(name) / "syncd.toml", recipe, sandbox)
            async with (
                opened(config, "demo", environ=ENVIRON) as app,
                serving(app, socket_path(config.state_dir, ENVIRON)) as page,
            ):
                show = Show(app, hand, voice, stop)
                show.opening(page, sandbox)
                status = await show.perform(SCRIPTS[recipe], until)
                show.closing(status)
                return status


async def _configured(file: Path, recipe: str, sandbox: str) -> Config:
    """What `syncd init` writes for this sandbox, with a poll one can watch and a port that is free."""
    await cli_init.write_for_sandbox(recipe, sandbox, file, force=False)
    config = load(file, ENVIRON)
    daemon = config.daemon.model_copy(update={"listen": _free(config.daemon.listen)})
    syncs = {name: sync.model_copy(update={"poll": POLL}) for name, sync in config.syncs.items()}
    return replace(config, daemon=daemon, syncs=syncs)


def _free(wanted: Listen) -> Listen:
    """The address itself, or any free port of its host if somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(wanted)
        except OSError:
            return Listen(wanted.host, 0)
    return wanted


@contextmanager
def _logged_to(file: Path) -> Iterator[None]:
    """The daemon's log goes to a file, so that the telling stays readable."""
    with file.open("w", encoding="utf-8") as stream:
        with redirect_stderr(stream):
            log.configure()
        try:
            yield
        finally:
            log.configure()
