"""A QuickBooks company of a few lines, and a connector on it without sockets."""

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from syncd.clock import SystemChance
from syncd.connectors.http import HttpReply, HttpRequest
from syncd.connectors.quickbooks import connect
from syncd.connectors.quickbooks.wire import encode
from syncd.connectors.settings import ConnectionSettings

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SERVER_TIME = "2026-03-02T04:00:00.500-08:00"
TOKEN = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600, "token_type": "bearer"}
SETTINGS = ConnectionSettings(
    name="books",
    vendor="quickbooks",
    client_id="id",
    client_secret="secret",
    refresh_token="configured",
    account="4620",
)
SINGLETONS = ("CompanyInfo", "Preferences", "TaxCode", "TaxRate")
COMPANY = {"CompanyInfo": {"CompanyName": "Craig's", "Country": "US", "Id": "1"}, "time": SERVER_TIME}


def preferences(multi_currency: bool = False, country_tax: bool = False, **forms) -> dict:
    """The preferences with some switches set."""
    labels = [
        {"CustomField": [{"Name": "SalesFormsPrefs.UseSalesCustom2", "Type": "BooleanType", "BooleanValue": True}]},
        {"CustomField": [{"Name": "SalesFormsPrefs.SalesCustomName2", "Type": "StringType", "StringValue": "PO"}]},
    ]
    return {
        "Preferences": {
            "Id": "1",
            "CurrencyPrefs": {"HomeCurrency": {"value": "USD"}, "MultiCurrencyEnabled": multi_currency},
            "SalesFormsPrefs": {"CustomField": labels, "AllowDiscount": True, **forms},
            "TaxPrefs": {"UsingSalesTax": country_tax},
            "ProductAndServicesPrefs": {},
        },
        "time": SERVER_TIME,
    }


class StandingClock:
    """Time that only passes when somebody waits."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return START + timedelta(seconds=self.passed)

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds):
        self.passed += seconds


class Drawer:
    """Keeps secrets, and remembers the order of things."""

    def __init__(self, journal=None):
        self.kept = {}
        self.journal = [] if journal is None else journal

    @asynccontextmanager
    async def alone(self):
        yield

    async def get(self, name):
        return self.kept.get(name)

    async def put(self, name, value):
        self.journal.append("kept")
        self.kept[name] = value


def reply(content, status: int = 200, headers=None) -> HttpReply:
    """A JSON answer."""
    made = {"content-type": "application/json;charset=UTF-8", "intuit_tid": "1-abc"} | (headers or {})
    return HttpReply(status=status, headers=made, body=encode(content))


def fault(code, detail: str = "", message: str = "Message", status: int = 400, headers=None) -> HttpReply:
    """A fault as the service words it."""
    return reply(fault_body(code, detail, message) | {"time": SERVER_TIME}, status, headers)


def fault_body(code, detail: str = "", message: str = "Message") -> dict:
    errors = [{"Message": message, "Detail": detail, "code": str(code), "element": ""}]
    return {"Fault": {"Error": errors, "type": "ValidationFault"}}


class Company:
    """A transport that answers by rules; the first one that gives an answer counts. Tokens are always granted.

    Attributes:
        seen: requests without those for tokens.
    """

    def __init__(self, *rules: Callable[[HttpRequest], HttpReply | None], journal=None):
        self.rules = list(rules)
        self.seen: list[HttpRequest] = []
        self.journal = [] if journal is None else journal
        self.preferences = preferences()
        self.company = COMPANY

    async def send(self, request):
        if request.route.endswith("/bearer"):
            self.journal.append("refresh")
            return next((r for rule in self.rules if (r := rule(request))), None) or reply(TOKEN)
        self.seen.append(request)
        self.journal.append(request.headers["Authorization"].removeprefix("Bearer "))
        if request.route == "/batch" and b"from CompanyInfo" in request.body:
            return self._singletons(request)
        for rule in self.rules:
            if (answer := rule(request)) is not None:
                return answer
        return reply({"QueryResponse": {}, "time": SERVER_TIME})

    def _singletons(self, request) -> HttpReply:
        held = {**self.company, **self.preferences}
        items = [
            {"bId": asked["bId"], "QueryResponse": {name: [held[name]] if name in held else []}}
            for asked, name in zip(body(request)["BatchItemRequest"], SINGLETONS, strict=True)
        ]
        return reply({"BatchItemResponse": items, "time": SERVER_TIME})

    async def close(self):
        pass

    def connector(self, clock=None, drawer=None, **settings):
        """A connector to this company."""
        return connect(
            replace(SETTINGS, **settings), self, clock or StandingClock(), SystemChance(), drawer or Drawer()
        )

    def statements(self) -> list[str]:
        """The queries that came, also those in batches."""
        found = []
        for request in self.seen:
            if request.route == "/query":
                found.append(parameters(request)["query"])
            elif request.route == "/batch":
                found += [item["Query"] for item in body(request)["BatchItemRequest"] if "Query" in item]
        return found


def parameters(request: HttpRequest) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def body(request) -> dict:
    """What was sent."""
    return json.loads(request.body, parse_float=Decimal)


def customer(id: int | str = 1, token: str = "0", **fields) -> dict:
    """A customer."""
    return {
        "Id": str(id),
        "SyncToken": token,
        "DisplayName": f"Customer {id}",
        "Active": True,
        "MetaData": {"CreateTime": "2026-03-01T10:00:00-08:00", "LastUpdatedTime": "2026-03-01T10:00:00-08:00"},
    } | fields


def invoice(id: int | str = 1, token: str = "0", **fields) -> dict:
    """An invoice of one line of 90.00."""
    return {
        "Id": str(id),
        "SyncToken": token,
        "DocNumber": "1001",
        "TxnDate": "2026-03-01",
        "CustomerRef": {"value": "1"},
        "CurrencyRef": {"value": "USD"},
        "Line": [sale(1, 90)],
        "TotalAmt": Decimal("90.00"),
        "Balance": Decimal("90.00"),
    } | fields


def sale(id, amount, item: str = "6", **detail) -> dict:
    """A line that sells something."""
    return {
        "Id": str(id),
        "Description": "Gardening",
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item, "name": "Gardening"}, "TaxCodeRef": {"value": "TAX"}}
        | detail,
    }
