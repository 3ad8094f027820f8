"""What a vendor's API can do to its callers, fault by fault: each is played, and what follows is judged.

The numbers are those of the project's own list. A row says by which switch of the sandbox, or by what else, a fault is
played, and what must be seen of it while it lasts; afterwards all judges must find nothing.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from syncd.model.record import Record
from syncd.sandbox.quickbooks.oauth import TOKEN
from tests.simulation import bench, checkers, scenes
from tests.simulation.house import VENDORS, House
from tests.simulation.plagues import Plagues, retry
from tests.simulation.scenes import BOOKS, CRM, plain
from tests.simulation.story import late_writes, settle

WRITES = {"method": "POST", "path": ".*(create|update|batch)$"}
CLOSED = "accounting_period_closed"
ITEMS = {"path": ".*/batch$", "contains": '"operation"'}
INVOICES_THERE = {"path": ".*/batch$", "contains": '"Invoice":'}
CONTACTS_THERE = {"path": ".*/contacts/batch/create$"}
READS = {"path": ".*(search|read|cdc|query|batch)$"}
FEED = {CRM: {"path": ".*/search$"}, BOOKS: {"path": ".*/cdc$"}}


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        how: what plays it. act: what people do. before: arranged before the daemon starts; during: while it runs.
        shown: conditions of connections that must be seen while it lasts. strikes: requests it must have met.
        failed: what the one record that suffers is called meanwhile. seconds: for how long the fault lasts.
    """

    how: str
    before: Callable[[House], object] = lambda house: None
    act: Callable[[House], object] = scenes.sale_in_books
    during: Callable[[House], object] = lambda house: None
    shown: frozenset[str] = field(default_factory=frozenset)
    failed: str = ""
    strikes: int = 1
    seconds: float = 240.0


def armed(fault: str, *vendors: str, times: int = 1, match: Mapping[str, str] = WRITES, **options: Any) -> Any:
    """The first so many requests that fit meet it, at both vendors unless others are named."""

    def arm(house: House) -> None:
        for vendor in vendors or VENDORS:
            order = {"fault": fault, "nth": 1, "times": times, "match": match, "options": options}
            house.world.faults.arm(house.world.vendors[vendor], order)

    return arm


def hooks(**how: Any) -> Callable[[House], None]:
    """Webhooks come in another way."""

    def tell(house: House) -> None:
        for vendor in VENDORS:
            outgoing = house.world.outgoing[vendor]
            outgoing.configure(outgoing.settings.changed(how), reseed=False)

    return tell


def two_customers(house: House) -> None:
    for name in ("Olga Moss", "Pia Reed"):
        email = f"{name.split()[0].lower()}@books.example"
        house.person(BOOKS, "create", "Customer", name=name, email=email, first_name=name.split()[0])


def deleted_unread(house: House) -> None:
    """A contact is told of, and is gone before it can be read."""
    two_customers(house)
    made = house.person(CRM, "create", "contacts", email="rex@crm.example", firstname="Rex")
    house.person(CRM, "archive", "contacts", made["id"])


def many_contacts(house: House) -> None:
    for number in range(130):
        house.person(CRM, "create", "contacts", email=f"p{number}@crm.example", firstname=f"P{number}")
    scenes.sale_in_crm(house)


def edited_while_listed(house: House) -> None:
    """While the pages of the list are read, its first rows move to its end."""
    for row in house.world.vendors[CRM].records("contacts")[-130:-100]:
        house.person(CRM, "update", "contacts", row["id"], phone="+1 555 1000000")
        house.run(0.1)


def a_month(house: House) -> None:
    """Nobody looks for longer than changes can be asked for."""
    house.time.past += 31 * 86400.0


def ahead(house: House) -> None:
    house.world.offset = timedelta(minutes=9)


def revoked(house: House) -> None:
    Plagues(house, random.Random(0))._revoke()


