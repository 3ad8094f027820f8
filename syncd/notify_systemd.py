"""What the service manager is told, over the socket it names (systemd: sd_notify). Nobody listens: nothing is said."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notifier:
    """Talks to the service manager.

    Attributes:
        address: of its datagram socket; a leading `@` means the abstract namespace. None without a service manager.
        watchdog: seconds within which it wants a sign of life; None when it wants none.
    """

    address: str | None = None
    watchdog: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """As the service manager has set it up for this process."""
        address = environ.get("NOTIFY_SOCKET") or None
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        given = environ.get("WATCHDOG_USEC", "") if ours else ""
        watchdog = int(given) / 1_000_000 if given.isdigit() and int(given) else None
        return cls(address, watchdog if address else None)

    def ready(self) -> None:
        """The service does its work: after the start, and after a reload."""
        self._say("READY=1")

    def reloading(self) -> None:
        """The configuration is being read anew; `ready` ends it."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service comes to its end."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """The watchdog's sign of life."""
        self._say("WATCHDOG=1")

    def status(self, line: str) -> None:
        """One line for `systemctl status`."""
        self._say(f"STATUS={line}")

    def _say(self, *words: str) -> None:
        if self.address is None:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1.0)  # a manager that does not listen must not hold us up
            try:
                sender.sendto("\n".join(words).encode(), address)
            except OSError:
                return  # it is gone, or its queue is full: the watchdog is there for that
