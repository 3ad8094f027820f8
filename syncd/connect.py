"""`syncd connect` and `syncd disconnect`: a person's consent, fetched through their browser, kept and given back.

The order is what makes it safe to be killed anywhere: which account was chosen is compared before anything is
replaced, the new tokens are on disk before they are used, and only then the owner of the state is told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Protocol

import anyio
import anyio.to_thread

from syncd import recipes
from syncd.app import opened
from syncd.assembly import ISSUERS, settings_of
from syncd.cli_client import daemon
from syncd.clock import Clock, SystemChance, SystemClock
from syncd.config import Config
from syncd.connectors.base import Condition, ConnectionTrouble
from syncd.connectors.http import AioTransport
from syncd.connectors.oauth import Consent, Grant, GrantRefused, Issuer, Tokens, consent_address
from syncd.connectors.settings import ConnectionSettings
from syncd.consent import fixed_token
from syncd.errors import PermissionRefused, UsageError, VendorUnreachable
from syncd.health import FINAL
from syncd.model.references import Kind
from syncd.redirect import Landing, landing
from syncd.running import App
from syncd.status.reader import Reader
from syncd.store.secrets import Secrets

PATIENCE = 600.0  # seconds a person has to agree: the page may ask for a password and a second factor first


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asked.

    Attributes:
        tell: says to them what is to be done. show: opens an address for them, None to only tell it.
        patience: seconds to wait for their answer.
    """

    tell: Callable[[str], None]
    show: Callable[[str], object] | None = None
    patience: float = PATIENCE


class Owner(Protocol):
    """Who owns the state, and so the tokens: the running daemon, or this process."""

    async def connections(self) -> dict[str, Any]: ...

    async def connection(self, action: str, name: str) -> dict[str, Any]: ...


class Own:
    """This process, when no daemon runs."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def connections(self) -> dict[str, Any]:
        return await Reader(self._app).connections()

    async def connection(self, action: str, name: str) -> dict[str, Any]:
        with _in_a_sentence(name):
            return await self._app.connection(action, name)


async def connect(
    config: Config, name: str, person: Person, environ: Mapping[str, str], clock: Clock | None = None
) -> dict[str, Any]:
    """Have a person connect an account, keep what they agreed to, and let its flows go on.

    Returns:
        The connection with its `account` and `account_name`, the `flows` that were resumed, its `state`, and the
        `words` behind it.

    Raises:
        UsageError: there is no such connection, or it has a fixed token.
        PermissionRefused: the person refused, or chose another account than the connection is pinned to.
        VendorUnreachable: nobody answered in time, or the vendor does not.
        StateBusy: another command owns the state, or somebody listens on the redirect address.
    """
    settings, clock = _settings(config, name), clock or SystemClock()
    async with _owner(config, environ, clock) as owner, _issuer(settings, clock) as issuer:
        given = environ.get("CREDENTIALS_DIRECTORY")
        kept = await Secrets.open(config.state_dir, Path(given) if given else None)
        tokens = Tokens(settings=settings, issuer=issuer, keeper=kept.keeper(name), clock=clock)
        pinned = await _pinned(owner, name) or await tokens.connected()
        scopes = wanted(config, name, issuer.consent, clock)
        redirect = config.connections[name].redirect_url or issuer.consent.redirect
        with _in_a_sentence(name):
            grant, account = await _agreed(settings, issuer, scopes, redirect, pinned, person)
        await tokens.adopt(grant, account)
        told = await owner.connection("reconnected", name)
    return {"vendor": settings.vendor, "account": account, **told}


async def disconnect(
    config: Config, name: str, environ: Mapping[str, str], clock: Clock | None = None
) -> dict[str, Any]:
    """Pause the flows that use a connection, end its consent at the vendor and erase its tokens.

    Raises:
        UsageError: there is no such connection, or it has a fixed token.
        VendorUnreachable: the vendor does not answer: its flows are paused, the tokens are still there.
    """
    _settings(config, name)
    async with _owner(config, environ, clock or SystemClock()) as owner:
        return await owner.connection("disconnect", name)


def wanted(config: Config, name: str, consent: Consent, clock: Clock) -> tuple[str, ...]:
    """The scopes for exactly what the configured syncs read and write through this connection."""
    reads: dict[Kind, None] = {}
    writes: dict[Kind, None] = {}
    for sync_name, sync in config.syncs.items():
        if name not in (sync.left, sync.right):
            continue
        rules = recipes.build(sync_name, config.raw["syncs"][sync_name], sync.start or clock.now())
        for flow in rules.flows:
            reads[flow.kind] = None
            if flow.direction.allows(rules.side(name).other):
                writes[flow.kind] = None
    return consent.asked(reads, writes)


async def _agreed(
    settings: ConnectionSettings, issuer: Issuer, scopes: Sequence[str], redirect: str, pinned: str, person: Person
) -> tuple[Grant, str]:
    """A person's consent, exchanged for tokens, and the account it is for."""
    name, state, verifier = settings.name, token_urlsafe(32), token_urlsafe(48)
    address = consent_address(issuer, settings.client_id or "", scopes, redirect, state, verifier)
    async with landing(redirect, issuer.consent.port, state) as arrival:
        answer = await _answered(arrival, name, address, redirect, person)
    account = answer.get(issuer.consent.account, "")
    _refuse_another(name, pinned, account)  # before the code is used: what is connected stays so
    try:
        grant = await issuer.exchange(answer["code"], redirect, verifier)
    except GrantRefused as refusal:
        raise PermissionRefused(
            f"{name}: the vendor does not take its own code: {refusal}; nothing changed"
        ) from refusal
    account = account or grant.account
    if not account:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "it is not told which account was connected")
    _refuse_another(name, pinned, account)
    return grant, account


