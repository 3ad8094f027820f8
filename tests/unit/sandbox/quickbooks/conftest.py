"""A client of the QuickBooks sandbox for the tests here: no sockets, the vendor's clock in the test's hand."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from syncd.sandbox.base import Request, decode_json, encode_json
from syncd.sandbox.quickbooks import create

REALM = "9130000000000001"


class Client:
    """Speaks to one fresh company. `now` is the vendor's time; every call may move it."""

    def __init__(self):
        self.vendor = create()
        self.now = datetime(2026, 11, 2, 12, tzinfo=UTC)
        self.token = self.tokens(grant_type="refresh_token", refresh_token="RT1-sandbox-seed")[1]["access_token"]

    def later(self, **delta):
        """Let time pass."""
        self.now += timedelta(**delta)

    def raw(self, method, path, query="", body=b"", headers=None):
        """One request as it is; returns the Response."""
        return self.vendor.handle(Request(method, path, query, headers or {}, body), self.now)

    def tokens(self, headers=None, secret="sandbox-secret", **form):
        """The token endpoint: (status, JSON)."""
        basic = "Basic " + b64encode(f"sandbox-client:{secret}".encode()).decode()
        head = {"authorization": basic, **(headers or {})}
        response = self.raw("POST", "/oauth2/v1/tokens/bearer", "", urlencode(form).encode(), head)
        return response.status, json.loads(response.body)

    def call(self, method, path, body=None, **args):
        """One API call: (status, JSON)."""
        head = {"authorization": f"Bearer {self.token}", "accept": "application/json"}
        data = b"" if body is None else encode_json(body)
        response = self.raw(method, f"/v3/company/{REALM}/{path}", urlencode(args), data, head)
        return response.status, decode_json(response.body)

    def ok(self, kind, body, **args):
        """A write that must succeed; returns the record."""
        status, answer = self.call("POST", kind.lower(), body, **args)
        assert status == 200, answer
        return answer[kind]

    def refused(self, kind, body, **args):
        """A write that must be refused; returns the code."""
        status, answer = self.call("POST", kind.lower(), body, **args)
        assert "Fault" in answer, answer
        assert status == 400
        return answer["Fault"]["Error"][0]["code"]

    def get(self, kind, id):
        """The record as a read shows it."""
        status, answer = self.call("GET", f"{kind.lower()}/{id}")
        assert status == 200, answer
        return answer[kind]

    def query(self, text):
        """The QueryResponse of a statement."""
        status, answer = self.call("GET", "query", query=text)
        assert status == 200, answer
        return answer["QueryResponse"]

    def invoice(self, *lines, customer="2", **fields):
        """Make an invoice; lines default to 100.00 of Services."""
        return self.ok("Invoice", {"CustomerRef": {"value": customer}, "Line": list(lines) or [sale(100)], **fields})

    def pay(self, invoice, amount, customer="2", **fields):
        """Pay an invoice."""
        link = [{"TxnId": invoice, "TxnType": "Invoice"}]
        line = {"Amount": amount, "LinkedTxn": link}
        return self.ok("Payment", {"CustomerRef": {"value": customer}, "TotalAmt": amount, "Line": [line], **fields})

    def set(self, **changes):
        """Change settings."""
        return self.vendor.settings(changes)


def sale(amount, item="1", **detail):
    """A sales line."""
    return {
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}, **detail},
    }


@pytest.fixture
def qbo():
    """A client of a fresh company."""
    return Client()


@pytest.fixture
def line():
    """Builds a sales line: line(amount, item, **detail)."""
    return sale
