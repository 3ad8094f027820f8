"""The daemon dies at every await, at every statement, and at every write with each of its outcomes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.oauth import Pair, Tokens
from syncd.model.record import IntentState
from syncd.outbox.sending import Sender
from tests.simulation.door import Fate
from tests.simulation.scenes import SCENES
from tests.simulation.sweep import Point, Sweep

Report = Callable[[str, object], None]

SHORT = ("sale_in_crm", "sale_in_books", "pay_in_crm", "pay_in_books", "void_in_crm", "void_in_books")
SHARE = 16  # of the states a death can leave behind the short form tries every so-manieth
STRIDE = 7  # the long form tries all of them, and every so-manieth await and statement between them
PARTS = 3  # of a scene's states, each a test that ends within the time a test may take


def _told(sweep: Sweep, record_property: Report) -> None:
    record_property("figures", ("kill sweep", dict(sweep.figures)))
    assert sweep.wrong == {}


@pytest.mark.parametrize("name", SHORT)
def test_a_kill_here_and_there_does_no_harm(name: str, record_property: Report) -> None:
    """A share of the states that a death can leave behind, and every outcome of the last write."""
    sweep = Sweep(SCENES[name])
    states = sweep.points.telling()
    for point in [*states[: -len(Fate) : SHARE], *states[-len(Fate) :]]:
        sweep.kill(point)
    _told(sweep, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", SCENES)
def test_a_kill_anywhere_does_no_harm(name: str, part: int, record_property: Report) -> None:
    """Every state that a death can leave behind, and every write with every outcome."""
    sweep = Sweep(SCENES[name])
    for point in sweep.points.telling()[part::PARTS]:
        sweep.kill(point)
    _told(sweep, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", SCENES)
def test_a_kill_in_between_leaves_nothing_else(name: str, part: int, record_property: Report) -> None:
    """At other awaits, and at statements within transactions; should one leave another state, it is recovered from."""
    sweep = Sweep(SCENES[name])
    sweep.know()
    for point in list(sweep.points.between())[part * STRIDE :: PARTS * STRIDE]:
        sweep.kill(point)
    if part == 0:
        points = {"awaits": sweep.points.awaits, "statements": sweep.points.statements}
        record_property("figures", ("kill sweep, of", {**points, "writes": len(sweep.points.writes)}))
    _told(sweep, record_property)


def _writes_nothing_down(patch: pytest.MonkeyPatch) -> None:
    """A request leaves before it is known here that it will."""

    async def forget(self: Sender, name: str, sends: Any, intents: dict[str, Any]) -> None:
        for send in sends:
            for id, item in send.items.items():
                intents[id] = replace(intents[id], state=IntentState.SENT, send=send.id, item=item)

    patch.setattr(Sender, "_write_down", forget)


def _keeps_late(patch: pytest.MonkeyPatch) -> None:
    """A rotated token is used first and kept when the next one is asked for."""

    async def renewed(self: Tokens, pair: Pair) -> Pair:
        token = self._worth_trying(pair)[0]
        self._unkept = self._made(await self._issuer.renew(token), token, pair.account)
        return self._unkept

    patch.setattr(Tokens, "_renewed", renewed)


def test_an_engine_that_writes_nothing_down_is_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever dies before the answer is read makes the invoice a second time, as HubSpot's search is behind."""
    sweep = Sweep(SCENES["sale_in_books"])
    point = Point(request=(sweep.points.writes[1], Fate.AFTER))
    sweep.kill(point)
    assert sweep.wrong == {}
    _writes_nothing_down(monkeypatch)
    sweep.kill(point)
    assert sweep.wrong[str(point)].keys() >= {"duplicates", "promised"}


def test_an_engine_that_keeps_a_token_late_is_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever dies between use and keeping has lost it."""
    sweep = Sweep(SCENES["rotation_for_books"])
    point = sweep.points.telling()[-1]
    sweep.kill(point)
    assert sweep.wrong == {}
    _keeps_late(monkeypatch)
    sweep.kill(point)
    assert "promised" in sweep.wrong[str(point)]
