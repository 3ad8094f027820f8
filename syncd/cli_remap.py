"""`syncd remap` from the command line: the preview, then the word to the daemon, or to the state if none runs."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from syncd import remap
from syncd.app import opened
from syncd.cli_client import daemon
from syncd.config import Config
from syncd.running import App
from syncd.status.local import known


async def remapped(config: Config, sync: str | None, flow: str | None, *, carry_out: bool) -> dict[str, Any]:
    """What would change, and how many records of each flow; with `carry_out` they are due for it.

    Raises:
        UsageError: there is no such sync or flow.
        StateBusy: another command owns the state.
    """
    async with daemon(config, os.environ) as running:
        purpose = "remap" if carry_out and running is None else None
        async with opened(config, purpose) as app:
            asked = _asked(app, sync, flow)
            found = [one for name, flows in asked.items() for one in await remap.preview(app.engine, name, flows)]
            counts = Counter((one.record.sync, one.record.flow) for one in found)
            if carry_out:
                teller = running or app
                for place in counts:
                    counts[place] = int(str((await teller.control(remap.ACTION, *place))["records"]))
    flows = {" ".join(place): n for place, n in counts.items()}
    return {"carried_out": carry_out, "flows": flows, "records": [one.to_plain() for one in found]}


def _asked(app: App, sync: str | None, flow: str | None) -> dict[str, tuple[str, ...]]:
    if sync is not None or flow is not None:
        for name in [sync] if sync else [one.name for one in app.syncs]:
            known(app.syncs, name, flow or next(one.name for one in app.syncs[0].flows))
    return {
        one.name: tuple(each.name for each in one.flows if flow in (None, each.name))
        for one in app.syncs
        if sync in (None, one.name)
    }
