"""How fast it is, measured and not asserted: `make bench`, or `python -m tests.bench [--json FILE] [ROW ...]`.

All of it takes some quarter of an hour on two cores; `--records` shrinks the ten thousand. Sandboxes run in processes
of their own, with limits off and our pacers lifted (option `pace = "off"`, for loopback only) but in `limits`.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from tests.bench import flood, million, page, peers, real_limits, rows
from tests.bench.figures import Figure, Skipped, table

Row = Callable[[], Awaitable[list[Figure] | list[Figure | Skipped]]]


def _rows(records: int) -> dict[str, Row]:
    return {
        "start": rows.start,
        "initial": rows.initial,
        "peers": peers.peers,
        "calls": rows.calls,
        "many": partial(rows.many, records),
        "limits": real_limits.run,
        "flood": flood.flood,
        "page": page.page,
        "million": partial(million.run, 100 * records),
    }


async def _main(names: list[str], records: int, file: Path | None) -> None:
    known = _rows(records)
    found: list[Figure | Skipped] = []
    if "peers" in names and "initial" not in names:
        names = ["initial", *names]  # what they are held against
    for name in names or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found += await known[name]()
    found = peers.beside(found)
    print(table(found))
    if file is not None:
        whole = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "rows": [row.plain() for row in found]}
        file.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too (make: bench.json)")
    parser.add_argument("--records", type=int, default=rows.MANY, help="instead of ten thousand")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(_rows(0)))
    words = parser.parse_args()
    asyncio.run(_main(words.rows, words.records, words.json))
