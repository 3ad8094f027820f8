"""What the parts of the running engine share: the store, the connectors, the syncs, time and chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal

from syncd.clock import Chance, Clock
from syncd.connectors.base import Account, Connector, FieldProblem, Traits
from syncd.core.content import match_keys
from syncd.core.facts import SideFacts
from syncd.core.filter_values import CUSTOM
from syncd.core.rules import FlowRules, SyncRules
from syncd.meters import Meters
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.tax import TaxCode
from syncd.store.rows import Observed
from syncd.store.store import Store


@dataclass(slots=True)
class Engine:
    """One owner's share of the work: its syncs and the connections they use.

    Attributes:
        accounts: what each connection's account allows, as last seen; absent until it was reached once.
        doubted: connections that refused something their accounts' settings, as we know them, allow.
        displayed: the version an entity got when its record's state was shown on it: nobody's edit.
        barred: by connection, records refused for want of a right; where one of them goes through, all others may.
        restored: an older state was put back some time, so vendors may hold what we made and do not remember.
        steps: counts up whenever the work came a step further.
    """

    store: Store
    connectors: Mapping[str, Connector]
    syncs: Sequence[SyncRules]
    clock: Clock
    chance: Chance
    accounts: dict[str, Account] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    displayed: dict[EntityRef, str] = field(default_factory=dict)
    barred: dict[str, set[str]] = field(default_factory=dict)
    meters: Meters = field(default_factory=Meters)
    steps: int = 0
    restored: bool = False

    def kinds(self, connection: str) -> tuple[Kind, ...]:
        """The kinds of entities any sync wants from a connection, parents first."""
        wanted = {f.kind for s in self.syncs if connection in (s.left, s.right) for f in s.flows}
        return tuple(kind for kind in Kind if kind in wanted)

    def places(self, connection: str, kind: Kind) -> Iterable[tuple[SyncRules, FlowRules, Side]]:
        """Every flow an entity of this kind takes part in."""
        for sync in self.syncs:
            flow = sync.flow_of(kind)
            if flow is not None and connection in (sync.left, sync.right):
                yield sync, flow, sync.side(connection)

    def is_displayed(self, ref: EntityRef, seen: Snapshot) -> bool:
        """Whether the last who touched an entity were we, showing its record's state there."""
        return seen.presence is Presence.PRESENT and self.displayed.get(ref) == seen.version

    def side_facts(self, sync: SyncRules) -> dict[Side, SideFacts]:
        """What both accounts allow, for the core."""
        return {side: self._facts(sync.connection(side)) for side in Side}

    def _facts(self, connection: str) -> SideFacts:
        traits, account = self.connectors[connection].traits, self.accounts.get(connection)
        if account is None:
            return side_facts(traits, Account(id="", name="", currency="USD"))
        return side_facts(traits, account)


def side_facts(traits: Traits, account: Account) -> SideFacts:
    """The part of a connection the core may know."""
    return SideFacts(
        currency=account.currency,
        multi_currency=account.multi_currency,
        writable=account.writable,
        service_date_required=account.service_date_required,
        books_closed_until=account.books_closed_until,
        taxes_required=account.taxes_required,
        owns_numbers=account.owns_numbers,
        allows_discount=account.allows_discount,
        tax_codes=account.tax_codes,
        one_tax_code=account.one_tax_code,
        takes_tax_total=account.takes_tax_total,
        unique_numbers=traits.unique_numbers,
        amount_digits=traits.amount_digits,
        strong_line_ids=traits.strong_line_ids,
        splits_payments=traits.splits_payments,
        merges_leave_inactive=traits.merges_leave_inactive,
        normalisers=traits.normalisers,
        absent=traits.absent,
        most=traits.most,
        unusable=_unusable(account),
    )


def _unusable(account: Account) -> dict[Kind, dict[str, tuple[str, str]]]:
    """Mapped custom fields that fail a record, by path, with the code and words."""
    made: dict[Kind, dict[str, tuple[str, str]]] = {}
    for problem in account.problems:
        if problem.code != "option_unknown":
            made.setdefault(problem.kind, {})[CUSTOM + problem.name] = (problem.code, problem.words)
    return made


def observed(connection: str, snapshot: Snapshot, cause: str, clock: Clock) -> Observed:
    """A look at an entity, with the keys it can be found by."""
    return Observed(
        ref=EntityRef(connection, snapshot.kind, snapshot.id),
        snapshot=snapshot,
        keys=match_keys(snapshot.noun),
        cause=cause,
        at=clock.now(),
    )


def account_to_plain(account: Account) -> dict[str, object]:
    """An account's settings as JSON, to be remembered with the connection."""
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "country": account.country,
        "multi_currency": account.multi_currency,
        "owns_numbers": account.owns_numbers,
        "writable": sorted(account.writable),
        "service_date_required": account.service_date_required,
        "books_closed_until": account.books_closed_until.isoformat() if account.books_closed_until else None,
        "taxes_required": account.taxes_required,
        "allows_discount": account.allows_discount,
        "tax_codes": [[code.id, code.name, *map(str, code.rates)] for code in account.tax_codes],
        "one_tax_code": account.one_tax_code,
        "takes_tax_total": account.takes_tax_total,
        "problems": [asdict(problem) for problem in account.problems],
    }


def account_from_plain(raw: Mapping[str, object]) -> Account:
    """The inverse of `account_to_plain`."""
    closed, writable = raw["books_closed_until"], raw["writable"]
    codes, problems = raw.get("tax_codes", []), raw.get("problems", [])
    assert isinstance(writable, list) and isinstance(codes, list) and isinstance(problems, list)
    own = ("books_closed_until", "writable", "tax_codes", "problems")
    plain = {name: value for name, value in raw.items() if name not in own}
    return Account(
        **plain,  # type: ignore[arg-type] # written by account_to_plain only
        books_closed_until=date.fromisoformat(str(closed)) if closed else None,
        writable=frozenset(Kind(kind) for kind in writable),
        tax_codes=tuple(TaxCode(id=id, name=name, rates=tuple(map(Decimal, rates))) for id, name, *rates in codes),
        problems=tuple(FieldProblem(**{**problem, "kind": Kind(problem["kind"])}) for problem in problems),
    )
