"""The mappings of a configuration: as a person reads them, and as the connectors must know of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from syncd import recipes
from syncd.config import Config
from syncd.connectors.base import MappedField
from syncd.core.crossing import as_text
from syncd.core.filter_values import CUSTOM, FieldType
from syncd.core.rules import FlowRules, Row
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


def fields(config: Config, connection: str) -> tuple[MappedField, ...]:
    """The custom fields of a connection that mappings use, once for each mapping."""
    found = []
    for name, sync in config.syncs.items():
        for side in Side:
            if connection == (sync.left if side is Side.LEFT else sync.right):
                rules = recipes.build(name, config.raw["syncs"][name], ANY_TIME)
                found += [_field(flow, row, side) for flow in rules.flows for row in flow.rows if _custom(row, side)]
    return tuple(dict.fromkeys(found))


def _custom(row: Row, side: Side) -> bool:
    return row.path(side).startswith(CUSTOM)


def _field(flow: FlowRules, row: Row, side: Side) -> MappedField:
    written = row.direction.allows(side.other) and flow.direction.allows(side.other)
    held = [*row.options(side), *([as_text(row.constant)] if written and row.constant is not None else [])]
    return MappedField(
        kind=flow.kind,
        name=row.path(side).removeprefix(CUSTOM),
        written=written,
        meets=FieldType.CUSTOM if row.values else row.type(side.other) or FieldType.CUSTOM,
        options=tuple(held),
    )


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
