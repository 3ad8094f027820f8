"""Looks on while a story is told, for judges of what is over when the story ends.

Nothing here changes anything: it reads the log's lines, the state between two lives, and what was acknowledged.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from syncd.connectors.webhooks import RawWebhook, Refusal
from syncd.feed.doors import Door
from syncd.log import redact, unheard
from syncd.log_errors import in_places
from syncd.model.references import EntityRef, Kind
from syncd.store.store import Tx

if TYPE_CHECKING:
    from tests.simulation.house import House

STALLED = 180.0  # seconds without anything being finished while there is something to do
KINDS: Mapping[str, Mapping[Kind, str]] = {
    "hubspot": {Kind.PARTY: "contacts", Kind.PRODUCT: "products", Kind.PAYMENT: "commerce_payments"},
    "quickbooks": {Kind.PARTY: "Customer", Kind.PRODUCT: "Item", Kind.INVOICE: "Invoice", Kind.PAYMENT: "Payment"},
}
"""What a cursor is judged by; a HubSpot invoice's version is also that of its lines."""
NAMES = {"hubspot": "crm", "quickbooks": "books"}
PRIVATE = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\+1 555 \d{7}|\(\d{3}\) \d{3}-\d{4}|\b[A-Z][a-z]+ \d+[xy]\d+")
"""E-mail addresses, telephone numbers and names, as the vendors' people have them."""
TOKENS = re.compile(r"\b(AT-sandbox-\d+|RT\d+-sandbox\S*)")


class Watch:
    """One story's.

    Attributes:
        leaks, cursors, stalls: what was seen that may not be, in words. acknowledged: events whose senders were told
            that they are stored, with what they are about.
    """

    def __init__(self, house: "House") -> None:
        self._house = house
        self.leaks: list[str] = []
        self.cursors: list[str] = []
        self.stalls: list[str] = []
        self.acknowledged: dict[bytes, EntityRef] = {}
        self._before: dict[tuple[str, str], str] = {}
        self._moved: tuple[float, object] = (0.0, None)
        secrets = [value for vendor in house.world.vendors.values() for value in vendor.credentials().values()]
        self._secrets = [value for value in secrets if not value.isdigit() and value != "sandbox-client"]

    # --- the log ---

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every line of the log, as it would be written."""
        before = structlog.get_config()
        line = structlog.processors.JSONRenderer(default=str)
        steps = [structlog.contextvars.merge_contextvars, unheard, redact, in_places, line, self._hear]
        structlog.configure(processors=steps, wrapper_class=structlog.make_filtering_bound_logger(0))
        try:
            yield
        finally:
            structlog.configure(**before)

    def _hear(self, logger: object, method: str, line: Any) -> MutableMapping[str, Any]:
        self.read("log", line)
        raise structlog.DropEvent

    def read(self, where: str, text: str) -> None:
        """What is written where nothing private may be."""
        if (found := PRIVATE.search(text) or TOKENS.search(text)) is not None:
            self.leaks.append(f"{where}: {found.group()!r} in {text[:200]}")
        self.leaks += [f"{where}: a secret in {text[:200]}" for secret in self._secrets if secret in text]

    # --- webhooks ---

    def stored(self, door: Door, headers: Mapping[str, str], body: bytes, addressed: Any) -> None:
        """A sender was told that its events are stored."""
        told = door.verify(RawWebhook(method="POST", url=door.url, headers=headers, body=body), self._house.time.now())
        assert not isinstance(told, Refusal)
        self.acknowledged |= {hint.event: ref for ref, hint in addressed(door.vendor, told.hints)}

    def missing(self) -> list[str]:
        """Acknowledged events of which nothing is known."""
        events = list(self.acknowledged)
        known = self._house.ask(lambda store: store.read(lambda tx: tx.known_deliveries(events)))
        return [str(ref) for event, ref in self.acknowledged.items() if event not in known]

    # --- cursors ---

    def replaced(self) -> None:
        """An older state was put back: what was known is not known any more."""
        self._before.clear()
        self.acknowledged.clear()

    def compare(self) -> None:
        """Between two lives: no cursor is ahead of what is stored, and none went back."""
        for vendor, name in NAMES.items():
            cursors = self._house.ask(lambda store, name=name: store.read(lambda tx: tx.cursors(name)))
            for kind, moment in cursors.items():
                if ":" in kind:
                    continue
                before = self._before.get((name, kind))
                if before is not None and datetime.fromisoformat(moment) < datetime.fromisoformat(before):
                    self.cursors.append(f"{name} {kind}: back from {before} to {moment}")
                self._before[name, kind] = moment
                if Kind(kind) in KINDS[vendor]:
                    self._ahead(vendor, Kind(kind), datetime.fromisoformat(moment))

    def _ahead(self, vendor: str, kind: Kind, moment: datetime) -> None:
        rows = self._house.world.vendors[vendor].records(KINDS[vendor][kind])
        since = moment - timedelta(seconds=300)  # what a poll reads again is not behind it yet
        old = [id for row in rows if (id := _behind(vendor, row, since)) is not None]

        def unknown(tx: Tx) -> list[str]:
            hints = tx.due_changes([NAMES[vendor]], moment + timedelta(days=365), limit=100_000)  # noted, not looked at
            known = {*tx.entity_versions(NAMES[vendor], kind, old), *(h.ref.id for h in hints if h.ref.kind is kind)}
            return [id for id in old if id not in known]

        missing = self._house.ask(lambda store: store.read(unknown))
        self.cursors += [f"{vendor} {kind}: {id} lies behind {moment} and was never seen" for id in missing]

    # --- liveness ---

    def look(self) -> None:
        """While all is well: something that is due is done."""
        house, now = self._house, self._house.time.elapsed()
        names = list(NAMES.values())
        due = house.ask(lambda store: store.read(lambda tx: tx.next_due(names)))
        (moved,) = sqlite3.Cursor(house.disk.inline.driver).execute("SELECT total(revision) FROM records")
        progress = (moved, sum(len(vendor.journal.entries) for vendor in house.world.vendors.values()))
        if due is None or due > house.time.now() or progress != self._moved[1]:
            self._moved = (now, progress)
        elif now - self._moved[0] > STALLED:
            self.stalls.append(f"nothing was finished from {self._moved[0]:.0f} to {now:.0f} s, due since {due}")


def _behind(vendor: str, row: Mapping[str, Any], since: datetime) -> str | None:
    if vendor == "hubspot":
        gone, changed, id = row["archived"], row["properties"].get("lastmodifieddate") or row["updatedAt"], row["id"]
    else:
        gone, changed, id = row.get("status") == "Deleted", row["MetaData"]["LastUpdatedTime"], row["Id"]
    return None if gone or datetime.fromisoformat(changed) >= since else str(id)
