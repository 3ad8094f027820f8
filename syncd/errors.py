"""What can end a command, and the code it exits with.

::

    SyncdError                 shown in a sentence, never as a traceback
    ├── ConfigError            78  every problem of the configuration, each with file, line and cure
    ├── VendorUnreachable      69  a vendor, the sandbox or the daemon does not answer
    ├── StateBusy              75  another process owns the state
    ├── PermissionRefused      77  a credential or a file's rights do not allow it
    └── UsageError              2  the command line names something that is not there
        ├── NoRecord               no record has this id
        ├── Inapplicable           the action does not fit the record as it stands
        │   └── Unconfirmed        it would do what cannot be undone
        ├── BadArguments           something is missing, unknown, or makes no sense
        └── KeyReused              the same idempotency key for something else

Trouble with one record is no error here: it is a row of the catalogue on the record. Trouble with a connection is
`connectors.base.ConnectionTrouble` and ends up on the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Exit(IntEnum):
    """Exit codes of every command; the numbers above 63 are those of sysexits.h."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    UNREACHABLE = 69
    BUSY = 75
    PERMISSION = 77
    CONFIGURATION = 78


class SyncdError(Exception):
    """Something a person can cure; the message says how."""

    exit = Exit.SOME_FAILED


class VendorUnreachable(SyncdError):
    """The other end of a connection does not answer."""

    exit = Exit.UNREACHABLE


class StateBusy(SyncdError):
    """Another process owns the state."""

    exit = Exit.BUSY


class PermissionRefused(SyncdError):
    """A credential or a file's rights do not allow it."""

    exit = Exit.PERMISSION


class UsageError(SyncdError):
    """The command line names something that is not there."""

    exit = Exit.USAGE


class NoRecord(UsageError):
    """No record has this id."""


class Inapplicable(UsageError):
    """The action does not fit the record as it stands."""


class Unconfirmed(Inapplicable):
    """It would do what cannot be undone; to be asked again with a confirmation."""


class BadArguments(UsageError):
    """Something is missing, unknown, or makes no sense."""


class KeyReused(UsageError):
    """The same idempotency key was told for something else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration file.

    `key` is written as in the file (`connections.crm.token`), empty for the file as a whole; `line` counts from 1.
    """

    file: Path
    line: int
    key: str
    message: str
    cure: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: "
        return f"{place}{self.key}: {self.message}" if self.key else f"{place}{self.message}"


class ConfigError(SyncdError):
    """The configuration cannot be used; carries all of its problems, in the order of their lines."""

    exit = Exit.CONFIGURATION

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.key)))
        super().__init__("\n".join(f"{problem}\n    cure: {problem.cure}" for problem in self.problems))
