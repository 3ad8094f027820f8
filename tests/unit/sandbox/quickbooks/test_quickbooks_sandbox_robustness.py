"""QuickBooks sandbox: it never raises, whatever a client sends, and a refused write leaves no trace."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.sandbox.quickbooks.schema import LINE_PROPERTIES, PROPERTIES

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(["", "20", "1", "NaN", "2026-01-01", "9999-12-31", "Service", "x" * 600]),
    st.floats(allow_nan=False, allow_infinity=False),
)
OBJECTS = st.dictionaries(
    st.sampled_from(["value", "name", "Address", "TotalTax", "TxnId", "TxnType"]), SCALARS, max_size=3
)
VALUES = st.one_of(SCALARS, OBJECTS, st.lists(OBJECTS, max_size=2))
DETAIL = st.dictionaries(
    st.sampled_from(["ItemRef", "Qty", "UnitPrice", "TaxCodeRef", "ServiceDate"]), VALUES, max_size=3
)
LINES = st.lists(
    st.builds(
        lambda rest, detail, kind: {**rest, "DetailType": kind, "SalesItemLineDetail": detail},
        st.dictionaries(st.sampled_from(sorted(LINE_PROPERTIES)), VALUES, max_size=2),
        st.one_of(st.just({"ItemRef": {"value": "1"}}), DETAIL, VALUES),
        st.sampled_from(["SalesItemLineDetail", "DiscountLineDetail", "DescriptionOnly", "SubTotalLineDetail", 5]),
    ),
    max_size=3,
)
BASES = {
    "Invoice": {"CustomerRef": {"value": "20"}, "Line": [{"Amount": 1, "DetailType": "SalesItemLineDetail"}]},
    "Payment": {"CustomerRef": {"value": "20"}, "TotalAmt": 5},
    "Customer": {"DisplayName": "New"},
    "Item": {"Name": "New", "Type": "Service", "IncomeAccountRef": {"value": "79"}},
}


@st.composite
def writes(draw):
    """A kind, an operation and a body that is a good one with some of it replaced."""
    kind = draw(st.sampled_from(sorted(BASES)))
    changes = draw(st.dictionaries(st.sampled_from(sorted(PROPERTIES[kind])), VALUES, max_size=3))
    body = {**BASES[kind], **changes}
    if kind in ("Invoice", "Payment") and draw(st.booleans()):
        body["Line"] = draw(LINES)
    if draw(st.booleans()):
        body |= {"Id": "20", "SyncToken": "1", "sparse": draw(st.booleans())}
    return kind, draw(st.sampled_from(["update", "void", "delete", "x"])), body


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes())
def test_any_body_gets_an_answer(qbo, write):
    """A write ends with 200 and one journal entry, or with a fault and nothing changed."""
    kind, operation, body = write
    before = {name: qbo.vendor.records(name) for name in BASES}
    entries = len(qbo.vendor.journal.entries)
    head = {"authorization": f"Bearer {qbo.token}"}
    path = f"/v3/company/9130000000000001/{kind.lower()}"
    response = qbo.raw("POST", path, f"operation={operation}", json.dumps(body).encode(), head)
    answer = json.loads(response.body)
    assert (response.status == 200) == ("Fault" not in answer)
    assert len(qbo.vendor.journal.entries) == entries + (response.status == 200)
    if response.status != 200:
        assert {name: qbo.vendor.records(name) for name in BASES} == before
