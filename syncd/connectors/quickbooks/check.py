"""What in this company will hurt, before it does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from syncd.connectors.base import ConnectionTrouble, FieldProblem, Finding, MappedField, Severity
from syncd.connectors.quickbooks.books import Books
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.wire import ENTITIES
from syncd.model.nouns import Invoice, Product
from syncd.model.references import Kind

NUMBERS_LOOKED_AT = 100  # of the invoices made last


async def check(reader: Reader, kinds: Sequence[Kind]) -> list[Finding]:
    """Findings, the worst first where one makes the others pointless."""
    try:
        books = await reader.look_at_books()
        findings = [*_company(books), *(_invoices(books) if Kind.INVOICE in kinds else ())]
        if Kind.INVOICE in kinds:
            findings += await _series(reader)
        if Kind.PRODUCT in kinds or Kind.INVOICE in kinds:
            findings += await _products(reader)
    except ConnectionTrouble as trouble:
        return [
            Finding(
                severity=Severity.ERROR,
                title=f"QuickBooks cannot be used: {trouble.words}",
                cure="Run `syncd connect` again with an administrator's account, and compare realm id and app keys.",
                code=trouble.condition.value,
            )
        ]
    return findings


def field_problems(fields: Sequence[MappedField], books: Books) -> Iterator[FieldProblem]:
    """What is wrong with mapped custom fields. Sales forms have three at most, all of them texts."""
    there = ", ".join(books.custom_fields) or "none"
    for field in fields:
        if books.custom_field(field.name) is None:
            yield FieldProblem(
                kind=field.kind,
                name=field.name,
                code="mapping_invalid",
                words=f"QuickBooks has no custom field “{field.name}” on sales forms",
                cure=f"switch it on (Account and settings, Sales); there are: {there}",
            )


def _company(books: Books) -> Iterator[Finding]:
    account = books.account
    yield Finding(severity=Severity.OK, title=f"Company {account.name} ({account.id}), books in {account.currency}")
    if account.multi_currency:
        yield _warning(
            "Several currencies are in use: a customer keeps the one it was created with.",
            "Invoices in another currency than their customer's will be refused.",
            "currency_mismatch",
        )


def _invoices(books: Books) -> Iterator[Finding]:
    account = books.account
    if account.owns_numbers:
        yield Finding(
            severity=Severity.OK, title="Custom transaction numbers are on: invoices keep the numbers they have"
        )
    else:
        yield _warning(
            "Custom transaction numbers are off: QuickBooks may go on counting from a number it is given.",
            "Turn on custom transaction numbers (Account and settings, Sales), or keep the two series apart.",
            "duplicate_document_number",
        )
    if account.books_closed_until is None:
        yield _warning(
            "No closing date is set: a change made elsewhere can reach a year that is filed.",
            "Close the books (Account and settings, Advanced, Accounting).",
            "accounting_period_closed",
        )
    if account.service_date_required:
        yield _warning(
            "Revenue recognition is on: lines of such products need a service date.",
            "Map a service date, or configure the invoice date as its default.",
            "service_date_required",
        )
    if account.taxes_required:
        yield _warning(
            f"A company in {account.country} that charges sales tax: every line needs a tax code.",
            "Invoices without one will be refused.",
            "tax_code_required",
        )
    if books.american and books.sales_tax:
        yield Finding(severity=Severity.OK, title="Sales tax is on: lines written here are marked non-taxable")
    if books.auto_applies_credit:
        yield _warning(
            "Credits are applied automatically: balances can fall without a payment.",
            "Turn off automatic application of credits (Account and settings, Advanced, Automation).",
        )
    if not account.allows_discount:
        yield _warning(
            "Discounts are switched off: an invoice with a discount on the whole will be refused.",
            "Turn on discounts (Account and settings, Sales).",
            "order_level_amount",
        )


async def _series(reader: Reader) -> list[Finding]:
    """Whether QuickBooks' own numbers go on where those of invoices written here stopped."""
    last = await reader.last(Kind.INVOICE, NUMBERS_LOOKED_AT)
    numbers = [(seen.noun.number, seen.marker) for seen in last if isinstance(seen.noun, Invoice) and seen.noun.number]
    ours = {_prefix(number) for number, marker in numbers if marker}
    taken = sorted(number for number, marker in numbers if not marker and _prefix(number) in ours - {""})
    if not taken:
        return []
    return [
        _warning(
            f"{len(taken)} invoices made in QuickBooks, such as {taken[0]}, continue the numbers that come from the "
            "other side.",
            "Give the next invoice in QuickBooks a number of its own series, or choose another prefix on the other "
            "side: two invoices with one number are refused.",
            "duplicate_document_number",
        )
    ]


def _prefix(number: str) -> str:
    return re.sub(r"[0-9]*$", "", number)


async def _products(reader: Reader) -> list[Finding]:
    skus: Counter[str] = Counter()
    without = 0
    async for answer in reader.pages(ENTITIES[Kind.PRODUCT]):
        for seen in await reader.snapshots(Kind.PRODUCT, answer.rows):
            if not isinstance(seen.noun, Product) or not seen.noun.active:
                continue
            if seen.noun.sku and seen.noun.sku.strip():
                skus[seen.noun.sku.strip()] += 1
            else:
                without += 1
    findings = []
    if without:
        findings.append(
            _warning(
                f"{without} active items have no SKU: they are not matched with products.",
                "Give them a SKU, or accept that their lines use the fallback product.",
            )
        )
    doubles = sorted(sku for sku, count in skus.items() if count > 1)
    if doubles:
        findings.append(
            _warning(
                f"{len(doubles)} SKUs stand on several active items, such as {doubles[0]}.",
                "Keep each SKU on one active item.",
                "product_ambiguous",
            )
        )
    return findings


def _warning(title: str, cure: str, code: str | None = None) -> Finding:
    return Finding(severity=Severity.WARNING, title=title, cure=cure, code=code)
