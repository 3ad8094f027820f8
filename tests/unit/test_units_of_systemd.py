"""The units: systemd accepts them, and finds little to expose. Needs `systemd-analyze` (Debian's package systemd)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
ANALYZE = shutil.which("systemd-analyze")
PROGRAM = Path(sys.executable).with_name("syncd")
MOST_EXPOSURE = "15"  # tenths: 1.5 of 10

if ANALYZE is None:
    words = "systemd-analyze is not installed: the units are not checked"
    assert os.environ.get("CI") != "true", words
    pytest.skip(words, allow_module_level=True)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, leading to the program of this checkout instead of the installed one."""
    folder = tmp_path_factory.mktemp("units")
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.timer")):
        (folder / unit.name).write_text(unit.read_text().replace("/usr/bin/syncd", str(PROGRAM)))
    return folder


@pytest.mark.parametrize("name", ["syncd.service", "syncd-backup.service", "syncd-backup.timer"])
def test_systemd_understands_every_line(units: Path, name: str) -> None:
    """No unknown key, no value out of range, every program there."""
    environ = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    ran = analyze("verify", "--man=no", "--recursive-errors=no", str(units / name), environ=environ)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_credential_that_is_not_there_stops_nobody() -> None:
    """systemd takes an absolute path that leads nowhere for an error, and a name that it finds nowhere for none."""
    lines = [line for line in (UNITS / "syncd.service").read_text().splitlines() if line.startswith("LoadCredential")]
    assert lines
    for line in lines:
        name, _, found_as = line.partition("=")[2].partition(":")
        assert found_as == f"syncd.{name}"
        assert name.replace("_", "").isalnum()


def test_a_misspelt_line_would_be_noticed(units: Path, tmp_path: Path) -> None:
    """What the check above is worth."""
    broken = tmp_path / "syncd-broken.service"
    broken.write_text((units / "syncd.service").read_text().replace("WatchdogSec=", "WatchDogSec="))
    assert "WatchDogSec" in analyze("verify", "--man=no", str(broken)).stderr


@pytest.mark.parametrize("name", ["syncd.service", "syncd-backup.service"])
def test_little_is_exposed(units: Path, name: str) -> None:
    """systemd's own measure of what a broken-into service could reach."""
    ran = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(units / name))
    assert ran.returncode == 0, ran.stdout[-200:]


def analyze(*words: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *words], env=environ, capture_output=True, text=True, timeout=60)
