"""HubSpot's official client against the sandbox, unchanged: all it is told is another host."""

import json
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm import contacts, objects, properties
from hubspot.crm.associations import v4 as links
from hubspot.crm.objects import ApiException, Filter, FilterGroup, PublicObjectSearchRequest, SimplePublicObjectInput
from hubspot.exceptions import InvalidSignatureTimestampError
from hubspot.oauth import ApiException as OAuthException
from hubspot.utils.signature import Signature

from tests.interop.conftest import Sandbox

CONTACT_COMPANY, CONTACT_COMPANY_PRIMARY, CONTACT_INVOICE, LINE_INVOICE, PAYMENT_INVOICE = 279, 1, 178, 410, 542
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
REFRESH_TOKEN = "na1-sandbox-refresh-0000"


@pytest.fixture
def host(sandbox: Sandbox) -> str:
    """What stands for https://api.hubapi.com."""
    return sandbox.url + "/hubspot"


@pytest.fixture
def hub(host: str) -> HubSpot:
    """The client as an app with a static token makes it."""
    return HubSpot(access_token="pat-na1-sandbox-0000-0000", host=host)


def test_every_page_of_a_list_is_read(hub):
    """Pages follow each other by their cursor until all records came once, null for what was asked for and is empty."""
    first = hub.crm.contacts.basic_api.get_page(limit=10, properties=["email", "phone", "no_such_property"])
    everybody = hub.crm.contacts.get_all(properties=["email"], limit=None)

    assert [each.id for each in first.results] == [str(id) for id in range(1001, 1011)]
    assert first.paging.next.after
    assert first.results[0].properties["email"] == "birds@intuit.com"
    assert first.results[0].properties["phone"] == "(650) 555-3311"
    assert "no_such_property" not in first.results[0].properties
    assert [each.id for each in everybody] == [str(id) for id in range(1001, 1027)]
    assert [each.id for each in everybody if each.properties["email"] is None] == ["1022"]


def test_an_invoice_is_read_with_its_amounts_ends_and_history(hub):
    """Amounts are texts with their cents, times are times, both of the client's invoice APIs show the same record."""
    names = ["hs_number", "hs_amount_billed", "hs_balance_due", "hs_currency", "hs_purchase_order_number"]
    invoice = hub.crm.objects.basic_api.get_by_id(
        "invoices",
        "5003",
        properties=names,
        properties_with_history=["hs_invoice_status"],
        associations=["contacts", "line_items"],
    )
    same = hub.crm.commerce.invoices.basic_api.get_by_id("5003", properties=names)

    assert {name: invoice.properties[name] for name in names} == {
        "hs_number": "INV-1003",
        "hs_amount_billed": "151.00",
        "hs_balance_due": "151.00",
        "hs_currency": "USD",
        "hs_purchase_order_number": None,
    }
    assert {name: same.properties[name] for name in names} == {name: invoice.properties[name] for name in names}
    assert [each.value for each in invoice.properties_with_history["hs_invoice_status"]] == ["open", "draft"]
    assert invoice.created_at.tzinfo is not None
    assert (invoice.created_at.hour, invoice.updated_at.minute) == (15, 20)
    assert [each.id for each in invoice.associations["contacts"].results] == ["1003"]
    lines = _amounts(hub, [each.id for each in invoice.associations["line items"].results])
    assert sum(map(Decimal, lines)) == Decimal(invoice.properties["hs_amount_billed"])


def test_a_contact_lives_from_creation_to_the_archive(hub):
    """Created with an association, found by e-mail, updated, archived, and then readable as archived only."""
    link = contacts.PublicAssociationsForObject(
        to=contacts.PublicObjectId(id="2001"), types=[_spec(contacts, CONTACT_COMPANY)]
    )
    fields = {"email": "Nora@Example.com", "firstname": "Nora", "lifecyclestage": "customer"}
    made = hub.crm.contacts.basic_api.create(
        contacts.SimplePublicObjectInputForCreate(properties=fields, associations=[link])
    )
    changed = hub.crm.contacts.basic_api.update(
        made.id, contacts.SimplePublicObjectInput(properties={"phone": "+1 555 0100", "firstname": ""})
    )
    found = hub.crm.contacts.basic_api.get_by_id(
        "nora@example.com", id_property="email", properties=["firstname", "phone"], associations=["companies"]
    )

    assert int(made.id) > 2**53
    assert made.properties["email"] == "nora@example.com"
    assert changed.properties["phone"] == "+1 555 0100"
    assert changed.updated_at >= made.updated_at
    assert found.id == made.id
    assert (found.properties["firstname"], found.properties["phone"]) == (None, "+1 555 0100")
    assert [each.id for each in found.associations["companies"].results] == ["2001"]

    hub.crm.contacts.basic_api.archive(made.id)
    with pytest.raises(contacts.exceptions.NotFoundException):
        hub.crm.contacts.basic_api.get_by_id(made.id)
    gone = hub.crm.contacts.basic_api.get_by_id(made.id, archived=True)
    assert gone.archived
    assert gone.archived_at >= changed.updated_at
    assert [each.id for each in hub.crm.contacts.get_all(archived=True)] == [made.id]


