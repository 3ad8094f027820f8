"""What many stories come to: a table for people, and the same as JSON."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.story import Ended

PROMISES = {
    "duplicates": ("duplicates", "one_record"),
    "lost updates": ("lost", "order"),
    "echo writes": ("echo",),
    "money differences": ("money",),
    "differences called synced": ("equal",),
    "never settled": ("settled",),
}
"""Rows of the table, and the judges whose findings they count. What any other judge finds is `unexplained`."""


@dataclass
class Figures:
    """Sums over stories.

    Attributes:
        hits: the vendors' faults that met a request, by name. struck: everything else that befell, by name.
        found: what the judges found, by judge. failing: seeds with a finding. seconds: how long it took.
    """

    seeds: int = 0
    steps: int = 0
    kills: int = 0
    requests: int = 0
    writes: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    failing: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, ended: Ended) -> None:
        self.seeds += 1
        self.steps += ended.steps
        self.kills += ended.kills
        self.requests += ended.requests
        self.writes += ended.writes
        for name, n in ended.struck.items():
            (self.hits if name.startswith("hits:") else self.struck)[name.removeprefix("hits:")] += n
        self.found += Counter({name: len(listed) for name, listed in ended.wrong.items()})
        if ended.wrong:
            self.failing.append(ended.seed)

    def rows(self) -> dict[str, int]:
        """The table, less what befell by name."""
        named = {name for judges in PROMISES.values() for name in judges}
        return {
            "seeds": self.seeds,
            "steps": self.steps,
            "requests": self.requests,
            "writes": self.writes,
            "faults that met a request": sum(self.hits.values()),
            "other misfortunes": sum(self.struck.values()),
            "kills": self.kills,
            **{row: sum(self.found[name] for name in judges) for row, judges in PROMISES.items()},
            "unexplained": sum(n for name, n in self.found.items() if name not in named),
        }

    def table(self) -> str:
        rows = {name: f"{n:,}" for name, n in self.rows().items()}
        rows |= {f"fault {name}": f"{n:,}" for name, n in sorted(self.hits.items())}
        rows |= {f"misfortune {name}": f"{n:,}" for name, n in sorted(self.struck.items())}
        return "\n".join(["| | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows.items())])

    def plain(self) -> str:
        """As JSON."""
        whole: dict[str, Any] = {"seconds": round(self.seconds, 1), **self.rows()}
        whole |= {"faults": dict(sorted(self.hits.items())), "misfortunes": dict(sorted(self.struck.items()))}
        whole |= {"found": dict(sorted(self.found.items())), "failing": sorted(self.failing)}
        return json.dumps(whole, indent=1)
