"""What remains right when the daemon's process dies, is stopped, or meets another one."""

import asyncio
import random
import signal
from asyncio.subprocess import Process
from contextlib import suppress

import pytest

from syncd.errors import Exit
from tests.acceptance.checkers import assert_in_order, picture, unlike
from tests.acceptance.people import crm_sale, ended_well
from tests.acceptance.processes import ANY_PORT, Killer, intercept, running, until
from tests.acceptance.world import Snapshot, World, world

KILLS = 8
IDLE = 10.0  # seconds after which a daemon has nothing left to do
LATENCY = 0.02  # seconds a vendor takes, so that several requests are under way at any moment
SLOW_SEEDS = range(2, 15)  # 13 x 8 kills


async def _settled(w: World) -> None:
    """Let everything come to its end; then a further pass writes nothing."""
    await w.once()
    end = await w.mark()
    await w.once()
    assert await w.written(end) == []


async def _as_if_nothing_had_happened(w: World, synced: Snapshot) -> None:
    await assert_in_order(w.control)
    async with synced.world() as undisturbed:
        expected = await picture(undisturbed.control)
    found = unlike(await picture(w.control), expected)
    states = [(row["flow"], row["label"], row["code"], row["words"]) for row in await w.records(status="failed")]
    assert not found, "\n".join([*found, *map(str, states)])


async def _dead(daemon: Process, killer: Killer) -> None:
    """Wait for the death of a daemon; one that has nothing left to ask for is killed at last, too."""
    with suppress(TimeoutError):
        await asyncio.wait_for(daemon.wait(), IDLE)
    killer.kill()
    assert daemon.stderr is not None
    words = (await daemon.stderr.read()).decode()
    assert await daemon.wait() == -signal.SIGKILL, words


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in SLOW_SEEDS)])
async def test_kills_during_the_initial_sync_leave_no_trace(seed: int, synced: Snapshot):
    """`kill -9` again and again, mid-request: nothing is there twice, and in the end both sides are as without."""
    async with world(changes=[ANY_PORT]) as w:
        bounds = "{ late_commit = 1.0, search_lag = 0.5 }"  # what got lost is to be found between the kills, too
        w.set("connections.crm", options=bounds)
        for vendor in w.sandbox.vendors:
            await w.control.settings(vendor, latency=LATENCY)
        killer = Killer(random.Random(seed))
        intercept(w, killer)
        for _ in range(KILLS):
            async with running(w, "run") as daemon:
                killer.aim(daemon)
                await _dead(daemon, killer)
        await _settled(w)
        await _as_if_nothing_had_happened(w, synced)


async def test_a_stop_in_the_middle_of_the_work_is_clean(synced: Snapshot):
    """SIGTERM during the initial sync: exit 0 soon, and the next one goes on where it was."""
    async with world(changes=[ANY_PORT]) as w:
        for vendor in w.sandbox.vendors:
            await w.control.settings(vendor, latency=LATENCY)
        async with running(w, "run") as daemon:
            await until(lambda: any(v.journal.entries for v in w.sandbox.vendors.values()))
            assert await _stopped(daemon) == Exit.DONE
        await _settled(w)
        await _as_if_nothing_had_happened(w, synced)


async def test_a_silent_vendor_does_not_hold_up_the_stop(synced: Snapshot):
    """A write is out and its answer does not come: the daemon ends in time, and the write is found afterwards."""
    async with synced.world(ANY_PORT) as w:
        sale = await crm_sale(w)
        hanging = {"path": r"/v3/company/\d+/batch", "contains": '"Customer":{'}
        await w.control.arm("quickbooks", "slow", hanging, options={"delay": 60})
        async with running(w, "run") as daemon:
            await until(lambda: any(row.hits for row in w.sandbox.faults.of("quickbooks")))
            assert await _stopped(daemon) == Exit.DONE
        await w.control.disarm()
        await ended_well(w, sale)


async def _stopped(daemon: Process) -> int:
    """The exit code of a daemon that is told to stop, which it does within 20 seconds."""
    daemon.terminate()
    async with asyncio.timeout(20):
        return await daemon.wait()


async def test_a_second_daemon_on_the_same_state_is_refused(synced: Snapshot):
    """Exit code 75, naming the first, which goes on."""
    async with synced.world(ANY_PORT) as w, running(w, "run") as first:
        lock = w.folder / "syncd-state" / "syncd.lock"
        await until(lambda: f"process {first.pid}" in lock.read_text())
        code, _, words = await w.command("run")
        assert code == Exit.BUSY
        assert f"process {first.pid}" in words
        assert first.returncode is None
        assert await _stopped(first) == Exit.DONE
