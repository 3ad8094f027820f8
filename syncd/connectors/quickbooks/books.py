"""The company itself and those of its preferences that decide what may be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import msgspec

from syncd.connectors.base import Account, Condition, ConnectionTrouble
from syncd.connectors.quickbooks.wire import Amounts, Raw, Ref, Wire
from syncd.model.tax import TaxCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is known of the company.

    Attributes:
        custom_fields: labels of the custom fields of sales forms, folded, to the ids that count on writes.
        discount_account: where discounts are booked, None for the vendor's default.
    """

    account: Account
    custom_fields: Mapping[str, str]
    discount_account: str | None
    auto_applies_credit: bool
    sales_tax: bool

    @property
    def american(self) -> bool:
        """Whether lines carry the two pseudo tax codes of the US."""
        return self.account.country == "US"

    def trusting_tax_totals(self) -> Books:
        """The same company, taking the tax of an invoice as it is sent."""
        return replace(self, account=replace(self.account, takes_tax_total=True))

    def custom_field(self, label: str) -> str | None:
        """The id of a custom field by its label."""
        return self.custom_fields.get(label.strip().casefold())


class _Setting(Wire, frozen=True, kw_only=True):
    name: str = ""
    boolean_value: bool = False
    string_value: str = ""


class _Settings(Wire, frozen=True, kw_only=True):
    custom_field: tuple[_Setting, ...] = ()


class _SalesForms(Wire, frozen=True, kw_only=True):
    custom_txn_numbers: bool = False
    allow_discount: bool = False
    auto_apply_credit: bool = False
    default_discount_account: str | None = None
    custom_field: tuple[_Settings, ...] = ()


class _Accounting(Wire, frozen=True, kw_only=True):
    book_close_date: date | None = None


class _Currency(Wire, frozen=True, kw_only=True):
    home_currency: Ref
    multi_currency_enabled: bool = False


class _Tax(Wire, frozen=True, kw_only=True):
    using_sales_tax: bool = False


class _Products(Wire, frozen=True, kw_only=True):
    revenue_recognition: bool = False


class _Preferences(Wire, frozen=True, kw_only=True):
    currency_prefs: _Currency
    sales_forms_prefs: _SalesForms = _SalesForms()
    accounting_info_prefs: _Accounting = _Accounting()
    tax_prefs: _Tax = _Tax()
    product_and_services_prefs: _Products = _Products()


class _Company(Wire, frozen=True, kw_only=True):
    company_name: str = ""
    country: str | None = None


class _Rate(Amounts, frozen=True, kw_only=True):
    id: str
    rate_value: Decimal = Decimal(0)


class _RateDetail(Wire, frozen=True, kw_only=True):
    tax_rate_ref: Ref


class _RateList(Wire, frozen=True, kw_only=True):
    tax_rate_detail: tuple[_RateDetail, ...] = ()


class _Code(Wire, frozen=True, kw_only=True):
    id: str
    name: str
    active: bool = True
    sales_tax_rate_list: _RateList = _RateList()


def books(realm: str, company: Raw, preferences: Raw, codes: Sequence[Raw] = (), rates: Sequence[Raw] = ()) -> Books:
    """The company from its two singletons and its taxes; empty ones were not answered.

    Raises:
        ConnectionTrouble: they are not what they should be.
    """
    try:
        made = msgspec.convert(company, _Company)
        prefs = msgspec.convert(preferences, _Preferences)
        taxes = _tax_codes(codes, rates)
    except msgspec.ValidationError as error:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, f"company or preferences: {error}") from error
    country = made.country.upper() if made.country and len(made.country) == 2 else None
    forms = prefs.sales_forms_prefs
    account = Account(
        id=realm,
        name=made.company_name,
        currency=prefs.currency_prefs.home_currency.value.upper(),
        country=country,
        multi_currency=prefs.currency_prefs.multi_currency_enabled,
        owns_numbers=forms.custom_txn_numbers,
        service_date_required=prefs.product_and_services_prefs.revenue_recognition,
        books_closed_until=prefs.accounting_info_prefs.book_close_date,
        taxes_required=country not in (None, "US") and prefs.tax_prefs.using_sales_tax,
        tax_codes=taxes if prefs.tax_prefs.using_sales_tax else (),
        one_tax_code=country == "US",
        takes_tax_total=country == "US",  # an explicit total is honoured (Intuit blog on automated sales tax, 2017)
        allows_discount=forms.allow_discount,
    )
    return Books(
        account=account,
        custom_fields=_labels(forms),
        discount_account=forms.default_discount_account,
        auto_applies_credit=forms.auto_apply_credit,
        sales_tax=prefs.tax_prefs.using_sales_tax,
    )


def _tax_codes(codes: Sequence[Raw], rates: Sequence[Raw]) -> tuple[TaxCode, ...]:
    """Codes that can stand on a sale. One without rates of its own taxes nothing (exempt, out of scope)."""
    percent = {rate.id: rate.rate_value for rate in msgspec.convert(list(rates), list[_Rate])}
    made = []
    for code in msgspec.convert(list(codes), list[_Code]):
        named = [detail.tax_rate_ref.value for detail in code.sales_tax_rate_list.tax_rate_detail]
        if code.active and percent.keys() >= set(named):
            made.append(TaxCode(id=code.id, name=code.name, rates=tuple(percent[id] for id in named)))
    return tuple(made)


def _labels(forms: _SalesForms) -> dict[str, str]:
    # Two flat lists: UseSalesCustom1..3 switch the fields on, SalesCustomName1..3 label them; the figure is the id.
    settings = {s.name.rpartition(".")[2]: s for group in forms.custom_field for s in group.custom_field}
    return {
        settings[f"SalesCustomName{number}"].string_value.strip().casefold(): number
        for number in "123"
        if f"SalesCustomName{number}" in settings
        and (switch := settings.get(f"UseSalesCustom{number}")) is not None
        and switch.boolean_value
    }
