"""`syncd check`: every connection and what the configuration will make of it, without changing anything at a vendor."""

from __future__ import annotations

import os
from dataclasses import replace

from syncd import checkup_here
from syncd.app import opened
from syncd.checkup_options import products_account, taxes
from syncd.config import Config
from syncd.connectors.base import Account, Condition, ConnectionTrouble, Connector, FieldProblem, Finding, Severity
from syncd.connectors.http import AioTransport
from syncd.core.rules import Direction, SyncRules
from syncd.errors import PermissionRefused
from syncd.feed import doors
from syncd.model.connection import ConnectionRow
from syncd.model.references import Kind
from syncd.running import App


async def check(config: Config) -> list[Finding]:
    """Look at this machine, every connection, and what the configuration will make of it; changes nothing at a vendor.

    Raises:
        PermissionRefused: the state's directory cannot be used at all.
    """
    transport = AioTransport()
    try:
        arriving = await checkup_here.webhooks(config, transport, os.environ)
    finally:
        await transport.close()
    try:
        return await _look(config, arriving)
    except PermissionError as error:
        cure = f"give this user the right to read and write {config.state_dir}"
        raise PermissionRefused(f"{error.filename}: {error.strerror}; {cure}") from error


async def _look(config: Config, arriving: list[Finding]) -> list[Finding]:
    async with opened(config, None) as app:
        findings, silent = [*doors.look(config), *arriving], set[str]()
        findings += await checkup_here.machine(config, app.store)
        for name, connector in app.engine.connectors.items():
            try:
                found = await connector.check(app.engine.kinds(name))
                findings += [replace(one, title=f"{name}: {one.title}") for one in found]
                findings += await _account(app, name, connector)
            except ConnectionTrouble as trouble:
                title = f"{name}: {trouble.words}"
                findings.append(Finding(severity=Severity.ERROR, title=title, code=str(trouble.condition)))
                silent.add(name)
        for sync in app.syncs:
            findings += _flows(sync)
            if sync.right not in silent:
                findings += await _fallback_account(app, sync)
                findings += await products_account(app, sync)
                findings += await taxes(app, sync)
        return findings


async def _account(app: App, name: str, connector: Connector) -> list[Finding]:
    row, account = app.health.rows[name], await connector.account()
    return [*_pinning(row, account, name), *(_field(problem, name) for problem in account.problems)]


def _field(problem: FieldProblem, name: str) -> Finding:
    """A mapped custom field that the vendor defines otherwise."""
    title = f"{name}: {problem.words}"
    return Finding(severity=Severity.ERROR, title=title, cure=problem.cure, code=problem.code)


def _pinning(row: ConnectionRow, account: Account, name: str) -> list[Finding]:
    if row.account_id is None or row.account_id == account.id:
        return [Finding(severity=Severity.OK, title=f"{name}: account {account.id}")]
    title = f"{name}: pinned to account {row.account_id}, but the credentials open {account.id}"
    cure = "use credentials of the first account, or a new state directory for the new one"
    return [Finding(severity=Severity.ERROR, title=title, cure=cure, code=str(Condition.ACCOUNT_CHANGED))]


def _flows(sync: SyncRules) -> list[Finding]:
    """Invoices without their customers or products: what follows, and the cure."""
    invoices = sync.flow_of(Kind.INVOICE)
    if invoices is None or invoices.direction is Direction.OFF:
        return []
    needed = {
        invoices.customers: "invoices for customers the other side does not know will fail as customer_missing",
        invoices.products: "every line without a known product goes on the fallback product",
    }
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{sync.name}: the {name} flow is off: {follows}",
            cure=f"set a direction for syncs.{sync.name}.flows.{name}",
        )
        for name, follows in needed.items()
        if name is not None and sync.flow(name).direction is Direction.OFF
    ]


async def _fallback_account(app: App, sync: SyncRules) -> list[Finding]:
    invoices = sync.flow_of(Kind.INVOICE)
    if invoices is None or invoices.fallback_product is None:
        return []
    option = f"syncs.{sync.name}.flows.{invoices.name}.options.custom_line_item_account"
    if invoices.fallback_account is None:
        title = f"{sync.name}: no income account for “{invoices.fallback_product}”"
        return [Finding(severity=Severity.ERROR, title=title, cure=f"set {option}", code="configuration")]
    connector = app.engine.connectors[sync.right]
    exists = getattr(connector, "account_exists", None)
    if exists is not None and not await exists(invoices.fallback_account):
        title = f"{sync.name}: {sync.right} has no income account “{invoices.fallback_account}”"
        return [Finding(severity=Severity.ERROR, title=title, cure=f"correct {option}", code="configuration")]
    return []
