"""A recipe bent by a configuration: checked first, with every mistake at once, then turned into the rules of a sync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from syncd.core.filters import Filter, parse
from syncd.core.rules import Conflict, Direction, FlowRules, Row, SyncRules
from syncd.model.references import Kind, Side
from syncd.model.values import digest
from syncd.recipes import mappings, options
from syncd.recipes.load import Fields, load, names

Found = tuple[tuple[str | int, ...], str, str]
"""One mistake: where (a path of keys inside the sync's section), what, and the cure."""

SIDES = {"left-to-right": Side.LEFT, "right-to-left": Side.RIGHT}


def check(recipe: str, section: Mapping[str, Any], connections: Mapping[str, str]) -> list[Found]:
    """Everything wrong with one `[syncs.X]` section, given the vendor of each connection."""
    if recipe not in names():
        return [(("recipe",), f"there is no recipe “{recipe}”", f"use one of: {', '.join(names())}")]
    known = load(recipe)
    found: list[Found] = []
    for side, vendor in (("left", known.left), ("right", known.right)):
        name = section.get(side)
        if isinstance(name, str) and name in connections and connections[name] != vendor:
            cure = f"name a connection whose vendor is “{vendor}”"
            found.append(((side,), f"“{name}” is a {connections[name]} connection, {side} must be {vendor}", cure))
    for flow_name, raw in (section.get("flows") or {}).items():
        flow = known.flow(flow_name)
        if flow is None:
            cure = f"use one of: {', '.join(f.name for f in known.flows)}"
            found.append((("flows", flow_name), f"the recipe has no flow “{flow_name}”", cure))
        else:
            found.extend(
                (("flows", flow_name, *path), message, cure)
                for path, message, cure in _check_flow(flow, known.fields[flow_name], raw, section)
            )
    return found


def _check_flow(flow: FlowRules, fields: Fields, raw: Mapping[str, Any], section: Mapping[str, Any]) -> list[Found]:
    found: list[Found] = []
    rule = raw.get("conflict")
    allowed = ("left", "right", "hold", section.get("left"), section.get("right"))
    if rule is not None and rule not in allowed:
        cure = "use a connection's name, “left”, “right” or “hold”"
        found.append((("conflict",), f"“{rule}” is neither a side nor a rule", cure))
    for way, listed in (raw.get("filters") or {}).items():
        if way not in SIDES:
            found.append((("filters", way), f"“{way}” is no direction", "use “left-to-right” or “right-to-left”"))
            continue
        _, problems = parse(listed, mappings.NOUNS[flow.kind], ("filters", way))
        found.extend((problem.path, problem.message, "see the list of fields and operators") for problem in problems)
    told = options.check(flow, raw.get("options") or {})
    found.extend((("options", *path), message, cure) for path, message, cure in told)
    found += mappings.check(flow, fields, raw)
    return found


def build(name: str, section: Mapping[str, Any], start: datetime) -> SyncRules:
    """The rules of one sync. `section` has passed `check`; `start` is the moment before which nothing goes over."""
    recipe = load(section["recipe"])
    flows = section.get("flows") or {}
    rules = tuple(_bent(flow, recipe.fields[flow.name], flows.get(flow.name) or {}, section) for flow in recipe.flows)
    return SyncRules(
        name=name,
        recipe=recipe.name,
        left=section["left"],
        right=section["right"],
        start=start,
        flows=_with_digests(_payments_follow(rules, flows), start),
    )


def tables(section: Mapping[str, Any]) -> Iterator[tuple[FlowRules, Fields, tuple[Row, ...]]]:
    """Each flow of a sync as the recipe has it, what its mappings may name, and all its mappings, those off too."""
    recipe = load(section["recipe"])
    for flow in recipe.flows:
        fields = recipe.fields[flow.name]
        yield flow, fields, mappings.table(flow, fields, (section.get("flows") or {}).get(flow.name) or {})


def _bent(flow: FlowRules, fields: Fields, raw: Mapping[str, Any], section: Mapping[str, Any]) -> FlowRules:
    flow = options.bent(flow, raw.get("options") or {})
    return replace(
        flow,
        direction=Direction(raw["direction"]) if raw.get("direction") else flow.direction,
        conflict=_conflict(raw["conflict"], section) if raw.get("conflict") else flow.conflict,
        filters={SIDES[way]: made for way, made in _filters(flow, raw).items()},
        rows=tuple(row for row in mappings.table(flow, fields, raw) if row.enabled),
    )


def _filters(flow: FlowRules, raw: Mapping[str, Any]) -> dict[str, Filter]:
    made = {}
    for way, listed in (raw.get("filters") or {}).items():
        parsed, _ = parse(listed, mappings.NOUNS[flow.kind], ("filters", way))
        if parsed is not None:
            made[way] = parsed
    return made


def _conflict(rule: str, section: Mapping[str, Any]) -> Conflict:
    if rule == section["left"]:
        return Conflict.LEFT
    return Conflict.RIGHT if rule == section["right"] else Conflict(rule)


def _payments_follow(flows: tuple[FlowRules, ...], told: Mapping[str, Any]) -> tuple[FlowRules, ...]:
    # Payments go both ways as soon as invoices go out; with inbound-only invoices no payment is recorded anywhere.
    invoices = next((flow for flow in flows if flow.kind is Kind.INVOICE), None)
    made = []
    for flow in flows:
        fallback = next((f for f in flows if f.fallback_product), None)
        if flow.kind is Kind.PAYMENT and invoices is not None and "direction" not in (told.get(flow.name) or {}):
            inbound = invoices.direction in (Direction.OFF, Direction.RIGHT_TO_LEFT)
            flow = replace(flow, direction=Direction.OFF if inbound else Direction.BOTH)
        if flow.kind is Kind.PRODUCT and fallback is not None:
            # The product the invoices fall back on is made in the flow where products live.
            flow = replace(flow, fallback_product=fallback.fallback_product, fallback_account=fallback.fallback_account)
        made.append(flow)
    return tuple(made)


def _with_digests(flows: tuple[FlowRules, ...], start: datetime) -> tuple[FlowRules, ...]:
    return tuple(replace(flow, digest=digest(_plain({**asdict(flow), "start": start}))) for flow in flows)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
