"""Promise 23 at scale: a state from long ago is put back. All that was made since is linked again, nothing is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.bustle import Bustle
from tests.acceptance.checkers import assert_in_order
from tests.acceptance.test_restored_state import back_by_the_command, copied, pairs, truth
from tests.acceptance.world import Snapshot, World

FEW, MANY = 60, 1000  # records made after the copy, on both sides together
EDITS = 5  # one in so many of them is edited after the last pass


async def _restored(w: World, records: int) -> dict[str, int]:
    """The copy, as many new records, edits nobody has carried over yet, the copy put back, and a pass."""
    copy, people = await copied(w), Bustle(w)
    before = len(await pairs(w))
    while len(await pairs(w)) - before < records:
        await people.go(records)
        await w.once()
    assert await people.missing() == []
    linked, there = await pairs(w), await truth(w)
    edits = await people.edit_here_and_there(records // EDITS)
    end = await w.mark()
    await back_by_the_command(w, copy)
    status = await w.once()
    assert status["daemon"]["state"] == "current"
    assert await truth(w) == there
    again = await pairs(w)
    assert again.keys() == linked.keys()
    assert await people.overwritten(edits) == []
    ours = {entry["operation"] for entry in await w.written(end)}
    assert ours <= {"update"}  # an edit of what the copy knew may be carried over; nothing is created
    await assert_in_order(w.control)
    return {"relinked": len(linked) - before, "edits kept": len(edits), "overwritten": 0, "duplicates": 0}


async def test_everything_made_since_the_copy_is_linked_again(synced: Snapshot) -> None:
    """Sales on both sides and edits since: the same pairs as before, no edit overwritten."""
    async with synced.world() as w:
        await _restored(w, FEW)


@pytest.mark.slow
async def test_a_copy_a_thousand_records_old(synced: Snapshot, record_property: Callable[[str, object], None]) -> None:
    """The same with a thousand."""
    async with synced.world() as w:
        record_property("figures", ("restore", await _restored(w, MANY)))
