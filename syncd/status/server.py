"""Serving the status: on the configured address and on a unix socket, for as long as a block runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from syncd.config_values import Listen
from syncd.entrance.connection import GuardedRunner
from syncd.entrance.gate import Gate
from syncd.errors import ConfigError, StateBusy
from syncd.status.api import create_app
from syncd.status.shield import MAX_BODY
from syncd.status.source import Owner

SOCKET = "syncd.sock"
SOCKET_MODE = 0o660
SOCKET_PATH_BYTES = 107  # what a unix socket's address holds
MOST_CONNECTIONS = 512  # on loopback everybody comes from one address
IDLE_SECONDS = 8.0
STOP_SECONDS = 2.0  # answers take milliseconds; whoever is slower than this is not waited for


def socket_path(state_dir: Path, environ: Mapping[str, str]) -> Path:
    """Where the daemon of this state listens for commands."""
    runtime = environ.get("RUNTIME_DIRECTORY")
    return (Path(runtime.split(":")[0]) if runtime else state_dir) / SOCKET


@asynccontextmanager
async def serving(source: Owner, socket: Path) -> AsyncIterator[str]:
    """Serve both listeners; yields the page's address. The caller owns the state, so a socket file is a leftover.

    Raises:
        StateBusy: something else listens on the address.
        ConfigError: the socket's path is too long.
    """
    if len(os.fsencode(socket)) > SOCKET_PATH_BYTES:
        words = f"is too long a path: the socket {socket} may have {SOCKET_PATH_BYTES} bytes"
        cure = "choose a shorter directory, or set $RUNTIME_DIRECTORY to one"
        raise ConfigError([source.config.problem(("daemon", "state_dir"), words, cure)])
    listen = source.config.daemon.listen
    assert listen.loopback  # the configuration refuses any other address: there are no access tokens yet
    runner = GuardedRunner(
        create_app(source),
        Gate(MOST_CONNECTIONS, MOST_CONNECTIONS, most_bytes=MOST_CONNECTIONS * MAX_BODY),
        "status.request_failed",
        keepalive_timeout=IDLE_SECONDS,
        shutdown_timeout=STOP_SECONDS,
    )
    await runner.setup()
    # A shell knows the state's directory but not the service's runtime directory: there, a link leads to the socket.
    link = source.config.state_dir / SOCKET
    try:
        _forget(link)
        _forget(socket)
        await web.UnixSite(runner, socket).start()
        _open_to_group(socket)
        if link != socket:
            link.symlink_to(socket)
        port = await _listen(runner, listen)
        yield Listen(listen.host, port).url
    finally:
        await runner.cleanup()
        _forget(socket)
        _forget(link)


async def _listen(runner: web.AppRunner, listen: Listen) -> int:
    site = web.TCPSite(runner, listen.host, listen.port)
    try:
        await site.start()
    except OSError as error:
        raise StateBusy(
            f"daemon.listen: {listen.host}:{listen.port} cannot be listened on: {error.strerror}"
        ) from error
    port: int = next(address[1] for address in runner.addresses if isinstance(address, tuple))
    return port


def _open_to_group(socket: Path) -> None:
    socket.chmod(SOCKET_MODE)


def _forget(socket: Path) -> None:
    socket.unlink(missing_ok=True)
