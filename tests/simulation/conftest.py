"""The simulation says what it found; the engine's own log would drown it."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests import overheard


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    overheard.quiet(logging.CRITICAL)
    yield
    structlog.configure(**before)
