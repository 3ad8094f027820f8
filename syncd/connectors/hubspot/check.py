"""What `check` says of a HubSpot connection."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.connectors import skew
from syncd.connectors.base import Condition, ConnectionTrouble, Finding, Severity
from syncd.connectors.hubspot import others
from syncd.connectors.hubspot.client import Client, Filter
from syncd.connectors.hubspot.fields import LINES, PRODUCTS
from syncd.connectors.hubspot.manifest import MANIFEST
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.payments import WORDS, Recording
from syncd.connectors.hubspot.prepare import missing_on, types_of
from syncd.model.references import Kind


async def findings(client: Client, recording: Recording, options: Options, kinds: Sequence[Kind]) -> list[Finding]:
    """Account, scopes, our properties, payments, products without SKU."""
    try:
        portal = await client.portal()
    except ConnectionTrouble as trouble:
        return [_trouble("The account cannot be reached", trouble)]
    made = [Finding(severity=Severity.OK, title=f"Portal {portal.portal_id}, {portal.company_currency}")]
    made += [skew.finding(client.skew), *await _scopes(client, kinds)]
    for object_type in types_of(kinds):
        made += await _object(client, object_type)
    if Kind.INVOICE in kinds:
        made += await _other_sync(client, options)
    if Kind.PAYMENT in kinds:
        made.append(_payments(recording))
    if Kind.PRODUCT in kinds:
        made += await _products(client)
    return made


async def _scopes(client: Client, kinds: Sequence[Kind]) -> list[Finding]:
    try:
        granted = await client.scopes()
    except ConnectionTrouble as trouble:
        return [_trouble("The granted scopes cannot be read", trouble)]
    if granted is None:
        return [Finding(severity=Severity.OK, title="Scopes of a fixed token: those to read are tried below")]
    missing = [scope for scope in MANIFEST.oauth.asked(kinds, kinds) if scope not in granted]
    if not missing:
        return [Finding(severity=Severity.OK, title="Every scope that is needed is granted")]
    return [
        Finding(
            severity=Severity.ERROR,
            title=f"The scope {scope} is missing",
            cure="add it to the app, then run `syncd connect` again and agree to it",
            code="permission_missing",
        )
        for scope in missing
    ]


async def _object(client: Client, object_type: str) -> list[Finding]:
    try:
        await client.listed(object_type, archived=False, limit=1)
        missing = await missing_on(client, object_type)
    except ConnectionTrouble as trouble:
        return [_trouble(f"{object_type} cannot be read", trouble)]
    if not missing:
        return [Finding(severity=Severity.OK, title=f"{object_type} can be read and carry our reference")]
    scope = "line_items" if object_type == LINES else object_type.replace("_", "")
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{object_type} lack the properties {', '.join(missing)}",
            cure=f"they are created at the first run, which needs crm.schemas.{scope}.write; nothing is written before",
            code="permission_missing",
        )
    ]


async def _other_sync(client: Client, options: Options) -> list[Finding]:
    try:
        signs = await others.signs(client, options)
    except ConnectionTrouble as trouble:
        if trouble.condition is Condition.PERMISSION_MISSING:
            return []  # told already: it is the right to read invoices
        return [_trouble("whether another sync is at work cannot be seen", trouble)]
    severity = Severity.WARNING if options.allow_other_sync else Severity.ERROR
    code = Condition.OTHER_SYNC.value
    return [Finding(severity=severity, title=sign, cure=others.CURE, code=code) for sign in signs] or [
        Finding(severity=Severity.OK, title="No sign of HubSpot's own sync with an accounting system")
    ]


def _payments(recording: Recording) -> Finding:
    if not recording.possible:
        return Finding(
            severity=Severity.WARNING,
            title=WORDS,
            cure="payments are shown on the invoices only; set up HubSpot payments or Stripe to have records of them",
        )
    if recording.certain:
        return Finding(severity=Severity.OK, title="Payments can be recorded")
    return Finding(
        severity=Severity.WARNING,
        title="Whether payments can be recorded shows with the first one",
        cure='set the option payments = "on" or "off" if you know: it needs HubSpot payments or Stripe',
    )


async def _products(client: Client) -> list[Finding]:
    try:
        page = await client.search(PRODUCTS, [Filter("hs_sku", "NOT_HAS_PROPERTY")], ("name",), "hs_object_id", limit=1)
    except ConnectionTrouble as trouble:
        return [_trouble("products cannot be searched", trouble)]
    if not page.total:
        return [Finding(severity=Severity.OK, title="Every product has a SKU"), *await _bare_lines(client)]
    return [
        *await _bare_lines(client),
        Finding(
            severity=Severity.WARNING,
            title=f"{page.total} products have no SKU",
            cure="they are matched by nothing: lines with them fall back to the custom line item product",
            code="no_sku",
        ),
    ]


async def _bare_lines(client: Client) -> list[Finding]:
    bare = [Filter("hs_product_id", "NOT_HAS_PROPERTY")]
    try:
        page = await client.search(LINES, bare, ("name",), "hs_object_id", limit=1)
    except ConnectionTrouble:
        return []  # told already, with the right that is missing
    if not page.total:
        return []
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{page.total} line items name no product",
            cure="on invoices they are booked on the custom line item product: pick products from the library instead",
        )
    ]


def _trouble(what: str, trouble: ConnectionTrouble) -> Finding:
    cures = {
        Condition.AUTHORIZATION_LOST: "run `syncd connect` again, or give a valid token",
        Condition.PERMISSION_MISSING: f"grant {trouble.words}",
    }
    return Finding(
        severity=Severity.ERROR,
        title=f"{what}: {trouble.words}",
        cure=cures.get(trouble.condition, "try again later"),
        code=str(trouble.condition),
    )
