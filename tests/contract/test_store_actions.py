"""What people asked of records, and access tokens: kept in order, once for each key, on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from syncd.model.action import Action, ActionName, ActionState
from syncd.model.references import Side
from syncd.model.token import Role, Token
from syncd.store.store import Store
from tests.store_samples import NOW, record

RETRY = Action(id="a" * 32, record="r1", name=ActionName.RETRY, by="cli ann", at=NOW)
FULL = Action(
    id="b" * 32,
    record="r1",
    name=ActionName.RESOLVE,
    by="token ops",
    at=NOW,
    confirmed=True,
    take=Side.LEFT,
    fields={"phone": Side.RIGHT},
    entity="12",
    key="k-1",
)
TOKEN = Token(name="ops", role=Role.OPERATOR, digest=bytes(32), created_at=NOW, expires_at=NOW + timedelta(days=1))


async def opened(store: Store, *records: str) -> dict[str, tuple[Action, ...]]:
    return await store.read(lambda tx: tx.open_actions(records))


async def test_what_was_asked_comes_back_whole_and_in_its_order(store: Store) -> None:
    """Every field; of the records that are asked about only."""
    await store.write(lambda tx: tx.add_actions([FULL, RETRY, replace(RETRY, id="c" * 32, record="r2")]))
    assert await opened(store, "r1", "r3") == {"r1": (FULL, RETRY)}
    assert await opened(store) == {}


async def test_what_ended_is_no_longer_open_until_it_is_forgotten(store: Store) -> None:
    """Its end is kept for whoever asks again under the same key."""
    await store.write(lambda tx: tx.add_actions([FULL, RETRY]))
    await store.write(lambda tx: tx.end_actions([(FULL.id, ActionState.REFUSED, "no\x00pe")], NOW))
    assert await opened(store, "r1") == {"r1": (RETRY,)}
    (known,) = await store.read(lambda tx: tx.actions_with_key("token ops", "k-1"))
    assert (known.state, known.outcome) == (ActionState.REFUSED, "no\ufffdpe")
    assert await store.read(lambda tx: tx.actions_with_key("cli ann", "k-1")) == []
    await store.write(lambda tx: tx.drop_actions(NOW + timedelta(seconds=1)))
    assert await store.read(lambda tx: tx.actions_with_key("token ops", "k-1")) == []
    assert await opened(store, "r1") == {"r1": (RETRY,)}


async def test_a_key_stands_for_one_action_of_a_record(store: Store) -> None:
    """Another person, record or key is another action; without a key all are."""
    others = [replace(FULL, id=f"{n:032x}", **change) for n, change in enumerate(
        ({"by": "page"}, {"record": "r2"}, {"key": "k-2"}, {"key": None}, {"key": None}))]  # fmt: skip
    await store.write(lambda tx: tx.add_actions([FULL, *others]))
    with pytest.raises(IntegrityError):
        await store.write(lambda tx: tx.add_actions([replace(FULL, id="d" * 32)]))


async def test_what_was_asked_goes_along_when_a_record_is_folded(store: Store) -> None:
    """The record that stays is asked instead."""
    await store.write(lambda tx: tx.save_records([record("r1", left="1"), record("r2", right="2")]))
    await store.write(lambda tx: tx.add_actions([RETRY]))
    await store.write(lambda tx: tx.delete_record("r1", into="r2"))
    assert await opened(store, "r1", "r2") == {"r2": (replace(RETRY, record="r2"),)}


async def test_records_are_brought_forward(store: Store) -> None:
    """Whatever they waited for; the others stay."""
    await store.write(lambda tx: tx.save_records([record("r1", left="1"), record("r2", left="2")]))
    await store.write(lambda tx: tx.bring_forward(["r1"], NOW))
    due = await store.read(lambda tx: tx.due_records(["invoicing"], NOW, 10))
    assert [one.id for one in due] == ["r1"]


async def test_tokens_are_found_by_their_digest_only(store: Store) -> None:
    """And one name is one token, revoked or not."""
    await store.write(lambda tx: tx.add_token(TOKEN))
    assert await store.read(lambda tx: tx.token_with(TOKEN.digest)) == TOKEN
    assert await store.read(lambda tx: tx.token_with(b"\x01" * 32)) is None
    for clash in (replace(TOKEN, digest=b"\x01" * 32), replace(TOKEN, name="other")):
        with pytest.raises(IntegrityError):
            await store.write(lambda tx, clash=clash: tx.add_token(clash))


async def test_a_token_is_revoked_once(store: Store) -> None:
    """The first time counts; a name nobody has is told."""
    await store.write(lambda tx: tx.add_token(TOKEN))
    assert await store.write(lambda tx: tx.revoke_token("ops", NOW))
    assert await store.write(lambda tx: tx.revoke_token("ops", NOW + timedelta(days=1)))
    assert not await store.write(lambda tx: tx.revoke_token("nobody", NOW))
    (token,) = await store.read(lambda tx: tx.tokens())
    assert (token.revoked_at, token.valid(NOW)) == (NOW, False)
    assert TOKEN.valid(NOW)
    assert not TOKEN.valid(NOW + timedelta(days=1))
