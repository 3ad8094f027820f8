"""`python -m tests.fuzz TARGET LABEL DATA` tries one input again; with `TARGET RUNS [SEED]` it looks for others."""

from __future__ import annotations

import logging
import sys

import structlog

from tests.fuzz.engine import Watch, fuzz, unpacked
from tests.fuzz.targets import TARGETS


def main(name: str, *rest: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    target = next(one for one in TARGETS if one.name == name)
    if rest[0].isdigit() and (len(rest) == 1 or rest[1].isdigit()):
        print(fuzz(target, *map(int, rest)))
    else:
        label, data = rest
        print("accepted" if Watch(frozenset()).run(target, (label, unpacked(data))) else "refused")


if __name__ == "__main__":
    main(*sys.argv[1:])
