"""What `check` looks at on this machine: the state's directory and database, the disk, and whether webhooks arrive."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from syncd import disk
from syncd.config import Config
from syncd.connectors.base import Finding, Severity
from syncd.connectors.http import AnswerLost, HttpRequest, NotSent, TlsFailed, Transport
from syncd.feed import doors
from syncd.status.server import socket_path
from syncd.store.store import Store

PROBE_SECONDS = 5.0
PERMISSION, CONFIGURATION = "permission_missing", "configuration"
UNTOUCHED = "check:written"  # a fact that nothing else uses


async def machine(config: Config, store: Store) -> list[Finding]:
    """Directory, database and disk."""
    return [_directory(config.state_dir), await _database(store), _room(config)]


def _directory(path: Path) -> Finding:
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        cure = f"give this user the right to write there: chown {_user()} {path}"
        return Finding(severity=Severity.ERROR, title=f"{path} cannot be written", cure=cure, code=PERMISSION)
    if (mode := stat.S_IMODE(path.stat().st_mode)) & stat.S_IRWXO:
        title = f"{path} is open to every user of this machine (mode {mode:o})"
        return Finding(severity=Severity.WARNING, title=title, cure=f"chmod 700 {path}")
    return Finding(severity=Severity.OK, title=f"The state in {path} is ours alone")


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())


async def _database(store: Store) -> Finding:
    try:
        await store.write(lambda tx: tx.set_meta(UNTOUCHED, "1"))
    except SQLAlchemyError as error:
        title = f"The database cannot be written: {type(error).__name__}"
        cure = "look at the rights of its files, at the disk, and at who else uses it"
        return Finding(severity=Severity.ERROR, title=title, cure=cure, code=PERMISSION)
    return Finding(severity=Severity.OK, title="The database can be written")


def _room(config: Config) -> Finding:
    found = disk.room(config)
    free, needed = found.free // disk.MEGABYTE, found.needed // disk.MEGABYTE
    if found.low:
        title = f"The disk has {free} MB left, and below {needed} MB nothing is taken in or sent"
        cure = "make room, or set daemon.disk_reserve lower"
        return Finding(severity=Severity.ERROR, title=title, cure=cure, code=CONFIGURATION)
    if found.free < 2 * found.needed:
        title = f"The disk has {free} MB left; below {needed} MB work stops"
        return Finding(severity=Severity.WARNING, title=title, cure="make room soon")
    return Finding(severity=Severity.OK, title=f"The disk has {free} MB left")


async def webhooks(config: Config, transport: Transport, environ: Mapping[str, str]) -> list[Finding]:
    """Whether the addresses the vendors were given lead to our listener, as far as this machine can see."""
    running = socket_path(config.state_dir, environ).exists()
    return [
        await _door(name, doors.address(config.webhooks.public_url, name), transport, running=running)
        for name, own in config.connections.items()
        if config.webhooks is not None and own.webhook_secrets
    ]


async def _door(name: str, target: str, transport: Transport, *, running: bool) -> Finding:
    # Our listener takes nothing but POST, and says whose it is.
    if not running:
        title = f"{name}: whether {target} is reached is unknown: the daemon is not running"
        return Finding(severity=Severity.OK, title=title)
    try:
        reply = await transport.send(HttpRequest(method="GET", url=target, route="", timeout=PROBE_SECONDS))
    except TlsFailed:
        return _unreached(f"{name}: {target} has no valid certificate", "renew the certificate of the proxy")
    except (NotSent, AnswerLost):
        title = f"{name}: {target} cannot be reached from this machine; whether vendors can is unknown"
        return _unreached(title, "look at the proxy, its name in DNS and the firewall; polling goes on meanwhile")
    if reply.status == 405 and reply.headers.get("server") == "syncd":
        return Finding(severity=Severity.OK, title=f"{name}: {target} leads here")
    title = f"{name}: something else answers at {target} (HTTP {reply.status})"
    return _unreached(title, "have the proxy pass /webhooks/ on to webhooks.listen")


def _unreached(title: str, cure: str) -> Finding:
    return Finding(severity=Severity.WARNING, title=title, cure=cure)
