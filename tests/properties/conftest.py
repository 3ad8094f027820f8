"""Examples have no deadline: a busy machine is slow, not wrong. `--hypothesis-profile=many` hunts longer."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("many", deadline=None, max_examples=2000)
settings.register_profile("default", deadline=None)
