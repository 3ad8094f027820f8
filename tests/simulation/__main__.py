"""`python -m tests.simulation SEED [--steps N]` replays a story; `--seconds S [--first N]` looks for failing ones."""

import argparse
import sys
from itertools import count
from pathlib import Path

from tests.simulation.hunt import hunt, quiet
from tests.simulation.story import tell


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--calm", action="store_true", help="nothing goes wrong")
    parser.add_argument("--early", action="store_true", help="as the first stories were")
    given = parser.parse_args()
    quiet()
    if given.seed is not None:
        ended = tell(given.seed, given.steps, calm=given.calm, early=given.early)
        print("\n".join(ended.told))
        print(ended.words() if ended.wrong else f"seed {ended.seed}: nothing wrong")
        print(f"kills {ended.kills}, requests {ended.requests}, writes {ended.writes}, {dict(ended.struck)}")
        print(f"journals {ended.digest}")
        return bool(ended.wrong)
    how = {"calm": given.calm, "early": given.early}
    figures = hunt(
        count(given.first), given.steps, given.seconds, given.jobs, lambda words: print(words, flush=True), **how
    )
    print(f"{figures.table()}\n{figures.seconds:.0f} seconds, failing: {figures.failing or 'none'}")
    if given.json is not None:
        given.json.write_text(figures.plain() + "\n")
    return len(figures.failing)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
