"""An event loop on virtual time: nobody waits, one callback runs at a time, and each of them can be the last."""

import asyncio
import heapq
import selectors
import sys
import warnings
from typing import Any


class Killed(BaseException):
    """The process is gone at this very point. Nothing of it may run any more."""


class Stuck(Exception):
    """Everybody waits for somebody else: nothing is ready and no timer is set."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer as soon as nothing is ready.

    Args:
        now: what the loop's time begins at, in seconds.

    Attributes:
        left: how many callbacks may still run before `Killed`; None for any number.
        ran: how many have run.
    """

    def __init__(self, now: float = 0.0) -> None:
        super().__init__(selectors.SelectSelector())
        self.now = now
        self.left: int | None = None
        self.ran = 0
        self.set_exception_handler(lambda loop, context: None)  # what a killed process leaves behind is no news

    def time(self) -> float:
        return self.now

    def run_for(self, seconds: float) -> None:
        """Let this much virtual time pass.

        Raises:
            Killed: `left` was used up.
        """
        end = self.call_later(seconds, self.stop)
        try:
            self.run_forever()
        finally:
            end.cancel()

    def _run_once(self) -> None:
        # asyncio's own, less the waiting and the sockets; and one callback a round, so that each can be the last.
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)._scheduled = False
        if not self._ready:
            if not self._scheduled:
                raise Stuck
            self.now = max(self.now, self._scheduled[0]._when)
        while self._scheduled and self._scheduled[0]._when <= self.now:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                self._ready.append(timer)
        if not self._ready:
            return
        handle = self._ready.popleft()
        if handle._cancelled:
            return
        if self.left is not None:
            if self.left <= 0:
                raise Killed
            self.left -= 1
        self.ran += 1
        handle._run()

    def bury(self) -> None:
        """Throw away everything that was running, without letting it do anything any more.

        Its `finally` blocks run all the same, as Python has no other way; what they touch must refuse to work.
        """
        tasks = asyncio.all_tasks(self)
        hook, sys.unraisablehook = sys.unraisablehook, _ignore
        try:
            for task in tasks:
                task._log_destroy_pending = False
                coroutine: Any = task.get_coro()
                try:
                    with warnings.catch_warnings(action="ignore"):
                        coroutine.close()
                except BaseException:
                    continue  # it wanted to go on
            self._ready.clear()
            self._scheduled.clear()
            del tasks
            self.close()
        finally:
            sys.unraisablehook = hook


def _ignore(_: Any) -> None: ...
