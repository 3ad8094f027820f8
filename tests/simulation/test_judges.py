"""Every judge can fail: for each there is an engine that is broken just so, and it is convicted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import cycle
from random import SystemRandom
from typing import Any

import anyio
import pytest

from syncd import turn
from syncd.connectors.base import NotDone
from syncd.connectors.hubspot import parts
from syncd.core import commands, plan, reconcile
from syncd.core.lifecycle import synced
from syncd.feed import poller
from syncd.feed.intake import Intake
from syncd.model.references import Kind, Side
from syncd.outbox.executor import Executor
from syncd.outbox.settle import Settler
from syncd.running import App
from syncd.store.store import Tx
from tests.simulation import bench, scenes
from tests.simulation.house import House
from tests.simulation.story import tell

Break = Callable[[pytest.MonkeyPatch], None]


def _sends_again(patch: pytest.MonkeyPatch) -> None:
    """An answer that never came is taken for a request that never left."""

    def unknown(self: Settler, ledger: Any, intent: Any, record: Any, outcome: Any) -> Any:
        return self._not_done(ledger, intent, record, NotDone(intent=intent.id))

    patch.setattr(Settler, "_unknown", unknown)


def _overlooks(patch: pytest.MonkeyPatch) -> None:
    """New people are not noticed."""
    seen, told = poller._news, Intake._addressed
    patch.setattr(poller, "_news", lambda *given: [s for s in seen(*given) if s.kind is not Kind.PARTY])
    patch.setattr(Intake, "_addressed", lambda *given: [t for t in told(*given) if t[0].kind is not Kind.PARTY])


def _miscounts(patch: pytest.MonkeyPatch) -> None:
    """The counts are not kept."""
    patch.setattr(Tx, "_count", lambda self, before, after: None)


def _writes_nothing(patch: pytest.MonkeyPatch) -> None:
    """What has to flow is taken for done."""
    patch.setattr(reconcile, "_commands", lambda *given: [])


def _overlooks_lines(patch: pytest.MonkeyPatch) -> None:
    """What an invoice sells never goes over once it is there."""
    patch.setattr(reconcile, "_money_there", lambda *given: None)
    patch.setattr(reconcile, "_told", lambda *given: {})


def _puts_back(patch: pytest.MonkeyPatch) -> None:
    """Whoever edited something gets the other side's old value."""
    merge = reconcile.merge_rows

    def backwards(both: Any, *given: Any, **named: Any) -> Any:
        flowing = merge(both, *given, **named)
        swapped = {
            target: {name: both.now[target.other].fields.get(name) for name in flowing.to[target.other]}
            for target in flowing.to
        }
        flowing.to.update(swapped)
        return flowing

    patch.setattr(reconcile, "merge_rows", backwards)


def _says_it_again(patch: pytest.MonkeyPatch) -> None:
    """What a poll reads again is news, and something is sent whenever there is news."""
    days = cycle(range(1, 29))
    patch.setattr(poller, "_news", lambda tx, connection, sightings: list(sightings))
    merge = reconcile.merge_rows

    def always(both: Any, *given: Any, **named: Any) -> Any:
        flowing = merge(both, *given, **named)
        if both.now[Side.LEFT].fields.get("due_date") == date(2027, 1, 15):  # of one only: many would trip a breaker
            flowing.to[Side.RIGHT]["due_date"] = date(2027, 1, next(days))
        return flowing

    patch.setattr(reconcile, "merge_rows", always)


def _never_sends(patch: pytest.MonkeyPatch) -> None:
    """Nothing leaves."""

    async def nothing(self: Executor, name: str) -> int:
        return 0

    patch.setattr(Executor, "_carry_out", nothing)


def _stumbles(patch: pytest.MonkeyPatch) -> None:
    """A decision fails."""

    def fail(*given: Any) -> None:
        raise RuntimeError

    patch.setattr(reconcile, "_both", fail)


def _repeats_itself(patch: pytest.MonkeyPatch) -> None:
    """Every third time an old value is sent again."""
    update, sent = commands.update, []

    def old(*given: Any, **named: Any) -> Any:
        made = update(*given, **named)
        sent.append(made.values)
        return replace(made, values=sent[0]) if len(sent) == 3 else made

    patch.setattr(reconcile, "update", old)


def _takes_for_done(patch: pytest.MonkeyPatch) -> None:
    """What has to be made is taken for made."""
    introduce = plan._introduce

    def made(case: Any, context: Any, source: Side) -> Any:
        decision = introduce(case, context, source)
        return replace(decision, record=synced(case.record, context.now), commands=())

    patch.setattr(plan, "_introduce", made)


def _acknowledges_at_once(patch: pytest.MonkeyPatch) -> None:
    """A webhook is acknowledged, and then forgotten."""

    async def stored(self: Intake, parcels: Any) -> None:
        for parcel in parcels:
            parcel.stored, parcel.accepted = True, len(parcel.hints)
            parcel.done.set()

    patch.setattr(Intake, "_store", stored)