def test_refusals_reach_the_caller_with_their_bodies(hub, host):
    """Wrong properties, a taken e-mail, an unknown id, a bad token: status and body as HubSpot documents them."""
    api = hub.crm.contacts.basic_api

    with pytest.raises(contacts.ApiException) as bad:
        api.update("1001", contacts.SimplePublicObjectInput(properties={"nope": "1", "createdate": "2026-01-01"}))
    with pytest.raises(contacts.ApiException) as taken:
        api.create(contacts.SimplePublicObjectInputForCreate(properties={"email": "birds@intuit.com"}))
    with pytest.raises(contacts.ApiException) as stranger:
        HubSpot(access_token="pat-na1-of-somebody-else", host=host).crm.contacts.basic_api.get_page()

    refusal = json.loads(bad.value.body)
    assert (bad.value.status, refusal["category"]) == (400, "VALIDATION_ERROR")
    assert {each["code"] for each in refusal["errors"]} == {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
    assert bad.value.headers["X-HubSpot-Correlation-Id"] == refusal["correlationId"]
    assert (taken.value.status, json.loads(taken.value.body)["category"]) == (409, "CONFLICT")
    assert "Existing ID: 1001" in taken.value.body
    assert (stranger.value.status, json.loads(stranger.value.body)["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_search_filters_sorts_and_pages(hub):
    """Groups are alternatives, the filters of one hold together; the pages give all of `total`, in order."""
    some = [
        Filter(property_name="hs_amount_billed", operator="BETWEEN", value="400", high_value="1000"),
        Filter(property_name="hs_invoice_status", operator="IN", values=["open", "paid"]),
    ]
    paid = [Filter(property_name="hs_invoice_status", operator="EQ", value="paid")]
    found, after = [], 0
    while after is not None:
        page = hub.crm.objects.search_api.do_search(
            "invoices",
            PublicObjectSearchRequest(
                filter_groups=[FilterGroup(filters=some), FilterGroup(filters=paid)],
                sorts=["-hs_amount_billed"],
                properties=["hs_amount_billed"],
                limit=3,
                after=after,
            ),
        )
        found += page.results
        after = page.paging and page.paging.next.after

    assert page.total == len(found) == 8
    assert [each.properties["hs_amount_billed"] for each in found] == [
        *("1000.00", "900.00", "750.00", "620.00", "520.00", "497.50", "320.00", "200.00")
    ]


def test_a_search_for_words(hub):
    """The free text query looks into the text properties."""
    found = hub.crm.contacts.search_api.do_search(contacts.PublicObjectSearchRequest(query="Lakeside", limit=5))

    assert {each.properties["email"] for each in found.results} == {
        "ines.moreau@example.com",
        "paul.adeyemi@example.com",
    }


def test_batches_of_a_whole_life(hub):
    """Create, read, update, upsert and archive many at once; prices keep their digits."""
    api = hub.crm.objects.batch_api
    rows = [
        objects.SimplePublicObjectBatchInputForCreate(properties={"name": f"Hose {n}", "price": f"{n}.10"})
        for n in range(1, 4)
    ]
    made = api.create("products", objects.BatchInputSimplePublicObjectBatchInputForCreate(inputs=rows))
    ids = [each.id for each in made.results]
    prices = [objects.SimplePublicObjectBatchInput(id=id, properties={"price": "12345678901.2345"}) for id in ids[:2]]
    changed = api.update("products", objects.BatchInputSimplePublicObjectBatchInput(inputs=prices))
    read = _read(hub, "products", ids, ["price", "name"])

    assert (made.status, len(ids)) == ("COMPLETE", 3)
    assert {each.id for each in changed.results} == set(ids[:2])
    assert {id: read[id]["price"] for id in ids} == {
        ids[0]: "12345678901.2345",
        ids[1]: "12345678901.2345",
        ids[2]: next(each.properties["price"] for each in made.results if each.id == ids[2]),
    }

    api.archive("products", objects.BatchInputSimplePublicObjectId(inputs=_ids(ids)))
    assert {each.id for each in hub.crm.products.get_all(archived=True)} == set(ids)


def test_an_upsert_tells_new_from_known(hub):
    """By e-mail, one contact is changed and one is made."""
    rows = [
        objects.SimplePublicObjectBatchInputUpsert(id=email, id_property="email", properties={"city": "Reno"})
        for email in ("birds@intuit.com", "fresh@example.com")
    ]
    answer = hub.crm.objects.batch_api.upsert(
        "contacts", objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=rows)
    )

    new = {each.id: each.new for each in answer.results}
    assert new.pop("1001") is False
    (fresh,) = new
    assert new[fresh] is True
    assert {id: values["city"] for id, values in _read(hub, "contacts", ["1001", fresh], ["city"]).items()} == {
        "1001": "Reno",
        fresh: "Reno",
    }


def test_a_batch_that_fails_in_part(hub):
    """With trace ids the good rows are written and the bad one is named; unknown ids of a read are listed together."""
    rows = [
        objects.SimplePublicObjectBatchInputForCreate(
            properties={"name": f"Rake {n}", "price": price}, object_write_trace_id=f"row-{n}"
        )
        for n, price in enumerate(["9.90", "a lot", "10.90"])
    ]
    answer = hub.crm.objects.batch_api.create(
        "products", objects.BatchInputSimplePublicObjectBatchInputForCreate(inputs=rows)
    )
    read = hub.crm.objects.batch_api.read(
        "products",
        objects.BatchReadInputSimplePublicObjectId(
            inputs=_ids(["3001", "77", "78"]), properties=["hs_sku"], properties_with_history=[]
        ),
    )

    assert isinstance(answer, objects.BatchResponseSimplePublicObjectWithErrors)
    assert {each.object_write_trace_id: each.properties["price"] for each in answer.results} == {
        "row-0": "9.90",
        "row-2": "10.90",
    }
    (error,) = answer.errors
    assert (answer.num_errors, error.category, error.context) == (
        *(1, "VALIDATION_ERROR"),
        {"objectWriteTraceId": ["row-1"]},
    )
    assert "INVALID_LONG" in error.message
    assert [each.properties["hs_sku"] for each in read.results] == ["PEST-CONTROL"]
    assert (read.num_errors, read.errors[0].category) == (1, "OBJECT_NOT_FOUND")
    assert read.errors[0].context == {"ids": ["77", "78"]}


def test_a_batch_without_trace_ids_is_all_or_nothing(hub):
    """One bad row without a trace id leaves nothing behind."""
    rows = [objects.SimplePublicObjectBatchInputForCreate(properties={"name": "Fork", "price": p}) for p in ("1", "x")]

    with pytest.raises(ApiException) as refused:
        hub.crm.objects.batch_api.create(
            "products", objects.BatchInputSimplePublicObjectBatchInputForCreate(inputs=rows)
        )

    assert refused.value.status == 400
    assert "Fork" not in [each.properties["name"] for each in hub.crm.products.get_all()]


def test_associations_one_by_one(hub):
    """Default and labelled links, seen from both ends, replaced and removed."""
    api = hub.crm.associations.v4.basic_api
    both = api.create_default("contacts", "1002", "companies", "2002")
    labelled = api.create(
        "contacts", "1002", "companies", "2002", [_spec(links, CONTACT_COMPANY), _spec(links, CONTACT_COMPANY_PRIMARY)]
    )

    assert {(each._from.id, each.association_spec.association_type_id) for each in both.results} == {
        ("1002", 279),
        ("2002", 280),
    }
    assert (labelled.from_object_id, labelled.to_object_id, labelled.labels) == ("1002", "2002", ["Primary"])
    assert _linked(api.get_page("contacts", "1002", "companies")) == {"2002": {279, 1}}
    assert _linked(api.get_page("companies", "2002", "contacts"))["1002"] == {280, 2}

    api.archive("contacts", "1002", "companies", "2002")
    assert _linked(api.get_page("contacts", "1002", "companies")) == {}


def test_associations_come_in_pages(hub):
    """Five at a time, the twelve lines of an invoice come in three pages."""
    api, found, after, pages = hub.crm.associations.v4.basic_api, {}, None, 0
    while pages == 0 or after is not None:
        page = api.get_page("invoices", "5013", "line_items", limit=5, **({"after": after} if after else {}))
        found |= _linked(page)
        after, pages = page.paging and page.paging.next.after, pages + 1

    assert (len(found), pages) == (12, 3)
    assert set(map(frozenset, found.values())) == {frozenset({409})}


def test_associations_in_batches(hub):
    """Many links made, read and removed at once; a record without any is an error beside the results."""
    api = hub.crm.associations.v4.batch_api
    made = api.create(
        "contacts",
        "companies",
        links.BatchInputPublicAssociationMultiPost(
            inputs=[
                links.PublicAssociationMultiPost(
                    _from=links.PublicObjectId(id), to=links.PublicObjectId("2003"), types=[_spec(links, 279)]
                )
                for id in ("1003", "1004")
            ]
        ),
    )
    read = _batch_read(api, "contacts", "companies", "1003", "1004", "1011")

    assert {each.from_object_id for each in made.results} == {"1003", "1004"}
    assert isinstance(read, links.BatchResponsePublicAssociationMultiWithLabelWithErrors)
    assert {each._from.id: [end.to_object_id for end in each.to] for each in read.results} == {
        "1003": ["2003"],
        "1004": ["2003"],
    }
    (error,) = read.errors
    assert error.sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error.context["fromObjectId"] == ["1011"]

    end = links.PublicAssociationMultiArchive(_from=links.PublicObjectId("1003"), to=[links.PublicObjectId("2003")])
    api.archive("contacts", "companies", links.BatchInputPublicAssociationMultiArchive(inputs=[end]))
    left = _batch_read(api, "contacts", "companies", "1003", "1004")
    assert [each._from.id for each in left.results] == ["1004"]


def test_an_invoice_is_made_finalized_and_paid(hub):
    """The amounts are HubSpot's own: from the lines, to the cent; a payment makes it paid."""
    api = hub.crm.objects.basic_api
    invoice = _create(hub, "invoices", {"hs_currency": "USD"})
    _create(hub, "line_items", {"name": "Mulch", "price": "19.99", "quantity": "3"}, (LINE_INVOICE, invoice))
    discounted = {"name": "Edging", "price": "100.40", "quantity": "0.5", "hs_discount_percentage": "10"}
    _create(hub, "line_items", discounted, (LINE_INVOICE, invoice))
    hub.crm.associations.v4.basic_api.create_default("contacts", "1001", "invoices", invoice)
    api.update("invoices", invoice, SimplePublicObjectInput(properties={"hs_invoice_status": "open"}))

    names = ["hs_invoice_status", "hs_number", "hs_amount_billed", "hs_balance_due", "hs_amount_paid"]
    opened = api.get_by_id("invoices", invoice, properties=names).properties
    assert (opened["hs_invoice_status"], opened["hs_number"][:4]) == ("open", "INV-")
    assert Decimal(opened["hs_amount_billed"]) == Decimal("105.15")  # 59.97 + 45.18

    payment = {
        "hs_initial_amount": "105.15",
        "hs_initiated_date": "2026-11-02T10:00:00Z",
        "hs_latest_status": "succeeded",
        "hs_currency_code": "USD",
    }
    _create(hub, "commerce_payments", payment, (PAYMENT_INVOICE, invoice))
    paid = api.get_by_id("invoices", invoice, properties=names).properties
    assert (paid["hs_invoice_status"], Decimal(paid["hs_balance_due"])) == ("paid", 0)
    assert Decimal(paid["hs_amount_paid"]) == Decimal("105.15")


def test_property_definitions(hub):
    """Definitions tell type, options and what cannot be written; custom ones are made, used, changed and archived."""
    api = hub.crm.properties
    known = {each.name: each for each in api.core_api.get_all("invoices").results}
    assert known["hs_balance_due"].modification_metadata.read_only_value
    assert known["hs_balance_due"].calculated
    assert not known["hs_comments"].modification_metadata.read_only_value
    assert [each.value for each in known["hs_invoice_status"].options] == ["draft", "open", "paid", "voided"]

    group = api.groups_api.create("deals", properties.PropertyGroupCreate(name="syncd", label="Syncd"))
    option = properties.OptionInput(label="Paid late", value="late", hidden=False, display_order=1)
    made = api.core_api.create("deals", _definition("billing_state", "enumeration", "select", options=[option]))
    assert (group.name, made.group_name, made.hubspot_defined) == ("syncd", "syncd", False)
    assert [(each.label, each.value) for each in made.options] == [("Paid late", "late")]

    deal = _create(hub, "deals", {"dealname": "Hedge", "billing_state": "late"})
    where = [Filter(property_name="billing_state", operator="EQ", value="late")]
    found = hub.crm.objects.search_api.do_search(
        "deals", PublicObjectSearchRequest(filter_groups=[FilterGroup(filters=where)], limit=5)
    )
    assert [each.id for each in found.results] == [deal]

    changed = api.core_api.update("deals", "billing_state", properties.PropertyUpdate(label="Billing"))
    assert (changed.label, [each.value for each in changed.options]) == ("Billing", ["late"])
    api.core_api.archive("deals", "billing_state")
    assert "billing_state" not in [each.name for each in api.core_api.get_all("deals").results]


def test_property_definitions_in_batches(hub):
    """Several at once; asking for one that does not exist costs that one only."""
    api = hub.crm.properties.batch_api
    wanted = [_definition(f"total_{n}", "number", "number", group="dealinformation") for n in range(2)]
    made = api.create("deals", properties.BatchInputPropertyCreate(inputs=wanted))
    names = [properties.PropertyName(name) for name in ("total_0", "no_such")]
    read = api.read("deals", properties.BatchReadInputPropertyName(inputs=names, archived=False))

    assert {each.name for each in made.results} == {"total_0", "total_1"}
    assert [(each.name, each.type) for each in read.results] == [("total_0", "number")]
    assert (read.num_errors, "no_such" in read.errors[0].message) == (1, True)


def test_tokens_are_refreshed_and_expire(sandbox, host):
    """An access token lives half an hour, the refresh token stays the same, and both can be looked up."""
    tokens = HubSpot(host=host).oauth.tokens_api
    granted = tokens.create(grant_type="refresh_token", refresh_token=REFRESH_TOKEN, **CLIENT)
    app = HubSpot(access_token=granted.access_token, host=host)
    about = app.oauth.access_tokens_api.get(granted.access_token)

    assert (granted.token_type, granted.expires_in, granted.refresh_token) == ("bearer", 1800, REFRESH_TOKEN)
    assert len(app.crm.contacts.get_all()) == 26
    assert (about.hub_id, about.token_type) == (40000001, "access")
    assert "crm.objects.invoices.write" in about.scopes
    assert app.oauth.refresh_tokens_api.get(REFRESH_TOKEN).token_type == "refresh"

    sandbox.do(sandbox.control.advance(1801))
    with pytest.raises(contacts.ApiException) as expired:
        app.crm.contacts.basic_api.get_page()
    assert json.loads(expired.value.body)["category"] == "EXPIRED_AUTHENTICATION"
    app.access_token = tokens.create(grant_type="refresh_token", refresh_token=REFRESH_TOKEN, **CLIENT).access_token
    assert app.crm.contacts.basic_api.get_by_id("1001").properties["email"] == "birds@intuit.com"


SCOPES = "oauth crm.objects.contacts.read"


def test_a_code_is_exchanged_and_the_connection_ended(host):
    """Consent gives a code, the code gives tokens; a refresh token that was deleted is worth nothing."""
    target = "http://localhost/back"
    consent = requests.get(
        f"{host}/oauth/authorize",
        params={"client_id": CLIENT["client_id"], "redirect_uri": target, "scope": SCOPES, "state": "s1"},
        allow_redirects=False,
        timeout=10,
    )
    answer = parse_qs(urlsplit(consent.headers["Location"]).query)
    api = HubSpot(host=host).oauth
    granted = api.tokens_api.create(
        grant_type="authorization_code", code=answer["code"][0], redirect_uri=target, **CLIENT
    )
    api.refresh_tokens_api.archive(granted.refresh_token)

    assert answer["state"] == ["s1"]
    assert len(HubSpot(access_token=granted.access_token, host=host).crm.contacts.get_all()) == 26
    with pytest.raises(OAuthException) as refused:
        api.tokens_api.create(grant_type="refresh_token", refresh_token=granted.refresh_token, **CLIENT)
    assert json.loads(refused.value.body)["status"] == "BAD_REFRESH_TOKEN"


def test_webhooks_pass_the_clients_signature_check(sandbox):
    """Deliveries are signed as the client's helper expects, v3 and v1; changed ones and old ones are not accepted."""
    with sandbox.heard("hubspot") as heard:
        sandbox.person("hubspot", "update", "contacts", "1001", phone="+33 1 23 45 67 89", city="Orléans")
        delivery = heard()

    secret, body = "sandbox-app-secret", delivery.body.decode()
    signature, stamp = (
        delivery.headers["x-hubspot-signature-v3"],
        delivery.headers["x-hubspot-request-timestamp"],
    )

    def v3(body: str = body, url: str = delivery.url, stamp: str = stamp) -> bool:
        return Signature.is_valid(signature, secret, body, url, "POST", signature_version="v3", timestamp=stamp)

    assert {each["objectId"] for each in json.loads(body)} == {1001}
    assert v3()
    assert not v3(body=body.replace("1001", "1002"))
    assert not v3(url=delivery.url + "&more")
    assert not v3(stamp=str(int(stamp) + 1))
    with pytest.raises(InvalidSignatureTimestampError):
        v3(stamp=str(int(stamp) - 301_000))
    old = delivery.headers["x-hubspot-signature"]
    assert Signature.is_valid(old, secret, body, signature_version="v1")
    assert not Signature.is_valid(old, secret, body + " ", signature_version="v1")


def test_answers_hold_all_that_the_clients_models_require(host):
    """With the client's own validation on, which is off by default, no answer lacks a part or has a strange value."""
    hub = HubSpot(access_token="pat-na1-sandbox-0000-0000", host=host, client_side_validation=True)

    for kind in ("contacts", "companies", "deals", "products", "line_items", "invoices", "commerce_payments"):
        assert hub.crm.objects.get_all(kind)
        definitions = hub.crm.properties.core_api.get_all(kind).results
        assert {"hs_object_id", "hs_object_source"} <= {each.name for each in definitions}
    assert hub.crm.objects.search_api.do_search("invoices", PublicObjectSearchRequest(limit=1)).total == 34
    assert _linked(hub.crm.associations.v4.basic_api.get_page("invoices", "5001", "contacts")) == {"1001": {177}}
    assert [each.email for each in hub.crm.owners.get_all()] == ["craig@example.com", "emily@example.com"]
    assert [each.id for each in hub.crm.pipelines.pipelines_api.get_all("deals").results] == ["default"]
    tokens = hub.oauth.tokens_api.create(grant_type="refresh_token", refresh_token=REFRESH_TOKEN, **CLIENT)
    assert hub.oauth.access_tokens_api.get(tokens.access_token).hub_id == 40000001
    assert hub.oauth.refresh_tokens_api.get(REFRESH_TOKEN).client_id == CLIENT["client_id"]


def _spec(package, type_id: int):
    return package.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=type_id)


def _ids(ids: Iterable[str]) -> list[objects.SimplePublicObjectId]:
    return [objects.SimplePublicObjectId(id=id) for id in ids]


def _create(hub: HubSpot, kind: str, fields: dict[str, str], link: tuple[int, str] | None = None) -> str:
    """Create a record, perhaps with an association (type id, other end); gives its id."""
    ends = [
        objects.PublicAssociationsForObject(to=objects.PublicObjectId(id=id), types=[_spec(objects, type_id)])
        for type_id, id in ([link] if link else [])
    ]
    body = objects.SimplePublicObjectInputForCreate(properties=fields, associations=ends)
    return hub.crm.objects.basic_api.create(kind, body).id


def _read(hub: HubSpot, kind: str, ids: list[str], names: list[str]) -> dict[str, dict[str, str | None]]:
    body = objects.BatchReadInputSimplePublicObjectId(inputs=_ids(ids), properties=names, properties_with_history=[])
    return {each.id: each.properties for each in hub.crm.objects.batch_api.read(kind, body).results}


def _amounts(hub: HubSpot, ids: list[str]) -> list[str]:
    return [values["amount"] or "" for values in _read(hub, "line_items", ids, ["amount"]).values()]


def _linked(page) -> dict[str, set[int]]:
    return {each.to_object_id: {kind.type_id for kind in each.association_types} for each in page.results}


def _batch_read(api, origin: str, target: str, *ids: str):
    inputs = [links.PublicFetchAssociationsBatchRequest(id=id) for id in ids]
    return api.get_page(origin, target, links.BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs))


def _definition(name: str, type_: str, field_type: str, group: str = "syncd", **more) -> properties.PropertyCreate:
    return properties.PropertyCreate(name=name, label=name, type=type_, field_type=field_type, group_name=group, **more)