def merged(house: House) -> None:
    """The contact of an invoice is merged into another."""
    scenes.sale_in_crm(house)
    house.start()
    house.run(120)
    house.kill()
    contact = house.world.vendors[CRM].records("contacts")[-1]["id"]
    other = house.person(CRM, "create", "contacts", email="quin@crm.example", firstname="Quin")
    house.person(CRM, "merge", "contacts", other["id"], other=contact)


def settings(vendor: str, **changes: Any) -> Callable[[House], object]:
    return lambda house: house.world.vendors[vendor].settings(changes)


def changes_of(value: Any, *path: str) -> Any:
    return armed(
        "mutate", CRM, times=2, match={"path": ".*/invoices/(search|batch/read)$"}, path=".".join(path), **value
    )


INVOICES = ("results", "*", "properties", "hs_invoice_status")

ROWS: Mapping[str, Row] = {
    "F1": Row("timeout_after_commit", armed("timeout_after_commit", hold=5)),
    "F2": Row("late_commit", armed("late_commit", delay=90, hold=5)),
    "F3 before": Row("reset_before", armed("reset_before", times=2)),
    "F3 after": Row("reset_after", armed("reset_after")),
    "F4": Row("rate_limited", armed("rate_limited", times=2, retry_after=3)),
    "F4 date": Row("rate_limited", armed("rate_limited", retry_after_date=20)),
    "F4 absurd": Row("rate_limited", armed("rate_limited", retry_after=-7)),
    "F4 a year": Row("rate_limited", armed("rate_limited", retry_after=31536000), seconds=3900),
    "F5": Row("rate_limited without Retry-After", armed("rate_limited", times=12)),
    "F6": Row("daily_limit", armed("daily_limit", CRM, times=3), shown=frozenset({"quota_exhausted"})),
    "F7": Row("server_error as HTML", armed("server_error", times=4, match=READS, status=502, html=True)),
    "F8 hubspot": Row("partial_batch", armed("partial_batch", CRM, match=CONTACTS_THERE, rows=[0]), two_customers),
    "F8 quickbooks": Row("item_fault", armed("item_fault", BOOKS, match=ITEMS, code="610"), scenes.sale_in_crm),
    "F9 hubspot": Row("short_batch", armed("short_batch", CRM, match=CONTACTS_THERE, drop=[0]), two_customers),
    "F9 quickbooks": Row("partial", armed("partial", BOOKS, match=ITEMS), scenes.sale_in_crm),
    "F10 cut": Row("truncated_json", armed("truncated_json", times=3, match=READS)),
    "F10 length": Row("wrong_length", armed("wrong_length", times=2, match=READS)),
    "F10 BOM": Row("not_json", armed("not_json", match=READS, body="\ufeff{}")),
    "F10 NaN": Row("not_json", armed("not_json", match=READS, body='{"results": NaN}')),
    "F11 slow": Row("slow", armed("slow", delay=70)),
    "F11 endless": Row("endless", armed("endless", match=READS)),
    "F11 drip": Row("drip", armed("drip", match=READS, piece=1, gap=1)),
    "F12": Row("webhook_duplicate", hooks(webhook_duplicate=1.0), strikes=0),
    "F13": Row("webhook_reorder, webhook_delay", hooks(webhook_reorder=True, webhook_delay=900.0), strikes=0),
    "F14": Row("webhook_drop", hooks(webhook_drop=1.0), strikes=0),
    "F15": Row("deleted before it is read", act=deleted_unread, strikes=0),
    "F15 scope": Row("missing_scopes", settings(CRM, missing_scopes=["crm.objects.contacts.read"]), strikes=0),
    "F16": Row("index_lag", settings(CRM, index_lag=20), strikes=0),
    "F17": Row("people edit while pages are read", act=many_contacts, during=edited_while_listed, strikes=0),
    "F18": Row("cdc_cap", settings(BOOKS, cdc_cap=3), scenes.sale_in_books, strikes=0),
    "F19": Row("a month without a look", a_month, scenes.sale_in_books, strikes=0),
    "F20": Row("the vendors' clocks are ahead", ahead, strikes=0),
    "F21": Row("revocation", revoked, shown=frozenset({"authorization_lost"}), strikes=0),
    "F22": Row("timeout_after_commit", armed("timeout_after_commit", BOOKS, match={"path": TOKEN}), seconds=3900),
    "F23": Row(
        "no certificate is trusted",
        lambda house: setattr(house, "trusted", False),
        shown=frozenset({"tls_failed"}),
        strikes=0,
    ),
    "F24": Row("redirect", armed("redirect", times=2, match=READS)),
    "F25": Row(
        "nobody can be reached",
        lambda house: house.cut_off.update(VENDORS),
        shown=frozenset({"vendor_unavailable"}),
        strikes=0,
    ),
    "F26": Row("item_fault 5010", armed("item_fault", BOOKS, match=ITEMS, code="5010"), scenes.update),
    "F27": Row(
        "item_fault",
        armed("item_fault", BOOKS, match=INVOICES_THERE, code="6210"),
        scenes.sale_in_crm,
        failed="accounting_period_closed",
    ),
    "F28": Row("mutate", armed("mutate", CRM, path="results.*.properties.firstname", change="lower"), two_customers),
    "F29 enum": Row("mutate", changes_of({"value": "brewing"}, *INVOICES)),
    "F29 field": Row("mutate", changes_of({"value": "x"}, "results", "*", "properties", "novelty")),
    "F29 missing": Row("mutate", changes_of({"remove": True}, "results", "*", "properties")),
    "F30": Row("merge", act=merged, strikes=0),
    "F32": Row("maintenance", armed("maintenance", times=6)),
}
NOT_HERE = {
    "F31": "HubSpot and QuickBooks answer a creation with what was created; a document made later is PandaDoc's."
}


