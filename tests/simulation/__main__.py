"""`python -m tests.simulation SEED [--steps N]` replays a story; `--seconds S [--first N]` looks for failing ones."""

import argparse
import logging
import sys
import time
from collections import Counter

import structlog

from tests.simulation.story import tell


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--calm", action="store_true")
    parser.add_argument("--early", action="store_true", help="as the first stories were")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if given.seed is not None:
        ended = tell(given.seed, given.steps, calm=given.calm, early=given.early)
        print("\n".join(ended.told))
        print(ended.words() if ended.wrong else f"seed {ended.seed}: nothing wrong")
        print(f"kills {ended.kills}, requests {ended.requests}, writes {ended.writes}, {dict(ended.struck)}")
        return bool(ended.wrong)
    return hunt(given.seconds or 60.0, given.first, given.steps, calm=given.calm, early=given.early)


def hunt(seconds: float, first: int, steps: int, *, calm: bool = False, early: bool = False) -> int:
    """Tell stories for so long; prints what went wrong and the figures."""
    end, seed, wrong, struck, kills, writes = time.monotonic() + seconds, first, 0, Counter[str](), 0, 0
    while time.monotonic() < end:
        ended = tell(seed, steps, calm=calm, early=early)
        if ended.wrong:
            wrong += 1
            print(ended.words(), flush=True)
        struck, kills, writes, seed = struck + ended.struck, kills + ended.kills, writes + ended.writes, seed + 1
    print(f"seeds {seed - first}, steps {(seed - first) * steps}, kills {kills}, writes {writes}, wrong {wrong}")
    print(f"faults {dict(struck.most_common())}")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
