"""Rate limits, HubSpot's own faults, the account calls, and settings."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from syncd.sandbox.base import Request


def test_rate_headers_are_always_there_except_on_search(hub):
    """And the daily ones not on OAuth calls."""
    headers = hub.raw("GET", "/crm/v3/objects/contacts/1001").headers
    assert headers["X-HubSpot-RateLimit-Max"] == "190"
    assert headers["X-HubSpot-RateLimit-Remaining"] == "189"
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == "624999"
    assert "X-HubSpot-RateLimit-Max" not in hub.raw("POST", "/crm/v3/objects/contacts/search", {}).headers


def test_every_answer_has_a_correlation_id(hub):
    """The same in header and error body."""
    response = hub.raw("GET", "/crm/v3/objects/contacts/9")
    assert json.loads(response.body)["correlationId"] == response.headers["X-HubSpot-Correlation-Id"]
    assert response.headers["X-HubSpot-Correlation-Id"] != hub.raw("GET", "/x").headers["X-HubSpot-Correlation-Id"]


def test_limits_are_off_until_they_are_switched_on(hub):
    """Five searches a second, a rolling window for the rest; both recover."""
    for _ in range(30):
        assert hub("POST", "/crm/v3/objects/contacts/search", {})[0] == 200
    hub.later(20)
    hub.vendor.settings({"limits": True, "burst_limit": 3})
    search = [hub("POST", "/crm/v3/objects/contacts/search", {}) for _ in range(6)]
    assert [status for status, _ in search] == [200] * 5 + [429]
    assert search[-1][1]["message"] == "You have reached your secondly limit."
    assert search[-1][1]["errorType"] == "RATE_LIMIT"
    reads = [hub("GET", "/crm/v3/objects/contacts/1001") for _ in range(4)]
    assert [status for status, _ in reads] == [200] * 3 + [429]
    assert reads[-1][1]["policyName"] == "TEN_SECONDLY_ROLLING"
    hub.later(1)
    assert hub("POST", "/crm/v3/objects/contacts/search", {})[0] == 200
    assert hub("GET", "/crm/v3/objects/contacts/1001")[0] == 429
    hub.later(10)
    assert hub("GET", "/crm/v3/objects/contacts/1001")[0] == 200


def test_the_daily_limit_lasts_until_midnight(hub):
    """In the account's time zone, UTC here."""
    hub.vendor.settings({"limits": True, "daily_limit": 2})
    answers = [hub("GET", "/crm/v3/objects/contacts/1001") for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    assert answers[-1][1]["policyName"] == "DAILY"
    hub.later(15 * 3600)
    usage = hub.get("/account-info/v3/api-usage/daily/private-apps")["results"][0]
    assert (usage["currentUsage"], usage["usageLimit"]) == (1, 2)


@pytest.mark.parametrize(
    ("name", "status", "part"),
    [
        ("locked_423", 423, {"category": "LOCKED"}),
        ("moved_477", 477, {}),
        ("daily_limit", 429, {"policyName": "DAILY"}),
        ("secondly_limit", 429, {"policyName": "SECONDLY"}),
        ("ten_secondly_limit", 429, {"policyName": "TEN_SECONDLY_ROLLING"}),
        ("expired_401", 401, {"category": "EXPIRED_AUTHENTICATION"}),
        ("epoch_401", 401, {"context": {"expire time": ["1970-01-01T00:00:00.000Z"]}}),
        ("invalid_401", 401, {"category": "INVALID_AUTHENTICATION"}),
    ],
)
def test_faults_that_are_refusals(hub, name, status, part):
    """Nothing is done."""
    response = hub.vendor.fault(name, {"retry_after": 7}, Request("GET", "/crm/v3/objects/contacts"), hub.now)
    assert response.status == status
    assert part.items() <= json.loads(response.body).items()
    assert response.headers.get("Retry-After") == ("7" if status == 477 else None)


def batch_request(traces=True):
    rows = [{"properties": {"name": name}} | ({"objectWriteTraceId": name} if traces else {}) for name in "abc"]
    headers = {"authorization": "Bearer pat-na1-sandbox-0000-0000"}
    return Request("POST", "/crm/v3/objects/products/batch/create", "", headers, json.dumps({"inputs": rows}).encode())


def test_a_partial_batch_does_the_other_rows(hub):
    """Needs trace ids; other requests pass."""
    response = hub.vendor.fault("partial_batch", {"rows": [1]}, batch_request(), hub.now)
    body = json.loads(response.body)
    assert (response.status, body["numErrors"]) == (207, 1)
    assert body["errors"][0]["context"]["objectWriteTraceId"] == ["b"]
    assert {each["objectWriteTraceId"] for each in body["results"]} == {"a", "c"}
    assert len(hub.journal()) == 2
    assert hub.vendor.fault("partial_batch", {}, batch_request(traces=False), hub.now) is None
    assert hub.vendor.fault("partial_batch", {}, Request("GET", "/crm/v3/objects/products"), hub.now) is None


def test_a_short_batch_does_all_rows_and_answers_for_fewer(hub):
    """The results left out were written all the same."""
    response = hub.vendor.fault("short_batch", {"drop": 2}, batch_request(), hub.now)
    assert (response.status, len(json.loads(response.body)["results"])) == (201, 1)
    assert len(hub.journal()) == 3


def test_unknown_faults_and_settings_are_errors(hub):
    """Settings also of the wrong type, and then nothing is changed."""
    with pytest.raises(KeyError):
        hub.vendor.fault("earthquake", {}, Request("GET", "/"), hub.now)
    with pytest.raises(KeyError):
        hub.vendor.settings({"index_lag": 5, "nonsense": 1})
    with pytest.raises(ValueError):
        hub.vendor.settings({"index_lag": 5, "limits": "yes"})
    assert hub.vendor.settings({})["index_lag"] == 0
    assert hub.vendor.settings({"index_lag": Decimal("1.5")})["index_lag"] == 1.5


def test_the_account_and_what_belongs_to_it(hub):
    """Details, owners, pipelines, tax rates."""
    details = hub.get("/account-info/v3/details")
    assert (details["portalId"], details["companyCurrency"]) == (40000001, "USD")
    owners = hub.get("/crm/v3/owners?limit=100")["results"]
    assert hub.get(f"/crm/v3/owners/{owners[0]['id']}") == owners[0]
    assert hub.get("/crm/v3/owners?email=emily@example.com")["results"] == [owners[1]]
    assert hub("GET", "/crm/v3/owners/959199")[0] == 404
    assert hub.get("/crm/v3/pipelines/deals")["results"][0]["id"] == "default"
    assert hub.get("/tax-rates/v1/tax-rates")["results"][0]["percentageRate"] == 8


def test_reset_brings_back_the_seed(hub):
    """Records, settings, tokens, journal."""
    hub.patch("contacts", "1001", city="Aptos")
    hub.vendor.settings({"index_lag": 5})
    hub.vendor.reset()
    assert hub.properties("contacts", "1001", "city") == {"city": "Bayshore"}
    assert hub.vendor.settings({})["index_lag"] == 0
    assert hub.journal() == []
