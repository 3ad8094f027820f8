"""More judges: nothing is left over, payments keep within their bounds, and what was seen on the way was in order."""

from collections import Counter
from decimal import Decimal

from syncd.model.record import Status
from tests.simulation.checkers import BOOKS, CRM, KINDS, Evidence, _live

KEPT = {"counterpart_gone", "payment_mirrored", "counterpart_inactive"}
"""Notes of records that are synced although one side of them is not there."""


def set_full(e: Evidence) -> list[str]:
    """A live entity of one side is neither on the other, nor is it said why not."""
    found = []
    for record in e.records:
        sides = {CRM: (record.left, KINDS[record.flow][0]), BOOKS: (record.right, KINDS[record.flow][1])}
        there = {
            v for v, (id, kind) in sides.items() if (row := e.truth.by_id(v, kind).get(id or "")) and _live(v, row)
        }
        alone = len(there) == 1 and not (record.key or "").startswith("fallback:")  # of those, one side has no need
        if record.status is Status.SYNCED and alone and not KEPT & set(record.notes):
            found.append(f"{record.flow} {record.left}/{record.right} is called synced and stands only in {there}")
        if record.status is not Status.SYNCED and not record.code:
            found.append(f"{record.flow} {record.left}/{record.right} is {record.status} without a reason")
    return found


def total_queue(e: Evidence) -> list[str]:
    """A webhook was acknowledged and is not known."""
    return [f"acknowledged and lost: {each}" for each in e.house.watch.missing()]


def bounds(e: Evidence) -> list[str]:
    """We booked more for a payment than was paid on the other side, or less although it is called synced."""
    found = []
    crm, books = (e.truth.by_id(v, k) for v, k in zip((CRM, BOOKS), KINDS["payments"], strict=True))
    for record in e.records:
        left, right = crm.get(record.left or ""), books.get(record.right or "")
        if record.flow != "payments" or left is None or right is None:
            continue
        if not (_live(CRM, left) and _live(BOOKS, right)):
            continue
        amounts = [Decimal(left["properties"]["hs_initial_amount"]), Decimal(str(right["TotalAmt"]))]
        booked, attempted = amounts if left["properties"].get("syncd_ref") else reversed(amounts)
        least = attempted if record.status is Status.SYNCED and not record.notes else Decimal(0)
        if not least <= booked <= attempted:
            found.append(f"payment {record.left}/{record.right}: {booked} of {least} to {attempted}")
    return found


def cursors(e: Evidence) -> list[str]:
    """A cursor was ahead of what is stored, or went back."""
    return e.house.watch.cursors


def secrets(e: Evidence) -> list[str]:
    """A token, an e-mail address, a telephone number or a name stands in a log or among the metrics."""
    return e.house.watch.leaks


def liveness(e: Evidence) -> list[str]:
    """Nothing was finished for minutes although something was due and nothing stood in the way."""
    return e.house.watch.stalls


def status(e: Evidence) -> list[str]:
    """The status page's figures are not those of the records, or there are not as many records as there are things."""
    found = []
    for flow in e.status["syncs"][0]["flows"] if e.status is not None else ():
        mine = Counter(record.status for record in e.records if record.flow == flow["name"])
        told = {name: flow[name] for name in ("synced", "pending", "failed", "excluded")}
        if told != {str(name): mine[name] for name in Status}:
            found.append(f"{flow['name']}: shown {told}, there are {dict(mine)}")
    return found
