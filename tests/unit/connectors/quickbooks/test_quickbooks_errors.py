"""Every code of the vendor has one meaning here, however it is spelled."""

import pytest

from syncd.connectors.base import Condition
from syncd.connectors.http import Complaint, HttpReply
from syncd.connectors.quickbooks.errors import CODES, TEXTS, Effect, complaint, fault_in, fault_of
from syncd.core.catalogue import CATALOGUE
from tests.unit.connectors.quickbooks.quickbooks_doubles import fault, fault_body, reply

GATEWAY = {
    "fault": {
        "error": [
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Token expired: <token>",
                "code": "003200",
                "element": None,
            }
        ],
        "type": "AUTHENTICATION",
    },
    "time": 1772471851892,
}
WORDS = {
    (6000, "Enter a service date for the revenue recognition product line item."): "service_date_required",
    (6000, "Make sure all your transactions have a GST/HST rate before you save."): "tax_code_required",
    (6000, "You must set a transaction amount."): "vendor_rejected",
    (6000, "The account period has closed and the books are closed."): "accounting_period_closed",
    (610, "Object Not Found : Another user has deleted this transaction."): "record_gone",
    (610, "Something you're trying to use has been made inactive."): "field_value_invalid",
    (6240, "The name supplied already exists."): "duplicate_display_name",
    (6540, "This transaction has been deposited."): "record_locked",
    (6200, "The account period has closed."): "accounting_period_closed",
    (6070, "Amount is not equal to UnitPrice * Qty."): "amount_mismatch",
    (987654, "Something new."): "vendor_rejected",
}


@pytest.mark.parametrize(("said", "category"), WORDS.items())
def test_refusals_get_the_name_of_the_catalogue(said, category):
    """Codes are sorted by number, and those that mean many things by their words."""
    code, detail = said
    found = fault_in(fault_body(code, detail))

    assert (found.effect, found.name) == (Effect.REFUSED, category)
    assert detail in found.words


def test_every_meaning_is_in_the_catalogue():
    """No category is invented here."""
    meanings = [*CODES.values(), *(meaning for texts in TEXTS.values() for _, meaning in texts)]

    assert all(name in CATALOGUE for effect, name in meanings if effect is Effect.REFUSED)
    assert all(name in set(Condition) for effect, name in meanings if effect in (Effect.TROUBLE, Effect.LOGIN))


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        (5010, Effect.STALE),
        (3001, Effect.THROTTLED),
        (10000, Effect.TRANSIENT),
        (3200, Effect.LOGIN),
        (3100, Effect.TROUBLE),
        (120, Effect.TROUBLE),
        (150, Effect.TROUBLE),
        (6190, Effect.TROUBLE),
        (10200, Effect.TROUBLE),
    ],
)
def test_what_is_no_refusal(code, effect):
    """Stale, too fast, later, and the connection's own trouble are told apart from refusals."""
    assert fault_in(fault_body(code, "words")).effect is effect


def test_unexpected_error_is_transient():
    """The one text of 6000 that is worth trying again."""
    words = "An unexpected error occurred while accessing or saving your data. Please wait a few minutes and try again."

    assert fault_in(fault_body(6000, words)).effect is Effect.TRANSIENT


def test_gateway_spelling_and_leading_zeros():
    """Lower-case keys and `003200` are the same as `Fault` and `3200`."""
    assert fault_of(reply(GATEWAY, 401)).effect is Effect.LOGIN


def test_fault_with_status_200_is_a_fault():
    """The body decides before the status does."""
    assert fault_of(fault(6190, "Subscription period has ended", status=200)).name == Condition.PERMISSION_MISSING


def test_number_names_its_holder_only_among_invoices():
    """The id in the words is an invoice's, or not given on."""
    detail = "Duplicate Document Number Error : DocNumber=1069 is assigned to TxnType={} with TxnId=238"

    assert fault_in(fault_body(6140, detail.format("Invoice"))).existing == "238"
    assert fault_in(fault_body(6140, detail.format("Estimate"))).existing is None


def test_several_errors_are_decided_by_the_first_that_is_known():
    """All words are kept."""
    body = fault_body(99999, "First")
    body["Fault"]["Error"] += fault_body(5010, "Second")["Fault"]["Error"]
    found = fault_in(body)

    assert found.effect is Effect.STALE
    assert "First" in found.words
    assert "Second" in found.words


def test_throttled_in_the_old_form_and_the_new():
    """429, and 403 with code 3001; another 403 is not."""
    assert complaint(fault(3001, status=429)) == Complaint(least=60)
    assert complaint(fault("003001", status=403)) == Complaint(least=60)
    assert complaint(fault(3100, status=403)) is None


@pytest.mark.parametrize(
    ("status", "effect"), [(401, Effect.LOGIN), (403, Effect.TROUBLE), (429, Effect.THROTTLED), (502, Effect.TRANSIENT)]
)
def test_pages_that_are_no_json_are_judged_by_their_status(status, effect):
    """A gateway's HTML page still says something."""
    page = HttpReply(status=status, headers={"content-type": "text/html"}, body=b"<h1>Oops</h1>")

    assert fault_of(page).effect is effect


def test_answer_without_fault():
    """Objects and empty lists are no faults."""
    assert fault_of(reply({"QueryResponse": {}})) is None
    assert fault_in([]) is None
