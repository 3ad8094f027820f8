"""What the service manager is told, and when it is told nothing because something stands still."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from syncd import marks as module
from syncd.marks import WORK_SECONDS, WRITER_SECONDS, Marks
from syncd.notify_systemd import Notifier
from syncd.store import database
from syncd.store.errors import StoreLocked, is_locked
from syncd.store.pulse import Pulse
from syncd.store.store import Store


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's socket and its address."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@syncd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        listening.settimeout(5)
        yield address, listening


def test_every_message_arrives_as_it_is_written_down(manager: tuple[str, socket.socket]) -> None:
    """On sockets in the file system and on abstract ones."""
    address, listening = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())})
    assert notifier.watchdog == 60
    notifier.reloading()
    word, _, moment = listening.recv(1000).decode().partition("\nMONOTONIC_USEC=")
    assert word == "RELOADING=1"
    assert moment.isdigit()
    for say, told in (
        (notifier.ready, "READY=1"),
        (notifier.alive, "WATCHDOG=1"),
        (notifier.stopping, "STOPPING=1"),
        (lambda: notifier.status("1,204 synced, 3 failed"), "STATUS=1,204 synced, 3 failed"),
    ):
        say()
        assert listening.recv(1000).decode() == told


@pytest.mark.parametrize(
    "environ", [{}, {"WATCHDOG_USEC": "1"}, {"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}]
)
def test_a_watchdog_that_is_not_ours_is_left_alone(environ: dict[str, str]) -> None:
    """There is none, or it watches another process."""
    assert Notifier.of(environ).watchdog is None


def test_nobody_listening_harms_nobody(tmp_path: Path) -> None:
    """Without a manager, or with one that is gone."""
    Notifier().ready()
    Notifier(str(tmp_path / "gone")).ready()


class Engine(SimpleNamespace):
    """The part of an engine that is looked at."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.steps = 0
        self.clock = SimpleNamespace(monotonic=lambda: self.now)


def test_work_that_takes_no_step_is_stuck() -> None:
    """Only after as long as a step may take, and no longer once it moves again."""
    engine = Engine()
    marks = Marks(engine, Pulse())  # type: ignore[arg-type]
    assert marks.stuck() == []
    engine.now += WORK_SECONDS
    assert marks.stuck() == []
    engine.now += 1
    assert marks.stuck() == ["scheduler"]
    engine.steps += 1
    assert marks.stuck() == []


def test_a_writer_that_does_not_come_back_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that hangs gives no sign of life."""
    pulse = Pulse()
    marks = Marks(Engine(), pulse)  # type: ignore[arg-type]
    monkeypatch.setattr(pulse, "silent", lambda: WRITER_SECONDS + 1)
    assert marks.stuck() == ["writer"]
    assert WRITER_SECONDS > 2 * database._PATIENCE * database._LOOK_SECONDS
    assert module.WORK_SECONDS > 4 * 60  # the longest one request may take


async def test_a_locked_database_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer says that it waits, gives signs of life meanwhile, and its transaction is stored once it may."""
    monkeypatch.setattr(database, "_LOOK_SECONDS", 0.05)
    file = tmp_path / "state.db"
    store = await Store.open(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with anyio.create_task_group() as group:
        group.start_soon(store.write, lambda tx: tx.set_meta("it", "is stored"))
        with anyio.fail_after(5):
            while not store.pulse.waiting:
                await anyio.sleep(0.01)
        assert store.pulse.silent() < 1
        other.execute("COMMIT")
    assert not store.pulse.waiting
    assert await store.read(lambda tx: tx.meta("it")) == "is stored"
    other.close()
    await store.close()


async def test_a_database_that_stays_locked_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the body has run, and the next transaction goes through."""
    monkeypatch.setattr(database, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(database, "_PATIENCE", 2)
    file = tmp_path / "state.db"
    store = await Store.open(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ran: list[int] = []
    with pytest.raises(StoreLocked):
        await store.write(lambda tx: ran.append(1))
    assert not ran
    assert store.pulse.waiting
    other.close()
    await store.write(lambda tx: ran.append(2))
    assert ran == [2]
    assert not store.pulse.waiting
    await store.close()


def test_a_lock_is_recognised_among_others() -> None:
    """Also where several tasks met it at once, but not together with a fault."""
    locked = StoreLocked("held")
    assert is_locked(locked)
    assert is_locked(ExceptionGroup("tasks", [locked, ExceptionGroup("more", [locked])]))
    assert not is_locked(ExceptionGroup("tasks", [locked, KeyError("ours")]))
