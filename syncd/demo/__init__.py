"""`syncd demo`: sandbox, daemon and a scripted person on both sides in one process, told live in plain words."""

from syncd.demo.stage import run

__all__ = ["run"]
