"""The canaries can be heard: each way in which something private could be told is noticed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests import overheard
from tests.acceptance.processes import PROGRAM

SAID = [
    {"reason": "no such customer: Kalapatapu"},
    {"who": ["birds@intuit.com"]},
    {"detail": {"at": "(650) 555-3311"}},
    {"total_was": 1, "reason": "1675.52 is not 1675.50"},
    {"header": "Bearer pat-na1-sandbox-0000-0000"},
    {"form": "client_secret=sandbox-secret"},
    {"answer": '{"refresh_token":"RT1-99-H0-1234567890"}'},
]


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """What is said here on purpose is no finding."""
    before = structlog.get_config()
    overheard.quiet(60)
    yield
    structlog.configure(**before)
    overheard.told.clear()


@pytest.mark.parametrize("fields", SAID, ids=range(len(SAID)))
def test_what_is_private_is_heard(fields: dict[str, object]) -> None:
    """People, amounts and keys, wherever they stand in a line; also what another process says."""
    structlog.get_logger().info("turn.decided", **fields)
    assert len(overheard.told) == 1
    overheard.listen(f"something\n{fields}\nsomething")
    assert len(overheard.told) == 2


def test_what_is_not_told_is_not_heard() -> None:
    """Values that the log hides, an exception's text, and what is said of ids and counts."""
    log = structlog.get_logger()
    log.info("turn.decided", email="birds@intuit.com", words="Kalapatapu owes 1675.52", record="0" * 32, seconds=3.25)
    try:
        raise ValueError("Kalapatapu")
    except ValueError:
        log.exception("turn.failed")
    log.debug("http.called", reason="birds@intuit.com")
    assert overheard.told == []


def test_there_is_enough_to_be_heard() -> None:
    """Dozens of people, and every key of both vendors."""
    assert len(overheard.canaries()) > 100
    assert PROGRAM.exists()
