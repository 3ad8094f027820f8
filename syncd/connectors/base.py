"""The contract between the engine and a vendor.

A connector turns a vendor's wire format into snapshots of our nouns and our write orders into requests, in batches of
the vendor's maximum. It knows the vendor's error codes and says what each means in the words of the catalogue. It never
decides what should be written and never remembers anything beyond its own tokens and caches.

Writes have two halves, so that every request is written down before it leaves: `compose` gives the exact bytes and
`transmit` sends them. A vendor may need several requests for one order (an invoice, then its lines): then an order
advances through steps, each composed from what the step before brought.

Error tree of this contract::

    ConnectionTrouble     the connection as a whole: shown there, never on ten thousand records
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from syncd.core.filter_values import FieldType
from syncd.core.pacing import Window
from syncd.model.nouns import Allocation, Line
from syncd.model.quick import quick
from syncd.model.record import Op
from syncd.model.references import Kind, MatchKey
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.tax import TaxCode
from syncd.model.values import Value


class Condition(StrEnum):
    """What can be wrong with a connection; the same names as in the catalogue."""

    OK = "ok"
    AUTHORIZATION_LOST = "authorization_lost"
    ACCOUNT_CHANGED = "account_changed"
    QUOTA_EXHAUSTED = "quota_exhausted"
    VENDOR_UNAVAILABLE = "vendor_unavailable"
    TLS_FAILED = "tls_failed"
    MALFORMED_ANSWER = "malformed_answer"
    PERMISSION_MISSING = "permission_missing"
    OTHER_SYNC = "other_sync"


class ConnectionTrouble(Exception):
    """A whole connection cannot be used for now.

    Args:
        condition: which trouble.
        words: the vendor's own words or a short description; never a secret, never personal data.
        retry_after: seconds the vendor asked to wait, None when it did not say.
    """

    def __init__(self, condition: Condition, words: str, retry_after: float | None = None) -> None:
        super().__init__(f"{condition}: {words}")
        self.condition = condition
        self.words = words
        self.retry_after = retry_after
        self.connection = ""  # which one; set by the engine, a connector does not know its name to others


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """A custom field that a mapping uses; the connector reads exactly these.

    Attributes:
        name: as the mapping names it, without the word in front.
        written: the mapping may write it. meets: what the other side's field holds.
        options: values the mapping itself may write: its value map's and its constant.
    """

    kind: Kind
    name: str
    written: bool
    meets: FieldType
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """A mapped custom field that is not as the mapping needs it, by the vendor's own definition.

    Attributes:
        code: `mapping_invalid` (nothing can be mapped to it), `field_not_writable`, or `option_unknown`, which
            concerns only some of its values.
    """

    kind: Kind
    name: str
    code: str
    words: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account a connection's credentials open, and those of its settings that decide what may be written.

    Attributes:
        id: the vendor's account id (portal, realm); a connection is pinned to the first it met.
        currency: home currency, ISO 4217. multi_currency: whether documents may have another one.
        country: ISO 3166 alpha-2, None when unknown.
        owns_numbers: whether a caller may choose invoice numbers.
        writable: kinds that can be created at all with this account's plan, settings and scopes.
        service_date_required: every invoice line needs a service date.
        books_closed_until: documents dated on or before this day are refused; None when the vendor does not tell.
        taxes_required: every line needs a tax code. tax_codes: those that can be used.
        one_tax_code: all taxed lines of an invoice share one.
        takes_tax_total: the tax may be a rounding away from what the account computes, and is taken as it is said.
        allows_discount: an invoice may have a discount on the whole.
        problems: what is wrong with the mapped custom fields.
    """

    id: str
    name: str
    currency: str
    country: str | None = None
    multi_currency: bool = False
    owns_numbers: bool = True
    writable: frozenset[Kind] = frozenset(Kind)
    service_date_required: bool = False
    books_closed_until: date | None = None
    taxes_required: bool = False
    tax_codes: tuple[TaxCode, ...] = ()
    one_tax_code: bool = False
    takes_tax_total: bool = False
    allows_discount: bool = True
    problems: tuple[FieldProblem, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One entity that may have changed. A poll that carries the whole object gives the snapshot; else it is a hint."""

    kind: Kind
    id: str
    version: str
    presence: Presence = Presence.PRESENT
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One stored step of a poll: what was seen, and the cursors that hold once it is stored.

    `cursors` maps a kind to its new cursor, the connector's own text (times and ids, never a vendor's page token).
    A kind may have several cursors under its own names, e.g. `invoice` and `invoice:archived`.
    """

    sightings: tuple[Sighting, ...]
    cursors: Mapping[str, str]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One write, as the outbox hands it to a connector.

    Attributes:
        intent: the intent's id; every outcome names it.
        id: the entity's vendor id; None for a create.
        values: fields of the noun to set, by the names of `model.nouns` (`customer` holds this connection's party id,
            `custom.X` a custom field). An update holds changed fields only; None clears a field.
        lines: the complete new list of an invoice's lines, each with our `key`; None leaves the lines alone. Lines
            that exist already carry the vendor's `id`.
        allocations: of a payment: the invoices (ids of this connection) it pays; None leaves them alone.
        mirror: the entity is only a mirror of one born on the other side.
        if_version: the vendor version the decision saw, for vendors with an optimistic lock.
        marker: our reference to be set on what is created.
        seen: what the entity was when the decision was made; the outbox refreshes it through `fresh`.
        step, carry: how far a write of several steps has come, and what it needs to go on (JSON text).
    """

    intent: str
    op: Op
    kind: Kind
    id: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    lines: tuple[Line, ...] | None = None
    allocations: tuple[Allocation, ...] | None = None
    mirror: bool = False
    if_version: str | None = None
    marker: str | None = None
    seen: Snapshot | None = None
    step: int = 0
    carry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request that is about to go out, exactly as it will be sent.

    Attributes:
        id: our id of the send; the vendor's idempotency key where it has one (at most 36 characters).
        items: for each intent in this request the key by which its answer is told apart (batch id, trace id).
        replayable: sending the same bytes again cannot do the work twice (the vendor keys the request).
    """

    id: str
    method: str
    path: str
    body: bytes
    items: Mapping[str, str]
    replayable: bool
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The order is carried out.

    Attributes:
        snapshot: the entity as the write's own answer shows it; None when the answer does not show it.
        foreign: fields a person changed between what we saw and what we wrote, and so were overwritten:
            field name to the value that was lost.
    """

    intent: str
    id: str
    snapshot: Snapshot | None = None
    foreign: Mapping[str, Value] = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """One step of several is carried out; the next is composed with this carry. `id` is known from now on."""

    intent: str
    id: str
    carry: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The vendor said no for good. `category` is a name of the catalogue, `words` what the vendor said.

    `existing` is the id of the entity that already holds the name or number, when the vendor tells.
    """

    intent: str
    category: str
    words: str
    request_id: str | None = None
    existing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The entity moved since it was read: read it again and decide again. Nothing was written."""

    intent: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """Certainly not carried out, and may be sent again (a throttled item, a request that never left).

    `after` is how many seconds to wait at least. `fault`: the vendor tried just this one and could not.
    """

    intent: str
    words: str = ""
    after: float | None = None
    fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The answer never came, or says (`fault`) that just this one met an error: it may or may not be carried out."""

    intent: str
    words: str = ""
    fault: bool = False


Outcome = Done | Advanced | Refused | Stale | NotDone | Unknown


class Severity(StrEnum):
    """How bad a finding of `check` is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing `check` looked at: what it is, what follows from it, what to do."""

    severity: Severity
    title: str
    cure: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The state of one record, as it is shown on its entity.

    Attributes:
        id: the entity. category: a code of the catalogue, empty for none. link: the counterpart in its application.
        last_success: None leaves what is shown.
    """

    id: str
    status: str
    category: str
    last_success: datetime | None
    link: str | None

    def facts(self) -> dict[str, Value]:
        """What counts when two of them are compared."""
        return {
            "status": self.status,
            "category": self.category,
            "last_success": self.last_success,
            "link": self.link,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the engine must know about a vendor; from its manifest.

    Attributes:
        optimistic_lock: writes carry the version they saw.
        strong_line_ids: a line keeps its id for life.
        late_commit: seconds after which a request whose answer never came can no longer be carried out.
        search_lag: seconds after which a search sees everything written.
        replay_window: seconds during which a replayed request is answered and not run again; 0 without keys.
        splits_payments: a payment says how much of it pays which invoice.
        merges_leave_inactive: what was merged into another entity is still there, but out of use.
        absent: fields of our nouns this connection has no place for as it is set up; nothing is mapped to them.
        normalisers: kind, then field name, then the silent changes this vendor makes to it, as `core.diff` knows them:
            `trim`, `casefold`, `round:2`, `truncate:1000`.
        most: kind, then field name, then how many characters it may have (`lines`: how many there may be). More is
            refused before it is sent, and never cut: what is cut stands under `normalisers`.
        amount_digits: decimals that amounts have at most, whatever the currency; None when the currency decides alone.
        shows: the syncs whose records' states are shown on the entities of this connection.
        unique_numbers: no two invoices should carry one number, whether or not the vendor sees to it.
        polls_apart: changes of each kind are asked for by calls of their own, so those of all can be at the same time.
        batch: writes a request takes. windows: the limits that count writes. Both for estimates only.
    """

    name: str
    optimistic_lock: bool
    strong_line_ids: bool
    late_commit: float
    search_lag: float
    replay_window: float
    normalisers: Mapping[Kind, Mapping[str, tuple[str, ...]]]
    splits_payments: bool = True
    merges_leave_inactive: bool = False
    absent: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    most: Mapping[Kind, Mapping[str, int]] = field(default_factory=dict)
    unique_numbers: bool = False
    shows: frozenset[str] = frozenset()
    batch: int = 1
    windows: tuple[Window, ...] = ()
    amount_digits: int | None = None
    polls_apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A day's calls, as the vendor tells: how many there are, how many are left, and when the next day begins."""

    limit: int
    remaining: int
    resets_at: datetime


class Authorization(Protocol):
    """A person's consent to a connection, kept as tokens."""

    @property
    def expires_at(self) -> datetime | None:
        """When the access token in use ends; None before there is one."""

    def reread(self) -> None:
        """Somebody has connected anew: what is kept is to be looked at again."""

    async def withdraw(self) -> None:
        """End the consent at the vendor, then forget the tokens.

        Raises:
            ConnectionTrouble: the vendor cannot be told; nothing is forgotten.
        """


class Connector(Protocol):
    """One connection to one vendor account. `authorization` is None where a fixed token opens it."""

    traits: Traits
    authorization: Authorization | None

    async def account(self) -> Account:
        """Which account the credentials open, with its settings. One or two calls.

        Raises:
            ConnectionTrouble: it could not be found out. So do all calls below.
        """

    def changes_since(self, cursors: Mapping[str, str], kinds: Sequence[Kind], now: datetime) -> AsyncIterator[Page]:
        """Everything that may have changed since the cursors; without a cursor of a kind, everything there is.

        Reads again an overlap before each cursor, so that nothing that became visible late is missed; what is already
        known by its version costs nothing further. Deletions are included (as sightings that are not PRESENT).
        """

    def history(self, kind: Kind, since: datetime, cursor: str | None, now: datetime) -> AsyncIterator[Page]:
        """Everything of a kind that was last changed at `since` or later, the oldest first, in the largest pages.

        Each page's cursor, under the kind, is where to go on from after it; None begins. What is gone is not included.
        """

    async def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Snapshot]:
        """The entities as they are now, composite ones whole. What is gone for good is a DELETED snapshot.

        An answer that merely lacks an entity is no proof: a second, different question has said so, too.
        """

    async def find(self, kind: Kind, keys: Sequence[MatchKey]) -> Mapping[MatchKey, tuple[Snapshot, ...]]:
        """Entities that hold these keys; every key is present in the answer, with no entity if there is none."""

    async def fresh(self, orders: Sequence[Order]) -> Mapping[str, Snapshot]:
        """Re-read, right before writing, what these orders change, by intent.

        Orders that need no look (creates; updates under the vendor's own lock that leave the lines alone) are absent.
        """

    def compose(self, orders: Sequence[Order], new_id: NewId) -> Sequence[Send]:
        """The requests for the orders' present steps, in batches of the vendor's maximum. Every order is in one send.

        Raises:
            Unwritable: an order that this vendor can never carry out (nothing is composed; try again without it).
        """

    async def transmit(self, send: Send, orders: Mapping[str, Order]) -> Sequence[Outcome]:
        """Send the bytes and say what became of each item; `orders` by intent. Missing items are `Unknown`."""

    async def resolve(self, send: Send, orders: Mapping[str, Order], age: float) -> Sequence[Outcome]:
        """Find out what became of a request whose answer never came, `age` seconds after it was sent.

        By replaying it where the vendor keys requests and the key is fresh, else by looking for our marker or key.
        `Unknown` again means: still not known. A create is `NotDone` only when it can no longer be carried out late.
        """

    async def prepare(self, kinds: Sequence[Kind]) -> None:
        """Provide what our reference needs on this account (a property, a field), if it is not there yet."""

    async def other_syncs(self) -> Sequence[str]:
        """Signs, in words, that another program keeps this account's invoices in step too; none where it is allowed.

        Two programs that carry the same invoices over book them twice. One call at most.
        """

    async def show(self, sync: str, kind: Kind, rows: Sequence[Shown]) -> Mapping[str, str]:
        """Show the states of records on their entities, in batches of the vendor's maximum; only if `traits.shows` it.

        What the vendor refuses is left out: no record depends on it.

        Returns:
            The versions this has made of the entities, by id, as far as the vendor says.
        """

    async def check(self, kinds: Sequence[Kind]) -> Sequence[Finding]:
        """Look at credentials, permissions and settings that will hurt."""

    def quota(self) -> Quota | None:
        """What is left of the day's calls; None where the vendor counts no days, or has not told yet."""

    def skew(self) -> float | None:
        """By how many seconds the vendor's clock is ahead of ours, by its last answer; None if none showed a time."""

    async def close(self) -> None:
        """Give back sockets."""


class NewId(Protocol):
    """Draws a fresh id (32 hex digits); injected so that a simulation is deterministic."""

    def __call__(self) -> str: ...


class Unwritable(Exception):
    """One order can never be carried out by this vendor.

    Args:
        intent: which one. category: a name of the catalogue. words: what is wrong with it.
    """

    def __init__(self, intent: str, category: str, words: str) -> None:
        super().__init__(words)
        self.intent = intent
        self.category = category
        self.words = words
