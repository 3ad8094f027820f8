"""A real daemon whose state lies on a small file system, which somebody else fills to the last byte again and again.

The file system is a tmpfs in a mount namespace of the daemon's own, so nobody has to be root.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from http import HTTPStatus
from pathlib import Path

import pytest

from syncd.errors import Exit
from tests.acceptance.checkers import assert_in_order, differences
from tests.acceptance.people import books_sale, crm_sale
from tests.acceptance.processes import ANY_PORT, PROGRAM
from tests.acceptance.test_service_manager import all_there
from tests.acceptance.test_webhooks import subscribed, until
from tests.acceptance.world import Snapshot, World

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
MOVE_IN = """
cp -a "$1" "$1.before" && mount -t tmpfs -o size=24m syncd "$1" && cp -a "$1.before/." "$1" && exec "$2" run
"""
FILLINGS = 12
SLACK = 200_000  # bytes that are left at most, so that it is full at another statement each time
BEING_FULL = 4.0  # seconds
PUT_OFF = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE}


def _can_mount() -> bool:
    return subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True).returncode == 0


@asynccontextmanager
async def _housed(w: World) -> AsyncIterator[tuple[Process, Path]]:
    """The daemon, and where its state is seen from outside."""
    state = w.folder / "syncd-state"
    words = (*NAMESPACE, "sh", "-c", MOVE_IN, "sh", str(state), str(PROGRAM))
    daemon = await asyncio.create_subprocess_exec(*words, cwd=w.folder, stderr=PIPE)
    try:
        yield daemon, Path(f"/proc/{daemon.pid}/root{state}")
    finally:
        if daemon.returncode is None:
            daemon.kill()
        await daemon.communicate()


def _fill(ballast: Path, slack: int) -> None:
    """Take all the room but for so many bytes."""
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break
        file.truncate(max(0, file.tell() - slack))


@pytest.mark.slow
@pytest.mark.skipif(not _can_mount(), reason="this machine lets nobody mount a file system of his own")
async def test_a_disk_that_fills_again_and_again_costs_time_and_nothing_else(
    synced: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """Sales on both sides while there is no room: webhooks are put off, the status answers, then everything arrives."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    draw = random.Random(19)
    async with synced.world(ANY_PORT) as w:
        await subscribed(w, webhook_retry_scale=0.05)
        w.set("daemon", disk_reserve="{ megabytes = 0, percent = 0 }")
        async with _housed(w) as (daemon, state):
            await until(lambda: _answers(w))
            answers: list[int] = []
            for n in range(FILLINGS):
                _fill(state / "ballast", draw.randrange(SLACK) if n % 3 else 0)
                told = len(w.sandbox.sent.rows())
                sales = [await crm_sale(w, f"Nora Quill{n}"), await books_sale(w, f"Otto Fern{n}")]
                await asyncio.sleep(BEING_FULL)
                answers += [sent.status for sent in w.sandbox.sent.rows()[told:]]
                assert (await w.status())["syncs"]
                (state / "ballast").unlink()
                await all_there(w, [sale.number for sale in sales])
            with closing(sqlite3.connect(state / "syncd.db")) as file:
                assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            await until(lambda: _even(w))
            daemon.terminate()
            assert await daemon.wait() == Exit.DONE
        assert set(answers) <= {0, HTTPStatus.OK, *PUT_OFF}
        assert PUT_OFF & set(answers)
        await assert_in_order(w.control)
        put_off = sum(status in PUT_OFF for status in answers)
        record_property("figures", ("small disk", {"fillings": FILLINGS, "webhooks put off": put_off}))


async def _answers(w: World) -> bool:
    try:
        return bool((await w.status())["syncs"])
    except Exception:  # not yet
        return False


async def _even(w: World) -> bool:
    return await differences(w.control) == []
