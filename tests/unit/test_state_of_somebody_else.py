"""A20: a state that was replaced, linked elsewhere or left open is not worked on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.errors import Exit, PermissionRefused
from syncd.ownership.local import owned


def linked(state: Path) -> Path:
    (state / "syncd.db").rename(state.parent / "elsewhere.db")
    (state / "syncd.db").symlink_to(state.parent / "elsewhere.db")
    return state / "syncd.db"


def dangling(state: Path) -> Path:
    (state / "syncd.lock").symlink_to(state.parent / "nowhere")
    return state / "syncd.lock"


def readable(state: Path) -> Path:
    (state / "secrets.db").chmod(0o644)
    state.chmod(0o755)
    return state / "secrets.db"


def a_folder(state: Path) -> Path:
    (state / "master_key").mkdir()
    return state / "master_key"


def open_to_all(state: Path) -> Path:
    state.chmod(0o777)
    return state


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    for name in ("syncd.db", "secrets.db"):
        (made / name).touch(0o600)
    return made


@pytest.mark.parametrize("spoil", [linked, dangling, readable, a_folder, open_to_all])
def test_what_somebody_else_could_have_touched_is_refused(state: Path, spoil: Callable[[Path], Path]) -> None:
    """By name, with the cure and the exit code for rights; nothing is created or followed."""
    with owned(state, "run"):
        pass
    (state / "syncd.lock").unlink()
    named = spoil(state)
    with pytest.raises(PermissionRefused) as refused, owned(state, "run"):
        pass
    assert str(named) in str(refused.value)
    assert refused.value.exit is Exit.PERMISSION
    assert not (state.parent / "nowhere").exists()


def test_the_directory_may_be_a_link(state: Path) -> None:
    """As the service manager's is; and in a closed one a file's own mode does not count."""
    (state.parent / "link").symlink_to(state)
    (state / "syncd.db").chmod(0o644)  # put back with `cp`: nobody else reaches it in there
    with owned(state.parent / "link", "run"):
        pass
