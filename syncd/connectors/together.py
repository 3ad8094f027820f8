"""Several reads at once; the caller's pace keeps them polite."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def together(*reads: Coroutine[Any, Any, T]) -> list[T]:
    """The results in the order of the reads. All have ended when it returns or raises the first failure."""
    results: dict[int, T] = {}
    failures: dict[int, Exception] = {}

    async def one(place: int, read: Coroutine[Any, Any, T]) -> None:
        try:
            results[place] = await read
        except Exception as error:  # noqa: BLE001 # raised again below
            failures[place] = error

    try:
        # asyncio.gather would make a cancellation its own, which nobody who called for it recognises.
        async with anyio.create_task_group() as group:
            for place, read in enumerate(reads):
                group.start_soon(one, place, read)
    finally:
        for read in reads:
            read.close()  # of those that were cancelled before they began
    if failures:
        raise failures[min(failures)]
    return [results[place] for place in range(len(reads))]
