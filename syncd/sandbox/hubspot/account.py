"""The portal as an account: details, owners, deal pipelines, tax rates, currencies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import PORTAL_ID, not_found
from syncd.sandbox.hubspot.limits import Meter
from syncd.sandbox.hubspot.times import iso

COMPANY_CURRENCY = "USD"

DETAILS: Mapping[str, object] = {
    "portalId": PORTAL_ID,
    "accountType": "STANDARD",
    "companyCurrency": COMPANY_CURRENCY,
    "additionalCurrencies": ["EUR", "CAD"],
    "uiDomain": "app.hubspot.com",
    "dataHostingLocation": "na1",
}

OWNERS: list[dict[str, object]] = [
    {
        "id": id,
        "email": email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": user,
        "userIdIncludingInactive": user,
        "createdAt": "2023-02-01T09:00:00.000Z",
        "updatedAt": "2026-01-10T09:00:00.000Z",
        "archived": False,
    }
    # An owner's id and its user's id differ on purpose: records carry the first.
    for id, user, email, first, last in (
        ("41629779", 959199, "craig@example.com", "Craig", "Carlson"),
        ("41629780", 959200, "emily@example.com", "Emily", "Platt"),
    )
]

_STAGES = (
    ("contractsent", "Contract sent", "0.9"),
    ("closedwon", "Closed won", "1.0"),
    ("closedlost", "Closed lost", "0.0"),
)

PIPELINE: dict[str, object] = {
    "id": "default",
    "label": "Sales Pipeline",
    "displayOrder": 0,
    "createdAt": "2023-02-01T09:00:00.000Z",
    "updatedAt": "2026-01-10T09:00:00.000Z",
    "archived": False,
    "stages": [
        {
            "id": id,
            "label": label,
            "displayOrder": place,
            "metadata": {"isClosed": "true" if id.startswith("closed") else "false", "probability": probability},
            "createdAt": "2023-02-01T09:00:00.000Z",
            "updatedAt": "2026-01-10T09:00:00.000Z",
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        for place, (id, label, probability) in enumerate(_STAGES)
    ],
}

TAX_RATES: dict[str, dict[str, object]] = {
    "7001": {"id": "7001", "name": "California", "label": "CA 8%", "percentageRate": 8, "active": True},
    "7002": {"id": "7002", "name": "Tucson", "label": "AZ 9.1%", "percentageRate": 9.1, "active": True},
    "7003": {"id": "7003", "name": "France", "label": "TVA 20%", "percentageRate": 20, "active": True},
    "7004": {"id": "7004", "name": "France", "label": "TVA 5,5%", "percentageRate": 5.5, "active": True},
}


def tax_percentage(group_id: str | None) -> Decimal:
    """The rate a line item's `hs_tax_rate_group_id` stands for; unknown ids tax nothing."""
    rate = TAX_RATES.get(group_id or "")
    return Decimal(str(rate["percentageRate"])) if rate else Decimal(0)


def details(call: Call) -> Reply:
    zone = call.portal.settings.time_zone
    offset = call.hand.now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    shown = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    times = {"timeZone": zone, "utcOffset": shown, "utcOffsetMilliseconds": minutes * 60_000}
    return Reply(200, {**DETAILS, **times})


def daily_usage(call: Call, meter: Meter) -> Reply:
    now = call.hand.now
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.portal.settings.daily_limit,
        "currentUsage": meter.today,
        "collectedAt": iso(now),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(midnight),
    }
    return Reply(200, {"results": [usage]})


def owners(call: Call) -> Reply:
    call.require_scope("crm.objects.owners.read")
    email = call.args.get("email")
    found = [each for each in OWNERS if email in (None, each["email"]) and not call.flag("archived")]
    return Reply(200, {"results": found})


def owner(call: Call, id: str) -> Reply:
    call.require_scope("crm.objects.owners.read")
    for each in OWNERS:
        if each["id"] == id:
            return Reply(200, each)
    raise not_found()


def pipelines(call: Call, kind: str) -> Reply:
    if kind not in ("deals", "deal", "0-3"):
        raise not_found()
    return Reply(200, {"results": [PIPELINE]})


def tax_rates(call: Call) -> Reply:
    call.require_scope("tax_rates.read")
    return Reply(200, {"results": list(TAX_RATES.values())})
