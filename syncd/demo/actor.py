"""Plays the script on the sandbox, at a pace one can follow, and says what the person does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from textwrap import shorten
from typing import Protocol

import anyio

from syncd.demo.script import Find, Row, Scene, Step
from syncd.demo.telling import DETAIL
from syncd.sandbox.base import Refusal

LOOK_AGAIN = 0.5  # seconds between two looks at a screen
PATIENCE = 15.0  # seconds until somebody who looks for a record gives up


class Hand(Protocol):
    """A person's hand on the vendors; `sandbox.client.Control` is one."""

    async def person(self, vendor: str, op: str, kind: str, id: str | None, fields: Row) -> Row:
        """Raises Refusal: the vendor forbids it."""

    async def records(self, vendor: str, kind: str) -> Sequence[Row]: ...


class Actor:
    """The person. `tell` gets each step, its line and whether the vendor took it; `pause` is the time between steps."""

    def __init__(
        self, hand: Hand, tell: Callable[[Step, str, bool], None], pause: Callable[[], Awaitable[None]]
    ) -> None:
        self._hand = hand
        self._tell = tell
        self._pause = pause

    async def play(self, scene: Scene) -> None:
        """One scene from begin to end; it ends early where a vendor refuses what the script did not expect."""
        answer: Row | None = None
        while True:
            try:
                wanted = scene.send(answer)
            except StopIteration:
                return
            if isinstance(wanted, Find):
                answer = await self._find(wanted)
                continue
            answer, taken = await self._do(wanted)
            if not wanted.at_once:
                await self._pause()
            if taken is wanted.refused:
                scene.close()
                return

    async def _do(self, step: Step) -> tuple[Row | None, bool]:
        try:
            row = await self._hand.person(step.vendor, step.op, step.kind, step.id, step.fields)
        except Refusal as refusal:
            self._tell(step, f"{step.words}: refused, {shorten(str(refusal), DETAIL, placeholder=' ...')}", False)
            return None, False
        self._tell(step, step.words.format_map(row), True)
        return row, True

    async def _find(self, wanted: Find) -> Row | None:
        with anyio.move_on_after(PATIENCE):
            while True:
                for row in await self._hand.records(wanted.vendor, wanted.kind):
                    if row.get(wanted.field) == wanted.value:
                        return row
                await anyio.sleep(LOOK_AGAIN)
        return None
