"""QuickBooks sandbox: the query language and its answers."""

import pytest

CASES = [
    ("select Id from Invoice where DocNumber = '1024'", ["70"]),
    ("SELECT Id FROM invoice WHERE CustomerRef='20' ORDERBY TxnDate DESC", ["69", "70"]),
    ("select Id from Invoice where Balance > '0' and DueDate < '2024-12-20' order by Id", ["70"]),
    ("select Id from Invoice where Id in ('9', '70', '9999') orderby Id", ["9", "70"]),
    ("select Id from Invoice orderby Id startposition 30 maxresults 5", ["129", "130"]),
    ("select Id from Customer where DisplayName = 'Amy\\'s Bird Sanctuary'", ["1"]),
    ("select Id from Customer where DisplayName LIKE 'free%'", ["7"]),
    ("select Id from Customer where PrimaryEmailAddr = 'birds@intuit.com'", ["1"]),
    ("select Id from Customer where PrimaryEmailAddr = ' '", ["6"]),
    ("select Id from Customer where Job = true orderby Id", ["8", "9", "23"]),
    ("select Id from Item where Sku = 'PAVER-STONE' orderby Id", ["19", "20"]),
    ("select Id from Item where Active = false", ["22"]),
    ("select Id from Account where AccountType = 'Income' and Name LIKE '%product%'", ["79"]),
    ("select Id from Invoice where MetaData.LastUpdatedTime >= '2025-01-18T11:00:45-08:00'", ["119"]),
    ("select Id from Invoice where MetaData.LastUpdatedTime > '2025-01-18T19:00:45Z'", []),
    ("select Id from Payment where TotalAmt = 0", ["74"]),
]


@pytest.mark.parametrize(("text", "ids"), CASES)
def test_statements(qbo, text, ids):
    """Conditions, order, paging, escapes, blanks, times and projection."""
    answer = qbo.query(text)
    rows = next((value for value in answer.values() if isinstance(value, list)), [])
    assert [row["Id"] for row in rows] == ids


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select * from Invoice where Balance > '0' OR Id = '1'", "4000"),
        ("select * from Invoice where (Balance > '0')", "4000"),
        ("select * from", "4000"),
        ("delete from Invoice", "4000"),
        ("select * from Invoice where Id = 'x", "4000"),
        ("select * from Invoice maxresults many", "4000"),
        ("select * from Robot", "4001"),
        ("select * from Invoice where TotalAmt = '1'", "4001"),
        ("select * from Payment where DocNumber = '1'", "4001"),
        ("select * from Invoice startposition 0", "4001"),
        ("select * from Invoice where Balance > 'lots'", "4001"),
        ("select * from Invoice where Balance > 'NaN'", "4001"),
    ],
)
def test_refused_statements(qbo, text, code):
    """What cannot be parsed is 4000, what asks for something that is not there 4001."""
    status, answer = qbo.call("GET", "query", query=text)
    assert (status, answer["Fault"]["Error"][0]["code"]) == (400, code)


def test_shapes_of_answers(qbo):
    """Lists say where they start and how many rows they hold, counts only the count, nothing found is {}."""
    page = qbo.query("select * from Invoice startposition 2 maxresults 3")
    assert (page["startPosition"], page["maxResults"], len(page["Invoice"])) == (2, 3, 3)
    assert qbo.query("select count(*) from Customer") == {"totalCount": 29}
    assert qbo.query("select * from Customer where DisplayName = 'Nobody'") == {}
    assert len(qbo.query("select * from Invoice maxresults 5000")["Invoice"]) == 31


def test_default_page_is_100_rows(qbo):
    """Without MAXRESULTS a page has 100 rows, and never more than 1000."""
    for _ in range(90):
        qbo.invoice()
    assert len(qbo.query("select Id from Invoice")["Invoice"]) == 100
    qbo.set(max_results_over="reject")
    status, _ = qbo.call("GET", "query", query="select * from Invoice maxresults 1001")
    assert status == 400


def test_query_by_post(qbo):
    """The statement may be the body of a POST; a broken encoding is refused with 500."""
    head = {"authorization": f"Bearer {qbo.token}", "content-type": "application/text"}
    path = "/v3/company/9130000000000001/query"
    assert b'"totalCount":31' in qbo.raw("POST", path, "", b"select count(*) from Invoice", head).body
    assert b'"code":"500"' in qbo.raw("POST", path, "", b"\xff", head).body


def test_open_points_as_settings(qbo):
    """Case sensitivity and the missing Sku of `select *` can be switched."""
    qbo.set(query_case_sensitive=True, select_star_omits_sku=True)
    assert qbo.query("select * from Customer where PrimaryEmailAddr = 'birds@intuit.com'") == {}
    assert "Sku" not in qbo.query("select * from Item where Id = '5'")["Item"][0]
    assert qbo.query("select *, Sku from Item where Id = '5'")["Item"][0]["Sku"] == "ROCK-FOUNTAIN"


def test_singletons(qbo):
    """Company info and preferences can be read and queried."""
    assert qbo.get("CompanyInfo", "9130000000000001")["CompanyName"].startswith("Craig's Design")
    assert qbo.query("select * from CompanyInfo")["CompanyInfo"][0]["Country"] == "US"
    qbo.set(CustomTxnNumbers=True, BookCloseDate="")
    prefs = qbo.call("GET", "preferences")[1]["Preferences"]
    assert prefs["SalesFormsPrefs"]["CustomTxnNumbers"] is True
    assert "BookCloseDate" not in prefs["AccountingInfoPrefs"]
