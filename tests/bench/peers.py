"""Others at the same work, in the same run: a script with the vendors' own client libraries, and vdirsyncer."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.bench.carddav import serving
from tests.bench.figures import Figure, Skipped
from tests.bench.house import house, spend
from tests.bench.rows import LATENCY, RECORDS

SCRIPTED = 40  # invoices: one call at a time takes its time, and each takes the same
CARDS = 100
SCRIPT, CARDDAV = "client libraries", "vdirsyncer"
CONFIGURATION = """\
[general]
status_path = "{folder}/status"
[pair contacts]
a = "here"
b = "there"
collections = ["contacts"]
conflict_resolution = "a wins"
[storage here]
type = "filesystem"
path = "{folder}/a"
fileext = ".vcf"
[storage there]
type = "carddav"
url = "{url}"
"""


async def peers() -> list[Figure | Skipped]:
    """Both of them, at the latency of `initial`, on fewer records."""
    return [await _script(), await _vdirsyncer()]


def beside(found: list[Figure | Skipped]) -> list[Figure | Skipped]:
    """The peers' figures beside our initial sync, if both were measured."""
    made: list[Figure | Skipped] = []
    ours = next((row for row in found if isinstance(row, Figure) and row.name == "initial"), None)
    for row in found:
        if isinstance(row, Figure) and row.name == "peers" and ours is not None:
            made.append(replace(row, ours=ours.ours))
        else:
            made.append(row)
    return made


def _scaled(peer: str, seconds: float, records: int, note: str) -> Figure:
    return Figure(
        name="peers",
        what=f"{RECORDS} records, {1000 * LATENCY:.0f} ms a call",
        unit="s",
        ours=0.0,
        peer=peer,
        theirs=seconds * RECORDS / records,
        note=f"{note}; measured on {records} records and multiplied",
    )


async def _script() -> Figure | Skipped:
    if importlib.util.find_spec("hubspot") is None or importlib.util.find_spec("quickbooks") is None:
        return Skipped("peers", "the vendors' client libraries (group interop) are not installed")
    async with house(SCRIPTED) as home:
        await home.latency(LATENCY)
        words = ["-m", "tests.bench.script", home.address, str(SCRIPTED)]
        spent = await asyncio.to_thread(spend, words)
        made = (await home.calls()).total()
    return _scaled(SCRIPT, spent.wall, SCRIPTED, f"a plain script, one call at a time, {made} calls")


async def _vdirsyncer() -> Figure | Skipped:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = await asyncio.to_thread(_installed, folder)
        if program is None:
            return Skipped("peers", "vdirsyncer could not be installed from PyPI")
        _cards(folder / "a" / "contacts")
        async with serving(LATENCY) as server:
            (folder / "config").write_text(CONFIGURATION.format(folder=folder, url=server.url))
            command = [str(program), "-v", "CRITICAL", "-c", str(folder / "config")]
            await asyncio.to_thread(_run, [*command, "discover"])
            started = asyncio.get_running_loop().time()
            await asyncio.to_thread(_run, [*command, "sync"])
            seconds = asyncio.get_running_loop().time() - started
        if len(server.cards) != CARDS:
            return Skipped("peers", f"vdirsyncer brought over {len(server.cards)} of {CARDS} cards")
    return _scaled(CARDDAV, seconds, CARDS, f"a folder and a CardDAV server, {server.requests} calls")


def _installed(folder: Path) -> Path | None:
    """vdirsyncer in an environment of its own; None without a way to PyPI."""
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, capture_output=True)
        pip = [str(folder / "venv" / "bin" / "pip"), "install", "--quiet", "vdirsyncer"]
        subprocess.run(pip, check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError):
        return None
    found = shutil.which("vdirsyncer", path=str(folder / "venv" / "bin"))
    return None if found is None else Path(found)


def _run(command: list[str]) -> None:
    direct = {**os.environ, "NO_PROXY": "*"}
    done = subprocess.run(command, input="y\n" * 20, text=True, capture_output=True, env=direct)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])


def _cards(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(CARDS):
        lines = ("BEGIN:VCARD", "VERSION:3.0", f"UID:card-{number}", f"FN:Customer {number}", f"N:{number};;;;")
        text = "\r\n".join((*lines, f"EMAIL:customer{number}@example.com", "END:VCARD", ""))
        (folder / f"card-{number}.vcf").write_bytes(text.encode())
