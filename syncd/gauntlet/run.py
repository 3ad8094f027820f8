"""Runs the scenarios one after the other in one house and says how many hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from syncd import app, cli_init
from syncd.errors import UsageError
from syncd.gauntlet.house import House, served
from syncd.gauntlet.scenarios import SCENARIOS, Scenario
from syncd.gauntlet.stage import Broken, Skipped, Stage
from syncd.sandbox.world import create_world

RECIPE = "hubspot-quickbooks"
NAMES = {"hubspot": "crm", "quickbooks": "books"}
OWN = {"start": "2024-06-01T00:00:00Z", "poll": '"2s"', "approval": '"off"', "state_properties": "false"}
"""Set in every sync: the sandbox's data is old, and no person is there to approve."""

_TABLE = re.compile(r"(?m)^(?=\[\[?[\w\-.\" ]+\]\]?[ \t]*(?:#.*)?$)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one scenario: it `holds`, is `broken` or `not applicable`, with words where it does not hold."""

    scenario: Scenario
    result: str
    words: str = ""


Told = Callable[[Verdict], None]


async def run(given: str | None, only: Sequence[str] = (), told: Told = lambda verdict: None) -> list[Verdict]:
    """Play the scenarios against a configuration's rules, or those of a new one.

    Args:
        given: a configuration file's text. only: numbers or names of scenarios; all without.

    Raises:
        UsageError: no such scenario, or the configuration is not about the two vendors.
        ConfigError: the configuration is refused.
    """
    chosen = list(_chosen(only))
    async with served(create_world(), House) as house:
        await cli_init.write_for_sandbox(RECIPE, house.url, house.file, force=False)
        house.file.write_text(_configuration(house.file.read_text(), given))
        await house.once()
        open_ways = await _ways(house)
        stage, verdicts = Stage(house), list[Verdict]()
        for scenario in chosen:
            verdicts.append(await _verdict(stage, scenario, open_ways))
            told(verdicts[-1])
    return verdicts


def plain(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """For JSON."""
    counted = {
        result: sum(one.result == result for one in verdicts) for result in ("holds", "broken", "not applicable")
    }
    return {
        "scenarios": [
            {
                "number": one.scenario.number,
                "name": one.scenario.name,
                "complaint": one.scenario.complaint,
                "result": one.result,
                "words": one.words,
            }
            for one in verdicts
        ],
        **{name.replace(" ", "_"): n for name, n in counted.items()},
    }


def _chosen(only: Sequence[str]) -> Iterator[Scenario]:
    unknown = [word for word in only if not any(word in (one.name, str(one.number)) for one in SCENARIOS)]
    if unknown:
        raise UsageError(f"there is no scenario “{unknown[0]}”; there is {', '.join(one.name for one in SCENARIOS)}")
    return (one for one in SCENARIOS if not only or one.name in only or str(one.number) in only)


async def _verdict(stage: Stage, scenario: Scenario, ways: set[tuple[str, str]]) -> Verdict:
    if scenario.play is None:
        return Verdict(scenario, "not applicable", scenario.absent)
    if closed := [f"{flow} do not go {way}" for flow, way in scenario.needs if (flow, way) not in ways]:
        return Verdict(scenario, "not applicable", ", ".join(closed))
    try:
        await scenario.play(stage)
    except Skipped as skipped:
        return Verdict(scenario, "not applicable", str(skipped))
    except Broken as broken:
        return Verdict(scenario, "broken", str(broken))
    except Exception as error:  # noqa: BLE001 - a scenario that cannot be played to its end holds nothing
        return Verdict(scenario, "broken", f"{type(error).__name__}: {error}")
    finally:
        await _tidied(stage.house)
    return Verdict(scenario, "holds")


async def _tidied(house: House) -> None:
    """Faults and settings are of one scenario each."""
    control = house.control
    await control.disarm()
    await control.settings("hubspot", index_lag=0, limits=False, time_zone="UTC")
    await control.settings("quickbooks", limits=False, BookCloseDate="2018-12-31")


async def _ways(house: House) -> set[tuple[str, str]]:
    """Flow and direction of everything that is open."""
    async with app.opened(house.config, None) as opened:
        flows = [flow for sync in opened.syncs for flow in sync.flows]
    return {
        (flow.name, way)
        for flow in flows
        for way in ("left-to-right", "right-to-left")
        if str(flow.direction) in ("both", way)
    }


def _configuration(ours: str, given: str | None) -> str:
    """The given rules with the sandbox's connections, by the names that the rules know them by."""
    rules, names = (ours, NAMES) if given is None else (given, _names(given))
    own = [part for part in _TABLE.split(ours) if part.startswith(("[daemon]", "[connections."))]
    for vendor, name in names.items():
        own = [part.replace(f"[connections.{NAMES[vendor]}]", f"[connections.{name}]") for part in own]
    syncs = [_settled(part) for part in _TABLE.split(rules) if part.startswith(("[syncs", "[[syncs"))]
    return "".join(part.rstrip() + "\n\n" for part in [*own, *syncs])


def _names(given: str) -> dict[str, str]:
    """The configuration's connections by vendor."""
    try:
        connections = tomllib.loads(given).get("connections", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the configuration is not valid TOML: {error}") from error
    found = {table.get("vendor"): name for name, table in connections.items() if isinstance(table, dict)}
    if set(found) != set(NAMES) or len(connections) != len(NAMES):
        raise UsageError("the gauntlet plays one HubSpot and one QuickBooks connection; the configuration has others")
    return {vendor: found[vendor] for vendor in NAMES}


def _settled(part: str) -> str:
    if not re.match(r"\[syncs\.[^.\]]+\]", part):
        return part
    for name in OWN:
        part = re.sub(rf"(?m)^{name} *=.*\n", "", part)
    head, rest = part.split("\n", 1)
    return "\n".join([head, *(f"{name} = {value}" for name, value in OWN.items()), rest])
