"""python-quickbooks with Intuit's OAuth client against the sandbox, both unchanged: only their addresses are others."""

import json
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects.account import Account
from quickbooks.objects.base import Address, CustomerMemo, EmailAddress, PhoneNumber, Ref
from quickbooks.objects.company_info import CompanyInfo
from quickbooks.objects.customer import Customer
from quickbooks.objects.detailline import (
    DescriptionOnlyLine,
    DiscountLine,
    DiscountLineDetail,
    SalesItemLine,
    SalesItemLineDetail,
)
from quickbooks.objects.estimate import Estimate
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.item import Item
from quickbooks.objects.payment import Payment, PaymentLine
from quickbooks.objects.preferences import Preferences
from quickbooks.objects.taxcode import TaxCode
from quickbooks.objects.term import Term

from tests.interop.conftest import Sandbox

REALM = "9130000000000001"
BACK = "http://localhost/back"
DAY = 86_400

Connect = Callable[..., QuickBooks]


@pytest.fixture
def base(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """What stands for all of Intuit's hosts; the client is pointed to it."""
    base = sandbox.url + "/quickbooks"
    monkeypatch.setattr(QuickBooks, "api_url_v3", base + "/v3")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # else oauthlib wants https
    return base


@pytest.fixture
def auth(base: str) -> AuthClient:
    """Intuit's OAuth client, which finds its addresses in the discovery document."""
    return AuthClient("sandbox-client", "sandbox-secret", BACK, base + "/.well-known/openid_configuration")


@pytest.fixture
def connect(auth: AuthClient) -> Connect:
    """Makes a client of the company; it refreshes its token first."""

    def connected(**options: object) -> QuickBooks:
        options = {"refresh_token": "RT1-sandbox-seed", "minorversion": 75, **options}
        return QuickBooks(auth_client=auth, company_id=REALM, **options)

    return connected


@pytest.fixture
def qb(connect: Connect) -> QuickBooks:
    """A client that reads and writes amounts as Decimal."""
    return connect(use_decimal=True)


def test_tokens_come_through_the_discovery_document(sandbox, auth, connect):
    """A refresh token gives an access token for an hour; after a day it is replaced and lives on for another."""
    connect()
    first = auth.refresh_token
    assert (first, auth.expires_in, auth.x_refresh_token_expires_in) == ("RT1-sandbox-seed", 3600, 8726400)

    sandbox.do(sandbox.control.advance(DAY + 1))
    auth.refresh()
    second = auth.refresh_token
    assert second != first
    auth.refresh(refresh_token=first)
    assert auth.refresh_token == second

    sandbox.do(sandbox.control.advance(DAY + 1))
    with pytest.raises(AuthClientError) as refused:
        auth.refresh(refresh_token=first)
    assert (refused.value.status_code, json.loads(refused.value.content)["error"]) == (400, "invalid_grant")
    assert refused.value.intuit_tid


def test_consent_gives_a_code_and_the_code_tokens(auth, connect):
    """The way of a new connection: authorisation address, redirect with code and realm, tokens, first read."""
    address = auth.get_authorization_url([Scopes.ACCOUNTING], "state-1")
    answer = requests.get(address, allow_redirects=False, timeout=10)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    auth.get_bearer_token(back["code"][0], realm_id=back["realmId"][0])
    qb = connect(refresh_token=auth.refresh_token)

    assert (back["state"], auth.realm_id) == (["state-1"], REALM)
    assert CompanyInfo.get(REALM, qb=qb).CompanyName == "Craig's Design and Landscaping Services"
    with pytest.raises(AuthClientError):
        auth.get_bearer_token(back["code"][0])


def test_an_expired_token_is_refused_until_it_is_refreshed(sandbox, auth, connect):
    """After an hour calls are 401; with a new access token they work again."""
    qb = connect()
    sandbox.do(sandbox.control.advance(3601))
    with pytest.raises(AuthorizationException) as expired:
        Customer.count(qb=qb)
    auth.refresh()

    assert expired.value.error_code == 401
    assert "errorCode=003200" in expired.value.detail
    assert Customer.count(qb=connect()) == 29


def test_a_revoked_connection_is_over(auth, connect):
    """Revoking ends access and refresh token both."""
    qb = connect()
    assert auth.revoke()

    with pytest.raises(AuthorizationException):
        Customer.count(qb=qb)
    with pytest.raises(AuthClientError) as refused:
        auth.refresh()
    assert json.loads(refused.value.content)["error"] == "invalid_grant"


def test_the_company_and_its_preferences(qb):
    """What a connection checks first."""
    company, preferences = CompanyInfo.get(REALM, qb=qb), Preferences.get(qb=qb)

    assert (company.CompanyName, company.Country) == ("Craig's Design and Landscaping Services", "US")
    assert preferences.CurrencyPrefs.HomeCurrency.value == "USD"
    assert preferences.CurrencyPrefs.MultiCurrencyEnabled is False
    assert preferences.TaxPrefs.UsingSalesTax is True
    assert {each.Name: each.DueDays for each in Term.all(qb=qb)}["Net 30"] == 30
    assert "California" in [each.Name for each in TaxCode.all(qb=qb)]


def test_queries(qb):
    """Filters, comparisons, lists, apostrophes, order, pages and counts, as the client writes its statements."""
    dates = [each.TxnDate for each in Invoice.all(order_by="TxnDate DESC", max_results=1000, qb=qb)]
    pages = [each.Id for start in (1, 11, 21, 31) for each in _page(start, qb)]

    assert [each.Id for each in Customer.filter(DisplayName="Amy's Bird Sanctuary", Active=True, qb=qb)] == ["1"]
    assert [each.Id for each in Customer.choose(["1", "3"], qb=qb)] == ["1", "3"]
    some = Customer.where("DisplayName LIKE 'D%'", order_by="DisplayName DESC", max_results=2, qb=qb)
    assert [each.DisplayName for each in some] == ["Dylan Sollfrank", "Dukes Basketball Camp"]
    assert len(dates) == Invoice.count(qb=qb) == 31
    assert dates == sorted(dates, reverse=True)
    assert sorted(map(int, pages)) == sorted(int(each.Id) for each in Invoice.all(max_results=1000, qb=qb))
    large = [each.Id for each in Invoice.all(qb=qb) if each.Balance > 500]
    assert [each.Id for each in Invoice.where("Balance > '500'", qb=qb)] == large
    assert Invoice.count("Balance > '500'", qb=qb) == len(large) == 2
    assert Invoice.filter(DocNumber="none", qb=qb) == []
    skus = {each.Name: each.Sku for each in Item.all(qb=qb)}
    assert (skus["Design"], skus["Trimming"]) == ("DESIGN", None)
    with pytest.raises(ValidationException) as refused:
        Invoice.where("PrivateNote = 'x'", qb=qb)
    assert refused.value.error_code == 4001


def test_an_invoice_is_read_to_the_cent(connect):
    """Amounts are floats by default and Decimal on request; lines, tax, links and addresses are objects."""
    qb = connect()
    rounded = Invoice.get("93", qb=qb)
    invoice = Invoice.get("93", qb=connect(use_decimal=True))

    assert (rounded.TotalAmt, invoice.TotalAmt) == (460.4, Decimal("460.40"))
    assert isinstance(invoice.TotalAmt, Decimal)
    amounts = [line.Amount for line in invoice.Line if line.DetailType == "SalesItemLineDetail"]
    assert sum(amounts) + invoice.TxnTaxDetail.TotalTax == invoice.TotalAmt
    assert [each.TaxLineDetail.TaxPercent for each in invoice.TxnTaxDetail.TaxLine] == [Decimal("7.1"), 2]
    assert invoice.Line[0].SalesItemLineDetail.ItemRef.name
    assert invoice.MetaData.LastUpdatedTime.endswith(("-08:00", "-07:00"))
    paid = Invoice.get("12", qb=qb)
    assert (paid.Balance, {each.TxnType for each in paid.LinkedTxn}) == (0, {"Payment"})
    assert paid.CustomerRef.name == "Cool Cars"


def test_a_customer_lives(qb, sandbox):
    """Created, read, updated, refused when stale or a duplicate, made inactive and back; no blanks are kept."""
    customer = Customer()
    customer.DisplayName, customer.GivenName = "O'Hara & Söhne", "Una"
    customer.PrimaryEmailAddr, customer.PrimaryPhone, customer.BillAddr = EmailAddress(), PhoneNumber(), Address()
    customer.PrimaryEmailAddr.Address, customer.PrimaryPhone.FreeFormNumber = "una@example.com", "+353 1 555 0100"
    customer.BillAddr.Line1, customer.BillAddr.City = "1 Quay", "Dublin"
    made = customer.save(qb=qb)
    again = Customer.get(made.Id, qb=qb)

    assert (made.SyncToken, made.Balance, made.Active) == ("0", 0, True)
    assert (again.DisplayName, again.PrimaryEmailAddr.Address) == ("O'Hara & Söhne", "una@example.com")
    assert (again.BillAddr.Line1, again.BillAddr.City, again.CurrencyRef.value) == ("1 Quay", "Dublin", "USD")
    (kept,) = (each for each in sandbox.do(sandbox.control.records("quickbooks", "Customer")) if each["Id"] == made.Id)
    assert {"FamilyName", "Notes"}.isdisjoint(kept)
    assert set(kept["BillAddr"]) == {"Id", "Line1", "City"}

    again.Notes, again.GivenName = "Prefers letters", ""
    changed = again.save(qb=qb)
    assert (changed.SyncToken, changed.Notes, changed.GivenName) == ("1", "Prefers letters", "")
    with pytest.raises(QuickbooksException) as stale:
        made.save(qb=qb)
    double = Customer()
    double.DisplayName = "O'Hara & Söhne"
    with pytest.raises(QuickbooksException) as taken:
        double.save(qb=qb)
    assert (stale.value.error_code, taken.value.error_code) == (5010, 6240)

    changed.Active = False
    inactive = changed.save(qb=qb)
    assert (inactive.Active, inactive.DisplayName) == (False, "O'Hara & Söhne (deleted)")
    assert Customer.filter(DisplayName="O'Hara & Söhne", qb=qb) == []
    inactive.Active = True
    assert inactive.save(qb=qb).DisplayName == "O'Hara & Söhne"


def test_an_item_lives(qb):
    """Created with SKU, account and a price of more than two places, updated, found, made inactive."""
    (account,) = Account.filter(Name="Services", AccountType="Income", qb=qb)
    item = Item()
    item.Name, item.Type, item.Sku, item.UnitPrice = "Hose by metre", "Service", "HOSE-M", Decimal("0.12345")
    item.IncomeAccountRef = account.to_ref()
    made = item.save(qb=qb)
    made.UnitPrice = Decimal("12345678.10")
    changed = made.save(qb=qb)
    (found,) = Item.filter(Sku="HOSE-M", qb=qb)

    assert (Item.get(made.Id, qb=qb).Name, changed.SyncToken) == ("Hose by metre", "1")
    assert (found.UnitPrice, found.IncomeAccountRef.name) == (Decimal("12345678.10"), "Services")
    found.Active = False
    assert found.save(qb=qb).Active is False
    assert Item.filter(Sku="HOSE-M", qb=qb) == []


def test_an_invoice_is_made_changed_voided_and_deleted(qb):
    """Totals, numbers and due dates are the company's doing; a void keeps the document, a delete does not."""
    customer = _customer(qb, "Una O'Hara", email="una@example.com")
    invoice = _invoice(customer, _sale("2", "19.99", "3"), _sale("7", "100.40", "0.5"), _text("Thank you"), _off("10"))
    invoice.CustomerMemo, invoice.PrivateNote = CustomerMemo(), "from the interop tests"
    invoice.CustomerMemo.value = "Pay soon"
    made = invoice.save(qb=qb)

    assert (made.TotalAmt, made.Balance) == (Decimal("99.15"), Decimal("99.15"))  # (59.97 + 50.20) less 11.02
    assert (made.SyncToken, made.DocNumber, made.BillEmail.Address) == ("0", "1038", "una@example.com")
    assert made.DueDate > made.TxnDate
    assert [(line.DetailType, getattr(line, "Amount", None) or 0) for line in made.Line] == [
        ("SalesItemLineDetail", Decimal("59.97")),
        ("SalesItemLineDetail", Decimal("50.20")),
        ("DescriptionOnly", 0),
        ("SubTotalLineDetail", Decimal("110.17")),
        ("DiscountLineDetail", Decimal("11.02")),
    ]
    assert made.CustomerMemo.value == "Pay soon"
    assert Customer.get(customer.Id, qb=qb).Balance == Decimal("99.15")

    made.Line = [_sale("2", "0.10", "3")]
    changed = made.save(qb=qb)
    assert (changed.TotalAmt, changed.SyncToken, changed.PrivateNote) == (Decimal("0.30"), "1", invoice.PrivateNote)

    changed.void(qb=qb)
    voided = Invoice.get(made.Id, qb=qb)
    assert (voided.TotalAmt, voided.Balance, voided.SyncToken) == (0, 0, "2")
    assert voided.PrivateNote.startswith("Voided")
    assert voided.delete(qb=qb)["Invoice"] == {"status": "Deleted", "domain": "QBO", "Id": made.Id}
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(made.Id, qb=qb)
    assert Invoice.filter(DocNumber="1038", qb=qb) == []


def test_wrong_invoices_are_refused(qb):
    """An amount that is not price times quantity, no line, an unknown item, an unknown customer."""
    wrong = _sale("2", "10", "3")
    wrong.Amount = Decimal("31")
    customer = Customer.get("1", qb=qb)
    stranger = Customer()
    stranger.Id = "99999"

    assert _refusal(_invoice(customer, wrong), qb) == 6070
    assert _refusal(_invoice(customer), qb) == 2020
    assert _refusal(_invoice(customer, _sale("999", "1", "1")), qb) == 2500
    assert _refusal(_invoice(stranger, _sale("2", "1", "1")), qb) == 2500


def test_a_payment_is_made_changed_voided_and_deleted(qb):
    """It lowers the balance of its invoice, which cannot be voided meanwhile; void and delete open it again."""
    customer = _customer(qb, "Una O'Hara")
    invoice = _invoice(customer, _sale("2", "50.05", "2")).save(qb=qb)
    payment = _payment(customer, invoice, "60.10").save(qb=qb)
    part = Invoice.get(invoice.Id, qb=qb)

    assert (payment.TotalAmt, payment.UnappliedAmt, payment.SyncToken) == (Decimal("60.10"), 0, "0")
    assert [each.TxnId for each in payment.Line[0].LinkedTxn] == [invoice.Id]
    assert (part.Balance, part.SyncToken) == (Decimal("40.00"), "1")
    assert [(each.TxnId, each.TxnType) for each in part.LinkedTxn] == [(payment.Id, "Payment")]
    with pytest.raises(QuickbooksException) as refused:
        part.void(qb=qb)
    assert refused.value.error_code == 6000

    payment.TotalAmt = payment.Line[0].Amount = Decimal("100.10")
    payment.PaymentRefNum = "CHQ 7"
    changed = payment.save(qb=qb)
    assert (changed.PaymentRefNum, Invoice.get(invoice.Id, qb=qb).Balance) == ("CHQ 7", 0)
    changed.void(qb=qb)
    voided = Payment.get(payment.Id, qb=qb)
    assert (voided.TotalAmt, voided.Line, voided.PrivateNote) == (0, [], "Voided")
    assert Invoice.get(invoice.Id, qb=qb).Balance == Decimal("100.10")

    second = _payment(customer, Invoice.get(invoice.Id, qb=qb), "0.10").save(qb=qb)
    assert Invoice.get(invoice.Id, qb=qb).Balance == Decimal("100.00")
    assert second.delete(qb=qb)["Payment"]["status"] == "Deleted"
    assert Invoice.get(invoice.Id, qb=qb).Balance == Decimal("100.10")


def test_a_write_is_repeated_by_its_request_id(qb):
    """The same request id gives the first answer again and makes nothing new."""
    customer = Customer.get("1", qb=qb)
    first = _invoice(customer, _sale("2", "7", "1")).save(qb=qb, request_id="interop-1")
    again = _invoice(customer, _sale("2", "7", "1")).save(qb=qb, request_id="interop-1")

    assert (again.Id, again.DocNumber) == (first.Id, first.DocNumber)
    assert Invoice.count(qb=qb) == 32


def test_batches_that_fail_in_part(qb):
    """Every row has its own outcome: a taken name costs that row only; then all are updated, and invoices deleted."""
    rows = [_named(name) for name in ("Batch One", "Amy's Bird Sanctuary", "Batch Two", "Not: allowed")]
    made = batch_create(rows, qb=qb)

    assert [each.DisplayName for each in made.successes] == ["Batch One", "Batch Two"]
    assert {fault.original_object.DisplayName: fault.Error[0].code for fault in made.faults} == {
        "Amy's Bird Sanctuary": "6240",
        "Not: allowed": "2040",
    }
    for customer in made.successes:
        customer.CompanyName = "Batch & Co"
    changed = batch_update(made.successes, qb=qb)
    assert [(each.CompanyName, each.SyncToken) for each in changed.successes] == [("Batch & Co", "1")] * 2
    assert changed.faults == []

    invoices = [_invoice(made.successes[0], _sale("2", str(n), "1")) for n in (1, 2, 3)]
    billed = batch_create(invoices, qb=qb).successes
    assert [each.TotalAmt for each in billed] == [1, 2, 3]
    billed[1].SyncToken = "7"
    deleted = batch_delete(billed, qb=qb)
    assert [(each.Id, each.status) for each in deleted.successes] == [
        (billed[0].Id, "Deleted"),
        (billed[2].Id, "Deleted"),
    ]
    assert [fault.Error[0].code for fault in deleted.faults] == ["5010"]
    assert Invoice.count(qb=qb) == 32


def test_changes_since_a_moment_with_tombstones(qb, sandbox):
    """Only what changed comes, whole; deleted records come as mere ids; a payment brings its invoice along."""
    kinds = [Invoice, Customer, Payment, Item]
    since = sandbox.do(sandbox.control.clock()).isoformat()
    nothing = change_data_capture(kinds, since, qb=qb)
    sandbox.do(sandbox.control.advance(60))
    customer = _customer(qb, "Una O'Hara")
    kept = _invoice(customer, _sale("2", "10.10", "1")).save(qb=qb)
    gone = _invoice(customer, _sale("2", "5", "1")).save(qb=qb)
    payment = _payment(customer, kept, "0.10").save(qb=qb)
    gone.delete(qb=qb)
    sandbox.person("quickbooks", "archive", "Item", "14")
    found = change_data_capture(kinds, since, qb=qb)

    assert not any(hasattr(nothing, kind.qbo_object_name) for kind in kinds)
    assert {each.Id: getattr(each, "status", None) for each in found.Invoice} == {kept.Id: None, gone.Id: "Deleted"}
    assert [each.Balance for each in found.Invoice if each.Id == kept.Id] == [Decimal("10.00")]
    assert [each.Line for each in found.Invoice if each.Id == gone.Id] == [[]]
    assert [(each.Id, each.TotalAmt) for each in found.Payment] == [(payment.Id, Decimal("0.10"))]
    assert [(each.Id, each.Balance) for each in found.Customer] == [(customer.Id, Decimal("10.00"))]
    assert [(each.Id, each.Active) for each in found.Item] == [("14", False)]
    with pytest.raises(ValidationException):
        change_data_capture(kinds, "long ago", qb=qb)


@pytest.mark.parametrize("kind", [Customer, Item, Payment, Estimate, Invoice])
def test_what_was_read_can_be_written_back(qb, kind):
    """A full update with everything as it was read changes no amount of any record."""
    # The client writes Qty 0 and UnitPrice 0 into invoice 27's line, which has an amount only, and 42 has no item line.
    records = [
        each for each in kind.all(max_results=1000, qb=qb) if (kind, each.Id) not in {(Invoice, "27"), (Invoice, "42")}
    ]
    saved = [each.save(qb=qb) for each in records]

    assert len(saved) >= 4
    for name in ("TotalAmt", "Balance", "UnitPrice", "UnappliedAmt"):
        assert [getattr(each, name, None) for each in saved] == [getattr(each, name, None) for each in records]


@pytest.mark.parametrize("form", ["classic", "cloudevents"])
def test_webhooks_pass_the_clients_signature_check(sandbox, connect, form):
    """Deliveries in both formats are signed as the client expects; a changed body or another token is not accepted."""
    qb = connect(verifier_token="sandbox-verifier")
    with sandbox.heard("quickbooks", webhook_format=form) as heard:
        sandbox.person("quickbooks", "update", "Customer", "1", note="Grüße")
        delivery = heard()

    signature, body = delivery.headers["intuit-signature"], delivery.body.decode()
    assert qb.validate_webhook_signature(body, signature)
    assert not qb.validate_webhook_signature(body + " ", signature)
    assert not qb.validate_webhook_signature(body, signature, verifier_token="another")
    told = json.loads(body)
    if form == "classic":
        (notice,) = told["eventNotifications"]
        (event,) = notice["dataChangeEvent"]["entities"]
        assert (notice["realmId"], event["name"], event["id"], event["operation"]) == (REALM, "Customer", "1", "Update")
    else:
        (event,) = told
        assert (event["intuitaccountid"], event["type"]) == (REALM, "qbo.customer.updated.v1")
        assert Customer.get(event["intuitentityid"], qb=qb).Notes == "Grüße"


def _page(start: int, qb: QuickBooks) -> list[Invoice]:
    return Invoice.all(order_by="Id", start_position=start, max_results=10, qb=qb)


def _named(name: str) -> Customer:
    customer = Customer()
    customer.DisplayName = name
    return customer


def _customer(qb: QuickBooks, name: str, email: str | None = None) -> Customer:
    customer = _named(name)
    if email:
        customer.PrimaryEmailAddr = EmailAddress()
        customer.PrimaryEmailAddr.Address = email
    return customer.save(qb=qb)


def _ref(id: str) -> Ref:
    ref = Ref()
    ref.value = id
    return ref


def _sale(item: str, price: str, quantity: str) -> SalesItemLine:
    line, detail = SalesItemLine(), SalesItemLineDetail()
    detail.ItemRef, detail.UnitPrice, detail.Qty = _ref(item), Decimal(price), Decimal(quantity)
    line.SalesItemLineDetail, line.Amount = detail, detail.UnitPrice * detail.Qty
    return line


def _text(words: str) -> DescriptionOnlyLine:
    line = DescriptionOnlyLine()
    line.Description = words
    return line


def _off(percent: str) -> DiscountLine:
    line, detail = DiscountLine(), DiscountLineDetail()
    detail.PercentBased, detail.DiscountPercent = True, Decimal(percent)
    line.DiscountLineDetail = detail
    return line


def _invoice(customer: Customer, *lines: object) -> Invoice:
    invoice = Invoice()
    invoice.CustomerRef, invoice.Line = customer.to_ref(), list(lines)
    return invoice


def _payment(customer: Customer, invoice: Invoice, amount: str) -> Payment:
    payment, line = Payment(), PaymentLine()
    payment.CustomerRef, payment.TotalAmt = customer.to_ref(), Decimal(amount)
    line.Amount, line.LinkedTxn = Decimal(amount), [invoice.to_linked_txn()]
    payment.Line = [line]
    return payment


def _refusal(invoice: Invoice, qb: QuickBooks) -> int:
    with pytest.raises(QuickbooksException) as refused:
        invoice.save(qb=qb)
    return refused.value.error_code