def _rounds_up(patch: pytest.MonkeyPatch) -> None:
    """What is paid goes over as more than it is."""
    told = parts.properties_of

    def more(kind: Kind, values: Any) -> dict[str, str]:
        made: dict[str, str] = told(kind, values)
        paid = made.get("hs_initial_amount")
        return made | ({"hs_initial_amount": str(Decimal(paid) + 1)} if paid else {})

    patch.setattr(parts, "properties_of", more)


def _moves_on(patch: pytest.MonkeyPatch) -> None:
    """A poll moves its cursors and keeps nothing of what it saw; nobody listens either."""

    def moved(self: poller.Poller, tx: Tx, connection: str, page: Any, priority: Any) -> int:
        tx.set_cursors(connection, page.cursors, self._engine.clock.now())
        return 0

    patch.setattr(poller.Poller, "_keep", moved)
    patch.setattr(Intake, "_addressed", lambda *given: [])


def _chatters(patch: pytest.MonkeyPatch) -> None:
    """The log tells whom a turn is about."""

    def tell(engine: Any, work: Any, claimed: Any) -> None:
        turn.log.info("turn.about", who=[decision.record.key for decision in work.decisions.values()])

    patch.setattr(turn, "_notice", tell)


def _never_decides(patch: pytest.MonkeyPatch) -> None:
    """Nothing is ever decided."""

    async def nothing(self: turn.Turn) -> int:
        return 0

    patch.setattr(turn.Turn, "run", nothing)


def _flatters(patch: pytest.MonkeyPatch) -> None:
    """The page shows one more than there is."""
    counts = Tx.counts
    patch.setattr(Tx, "counts", lambda self: [replace(row, n=row.n + 1) for row in counts(self)])


def _three_dates(house: House) -> None:
    """The due date is changed three times."""
    crm, _ = scenes._invoice(house)
    for day in ("2027-01-15", "2027-02-15", "2027-03-15"):
        house.person("hubspot", "update", "invoices", crm, hs_due_date=day)
        house.start()
        house.run(200)
        house.kill()


def _other_lines(house: House) -> None:
    """An invoice of the books gets other lines there."""
    scenes.sale_in_books(house)
    house.start()
    house.run(300)
    house.kill()
    books = str(house.world.vendors["quickbooks"].records("Invoice")[-1]["Id"])
    house.person("quickbooks", "update", "Invoice", books, lines=[{"item": "PEST-CONTROL", "qty": "1", "price": "99"}])


def _new_customer(house: House) -> None:
    """Somebody new in the books."""
    house.person("quickbooks", "create", "Customer", name="Olga Moss", email="olga@books.example")


def _part_paid(house: House) -> None:
    """A part of an invoice is paid in the books."""
    _, books = scenes._invoice(house)
    house.person("quickbooks", "pay", "Invoice", books, amount="10.00", ref="R-1")


def _lost_answers(house: House) -> None:
    scenes.sale_in_books(house)
    match = {"method": "POST", "path": "/crm/v3/objects/invoices/batch/create"}
    house.world.faults.arm(house.world.vendors["hubspot"], {"fault": "timeout_after_commit", "nth": 1, "match": match})


CASES: dict[str, tuple[scenes.Scene, Break]] = {
    "duplicates": (_lost_answers, _sends_again),
    "one_record": (_new_customer, _overlooks),
    "counted": (scenes.sale_in_books, _miscounts),
    "equal": (scenes.update, _writes_nothing),
    "money": (_other_lines, _overlooks_lines),
    "lost": (scenes.update, _puts_back),
    "echo": (scenes.update, _says_it_again),
    "settled": (scenes.sale_in_crm, _never_sends),
    "reasoned": (scenes.update, _stumbles),
    "order": (_three_dates, _repeats_itself),
    "set_full": (_new_customer, _takes_for_done),
    "total_queue": (scenes.sale_in_books, _acknowledges_at_once),
    "bounds": (_part_paid, _rounds_up),
    "cursors": (_new_customer, _moves_on),
    "secrets": (_new_customer, _chatters),
    "liveness": (_new_customer, _never_decides),
    "status": (_new_customer, _flatters),
}


def test_every_judge_has_its_case() -> None:
    """A new judge needs a broken engine too."""
    assert CASES.keys() == bench.ALL.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_broken_engine_is_convicted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same scene is acquitted with the engine as it is."""
    scene, spoil = CASES[name]
    scenes.plain()
    spoil(monkeypatch)
    assert name in scenes.play(scene).wrong
    monkeypatch.undo()
    assert scenes.play(scene).wrong == {}


def test_an_engine_that_throws_dice_of_its_own_is_convicted() -> None:
    """The same seed tells another story then, which the digests show."""

    async def late(made: App, until: anyio.Event) -> None:
        await anyio.sleep(SystemRandom().uniform(1, 20))
        await made.loop.work(until)

    one, other = (tell(7, 20, calm=True, work=late) for _ in range(2))
    assert one.digest != other.digest
