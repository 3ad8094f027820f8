"""What waits keeps its distance from now when the machine's clock is set."""

from datetime import timedelta

from syncd.model.record import Change, IntentState
from syncd.model.references import EntityRef, Kind
from syncd.store.store import Store
from tests.store_samples import NOW, intent, record, send

HOUR = timedelta(hours=1)
SOON = NOW + timedelta(minutes=1)


async def filled(store: Store) -> None:
    """A change, a record and an intent that are due in a minute; a request of five minutes ago without an answer."""
    asked = NOW - timedelta(minutes=5)
    out = {"state": IntentState.UNKNOWN, "send": "s", "item": "1", "sent_at": asked, "not_before": SOON}
    change = Change(ref=EntityRef("crm", Kind.INVOICE, "1"), cause="poll", due_at=SOON)

    def fill(tx):
        tx.save_records([record("a", next_at=SOON), record("b")])
        tx.put_changes([change])
        tx.add_sends([send("s", connection="books", sent_at=asked), send("done", connection="books", sent_at=asked)])
        tx.add_intents([intent("i", "a", not_before=SOON), intent("o", "b", **out)])

    await store.write(fill)


async def moments(store: Store) -> list[timedelta]:
    """How far from NOW: the change, the record, the open intent, the unresolved one, its request, an answered one."""

    def look(tx):
        intents = {i.id: i for listed in tx.intents_of(["a", "b"]).values() for i in listed}
        (change,) = tx.due_changes(["crm"], NOW + 9 * HOUR, 5)
        sent = [tx.send(id).sent_at for id in ("s", "done")]
        return [change.due_at, tx.records(["a"])["a"].next_at, intents["i"].not_before, intents["o"].sent_at, *sent]

    return [moment - NOW for moment in await store.read(look)]


async def test_after_a_step_backward_everything_that_waits_moves_along(store: Store) -> None:
    """An hour back: what was due in a minute is still due in a minute; bounds count from the same moment."""
    await filled(store)
    await store.write(lambda tx: tx.shift(-HOUR, NOW - HOUR))
    minute, ago = timedelta(minutes=1), timedelta(minutes=-5)
    assert await moments(store) == [minute - HOUR] * 3 + [ago - HOUR, ago - HOUR, ago]


async def test_after_a_step_forward_an_unanswered_request_is_no_older(store: Store) -> None:
    """An hour on: what is due comes now, but nobody takes five minutes for sixty-five."""
    await filled(store)
    await store.write(lambda tx: tx.shift(HOUR, NOW + HOUR))
    minute, ago = timedelta(minutes=1), timedelta(minutes=-5)
    assert await moments(store) == [minute] * 3 + [ago + HOUR, ago + HOUR, ago]
