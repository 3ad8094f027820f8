"""Wakes one sleeper before its time."""

from __future__ import annotations

import anyio


class Bell:
    """Whoever rings while nobody sleeps is heard by the next one who lies down, unless it was hushed in between."""

    def __init__(self) -> None:
        self._rung = anyio.Event()

    @property
    def rung(self) -> anyio.Event:
        """Happens when it rings, or has rung since it was hushed."""
        return self._rung

    def ring(self) -> None:
        """There is something to do now."""
        self._rung.set()

    def hush(self) -> None:
        """Whatever was rung for is being done."""
        self._rung = anyio.Event()

    async def rest(self, seconds: float, until: anyio.Event) -> None:
        """Wait until it rings, the event happens or the time is over."""
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as group:

                async def first(event: anyio.Event) -> None:
                    await event.wait()
                    group.cancel_scope.cancel()

                group.start_soon(first, until)
                group.start_soon(first, self._rung)