def test_every_fault_has_its_row() -> None:
    """F1 to F32, or why not."""
    assert {name.split()[0] for name in ROWS} | NOT_HERE.keys() == {f"F{number}" for number in range(1, 33)}


FIRST = {name.split()[0]: name for name in reversed(ROWS)}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FIRST.values() else pytest.mark.slow) for name in ROWS]
)
def test_a_fault_does_no_harm(name: str) -> None:
    """It is met, it is shown where a person has to know, and when it is over everything comes to the same end."""
    row, house = ROWS[name], plain().house(3)
    with house.watch.listening():
        begun = {vendor: len(house.world.vendors[vendor].journal.entries) for vendor in VENDORS}
        row.act(house)
        row.before(house)
        seen = _lived_through(house, row)
        assert row.shown <= seen.conditions, seen.conditions
        assert row.failed in seen.codes, seen.codes
        assert sum(fault["hits"] for fault in house.world.faults.rows()) >= row.strikes
        _over(house)
        unsettled = not settle(house)
        late, status = late_writes(house), house.shown()
        house.kill()
        assert bench.judge(checkers.gather(house, begun, late, unsettled, status)) == {}


@dataclass
class Seen:
    """What was to be seen while it lasted."""

    conditions: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=lambda: {""})


def _lived_through(house: House, row: Row) -> Seen:
    seen = Seen()
    house.start()
    house.run(1)
    row.during(house)
    for _ in range(20):
        house.run(row.seconds / 20)
        seen.conditions |= {str(c.condition) for c in house.ask(lambda store: store.read(lambda tx: tx.connections()))}
        seen.codes |= {record.code for record in _failed(house)}
    return seen


def _failed(house: House) -> list[Record]:
    found: list[Record] = house.ask(
        lambda store: store.read(lambda tx: tx.list_records(status="failed", limit=999).rows)
    )
    return found


def _over(house: House) -> None:
    """All is well from now on; people do their part."""
    house.world.faults.clear()
    house.cut_off.clear()
    house.trusted = True
    house.world.offset = timedelta()
    house.world.vendors[CRM].settings({"index_lag": 0, "missing_scopes": []})
    house.world.vendors[BOOKS].settings({"cdc_cap": 1000})
    hooks(webhook_drop=0.0, webhook_duplicate=0.0, webhook_reorder=False, webhook_delay=0.0)(house)
    house.kill()
    Plagues(house, random.Random(0))._consent()
    house.start()
    house.run(70)
    retry(house)
