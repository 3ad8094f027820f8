"""The mappings of a configuration: as a person reads them, and as the connectors must know of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from syncd import recipes
from syncd.config import Config
from syncd.core.rules import Row
from syncd.errors import UsageError
from syncd.model.content import shown
from syncd.model.references import Side
from syncd.recipes import shown_path
from syncd.recipes.load import Fields

ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # a sync's start, which no mapping depends on


def listed(config: Config, sync: str | None = None, flow: str | None = None) -> list[dict[str, Any]]:
    """Every mapping, those that are off too, in the order of syncs and flows.

    Raises:
        UsageError: there is no such sync or flow.
    """
    if sync is not None and sync not in config.syncs:
        raise UsageError(f"there is no sync “{sync}”; there is {', '.join(config.syncs)}")
    found, flows = [], dict[str, None]()
    for name in config.syncs:
        section = config.raw["syncs"][name]
        worked = {rules.name: rules.direction for rules in recipes.build(name, section, ANY_TIME).flows}
        for rules, fields, rows in recipes.tables(section):
            flows[rules.name] = None
            if sync in (None, name) and flow in (None, rules.name):
                place = {"sync": name, "flow": rules.name, "flow_direction": str(worked[rules.name])}
                place |= {f"{side}_connection": section[side.value] for side in Side}
                found += [place | _row(fields, row) for row in rows]
    if flow is not None and flow not in flows:
        raise UsageError(f"there is no flow “{flow}”; there is {', '.join(flows)}")
    return found


def _row(fields: Fields, row: Row) -> dict[str, Any]:
    left = (
        f"{fields.custom[Side.LEFT]}.?" if row.option and not row.enabled else shown_path(row.left, Side.LEFT, fields)
    )
    return {
        "name": row.name,
        "left": left,
        "right": shown_path(row.right, Side.RIGHT, fields),
        "direction": str(row.direction),
        "group": str(row.group),
        "enabled": row.enabled,
        "origin": "configuration" if row.custom else "recipe",
        "switchable": not row.fixed,
        "fixed": row.fixed,
        "constant": shown(row.constant),
        "values": dict(row.values),
        "on_create": row.on_create,
        "option": row.option,
    }
