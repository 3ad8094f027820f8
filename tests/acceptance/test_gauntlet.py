"""The gauntlet as a user runs it: all that concerns this pair holds, and none of it is canned."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from syncd import deciding
from syncd.core import commands, lifecycle
from syncd.core.decision import Case, Context, Decision
from syncd.core.translate import Wanted
from syncd.errors import UsageError
from syncd.gauntlet import run as gauntlet
from syncd.model.record import Record
from syncd.model.snapshot import Presence
from syncd.outbox import settle
from tests.acceptance.world import Snapshot

Patch = pytest.MonkeyPatch


async def test_everything_that_concerns_this_pair_holds() -> None:
    """Thirty complaints; what cannot be played yet says why."""
    verdicts = await gauntlet.run(None)
    assert [one.scenario.number for one in verdicts] == list(range(1, 31))
    assert [(one.scenario.name, one.words) for one in verdicts if one.result == "broken"] == []
    left_out = {one.scenario.name: one.words for one in verdicts if one.result != "holds"}
    assert left_out == {"invoiced-estimate": "estimates are not synced yet"}


def _resurrects(patch: Patch) -> None:
    """What is gone over there counts as never made."""
    plan = deciding.plan

    def forgetful(case: Case, context: Context) -> Decision:
        if case.right is not None and case.right.presence is not Presence.PRESENT:
            record = replace(case.record, right=None, left_base=None, right_base=None)
            case = replace(case, record=record, right=None)
        return plan(case, context)

    patch.setattr(deciding, "plan", forgetful)


def _swallows(patch: Patch) -> None:
    """What a vendor refuses is taken for done."""

    def failed(record: Record, category: str, words: str, now: datetime, *, waits_for: str | None = None) -> Record:
        return lifecycle.synced(record, now)

    patch.setattr(settle, "failed", failed)


def _slides(patch: Patch) -> None:
    """A day is taken for a moment in another time zone."""
    whole: Callable[..., Wanted] = commands.whole

    def slid(*given: Any) -> Wanted:
        wanted = whole(*given)
        moved = {k: v - timedelta(days=1) if isinstance(v, date) else v for k, v in wanted.values.items()}
        return replace(wanted, values=moved)

    patch.setattr(commands, "whole", slid)


async def test_a_broken_engine_fails_the_scenarios_it_is_about(monkeypatch: Patch) -> None:
    """And only those: a scenario beside them that has nothing to do with it still holds."""
    for breaks in (_resurrects, _swallows, _slides):
        breaks(monkeypatch)
    fail = {"deleted-stays-deleted", "vendor-words", "days-do-not-slide"}
    verdicts = await gauntlet.run(None, [*sorted(fail), "missing-customer"])
    found = {one.scenario.name: (one.result, one.words) for one in verdicts}
    assert {name for name, (result, _) in found.items() if result == "broken"} == fail, found


async def test_it_plays_against_a_given_configurations_rules(synced: Snapshot) -> None:
    """The user's names and directions; its connections are never asked, and what it switches off does not apply."""
    async with synced.world() as w:
        w.configure(
            ("[connections.crm]", "[connections.hub]"),
            ("[connections.books]", "[connections.ledger]"),
            ('left = "crm"', 'left = "hub"'),
            ('right = "books"', 'right = "ledger"'),
            ('conflict = "crm"', 'conflict = "left"'),
            (w.url, "https://not.there.example"),
        )
        w.set("syncs.invoicing.flows.invoices", direction='"left-to-right"')
        code, out, said = await w.command(
            "sandbox", "gauntlet", "--config", "syncd.toml", "--only", "8", "--only", "stale-news", "--json"
        )
    assert code == 0, said
    told = json.loads(out)
    assert (told["holds"], told["broken"], told["not_applicable"]) == (1, 0, 1)
    assert {one["name"]: one["words"] for one in told["scenarios"]} == {
        "one-bad-record": "",
        "stale-news": "invoices do not go right-to-left",
    }


async def test_a_scenario_that_does_not_exist_is_told_with_those_that_do() -> None:
    """Before anything is played."""
    with pytest.raises(UsageError, match="repeated-passes"):
        await gauntlet.run(None, ["31"])
