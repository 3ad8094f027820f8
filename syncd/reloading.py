"""Reading the configuration anew while everything goes on.

What is new is put together beside what runs and takes its place between two rounds, so no request is cut off and no
record is decided by half of each. A file with mistakes changes nothing.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from syncd.config import Config, load
from syncd.errors import ConfigError, Inapplicable
from syncd.notify_systemd import Notifier

if TYPE_CHECKING:
    from syncd.running import App

log = structlog.get_logger("syncd.daemon")


class Reloader:
    """Reloads on demand; further demands meanwhile are one."""

    def __init__(self, app: App, notifier: Notifier) -> None:
        self._app = app
        self._notifier = notifier
        self._asked = False

    def ask(self) -> None:
        """Somebody wants it: after the round that is under way."""
        self._asked = True
        self._notifier.reloading()
        self._app.bell.ring()

    async def look(self) -> None:
        """Reload if it was asked for."""
        if not self._asked:
            return
        self._asked = False
        try:
            await self._reload()
        finally:
            self._notifier.ready()

    async def _reload(self) -> None:
        app = self._app
        try:
            found = load(app.config.file, os.environ)
            fitting, fixed = kept(found, app.config)
            await app.renew(fitting)
        except ConfigError as error:
            app.situation.problems = [str(problem) for problem in error.problems]
            # Not the words: they may quote what stands in the file.
            places = [{"line": problem.line, "key": problem.key} for problem in error.problems]
            log.error("configuration.refused", file=str(app.config.file), problems=places)
            return
        app.situation.problems, app.situation.restart = [], fixed
        if fixed:
            log.warning("configuration.restart_needed", keys=fixed)
        log.info("configuration.reloaded", syncs=[sync.name for sync in app.syncs])


def refuse_outdated(config: Config) -> None:
    """Refuse what a person means for the rules in the file while others are in force.

    Raises:
        Inapplicable: the file is not what was read of it, or cannot be read.
    """
    cure = "have it read anew (systemctl reload, or SIGHUP to the daemon) and ask again"
    try:
        found = load(config.file, os.environ)
    except ConfigError as error:
        raise Inapplicable(f"{config.file} has mistakes, see `syncd check`: correct them, {cure}") from error
    if found.raw.get("syncs") != config.raw.get("syncs"):
        raise Inapplicable(f"{config.file} has changed since it was read: {cure}")


def kept(found: Config, old: Config) -> tuple[Config, list[str]]:
    """The new configuration with what a running daemon cannot change left as it was, and the keys that concerns."""
    fixed = [
        key for key in ("listen", "state_dir", "database") if getattr(found.daemon, key) != getattr(old.daemon, key)
    ]
    daemon = found.daemon.model_copy(update={key: getattr(old.daemon, key) for key in fixed})
    keys = [f"daemon.{key}" for key in fixed]
    webhooks = found.webhooks
    if (webhooks and webhooks.listen) != (old.webhooks and old.webhooks.listen):
        keys.append("webhooks.listen")
        webhooks = old.webhooks
    return replace(found, daemon=daemon, state_dir=old.state_dir, webhooks=webhooks), keys