async def _answered(arrival: Landing, name: str, address: str, redirect: str, person: Person) -> Mapping[str, str]:
    """What the vendor's page sends back once the person has agreed."""
    person.tell(f"open this page and agree, as an administrator of the account to connect:\n\n{address}\n")
    if person.show is not None:
        await anyio.to_thread.run_sync(person.show, address)
    person.tell(f"waiting for the answer on {redirect}; Ctrl-C gives up")
    try:
        with anyio.fail_after(person.patience):
            answer = await arrival.answer()
    except TimeoutError:
        words = f"{name}: nobody has agreed within {person.patience:.0f} seconds; nothing changed"
        raise VendorUnreachable(words) from None
    if "code" not in answer:
        words = answer.get("error_description") or answer.get("error") or "no code came back"
        raise PermissionRefused(f"{name}: consent was not given ({words}); nothing changed")
    return answer


def _refuse_another(name: str, pinned: str, account: str) -> None:
    if pinned and account and account != pinned:
        raise PermissionRefused(
            f"{Condition.ACCOUNT_CHANGED}: {name} is pinned to account {pinned}, and {account} was chosen; nothing "
            f"changed. Choose {pinned} on the vendor's page, or give {account} a configuration and a state_dir of its "
            "own"
        )


async def _pinned(owner: Owner, name: str) -> str:
    """The account the connection has met; empty before it met one."""
    rows = (await owner.connections())["connections"]
    return next((row["account_id"] for row in rows if row["name"] == name), None) or ""


@asynccontextmanager
async def _owner(config: Config, environ: Mapping[str, str], clock: Clock) -> AsyncIterator[Owner]:
    async with daemon(config, environ) as running:
        if running is not None:
            yield running
            return
    async with opened(config, "connect", clock=clock, environ=environ) as app:
        yield Own(app)


@asynccontextmanager
async def _issuer(settings: ConnectionSettings, clock: Clock) -> AsyncIterator[Issuer]:
    transport = AioTransport()
    try:
        yield ISSUERS[settings.vendor](settings, transport, clock, SystemChance())
    finally:
        await transport.close()


def _settings(config: Config, name: str) -> ConnectionSettings:
    if name not in config.connections:
        raise UsageError(f"there is no connection “{name}”; there is {', '.join(config.connections)}")
    settings = settings_of(name, config.connections[name])
    if settings.token:
        raise UsageError(fixed_token(name))
    return settings


@contextmanager
def _in_a_sentence(name: str) -> Iterator[None]:
    """A vendor's trouble ends the command in a sentence."""
    try:
        yield
    except ConnectionTrouble as trouble:
        kind = PermissionRefused if trouble.condition in FINAL else VendorUnreachable
        raise kind(f"{name}: {trouble}") from trouble
