"""Worlds that acceptance tests begin from. `world.py` says what can be done in one."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests import overheard
from tests.acceptance.world import Snapshot, world

# What a failing test prints should be what it found, not a thousand calls that went well.
overheard.quiet(logging.WARNING)


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The default data after a first `syncd once`. Use it with `async with synced.world() as w:`."""

    async def made(folder: Path) -> Snapshot:
        async with world() as w:
            await w.once()
            return Snapshot.of(w, folder)

    return asyncio.run(made(tmp_path_factory.mktemp("synced") / "world"))
