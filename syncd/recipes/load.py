"""Reads the recipes that ship with syncd."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from syncd.core.rules import Conflict, Creation, Direction, FlowRules, Group, Requirement, Row
from syncd.model.references import Kind, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What mappings of one flow may name.

    Attributes:
        custom: per side the word that custom fields begin with (`properties` for `properties.po_number`).
        lacks: fields a side does not have. read_only: fields no mapping may write there.
    """

    custom: Mapping[Side, str]
    lacks: Mapping[Side, frozenset[str]]
    read_only: Mapping[Side, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One pair of vendors: which vendor is left and right, and the flows with their defaults, parents first."""

    name: str
    left: str
    right: str
    flows: tuple[FlowRules, ...]
    fields: Mapping[str, Fields]

    def flow(self, name: str) -> FlowRules | None:
        return next((flow for flow in self.flows if flow.name == name), None)


def names() -> tuple[str, ...]:
    """The names of all recipes."""
    found = (entry.name for entry in files(__package__).iterdir() if entry.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml").replace("_", "-") for name in found))


@cache
def load(name: str) -> Recipe:
    """One recipe by its name.

    Raises:
        KeyError: there is no such recipe.
    """
    if name not in names():
        raise KeyError(name)
    text = (files(__package__) / f"{name.replace('-', '_')}.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    flows = tuple(_flow(flow_name, section) for flow_name, section in raw["flows"].items())
    fields = {flow_name: _fields(section) for flow_name, section in raw["flows"].items()}
    return Recipe(name=raw["name"], left=raw["left"], right=raw["right"], flows=flows, fields=fields)


def _fields(raw: Mapping[str, Any]) -> Fields:
    return Fields(
        custom={Side(side): word for side, word in raw["custom"].items()},
        lacks={side: frozenset(raw.get("lacks", {}).get(side, ())) for side in Side},
        read_only={side: frozenset(raw.get("read_only", {}).get(side, ())) for side in Side},
    )


def _flow(name: str, raw: Mapping[str, Any]) -> FlowRules:
    return FlowRules(
        name=name,
        kind=Kind(raw["kind"]),
        direction=Direction(raw["direction"]),
        conflict=Conflict(raw["conflict"]),
        rows=tuple(_row(row) for row in raw["rows"]),
        match=tuple(raw["match"]),
        requires={Side(s): tuple(Requirement(**r) for r in listed) for s, listed in raw.get("requires", {}).items()},
        creation={Side(s): Creation(value) for s, value in raw.get("creation", {}).items()},
        origin_rule=raw.get("origin_rule", False),
        customers=raw.get("customers"),
        products=raw.get("products"),
        invoices=raw.get("invoices"),
        fallback_product=raw.get("fallback_product"),
        native_sources={Side(s): frozenset(v) for s, v in raw.get("native_sources", {}).items()},
    )


def _row(raw: Mapping[str, Any]) -> Row:
    return Row(
        name=raw["name"],
        left=raw.get("left", raw["name"]),
        right=raw.get("right", raw["name"]),
        group=Group(raw.get("group", "shared")),
        direction=Direction(raw.get("direction", "both")),
        on_create=raw.get("on_create", False),
        fixed=raw.get("fixed", ""),
        enabled="option" not in raw,
        yields=raw.get("yields", False),
        option=raw.get("option", ""),
    )
