"""Preferences and CompanyInfo: the seed records with what the settings say laid over them."""

from __future__ import annotations

from syncd.sandbox.quickbooks.settings import Settings
from syncd.sandbox.quickbooks.wire import Json


def decided(settings: Settings, kind: str, body: Json) -> Json:
    """The record as the company's owner has it now."""
    if kind == "CompanyInfo":
        return {**body, "Country": settings.Country}
    changes: dict[str, Json] = {
        "SalesFormsPrefs": {
            "CustomTxnNumbers": settings.CustomTxnNumbers,
            "AllowDiscount": settings.AllowDiscount,
            "AllowDeposit": settings.AllowDeposit,
            "AllowShipping": settings.AllowShipping,
            "AllowServiceDate": settings.AllowServiceDate,
            "DefaultTerms": {"value": settings.DefaultTerms},
            # This sandbox never applies a credit or a payment by itself, so it does not claim to.
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
            "CustomField": _custom_fields(settings),
        },
        "AccountingInfoPrefs": {"BookCloseDate": settings.BookCloseDate or None},
        "CurrencyPrefs": {
            "HomeCurrency": {"value": settings.HomeCurrency},
            "MultiCurrencyEnabled": settings.MultiCurrency,
        },
        "TaxPrefs": {"UsingSalesTax": settings.UsingSalesTax},
        "ProductAndServicesPrefs": {"RevenueRecognition": settings.RevenueRecognition},
    }
    sections = {name: _section(body.get(name, {}), values) for name, values in changes.items()}
    return {**body, **sections}


def _section(old: Json, values: Json) -> Json:
    return {key: value for key, value in {**old, **values}.items() if value is not None}


def _custom_fields(settings: Settings) -> list[Json]:
    labels = [*settings.SalesCustomFields, "", "", ""][:3]
    switches = [
        {"Name": f"SalesFormsPrefs.UseSalesCustom{n}", "Type": "BooleanType", "BooleanValue": bool(name)}
        for n, name in enumerate(labels, start=1)
    ]
    names = [
        {"Name": f"SalesFormsPrefs.SalesCustomName{n}", "Type": "StringType", "StringValue": name}
        for n, name in enumerate(labels, start=1)
        if name
    ]
    return [{"CustomField": switches}, {"CustomField": names}]
