"""Merges that show in documents only.

When two customers, contacts or products become one, every document of the one that went now names the one that stayed.
That is no edit of those documents: their bases follow, and nothing is written because of it. Some vendors tell of no
merge at all, only that the entity is gone; then the documents that moved are the proof of where it went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.conflict import Both
from syncd.core.decision import Case, Context, Merge
from syncd.core.facts import Missing, Needs
from syncd.model.content import Content
from syncd.model.nouns import Party, Product
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot


def followed(case: Case, context: Context, both: Both) -> tuple[Both, tuple[Merge, ...]]:
    """The same with bases that name what lives on; and the merges nobody has told us of.

    Raises:
        Missing: what became of an entity that is not named any more has to be looked up.
    """
    if context.flow.kind is not Kind.INVOICE:
        return both, ()
    base, learned, wanted = dict(both.base), set[Merge](), Needs()
    for side in Side:
        moved = _moved(both.base[side], both.now[side])
        merged: dict[tuple[Kind, str], str] = {}
        for (kind, old), new in moved.items():
            try:
                told = _survivor(context, side, kind, old)
                if told == new or (told is None and _left(context, side, kind, old)):
                    merged[kind, old] = new
                    learned |= set() if told else {Merge(side, kind, old, new)}
            except Missing as missing:
                wanted = Needs.union([wanted, missing.needs])
        base[side] = _renamed(both.base[side], merged)
    if wanted:
        raise Missing(wanted)
    return replace(both, base=base), tuple(sorted(learned, key=lambda merge: (merge.side, merge.kind, merge.gone)))


def _moved(base: Content, now: Content) -> dict[tuple[Kind, str], str]:
    """References that name another entity than before, by what they named."""
    found = {}
    old, new = base.fields.get("customer"), now.fields.get("customer")
    if isinstance(old, str) and isinstance(new, str) and old != new:
        found[Kind.PARTY, old] = new
    lines = {line.key: line.product for line in base.lines or ()}
    for line in now.lines or ():
        product = lines.get(line.key)
        if product is not None and line.product is not None and product != line.product:
            found[Kind.PRODUCT, product] = line.product
    return found


def _survivor(context: Context, side: Side, kind: Kind, id: str) -> str | None:
    snapshot = context.facts.snapshot(side, kind, id)
    passed: set[str] = set()
    while snapshot is not None and snapshot.presence is Presence.MERGED and snapshot.merged_into not in passed:
        if snapshot.merged_into is None:
            return None
        passed.add(snapshot.merged_into)
        into = snapshot.merged_into
        snapshot = context.facts.snapshot(side, kind, into)
        if snapshot is None or snapshot.presence is not Presence.MERGED:
            return into
    return None


def _left(context: Context, side: Side, kind: Kind, id: str) -> bool:
    """Whether an entity that had documents has left the books: only a merge does that to them."""
    snapshot = context.facts.snapshot(side, kind, id)
    if snapshot is not None and snapshot.presence is Presence.DELETED:
        return True
    return context.facts.sides[side].merges_leave_inactive and _inactive(snapshot)


def _inactive(snapshot: Snapshot | None) -> bool:
    noun = snapshot.noun if snapshot is not None else None
    return isinstance(noun, Party | Product) and not noun.active


def _renamed(base: Content, merged: Mapping[tuple[Kind, str], str]) -> Content:
    if not merged:
        return base
    fields = dict(base.fields)
    customer = fields.get("customer")
    if isinstance(customer, str):
        fields["customer"] = merged.get((Kind.PARTY, customer), customer)
    lines = base.lines and tuple(
        replace(line, product=merged.get((Kind.PRODUCT, line.product or ""), line.product)) for line in base.lines
    )
    return replace(base, fields=fields, lines=lines)
