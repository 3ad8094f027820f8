"""Which properties each kind has, which the server owns, how long texts may be, what values enumerations take.

Property names: Intuit's v3 XSD. Lengths: the entity reference (those marked ? are read from third-party code).
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OWNED = "Id SyncToken MetaData domain sparse status"
_TXN = """CustomField AttachableRef DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote TxnStatus
    LinkedTxn Line TxnTaxDetail TxnSource TaxFormType TaxFormNum TransactionLocationType Tag RecurDataRef ProjectRef"""
_SALE = """AutoDocNumber CustomerRef CustomerMemo BillAddr ShipAddr FreeFormAddress ShipFromAddr RemitToRef ClassRef
    SalesTermRef DueDate SalesRepRef PONumber FOB ShipMethodRef ShipDate TrackingNum GlobalTaxCalculation TotalAmt
    HomeTotalAmt ApplyTaxAfterDiscount TemplateRef PrintStatus EmailStatus BillEmail BillEmailCc BillEmailBcc
    ARAccountRef Balance HomeBalance FinanceCharge PaymentMethodRef PaymentRefNum PaymentType DepositToAccountRef
    DeliveryInfo DiscountRate DiscountAmt GovtTxnRefIdentifier TaxExemptionRef"""
_NAME = """CustomField AttachableRef Title GivenName MiddleName FamilyName Suffix FullyQualifiedName CompanyName
    DisplayName PrintOnCheckName Active V4IDPseudonym PrimaryPhone AlternatePhone Mobile Fax PrimaryEmailAddr WebAddr
    OtherContactInfo Notes BillAddr ShipAddr OtherAddr ContactName AltContactName Balance OpenBalanceDate AcctNum
    CurrencyRef ParentRef CreditLimit BusinessNumber GSTIN GSTRegistrationType Source"""

PROPERTIES: dict[str, frozenset[str]] = {
    kind: _words(f"{_OWNED} {names}")
    for kind, names in {
        "Invoice": f"""{_TXN} {_SALE} Deposit AllowIPNPayment AllowOnlinePayment AllowOnlineCreditCardPayment
            AllowOnlineACHPayment AllowOnlinePayPalPayment InvoiceLink invoiceStatus invoiceStatusLog InvoiceEx
            CfdiUse""",
        "CreditMemo": f"{_TXN} {_SALE} RemainingCredit InvoiceRef CreditMemoEx",
        "Estimate": f"{_TXN} {_SALE} ExpirationDate AcceptedBy AcceptedDate EstimateEx",
        "SalesReceipt": f"{_TXN} {_SALE} CheckPayment CreditCardPayment",
        "Payment": f"""{_TXN} CustomerRef RemitToRef ARAccountRef DepositToAccountRef PaymentMethodRef PaymentRefNum
            PaymentType CheckPayment CreditCardPayment TotalAmt UnappliedAmt ProcessPayment PaymentEx""",
        "Customer": f"""{_NAME} DefaultTaxCodeRef Taxable Job BillWithParent RootCustomerRef Level CustomerTypeRef
            SalesTermRef SalesRepRef TaxGroupCodeRef TaxRateRef PaymentMethodRef PriceLevelRef BalanceWithJobs
            OverDueBalance PreferredDeliveryMethod ResaleNum JobInfo TDSEnabled CustomerEx SecondaryTaxIdentifier
            ARAccountRef PrimaryTaxIdentifier TaxExemptionReasonId IsProject IsCISContractor ClientCompanyId
            ClientEntityId TaxRegime""",
        "Vendor": f"""{_NAME} TaxIdentifier TermRef BillRate Vendor1099 T4AEligible T5018Eligible APAccountRef
            VendorEx TaxReportingBasis VendorPaymentBankDetail CostRate""",
        "Item": """CustomField AttachableRef Name Sku Description Active SubItem ParentRef Level FullyQualifiedName
            Taxable SalesTaxIncluded PercentBased UnitPrice RatePercent Type PaymentMethodRef UOMSetRef
            IncomeAccountRef PurchaseDesc PurchaseTaxIncluded PurchaseCost ExpenseAccountRef COGSAccountRef
            AssetAccountRef PrefVendorRef AvgCost TrackQtyOnHand QtyOnHand QtyOnPurchaseOrder QtyOnSalesOrder
            ReorderPoint ManPartNum SalesTaxCodeRef PurchaseTaxCodeRef InvStartDate BuildPoint PrintGroupedItems
            SpecialItem ItemGroupDetail ItemCategoryType ItemEx TaxClassificationRef ClassRef Source DeferredRevenue""",
        "Account": """Name SubAccount ParentRef Description FullyQualifiedName Active Classification AccountType
            AccountSubType AcctNum OpeningBalance OpeningBalanceDate CurrentBalance CurrentBalanceWithSubAccounts
            CurrencyRef TaxCodeRef""",
        "Term": """Name Active Type DiscountPercent DueDays DiscountDays DayOfMonthDue DueNextMonthDays
            DiscountDayOfMonth""",
        "PaymentMethod": "Name Active Type",
    }.items()
}
"""The properties a request may carry; anything else is 2010."""

LINE_PROPERTIES = _words(
    """Id LineNum Description Amount LinkedTxn DetailType SalesItemLineDetail DiscountLineDetail DescriptionLineDetail
        SubTotalLineDetail GroupLineDetail CustomField LineEx ProjectRef CostAmount HomeCostAmount"""
)

DETAIL_PROPERTIES: dict[str, frozenset[str]] = {
    "SalesItemLineDetail": _words(
        """ItemRef ClassRef UnitPrice RatePercent PriceLevelRef MarkupInfo Qty UOMRef ItemAccountRef TaxCodeRef
            TaxClassificationRef ServiceDate TaxInclusiveAmt DiscountRate DiscountAmt DeferredRevenue"""
    ),
    "DiscountLineDetail": _words(
        "DiscountRef PercentBased DiscountPercent DiscountAccountRef ServiceDate ClassRef TaxCodeRef"
    ),
    "DescriptionLineDetail": _words("ServiceDate TaxCodeRef"),
}

_COMPUTED_SALE = (
    "TotalAmt HomeTotalAmt Balance HomeBalance DeliveryInfo InvoiceLink RecurDataRef TaxExemptionRef AutoDocNumber"
)

READ_ONLY: dict[str, frozenset[str]] = {
    kind: _words(f"{_OWNED} {names}")
    for kind, names in {
        "Invoice": f"{_COMPUTED_SALE} invoiceStatus invoiceStatusLog",
        "CreditMemo": f"{_COMPUTED_SALE} RemainingCredit",
        "Estimate": _COMPUTED_SALE,
        "SalesReceipt": _COMPUTED_SALE,
        "Payment": "UnappliedAmt ProcessPayment",
        "Customer": "FullyQualifiedName Level Balance BalanceWithJobs IsProject OverDueBalance",
        "Vendor": "Balance",
        "Item": "FullyQualifiedName Level AvgCost",
        "Account": "FullyQualifiedName CurrentBalance CurrentBalanceWithSubAccounts Classification",
        "Term": "Type",
        "PaymentMethod": "",
    }.items()
}
"""Properties a request may repeat but not decide."""

_SALE_LENGTHS = {
    "DocNumber": 21,
    "PrivateNote": 4000,
    "CustomerMemo.value": 1000,
    "BillEmail.Address": 100,
    "TrackingNum": 31,
}
_ADDRESS = {f"Line{n}": 500 for n in range(1, 6)} | {
    "City": 255,
    "CountrySubDivisionCode": 255,
    "PostalCode": 30,
    "Country": 255,
}

LENGTHS: dict[str, dict[str, int]] = {
    "Invoice": _SALE_LENGTHS,
    "CreditMemo": _SALE_LENGTHS,
    "Estimate": _SALE_LENGTHS,
    "SalesReceipt": _SALE_LENGTHS,
    "Payment": {"PaymentRefNum": 21, "PrivateNote": 4000},  # PaymentRefNum ?
    "Customer": {
        "DisplayName": 500,
        "GivenName": 100,
        "MiddleName": 100,
        "FamilyName": 100,
        "Title": 16,
        "Suffix": 16,
        "CompanyName": 100,
        "PrintOnCheckName": 110,
        "Notes": 2000,
        "PrimaryEmailAddr.Address": 100,
        **{f"{phone}.FreeFormNumber": 30 for phone in ("PrimaryPhone", "AlternatePhone", "Mobile", "Fax")},
        **{f"{address}.{part}": size for address in ("BillAddr", "ShipAddr") for part, size in _ADDRESS.items()},
    },
    "Vendor": {"DisplayName": 500, "CompanyName": 100},
    "Item": {"Name": 100, "Sku": 100, "Description": 4000},
    "Account": {"Name": 100},
    "Term": {"Name": 31},
    "PaymentMethod": {"Name": 31},  # ?
}
LINE_DESCRIPTION_LENGTH = 4000
CUSTOM_FIELD_LENGTH = 31  # ?

ENUMERATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "Invoice": {
        "EmailStatus": ("NotSet", "NeedToSend", "EmailSent"),
        "PrintStatus": ("NotSet", "NeedToPrint", "PrintComplete"),
        "GlobalTaxCalculation": ("TaxExcluded", "TaxInclusive", "NotApplicable"),
    },
    "Estimate": {"TxnStatus": ("Pending", "Accepted", "Closed", "Rejected")},
    "Customer": {"PreferredDeliveryMethod": ("Print", "Email", "None")},
    "Item": {"Type": ("Service", "NonInventory", "Inventory", "Category")},
}
ENUMERATIONS["CreditMemo"] = ENUMERATIONS["Invoice"]
ENUMERATIONS["Estimate"] |= ENUMERATIONS["Invoice"]

NO_WRITES = ("TaxCode", "TaxRate", "CompanyInfo", "Preferences")
KINDS = (*PROPERTIES, *NO_WRITES)
PATHS = {kind.lower(): kind for kind in KINDS}
"""Path segment -> kind."""
