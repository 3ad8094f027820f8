"""The fuzzer on all targets: what was found once, a short slice with every run, a long one with `make hunt`."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import structlog

from syncd import plan_file
from syncd.connectors.hubspot import webhooks as hubspot
from syncd.connectors.quickbooks import client
from syncd.store import codec
from tests.fuzz.engine import Figures, Finding, Target, Watch, fuzz, unpacked
from tests.fuzz.found import FOUND
from tests.fuzz.targets import TARGETS

BY_NAME = {target.name: target for target in TARGETS}
TIMES = 15  # as many runs in a long slice
BAD_FORMS = pytest.mark.filterwarnings("ignore::RuntimeWarning:aiohttp.multipart")  # aiohttp's word on bad multipart
EACH = pytest.mark.parametrize("target", TARGETS, ids=list(BY_NAME))


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """What is said is listened to; nobody needs to read it."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("name", list(FOUND))
def test_what_was_found_once_is_cured(name: str) -> None:
    """It is taken or refused as its target says."""
    target = BY_NAME[name]
    watch = Watch(frozenset(str(module.__file__) for module in target.about))
    for seed in FOUND[name]:
        watch.run(target, seed)


@BAD_FORMS
@EACH
def test_no_input_is_more_than_refused(target: Target, record_property: Callable[[str, object], None]) -> None:
    """A value or the parser's own error, bounded in time and memory, and nothing private in the log."""
    figures = fuzz(target, target.runs)
    record_property("figures", ("fuzz", _told([figures])))
    assert figures.lines > figures.of // 2, "hardly any of it is reached"


@pytest.mark.slow
@BAD_FORMS
@EACH
def test_no_input_is_more_than_refused_for_long(target: Target, record_property: Callable[[str, object], None]) -> None:
    """Thousands of inputs, from two seeds."""
    found = [fuzz(target, target.runs * TIMES, seed) for seed in (1, 2)]
    record_property("figures", (f"fuzz of {target.name}", _told(found)))


def _told(found: list[Figures]) -> dict[str, int]:
    last = found[-1]
    return {
        "inputs": sum(one.inputs for one in found),
        "kept": sum(one.kept for one in found),
        "lines": last.lines,
        "of lines": last.of,
        "steps": last.steps,
    }


def test_the_same_seed_tries_the_same() -> None:
    """So that a finding can be found again."""
    target = BY_NAME["webhook of quickbooks"]
    assert fuzz(target, 200, 5) == fuzz(target, 200, 5)
    seen: list[list[bytes]] = [[], []]
    for tried in seen:
        run = Target(**{**vars(target), "run": lambda label, data, tried=tried: tried.append(data)})
        fuzz(run, 100, 5)
    assert seen[0] == seen[1]


# -- faults that are planted

ITEMS = "isinstance(items, list) or not all(isinstance(item, dict) for item in items)"
PLANTED = [
    (hubspot, "webhook of hubspot, v3", 'text(event.get("associationType"))', 'event.get("associationType", "")'),
    (hubspot, "webhook of hubspot, v3", "except (ValueError, RecursionError)", "except KeyError"),
    (client, "answers by themselves", ITEMS, "items"),
    (client, "answers by themselves", "if len(found) < len(rows):", "if not found:"),
    (plan_file, "plan files", "except (TypeError, ValueError, RecursionError):", "except RecursionError:"),
    (codec, "stored rows", "ArithmeticError, AssertionError", "AssertionError"),
]


@pytest.mark.parametrize(("module", "name", "right", "wrong"), PLANTED, ids=range(len(PLANTED)))
def test_a_planted_fault_is_found_in_the_short_slice(
    module: ModuleType, name: str, right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of a parser with one line spoiled, in the place of the parser; the finding can be tried again."""
    target, copy = BY_NAME[name], _spoilt(module, right, wrong, tmp_path)
    for key, value in vars(copy).items():
        if getattr(value, "__module__", "") == copy.__name__ and callable(value):
            monkeypatch.setattr(module, key, value)
    about = [copy if one is module else one for one in target.about]
    with pytest.raises(Finding) as caught:
        fuzz(Target(**{**vars(target), "about": about}), target.runs)
    label, data = caught.value.seed
    assert unpacked(str(caught.value).rpartition("' ")[2]) == data
    with pytest.raises(Finding):
        Watch(frozenset()).run(target, (label, data))


def _spoilt(module: ModuleType, right: str, wrong: str, folder: Path) -> ModuleType:
    source = Path(str(module.__file__)).read_text()
    assert source.count(right) == 1
    (folder / "copy.py").write_text(source.replace(right, wrong))
    name = f"{module.__name__}_spoilt"
    spec = importlib.util.spec_from_file_location(name, folder / "copy.py")
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    del sys.modules[name]
    return made
