"""What `check` says of the options that name something in the books: tax codes, the product for taxes, accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from syncd.connectors.base import Account, Finding, Severity
from syncd.core.rules import FlowRules, SyncRules
from syncd.model.nouns import Product
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.tax import TaxCode
from syncd.running import App


async def taxes(app: App, sync: SyncRules) -> list[Finding]:
    """Whether the invoices' taxes will find their place."""
    invoices = sync.flow_of(Kind.INVOICE)
    if invoices is None or not invoices.direction.allows(Side.LEFT):
        return []
    option = f"syncs.{sync.name}.flows.{invoices.name}.options"
    connector = app.engine.connectors[sync.right]
    found = list(_codes(sync, invoices, await connector.account(), option))
    if invoices.tax_product is not None:
        keys = [MatchKey(field, invoices.tax_product) for field in ("name", "sku")]
        seen = await connector.find(Kind.PRODUCT, keys)
        active = any(isinstance(one.noun, Product) and one.noun.active for key in keys for one in seen[key])
        found.append(_product(sync, invoices.tax_product, option, active=active))
    return found


def _codes(sync: SyncRules, flow: FlowRules, account: Account, option: str) -> Iterator[Finding]:
    if account.taxes_required and not flow.tax_codes:
        yield Finding(
            severity=Severity.WARNING,
            title=f"{sync.name}: {sync.right} wants a tax code on every line, and none is configured",
            cure=f'set {option}.tax_codes, a rate and the name of a tax code each: {{ "20" = "TVA 20" }}',
            code="unsupported_region",
        )
    for rate, name in flow.tax_codes.items():
        wrong = _wrong(Decimal(rate), name, account.tax_codes)
        if wrong is not None:
            title = f"{sync.name}: {sync.right} {wrong}"
            yield Finding(
                severity=Severity.ERROR, title=title, cure=f"correct {option}.tax_codes", code="configuration"
            )


def _wrong(rate: Decimal, name: str, codes: Sequence[TaxCode]) -> str | None:
    folded = name.strip().casefold()
    code = next((code for code in codes if folded in (code.name.casefold(), code.id)), None)
    if code is None:
        return f"has no active tax code “{name}”"
    return None if code.rate == rate else f"takes {code.rate} % with “{name}”, which is configured for {rate} %"


def _product(sync: SyncRules, name: str, option: str, *, active: bool) -> Finding:
    if not active:
        title = f"{sync.name}: {sync.right} has no active product “{name}” for taxes"
        return Finding(severity=Severity.ERROR, title=title, cure=f"correct {option}.tax_product", code="configuration")
    title = f"{sync.name}: lines named “{name}” are booked as sales: they do not reach the tax reports of {sync.right}"
    return Finding(
        severity=Severity.WARNING,
        title=title,
        cure="bind the product to the account where you keep the taxes you owe, or map the rates with tax_codes",
    )


async def products_account(app: App, sync: SyncRules) -> list[Finding]:
    """Whether products can be made in the books."""
    products = sync.flow_of(Kind.PRODUCT)
    if products is None or not products.direction.allows(Side.LEFT):
        return []
    option = f"syncs.{sync.name}.flows.{products.name}.options.income_account"
    exists = getattr(app.engine.connectors[sync.right], "account_exists", None)
    if products.income_account is None:
        title = f"{sync.name}: products go to {sync.right}, and no income account is configured for them"
        return [Finding(severity=Severity.ERROR, title=title, cure=f"set {option}", code="configuration")]
    if exists is not None and not await exists(products.income_account):
        title = f"{sync.name}: {sync.right} has no income account “{products.income_account}”"
        return [Finding(severity=Severity.ERROR, title=title, cure=f"correct {option}", code="configuration")]
    return []
