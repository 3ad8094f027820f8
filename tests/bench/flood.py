"""A flood of webhooks: far more senders at once than any vendor has, for half a minute."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from tests.bench.figures import Figure
from tests.bench.house import SYNCD, House, environment, house
from tests.bench.rows import free_port

SECRET = "sandbox-verifier"
SECONDS = 30.0
SENDERS = 100  # HubSpot delivers to ten at once, Intuit to one: ten times the more eager of both
ASKED_TO_WAIT = 0.05  # seconds a sender waits after a 503; a vendor waits ten


async def flood(seconds: float = SECONDS) -> list[Figure]:
    """What is acknowledged is stored; answers stay quick and the memory bounded."""
    async with house(0) as home:
        port = _listening(home)
        words = [sys.executable, *SYNCD, "run", "--json", "--config", str(home.file)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as daemon:
            assert daemon.stderr is not None
            while "poll.changed" not in await asyncio.to_thread(daemon.stderr.readline):
                assert daemon.poll() is None, "the daemon ended"
            drain = asyncio.create_task(asyncio.to_thread(daemon.stderr.read))
            realm = (await home.control.credentials())["quickbooks"]["realm_id"]
            took, busy = await _send(f"http://127.0.0.1:{port}/webhooks/books", realm, seconds)
            peak = Path(f"/proc/{daemon.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
            os.kill(daemon.pid, signal.SIGTERM)
            await drain
        with sqlite3.connect(home.config.state_dir / "syncd.db") as state:
            (stored,) = state.execute("select count(*) from deliveries").fetchone()
    took.sort()
    what = f"{SENDERS} senders at once for {seconds:.0f} s"
    return [
        Figure(
            name="flood", what=f"{what}: acknowledged less stored", unit="webhooks", ours=len(took) - stored, target=0
        ),
        Figure(name="flood", what="p99 of the answers", unit="s", ours=took[len(took) * 99 // 100], target=0.5),
        Figure(
            name="flood",
            what="most memory",
            unit="MB",
            ours=int(peak) / 1024,
            target=200,
            note=f"{len(took) / seconds:.0f} acknowledged a second, {busy} asked to come again",
        ),
    ]


def _listening(home: House) -> int:
    port = free_port()
    (home.folder / "verifier").write_text(SECRET)
    (home.folder / "verifier").chmod(0o600)
    text = home.file.read_text().replace("127.0.0.1:8300", f"127.0.0.1:{free_port()}")
    text = text.replace('vendor = "quickbooks"', 'vendor = "quickbooks"\nwebhook_secret = { file = "verifier" }')
    home.file.write_text(text + f'\n[webhooks]\nlisten = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\n')
    return port


async def _send(url: str, realm: str, seconds: float) -> tuple[list[float], int]:
    """Seconds of each acknowledged request, and how many were asked to come again."""
    took: list[float] = []
    busy = 0
    end = time.perf_counter() + seconds
    connector = aiohttp.TCPConnector(limit=SENDERS, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def sender(number: int) -> None:
            nonlocal busy
            count = 0
            while time.perf_counter() < end:
                count += 1
                body = _body(realm, f"{number}{count:06d}")
                sign = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
                headers = {"intuit-signature": sign, "Content-Type": "application/json"}
                began = time.perf_counter()
                async with session.post(url, data=body, headers=headers) as answer:
                    if answer.status == 200:
                        took.append(time.perf_counter() - began)
                    else:
                        busy += 1
                        await asyncio.sleep(ASKED_TO_WAIT)

        await asyncio.gather(*(sender(number) for number in range(1, SENDERS + 1)))
    return took, busy


def _body(realm: str, id: str) -> bytes:
    entity = {"name": "Invoice", "id": id, "operation": "Update", "lastUpdated": "2026-11-01T00:00:00.000Z"}
    told = {"realmId": realm, "dataChangeEvent": {"entities": [entity]}}
    return json.dumps({"eventNotifications": [told]}).encode()
