"""Properties that mappings use, held against the portal's definitions; and states shown on records."""

from datetime import UTC, datetime

import pytest

from syncd.connectors.base import MappedField, Shown
from syncd.core.filter_values import FieldType
from syncd.model.references import Kind

CUSTOM, DAY, AMOUNT, TEXT = FieldType.CUSTOM, FieldType.DAY, FieldType.AMOUNT, FieldType.TEXT


def field(name, *, meets=CUSTOM, written=True, options=(), kind=Kind.INVOICE) -> MappedField:
    return MappedField(kind=kind, name=name, written=written, meets=meets, options=options)


@pytest.mark.parametrize(
    ("mapped", "code"),
    [
        (field("hs_title"), None),
        (field("hs_title", meets=DAY), None),
        (field("hs_object_id", written=False), None),
        (field("hs_object_id"), "field_not_writable"),
        (field("hs_balance_due", meets=DAY, written=False), "mapping_invalid"),
        (field("hs_balance_due", meets=TEXT, written=False), None),
        (field("hs_due_date"), "mapping_invalid"),
        (field("syncd_ref"), "mapping_invalid"),
        (field("nowhere"), "mapping_invalid"),
        (field("lifecyclestage", kind=Kind.PARTY, options=("lead",)), None),
        (field("lifecyclestage", kind=Kind.PARTY, options=("lead", "wizard")), "option_unknown"),
        (field("lifecyclestage", kind=Kind.PARTY, meets=AMOUNT), "mapping_invalid"),
    ],
)
async def test_a_mapped_property_is_as_its_definition_says(portal, mapped, code):
    """Exists, is ours to write, is of a type that can meet the other field's, and has the options."""
    async with portal.another(fields=(mapped,)) as bench:
        problems = (await bench.connector.account()).problems
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(mapped.name in problem.words and problem.cure for problem in problems)


async def test_the_definitions_of_an_object_are_read_once_for_all_its_fields(portal):
    """And not at all where nothing custom is mapped."""
    fields = (field("hs_title"), field("nowhere"), field("nothere"))
    before = len(await portal.control.requests("hubspot"))
    async with portal.another(fields=fields) as bench:
        assert len((await bench.connector.account()).problems) == 2
    paths = await portal.paths(before)
    assert [path for path in paths if "properties" in path] == ["/crm/v3/properties/invoices"]
    await portal.connector.account()
    assert len(await portal.paths(before)) == len(paths) + 1


async def test_exactly_the_mapped_properties_are_read(portal):
    """Empty is nothing; what the portal does not know is not read as empty."""
    await portal.person("update", "invoices", "5001", hs_title="Spring")
    async with portal.another(fields=(field("hs_title"), field("hs_tax_id"), field("nowhere"))) as bench:
        read = await bench.connector.read(Kind.INVOICE, ["5001"])
    assert read["5001"].noun.custom == {"hs_title": "Spring", "hs_tax_id": None}
    assert (await portal.connector.read(Kind.INVOICE, ["5001"]))["5001"].noun.custom == {}


async def test_states_are_shown_a_hundred_at_a_time(portal):
    """250 records are three requests; ids the portal does not know disturb nobody."""
    async with portal.another(shown=("Main sync",)) as bench:
        await bench.connector.prepare([Kind.PARTY])
        before = len(await portal.control.requests("hubspot"))
        at = datetime(2026, 11, 2, 8, tzinfo=UTC)
        ids = ["1001", *(str(900000 + n) for n in range(249))]
        rows = [Shown(id=id, status="synced", category="", last_success=at, link=None) for id in ids]
        await bench.connector.show("Main sync", Kind.PARTY, rows)
    assert (await portal.paths(before)).count("contacts/batch/update") == 3
    rows = {row["id"]: row["properties"] for row in await portal.control.records("hubspot", "contacts")}
    assert rows["1001"]["syncd_main_sync_status"] == "synced"
    assert rows["1001"]["syncd_main_sync_last_success"].startswith("2026-11-02T08:00:00")
