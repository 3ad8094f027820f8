"""What holds of the store for all values and all histories."""

import asyncio
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.model.nouns import Adjustment, AdjustmentKind, Allocation, Invoice, Line, Noun, Party, Payment, Product
from syncd.model.record import Record, Status
from syncd.model.references import Kind
from syncd.model.snapshot import Snapshot
from syncd.store.codec import content_digest, snapshot_from_plain, snapshot_to_plain
from syncd.store.columns import LONGEST_KEY, JsonText, index_key
from syncd.store.store import Store
from tests.properties.scale import scaled

text = st.text(st.characters(exclude_categories=["Cs"]))  # a lone surrogate is no text: the wire refuses it
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)
times = st.datetimes(timezones=st.just(UTC))
values = st.none() | text | st.booleans() | amounts | st.dates() | times
custom = st.dictionaries(text, values, max_size=3)
lines = st.lists(st.builds(Line, discount=amounts, quantity=amounts), max_size=3).map(tuple)
adjustments = st.lists(st.builds(Adjustment, kind=st.sampled_from(AdjustmentKind), amount=amounts), max_size=2).map(
    tuple
)
allocations = st.lists(st.builds(Allocation, invoice=text, amount=st.none() | amounts), max_size=2).map(tuple)
nouns: dict[Kind, st.SearchStrategy[Noun]] = {
    Kind.PARTY: st.builds(Party, email=st.none() | text, name=text, active=st.booleans(), custom=custom),
    Kind.PRODUCT: st.builds(Product, sku=text, unit_price=st.none() | amounts, custom=custom),
    Kind.INVOICE: st.builds(
        Invoice,
        total=amounts,
        balance=amounts,
        issue_date=st.none() | st.dates(),
        lines=lines,
        adjustments=adjustments,
        custom=custom,
    ),
    Kind.PAYMENT: st.builds(
        Payment, amount=amounts, date=st.none() | st.dates(), allocations=allocations, custom=custom
    ),
}
snapshots = st.sampled_from(Kind).flatmap(
    lambda kind: st.builds(
        Snapshot,
        kind=st.just(kind),
        noun=st.none() | nouns[kind],
        created=st.none() | times,
        native=st.none() | st.booleans(),
    )
)
json_text = JsonText()


@given(snapshots)
def test_a_snapshot_survives_the_disk(snapshot: Snapshot) -> None:
    """Through JSON text and back it is equal, and so is the digest of what comes back."""
    plain = snapshot_to_plain(snapshot)
    written = json_text.process_bind_param(plain, None)  # type: ignore[arg-type]
    read = json_text.process_result_value(written, None)  # type: ignore[arg-type]
    back = snapshot_from_plain(snapshot.kind, snapshot.id, read)
    assert back == snapshot
    assert content_digest(snapshot_to_plain(back)) == content_digest(plain)


@given(text | st.text("ab", min_size=LONGEST_KEY - 1, max_size=LONGEST_KEY * 3))
def test_an_index_key_is_short_and_stays_what_it_is(key: str) -> None:
    """It fits every index, and making it again of itself changes nothing."""
    made = index_key(key)
    assert len(made) <= LONGEST_KEY
    assert "\x00" not in made
    assert index_key(made) == made


saved = st.builds(
    Record,
    id=st.sampled_from("abcde"),
    sync=st.sampled_from(["one", "two"]),
    flow=st.just("invoices"),
    label=st.sampled_from(["x", "y"]),
    status=st.sampled_from(Status),
    code=st.sampled_from(["", "queued", "record_locked"]),
    notes=st.lists(st.sampled_from(["variance_accepted", "payment_mirrored"]), unique=True).map(tuple),
    since=st.just(datetime(2026, 11, 21, tzinfo=UTC)),
    left=st.none(),
    right=st.none(),
    left_base=st.none(),
    right_base=st.none(),
    next_at=st.none(),
)
folds = st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")).filter(lambda pair: pair[0] != pair[1])


@settings(max_examples=scaled(40), deadline=None)
@given(st.lists(st.lists(saved, max_size=4) | folds, max_size=8))
def test_counts_are_what_a_recount_finds(history: list[list[Record] | tuple[str, str]]) -> None:
    """After any saves and folds; and every record is on exactly one page of the listing."""
    asyncio.run(_replay(history))


async def _replay(history: list[list[Record] | tuple[str, str]]) -> None:
    store = await Store.open("sqlite://", inline=True)
    known: set[str] = set()
    for step in history:
        if isinstance(step, tuple):
            await store.write(lambda tx: tx.delete_record(step[0], into=step[1]))  # noqa: B023
            known.discard(step[0])
        else:
            await store.write(lambda tx: tx.save_records(step))  # noqa: B023
            known.update(record.id for record in step)
        assert await store.read(lambda tx: tx.recount()) == []
    listed = await store.read(lambda tx: tx.list_records(limit=100))
    assert sorted(record.id for record in listed.rows) == sorted(known)
    await store.close()
